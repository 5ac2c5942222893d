"""The argument that the plugins share which ask AWS of one region."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible asks for the fragment of this file."""

    DOCUMENTATION = r"""
options:
  region:
    description: AWS region; the default is the environment's.
    type: str
"""

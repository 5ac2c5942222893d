"""Arguments that the plugins about an environment's ledger share: where it is."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible asks for the fragment of this file."""

    DOCUMENTATION = r"""
options:
  prefix:
    description: Begin of the names of the environment's stacks, C(<site_name>-<environment_name>).
    type: str
    required: true
  bucket:
    description: The ledger's bucket, where it is not the one of the layer ledger.
    type: str
    default: ''
  region:
    description: AWS region; the default is the environment's.
    type: str
"""

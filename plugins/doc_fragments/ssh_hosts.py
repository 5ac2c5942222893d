"""Arguments that the plugins share which go through a host: which hosts there are."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible asks for the fragment of this file."""

    DOCUMENTATION = r"""
options:
  hosts:
    description: The hosts that there are, those to be tried first in front.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Instance id.
        type: str
        required: true
      address:
        description: Address of its sshd.
        type: str
        required: true
      user:
        description: Who logs in.
        type: str
        required: true
      key_file:
        description: The private key; ssh's own choice if empty.
        type: str
        default: ""
      options:
        description: More arguments of ssh, as a shell would split them.
        type: str
        default: ""
"""

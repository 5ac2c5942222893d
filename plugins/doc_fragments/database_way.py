"""Arguments that the plugins share which reach a database of the site: which one, and by which way."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible asks for the fragment of this file."""

    DOCUMENTATION = r"""
options:
  database:
    description: What the inventory calls it.
    type: str
    required: true
  region:
    description: AWS region.
    type: str
    required: true
  stack:
    description: Its stack; empty for a database outside of Berth, which O(address), O(to_port) and O(secret) name.
    type: str
    default: ""
  address:
    description: Host name of a database outside of Berth.
    type: str
    default: ""
  to_port:
    description: Its port.
    type: int
    default: 5432
  secret:
    description: ARN of its secret, which has C(username) and C(password).
    type: str
    default: ""
  session_manager:
    description: Whether hosts are reached through Session Manager, which needs the AWS CLI and its plugin here.
    type: bool
    default: false
"""

"""Arguments that the plugins share which restore a database to an instance beside the site's own."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible asks for the fragment of this file."""

    DOCUMENTATION = r"""
options:
  instance:
    description: Identifier of the site's own instance, of whose class the one beside is.
    type: str
    required: true
  prefix:
    description: Of the environment, for example C(shop-prod).
    type: str
    required: true
  dbname:
    description: Name of the database in the instance.
    type: str
    required: true
  tags:
    description: Tags of what is made, of the instance beside above all.
    type: dict
    default: {}
  timeout:
    description: Seconds that each wait may take, above all that for the instance beside.
    type: int
    default: 10800
"""

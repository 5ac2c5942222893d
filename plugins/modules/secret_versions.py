#!/usr/bin/python
"""Documentation and arguments of the action plugin of the same name, which does the work on the control machine."""

DOCUMENTATION = r"""
module: secret_versions
short_description: Say which secrets have another version than they had
description:
  - Asks Secrets Manager and the Parameter Store for versions, never for a value. What is not there any more, or may not
    be asked for, is left out.
options:
  versions:
    description: Place of a secret to the version that it had, as the ledger's C(secrets) have it.
    type: dict
    required: true
author: Berth
"""

EXAMPLES = r"""
- name: See which secrets have changed since
  secret_versions:
    versions: {"arn:aws:secretsmanager:us-east-1:111122223333:secret:key-AbCdEf": 0f3c9d1e-2a4b-4c5d-8e6f-7a8b9c0d1e2f}
"""

RETURN = r"""
differing:
  description: A line for each that has another, with what to type to have the one of before back.
  returned: success
  type: list
  elements: str
"""

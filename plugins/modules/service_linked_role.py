#!/usr/bin/python
"""Make sure that AWS services have their service-linked roles."""

DOCUMENTATION = r"""
module: service_linked_role
short_description: Make sure that service-linked roles exist
description:
  - Services make their service-linked role on first use, and that first use may fail because the role is not there yet.
    So a new account needs them before the first stack.
options:
  services:
    description: Service principals, C(ecs.amazonaws.com) for example.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds until a new role must be readable.
    type: int
    default: 60
extends_documentation_fragment: [amazon.aws.common.modules, amazon.aws.region.modules, amazon.aws.boto3]
author: Berth
"""

EXAMPLES = r"""
- name: Make sure that the service-linked roles exist
  service_linked_role:
    services: [ecs.amazonaws.com, autoscaling.amazonaws.com, elasticloadbalancing.amazonaws.com, rds.amazonaws.com]
"""

RETURN = r"""
roles:
  description: Service principal to the name of its role; null in check mode where it would be made.
  returned: always
  type: dict
created:
  description: The service principals whose role was made.
  returned: always
  type: list
"""

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

SPECIFICATION: dict[str, Any] = {
    "services": {"type": "list", "elements": "str", "required": True},
    "timeout": {"type": "int", "default": 60},
}


def find(iam: Any, service: str) -> str | None:
    """Name of the service-linked role of a service, or None."""
    # Also where there is one role: IAM may return an empty page first (ListRoles).
    pages = iam.get_paginator("list_roles").paginate(PathPrefix=f"/aws-service-role/{service}/")
    return next((str(role["RoleName"]) for page in pages for role in page["Roles"]), None)


def create(iam: Any, service: str, timeout: float) -> str:
    """Make the role and wait until it can be read, as IAM is eventually consistent.

    Raises:
        TimeoutError: it cannot be read in time.
    """
    try:
        iam.create_service_linked_role(AWSServiceName=service)
    except ClientError as error:
        # InvalidInput: "Service role name … has been taken in this account": somebody else was quicker.
        if error.response["Error"]["Code"] != "InvalidInput" or "has been taken" not in str(error):
            raise
    deadline = time.monotonic() + timeout
    while (name := find(iam, service)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The service-linked role of {service} was made, but is not there after {timeout} s.")
        time.sleep(1)
    return name


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleAWSModule(argument_spec=SPECIFICATION, supports_check_mode=True)
    roles: dict[str, str | None] = {}
    created = []
    try:
        iam = module.client("iam")
        for service in module.params["services"]:
            roles[service] = find(iam, service)
            if roles[service] is None:
                created.append(service)
                if not module.check_mode:
                    roles[service] = create(iam, service, module.params["timeout"])
    except TimeoutError as error:
        module.fail_json(msg=str(error))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="A service-linked role cannot be made (right: iam:CreateServiceLinkedRole)")
    module.exit_json(changed=bool(created), roles=roles, created=created)


if __name__ == "__main__":
    main()

"""Make sure that AWS services have their service-linked roles."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.service_linked_role import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed


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


class ActionModule(AwsAction):
    """See plugins/modules/service_linked_role.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Make the roles that are missing.

        Raises:
            Failed: one cannot be made, or is not there in time.
        """
        iam = self.client("iam")
        roles: dict[str, str | None] = {}
        created = []
        try:
            for service in self.arguments["services"]:
                roles[service] = find(iam, service)
                if roles[service] is None:
                    created.append(service)
                    if not self.check_mode:
                        roles[service] = create(iam, service, self.arguments["timeout"])
        except TimeoutError as error:
            raise Failed(str(error)) from None
        except ClientError as error:
            what = "A service-linked role cannot be made (right: iam:CreateServiceLinkedRole)"
            raise Failed(f"{what}: {error}") from None
        return {"changed": bool(created), "roles": roles, "created": created}

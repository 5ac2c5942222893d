"""Delete the certificates that a stack has replaced, once nothing uses them any more."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.unused_certificates import DOCUMENTATION
from plugins.plugin_utils.account.certificates import replaced, users
from plugins.plugin_utils.aws_action import AwsAction

PAUSE_SECONDS = 5.0


def delete(acm: Any, arn: str) -> bool:
    """Delete the certificate; False if something uses it after all."""
    try:
        acm.delete_certificate(CertificateArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return False
    return True


def clear(cloudformation: Any, acm: Any, stack: str, timeout: float, check: bool) -> dict[str, Any]:
    """Delete what can be deleted within `timeout`."""
    left, deleted, in_use = replaced(cloudformation, stack), list[str](), dict[str, list[str]]()
    deadline = time.monotonic() + timeout
    while left:
        in_use = {}
        for arn in left:
            uses = users(acm, arn)
            if uses or (uses is not None and not check and not delete(acm, arn)):
                in_use[arn] = uses
            elif uses is not None:
                deleted.append(arn)
        left = list(in_use)
        if check or not left or time.monotonic() >= deadline:
            break
        time.sleep(PAUSE_SECONDS)
    return {"deleted": deleted, "in_use": in_use}


class ActionModule(AwsAction):
    """See plugins/modules/unused_certificates.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete what nothing uses."""
        cloudformation, acm = self.client("cloudformation"), self.client("acm")
        done = clear(cloudformation, acm, self.arguments["stack"], self.arguments["timeout"], self.check_mode)
        for arn, uses in done["in_use"].items():
            used = ", ".join(uses) or "something"
            self.say("certificate", f"not deleted, as {used} still uses it: {arn}. The next run tries again.", "yellow")
        return {"changed": bool(done["deleted"]), **done}

"""Delete a table of DynamoDB and what is in it, protected against deletion or not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.dynamodb_table_delete import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait

PROTECTED = "DeletionProtectionEnabled"
REFUSAL = "protected against deletion"
"""In DynamoDB's message of a ValidationException: https://github.com/nubo-db/dynoxide/issues/46"""


class ActionModule(AwsAction):
    """See plugins/modules/dynamodb_table_delete.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete it.

        Raises:
            Failed: DynamoDB did not take the deletion in time.
        """
        self.name, self.dynamodb = self.arguments["name"], self.client("dynamodb")
        try:
            found = self.dynamodb.describe_table(TableName=self.name)["Table"]
            if found["TableStatus"] == "DELETING":
                return {"changed": False}
            if not self.check_mode:
                self._delete(found.get(PROTECTED, False))
        except ClientError as error:
            if _code(error) != "ResourceNotFoundException":
                raise
            return {"changed": False}
        return {"changed": True}

    def _delete(self, protected: bool) -> None:
        wait = Wait(self.arguments["timeout"], self.say, "table")
        while True:
            try:
                if protected:
                    self.dynamodb.update_table(TableName=self.name, DeletionProtectionEnabled=False)
                    protected = False
                self.dynamodb.delete_table(TableName=self.name)
                return
            except ClientError as error:
                protected = REFUSAL in str(error)  # that it is not any more may show late
                if not protected and _code(error) != "ResourceInUseException":  # it is being changed
                    raise
            if not wait.pause(f"{self.name} to be changed no more"):
                raise Failed(
                    f"{self.name} is still being changed after {wait.seconds:.0f} s. Type the same command again."
                )


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])

"""Point a name at a load balancer, or let go of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.route53_alias import DOCUMENTATION
from plugins.plugin_utils.account.dns import ADDRESS_TYPES, is_alias_of, points_at, records_at, shown
from plugins.plugin_utils.aws_action import AwsAction, Failed

Record = dict[str, Any]


class ActionModule(AwsAction):
    """See plugins/modules/route53_alias.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Send one batch of changes, or none.

        Raises:
            Failed: O(target_zone) is missing, or there is no such zone.
        """
        wanted = self.arguments
        if wanted["state"] == "present" and not wanted["target_zone"]:
            raise Failed("target_zone is needed to point a name at a load balancer.")
        route53 = self.client("route53")
        try:
            found, _ = records_at(route53, wanted["zone"], wanted["name"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchHostedZone":
                raise
            if wanted["state"] == "absent":
                return {"changed": False, "replaced": []}
            raise Failed(f"There is no hosted zone {wanted['zone']} in this account.") from None
        now = [record for record in found if record["Type"] in ADDRESS_TYPES]
        goes = [record for record in now if self._goes(record)]
        comes = self._aliases(kept=[record for record in now if record not in goes])
        result: dict[str, Any] = {
            "changed": bool(goes or comes),
            "replaced": [shown(record)["text"] for record in goes],
        }
        if result["changed"]:
            result["undo"] = json.dumps({"Changes": _changes(comes, goes)})
            if not self.check_mode:
                batch = {"Changes": _changes(goes, comes)}
                route53.change_resource_record_sets(HostedZoneId=wanted["zone"], ChangeBatch=batch)
        if result["replaced"] and wanted["state"] == "present" and not self.check_mode:
            # Said here, in one line: a result is shown folded, and nobody could paste that.
            undo = f"--hosted-zone-id {wanted['zone']} --change-batch '{result['undo']}'"
            self.say("dns", f"to go back, type: aws route53 change-resource-record-sets {undo}")
        return result

    def _goes(self, record: Record) -> bool:
        """Whether a record is to be deleted."""
        target = self.arguments["target"]
        if self.arguments["state"] == "absent":
            return points_at(record, target)
        # Neither a CNAME that points there nor a weighted or located record can stand beside plain aliases.
        return not is_alias_of(record, target) or "SetIdentifier" in record

    def _aliases(self, kept: list[Record]) -> list[Record]:
        """The records that are to be made."""
        wanted = self.arguments
        if wanted["state"] == "absent":
            return []
        target = {
            "DNSName": wanted["target"],
            "HostedZoneId": wanted["target_zone"],
            "EvaluateTargetHealth": False,
        }
        there = {record["Type"] for record in kept}
        return [
            {"Name": wanted["name"], "Type": kind, "AliasTarget": target} for kind in ("A", "AAAA") if kind not in there
        ]


def _changes(goes: list[Record], comes: list[Record]) -> list[dict[str, Any]]:
    """A batch in which some records take the place of others."""
    deleted = [{"Action": "DELETE", "ResourceRecordSet": record} for record in goes]
    return deleted + [{"Action": "CREATE", "ResourceRecordSet": record} for record in comes]

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
        if wanted["state"] == "former":
            return self._former(route53, now)
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

    def _former(self, route53: Any, now: list[Record]) -> dict[str, Any]:
        """Bring back what a name was before it was taken over, if it still is what it became then."""
        name, changes = self.arguments["name"], json.loads(self.arguments["changes"])["Changes"]
        made = [each["ResourceRecordSet"] for each in changes if each["Action"] == "DELETE"]
        former = [each["ResourceRecordSet"] for each in changes if each["Action"] == "CREATE"]
        there, wanted = {_told(record): record for record in now}, {_told(record) for record in made}
        if not there.keys() & wanted and all(_told(record) in there for record in former):
            return {"changed": False, "replaced": []}
        # One that was an alias of the same target before the switch was left then, and is now.
        targets = {str(record["AliasTarget"]["DNSName"]) for record in made}
        beside = [each for told, each in there.items() if told not in wanted]
        if wanted - there.keys() or not all(is_alias_of(each, target) for each in beside for target in targets):
            before = "; ".join(_texts(former)) or "no record of its own"
            raise Failed(
                f"{name} is not what dns_switch.yml has made of it: {'; '.join(_texts(now)) or 'no record'}. Somebody "
                f"has changed it since, so it is left. Before the switch it was: {before}. Nothing of it was changed."
            )
        goes = [there[told] for told in sorted(wanted)]
        if not self.check_mode:
            batch = {"Changes": _changes(goes, former)}
            route53.change_resource_record_sets(HostedZoneId=self.arguments["zone"], ChangeBatch=batch)
        return {"changed": True, "replaced": _texts(goes)}

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


def _told(record: Record) -> str:
    """A record, the same however it is written."""
    return str(shown(record)["text"]).lower()


def _texts(records: list[Record]) -> list[str]:
    """Records as a person reads them."""
    return sorted(str(shown(record)["text"]) for record in records)


def _changes(goes: list[Record], comes: list[Record]) -> list[dict[str, Any]]:
    """A batch in which some records take the place of others."""
    deleted = [{"Action": "DELETE", "ResourceRecordSet": record} for record in goes]
    return deleted + [{"Action": "CREATE", "ResourceRecordSet": record} for record in comes]

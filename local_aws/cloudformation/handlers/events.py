"""Rules of EventBridge, with their targets."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Rule(Handler):
    TYPE = "AWS::Events::Rule"
    SUPPORTED = ("Description", "EventPattern", "Name", "State", "Tags", "Targets")
    """Rules of the default bus that wait for an event."""

    def create(self, context: Context, properties: Properties) -> str:
        name: str = properties.get("Name") or context.name(64)
        call(context, "events", "put_rule", **self._rule(name, properties), Tags=context.tag_list(properties) or None)
        context.created(name)
        self._aim(context, name, [], properties.get("Targets") or [])
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        call(context, "events", "put_rule", **self._rule(physical_id, new))
        self._aim(context, physical_id, old.get("Targets") or [], new.get("Targets") or [])
        arn = self.attributes(context, physical_id, new)["Arn"]
        if gone := context.untagged(old, new):
            call(context, "events", "untag_resource", ResourceARN=arn, TagKeys=gone)
        if tags := context.tag_list(new):
            call(context, "events", "tag_resource", ResourceARN=arn, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            found = call(context, "events", "list_targets_by_rule", Rule=physical_id)["Targets"]
            self._aim(context, physical_id, found, [])
            call(context, "events", "delete_rule", Name=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        place = f"{context.partition}:events:{context.region}:{context.account_id}"
        return {"Arn": f"arn:{place}:rule/{physical_id}"}

    @staticmethod
    def _rule(name: str, properties: Properties) -> dict[str, Any]:
        """What PutRule takes; what the template leaves out goes back to nothing, and to ENABLED."""
        return {
            "Name": name,
            "EventPattern": properties["EventPattern"],
            "Description": properties.get("Description", ""),
            "State": properties.get("State", "ENABLED"),
        }

    @staticmethod
    def _aim(context: Context, rule: str, old: list[Properties], new: list[Properties]) -> None:
        kept = {target["Id"] for target in new}
        if gone := [target["Id"] for target in old if target["Id"] not in kept]:
            call(context, "events", "remove_targets", Rule=rule, Ids=gone)
        if new:
            call(context, "events", "put_targets", Rule=rule, Targets=new)

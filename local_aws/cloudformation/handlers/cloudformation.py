"""CloudFormation's own types."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.handlers import Context, Handler


class WaitConditionHandle(Handler):
    """A resource that is nothing but its name."""

    TYPE = "AWS::CloudFormation::WaitConditionHandle"

    def create(self, context: Context, properties: dict[str, Any]) -> str:
        return f"https://cloudformation-waitcondition-{context.region}.s3.amazonaws.com/{context.name(128)}"

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        """It has no properties: only the stack's tags can have changed, and it bears none."""

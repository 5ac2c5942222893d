"""Time to live: DynamoDB refuses to expire by another attribute, or to do again what is so already; moto takes it all.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html
"""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import DynamoDBBackend

from local_aws.patches._moto import AwsError, around


@around(DynamoDBBackend, "update_time_to_live")
def _update(update: Any, self: Any, table_name: str, ttl_spec: dict[str, Any]) -> None:
    now = self.get_table(table_name).ttl
    enabled = now["TimeToLiveStatus"] == "ENABLED"
    if enabled and ttl_spec["AttributeName"] != now["AttributeName"]:
        current = f"current AttributeName is {now['AttributeName']}"
        raise AwsError("ValidationException", f"TimeToLive is active on a different AttributeName: {current}")
    if enabled == ttl_spec["Enabled"]:
        raise AwsError("ValidationException", f"TimeToLive is already {'enabled' if enabled else 'disabled'}")
    update(self, table_name, ttl_spec)
    if not ttl_spec["Enabled"]:
        del now["AttributeName"]

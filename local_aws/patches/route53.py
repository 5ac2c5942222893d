"""A hosted zone that is there from the start: its id stands in the local inventories."""

from __future__ import annotations

from typing import Any

from moto.route53.models import Route53Backend

from local_aws.config import ACCOUNT_ID
from local_aws.patches._moto import around

ZONE_ID = "Z0BERTHLOCALZONE"
ZONE_NAME = "berth.localhost."
"""`localhost` and all below it is this machine for every browser (RFC 6761, 6.3)."""


@around(Route53Backend, "__init__")
def _init(init: Any, self: Any, region_name: str, account_id: str) -> None:
    init(self, region_name, account_id)
    if account_id == ACCOUNT_ID and region_name == "aws":
        zone = self.create_hosted_zone(ZONE_NAME, private_zone=False, comment="Made by the embedded AWS")
        del self.zones[zone.resource_id]
        zone.resource_id = ZONE_ID
        self.zones[ZONE_ID] = zone

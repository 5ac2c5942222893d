"""A plan with something of everything in it, and a secret that nobody may see."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.plan.model import (
    CHANGE,
    CREATE,
    DELETE,
    UNKNOWN,
    Container,
    Resource,
    SitePlan,
    StackChange,
    Value,
)

AWKWARD = "a|b \\| `c` <b>d</b> *e* _f_ [g](h) @owner {{ i }} # &amp; $x^2$"
"""A value with all that Markdown may take for its own."""
DATABASE = Resource(
    "Database", "AWS::RDS::DBInstance", "Modify", "True", ("DBName", "Tags"), ("DBName",), True, "shop-db-1"
)
LOSS: dict[str, Any] = {
    "layer": "database.main",
    "resource": "Database",
    "type": "AWS::RDS::DBInstance",
    "physical_id": "shop-db-1",
    "how": "would be replaced, because of DBName",
    "named": False,
}


def full() -> SitePlan:
    """A plan of six stacks."""
    bucket = Resource("Bucket", "AWS::S3::Bucket", "Add", holds_data=True)
    revision = Resource(
        "TaskDefinition", "AWS::ECS::TaskDefinition", "Modify", "True", ("Cpu",), ("Cpu",), physical_id="arn:web:1"
    )
    values = (Value("environment.COLOR", "", AWKWARD), Value("memory", "64", "96"))
    containers = [Container("TaskDefinition", "web", CHANGE, values), Container("TaskDefinition", "old", DELETE)]
    stacks = [
        StackChange("network", "shop-live-network"),
        StackChange("bucket.new", "shop-live-bucket-new", CREATE, resources=[bucket]),
        StackChange("database.main", "shop-live-database-main", CHANGE, [Value("Class", "a", "b")], [DATABASE]),
        StackChange("service.web", "shop-live-service-web", CHANGE, [], [revision], containers),
        StackChange("volume.old", "shop-live-volume-old", DELETE, notes=["the inventory has it no longer"]),
        StackChange("dns", "shop-live-dns", UNKNOWN, notes=["gets Zone, known only after the layers before"]),
    ]
    plan = SitePlan("shop", "live", stacks, [LOSS])
    plan.images, plan.jobs, plan.domain = ["shop/web:2 would be published"], ["migrate"], ["www.shop.test would point"]
    plan.foreign, plan.gaps, plan.notes = ["volume.media: fs-1 exists"], ["web: /a answers 503"], [AWKWARD]
    return plan

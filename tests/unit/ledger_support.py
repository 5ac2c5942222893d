"""An environment with a ledger, and perhaps a host, in the embedded AWS."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from local_aws.cloud import Cloud
from plugins.plugin_utils.ledger import Ledger

PROJECT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count(1)


def a_ledger(cloud: Cloud) -> tuple[str, Ledger]:
    """The prefix of an environment of its own, as moto knows the buckets of earlier tests still; and its ledger."""
    prefix, cloudformation = f"shop-live{next(_NUMBERS)}", cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"{prefix}-ledger", TemplateBody=(PROJECT / "cloudformation/ledger.yml").read_text()
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=f"{prefix}-ledger", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )

    def client(service: str) -> Any:
        return cloud.client(service)

    ledger = Ledger.find(client, prefix)
    assert ledger
    return prefix, ledger


def a_host(cloud: Cloud, prefix: str) -> None:
    """A host of an environment, as far as its discovery sees one."""
    tags = dict(zip(("Site", "Environment"), prefix.split("-", 1), strict=True))
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    cloud.client("ec2").run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
    )  # fmt: skip

"""Jobs and services as their roles make them: what leads them to other data is refused before the first change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.late_support import LateAws
from local_aws.tests.stack_support import Stacks
from plugins.action import cloudformation_stacks
from tests.unit.noun_support import Deployed, made
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.action.test_noun_service_stacks import CLUSTER, without_hosts
from tests.unit.plugins.test_plugins_late import ALL

GROUND = ("database", "bucket", "secret")
TASKS = ("job", "service")
CONTAINER = {
    "image": "registry.test/some:1",
    "mem_limit": "64m",
    "environment": {"DB_HOST": {"from": "database.main.host"}, "STORE": {"from": "bucket.uploads.name"}},
    "secrets": {"SECRET_KEY": "secret.django.secret_key"},
}
OUTSIDE: dict[str, Any] = {
    "site_databases": {"main": {"endpoint": "db.example.net"}},
    "site_buckets": {"uploads": {"name": "acme-uploads"}},
}
OURS: dict[str, Any] = {
    "site_databases": {"main": {}},
    "site_buckets": {"uploads": {}},
    "site_secrets": {"django": {"generate": ["secret_key"]}},
}


class Site:
    """A site whose service and job lead to the same data."""

    def __init__(self, deployed: Deployed) -> None:
        self.deployed = deployed

    def run(self, given: dict[str, Any], check: bool = False, remove: tuple[str, ...] = ()) -> dict[str, Any]:
        """Both calls of `site`; the first one's result if that fails."""
        layers = made(
            {
                "site_services": {"some": {"containers": {"some": CONTAINER}}},
                "site_jobs": {"migrate": {**CONTAINER, "command": ["migrate"], "run": "by_hand"}},
                **given,
            },
            GROUND + TASKS,
        )
        later = {name: layer for name, layer in layers.items() if name.startswith(TASKS)}
        call = {"prefix": "shop-unit", "remove": list(remove), "outputs": self.deployed.outputs}
        base = {name: layer for name, layer in layers.items() if name not in later}
        first = run_action(cloudformation_stacks, {**call, "stacks": base, "later": later}, check)
        if first.get("failed") or check:
            return first
        call["outputs"] = {**self.deployed.outputs, **first["outputs"]}
        return run_action(cloudformation_stacks, {**call, "stacks": later})

    def stacks(self) -> set[str]:
        """Every stack, with the time of its last change."""
        found = self.deployed.aws.client("cloudformation").describe_stacks()["Stacks"]
        return {f"{each['StackName']} {each.get('LastUpdatedTime', each['CreationTime'])}" for each in found}

    def lead(self, stack: str) -> dict[str, str]:
        """Variable → what stands there, in the task definition of a stack."""
        task = self.deployed.stacks.physical(f"shop-unit-{stack}")["TaskDefinition"]
        found = self.deployed.aws.client("ecs").describe_task_definition(taskDefinition=task)["taskDefinition"]
        (container,) = found["containerDefinitions"]
        return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["environment"]} | {
            each["name"]: each["valueFrom"] for each in container["secrets"]
        }


@pytest.fixture
def site(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Site:
    talk_to(aws, monkeypatch)
    without_hosts(monkeypatch)
    deployed = Deployed(aws, stacks)
    stacks.made("shop-unit-cluster", CLUSTER, {"SubnetIds": deployed.outputs["PrivateSubnetIds"]})
    deployed.outputs |= stacks.outputs("shop-unit-cluster")
    return Site(deployed)


def test_data_outside_that_is_dropped_is_refused_and_nothing_is_made(site: Site) -> None:
    secret = site.deployed.aws.client("secretsmanager").create_secret(Name="old/key", SecretString="{}")["ARN"]
    outside = {**OUTSIDE, "site_secrets": {"django": {"secret_arn": secret, "keys": ["secret_key"]}}}
    first = site.run(outside)
    assert not first.get("failed"), first
    before, lead = site.stacks(), site.lead("service-some")
    assert (lead["DB_HOST"], lead["STORE"]) == ("db.example.net", "acme-uploads")
    assert lead["SECRET_KEY"].startswith(secret)

    named = ("db.example.net", "acme-uploads", secret)
    for refused in (site.run(OURS), site.run(OURS, remove=named[:2]), site.run(OURS, remove=named[1:])):
        assert refused["failed"]
        assert refused["msg"].startswith("Nothing was changed"), refused["msg"]
    for place in ("service.some.some", "job.migrate.migrate"):
        assert f"{secret}: {place}.SECRET_KEY points at it now, and would point at another one" in site.run(OURS)["msg"]
    assert site.run(OURS)["msg"].endswith(f"site_remove: [{', '.join(named)}]")
    checked = site.run(OURS, check=True)
    assert checked["failed"], "a check run as well"
    assert checked["refusal"].endswith(f"site_remove: [{', '.join(named)}]")
    assert site.stacks() == before, "no database, no bucket, no secret"

    # The same secret, its ARN without the end that Secrets Manager puts to the name.
    short = {**outside, "site_secrets": {"django": {"secret_arn": secret[:-7], "keys": ["secret_key"]}}}
    for given, changed in ((outside, False), (short, True), (outside, True)):
        again = site.run(given)
        assert not again.get("failed"), again
        assert again["changed"] == changed

    allowed = site.run(OURS, remove=named)
    assert not allowed.get("failed"), allowed
    lead = site.lead("service-some")
    assert lead["DB_HOST"].startswith("shop-unit-database-main-database-")
    assert lead["STORE"] == site.deployed.stacks.physical("shop-unit-bucket-uploads")["Bucket"]
    assert "shop-unit/secret/django" in lead["SECRET_KEY"]
    assert site.lead("job-migrate") == lead

    # And back: what Berth has made holds data by now.
    refused = site.run(outside)
    assert refused["failed"]
    for physical_id in (lead["DB_HOST"].split(".")[0], lead["STORE"], lead["SECRET_KEY"].split(":secret_key")[0]):
        assert f"{physical_id}: service.some" in refused["msg"]


def test_a_job_that_is_led_elsewhere_is_refused_though_all_is_shown_late(
    late_aws: Callable[..., LateAws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_POLL_SECONDS", "0.5")
    late = late_aws(seed=3, **ALL)

    def run(parameter: str, *named: str) -> dict[str, Any]:
        container = {"image": "registry.test/some:1", "mem_limit": "64m", "secrets": {"KEY": parameter}}
        job = {**container, "command": ["migrate"], "run": "by_hand"}
        given = {
            "prefix": "shop-unit",
            "stacks": made({"site_jobs": {"migrate": job}}, ("job",)),
            "outputs": {"ClusterName": "shop-unit", "CapacityProviderName": "hosts"},
            "remove": list(named),
        }
        return run_action(
            cloudformation_stacks, given, client=lambda service, _region=None: late.client(service, attempts=8)
        )

    assert not run("/shop/one").get("failed")
    refused = run("/shop/two")
    assert refused["failed"]
    assert "/shop/one: job.migrate.migrate.KEY points at it now, and would point at /shop/two" in refused["msg"]
    assert refused["msg"].endswith("site_remove: [/shop/one]")
    assert not run("/shop/two", "/shop/one").get("failed")

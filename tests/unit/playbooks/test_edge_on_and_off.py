"""A site with a CDN, by its verbs: led through it and closed behind it, again, with another secret, past it, down.

Services need hosts, which there are none here, so their layer is left out; what its template becomes is looked at by
itself (tests/unit/cloudformation/test_templates.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.patches.route53 import ZONE_ID
from tests.unit.playbooks.test_given_vpc import Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers
from tests.unit.render_support import PROJECT
from tests.unit.variables_support import flat

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

NAME = "shop.berth.localhost"
EDGE: dict[str, Any] = {"default": "web", "routes": {"/static/*": "static.front"}, "cache": {"/media/*": "1d"}}


def loaded(path: str) -> Any:
    return yaml.safe_load((PROJECT / path).read_text())


def verb(folder: Path) -> None:
    """Write `edged.yml`: the playbooks of `site` that concern a CDN, without services; and `half.yml`, interrupted."""
    ground = yaml.safe_load((folder / "ground.yml").read_text())
    (services,) = loaded("playbooks/services.yml")
    brought = {task.get("register"): task for task in flat(loaded("playbooks/tasks/services.yml"))}
    brought["services_made"]["cloudformation_stacks"]["layers"] = ["dns"]
    cdn, settle = loaded("playbooks/tasks/edge.yml")
    (condition,) = [
        task["when"] for task in flat([services]) if "services.yml" in str(task.get("ansible.builtin.include_tasks"))
    ]
    _, names, by_hand, closing = loaded("playbooks/tasks/edge_settle.yml")
    wait, close, *_ = closing["block"]
    close["cloudformation_stacks"]["layers"] = ["network", "waf"]
    steps = [names, by_hand, closing | {"block": [wait, close]}]
    settling = {"name": "Settle it", "when": settle["when"], "vars": settle["vars"], "block": steps}
    # The verb lies higher than the playbooks that they are of.
    services["vars_files"] = ["roles/publish/vars/main.yml", "roles/rollout/vars/main.yml", "playbooks/vars/layers.yml"]
    services["vars"] |= {"publish_live": {"jobs": {}}, "publish_select": "live"}
    domain = {"name": "Point the domain at it", "ansible.builtin.import_playbook": "playbooks/domain.yml"}
    for name, tasks in (("half", []), ("edged", [settling])):
        block = {"name": "Bring it up", "when": condition, "block": [brought["services_made"], cdn, *tasks]}
        plays = [*ground, services | {"tasks": [block]}, *([domain] if tasks else [])]
        (folder / f"{name}.yml").write_text(yaml.safe_dump(plays))


@pytest.fixture
def site(tmp_path: Path, aws: Cloud) -> Site:
    made = Site(tmp_path, aws)
    built = made.inventory.parent / "front"
    built.mkdir()
    (built / "index.html").write_text("<p>")
    verb(tmp_path)
    return made


def described(site: Site, edge: dict[str, Any], **more: Any) -> None:
    web = {"image": "registry.test/web:1", "mem_limit": "64m", "ports": ["80"]}
    service = {"containers": {"web": web}, "routes": [{"to": "web"}]}
    nouns = {"site_services": {"web": service}, "site_volumes": {}, "site_databases": {}}
    static = {"front": {"folder": "front"}}
    site.describe(**nouns, site_static=static, site_edge=edge, edge_dns_seconds=0, **more)


def let_in(aws: Cloud, region: str) -> set[tuple[int, str]]:
    """Port and source of each rule of the load balancer's security group."""
    (group,) = [
        each
        for each in aws.client("ec2", region).describe_security_groups()["SecurityGroups"]
        if each["Description"] == "Load balancer of the site"
    ]
    return {
        (each["FromPort"], source.get("CidrIp", source.get("PrefixListId", "")))
        for each in group["IpPermissions"]
        for source in [*each["IpRanges"], *each["PrefixListIds"]]
    }


def led_to(aws: Cloud) -> set[str]:
    """What the site's names are aliases of."""
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=ZONE_ID)["ResourceRecordSets"]
    return {
        each["AliasTarget"]["DNSName"].rstrip(".")
        for each in records
        if each["Name"] == f"{NAME}." and "AliasTarget" in each
    }


def distributions(aws: Cloud) -> list[dict[str, Any]]:
    return list(aws.client("cloudfront").list_distributions()["DistributionList"].get("Items", []))


def secrets(aws: Cloud, region: str) -> dict[str, str]:
    """End of the name of each secret header → its value."""
    client = aws.client("secretsmanager", region)
    names = [each["Name"] for each in client.list_secrets()["SecretList"]]
    return {
        name.removeprefix("shop-live-edge-header-"): client.get_secret_value(SecretId=name)["SecretString"]
        for name in names
    }


def sent(aws: Cloud) -> str:
    """The secret header that the CDN sends to the load balancer."""
    (one,) = distributions(aws)
    found = aws.client("cloudfront").get_distribution_config(Id=one["Id"])["DistributionConfig"]
    (alb,) = [each for each in found["Origins"]["Items"] if each["Id"] == "alb"]
    (header,) = alb["CustomHeaders"]["Items"]
    assert header["HeaderName"] == "X-Berth-Edge"
    return str(header["HeaderValue"])


WORLD = {(443, "0.0.0.0/0"), (80, "0.0.0.0/0")}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_cdn_comes_before_a_live_site_and_goes(site: Site, aws: Cloud, region: str) -> None:
    own = site.inventory / "environment.yml"
    own.write_text(own.read_text().replace("us-east-1", region))
    site.aws = aws

    def stacks(where: str = region) -> set[str]:
        found = aws.client("cloudformation", where).describe_stacks()["Stacks"]
        return {each["StackName"] for each in found}

    # A site without one.
    described(site, {})
    site.does("edged.yml")
    balancer = led_to(aws)
    assert len(balancer) == 1
    assert let_in(aws, region) == WORLD
    assert changed(site.does("edged.yml")) == "0"

    # Made beside it; the names are led there, and then the load balancer is closed.
    described(site, EDGE)
    assert "+ stack shop-live-edge" in site.does("site.yml", "--check", "--diff")
    assert distributions(aws) == []
    site.does("edged.yml")
    (cdn,) = distributions(aws)
    assert cdn["Aliases"]["Items"] == [NAME]
    assert led_to(aws) == {cdn["DomainName"]}
    ((port, source),) = let_in(aws, region)
    assert (port, source[:3]) == (443, "pl-")
    assert sent(aws) == secrets(aws, region)["1"]
    assert ("shop-live-edge-certificate" in stacks("us-east-1")) is (region != "us-east-1")
    policy = aws.client("s3", region).get_bucket_policy(Bucket=bucket(aws, region))["Policy"]
    assert "cloudfront.amazonaws.com" in policy
    assert changed(site.does("edged.yml")) == "0"

    # Another secret header: rules take both while the CDN changes over.
    described(site, EDGE | {"header": 2})
    before = secrets(aws, region)
    site.does("edged.yml")
    assert secrets(aws, region)["1"] == before["1"]
    assert sent(aws) == secrets(aws, region)["2"] != before["1"]
    assert outputs(aws, region)["EdgeHeadersAsked"] == "2,1"
    assert changed(site.does("edged.yml")) == "0"

    # Past it again.
    described(site, {})
    said = site.does("edged.yml")
    assert led_to(aws) == balancer
    assert let_in(aws, region) == WORLD
    assert distributions(aws) == []
    assert "shop-live-edge-certificate" not in stacks("us-east-1")
    assert secrets(aws, region) == {}
    assert "cloudfront" not in aws.client("s3", region).get_bucket_policy(Bucket=bucket(aws, region))["Policy"]
    assert not any(secret in said for secret in before.values())
    assert changed(site.does("edged.yml")) == "0"

    # And a teardown takes all of it.
    described(site, EDGE)
    site.does("edged.yml")
    site.does("teardown.yml", "-e", "confirm=live", "-e", "teardown_data=true")
    assert stacks() == set()
    assert stacks("us-east-1") == set()
    assert distributions(aws) == []
    assert led_to(aws) == set()


def bucket(aws: Cloud, region: str) -> str:
    (name,) = [
        each["Name"] for each in aws.client("s3", region).list_buckets()["Buckets"] if "-static-" in each["Name"]
    ]
    return str(name)


def outputs(aws: Cloud, region: str) -> dict[str, str]:
    (found,) = aws.client("cloudformation", region).describe_stacks(StackName="shop-live-network")["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def test_what_was_interrupted_is_gone_on_with_and_closes_nothing_before_names_are_led(site: Site, aws: Cloud) -> None:
    """Each step alone is a state in which a run may have ended."""
    region = "us-east-1"
    described(site, EDGE)
    site.does("half.yml")
    (cdn,) = distributions(aws)
    assert led_to(aws) != {cdn["DomainName"]}, "the site was not seen to work through it yet"
    assert let_in(aws, region) == WORLD
    site.does("edged.yml")
    assert led_to(aws) == {cdn["DomainName"]}
    assert WORLD & let_in(aws, region) == set()
    # Opened first, names led next; until the last step the CDN answers who still comes to it.
    described(site, {})
    site.does("half.yml")
    assert led_to(aws) == {cdn["DomainName"]}
    assert let_in(aws, region) == WORLD
    assert [each["Id"] for each in distributions(aws)] == [cdn["Id"]]
    assert secrets(aws, region).keys() == {"1"}
    site.does("edged.yml")
    assert distributions(aws) == []

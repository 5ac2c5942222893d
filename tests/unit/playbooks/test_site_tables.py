"""A site with a table, by its verbs: from nothing, again, changed, refused, let go of and taken down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.playbooks.test_given_vpc import TAGS, Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers
from tests.unit.vpc_support import landing

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

STACK = "shop-live-table-items"
KEYS: dict[str, Any] = {"partition_key": "id", "sort_key": {"name": "at", "type": "number"}, "ttl": "gone"}
OWNER = {"by_owner": {"partition_key": "owner"}}
STATE = {"by_state": {"partition_key": "state", "projection": ["title"]}}


def described(site: Site, tables: dict[str, Any], **more: Any) -> None:
    """Write a site of one service, which reads and writes the table `items` if it has one."""
    web: dict[str, Any] = {"image": "registry.test/web:1", "mem_limit": "64m", "ports": ["80"]}
    service: dict[str, Any] = {"containers": {"web": web}, "routes": [{"to": "web"}]}
    if "items" in tables:
        web["environment"] = {"ITEMS": {"from": "table.items.name"}}
        service["uses"] = {"table.items": ["read", "write"]}
    nouns = {"site_services": {"web": service}, "site_volumes": {}, "site_databases": {}, "site_tables": tables}
    site.describe(**nouns, **more)


def refused(site: Site, *options: str) -> str:
    """What a run of the ground says that must be refused."""
    done = site.run("ground.yml", *options)
    assert done.returncode != 0, done.stdout
    return " ".join(done.stdout.split())


LET_GO: dict[str, Any] = {
    "name": "Let go of what the inventory has no longer",
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Let go",
            "cloudformation_stacks": {
                "prefix": "{{ site_prefix }}",
                "tags": "{{ site_tags }}",
                "layers": [],
                "gone": "{{ site.removed }}",
                "remove": "{{ site_remove }}",
                "outputs": "{{ site.outputs }}",
            },
        }
    ],
}
"""What playbooks/services.yml does once no service uses it any more; services need hosts, which there are none here."""


@pytest.fixture
def site(tmp_path: Path, aws: Cloud) -> Site:
    made = Site(tmp_path, aws)
    ground = yaml.safe_load((tmp_path / "ground.yml").read_text())
    (tmp_path / "let_go.yml").write_text(yaml.safe_dump([*ground, LET_GO]))
    return made


def test_a_table_from_nothing_to_nothing(site: Site, aws: Cloud) -> None:
    dynamodb = aws.client("dynamodb")
    described(site, {"items": KEYS})
    looked = site.does("ground.yml", "--check", "--diff")
    assert f"+ stack {STACK}" in looked
    assert "+ network.DynamoDbEndpoint (AWS::EC2::VPCEndpoint)" in looked
    assert dynamodb.list_tables()["TableNames"] == []

    site.does("ground.yml")
    (name,) = dynamodb.list_tables()["TableNames"]
    made = dynamodb.describe_table(TableName=name)["Table"]
    assert made["DeletionProtectionEnabled"] is True
    tags = {each["Key"]: each["Value"] for each in dynamodb.list_tags_of_resource(ResourceArn=made["TableArn"])["Tags"]}
    assert tags.items() >= TAGS.items()
    services = {each["ServiceName"] for each in aws.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]}
    assert services == {"com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb"}
    assert changed(site.does("ground.yml")) == "0"
    dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}, "at": {"N": "1"}})

    # What a table that is up takes, and what not: said before anything is changed.
    described(site, {"items": KEYS | {"global_secondary_indexes": OWNER | STATE}})
    said = refused(site)
    assert "site_tables.items.global_secondary_indexes" in said
    assert "by by_owner, by_state, and DynamoDB makes or removes one index at a time" in said
    described(site, {"items": KEYS | {"global_secondary_indexes": OWNER}})
    assert changed(site.does("ground.yml", "--check", "--diff")) == "1"
    assert changed(site.does("ground.yml")) == "1"
    described(site, {"items": KEYS | {"partition_key": "name", "global_secondary_indexes": OWNER}})
    assert "KeySchema" in refused(site)
    said = refused(site, "--check", "--diff")
    assert f"site_remove: [{name}]" in said
    assert dynamodb.list_tables()["TableNames"] == [name]

    # The entry goes only if it is named; the table stays.
    described(site, {})
    said = refused(site)
    assert f"{name} would go out of sight, as the inventory has no table.items any more" in said
    assert "site_remove: [table.items]" in said
    described(site, {}, site_remove=["table.items"])
    site.does("let_go.yml")
    assert STACK not in site.stacks()
    assert dynamodb.get_item(TableName=name, Key={"id": {"S": "1"}, "at": {"N": "1"}})["Item"]

    # And is used again by its name.
    described(site, {"items": {"name": "acme-none"}})
    assert "the account has no table acme-none in this region" in refused(site)
    described(site, {"items": {"name": name}})
    site.does("ground.yml")
    assert STACK not in site.stacks()

    stays = site.does("teardown.yml", "-e", "confirm=live")
    assert f"the table {name}; to use it again, write name: {name} and nothing else" in " ".join(stays.split())
    assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"] is True
    site.does("teardown.yml", "-e", "confirm=live", "-e", "teardown_data=true")
    assert dynamodb.list_tables()["TableNames"] == []
    assert site.stacks() == set()


def test_in_a_vpc_that_exists_there_is_no_endpoint_and_a_teardown_of_all_data_takes_the_table(
    site: Site, aws: Cloud
) -> None:
    dynamodb = aws.client("dynamodb")
    described(site, {"items": {"partition_key": "id"}}, **landing(aws).variables)
    site.does("ground.yml")
    (name,) = dynamodb.list_tables()["TableNames"]
    assert aws.client("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []
    assert f"the table {name}" in " ".join(site.does("teardown.yml", "--check").split())
    assert dynamodb.list_tables()["TableNames"] == [name]
    site.does("teardown.yml", "-e", "confirm=live", "-e", "teardown_data=true")
    assert dynamodb.list_tables()["TableNames"] == []
    assert site.stacks() == set()

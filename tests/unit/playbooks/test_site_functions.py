"""A site with functions, by its verbs: from nothing, again, changed, refused, taken down; and called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.tests.function_support import Asked, runner
from tests.unit.playbooks.test_given_vpc import TAGS, Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers
from tests.unit.render_support import PROJECT

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

FUNCTIONS = ("items", "other")


def described(site: Site, items: dict[str, Any], **more: Any) -> None:
    """Write a site of one service and two functions, of which `items` has these keys besides."""
    web: dict[str, Any] = {"image": "registry.test/web:1", "mem_limit": "64m", "ports": ["80"]}
    web |= {"environment": {"ITEMS": {"from": "function.items.url"}}}
    service = {"containers": {"web": web}, "routes": [{"to": "web"}], "uses": {"function.items": "invoke"}}
    functions = {
        name: {"code": f"functions/{name}", "handler": "app.handler", "runtime": "python3.13", "routes": "$default"}
        for name in FUNCTIONS
    }
    functions["items"] |= {
        "routes": ["GET /items/{id}", "POST /items"], "environment": {"TABLE": {"from": "table.items.name"}},
        "secrets": {"KEY": "secret.key.value"}, "uses": {"table.items": ["read", "write"]},
    } | items  # fmt: skip
    nouns: dict[str, Any] = {"site_services": {"web": service}, "site_volumes": {}, "site_databases": {}}
    nouns |= {"site_tables": {"items": {"partition_key": "id"}}, "site_secrets": {"key": {"generate": "value"}}}
    site.describe(**{**nouns, "site_functions": functions, **more})


def code(site: Site, name: str, text: str) -> None:
    """Write what a function runs, beside the inventory."""
    folder = site.inventory.parent / "functions" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text(f"def handler(event, context):\n    return {text!r}\n")


@pytest.fixture
def site(tmp_path: Path, aws: Cloud) -> Site:
    """With a verb that ends before the services, which need hosts; there are none here."""
    made = Site(tmp_path, aws)
    (services,) = yaml.safe_load((PROJECT / "playbooks/services.yml").read_text())
    # The verb lies higher than the playbook that the play is of.
    services["vars_files"] = [f"roles/{role}/vars/main.yml" for role in ("publish", "rollout")]
    services["vars_files"] += [f"playbooks/vars/{name}.yml" for name in ("layers", "closing")]
    brought = yaml.safe_load((PROJECT / "playbooks/tasks/services.yml").read_text())
    services["tasks"] = [task for task in brought if "rollout" in str(task.get("ansible.builtin.include_role"))]
    ground = yaml.safe_load((tmp_path / "ground.yml").read_text())
    images = {"name": "Import the images", "ansible.builtin.import_playbook": "playbooks/images.yml"}
    (tmp_path / "functions.yml").write_text(yaml.safe_dump([*ground, images, services]))
    for name in FUNCTIONS:
        code(made, name, name)
    return made


def updated(aws: Cloud) -> dict[str, str]:
    """Function → when its stack was changed."""
    stacks = {each["StackName"]: each for each in aws.client("cloudformation").describe_stacks()["Stacks"]}
    found = {name: stacks[f"shop-live-function-{name}"] for name in FUNCTIONS}
    return {name: str(each.get("LastUpdatedTime", each["CreationTime"])) for name, each in found.items()}


def functions(aws: Cloud) -> dict[str, dict[str, Any]]:
    """Name of the function in the site → as Lambda describes it."""
    found = aws.client("lambda").list_functions()["Functions"]
    return {name: each for name in FUNCTIONS for each in found if f"-function-{name}-" in each["FunctionName"]}


def zips(aws: Cloud) -> list[str]:
    """What is in the bucket of code."""
    s3 = aws.client("s3")
    (bucket,) = (each["Name"] for each in s3.list_buckets()["Buckets"] if "-code-" in each["Name"])
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def refused(site: Site) -> str:
    """What is said of a description that must be refused before anything is asked."""
    done = site.run("ground.yml")
    assert done.returncode != 0, done.stdout
    return " ".join(done.stdout.split())


def test_functions_from_nothing_to_nothing(
    site: Site, aws: Cloud, apis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described(site, {})
    looked = site.does("site.yml", "--check", "--diff")
    assert "+ stack shop-live-code" in looked
    assert site.stacks() == set()

    site.does("functions.yml")
    made = functions(aws)
    assert {name: each["Handler"] for name, each in made.items()} == dict.fromkeys(FUNCTIONS, "app.handler")
    items = made["items"]
    assert (items["MemorySize"], items["Timeout"], items["Runtime"]) == (128, 3, "python3.13")
    assert items["LoggingConfig"] == {"LogGroup": "/shop/live/function/items"}
    (table,) = aws.client("dynamodb").list_tables()["TableNames"]
    variables = items["Environment"]["Variables"]
    assert (variables["TABLE"], variables["KEY"].split(":")[5]) == (table, "secret")
    assert aws.client("lambda").list_tags(Resource=items["FunctionArn"])["Tags"].items() >= TAGS.items()
    gateway = aws.client("apigatewayv2")
    items_api = next(
        each["ApiId"] for each in gateway.get_apis()["Items"] if each["Name"] == "shop-live-function-items"
    )
    routes = {each["RouteKey"] for each in gateway.get_routes(ApiId=items_api)["Items"]}
    assert routes == {"GET /items/{id}", "POST /items"}
    (logs,) = aws.client("logs").describe_log_groups(logGroupNamePrefix="/shop/live/function/items")["logGroups"]
    assert logs["retentionInDays"] > 0
    assert len(zips(aws)) == 2
    asked = Asked(aws, apis)
    ran = runner(tmp_path, monkeypatch)
    name = f"{items_api}.execute-api.us-east-1.amazonaws.com"
    assert asked.ask(name, "/items/7").read() == b"items"
    assert asked.ask(name, "/items").read() == b'{"message":"Not Found"}'

    before = updated(aws)
    assert changed(site.does("functions.yml")) == "0"
    assert updated(aws) == before

    # Another code: that function's stack and no other.
    code(site, "items", "another")
    site.does("functions.yml")
    after = updated(aws)
    assert (after["items"] != before["items"], after["other"] == before["other"]) == (True, True)
    assert functions(aws)["items"]["CodeSha256"] != items["CodeSha256"]
    assert asked.ask(name, "/items/7").read() == b"another"
    asked.stop()
    assert len(ran) == 2
    assert len(zips(aws)) == 3, "what a rollback goes back to stays"
    assert changed(site.does("functions.yml")) == "0"

    # A variable that would lead to other data is not taken in passing.
    more = {"items": {"partition_key": "id"}, "others": {"partition_key": "id"}}
    described(site, {"environment": {"TABLE": {"from": "table.others.name"}}}, site_tables=more)
    moved = site.run("ground.yml")
    assert moved.returncode != 0
    assert f"{table}" in moved.stdout
    assert "function.TABLE" in moved.stdout

    described(site, {})
    left = site.does("teardown.yml", "-e", "confirm=live", "-e", "teardown_data=true")
    assert "AWS::Lambda::Function" in left
    assert "AWS::ApiGatewayV2::Api" in left
    assert site.stacks() == set()
    assert functions(aws) == {}
    assert gateway.get_apis()["Items"] == aws.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"routes": ["items"]}, "site_functions.items.routes[0]: is 'items', must be a method in capital letters"),
        ({"code": "functions/itmes"}, "site_functions.items.code: is functions/itmes, and there is no such folder in"),
        (
            {"handler": "main.handler"},
            "site_functions.items.handler: is main.handler, so functions/items has to have main.py",
        ),
        (
            {"runtime": "nodejs14.x"},
            "site_functions.items.runtime: is nodejs14.x, of which Lambda makes no function since",
        ),
    ],
    ids=["route", "code", "handler", "runtime"],
)
def test_what_is_wrong_is_said_before_anything_is_asked(items: dict[str, Any], said: str, site: Site) -> None:
    described(site, items)
    assert said in refused(site)
    assert site.stacks() == set()

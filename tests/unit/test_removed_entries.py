"""An entry that the inventory has no longer: shown, refused if it holds data, and deleted when it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.roles import Roles
from tests.unit.plugin_support import run_action, talk_to

pytestmark = pytest.mark.embedded

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue, DeletionPolicy: Delete}}"
BUCKET = "Resources: {Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: RetainExceptOnCreate}}"
ENTRIES: dict[str, dict[str, Any]] = {}


@pytest.fixture
def site(aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Arguments of a call for two nouns, whose entries are those of `ENTRIES`."""
    talk_to(aws, monkeypatch)
    for noun, body in {"bucket": BUCKET, "queue": QUEUE, "network": QUEUE}.items():
        (tmp_path / f"{noun}.yml").write_text(body)

    def layers(_: Roles, noun: str, templates: Path) -> Any:
        names = [noun] if noun == "network" else [f"{noun}.{entry}" for entry in ENTRIES[noun]]
        yield from ((name, {"template_body": (templates / f"{noun}.yml").read_text()}) for name in names)

    monkeypatch.setattr(Roles, "layers", layers)
    monkeypatch.setattr(Roles, "has_entries", lambda _, noun: noun != "network")
    ENTRIES.update(bucket={"uploads": {}, "old": {}}, queue={"mail": {}, "mail-old": {}})
    return {"prefix": "shop-unit", "directory": str(tmp_path), "layers": ["network", "bucket"]}


def run(site: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
    return run_action(cloudformation_stacks, {**site, "later_layers": ["queue"], **options}, check)


def deploy(site: dict[str, Any]) -> None:
    assert not run(site).get("failed")
    assert not run_action(cloudformation_stacks, {**site, "layers": ["queue"]}, False).get("failed")


def stacks(aws: Cloud) -> set[str]:
    return {stack["StackName"] for stack in aws.client("cloudformation").describe_stacks()["Stacks"]}


def test_nothing_is_removed_while_the_inventory_has_it_all(site: dict[str, Any]) -> None:
    deploy(site)
    again = run(site)
    assert (again["changed"], again["removed"], again["losses"]) == (False, [], [])


def test_what_can_be_made_again_is_shown_and_deleted(site: dict[str, Any], aws: Cloud) -> None:
    deploy(site)
    del ENTRIES["queue"]["mail-old"]
    shown = run(site, check=True)
    assert shown["changed"]
    assert "- stack shop-unit-queue-mail-old\n" in [each["prepared"] for each in shown["diff"]]
    assert shown["refusal"] == ""
    result = run(site)
    assert result["removed"] == ["queue.mail-old"]
    assert "shop-unit-queue-mail-old" in stacks(aws), "it goes in a call of its own, after those that use it"
    gone = run_action(cloudformation_stacks, {**site, "layers": ["queue"], "gone": result["removed"]}, False)
    assert not gone.get("failed"), gone
    assert gone["changed"]
    assert not gone["stacks"]["queue.mail"]["changed"]
    assert stacks(aws) == {f"shop-unit-{end}" for end in ("network", "bucket-uploads", "bucket-old", "queue-mail")}


def test_what_holds_data_is_refused_until_it_is_named(site: dict[str, Any]) -> None:
    deploy(site)
    del ENTRIES["bucket"]["old"]
    refused = run(site)
    assert refused["failed"]
    assert "bucket.old.Bucket (AWS::S3::Bucket) shop-unit-bucket-old-bucket" in refused["msg"]
    assert "as the inventory has no bucket.old any more" in refused["msg"]
    assert "site_remove: [bucket.old]" in refused["msg"]
    assert "A run would be refused" not in run(site, check=True, remove=["bucket.old"])["refusal"]
    assert run(site, check=True)["refusal"]
    allowed = run(site, remove=["bucket.old"])
    assert not allowed.get("failed")
    assert allowed["removed"] == ["bucket.old"]


def test_another_sites_stack_is_not_looked_at(site: dict[str, Any], aws: Cloud) -> None:
    aws.client("cloudformation").create_stack(StackName="shop-unit2-queue-mail", TemplateBody=QUEUE)
    deploy(site)
    assert run(site)["removed"] == []


def test_entries_that_are_not_there_are_none_to_delete(site: dict[str, Any], aws: Cloud) -> None:
    """Two nouns whose templates give an output of the same name, and no stack of either."""
    arguments = {**site, "layers": ["network", "bucket", "queue"], "state": "absent", "unprotect": True}
    for noun in ("bucket", "queue"):
        path = Path(site["directory"], f"{noun}.yml")
        path.write_text(path.read_text() + "\nOutputs: {Name: {Value: x}}\n")
    result = run_action(cloudformation_stacks, arguments, False)
    assert not result.get("failed"), result
    assert list(result["stacks"]) == ["network"]
    deploy(site)
    result = run_action(cloudformation_stacks, arguments, False)
    assert not result.get("failed"), result
    assert stacks(aws) == set()

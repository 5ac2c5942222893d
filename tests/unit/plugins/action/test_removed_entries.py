"""An entry that the inventory has no longer: shown, refused if it holds data, and deleted when it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.roles import Roles
from tests.unit.noun_support import RolesOf
from tests.unit.plugin_support import run_action, talk_to

pytestmark = pytest.mark.embedded

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue, DeletionPolicy: Delete}}"
BUCKET = "Resources: {Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: RetainExceptOnCreate}}"
BUILT = "Resources: {Files: {Type: AWS::S3::Bucket, Metadata: {'Berth::Content': built}}}"
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
    monkeypatch.setattr(Roles, "is_absent", lambda *_: False)
    monkeypatch.setattr(Roles, "region", lambda *_: None)
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
    assert run(site)["complete"]
    del ENTRIES["queue"]["mail-old"]
    shown = run(site, check=True)
    assert shown["changed"]
    assert "- stack shop-unit-queue-mail-old\n" in [each["prepared"] for each in shown["diff"]]
    assert shown["refusal"] == ""
    result = run(site)
    assert result["removed"] == ["queue.mail-old"]
    assert not result["complete"], "the later call has to let it go"
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


def test_what_is_built_goes_without_being_named(site: dict[str, Any], aws: Cloud) -> None:
    Path(site["directory"], "bucket.yml").write_text(BUILT)
    deploy(site)
    s3 = aws.client("s3")
    (bucket,) = (each["Name"] for each in s3.list_buckets()["Buckets"] if "bucket-old" in each["Name"])
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    del ENTRIES["bucket"]["old"]
    result = run(site)
    assert (result["losses"], result["removed"]) == ([], ["bucket.old"])
    gone = run_action(cloudformation_stacks, {**site, "layers": ["queue"], "gone": result["removed"]}, False)
    assert not gone.get("failed"), gone
    assert [each["Name"] for each in s3.list_buckets()["Buckets"] if "bucket-old" in each["Name"]] == []


@pytest.mark.parametrize(
    ("name", "tags", "removed"),
    [
        ("shop-unit2-queue-mail", {}, []),
        # The queue `mail` of a site called shop-unit-queue, in its environment live.
        ("shop-unit-queue-live-queue-mail", {"Site": "shop-unit-queue", "Environment": "live"}, []),
        ("shop-unit-queue-live-queue-mail", {"Site": "shop", "Environment": "unit"}, ["queue.live-queue-mail"]),
        ("shop-unit-queue-live-queue-mail", {"Owner": "them"}, ["queue.live-queue-mail"]),
    ],
)
def test_another_sites_stack_is_not_looked_at(
    site: dict[str, Any], aws: Cloud, name: str, tags: dict[str, str], removed: list[str]
) -> None:
    site["tags"] = {"Site": "shop", "Environment": "unit"}
    deploy(site)
    borne = [{"Key": key, "Value": value} for key, value in tags.items()]
    aws.client("cloudformation").create_stack(StackName=name, TemplateBody=QUEUE, Tags=borne)
    assert run(site)["removed"] == removed
    arguments = {**site, "layers": ["network", "bucket", "queue"], "state": "absent", "unprotect": True}
    gone = run_action(cloudformation_stacks, arguments, False)
    assert not gone.get("failed"), gone
    assert stacks(aws) == (set() if removed else {name})


REPOSITORY = "Resources: {Repository: {Type: AWS::ECR::Repository}}"
ADOPTED = """
Resources:
  AccessPoint:
    Type: AWS::EFS::AccessPoint
    Properties: {FileSystemId: %s}
"""


@pytest.mark.parametrize("kind", ["a repository", "a file system of somebody else's"])
def test_what_has_releases_or_leads_to_data_is_refused_too(site: dict[str, Any], aws: Cloud, kind: str) -> None:
    system = aws.client("efs").create_file_system(CreationToken="theirs")["FileSystemId"]
    body = REPOSITORY if kind == "a repository" else ADOPTED % system
    Path(site["directory"], "bucket.yml").write_text(body)
    deploy(site)
    del ENTRIES["bucket"]["old"]
    refused = run(site)
    assert refused["failed"]
    assert "would go out of sight, as the inventory has no bucket.old any more" in refused["msg"]
    assert ("and what it leads to," in refused["msg"]) is (kind != "a repository")
    assert "site_remove: [bucket.old]" in refused["msg"]
    assert run(site, remove=["bucket.old"])["removed"] == ["bucket.old"]


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


# A layer without entries


USED = {
    "ground": "Resources: {Topic: {Type: AWS::SNS::Topic}}\nOutputs: {GroundArn: {Value: !Ref Topic}}",
    "task": (
        "Parameters: {GroundArn: {Type: String, Default: none}}\n"
        "Resources: {Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub '/${GroundArn}'}}}"
    ),
}


FAR = "eu-west-1"


def of_roles(folder: Path, wanted: Any = True, when: bool = True, body: str = "", region: str = "") -> Roles:
    """Two layers, of which the second takes from the first where that is wanted."""
    state = {True: "present", False: "absent"}.get(wanted, wanted)
    for noun, text in USED.items():
        (folder / f"roles/{noun}/vars").mkdir(parents=True, exist_ok=True)
        (folder / f"{noun}.yml").write_text(body or text if noun == "ground" else text)
    told = f"ground_layer: {{state: '{state}', when: {when}{f', region: {region}' if region else ''}}}\n"
    (folder / "roles/ground/vars/main.yml").write_text(told)
    (folder / "roles/task/vars/main.yml").write_text("task_layer: {}\n")
    loader = DataLoader()
    return Roles(loader, Templar(loader), {}, folder / "roles")


def site_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, check: bool = False, arguments: Any = None, **given: Any
) -> dict[str, Any]:
    """What a call says of these layers, the second one being a later one as in `site`."""
    roles = of_roles(folder, **given)
    monkeypatch.setattr(cloudformation_stacks, "Roles", lambda *_: roles)
    layers = {"layers": ["ground"], "later_layers": ["task"]} | (arguments or {})
    return run_action(cloudformation_stacks, {"prefix": "shop-unit", "directory": str(folder), **layers}, check)


@pytest.fixture
def up(aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with both layers."""
    talk_to(aws, monkeypatch)
    result = site_of(tmp_path, monkeypatch, arguments={"layers": ["ground", "task"], "later_layers": []})
    assert not result.get("failed"), result
    assert stacks(aws) == {"shop-unit-ground", "shop-unit-task"}
    return tmp_path


def test_a_layer_that_is_wanted_or_not_due_stays(up: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    again = site_of(up, monkeypatch)
    assert (again["changed"], again["removed"]) == (False, [])
    undue = site_of(up, monkeypatch, when=False, check=True)
    assert undue["removed"] == [], "when: false says nothing about what there is"
    assert stacks(aws) == {"shop-unit-ground", "shop-unit-task"}


def test_a_layer_that_nobody_needs_is_shown_and_goes_after_those_that_used_it(
    up: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = site_of(up, monkeypatch, check=True, wanted=False)
    assert shown["changed"]
    assert "- stack shop-unit-ground\n" in [each["prepared"] for each in shown["diff"]]
    assert shown["refusal"] == ""
    first = site_of(up, monkeypatch, wanted=False)
    assert first["removed"] == ["ground"]
    assert "shop-unit-ground" in stacks(aws), "what uses it is not changed yet"
    last = {"layers": ["task"], "later_layers": [], "gone": first["removed"]}
    result = site_of(up, monkeypatch, arguments=last, wanted=False)
    assert not result.get("failed"), result
    assert [result["stacks"][name]["changed"] for name in ("task", "ground")] == [True, True]
    assert stacks(aws) == {"shop-unit-task"}
    again = site_of(up, monkeypatch, wanted=False)
    assert (again["changed"], again["removed"]) == (False, [])


def test_one_of_another_region_is_looked_for_and_goes_there(
    aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def far() -> set[str]:
        return {each["StackName"] for each in aws.client("cloudformation", FAR).describe_stacks()["Stacks"]}

    talk_to(aws, monkeypatch)
    made = site_of(tmp_path, monkeypatch, arguments={"later_layers": []}, region=FAR)
    assert not made.get("failed"), made
    assert (stacks(aws), far()) == (set(), {"shop-unit-ground"})
    needless = site_of(tmp_path, monkeypatch, arguments={"later_layers": []}, wanted=False, region=FAR)
    assert needless["removed"] == ["ground"]
    last = {"layers": ["task"], "later_layers": [], "gone": needless["removed"]}
    assert not site_of(tmp_path, monkeypatch, arguments=last, wanted=False, region=FAR).get("failed")
    assert far() == set()
    site_of(tmp_path, monkeypatch, arguments={"later_layers": []}, region=FAR)
    absent = {"layers": ["ground"], "later_layers": [], "state": "absent"}
    assert not site_of(tmp_path, monkeypatch, arguments=absent, region=FAR).get("failed")
    assert far() == set()


def test_a_region_that_is_denied_has_nothing_of_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    class Denied:
        def get_paginator(self, operation: str) -> Denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "by an organisation"}}, operation)

    action = object.__new__(cloudformation_stacks.ActionModule)
    monkeypatch.setattr(action, "client", lambda *_: Denied())
    assert list(action._pages_of_stacks(FAR)) == []
    with pytest.raises(ClientError, match="by an organisation"):
        list(action._pages_of_stacks(None))


def test_one_that_is_still_used_because_a_service_failed_stays(
    up: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.client("logs").create_log_group(logGroupName="/taken")
    wrong = {"layers": ["task"], "later_layers": [], "gone": ["ground"], "outputs": {"GroundArn": "taken"}}
    result = site_of(up, monkeypatch, arguments=wrong, wanted=False)
    assert result["failed"]
    assert "shop-unit-ground" in stacks(aws)


def test_one_that_holds_data_is_refused_until_it_is_named(up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = site_of(up, monkeypatch, body=BUCKET, arguments={"later_layers": []})
    assert not made.get("failed"), made
    refused = site_of(up, monkeypatch, wanted=False)
    assert "ground.Bucket (AWS::S3::Bucket) shop-unit-ground-bucket" in refused["msg"]
    assert "site_remove: [ground]" in refused["msg"]
    allowed = site_of(up, monkeypatch, wanted=False, arguments={"remove": ["ground"]})
    assert allowed["removed"] == ["ground"]


def test_a_stack_that_is_shown_though_it_has_gone_stops_nothing(up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DescribeStacks of all may show what was before."""
    monkeypatch.setattr(cloudformation_stacks.ActionModule, "_no_longer_wanted", lambda _: {"ground": "shop-unit-gone"})
    result = site_of(up, monkeypatch, wanted=False, arguments={"prefix": "shop-gone", "later_layers": []})
    assert (result.get("failed"), result["losses"]) == (None, [])
    gone = {"prefix": "shop-gone", "layers": [], "later_layers": [], "gone": ["ground"]}
    assert not site_of(up, monkeypatch, wanted=False, arguments=gone)["changed"]


def test_a_state_that_is_none_is_refused(up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = site_of(up, monkeypatch, wanted="gone")
    assert "ground_layer has state: gone; it is present or absent." in said["msg"]


@pytest.mark.parametrize(("expose", "absent"), [("redis", False), ("", True)])
def test_the_layer_of_exposed_services_is_absent_without_any(expose: str, absent: bool) -> None:
    service = {"containers": {"redis": {"image": "r", "mem_limit": "64m", "ports": ["6379"]}}}
    site = {"site_services": {"redis": service | ({"expose": expose} if expose else {})}}
    assert RolesOf(site).is_absent("expose") is absent


def test_of_a_part_of_the_layers_nothing_else_is_looked_at_or_called_removed(site: dict[str, Any], aws: Cloud) -> None:
    deploy(site)
    del ENTRIES["queue"]["mail-old"]
    part = {**site, "layers": ["queue"]}
    found = run_action(cloudformation_stacks, {**part, "only": ["queue.mail"]}, False)
    assert (list(found["stacks"]), found["removed"], found["changed"]) == (["queue.mail"], [], False)
    assert run_action(cloudformation_stacks, part, False)["removed"] == ["queue.mail-old"]
    assert "shop-unit-queue-mail-old" in stacks(aws)


def test_what_is_billed_is_counted_as_it_is_and_as_it_would_be(site: dict[str, Any], tmp_path: Path) -> None:
    one = "{Type: AWS::SecretsManager::Secret, DeletionPolicy: Delete, Properties: {SecretString: made}}"
    secrets = f"Resources: {{One: {one}%s}}"
    (tmp_path / "queue.yml").write_text(secrets % "")
    bare = run(site, check=True)
    assert bare["billed"] == {"before": {}, "after": {"secret": 2}}
    deploy(site)
    assert run(site, check=True)["billed"] == {"before": {"secret": 2}, "after": {"secret": 2}}
    (tmp_path / "queue.yml").write_text(secrets % f", Two: {one}")
    assert run(site, check=True)["billed"] == {"before": {"secret": 2}, "after": {"secret": 4}}
    del ENTRIES["queue"]["mail-old"]
    assert run(site, check=True, refuse=False)["billed"] == {"before": {"secret": 2}, "after": {"secret": 2}}
    part = run_action(cloudformation_stacks, {**site, "layers": ["queue"], "only": ["queue.mail"]}, True)
    assert part["billed"] == {}, "of a part nobody can tell"
    assert "billed" not in run(site), "only a plan has it"

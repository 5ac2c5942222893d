"""What holds data is neither lost nor hidden by a run: the layers themselves, deployed by our CloudFormation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from plugins.plugin_utils import stack, stack_plan
from plugins.plugin_utils.stack_events import describe
from tests.unit.noun_support import made
from tests.unit.plugin_support import PROJECT, run_action, talk_to
from tests.unit.render_support import LAYERS, STAGES

NETWORK = """
Parameters: {Cidr: {Type: String, Default: 10.9.0.0/16}, Note: {Type: String, Default: one}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.9.1.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.9.2.0/24, AvailabilityZone: us-east-1b}}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, GroupDescription: both}}
  Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Sub "/network/${Note}"}}
Outputs:
  HostSubnetIdA: {Value: !Ref A}
  HostSubnetIdB: {Value: !Ref B}
  VpcId: {Value: !Ref Vpc}
  PrivateSubnetIds: {Value: !Join [",", [!Ref A, !Ref B]]}
  HostSecurityGroupId: {Value: !Ref Group}
"""
SERVICE = """
Parameters:
  VolumeMediaFileSystemId: {Type: String}
  VolumeMediaAccessPointArn: {Type: String}
  DatabaseMainSecretArn: {Type: String}
  Days: {Type: Number, Default: 7}
Resources:
  Log:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/service/${VolumeMediaFileSystemId}", RetentionInDays: !Ref Days}
Outputs:
  ServiceLog: {Value: !Ref Log}
"""
TAKES = {
    "VolumeMediaFileSystemId": "volume.media.FileSystemId",
    "VolumeMediaAccessPointArn": "volume.media.AccessPointArn",
    "DatabaseMainSecretArn": "database.main.SecretArn",
}
STORES = ("database.main", "volume.media")


class Site:
    """A site of four layers, of which `service.web` is deployed by a later call, as in playbooks/."""

    def __init__(self, aws: Cloud, stores: dict[str, Any]) -> None:
        self.aws, self.stores = aws, stores
        self.cloudformation = aws.client("cloudformation")
        self.network: dict[str, Any] = {"template_body": NETWORK}
        self.service: dict[str, Any] = {"template_body": SERVICE, "takes": TAKES}

    def run(self, check: bool = False, remove: Any = (), refuse: bool = True, **data: Any) -> dict[str, Any]:
        """Both calls of `site`, with these parameters of what holds data; the first one's result if that fails."""
        base: dict[str, Any] = {"network": self.network}
        for name, layer in self.stores.items():
            own = {key: value for key, value in data.items() if key.lower().startswith(name.partition(".")[0])}
            base[name] = {**layer, "parameters": {**layer["parameters"], **own}}
        call: dict[str, Any] = {
            "prefix": "legacy-unit",
            "directory": str(PROJECT / "cloudformation"),
            "remove": list(remove),
        }
        call["refuse"] = refuse
        later = {"service.web": self.service}
        first = run_action(cloudformation_stacks, {**call, "stacks": base, "later": later}, check)
        if first.get("failed") or check:
            return first
        second = run_action(cloudformation_stacks, {**call, "stacks": later, "outputs": first["outputs"]}, check)
        return second | {"first": first}

    def outputs(self, layer: str = "volume-media") -> dict[str, str]:
        found = self.cloudformation.describe_stacks(StackName=f"legacy-unit-{layer}")["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def updates(self) -> int:
        """How often any of the stacks was updated."""
        names = ("network", "database-main", "volume-media", "service-web")
        events = [
            event
            for name in names
            for event in self.cloudformation.describe_stack_events(StackName=f"legacy-unit-{name}")["StackEvents"]
        ]
        return len([each for each in events if each["ResourceStatus"] == "UPDATE_IN_PROGRESS"])

    def file_system(self) -> str:
        """One that the site may adopt."""
        made = self.aws.client("efs").create_file_system(CreationToken="kept")
        return str(made["FileSystemId"])


@pytest.fixture(scope="module")
def stores() -> dict[str, Any]:
    """A database and a volume, as their roles make them."""
    given = {"site_name": "legacy", "site_databases": {"main": {}}, "site_volumes": {"media": {}}}
    return made(given, ("database", "volume"))


@pytest.fixture
def site(aws: Cloud, monkeypatch: pytest.MonkeyPatch, stores: dict[str, Any]) -> Site:
    assert set(stores) == set(STORES)
    talk_to(aws, monkeypatch)
    return Site(aws, stores)


def refused(result: dict[str, Any], *names: str) -> None:
    """The run has changed nothing, and says which resources it would have lost."""
    assert result.get("failed"), result
    assert result["msg"].startswith("Nothing was changed, as the site would lose what holds data"), result["msg"]
    assert result["msg"].endswith(f"site_remove: [{', '.join(names)}]"), result["msg"]


def test_a_dropped_file_system_is_refused_before_anything_is_touched(site: Site) -> None:
    kept = site.file_system()
    assert not site.run(VolumeFileSystemId=kept).get("failed")
    before, updates = site.outputs(), site.updates()
    assert before["FileSystemId"] == kept

    site.network = {**site.network, "parameters": {"Note": "two"}}
    result = site.run()

    refused(result, kept)
    assert "service.web.VolumeMediaFileSystemId points at it now, and would point at another one" in result["msg"]
    assert "volume.media.AccessPoint (AWS::EFS::AccessPoint)" in result["msg"]
    assert site.outputs() == before
    assert site.updates() == updates, "not even the network, which could have been changed before the data"

    checked = site.run(check=True)
    refused(checked, kept)
    assert "REPLACED" in "".join(each["prepared"] for each in checked["diff"])
    assert site.updates() == updates

    assert not site.run(VolumeFileSystemId=kept).get("failed"), "set back, with the network's change, it goes on"
    assert site.outputs() == before

    named = site.run(remove=[kept])
    assert not named.get("failed"), named
    assert site.outputs()["FileSystemId"] != kept


def test_a_stack_that_shows_only_when_it_is_to_be_made_is_looked_at_before_it_is_changed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = site.file_system()
    assert not site.run(VolumeFileSystemId=kept).get("failed")
    before, hidden = site.outputs(), ["legacy-unit-volume-media", "legacy-unit-service-web"]

    def late(client: Any, name: str) -> Any:
        if name in hidden:
            hidden.remove(name)
            return None
        return describe(client, name)

    monkeypatch.setattr(stack, "describe", late)
    result = site.run()
    assert hidden == []
    assert "volume.media: Nothing was changed, as the site would lose what holds data" in result["msg"], result
    assert "volume.media.AccessPoint (AWS::EFS::AccessPoint)" in result["msg"]
    assert site.outputs() == before


def test_a_file_system_set_on_a_live_site_hides_its_own(site: Site) -> None:
    first = site.run()
    assert not first.get("failed"), first
    own, other = site.outputs()["FileSystemId"], site.file_system()

    refused(site.run(VolumeFileSystemId=other), own)
    refused(site.run(VolumeFileSystemId=other, remove=[other]), own)
    # Its own, but no longer the stack's: it would be retained, and be nobody's.
    refused(site.run(VolumeFileSystemId=own), own)
    assert site.outputs()["FileSystemId"] == own

    assert not site.run(VolumeFileSystemId=other, remove=[own]).get("failed")
    assert site.outputs()["FileSystemId"] == other
    third = site.aws.client("efs").create_file_system(CreationToken="third")["FileSystemId"]
    refused(site.run(VolumeFileSystemId=third), other)


def test_another_owner_of_a_volume_replaces_the_access_point(site: Site) -> None:
    assert not site.run().get("failed")
    access_point = site.outputs()["AccessPointId"]
    result = site.run(VolumeUid=2000)
    refused(result, access_point)
    assert "because of RootDirectory" in result["msg"]
    assert "owner and mode of a folder that exists do not change by it" in result["msg"]
    assert not site.run(VolumeUid=2000, remove=[access_point]).get("failed")
    assert site.outputs()["AccessPointId"] != access_point


def test_a_database_is_not_replaced(site: Site) -> None:
    assert not site.run().get("failed")
    database = site.outputs("database-main")["InstanceId"]
    result = site.run(DatabaseName="other")
    refused(result, database)
    assert (
        f"{database}: database.main.Database (AWS::RDS::DBInstance) would be replaced, because of DBName"
        in result["msg"]
    )


def test_what_changes_nothing_of_the_data_goes_on(site: Site) -> None:
    assert not site.run().get("failed")
    again = site.run()
    assert not again["changed"]
    assert not again["first"]["changed"]
    site.service = {**site.service, "parameters": {"Days": 30}}
    right = site.run(DatabaseStorageGb=25, DatabaseBackupDays=14, DatabaseMultiAz=True)
    assert not right.get("failed"), right
    assert right["changed"]
    assert right["first"]["changed"]
    assert right["first"]["losses"] == []


def test_only_a_stack_that_differs_gets_a_change_set(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not site.run().get("failed")
    looked: list[str] = []
    original = stack_plan.Planner._changes

    def counted(self: Any, *arguments: Any) -> Any:
        looked.append(self._layer.name)
        return original(self, *arguments)

    monkeypatch.setattr(stack_plan.Planner, "_changes", counted)
    assert not site.run()["changed"]
    assert looked == []
    site.service = {**site.service, "parameters": {"Days": 30}}
    assert not site.run(DatabaseStorageGb=25).get("failed")
    assert looked == ["database.main"], "a stack without data has nothing to lose but what it points at"


def test_a_service_that_points_elsewhere_is_refused_though_its_giver_has_changed_already(site: Site) -> None:
    """An earlier run was interrupted, or somebody has updated the stack by hand."""
    kept = site.file_system()
    assert not site.run(VolumeFileSystemId=kept).get("failed")
    stack = "legacy-unit-volume-media"
    found = site.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    parameters = [
        {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
        for each in found["Parameters"]
        if each["ParameterKey"] != "VolumeFileSystemId"
    ]
    site.cloudformation.update_stack(
        StackName=stack,
        UsePreviousTemplate=True,
        Parameters=[*parameters, {"ParameterKey": "VolumeFileSystemId", "ParameterValue": ""}],
    )
    site.cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})

    refused(site.run(), kept)
    assert site.outputs("service-web")["ServiceLog"] == f"/service/{kept}"
    assert not site.run(remove=[kept]).get("failed")
    assert site.outputs("service-web")["ServiceLog"] == f"/service/{site.outputs()['FileSystemId']}"


def test_a_change_that_cannot_be_foretold_is_an_error(site: Site) -> None:
    assert not site.run().get("failed")
    updates = site.updates()
    site.network = {**site.network, "parameters": {"Note": "two"}}
    result = site.run(VolumeMode="rwx")
    assert result["failed"]
    assert result["msg"].startswith("volume.media: ")
    assert result["msg"].endswith("Nothing was changed.")
    assert site.updates() == updates


@pytest.mark.usefixtures("site")
def test_what_only_the_change_before_it_tells_is_refused_in_its_turn(aws: Cloud) -> None:
    """The new value of another layer's output is known when that layer is through: then there is a second look."""
    bucket = "Resources: {Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub 'unit-${Word}'}}}"
    word = (
        "Parameters: {Given: {Type: String}}\n"
        "Resources: {Log: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref Given}}}\n"
        "Outputs: {Word: {Value: !Ref Log}}"
    )

    def deploy(given: str, *names: str) -> dict[str, Any]:
        stacks = {
            "giver": {"template_body": word, "parameters": {"Given": given}},
            "store": {"template_body": f"Parameters: {{Word: {{Type: String}}}}\n{bucket}"},
        }
        return run_action(cloudformation_stacks, {"prefix": "legacy-unit", "stacks": stacks, "remove": list(names)})

    assert not deploy("one").get("failed")
    result = deploy("two")
    assert "store: Nothing was changed, as the site would lose" in result["msg"]
    assert result["msg"].endswith("site_remove: [unit-one]")
    buckets = aws.client("s3").list_buckets()["Buckets"]
    assert [each["Name"] for each in buckets] == ["unit-one"]
    assert not deploy("two", "unit-one").get("failed")


# The playbooks


def calls(path: Path) -> list[dict[str, Any]]:
    """The arguments of each call of cloudformation_stacks in a playbook, or in a file of tasks."""
    plays = yaml.safe_load(path.read_text())
    tasks = [task for play in plays for task in (play.get("tasks", []) if "hosts" in play else [play])]
    inner = [each for task in tasks for each in task.get("block", [task])]
    return [task["cloudformation_stacks"] for task in inner if "cloudformation_stacks" in task]


def test_every_step_that_deploys_asks_for_what_may_be_lost() -> None:
    folders = ("playbooks", "playbooks/tasks", "roles/rollout/tasks")
    found = [call for folder in folders for path in (PROJECT / folder).glob("*.yml") for call in calls(path)]
    assert len(found) == 15
    assert [call["remove"] for call in found] == ["{{ site_remove }}"] * 15


def test_the_first_step_looks_at_the_layers_of_the_second() -> None:
    (first,) = calls(PROJECT / "playbooks/layers.yml")
    templar = Templar(DataLoader(), {"site_stages": STAGES})
    given = [templar.template(trust_as_template(first[name])) for name in ("layers", "later_layers")]
    later = STAGES["jobs"] + STAGES["services"] + STAGES["edge"]
    assert given == [STAGES["ledger"] + STAGES["ground"], later]
    assert [*given[0], *given[1]] == LAYERS


def test_a_plan_looks_at_all_layers_as_a_run_does() -> None:
    (plan,) = calls(PROJECT / "playbooks/plan.yml")
    (first,) = calls(PROJECT / "playbooks/layers.yml")
    templar = Templar(DataLoader(), {"site_stages": STAGES})
    assert templar.template(trust_as_template(plan["layers"])) == LAYERS
    differ = {"layers", "later_layers", "refuse"}
    assert {name: plan[name] for name in plan.keys() - differ} == {name: first[name] for name in first.keys() - differ}


def test_only_a_plan_goes_on_where_a_run_would_be_refused(site: Site) -> None:
    kept = site.file_system()
    assert not site.run(VolumeFileSystemId=kept).get("failed")
    looked = site.run(check=True, refuse=False)
    assert not looked.get("failed")
    assert looked["refusal"].endswith(f"site_remove: [{kept}]")
    assert [each["physical_id"] for each in looked["losses"]]
    assert looked["changes"], "of which it makes its report"
    (plan,), (first,) = (calls(PROJECT / f"playbooks/{name}.yml") for name in ("plan", "layers"))
    assert (plan["refuse"], "refuse" in first) == (False, False)

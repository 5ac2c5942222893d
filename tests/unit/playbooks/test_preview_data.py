"""Data of an environment in a preview of it: what is refused, what is anonymised, and that nobody sees them before."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.ecs.control_plane import of
from local_aws.tests.late_support import LateAws
from plugins.plugin_utils.backups import buckets
from plugins.plugin_utils.backups.point import Points
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.restoring import raw
from plugins.plugin_utils.restoring.versions import Bucket
from tests.unit.ledger_support import a_host, a_ledger
from tests.unit.playbooks.test_locked_verbs import Site
from tests.unit.playbooks.test_restore_verb import CHOICE, PREVIEW, TASKS, known
from tests.unit.variables_support import evaluate, holds, load, refusal, tasks_of, variables

JOBS = {
    "anonymise": {"like": "web.app", "command": ["anonymise"], "run": "by_hand", "minutes": 5},
    "report": {"like": "web.app", "command": ["report"], "run": "by_hand"},
}
SITE: dict[str, Any] = {
    "site_buckets": {"up": {}}, "site_jobs": JOBS,
    "site_services": {"web": {"containers": {"app": {"image": "shop/web", "mem_limit": "64m"}}}},
}  # fmt: skip
FROM: dict[str, Any] = {**PREVIEW, "from": "test", "backup": "one", "confirm": "pr7", "site_jobs": JOBS}
FROM |= {"preview_anonymise_job": "anonymise", "restore_choice": {**CHOICE, "name": "test.one"}}
NONE: dict[str, Any] = {"parts": [], "point": "", "said": "", "typed": ""}
LEFT = {
    "parts": ["database.main"], "point": "test.one", "said": "the backup one of test",
    "typed": "-e from=test -e backup=one",
}  # fmt: skip


def refused(task: str, **typed: Any) -> str:
    return refusal(TASKS[task], known(**{**FROM, "restore_raw": NONE, **typed}))


@pytest.mark.parametrize(
    ("typed", "anonymised"),
    [
        ({}, True),
        ({"from": ""}, True),  # a backup of its own may be of before it was anonymised
        ({"confirm": ""}, False),
        ({"back": True, "backup": "", "from": ""}, False),
        ({"preview_anonymise_job": ""}, False),
        ({"preview_of": "", "environment_name": "pr7"}, False),
    ],
)
def test_a_switch_in_a_preview_is_anonymised_where_a_job_is_named(typed: dict[str, Any], anonymised: bool) -> None:
    there = known(**{**FROM, **typed})
    assert evaluate("{{ restore_anonymise }}", there) is anonymised
    for name in ("See that the job is there that anonymises", "Anonymise what was restored"):
        assert holds(TASKS[name]["when"], there) is anonymised


def test_visitors_are_kept_out_whatever_is_said_of_their_use() -> None:
    task = "Refuse to switch to what visitors may not see, while they are let in"
    page = {"on": True, "by": "", "there": True}
    assert refused(task, restore_page=page) == ""
    assert refused(task, restore_page={"on": False, "by": "", "there": False}) == "", "nobody visits it"
    for more in ({}, {"in_use": "false"}):
        said = refused(task, restore_page={**page, "on": False}, **more)
        assert said.startswith("Visitors would see what anonymise has not anonymised yet, as no maintenance page keeps")
        assert "maintenance.yml -i <inventory> -e maintenance=on; then: ansible-playbook restore.yml" in said
        assert said.endswith("-e from=test -e backup=one -e confirm=pr7")
    said = refused(task, restore_page={**page, "by": "release"})
    assert "as the maintenance page is that of release, which takes it away" in said
    assert refused(task, restore_page={**page, "on": False}, preview_anonymise_job="") == ""
    looked = TASKS["See whether visitors are kept out"]["when"]
    assert holds(looked, known(**FROM, in_use="false"))
    assert not holds(looked, known(**{**FROM, "preview_anonymise_job": ""}, in_use="false"))


def test_what_is_not_anonymised_is_gone_on_with_or_gone_back_from_and_not_put_aside() -> None:
    task = "Refuse to put aside what is not anonymised"
    assert refused(task) == ""
    assert refused(task, restore_raw=LEFT) == "", "the same again"
    assert refused(task, restore_raw=LEFT, confirm="", backup="two") == "", "beside"
    assert refused(task, restore_raw=LEFT, back=True, backup="", **{"from": ""}) == ""
    two = {"restore_choice": {**CHOICE, "name": "test.two"}}
    for wrong in ({"backup": "two", **two}, {"overwrite": "true"}, {"from": "", "backup": "one"}):
        said = refused(task, restore_raw=LEFT, **wrong)
        assert said.startswith("pr7 has database.main of the backup one of test, which anonymise has not anonymised.")
        assert "restore.yml -i <inventory> -e from=test -e backup=one -e confirm=pr7; or go back: " in said
        assert said.endswith("restore.yml -i <inventory> -e back=true -e confirm=pr7")
    assert "which no job (preview_anonymise_job) has" in refused(
        task, restore_raw=LEFT, preview_anonymise_job="", **two
    )
    assert refused(task, restore_raw={"skipped": True}, preview_of="") == ""


@pytest.mark.parametrize(
    ("path", "copied", "module", "word"),
    [
        ("restore_database", "restore_database_copy", "database_restore", "confirm"),
        ("restore_bucket", "restore_bucket_objects", "bucket_restore", "confirm"),
    ],
)
def test_it_is_written_down_after_all_is_compared_and_before_it_is_switched(
    path: str, copied: str, module: str, word: str
) -> None:
    tasks = load(f"playbooks/tasks/{path}.yml")
    steps = [
        "added" if each.get("raw_data", {}).get("state") == "added" else "beside" if "vars" in each else "switch"
        for each in tasks
        if each.get("ansible.builtin.include_tasks") == f"{copied}.yml"
        or each.get("raw_data", {}).get("state") == "added"
    ]
    assert steps == ["beside", "added", "switch"]
    (copy,) = [each[module] for each in load(f"playbooks/tasks/{copied}.yml") if module in each]
    there = known(**FROM)
    assert (evaluate(copy[word], there), evaluate(copy[word], there | {"restore_beside_only": True})) in (
        ("pr7", ""), (True, False),
    )  # fmt: skip


def test_a_volume_is_written_down_with_its_path() -> None:
    tasks = tasks_of("playbooks/tasks/restore_files.yml")
    names = list(tasks)
    task = tasks["Write down that they are not anonymised"]
    switch = next(name for name in names if "Switch to the files of then" in name)
    assert names.index("Restore the files beside") < names.index(task["name"]) < names.index(switch)
    there = known(**FROM, path="albums", restore_volume="media", restore_attempt={"path": "albums"}, ledger_bucket="")
    asked = {name: evaluate(value, there) for name, value in task["raw_data"].items()}
    assert asked == {
        "state": "added", "prefix": "shop-pr7", "bucket": "", "point": "test.one", "parts": ["volume.media albums"],
        "typed": " -e from=test -e backup=one -e path=albums",
    }  # fmt: skip
    assert evaluate(task["raw_data"]["parts"], there | {"restore_attempt": {"path": ""}}) == ["volume.media"]


@pytest.mark.parametrize(
    ("path", "done"),
    [
        ("restore_database", {"restore_done": {"beside": "site_restore"}}),
        ("restore_files", {}),
        ("restore_bucket", {"restore_objects": {"back": 0, "away": 1}}),
    ],
)
def test_it_is_written_down_in_a_preview_with_a_job_and_let_go_of_on_the_way_back(
    path: str, done: dict[str, Any]
) -> None:
    written = [each for each in load(f"playbooks/tasks/{path}.yml") if "raw_data" in each]
    assert [each["raw_data"]["state"] for each in written] == ["added", "removed"]
    back: dict[str, Any] = {"back": True, "backup": "", "from": ""}
    whole: list[tuple[dict[str, Any], list[bool]]] = [
        ({}, [True, False]),
        ({"confirm": ""}, [False, False]),
        ({"preview_anonymise_job": ""}, [False, False]),
        (back, [False, True]),
        ({**back, "preview_of": ""}, [False, False]),
    ]
    for typed, wanted in whole:
        there = known(**{**FROM, **done, **typed})
        assert [holds(each["when"], there) for each in written] == wanted, typed


@pytest.mark.parametrize(
    ("path", "done"),
    [
        ("restore_database", {"restore_done": {"beside": ""}}),
        ("restore_bucket", {"restore_objects": {"back": 0, "away": 0}}),
    ],
)
def test_what_comes_not_anew_is_not_written_down_again(path: str, done: dict[str, Any]) -> None:
    (added,) = [
        each for each in load(f"playbooks/tasks/{path}.yml") if each.get("raw_data", {}).get("state") == "added"
    ]
    assert not holds(added["when"], known(**{**FROM, **done}))


def test_nothing_of_a_volume_is_written_down_where_none_was_switched() -> None:
    (task,) = [each for each in load("playbooks/tasks/restore_volume.yml") if "raw_data" in each]
    assert (task["raw_data"]["state"], task["raw_data"]["with_paths"]) == ("removed", True)
    back: dict[str, Any] = {**FROM, "back": True, "backup": "", "from": ""}
    for state, gone in (("", True), ("begun", True), ("switched", False)):
        assert holds(task["when"], known(**back, restore_attempt={"state": state})) is gone


def test_the_job_runs_alone_and_its_failure_says_what_to_type() -> None:
    tasks = tasks_of("playbooks/tasks/restore_anonymise.yml")
    there = known(**FROM, restore_raw=LEFT, restore_anonymising={"task_definition": "arn:anonymise:3"})
    asked = tasks["Run the job that anonymises"]["ecs_run_task"]
    assert {name: evaluate(value, there) for name, value in asked.items()} == {
        "cluster": "shop-pr7", "task_definition": "arn:anonymise:3", "started_by": "restore", "join": False,
        "alone": True, "timeout": 300,
    }  # fmt: skip
    said = " ".join(evaluate(tasks["Say that it is not anonymised"]["ansible.builtin.fail"]["msg"], there).split())
    assert "pr7 has database.main of the backup one of test as they are there." in said
    assert (
        "same command again: ansible-playbook restore.yml -i <inventory> -e from=test -e backup=one -e confirm=pr7."
        in said
    )
    assert said.endswith("restore.yml -i <inventory> -e back=true -e confirm=pr7")
    kept = tasks["Write down that all of it is anonymised"]
    assert not holds(kept["when"], there | {"restore_raw": NONE})


def test_the_page_stays_and_no_backup_is_made_while_data_are_not_anonymised() -> None:
    there = variables(**PREVIEW)
    closing = tasks_of("playbooks/maintenance.yml")
    look, refuse = (closing[name] for name in (
        "See whether data are there that visitors may not see",
        "Refuse to let visitors in to data that are not anonymised",
    ))  # fmt: skip
    for word, looked in (("off", True), ("Off", True), (False, True), ("on", False), ("status", False)):
        assert holds(look["when"], there | {"maintenance": word}) is looked
    assert not holds(look["when"], there | {"maintenance": "off", "preview_of": ""})
    assert refusal(refuse, there | {"maintenance_raw": {"skipped": True}}) == ""
    assert refusal(refuse, there | {"maintenance_raw": NONE}) == ""
    said = refusal(refuse, there | {"maintenance_raw": LEFT})
    assert said.startswith("pr7 has database.main of the backup one of test, which no job has anonymised yet")
    assert "restore.yml -i <inventory> -e from=test -e backup=one -e confirm=pr7; or have the data of before" in said
    keeping = tasks_of("playbooks/backup.yml")["Refuse a backup of data that are not anonymised"]
    assert refusal(keeping, there | {"backup_raw": NONE}) == ""
    assert "a backup would keep them so" in refusal(keeping, there | {"backup_raw": LEFT})


def test_the_job_does_not_run_on_the_data_that_previews_are_made_of() -> None:
    task = tasks_of("playbooks/run.yml")["Refuse to anonymise the data of the inventory's own environment"]
    given = {"site_jobs": JOBS, "preview_anonymise_job": "anonymise", "preview_of": "", "environment_name": "test"}
    there = variables("playbooks/vars/run.yml", **given)
    assert refusal(task, there | {"job": "report"}) == ""
    assert refusal(task, there | {"job": "anonymise", "preview_of": "test"}) == ""
    assert refusal(task, there | {"job": "anonymise", "preview_anonymise_job": ""}) == ""
    assert refusal(task, there | {"command": "id"}) == ""
    said = refusal(task, there | {"job": "anonymise"})
    assert said.startswith("anonymise anonymises data of preview environments (preview_anonymise_job), and would")
    assert said.endswith("run.yml -i <inventory> -e environment=pr7 -e job=anonymise")


# A preview beside its environment, typed


TEMPLATE = """
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}
Outputs:
  BucketName: {Value: !Ref Bucket}
"""


class Beside(Site):
    """An environment with a bucket and a backup of it, and a preview beside it, which has another object."""

    def __init__(self, cloud: Cloud, endpoint: str, folder: Path) -> None:
        super().__init__(cloud, folder)
        self.aws, (self.preview, self.of_preview) = cloud, a_ledger(cloud)
        own = self._folder / "environment.yml"
        given = yaml.safe_load(own.read_text())
        given["set"]["AWS_ENDPOINT_URL"] = endpoint
        own.write_text(yaml.safe_dump({**given, "preview_environments": True}))
        self.describe(preview_anonymise_job="anonymise", **SITE)
        self.s3, stacks = cloud.client("s3"), cloud.client("cloudformation")
        for prefix in (self.prefix, self.preview):
            stacks.create_stack(StackName=f"{prefix}-bucket-up", TemplateBody=TEMPLATE)
            stacks.get_waiter("stack_create_complete").wait(StackName=f"{prefix}-bucket-up", WaiterConfig={"Delay": 1})
        described = [stacks.describe_stacks(StackName=f"{each}-bucket-up") for each in (self.prefix, self.preview)]
        self.theirs, self.here = (each["Stacks"][0]["Outputs"][0]["OutputValue"] for each in described)
        self.s3.put_object(Bucket=self.theirs, Key="letter.txt", Body=b"Dear Anna")
        self.s3.put_object(Bucket=self.here, Key="letter.txt", Body=b"Dear nobody")
        part = buckets.part(self.s3, self.theirs, 90, Bucket(self.s3, self.theirs).now())
        Points(self.s3, self.ledger).begin(
            {"name": "one", "started": "2026-11-26T10:02:00+00:00", "outcome": "good", "parts": {"bucket.up": part}}
        )
        self.of_preview.write_preview_of(self.prefix.removeprefix("shop-"))
        a_host(cloud, self.prefix)
        a_host(cloud, self.preview)
        self._cluster()

    def _cluster(self) -> None:
        """One whose host takes the job's task, and never says that it has ended."""
        api = of(self.aws).regional("us-east-1").api
        api.call("CreateCluster", {"clusterName": self.preview})
        resources = [{"name": name, "type": "INTEGER", "integerValue": 2048} for name in ("CPU", "MEMORY")]
        document = {"instanceId": "i-1", "region": "us-east-1", "availabilityZone": "us-east-1a"}
        api.call("RegisterContainerInstance", {
            "cluster": self.preview,
            "instanceIdentityDocument": json.dumps(document),
            "totalResources": [*resources, {"name": "PORTS", "type": "STRINGSET", "stringSetValue": []}],
            "attributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
        })  # fmt: skip
        for instance in of(self.aws).state.region("us-east-1").instances.values():
            instance.channel = Silent()
        container = {"name": "anonymise", "image": "shop/web", "memory": 64}
        api.call(
            "RegisterTaskDefinition", {"family": f"{self.preview}-job-anonymise", "containerDefinitions": [container]}
        )

    @property
    def name(self) -> str:
        return self.preview.removeprefix("shop-")

    def restore(self, *options: str) -> tuple[int, str]:
        return self.type("restore", "-e", f"environment={self.name}", *options)

    def content(self) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.here, Key="letter.txt")["Body"].read())

    def raw(self) -> list[str]:
        return sorted(raw.read(Ledger(self.s3, self.of_preview.bucket)).parts)

    def written(self) -> set[str]:
        """All that lies in the environment's own ledger and bucket."""
        found = [self.s3.list_object_versions(Bucket=each)["Versions"] for each in (self.ledger.bucket, self.theirs)]
        return {f"{each['Key']} {each['VersionId']}" for part in found for each in part}

    @contextmanager
    def job(self, code: int, do: Callable[[], object] = lambda: None) -> Iterator[list[bytes]]:
        """End the job's task with an exit code once it is there; what it has found of the letter."""
        api, seen, through = of(self.aws).regional("us-east-1").api, list[bytes](), threading.Event()

        def run() -> None:
            while not through.wait(0.2):
                for arn in api.call("ListTasks", {"cluster": self.preview})["taskArns"]:
                    seen.append(self.content())
                    do()
                    api.call("SubmitTaskStateChange", {
                        "cluster": self.preview, "task": arn, "status": "STOPPED",
                        "containers": [{"containerName": "anonymise", "status": "STOPPED", "exitCode": code}],
                    })  # fmt: skip

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield seen
        finally:
            through.set()
            thread.join()


class Silent:
    """An agent's connection that nobody listens at."""

    def send(self, kind: str, message: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def beside(aws: Cloud, late_aws: Callable[..., LateAws], tmp_path: Path) -> Beside:
    return Beside(aws, late_aws().endpoint, tmp_path)


@pytest.mark.playbook
@pytest.mark.long
def test_objects_come_into_the_preview_and_are_anonymised_before_anybody_sees_them(beside: Beside) -> None:
    own, switch = beside.prefix.removeprefix("shop-"), ("-e", f"confirm={beside.name}", "-e", "in_use=false")
    before, there = beside.written(), ("-e", f"from={own}")
    code, shown = beside.type("restore", *there)
    assert (code, "come into a preview environment alone, and" in shown) == (2, True), shown
    code, shown = beside.restore("-e", "from=prod")
    assert (code, f"{beside.name} gets data of {own} alone" in shown) == (2, True), shown
    code, shown = beside.restore(*there)
    assert code == 0, beside.shown
    assert f"{' '.join(there)} -e backup=one -e confirm={beside.name}" in shown
    assert (beside.content(), beside.raw()) == (b"Dear nobody", [])

    with beside.job(1) as seen:
        code, shown = beside.restore(*there, *switch)
    assert code == 2, beside.shown
    assert seen == [b"Dear Anna"], beside.shown
    assert "The job anonymise has not ended with 0, for the reason above" in shown
    assert beside.raw() == ["bucket.up"]
    for refused in (("maintenance", "-e", "maintenance=off"), ("backup",)):
        code, shown = beside.type(refused[0], "-e", f"environment={beside.name}", *refused[1:])
        assert code == 2, shown
        assert f"{beside.name} has bucket.up of the backup one of {own}, which no job has anonymised yet" in shown
        assert f"{' '.join(there)} -e backup=one -e confirm={beside.name}" in shown
    code, shown = beside.restore(*there, *switch, "-e", "overwrite=true")
    assert "which anonymise has not anonymised. Nothing was changed. First go on with that" in shown

    with beside.job(0, lambda: beside.s3.put_object(Bucket=beside.here, Key="letter.txt", Body=b"Dear X")):
        code, shown = beside.restore(*there, *switch)
    assert code == 0, beside.shown
    assert "The job anonymise has ended with 0 on bucket.up." in shown
    assert (beside.content(), beside.raw()) == (b"Dear X", [])
    code, shown = beside.type("maintenance", "-e", f"environment={beside.name}", "-e", "maintenance=off")
    assert code == 0, shown
    assert beside.written() == before, "nothing is written there"
    assert beside.ledger.entries() == []


@pytest.mark.playbook
@pytest.mark.long
def test_the_data_of_before_come_back_and_with_them_the_visitors(beside: Beside) -> None:
    there = ("-e", f"from={beside.prefix.removeprefix('shop-')}")
    switch = ("-e", f"confirm={beside.name}", "-e", "in_use=false")  # no load balancer leads here
    with beside.job(3):
        assert beside.restore(*there, *switch)[0] == 2
    assert (beside.content(), beside.raw()) == (b"Dear Anna", ["bucket.up"])
    assert beside.restore("-e", "back=true", *switch)[0] == 0, beside.shown
    assert (beside.content(), beside.raw()) == (b"Dear nobody", [])


@pytest.mark.playbook
@pytest.mark.long
def test_without_the_job_nothing_is_switched(beside: Beside) -> None:
    beside.describe(preview_anonymise_job="report", **SITE)
    code, shown = beside.restore("-e", f"from={beside.prefix.removeprefix('shop-')}", "-e", f"confirm={beside.name}")
    assert code == 2
    assert f"There is no task definition {beside.preview}-job-report yet. Type: ansible-playbook site.yml" in shown
    assert (beside.content(), beside.raw()) == (b"Dear nobody", [])

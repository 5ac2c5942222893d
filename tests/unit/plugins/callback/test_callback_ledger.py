"""What becomes of the lock and of the entry, however a run ends: real runs of ansible-playbook, on the embedded AWS."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.ledger import Entry, Ledger
from plugins.plugin_utils.lock import KEY, TTL_VARIABLE
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import environment, playbook, shell, written

pytestmark = pytest.mark.playbook
SHORT = "3"
"""A lifetime of locks that a test can wait for, in seconds."""
LONG_WORK = {"name": "Work for long", "ansible.builtin.command": "sleep 120"}


class Site:
    """An environment with a ledger, and runs that lock it."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.prefix, self.ledger = a_ledger(cloud)
        self.s3 = cloud.client("s3")
        self._cloud, self._folder = cloud, folder
        self.running: list[subprocess.Popen[str]] = []

    def lock(self, **given: Any) -> dict[str, Any]:
        asked = {"prefix": self.prefix, "verb": "release", **given}
        return {"name": "Lock", "environment_lock": {name: value for name, value in asked.items() if value is not None}}

    def entry(self, **facts: Any) -> dict[str, Any]:
        return {"name": "Write down", "ledger_entry": {"prefix": self.prefix, "facts": facts}}

    def run(self, *tasks: dict[str, Any], **variables: str) -> tuple[int, str]:
        done = playbook(self._own_folder(), list(tasks), **environment(self._cloud), **variables)
        return done.code, done.output

    def start(self, *tasks: dict[str, Any], ttl: str = SHORT) -> subprocess.Popen[str]:
        command = written(self._own_folder(), list(tasks))
        process = subprocess.Popen(
            command, env=shell({**environment(self._cloud), TTL_VARIABLE: ttl}), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.running.append(process)
        return process

    def command(self, *tasks: dict[str, Any]) -> list[str]:
        return written(self._own_folder(), list(tasks))

    @property
    def holder(self) -> str:
        """The run that holds the lock."""
        held = self.ledger.lock.read()
        return held.holder.run if held and not held.expired else ""

    @property
    def entries(self) -> list[Entry]:
        return self.ledger.entries()

    def _own_folder(self) -> Path:
        folder = self._folder / str(time.monotonic_ns())
        folder.mkdir()
        return folder


@pytest.fixture
def site(aws: Cloud, tmp_path: Path) -> Iterator[Site]:
    made = Site(aws, tmp_path)
    yield made
    for process in made.running:
        for each in [process.pid, *descendants(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        process.communicate()


def until(holds: Callable[[], Any], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def descendants(parent: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return found + [each for child in found for each in descendants(child)]


def is_keeper(number: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return b"lock_keeper.py" in Path(f"/proc/{number}/cmdline").read_bytes()
    return False


def test_a_good_run_lets_go_and_says_what_it_did(site: Site) -> None:
    code, output = site.run(
        site.lock(arguments={"release": "X", "service": ""}),
        site.lock(verb="site"),  # within the run
        site.entry(release="X", services={"web": {"release": "X"}}),
        site.entry(services={"worker": {"release": "X"}}),
    )
    assert code == 0, output
    assert site.ledger.lock.read() is None
    (entry,) = site.entries
    assert entry["verb"] == "release"
    assert entry["arguments"] == {"release": "X"}
    assert (entry["outcome"], entry["reason"]) == ("good", "")
    assert entry["release"] == "X"
    assert set(entry["services"]) == {"web", "worker"}
    assert entry["started"] <= entry["ended"]
    assert entry["seconds"] >= 0
    assert entry["arn"].startswith("arn:aws:")


def test_alarms_are_silent_if_a_run_asks_for_it(site: Site, aws: Cloud) -> None:
    api, named = aws.client("cloudwatch"), f"{site.prefix}-service-web-TasksMissing-A"
    api.put_metric_alarm(
        AlarmName=named, Namespace="AWS/ECS", MetricName="CPUUtilization", Statistic="SampleCount", Period=60,
        EvaluationPeriods=10, Threshold=1, ComparisonOperator="LessThanThreshold",
    )  # fmt: skip
    for silence in (False, True):
        code, output = site.run(site.lock(silence=silence), {"name": "Work", "ansible.builtin.command": "sleep 2"})
        assert code == 0, output
        assert "not silent" not in output
        if not silence:
            with pytest.raises(api.exceptions.ResourceNotFoundException):
                api.get_alarm_mute_rule(AlarmMuteRuleName=f"{site.prefix}-lock")
    found = api.get_alarm_mute_rule(AlarmMuteRuleName=f"{site.prefix}-lock")
    assert found["MuteTargets"]["AlarmNames"] == [named]
    assert found["Description"] == "release is under way"


SECRET = "hunter2-hunter2"  # noqa: S105 - is to be found nowhere


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (
            {"name": "Break", "ansible.builtin.fail": {"msg": f"The job migrate ended with exit code 3.\n{SECRET}"}},
            "The job migrate ended with exit code 3.",
        ),
        (
            {"name": "Break in secret", "ansible.builtin.fail": {"msg": SECRET}, "no_log": True},
            "Break in secret: failed, and its result is hidden",
        ),
        (
            {"name": "Break twice", "ansible.builtin.fail": {"msg": "no {{ item }}"}, "loop": ["milk", "tea"]},
            "no milk no tea",
        ),
    ],
    ids=["message", "no_log", "loop"],
)
def test_a_failed_run_lets_go_and_says_why(site: Site, task: dict[str, Any], reason: str) -> None:
    code, output = site.run(site.lock(), task, {"name": "Never", "ansible.builtin.debug": {"msg": "no"}})
    assert code == 2, output
    assert site.ledger.lock.read() is None
    (entry,) = site.entries
    assert (entry["outcome"], entry["reason"]) == ("failed", reason)
    for each in site.s3.list_objects_v2(Bucket=site.ledger.bucket)["Contents"]:
        assert SECRET not in site.s3.get_object(Bucket=site.ledger.bucket, Key=each["Key"])["Body"].read().decode()


def test_a_failure_that_was_expected_is_none(site: Site) -> None:
    broken = {"name": "Break", "ansible.builtin.fail": {"msg": "no"}}
    rescued = {"name": "Try", "block": [broken], "rescue": [{"name": "Mend", "ansible.builtin.debug": {"msg": "so"}}]}
    code, output = site.run(site.lock(), rescued, {**broken, "ignore_errors": True})
    assert code == 0, output
    assert [(each["outcome"], each["reason"]) for each in site.entries] == [("good", "")]


def test_of_two_at_once_one_is_refused_and_one_waits_and_goes_on(site: Site, tmp_path: Path) -> None:
    over = tmp_path / "over"
    work = {"name": "Work", "ansible.builtin.wait_for": {"path": str(over), "timeout": 240}}
    first = site.start(site.lock(arguments={"release": "X"}), work)
    until(lambda: site.holder, "the first to hold it")
    code, output = site.run(site.lock(verb="site"), LONG_WORK)
    told = " ".join(output.split())
    assert code == 2, output
    assert f"{site.prefix} is locked: release release=X by " in told
    assert "To wait for it, add -e lock_wait=15m." in told
    assert "unlock.yml" in told
    assert len(site.entries) == 1, "who is refused has done nothing"
    second = site.start(site.lock(verb="site", wait="60s"))
    assert second.stdout
    seen = ""
    while "waiting, at most 60 s" not in seen:
        line = second.stdout.readline()
        assert line, seen
        seen += line
    over.touch()
    assert second.wait(60) == 0, second.stdout.read()
    assert first.wait(30) == 0
    waited, before = site.entries
    assert [(each["verb"], each["outcome"]) for each in (waited, before)] == [("site", "good"), ("release", "good")]
    begun, ended = (datetime.fromisoformat(each) for each in (waited["started"], before["ended"]))
    assert begun >= ended - timedelta(seconds=1), "AWS tells whole seconds; the ledger is in the order of what was done"


def test_one_that_waits_gives_up_at_its_deadline(site: Site) -> None:
    site.start(site.lock(), LONG_WORK, ttl="60")
    until(lambda: site.holder, "the first to hold it")
    code, output = site.run(site.lock(verb="site", wait="2s"))
    assert code == 2, output
    assert "It was waited for 2 s." in " ".join(output.split())


def test_a_lock_is_renewed_while_the_run_lives(site: Site) -> None:
    process = site.start(site.lock(), {"name": "Work", "ansible.builtin.command": "sleep 9"})
    until(lambda: site.holder, "the run to hold it")
    until(lambda: (held := site.ledger.lock.read()) and held.holder.renewed >= 8, "the eighth renewal", 30)
    assert site.holder, "more than a lifetime later"
    assert process.wait(30) == 0
    assert site.ledger.lock.read() is None


def test_an_interrupt_lets_go(site: Site) -> None:
    process = site.start(site.lock(), LONG_WORK, ttl="60")
    until(lambda: site.holder and b"sleep" in b"".join(map(_command, descendants(process.pid))), "the run to be at it")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    assert site.ledger.lock.read() is None
    assert [(each["outcome"], each["reason"]) for each in site.entries] == [("failed", "the run was interrupted")]


def _command(number: int) -> bytes:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{number}/cmdline").read_bytes()
    return b""


def test_a_run_that_is_killed_with_its_workers_frees_the_lock(site: Site) -> None:
    process = site.start(site.lock(), LONG_WORK, ttl="60")
    until(lambda: any(map(is_keeper, descendants(process.pid))) and site.holder, "the keeper")
    for each in [process.pid, *(each for each in descendants(process.pid) if not is_keeper(each))]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
    until(lambda: site.ledger.lock.read() is None, "the lock to be let go", 20)
    assert [(each["outcome"], each["reason"]) for each in site.entries] == [("failed", "the run was killed")]


@pytest.mark.parametrize("killed", ["machine", pytest.param("controller alone", marks=pytest.mark.long)])
def test_a_run_that_is_killed_keeps_the_lock_until_it_expires(site: Site, killed: str) -> None:
    """With all that it started, as a machine goes down; or without its worker, which goes on alone."""
    process = site.start(site.lock(), LONG_WORK, ttl="12")  # more than the next one takes to start
    until(lambda: b"sleep" in b"".join(map(_command, descendants(process.pid))), "the run to be at it")
    left = descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    if killed == "machine":
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
    try:
        assert site.holder
        code, output = site.run(site.lock(verb="site"))
        assert code == 2, output
        code, output = site.run(site.lock(verb="site", wait="60s"))
        assert code == 0, output
    finally:
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
    assert [(each["verb"], each["outcome"]) for each in site.entries] == [("site", "good"), ("release", "interrupted")]


def test_a_run_that_has_lost_its_lock_is_ended(site: Site) -> None:
    process = site.start(site.lock(), LONG_WORK)
    until(lambda: site.holder, "the run to hold it")
    site.s3.delete_object(Bucket=site.ledger.bucket, Key=KEY)
    output, _ = process.communicate(timeout=40)
    told = " ".join(output.split())
    assert process.returncode != 0, output
    assert f"The lock of {site.prefix} was lost: somebody has unlocked it. The run was ended" in told
    assert "docs/troubleshooting.md#" in told
    assert [each["outcome"] for each in site.entries] == ["failed"]


def test_a_run_whose_keeper_has_died_does_not_go_on(site: Site, tmp_path: Path) -> None:
    over = tmp_path / "over"  # for as long as it takes to find the keeper and to end it
    work = {"name": "Work", "ansible.builtin.wait_for": {"path": str(over), "timeout": 120}}
    process = site.start(site.lock(), work, {"name": "Go on", "ansible.builtin.command": "sleep 60"}, ttl="60")
    until(lambda: any(map(is_keeper, descendants(process.pid))) and site.holder, "the keeper")
    for each in filter(is_keeper, descendants(process.pid)):
        os.kill(each, signal.SIGKILL)
    over.touch()
    output, _ = process.communicate(timeout=40)
    assert process.returncode != 0, output
    assert "may not have been let go" in " ".join(output.split())


def test_what_a_run_starts_is_part_of_it(site: Site) -> None:
    inner = site.command(site.lock(verb="site"), site.entry(inner=True))
    code, output = site.run(
        site.lock(), {"name": "Run a hook", "ansible.builtin.command": {"argv": inner}}, site.entry(outer=True)
    )
    assert code == 0, output
    (entry,) = site.entries
    assert entry["verb"] == "release"
    assert entry["inner"] is True
    assert entry["outer"] is True
    assert entry["outcome"] == "good"


def test_a_check_run_takes_nothing_and_says_who_holds_it(site: Site) -> None:
    folder = site.command(site.lock(verb="site"), site.entry(release="X"))
    checked = [*folder, "--check"]

    def check() -> str:
        done = subprocess.run(checked, env=shell(environment(site._cloud)), capture_output=True, text=True, check=True)
        return done.stdout

    assert "is locked" not in check()
    assert site.entries == []
    site.start(site.lock(), LONG_WORK, ttl="60")
    until(lambda: site.holder, "the run to hold it")
    assert f"{site.prefix} is locked, so a run would have to wait: release by " in check()
    assert len(site.entries) == 1


def test_an_environment_without_a_ledger_is_not_locked(site: Site) -> None:
    task = site.lock(prefix=f"{site.prefix}-other")
    show = {"name": "Show", "ansible.builtin.debug": {"msg": "{{ locked.held }} {{ locked.there }}"}}
    other = {"name": "Write", "ledger_entry": {"prefix": f"{site.prefix}-other", "facts": {"release": "Y"}}}
    code, output = site.run(task | {"register": "locked"}, show, site.lock(), other)
    assert code == 0, output
    assert "False False" in output
    (entry,) = site.entries
    assert "release" not in entry, "what is said of another environment is not written here"


def test_a_bucket_that_is_there_already_is_gone_on_with(site: Site) -> None:
    code, output = site.run(site.lock(prefix=f"{site.prefix}-again", bucket=site.ledger.bucket))
    assert code == 0, output
    assert len(site.entries) == 1


def test_a_lock_is_let_go_before_the_end_where_the_ledger_goes(site: Site) -> None:
    code, output = site.run(
        site.lock(),
        {"name": "Let go", "environment_lock": {"prefix": site.prefix, "verb": "release", "state": "absent"}},
        {"name": "Break", "ansible.builtin.fail": {"msg": "no"}},
    )
    assert code == 2, output
    assert site.ledger.lock.read() is None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"wait": "15"}, "lock_wait=15 is no duration"),
        ({"wait": "soon"}, "lock_wait=soon is no duration"),
        ({"verb": None}, "missing required arguments: verb"),
    ],
)
def test_what_is_typed_wrong_is_refused(site: Site, given: dict[str, Any], sentence: str) -> None:
    code, output = site.run(site.lock(**given))
    assert code == 2
    assert sentence in " ".join(output.split())
    assert site.ledger.lock.read() is None


def test_the_keeper_is_given_no_argument(site: Site) -> None:
    process = site.start(site.lock(), LONG_WORK, ttl="60")
    until(lambda: any(map(is_keeper, descendants(process.pid))), "the keeper")
    (keeper,) = filter(is_keeper, descendants(process.pid))
    words = _command(keeper).decode().strip("\0").split("\0")
    assert words[0] == sys.executable
    assert len(words) == 2


def test_a_ledger_that_cannot_be_written_gives_no_lock(site: Site) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{site.ledger.bucket}/entries/*"}  # fmt: skip
    site.s3.put_bucket_policy(
        Bucket=site.ledger.bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    code, output = site.run(site.lock())
    assert code == 2, output
    assert "PutObject" in output
    assert Ledger(site.s3, site.ledger.bucket).lock.read() is None

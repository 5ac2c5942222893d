"""The verbs themselves, typed on the embedded AWS: which take the lock, and what `unlock` and `releases` say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from plugins.action import environment_unlock
from plugins.plugin_utils.lock import Holder
from tests.unit.ledger_support import a_ledger
from tests.unit.plugin_support import environment, run_action, shell
from tests.unit.variables_support import PROJECT, evaluate, load, tasks_of

CHANGING = {"site", "publish", "release", "rollback", "hosts", "run", "migrate", "restart", "move_volume", "teardown"}
CHANGING |= {"alarms_test", "backup", "dns_switch", "doctor", "drill", "import_data", "maintenance", "refresh_hosts"}
CHANGING |= {"restore", "rotate_secrets", "scale", "upgrade_database"}
LOOKING = {"backups", "compose_file", "exec", "init", "logs", "plan", "preflight", "releases"}
LOOKING |= {"ssh_config", "status", "tunnel", "unlock", "verify"}
"""`exec` runs a command in a container that is there already, and is what a person looks with while another deploys.
`doctor` takes the lock where it sends a message, and only there."""
ANNA = Holder(run="first", verb="release", who="anna", where="laptop", started="2026-11-27T10:02:00+00:00")
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"})
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def verbs() -> set[str]:
    return {path.stem for path in PROJECT.glob("*.yml") if "import_playbook" in path.read_text()}


def locked_as(verb: str) -> set[str]:
    """The words by which a verb's playbook takes the lock, itself or by what it imports."""
    found = set()
    for play in load(f"playbooks/{verb}.yml"):
        if imported := play.get("ansible.builtin.import_playbook"):
            found |= {play.get("vars", {}).get("lock_verb", "")} | locked_as(Path(imported).stem)
            continue
        for task in play.get("pre_tasks", []) + play.get("tasks", []):
            if task.get("ansible.builtin.import_tasks") == "tasks/lock.yml":
                found.add(task.get("vars", {}).get("lock_verb", ""))
    return found - {""}


def test_each_verb_that_changes_something_takes_the_lock() -> None:
    assert verbs() >= CHANGING | LOOKING
    for verb in CHANGING:
        assert verb in locked_as(verb), verb
    for verb in LOOKING:
        assert not locked_as(verb), verb


def test_alarms_are_silent_while_tasks_or_hosts_come_and_go_and_not_otherwise() -> None:
    (task,) = load("playbooks/tasks/lock.yml")
    silent = set(task["vars"]["lock_disturbing"])
    ringing = {"alarms_test", "backup", "dns_switch", "doctor", "drill", "maintenance", "migrate", "publish", "run"}
    assert (silent | ringing, silent & ringing) == (CHANGING, set())
    page = (PROJECT / "docs/alarms.md").read_text()
    sentence = page.partition("As long as ")[2].partition(" holds the lock")[0]
    assert set(re.findall(r"`(\w+)`", sentence)) == silent, "docs/alarms.md says which"
    asked = task["environment_lock"]["silence"]
    for subscribers, verb, wanted in ((["a@b.ch"], "site", True), ([], "site", False), (["a@b.ch"], "run", False)):
        given = {"alarms_subscribers": subscribers, "lock_verb": verb, "lock_disturbing": sorted(silent)}
        assert evaluate(asked, given) is wanted, (subscribers, verb)


def test_the_lock_comes_before_the_account_is_asked_and_after_the_inventory_is_judged() -> None:
    names = list(tasks_of("playbooks/preflight.yml"))
    offline, lock, account = (
        names.index(next(name for name in names if name.startswith(begin)))
        for begin in ("Refuse what can be told offline", "Lock the environment", "Ask the account")
    )
    assert offline < lock < account


class Site:
    """A site that is not up but for its ledger."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.prefix, self.ledger = a_ledger(cloud)
        self._cloud, self._folder = cloud, folder / self.prefix.removeprefix("shop-")
        variables = self._folder / "group_vars/site"
        variables.mkdir(parents=True)
        (self._folder / "environment.yml").write_text(
            yaml.safe_dump({
                "plugin": "environment", "site_name": "shop", "aws_region": "us-east-1", "set": environment(cloud),
            })
        )  # fmt: skip
        containers = {"web": {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}}
        services = {"web": {"containers": containers, "routes": [{"to": "web", "health": "/"}]}}
        (variables / "main.yml").write_text(
            yaml.safe_dump({"domain_name": "shop.test", "hosted_zone_id": "", "site_services": services})
        )

    def describe(self, **more: Any) -> None:
        """Write variables into its inventory beside those that it has."""
        (self._folder / "group_vars/site/more.yml").write_text(yaml.safe_dump(more))

    def type(self, verb: str, *options: str) -> tuple[int, str]:
        """Exit code, and what was shown in one line."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ansible-playbook"), f"{verb}.yml", "-i", str(self._folder), *options],
            cwd=PROJECT, env=shell(environment(self._cloud)), capture_output=True, text=True, check=False, timeout=120,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.shown = done.stdout + done.stderr
        return done.returncode, " ".join(self.shown.split())

    def had(self, number: int, **given: Any) -> None:
        """Write an entry of the past."""
        run = f"run{number}"
        self.ledger.begin(
            {
                "key": f"entries/2026112{number}T100000Z-{run}.json", "run": run, "verb": "release", "who": "anna",
                "where": "laptop", "arn": "", "started": f"2026-11-2{number}T10:00:00+00:00", "ended": None,
                "seconds": 75.0, "outcome": "good", "reason": "",
            } | given
        )  # fmt: skip


@pytest.fixture
def site(aws: Cloud, tmp_path: Path) -> Site:
    return Site(aws, tmp_path)


def test_a_verb_beside_a_held_lock_is_refused_and_told_how_to_go_on(site: Site) -> None:
    held = site.ledger.lock.take(ANNA)
    code, shown = site.type("restart")
    assert code == 2, shown
    assert "is locked: release by anna@laptop since " in shown, site.shown
    assert "add -e lock_wait=15m." in shown
    assert "-e confirm=anna@laptop" in shown
    code, shown = site.type("site", "-e", "lock_wait=1s")
    assert code == 2, shown
    assert "It was waited for 1 s." in shown, "lock_wait is a variable that site knows"
    assert "TASK [Ask the account" not in shown
    assert site.ledger.lock.let_go(held)
    code, shown = site.type("restart")
    assert "There is no service web in the cluster" in shown
    (entry,) = site.ledger.entries()
    assert (entry["verb"], entry["outcome"]) == ("restart", "failed")
    assert entry["reason"].startswith("There is no service web in the cluster")
    assert site.ledger.lock.read() is None


@pytest.mark.parametrize(
    ("verb", "typed"), [("scale", ("service=web", "replicas=2")), ("maintenance", ("maintenance=on",))]
)
def test_beside_a_release_no_number_changes_and_no_page_comes_or_goes(
    site: Site, verb: str, typed: tuple[str, ...]
) -> None:
    site.ledger.lock.take(ANNA)
    code, shown = site.type(verb, *(word for each in typed for word in ("-e", each)))
    assert code == 2, shown
    assert "is locked: release by anna@laptop since " in shown, site.shown
    assert "add -e lock_wait=15m." in shown
    assert site.ledger.entries() == []


def test_a_typing_error_takes_no_lock(site: Site) -> None:
    code, shown = site.type("restart", "-e", "service=wbe")
    assert code == 2, shown
    assert "-e service=web" in shown
    code, shown = site.type("site", "-e", "lock_wiat=15m")
    assert code == 1, shown  # before any play
    assert "lock_wait" in shown
    assert site.ledger.entries() == []


def test_unlock_takes_the_lock_from_the_one_who_is_named(site: Site) -> None:
    code, shown = site.type("unlock", "-e", "confirm=anna@laptop")
    assert code == 0, shown
    assert f"{site.prefix} is not locked." in shown
    held = site.ledger.lock.take(ANNA)
    code, shown = site.type("unlock", "-e", "confirm=ben@laptop")
    assert code == 2, shown
    assert "as ben@laptop does not hold it: release by anna@laptop" in shown
    code, shown = site.type("unlock")  # nobody answers
    assert code == 2, shown
    assert "Nothing was unlocked" in shown
    code, shown = site.type("unlock", "-e", "confirm=anna@laptop", "--check")
    assert code == 0, shown
    there = site.ledger.lock.read()
    assert there
    assert there.holder == held.holder
    code, shown = site.type("unlock", "-e", "confirm=anna@laptop")
    assert code == 0, shown
    assert "release by anna@laptop" in shown
    assert site.ledger.lock.read() is None


def test_an_unlock_leaves_a_later_run_of_the_same_holder_alone(site: Site, aws: Cloud) -> None:
    def unlock(**given: str) -> dict[str, Any]:
        return run_action(environment_unlock, {"prefix": site.prefix, **given}, client=aws.client)

    site.ledger.lock.take(ANNA)
    refused = unlock(holder="anna@laptop", run="earlier")
    assert refused["failed"]
    assert "another run has taken the lock meanwhile" in refused["msg"]
    assert unlock()["lock"]["name"] == "anna@laptop"
    assert site.ledger.lock.read(), "who names nobody takes nothing"
    assert unlock(holder="anna@laptop", run="first")["changed"]
    assert site.ledger.lock.read() is None


def services(site: Site, release: str, revision: int) -> dict[str, Any]:
    images = {"shop/web": f"{REGISTRY}/{site.prefix}/shop-web:{release}"}
    web = {"task_definition": f"arn:web:{revision}", "release": release, "images": images}
    return {"release": release, "services": {"web": web}}


def test_releases_shows_what_was_released_and_with_all_what_else_was_done(site: Site, aws: Cloud) -> None:
    code, shown = site.type("releases")
    assert code == 0, shown
    assert "nothing was released yet" in shown
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName=f"{site.prefix}/shop-web")
    ecr.put_image(repositoryName=f"{site.prefix}/shop-web", imageTag="2", imageManifest=MANIFEST)
    site.had(1, **services(site, "1", 1))
    site.had(2, **services(site, "2", 2), left_by="1")
    site.had(3, verb="restart", who="ben")
    site.had(4, **services(site, "3", 3), outcome="failed", reason="The job migrate ended with exit code 3")
    site.had(5, outcome="running", **services(site, "4", 4))
    code, shown = site.type("releases")
    assert code == 0, shown
    rows = [line for line in site.shown.splitlines() if line.startswith("2026-11-2")]
    assert [row.split()[0] for row in rows] == ["2026-11-25", "2026-11-24", "2026-11-22", "2026-11-21"]
    assert "interrupted" in rows[0]
    assert rows[0].endswith("the run was killed")
    assert rows[1].split()[2:6] == ["release", "3", "failed", "gone"]
    assert rows[1].endswith("The job migrate ended with exit code 3")
    assert " ".join(rows[2].split()[2:]) == "release 2 good there - 75 s anna@laptop left by a rollback to 1"
    code, shown = site.type("releases", "-e", "all=true", "-e", "lines=3")
    rows = [line for line in site.shown.splitlines() if line.startswith("2026-11-2")]
    assert [row.split()[2] for row in rows] == ["release", "release", "restart"]
    assert "ben@laptop" in rows[2]
    code, shown = site.type("releases", "-e", "format=json", "-e", "lines=1")
    begin = site.shown.index("\n[\n") + 1
    (entry,) = json.loads(site.shown[begin : site.shown.index("\n]\n", begin) + 2])
    assert entry["release"] == "4"
    assert entry["live"] is False
    assert entry["images_there"] is False


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("lines=many", "lines is 'many'; write a number from 1 to 10000"), ("format=jsn", "write table or json")],
)
def test_releases_says_what_to_type(site: Site, typed: str, sentence: str) -> None:
    code, shown = site.type("releases", "-e", typed)
    assert code == 2
    assert sentence in shown

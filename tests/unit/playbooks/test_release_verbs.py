"""The verbs release and rollback, typed on the embedded APIs: services that want no task, as there are no hosts.

Their image is pulled from where it is, so that another one is another tag in the inventory.
"""

from __future__ import annotations

import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.serving import make_server

from local_aws.cloud import Cloud
from local_aws.ecs import control_plane as ecs
from plugins.plugin_utils.ledger import Ledger
from tests.unit.playbooks.test_given_vpc import PROJECT, Site, changed
from tests.unit.plugin_support import playbook
from tests.unit.variables_support import tasks_of

pytestmark = pytest.mark.playbook

PREFIX = "shop-live"
STAGES = ("preflight", "layers", "images", "services")


class Worker(Site):
    """A site of one service, and the part of `site` that needs no hosts."""

    def __init__(self, folder: Path, aws: Cloud) -> None:
        super().__init__(folder, aws)
        for verb in ("release.yml", "rollback.yml"):
            (folder / verb).symlink_to(PROJECT / verb)
        plays = [
            {"name": f"Import {name}", "ansible.builtin.import_playbook": f"playbooks/{name}.yml"}
            | ({"vars": {"lock_verb": "site"}} if name == "preflight" else {})
            for name in STAGES
        ]
        (folder / "most_of_site.yml").write_text(yaml.safe_dump(plays))
        self.made = folder / "inventories/made"

    def runs(self, image: str, **more: Any) -> None:
        """Describe the site, with the image that its worker is to run."""
        worker = {"containers": {"worker": {"image": image, "mem_limit": "64m"}}, "deploy": {"replicas": 0}}
        mail = {"containers": {"mail": {"image": image, "mem_limit": "64m"}}, "deploy": {"replicas": 0}}
        nouns: dict[str, Any] = {"site_volumes": {}, "site_databases": {}, "release_verify": False}  # it has no hosts
        nouns["site_services"] = {"worker": worker, "mail": mail}
        nouns["site_jobs"] = {"report": {"like": "worker.worker", "command": ["report"]}}
        self.describe(**nouns | more)

    def live(self, family: str = "service-worker") -> tuple[str, str]:
        """The image and the release of what is live; of a job, of its newest revision."""
        ecs = self.aws.client("ecs")
        name = f"{PREFIX}-{family}"
        if family.startswith("service"):
            arns = ecs.list_services(cluster=PREFIX)["serviceArns"]
            found = [
                each["taskDefinition"] for each in ecs.describe_services(cluster=PREFIX, services=arns)["services"]
            ]
            (name,) = [each for each in found if f"/{name}:" in each]
        (container,) = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]["containerDefinitions"]
        assert {"name": "RELEASE", "value": container["dockerLabels"]["berth.release"]} in container["environment"]
        return container["image"], container["dockerLabels"]["berth.release"]

    def entries(self) -> list[dict[str, Any]]:
        """Of the ledger, newest first."""
        ledger = Ledger.find(self.aws.client, PREFIX)
        assert ledger
        return ledger.entries()

    def refused(self, verb: str, *options: str) -> str:
        """What is said of a run that must fail, in one line."""
        done = self.run(verb, *options)
        assert done.returncode == 2, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def site(tmp_path: Path, aws: Cloud, apis: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """With our ECS before moto's, and its scheduler at work."""
    vars(aws).pop("_ecs", None)
    server = make_server("127.0.0.1", 0, ecs.middleware(aws, apis), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setattr(aws, "config", dataclasses.replace(aws.config, api_port=server.server_port))
    monkeypatch.setattr(aws, "_clients", {})
    ended = threading.Event()

    def schedule() -> None:
        while not ended.wait(0.2):
            for region in ecs.of(aws).every():
                region.scheduler.round()

    loop = threading.Thread(target=schedule, daemon=True)
    loop.start()
    yield Worker(tmp_path, aws)
    ended.set()
    loop.join()
    server.shutdown()
    vars(aws).pop("_ecs", None)


def test_what_is_typed_wrongly_is_refused_before_anything_is_asked(site: Worker) -> None:
    site.runs("registry.test/worker:1")
    said = site.refused("release.yml", "-e", "release=a/b")
    assert "cannot be the name of a release" in said, said[-1500:]
    said = site.refused("release.yml", "-e", "service=wroker")
    assert "The site has no service wroker (mail, worker): ansible-playbook " in said, said[-1500:]
    assert "-e service=worker" in said
    unknown = site.run("release.yml", "-e", "relase=1")
    assert (unknown.returncode, unknown.stdout) == (1, ""), "an unknown variable is refused before any play"
    assert "relase: " in unknown.stderr
    site.runs("registry.test/worker:1", site_hooks={"build": [{"job": "report"}], "after": []})
    said = site.refused("release.yml", "-e", "release=1")
    assert "site_hooks.build[0]: is a job" in said
    assert "site_hooks.after: is no moment of a release" in said


def test_a_site_that_is_not_up_is_neither_released_nor_rolled_back(site: Worker) -> None:
    site.runs("registry.test/worker:1")
    for verb in ("release.yml", "rollback.yml"):
        said = site.refused(verb)
        assert "The site shop-live is not there. Type: ansible-playbook " in said, said[-1500:]


def hooks() -> dict[str, list[Any]]:
    """A hook of each kind that writes down when it is called."""
    script = 'echo "$BERTH_HOOK $BERTH_VERB $BERTH_RELEASE $BERTH_SITE-$BERTH_ENVIRONMENT" >> made'
    return {hook: [["sh", "-c", script]] for hook in ("build", "before_release", "after_release", "failed_release")}


def called(site: Worker) -> list[str]:
    """The hooks that were called since the last time."""
    lines = site.made.read_text().splitlines() if site.made.exists() else []
    site.made.unlink(missing_ok=True)
    return lines


@pytest.mark.long
def test_releases_come_under_their_names_and_go_back_by_them(site: Worker) -> None:
    first, second = "registry.test/worker:1", "registry.test/worker:2"
    site.runs(first)
    site.does("most_of_site.yml")
    assert site.live() == (first, "1"), "of no given name, so it is made of the image"
    assert changed(site.does("most_of_site.yml")) == "0"
    for entry in site.entries():
        assert (entry["verb"], entry["release"], entry["outcome"]) == ("site", "1", "good")
        assert entry["services"]["worker"]["task_definition"].endswith(":1"), "also where nothing was to be done"
        assert entry["services"]["worker"]["images"] == {first: first}

    # Under a name, with a new image: the service and its job have it, hooks are called in their order.
    site.runs(second, site_hooks=hooks())
    looked = site.does("release.yml", "-e", "release=2026.11.1", "--check", "--diff")
    assert "would be run" in looked
    assert (site.live(), called(site)) == ((first, "1"), [])
    said = site.does("release.yml", "-e", "release=2026.11.1")
    assert "2026.11.1 is live." in said
    assert site.live() == site.live("job-report") == (second, "2026.11.1")
    told = "release 2026.11.1 shop-live"
    assert called(site) == [f"build {told}", f"before_release {told}", f"after_release {told}"]
    entry = site.entries()[0]
    assert (entry["verb"], entry["release"], entry["outcome"]) == ("release", "2026.11.1", "good")
    assert entry["services"]["worker"]["images"] == {second: second}

    # The same again changes nothing, and so does a `site`: it keeps the name.
    again = site.does("release.yml", "-e", "release=2026.11.1")
    assert "2026.11.1 is live already: nothing was to be done." in again
    assert changed(again) == "0"
    assert [line.split()[0] for line in called(site)] == ["build", "before_release"]
    assert changed(site.does("most_of_site.yml")) == "0"
    assert site.live() == (second, "2026.11.1")

    # Back to what was there before, of no given name; then no further.
    assert "Back to 1" in site.does("rollback.yml")
    assert (site.live(), called(site)[-1]) == ((first, "1"), "after_release rollback 1 shop-live")
    entry = site.entries()[0]
    assert (entry["verb"], entry["release"], entry["outcome"]) == ("rollback", "1", "good")
    said = site.refused("rollback.yml")
    assert "There is no older good release to go back to." in said
    assert "2026.11.1 was left by a rollback" in said
    assert any(each.get("left_by") == "1" for each in site.entries())

    # One service alone, with its jobs, which here are none; the other keeps its image and its name.
    site.runs(second)
    site.does("release.yml", "-e", "release=2026.11.9", "-e", "service=mail")
    assert site.live("service-mail") == (second, "2026.11.9")
    site.runs(first)
    assert (site.live(), site.live("job-report")) == ((first, "1"), (first, "1"))
    assert site.entries()[0]["services"]["worker"]["release"] == "1"
    site.does("rollback.yml")
    assert site.live("service-mail") == (first, "1")
    site.runs(second, site_hooks=hooks())

    # By its name it is gone to all the same.
    assert "The ledger has no release 2026.11.2" in site.refused("rollback.yml", "-e", "release=2026.11.2")
    site.does("rollback.yml", "-e", "release=2026.11.1")
    assert site.live() == (second, "2026.11.1")
    called(site)

    # What fails is a failure, and the hook for it is called.
    site.runs(second, site_hooks=hooks() | {"before_release": [["sh", "-c", "echo no; exit 3"]]})
    said = site.refused("release.yml", "-e", "release=2026.11.3")
    assert "site_hooks.before_release[0] (sh) ended with exit code 3. no" in said
    assert [line.split()[0] for line in called(site)] == ["build", "failed_release"]
    assert site.live() == (second, "2026.11.1")
    entry = site.entries()[0]
    assert (entry["outcome"], entry["release"]) == ("failed", "2026.11.3")
    assert re.match(r"The command site_hooks.before_release\[0\] \(sh\) ended", entry["reason"])


def test_no_job_runs_after_one_that_has_failed(tmp_path: Path) -> None:
    (task,) = [each for each in tasks_of("roles/rollout/tasks/jobs.yml").values() if "ecs_run_task" in each]
    kept = json.loads(json.dumps({"register": task["register"], "break_when": task["loop_control"]["break_when"]}))
    loop = [{"key": "echo first"}, {"key": "false"}, {"key": f"touch {tmp_path}/last"}]
    run: dict[str, Any] = {"name": "Run", "ansible.builtin.command": "{{ item.key }}", "changed_when": True}
    run |= {"register": kept["register"], "loop": loop, "loop_control": {"break_when": kept["break_when"]}}
    found = playbook(tmp_path, [run])
    assert found.code == 2, found.output
    assert not (tmp_path / "last").exists()

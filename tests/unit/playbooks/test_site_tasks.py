"""A `site` with nothing to do is a few tasks: each costs 0.05 to 0.25 s, whatever it finds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.plugin_support import PROJECT
from tests.unit.variables_support import evaluate, holds, tasks_of

MOST_TASKS = 20
TASK = re.compile(r"^      (?P<name>\S.*?)\tTAGS:", re.MULTILINE)
SKIPPED = {
    "Make first what all layers need": "preflight_linked_services | length > 0 or layers_ledgerless | bool",
    "Publish the images, the code and the static files, if there are any": (
        "publish_wanted | length > 0 or site_functions | length > 0 or site_static | length > 0"
    ),
    "See to what is to be done once the site works": "not site.complete or keep_due | bool or keep_left | length > 0",
    "Bring up the jobs, the services and the domain's name": (
        "not site.complete or layers_edge_unsettled | bool or logins_due | bool or "
        "services_first | jobs_due(publish_live.jobs, site.outputs) | length > 0"
    ),
}
"""Tasks that bring in others when there is something to do, and the condition that leaves them out."""


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The tasks that `site` runs or skips, as Ansible lists them."""
    inventory = tmp_path_factory.mktemp("site") / "hosts.yml"
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}}}))
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "site.yml", "-i", str(inventory), "--list-tasks"],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [match["name"].rpartition(" : ")[2] for match in TASK.finditer(done.stdout)]


def test_a_site_without_a_change_is_few_tasks(listed: list[str]) -> None:
    assert "Bring up the layers" in listed
    assert "Wait until each service runs its release" in listed
    assert len(listed) <= MOST_TASKS, listed


def tasks(value: Any) -> Iterator[dict[str, Any]]:
    """Every task in a file, those of blocks too."""
    if isinstance(value, list):
        for item in value:
            yield from tasks(item)
    elif isinstance(value, dict):
        if "name" in value:
            yield value
        for key in ("tasks", "pre_tasks", "block", "rescue", "always"):
            yield from tasks(value.get(key))


def test_none_of_them_brings_in_others_unless_there_is_something_to_do(listed: list[str]) -> None:
    """The list shows what is imported; what is included would come on top, and what loops is shown once."""
    files = [
        *(PROJECT / "playbooks").glob("*.yml"),
        *(PROJECT / "playbooks/tasks").glob("*.yml"),
        *(PROJECT / "roles").glob("*/tasks/*.yml"),
    ]
    every = [task for file in files for task in tasks(yaml.safe_load(file.read_text())) if task["name"] in listed]
    including = {
        task["name"]: task.get("when")
        for task in every
        if any(key.startswith("ansible.builtin.include_") for key in task)
    }
    assert including == SKIPPED
    assert {task["name"] for task in every} == set(listed)


def test_what_all_layers_need_is_made_first_where_it_is_wanting_and_only_then() -> None:
    """A new account's first load balancer fails without the role; preflight makes nothing."""
    (bring,) = [task for task in tasks_of("playbooks/layers.yml").values() if "first.yml" in str(task)]
    parts = tasks_of("playbooks/tasks/first.yml")
    roles, ledger = (
        parts["Make sure that the service-linked roles exist"],
        parts["Bring up the ledger, where there is none"],
    )
    assert list(parts.values()) == [roles, ledger]
    for wanting, ledgerless in ((["ecs.amazonaws.com"], False), ([], True), ([], False)):
        known = {"preflight_linked_services": wanting, "layers_ledgerless": ledgerless}
        assert holds(bring["when"], known) is bool(wanting or ledgerless)
        assert (holds(roles["when"], known), holds(ledger["when"], known)) == (bool(wanting), ledgerless)
        assert evaluate(roles["service_linked_role"]["services"], known) == wanting
    assert not [
        task for task in tasks_of("roles/preflight/tasks/account.yml").values() if "service_linked_role" in task
    ]

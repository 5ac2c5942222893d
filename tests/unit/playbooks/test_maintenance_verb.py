"""The verb maintenance: the words that people type, and what reaches the load balancer's plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.plugin_support import environment
from tests.unit.plugins.action.test_alb_maintenance import Site, site
from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, holds, tasks_of, variables

__all__ = ["site"]  # the fixture

TASKS = tasks_of("roles/maintenance/tasks/main.yml")
WEB = {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "64m", "ports": ["80"]}}}}


def known(**typed: Any) -> dict[str, Any]:
    given = {"site_prefix": "shop-prod", "role_path": "/roles/maintenance", "site_services": WEB, **typed}
    return variables("roles/maintenance/vars/main.yml", **given)


def asked(**typed: Any) -> dict[str, Any]:
    (task,) = [task for task in TASKS.values() if "alb_maintenance" in task]
    given = {name: value for name, value in task["alb_maintenance"].items() if name != "for_time"}
    return {name: evaluate(value, known(**typed)) for name, value in given.items()}


@pytest.mark.parametrize(
    ("typed", "state"),
    [("on", "on"), ("On", "on"), (True, "on"), ("off", "off"), (False, "off"), ("status", "status"), (None, "status")],
)
def test_what_is_typed_is_understood_as_people_type_it(typed: Any, state: str) -> None:
    given = {} if typed is None else {"maintenance": typed}
    assert asked(**given)["state"] == state
    assert holds(TASKS["Refuse another word"]["ansible.builtin.assert"]["that"], known(**given))
    evaluate(TASKS["Refuse another word"]["ansible.builtin.assert"]["fail_msg"], known(**given))


def test_another_word_is_refused_with_the_nearest() -> None:
    check = TASKS["Refuse another word"]["ansible.builtin.assert"]
    assert not holds(check["that"], known(maintenance="of"))
    said = evaluate(check["fail_msg"], known(maintenance="of"))
    assert said.startswith("maintenance=of is none of on, off and status: ansible-playbook maintenance.yml ")
    assert said.endswith(" -e maintenance=off")


def test_the_page_is_the_site_s_own_or_the_one_that_is_given_out() -> None:
    assert asked(maintenance="on")["page"] == "/roles/maintenance/files/page.html"
    assert asked(maintenance="on", maintenance_page="pages/away.html")["page"] == "pages/away.html"


def test_what_was_written_is_judged_where_it_counts() -> None:
    check = TASKS["Check what was written"]
    assert holds(check["when"], known(maintenance="on"))
    assert not holds(check["when"], known(maintenance="off")), "what is wrong keeps nobody from ending it"


def typed_verb(aws: Cloud, folder: Path, *typed: str) -> subprocess.CompletedProcess[str]:
    """The verb as a person types it, on an inventory of one service."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "hosts.yml").write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}}}))
    (folder / "group_vars").mkdir(exist_ok=True)
    (folder / "group_vars/prod.yml").write_text(yaml.safe_dump({"site_services": WEB}, sort_keys=False))
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = ["ansible-playbook", "maintenance.yml", "-i", str(folder / "hosts.yml"), "-e", json.dumps(IDENTITY)]
    return subprocess.run(
        [*command, *(word for each in typed for word in ("-e", each))],
        cwd=PROJECT, env={**kept, **environment(aws)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.playbook
def test_on_is_seen_by_status_and_ended_by_off(site: Site, tmp_path: Path) -> None:
    done = typed_verb(site.aws, tmp_path, "maintenance=on for=2h")
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.rules.token in done.stdout
    assert "Back soon" in site.answered()
    seen = typed_verb(site.aws, tmp_path)
    assert f"is on until {site.rules.until}, as announced" in seen.stdout
    assert site.rules.token not in seen.stdout
    assert "changed=0" in seen.stdout
    assert "changed=1" in typed_verb(site.aws, tmp_path, "maintenance=off").stdout
    assert not site.rules.ours


@pytest.mark.playbook
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("maintenance=onn", "maintenance=onn is none of on, off and status"),
        ("maintenance=on", "has no load balancer yet. Type: ansible-playbook site.yml"),
        ('{"maintenance": "on", "maintenance_page": "gone.html"}', "is neither HTML nor a file"),
        ('{"maintenance": "on", "maintenance_allowed_cidrs": ["0.0.0.0/0"]}', "lets in the world"),
        ("maintenance=on for=soon", "-e for=soon is no time of a minute to 30 days"),
        ("", "is off"),
    ],
)
def test_it_is_typed_like_the_other_verbs(aws: Cloud, tmp_path: Path, typed: str, says: str) -> None:
    done = typed_verb(aws, tmp_path, *[typed] * bool(typed))
    said = " ".join(done.stdout.split())
    assert says in said, done.stdout + done.stderr
    assert (done.returncode != 0) is bool(typed)

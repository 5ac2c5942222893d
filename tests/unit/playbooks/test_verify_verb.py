"""The verb verify: what it is told of the site, and who asks the databases."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.tests.late_support import LateAws
from plugins.modules import site_verify
from plugins.plugin_utils.aws_action import specification
from tests.unit.playbooks.test_run_verb import SITE
from tests.unit.plugin_support import environment, playbook
from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, holds, tasks_of, variables

TASKS = tasks_of("playbooks/tasks/verify.yml")
TRY, ASK, SHOW = TASKS.values()
ASKED: dict[str, Any] = {"findings": [], "databases": {"main": "db.aws:5432", "new": ""}}


def known(*hosts: str, **more: Any) -> dict[str, Any]:
    found = variables(**SITE) | {"site_prefix": "shop-prod", "groups": {"ecs_hosts": list(hosts)}, "omit": "omitted"}
    return found | {"verify_asked": ASKED} | more


def test_it_is_told_what_the_inventory_describes() -> None:
    given = {name: evaluate(value, known()) for name, value in TRY["site_verify"].items()}
    assert given.keys() <= specification(site_verify.DOCUMENTATION).keys()
    assert (given["prefix"], given["log_prefix"], given["platform"]) == ("shop-prod", "/shop/prod", "linux/amd64")
    assert list(given["services"]) == ["web"]
    assert list(given["jobs"]) == ["migrate", "report", "clean", "poll"]
    assert (given["images"], given["entries"]) == ({}, "omitted")
    arm = evaluate(TRY["site_verify"]["platform"], known(host_instance_type="t4g.small"))
    assert arm == "linux/arm64"


def test_a_release_gives_its_images_and_the_ledger() -> None:
    more = {"verify_images": {"shop/web": "reg/web@sha256:1"}, "verify_entries": [{"release": "r1"}]}
    given = {name: evaluate(value, known(**more)) for name, value in TRY["site_verify"].items()}
    assert (given["images"], given["entries"]) == (more["verify_images"], more["verify_entries"])


def test_the_verb_knows_the_ledger_and_a_release_that_it_replaces_what_answers() -> None:
    """Or the last good release is never asked for, and a site that is down never released."""
    assert tasks_of("playbooks/verify.yml")["Verify"]["vars"]["verify_entries"] == (
        "{{ verify_ledger.entries if verify_ledger.there else omit }}"
    )
    for verb in ("release", "rollback"):
        given = tasks_of(f"playbooks/{verb}.yml")["Try all that it needs"]["vars"]
        assert evaluate(SHOW["verify_report"]["replaced"], known(**given)) is True
    assert evaluate(SHOW["verify_report"]["replaced"], known()) is False


def test_a_ledger_that_lies_elsewhere_is_read_there() -> None:
    reading = [
        task[action]
        for path in sorted((PROJECT / "playbooks").rglob("*.yml"))
        if "vars" not in path.parts
        for task in tasks_of(str(path.relative_to(PROJECT))).values()
        for action in ("ledger_entries", "ledger_show", "environment_lock", "environment_unlock")
        if action in task and task[action].get("state") != "absent"
    ]
    assert len(reading) > 6
    for given in reading:
        assert evaluate(given.get("bucket", ""), known(ledger_bucket="shop-history")) == "shop-history", given


@pytest.mark.parametrize(("hosts", "asked"), [(("i-2", "i-1"), True), ((), False)])
def test_the_databases_that_are_there_are_asked_from_one_host(hosts: tuple[str, ...], asked: bool) -> None:
    there = known(*hosts)
    there |= {name: evaluate(value, there) for name, value in ASK["vars"].items()}
    assert holds(ASK["when"], there) is asked
    assert evaluate(ASK["delegate_to"], there) == ("i-1" if asked else "localhost")
    assert evaluate(ASK["loop"], there) == ["main"]
    assert evaluate(ASK["ansible.builtin.command"]["argv"], {**there, "item": "main"})[-2:] == ["db.aws", "5432"]
    assert evaluate(SHOW["verify_report"]["host"], there) == ("i-1" if asked else "")


@pytest.mark.parametrize(("answer", "code"), [(b"S", 0), (None, 1)])
def test_the_request_is_postgresqls(answer: bytes | None, code: int) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port, heard = server.getsockname()[1], list[bytes]()

    def serve() -> None:
        connection, _ = server.accept()
        heard.append(connection.recv(8))
        connection.sendall(answer or b"")
        connection.close()

    if answer is None:
        server.close()
    else:
        threading.Thread(target=serve, daemon=True).start()
    argv = [*ASK["ansible.builtin.command"]["argv"][:-2], "127.0.0.1", str(port)]
    done = subprocess.run(argv, capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (code, answer or b"")
    if answer:
        assert heard == [bytes.fromhex("00000008 04d2162f")], "length 8, then the number of an SSLRequest"


@pytest.mark.playbook
@pytest.mark.parametrize(
    ("interpreter", "state", "why"),
    [(sys.executable, "WRONG", "Connection refused"), ("/nowhere/python", "NOT ASKED", "i-1 cannot ask: ")],
    ids=["a database that is not there", "a module that cannot run"],
)
def test_an_error_of_the_question_is_told_from_an_answer(
    interpreter: str, state: str, why: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    host = {"name": "i-1", "groups": "ecs_hosts", "ansible_connection": "local"}
    given = {"verify_asked": {"findings": [], "databases": {"main": f"127.0.0.1:{port}"}}, "site_prefix": "shop-prod"}
    tasks = [
        {"name": "Have a host", "ansible.builtin.add_host": host | {"ansible_python_interpreter": interpreter}},
        *(dict(task) | {"vars": task.get("vars", {}) | given} for task in (ASK, SHOW)),
    ]
    done = playbook(tmp_path, json.loads(json.dumps(tasks)))
    lines = [" ".join(each.split()) for each in done.output.splitlines()]
    (line,) = [each for each in lines if each.startswith(f"{state} database.main answers a host")]
    assert why in line


def run(tmp_path: Path, *options: str, **environment: str) -> str:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": local}}}))
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [program, "verify.yml", "-i", str(tmp_path / "hosts.yml"), "-e", json.dumps(IDENTITY), *options]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode
    return done.stdout + done.stderr


@pytest.mark.playbook
def test_a_format_that_there_is_not_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    said = run(tmp_path, "-e", "format=yaml")
    assert f"format is yaml, and it is text or json: ansible-playbook verify.yml -i {tmp_path}/hosts.yml" in said


@pytest.mark.playbook
def test_the_verb_asks_the_embedded_apis_and_tells_all_it_can(
    late_aws: Callable[..., LateAws], aws: Cloud, tmp_path: Path
) -> None:
    """A cluster without hosts and services: nothing is there yet but that, and the verb says so line by line."""
    late = late_aws()
    shell = {**environment(aws), "AWS_ENDPOINT_URL": late.endpoint}
    given = {**IDENTITY, "site_prefix": "shop-prod", **SITE, "site_databases": {"main": {}}}
    options = ["-e", json.dumps(given)]
    said = run(tmp_path, *options, **shell)
    assert "There is no cluster shop-prod, so there is nothing to verify yet. Type: ansible-playbook site.yml" in said

    late.client("ecs").create_cluster(clusterName="shop-prod")
    said = run(tmp_path, *options, **shell)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    for begin in (
        "NOT ASKED service.web/django in the registry shop/web is not published",
        "NOT ASKED database.main answers a host it is not there yet",
        "WRONG service.web a new task fits no host takes tasks now",
    ):
        assert any(each.startswith(begin) for each in lines), said
    assert "The lines WRONG above say why." in said
    assert "Traceback" not in said

    said = run(tmp_path, *options, "-e", "format=json", **shell)
    found = json.loads(said[said.index("{\n") : said.rindex("\n}\n") + 2])
    assert found["site"] == "shop-prod"
    assert found["wrong"] == sum(each["state"] == "WRONG" for each in found["findings"]) > 0

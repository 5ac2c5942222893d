"""The inventory source that sets the environment of a run."""

from __future__ import annotations

import http.server
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[4]
STRAY = {
    "AWS_PROFILE": "somebody-elses",
    "AWS_SESSION_TOKEN": "stray",
    "AWS_ENDPOINT_URL": "",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def port() -> Iterator[int]:
    """Where something answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def inventory(folder: Path, **options: object) -> Path:
    """An inventory directory with the plugin's file and a host that tells a variable of its environment."""
    identity = {"plugin": "environment", "site_name": "shop", "aws_region": "eu-west-1"}
    (folder / "environment.yml").write_text(yaml.safe_dump({**identity, **options}))
    told = "{{ lookup('ansible.builtin.env', 'AWS_ENDPOINT_URL') }} {{ lookup('ansible.builtin.env', 'AWS_PROFILE') }}|"
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"localhost": {"told": told}}}}))
    return folder


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`ansible` with the project's settings, showing the variable `told`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ansible = str(Path(sys.executable).parent / "ansible")
    shown = ["-m", "ansible.builtin.debug", "-a", "var=told"]
    return subprocess.run(
        [ansible, "localhost", "-i", str(folder), *(arguments or shown)],
        env={**clean, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **STRAY, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_run_gets_the_endpoint_and_loses_what_is_stray(tmp_path: Path, port: int) -> None:
    endpoint = f"http://127.0.0.1:{port}"
    done = run(inventory(tmp_path, set={"AWS_ENDPOINT_URL": endpoint}, unset=["AWS_PROFILE"]))
    assert done.returncode == 0, done.stderr
    assert f"told: {endpoint} |" in done.stdout


def test_modules_inherit_it_too(tmp_path: Path, port: int) -> None:
    endpoint = f"http://127.0.0.1:{port}"
    folder = inventory(tmp_path, set={"AWS_ENDPOINT_URL": endpoint})
    done = run(
        folder, "-c", "local", "-m", "ansible.builtin.command", "-a", "printenv AWS_ENDPOINT_URL", "-e",
        f"ansible_python_interpreter={sys.executable}",
    )  # fmt: skip
    assert endpoint in done.stdout


def test_an_endpoint_that_does_not_answer_ends_the_run_with_what_to_type(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    assert closed != port
    done = run(inventory(tmp_path, set={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed}"}, start="make up"))
    assert done.returncode != 0
    assert f"Nothing answers at http://127.0.0.1:{closed}" in done.stderr
    assert "Start the embedded AWS: make up" in done.stderr
    # One sentence, and where it is explained: not what the other inventory plugins think of the file.
    assert done.stderr.strip().splitlines()[1:] == ["See docs/troubleshooting.md#nothing-answers-at"]


@pytest.fixture
def embedded() -> Iterator[Embedded]:
    """An embedded AWS as far as it says which agent its hosts run."""
    with Embedded() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


class Embedded(http.server.HTTPServer):
    """Answers one address of an embedded AWS with `agent`, or nothing there if that is None."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.agent: str | None = ""
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answer(http.server.BaseHTTPRequestHandler):
    """See `Embedded`."""

    server: Embedded

    def do_GET(self) -> None:
        """Answer a GET."""
        there = self.path == "/_local_aws/ecs_agent" and self.server.agent is not None
        self.send_response(200 if there else 404)
        self.end_headers()
        self.wfile.write((self.server.agent or "").encode() if there else b"")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


START = "python -m local_aws up --name test"


def test_the_agent_of_the_inventory_is_the_one_that_runs(tmp_path: Path, embedded: Embedded) -> None:
    """Else the run ends before anything was done, with the commands that start the embedded AWS with it."""
    named = tmp_path / "bin" / "agent"
    folder = inventory(
        tmp_path, set={"AWS_ENDPOINT_URL": embedded.url}, unset=["AWS_PROFILE"], start=START,
        local_ecs_agent="bin/agent",
    )  # fmt: skip
    embedded.agent = str(named)
    assert run(folder).returncode == 0
    command = f"Type: python -m local_aws down --name test; {START} --ecs-agent {named}"
    for embedded.agent, runs in (("", "the stand-in agent"), ("/opt/other", "/opt/other")):
        done = run(folder)
        assert done.returncode == 1
        said = " ".join(done.stderr.split())
        assert f"The hosts of the embedded AWS run {runs}, and local_ecs_agent names {named}. {command}" in said
        assert "See docs/troubleshooting.md#and-local_ecs_agent-names" in said
    embedded.agent = None
    assert "local_ecs_agent is for an embedded AWS, and" in run(folder).stderr


def test_where_nothing_runs_the_command_to_type_names_the_agent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    done = run(inventory(tmp_path, set={"AWS_ENDPOINT_URL": closed}, start=START, local_ecs_agent="/opt/agent"))
    assert f"Start the embedded AWS: {START} --ecs-agent /opt/agent" in " ".join(done.stderr.split())


def test_aws_itself_has_no_use_for_an_agent_of_the_inventory(tmp_path: Path) -> None:
    done = run(inventory(tmp_path, local_ecs_agent="/opt/agent"))
    assert done.returncode == 1
    assert "where local_ecs_agent is for nothing. Take it out there." in " ".join(done.stderr.split())


def test_aws_itself_refuses_a_stray_endpoint(tmp_path: Path) -> None:
    done = run(inventory(tmp_path), AWS_ENDPOINT_URL="http://127.0.0.1:4566", AWS_ENDPOINT_URL_S3="http://x")
    assert done.returncode != 0
    assert "Type: unset AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3" in done.stderr


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ("", "No AWS credentials were found. Name a profile"),
        ("nobody", "profile (nobody) could not be found"),
    ],
)
def test_aws_itself_needs_credentials(tmp_path: Path, profile: str, sentence: str) -> None:
    folder = inventory(tmp_path, unset=[] if profile else ["AWS_PROFILE"])
    done = run(folder, AWS_PROFILE=profile)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_aws_itself_with_credentials_is_left_as_it_is(tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "not-a-secret-5d1e"}
    done = run(inventory(tmp_path, unset=["AWS_PROFILE"]), **keys)
    assert done.returncode == 0, done.stderr
    assert "told: ' |'" in done.stdout


def test_the_environments_of_the_project_name_the_ports_of_the_embedded_aws() -> None:
    from local_aws.cloud import ACCESS_KEY, SECRET_KEY
    from local_aws.config import CONFIGS

    for name, config in CONFIGS.items():
        given = yaml.safe_load((PROJECT / "inventories" / name / "environment.yml").read_text())
        assert given["set"]["AWS_ENDPOINT_URL"] == config.endpoint
        assert (given["set"]["AWS_ACCESS_KEY_ID"], given["set"]["AWS_SECRET_ACCESS_KEY"]) == (ACCESS_KEY, SECRET_KEY)
        assert {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"} <= set(given["unset"])


def test_calls_are_repeated_ten_times_unless_somebody_says_otherwise(tmp_path: Path, port: int) -> None:
    folder = inventory(tmp_path, set={"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
    names = "'AWS_RETRY_MODE','AWS_MAX_ATTEMPTS'"
    shown = ["-m", "ansible.builtin.debug", "-a", f"msg={{{{lookup('ansible.builtin.env',{names},wantlist=true)}}}}"]
    assert re.search(r"adaptive\s*- '10'", run(folder, *shown).stdout)
    said = run(folder, *shown, AWS_RETRY_MODE="standard", AWS_MAX_ATTEMPTS="3").stdout
    assert re.search(r"standard\s*- '3'", said)

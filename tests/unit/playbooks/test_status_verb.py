"""The verb status, through ansible-playbook: what it shows of a site that is not up, its exit status, its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.playbooks.test_run_verb import SITE
from tests.unit.plugin_support import environment, shell
from tests.unit.variables_support import IDENTITY, PROJECT

pytestmark = pytest.mark.playbook


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    """The verb on a site of its own."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"prod": {"hosts": {"localhost": local}}}))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE, sort_keys=False))
    identity = " ".join(f"{name}={value}" for name, value in IDENTITY.items())
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return [program, str(PROJECT / "status.yml"), "-i", str(tmp_path / "hosts.yml"), "-e", identity]


def run(aws: Cloud, typed: list[str], folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*typed, *options], cwd=folder, env=shell(environment(aws)), capture_output=True, text=True, check=False
    )


def a_stack(aws: Cloud, name: str) -> None:
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SQS::Queue"}}})
    aws.client("cloudformation").create_stack(StackName=name, TemplateBody=body)


def test_a_site_that_is_not_up_is_not_well(aws: Cloud, typed: list[str], tmp_path: Path) -> None:
    done = run(aws, typed, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "site: is not up: it has no stack here\n    ansible-playbook " in done.stdout
    assert "shop-prod is not well: site is not up: it has no stack here." in " ".join(done.stdout.split())
    assert "docs/troubleshooting.md#is-not-well" in done.stdout
    assert "\x1b[" not in done.stdout


def test_the_json_of_a_half_made_site_can_be_cut_out(aws: Cloud, typed: list[str], tmp_path: Path) -> None:
    a_stack(aws, "shop-prod-network")
    a_stack(aws, "shop-prodigy-network")
    done = run(aws, typed, tmp_path, "-e", "format=json", "--check")
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    model = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    assert [each["name"] for each in model["stacks"]] == ["shop-prod-network"]
    assert model["wrong"][0]["what"].startswith("is not all there: certificate, cluster, service.web")
    assert model["unasked"] == []


def test_the_page_is_written_where_one_stands(aws: Cloud, typed: list[str], tmp_path: Path) -> None:
    assert run(aws, typed, tmp_path, "-e", "format=html").returncode == 1
    assert "<h1>shop <span>prod</span></h1>" in (tmp_path / "status.prod.html").read_text()
    done = run(aws, typed, tmp_path, "-e", "format=html", "-e", f"output={tmp_path}/none/x.html")
    assert done.returncode == 2
    assert "cannot be written to" in done.stdout


def test_a_form_that_there_is_not_is_refused_without_aws(typed: list[str]) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    command = [*typed, "-e", "format=jsno"]
    done = subprocess.run(command, cwd=PROJECT, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "-e format=json" in " ".join(done.stdout.split())

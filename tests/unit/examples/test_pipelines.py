"""The pipelines are what their services take, type verbs and variables that there are, and hold what is secret back."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.plugin_support import PROJECT

PIPELINES = PROJECT / "examples/pipelines"
GITHUB, GITLAB, BAMBOO = (
    PIPELINES / name for name in ("github/release.yml", "gitlab/.gitlab-ci.yml", "bamboo/bamboo.yml")
)
SCHEMAS: dict[Path, list[tuple[str, ...]]] = {
    GITHUB: [("vendor.github-workflows",), ("custom.github-workflows-require-timeout",)],
    GITLAB: [("vendor.gitlab-ci", "--data-transform", "gitlab-ci")],
    BAMBOO: [("vendor.bamboo-spec",)],
}
"""Pipeline → schemas that check-jsonschema carries, with its options.

Not actionlint: what PyPI has under that name downloads it from elsewhere.
"""


def judged(path: Path, schema: tuple[str, ...]) -> str:
    """What is wrong with a pipeline by a schema; empty if nothing is."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(("path", "schema"), [(path, schema) for path, each in SCHEMAS.items() for schema in each])
def test_a_pipeline_is_what_its_service_takes(path: Path, schema: tuple[str, ...]) -> None:
    assert judged(path, schema) == ""


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        (GITHUB, "timeout-minutes: 15", "timeout-minutes: soon"),
        (GITLAB, "interruptible: false", "interruptible: maybe"),
        (BAMBOO, "period: 180", "period: often"),
    ],
)
def test_what_its_service_does_not_take_is_found(tmp_path: Path, path: Path, right: str, wrong: str) -> None:
    other = tmp_path / path.name
    other.write_text(path.read_text().replace(right, wrong))
    assert judged(other, SCHEMAS[path][0]) != ""


def texts(value: Any) -> Iterator[str]:
    """Every text in a pipeline."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def commands(path: Path) -> list[list[str]]:
    """The verbs that a pipeline types, as a shell reads them."""
    lines = [line for text in texts(yaml.safe_load(path.read_text())) for line in text.splitlines()]
    return [shlex.split(line) for line in lines if "ansible-playbook" in line]


def complaints(command: list[str]) -> list[str]:
    """What is wrong with a verb as it is typed, each in a word."""
    program, playbook, *options = command
    verb = playbook.removeprefix("berth/")
    if program != "ansible-playbook" or not playbook.startswith("berth/") or not (PROJECT / verb).is_file():
        return [playbook]
    read = "\n".join(
        path.read_text() for path in [PROJECT / "playbooks" / verb, *read_by(PROJECT / "playbooks" / verb)]
    )
    given = [value.partition("=")[0] for option, value in itertools.pairwise(options) if option == "-e"]
    return [name for name in given if not re.search(rf"\b{name}\b", read)] + (["-i"] if "-i" not in options else [])


def read_by(playbook: Path) -> list[Path]:
    """The task files that a playbook brings in."""
    names = re.findall(r"(?:import|include)_tasks: (\S+\.yml)", playbook.read_text())
    return [playbook.parent / name for name in names]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_verbs_and_variables_that_a_pipeline_types_are_there(path: Path) -> None:
    typed = commands(path)
    assert {each[1].removeprefix("berth/") for each in typed} >= {"plan.yml", "release.yml"}
    assert {" ".join(each): complaints(each) for each in typed if complaints(each)} == {}


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("ansible-playbook berth/restart.yml -i live -e service=web", []),
        ("ansible-playbook berth/restat.yml -i live -e service=web", ["berth/restat.yml"]),
        ("ansible-playbook berth/restart.yml -i live -e servcie=web", ["servcie"]),
        ("ansible-playbook berth/restart.yml -e service=web", ["-i"]),
    ],
)
def test_a_verb_or_a_variable_that_is_not_there_is_found(typed: str, wrong: list[str]) -> None:
    assert complaints(shlex.split(typed)) == wrong


def test_nothing_that_a_person_types_becomes_part_of_a_command() -> None:
    """https://docs.github.com/en/actions/concepts/security/script-injections"""
    jobs = yaml.safe_load(GITHUB.read_text())["jobs"]
    assert not [step["run"] for job in jobs.values() for step in job["steps"] if "${{" in step.get("run", "")]


def test_a_token_is_given_to_jobs_of_an_environment_alone_and_releases_wait_for_each_other() -> None:
    workflow = yaml.safe_load(GITHUB.read_text())
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    for name, job in jobs.items():
        assert job["permissions"]["id-token"] == "write", name
        assert job["environment"] == ("plan" if name == "plan" else "prod")
        (role,) = [step["with"]["role-to-assume"] for step in job["steps"] if "aws-actions" in step.get("uses", "")]
        assert ("PLAN" in role) is (name == "plan")
    assert jobs["release"]["concurrency"] == jobs["rollback"]["concurrency"]
    assert jobs["release"]["concurrency"]["cancel-in-progress"] is False
    readme = (PIPELINES / "README.md").read_text()
    for environment in ("plan", "prod"):
        assert f'["repo:acme/shop:environment:{environment}"]' in readme


def test_no_pipeline_knows_a_key() -> None:
    for path in SCHEMAS:
        assert not re.search(r"AWS_SECRET_ACCESS_KEY|AWS_ACCESS_KEY_ID|secrets\.", path.read_text()), path

"""docs/tutorial.md, typed to the letter on a copy of the project, as far as it goes without hosts.

What needs hosts and containers is typed in tests/e2e/test_examples.py, for the same site from the same files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local_aws.cloud import Cloud
from scripts.pages.markdown import section
from tests.unit.inventories.test_new_inventory import PARTS, PROJECT, environment

pytestmark = pytest.mark.playbook

PAGE = (PROJECT / "docs/tutorial.md").read_text()
GO = "ansible-playbook site.yml -i inventories/live"
"""The one command of its section that needs hosts."""


def commands(anchor: str) -> list[str]:
    """What a section of the page says to type."""
    return re.findall(r"^\$ (.+)$", section(PAGE, anchor)[1], re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project as a person has it."""
    copy = tmp_path / "berth"
    for part in (*PARTS, "examples/django_rds", "site.yml"):
        source = PROJECT / part
        (copy / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / part)
    return copy


def test_an_inventory_is_made_found_right_and_planned(project: Path, aws: Cloud) -> None:
    typed = commands("4-on-an-account")
    assert typed.count(GO) == 1
    # No engine answers: whether the image is there is then said to be seen later.
    shell = environment(project, aws) | {"DOCKER_HOST": "tcp://127.0.0.1:9"}
    said = ""
    for command in (each for each in typed if each != GO):
        done = subprocess.run(
            ["bash", "-c", command], cwd=project, env=shell, capture_output=True, text=True, timeout=300, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{said}"
    assert "+ stack shop-live-service-web" in said
    assert "+ stack shop-live-database-main" in said
    assert aws.client("cloudformation").describe_stacks()["Stacks"] == []


def test_the_site_is_the_one_that_is_run_from_end_to_end() -> None:
    assert "examples/django_rds/local" in " ".join(commands("3-on-this-machine"))
    assert '"django_rds"' in (PROJECT / "tests/e2e/test_examples.py").read_text()

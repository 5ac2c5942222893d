"""docs/tutorial.md, typed to the letter on a copy of the project, as far as it goes without hosts.

What needs hosts and containers is typed in tests/e2e/test_tutorial_typed.py.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local_aws.cloud import Cloud
from scripts.pages.markdown import section
from tests.e2e.test_tutorial_typed import PROMISES
from tests.tutorial import ACCOUNT, Shown, Typed, of_the_page, steps
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


def test_what_wants_an_account_is_marked_and_nothing_else_is() -> None:
    """All that has no mark is typed, so a mark in a wrong place would leave something out."""
    typed = [step for step in of_the_page() if isinstance(step, Typed)]
    assert {step.wants for step in typed} == {"", ACCOUNT}
    asks = re.compile(r"^ansible-playbook (?!.* -e preflight_account=false$).* -i inventories/live\b")
    assert [step.command for step in typed if step.wants] == [
        step.command for step in typed if asks.match(step.command)
    ]
    assert GO in [step.command for step in typed if step.wants]


def test_of_every_other_command_something_is_promised_and_looked_at() -> None:
    typed = [step.command for step in of_the_page() if isinstance(step, Typed) and not step.wants]
    assert typed == [command for command, _ in PROMISES]


def test_every_file_that_the_page_shows_is_shown_as_it_stands() -> None:
    files = {step.path: step.text for step in of_the_page() if isinstance(step, Shown)}
    assert len(files) == PAGE.count("<!-- from: ")
    assert files == {path: (PROJECT / path).read_text() for path in files}


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("```console\n$ a\nsaid\n```\n", "'said' is no command"),
        ("<!-- wants: an-account -->\n\nText\n\n```console\n$ a\n```\n", "belongs right above a block"),
    ],
)
def test_a_page_that_cannot_be_typed_is_refused(page: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        list(steps(page))


def test_a_mark_is_about_one_block() -> None:
    page = "## A\n\n<!-- wants: an-account -->\n\n```console\n$ a\n$ b\n```\n\n```console\n$ c\n```\n\n```\n$ d\n```\n"
    assert list(steps(page)) == [Typed("a", "a", ACCOUNT), Typed("a", "b", ACCOUNT), Typed("a", "c", "")]

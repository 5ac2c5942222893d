"""Whether a first release has its images is seen before anything is made, and never guessed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from tests.unit.plugin_support import Run, environment, playbook

pytestmark = pytest.mark.playbook

DOCKER = """#!/bin/sh
case "$5" in
  legacy-site/*) echo sha256:0123456789abcdef ;;
  *) echo "Error response from daemon: No such image: $5" >&2; exit 1 ;;
esac
"""
AWAY = """#!/bin/sh
echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock." >&2; exit 1
"""


def look(aws: Cloud, tmp_path: Path, docker: str, **given: Any) -> Run:
    """Run the look with a `docker` of its own; nothing is live."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(docker)
    (tmp_path / "bin/docker").chmod(0o755)
    known = {
        "site_prefix": "legacy-unit",
        "publish_select": "live",
        "site_containers": {"nginx": {"port": 80}, "django": {}},
        "site_images": {"django": "legacy-site/django", "nginx": "legacy-site/nginx"},
    }
    include = {"name": "publish", "tasks_from": "before"}
    tasks = [{"name": "Look", "ansible.builtin.include_role": include, "vars": known | given}]
    return playbook(tmp_path, tasks, **environment(aws), PATH=f"{tmp_path}/bin:{os.environ['PATH']}")


def test_images_that_are_there_are_not_spoken_of(aws: Cloud, tmp_path: Path) -> None:
    run = look(aws, tmp_path, DOCKER)
    assert run.code == 0, run.output
    assert "Could not ask" not in run.output


@pytest.mark.parametrize(("image", "hint"), [("shop/django:1", False), ("shop/legacy-site/django", False)])
def test_a_missing_image_is_told_with_a_hint_for_the_examples_only(
    aws: Cloud, tmp_path: Path, image: str, hint: bool
) -> None:
    run = look(aws, tmp_path, DOCKER, site_images={"django": image, "nginx": "legacy-site/nginx"})
    assert run.code == 2
    assert f"This machine has no image {image}. Build it, or name another in" in " ".join(run.output.split())
    assert ("For the example" in run.output) is hint


def test_the_examples_own_image_has_the_hint(aws: Cloud, tmp_path: Path) -> None:
    run = look(aws, tmp_path, DOCKER.replace("legacy-site/*", "other/*"))
    assert "For the example: python examples/legacy_site/build.py" in " ".join(run.output.split())


def test_an_engine_that_does_not_answer_is_said_and_is_no_missing_image(aws: Cloud, tmp_path: Path) -> None:
    run = look(aws, tmp_path, AWAY)
    assert run.code == 0, run.output
    said = " ".join(run.output.split())
    assert "Could not ask the Docker engine of this machine" in said
    assert "Cannot connect to the Docker daemon" in said

"""docs/your-site.md says what is true: its examples pass the rules, its names and numbers are the templates'."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from plugins.filter.checks import container_problems

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs/your-site.md").read_text()
DEFAULTS: dict[str, Any] = yaml.safe_load((PROJECT / "group_vars/all/task.yml").read_text())


def examples() -> dict[str, Any]:
    """The YAML of the page, variable to value."""
    found: dict[str, Any] = {}
    for block in re.findall(r"^```yaml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL):
        found |= yaml.safe_load(block)
    return found


def test_the_examples_pass_the_rules() -> None:
    """Each is a part of a whole; what it leaves out is the default's."""
    changed = {"django": DEFAULTS["site_containers"]["django"] | examples()["site_containers"]["django"]}
    assert container_problems({**DEFAULTS["site_containers"], **changed}) == []
    once = examples()["site_once"]
    assert once.pop("container") in DEFAULTS["site_containers"]
    assert container_problems({"django": once | {"port": 80}}) == []


def test_one_container_alone_will_do() -> None:
    django = DEFAULTS["site_containers"]["django"]
    assert container_problems({"django": django | {"port": 8000}}) == []
    assert container_problems({"web": django | {"port": 8000}}) != []


def test_names_and_numbers_are_those_of_the_templates() -> None:
    cluster = (PROJECT / "cloudformation/cluster.yml").read_text()
    assert "HealthCheckIntervalSeconds: 10" in cluster
    assert 'Matcher: {HttpCode: "200"}' in cluster
    assert "every 10 seconds" in PAGE
    assert 'LogGroupName: !Sub "/${SiteName}/${EnvironmentName}"' in cluster
    assert "`/<site_name>/<environment_name>`" in PAGE
    data = (PROJECT / "cloudformation/data.yml").read_text()
    assert 'Name: !Sub "${SiteName}-${EnvironmentName}/admin"' in data
    assert "<site_name>-<environment_name>/admin" in PAGE
    health = yaml.safe_load((PROJECT / "group_vars/all/cluster.yml").read_text())["health_path"]
    assert f"`health_path` (`{health}`)" in PAGE


def test_every_file_that_it_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (PROJECT / "docs" / target).exists(), target

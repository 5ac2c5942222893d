"""`patch` of an entry: laid over its own template, which stays one that CloudFormation takes."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from tests.unit.cloudformation.test_noun_service_templates import CONTAINER, FLOWERS, ROUTE, TASK
from tests.unit.noun_support import body, made
from tests.unit.variables_support import LOADER

CONSTRAINT = [{"Type": "distinctInstance"}]
PATCHES: dict[str, dict[str, Any]] = {
    "volume.media": {"FileSystem.ThroughputMode": "elastic"},
    "database.main": {"Database.PreferredBackupWindow": "03:00-04:00", "Database.MonitoringInterval": 0},
    "service.web": {
        "TaskDefinition.PidMode": "host",
        "TaskDefinition.ContainerDefinitions.web.StartTimeout": 60,
        "Service.PlacementConstraints": CONSTRAINT,
    },
    "job.nightly": {"Schedule.Target.RetryPolicy.MaximumEventAgeInSeconds": 60},
}


def layers(patches: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A layer of some nouns, each with its patch."""
    nouns = ("volume", "database", "service", "job")
    given: dict[str, Any] = {
        "site_volumes": {"media": {"patch": patches.get("volume.media", {})}, "other": {}},
        "site_databases": {"main": {"patch": patches.get("database.main", {})}},
        "service": {"web": {**TASK, "routes": [ROUTE], "patch": patches.get("service.web", {})}},
        "job": {"nightly": {**TASK, "schedule": "rate(1 hour)", "patch": patches.get("job.nightly", {})}},
    }
    return made(given, nouns)


def template(layer: dict[str, Any]) -> dict[str, Any]:
    found, problems = decode_str(body(layer))
    assert found is not None, problems
    return dict(found)


def laid_over(resources: dict[str, Any], path: str, value: Any) -> None:
    """The same by hand; a container is found by its name."""
    resource, *steps, last = path.split(".")
    where = resources[resource]["Properties"]
    for step in steps:
        where = next(each for each in where if each["Name"] == step) if isinstance(where, list) else where[step]
    where[last] = value


@pytest.fixture(scope="module")
def plain() -> dict[str, dict[str, Any]]:
    return layers({})


@pytest.fixture(scope="module")
def patched() -> dict[str, dict[str, Any]]:
    return layers(PATCHES)


def test_a_patch_changes_what_it_names_and_nothing_else(
    plain: dict[str, dict[str, Any]], patched: dict[str, dict[str, Any]]
) -> None:
    for name, patches in PATCHES.items():
        wanted = copy.deepcopy(template(plain[name]))
        for path, value in patches.items():
            laid_over(wanted["Resources"], path, value)
        assert template(patched[name]) == wanted, name
        assert template(patched[name]) != template(plain[name]), name
        assert {**patched[name], "template_body": ""} == {**plain[name], "template_body": ""}
    assert patched["volume.other"]["template_body"] == plain["volume.other"]["template_body"]
    (container,) = template(patched["service.web"])["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    assert container == CONTAINER | {"StartTimeout": 60}
    assert FLOWERS in body(patched["service.web"]), "what is no ASCII stands in it as itself"


def test_a_patched_template_is_clean_for_cfn_lint(patched: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    for name in PATCHES:
        (tmp_path / f"{name}.yml").write_text(body(patched[name]))
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "--", *tmp_path.glob("*.yml")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_patch_as_ansible_reads_it_is_written_as_it_stands(tmp_path: Path) -> None:
    """Ansible's texts and numbers remember where they were written, and YAML writes none of these."""
    (tmp_path / "patch.yml").write_text("Service.Tags: [{Key: a, Value: '1', n: 1, t: 1.5, b: true, e: }]\n")
    made = layers({"service.web": LOADER.load_from_file(str(tmp_path / "patch.yml"))})
    tags = template(made["service.web"])["Resources"]["Service"]["Properties"]["Tags"]
    assert tags == [{"Key": "a", "Value": "1", "n": 1, "t": 1.5, "b": True, "e": None}]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("volume.media", "FileSytem.ThroughputMode"),
        ("service.web", "Task.PidMode"),
        ("service.web", "TaskDefinition.ContainerDefinitions.wen.StartTimeout"),
        ("service.web", "TaskDefinition.ContainerDefinitions.web"),
        ("service.web", "TaskDefinition.NetworkMode.Name"),
    ],
)
def test_a_patch_that_leads_nowhere_is_refused_with_the_resources_that_there_are(name: str, path: str) -> None:
    with pytest.raises(LookupError) as caught:
        layers({name: {path: 1}})
    said = str(caught.value)
    assert f"its patch {path} leads nowhere in the template of {name}; it has the resources " in said
    resources = {"volume.media": "FileSystem, SecurityGroup", "service.web": "TaskDefinition, TargetGroupweb"}
    assert resources[name] in said

"""A permissions boundary by reference: on every role of a site, or on none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from plugins.plugin_utils.layers import parsed
from plugins.plugin_utils.roles import ROLE, bounded
from tests.unit.noun_support import Deployed, body, made
from tests.unit.plugin_support import PROJECT, talk_to

ARN = "arn:aws:iam::123456789012:policy/boundary"
OTHER = "arn:aws:iam::123456789012:policy/team/other"
SITE: dict[str, Any] = {
    "site_jobs": {"report": {"image": "registry.test/some:1", "mem_limit": "64m", "schedule": "0 3 * * *"}},
    "site_functions": {
        "hello": {
            "code": str(PROJECT / "roles/function/files/example"), "handler": "app.handler", "runtime": "python3.13",
            "routes": ["GET /hello/{name}"],
        }
    },
    "deployer_subjects": ["repo:acme/shop:environment:prod"],
    "deployer_plan_subjects": ["repo:acme/shop:environment:plan"],
}  # fmt: skip
NOUNS = ("service", "job", "function", "deployer")


def boundaries(text: str) -> dict[str, str]:
    """Logical id of each role → its boundary, empty if it has none."""
    resources = parsed(text)["Resources"].items()
    return {name: each["Properties"].get("PermissionsBoundary", "") for name, each in resources if each["Type"] == ROLE}


@pytest.mark.parametrize("path", sorted((PROJECT / "cloudformation").glob("*.yml")), ids=lambda path: path.stem)
def test_each_role_of_each_template_has_it(path: Path) -> None:
    """Whatever the inventory chooses: the lines that choose are comments here."""
    text = path.read_text()
    assert set(boundaries(text).values()) <= {""}, "it is laid over them all in one place"
    assert set(boundaries(bounded(text, ARN)).values()) <= {ARN}
    assert bounded(text, "") == text
    assert ROLE in text or bounded(text, ARN) == text, "what has no role stays as it is written"


def test_the_layers_of_a_site_have_it_and_without_the_variable_have_none() -> None:
    bound, free = made({**SITE, "site_permissions_boundary": ARN}, NOUNS), made(SITE, NOUNS)
    assert set(bound) == set(free) == {"service.some", "job.report", "function.hello", "deployer"}
    for name, layer in bound.items():
        assert set(boundaries(body(layer)).values()) == {ARN}, name
        assert set(boundaries(body(free[name])).values()) == {""}, name
        assert layer["parameters"] == free[name]["parameters"]


def test_an_entry_that_is_patched_has_it_too() -> None:
    patch = {"TaskRole.MaxSessionDuration": 7200}
    given = {"site_jobs": {"report": {**SITE["site_jobs"]["report"], "patch": patch}}}
    text = body(made({**given, "site_permissions_boundary": ARN}, ("job",))["job.report"])
    assert set(boundaries(text).values()) == {ARN}
    assert parsed(text)["Resources"]["TaskRole"]["Properties"]["MaxSessionDuration"] == 7200


def test_they_are_clean_for_cfn_lint_as_they_are_deployed(tmp_path: Path) -> None:
    for name, layer in made({**SITE, "site_permissions_boundary": ARN}, NOUNS).items():
        (tmp_path / f"{name}.yml").write_text(body(layer))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1", "--"]
    run = subprocess.run(
        [*command, *map(str, sorted(tmp_path.glob("*.yml")))], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_roles_that_are_there_get_it_change_it_and_lose_it(
    aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk_to(aws, monkeypatch)
    site, iam = Deployed(aws, stacks), aws.client("iam")
    given = {"deployer_subjects": SITE["deployer_subjects"]}
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    for arn in (ARN, OTHER):
        path, _, name = arn.partition(":policy")[2].rpartition("/")
        iam.create_policy(PolicyName=name, Path=f"{path}/", PolicyDocument=document)

    def deployed(**more: str) -> str:
        layer = made({**given, **more}, ("deployer",))["deployer"]
        result = site.run("deployer", layer)
        assert not result.get("failed"), result
        assert not site.run("deployer", layer)["changed"]
        role = stacks.physical(site.name(layer))["ReleaseRole"]
        return str(iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))

    assert deployed() == ""
    assert deployed(site_permissions_boundary=ARN) == ARN
    assert deployed(site_permissions_boundary=OTHER) == OTHER
    assert deployed() == ""


def test_one_that_the_account_has_not_is_told_with_what_to_set(
    aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk_to(aws, monkeypatch)
    layer = made({"deployer_subjects": SITE["deployer_subjects"], "site_permissions_boundary": ARN}, ("deployer",))
    result = Deployed(aws, stacks).run("deployer", layer["deployer"])
    assert result["failed"]
    assert f"Scope ARN: {ARN} does not exist or is not attachable." in result["msg"]
    assert "Set site_permissions_boundary to the ARN of a policy that the account has" in result["msg"]

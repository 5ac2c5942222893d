"""The roles of a pipeline, as their template is rendered, and as CloudFormation makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode_str

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from tests.unit.noun_support import Deployed, body, made
from tests.unit.plugin_support import talk_to

PROD, PLAN = "repo:acme/shop:environment:prod", "repo:acme/shop:environment:plan"
HOST = "token.actions.githubusercontent.com"
ARN = f"arn:aws:iam::123456789012:oidc-provider/{HOST}"


def layer(**variables: Any) -> dict[str, Any]:
    return made(variables, ("deployer",))["deployer"]


def template(**variables: Any) -> dict[str, Any]:
    found, problems = decode_str(body(layer(**variables)))
    assert found is not None, problems
    return dict(found)


def test_a_role_trusts_who_is_named_by_issuer_audience_and_subject() -> None:
    found = template(deployer_subjects=[PROD])["Resources"]
    assert set(found) == {"Provider", "ReleaseRole"}
    (trust,) = found["ReleaseRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Principal"] == {"Federated": {"Ref": "Provider"}}
    assert trust["Condition"] == {"StringEquals": {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": [PROD]}}
    assert found["Provider"]["Properties"] == {"Url": f"https://{HOST}", "ClientIdList": ["sts.amazonaws.com"]}


def test_the_account_s_own_provider_is_named_and_another_issuer_too() -> None:
    given = {"deployer_issuer": "https://gitlab.com", "deployer_audience": "https://gitlab.com"}
    arn = "arn:aws:iam::123456789012:oidc-provider/gitlab.com"
    found = template(
        deployer_plan_subjects=["project_path:a/b:ref_type:branch:ref:c"], deployer_provider_arn=arn, **given
    )
    assert set(found["Resources"]) == {"PlanRole"}
    (trust,) = found["Resources"]["PlanRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Federated": arn}
    assert set(trust["Condition"]["StringEquals"]) == {"gitlab.com:aud", "gitlab.com:sub"}
    assert set(found["Outputs"]) == {"PlanRoleArn"}


def test_what_stands_in_the_template_itself_is_narrow_too() -> None:
    found = template(deployer_subjects=[PROD], deployer_plan_subjects=[PLAN])["Resources"]
    release = found["ReleaseRole"]["Properties"]["Policies"][1]["PolicyDocument"]["Statement"][0]
    assert (release["Action"], release["Resource"]) == ("ecs:DeregisterTaskDefinition", "*")
    assert release["Condition"] == {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}
    (plan,) = found["PlanRole"]["Properties"]["Policies"][1]["PolicyDocument"]["Statement"]
    assert plan["Action"] == ["cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet"]
    assert plan["Resource"]["Fn::Sub"].endswith(":stack/shop-unit-*/*")


@pytest.mark.parametrize(
    "given",
    [
        {"deployer_subjects": [PROD], "deployer_plan_subjects": [PLAN]},
        {"deployer_subjects": [PROD], "deployer_provider_arn": ARN},
        {"deployer_plan_subjects": [PLAN]},
    ],
    ids=["both", "an account's own provider", "a plan alone"],
)
def test_it_is_clean_for_cfn_lint_as_it_is_deployed(given: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "deployer.yml"
    path.write_text(body(layer(**given)))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", "us-east-1", "--", str(path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_without_anybody_there_is_none() -> None:
    assert made({}, ("deployer",)) == {}
    assert set(made({"deployer_subjects": [PROD]}, ("deployer",))) == {"deployer"}


def test_cloudformation_makes_them(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    given = layer(deployer_subjects=[PROD], deployer_plan_subjects=[PLAN])
    site = Deployed(aws, stacks)
    result = site.run("deployer", given)
    assert not result.get("failed"), result
    iam = aws.client("iam")
    assert [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]] == [ARN]
    roles = stacks.physical(site.name(given))
    trust = iam.get_role(RoleName=roles["ReleaseRole"])["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Federated": ARN}
    assert iam.list_role_policies(RoleName=roles["ReleaseRole"])["PolicyNames"] == ["look", "release"]
    release = iam.get_role_policy(RoleName=roles["ReleaseRole"], PolicyName="release")["PolicyDocument"]
    assert "arn:aws:ecr:us-east-1:123456789012:repository/shop-unit/*" in str(release)
    assert iam.list_role_policies(RoleName=roles["PlanRole"])["PolicyNames"] == ["look", "plan"]
    assert not site.run("deployer", given)["changed"]

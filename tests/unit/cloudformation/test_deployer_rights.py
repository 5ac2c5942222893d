"""A pipeline's roles: without any one action of any one statement, something that it calls is denied.

What it calls: what the plugins call, by a scan (scripts/rights/calls.py); what CloudFormation calls, by AWS's schemas,
for the types that a release changes; and a push. A plan looks, and has CloudFormation say what would change.
"""

from __future__ import annotations

import functools

import pytest

from local_aws.cloud import Cloud
from local_aws.iam.evaluate import Policy
from local_aws.tests.stack_support import Stacks
from scripts import operator_policy
from scripts.rights import calls, handlers, iam
from tests.unit.cloudformation.test_deployer_template import PLAN, PROD, layer
from tests.unit.noun_support import Deployed
from tests.unit.plugin_support import talk_to
from tests.unit.rights_support import Entry, Json, allowed, entries, policies, requests, unneeded

ROLES = ("ReleaseRole", "PlanRole")
CHANGED = ("AWS::ECS::TaskDefinition", "AWS::ECS::Service", "AWS::Scheduler::Schedule", "AWS::Lambda::Function")
"""What a release gives another image, command or code."""


@functools.cache
def needed() -> frozenset[str]:
    """The actions that are known to be needed."""
    called = {call for made in calls.scanned().values() for call in made}
    called |= {call for made in calls.of_collections().values() for call in made}
    found = {action for call in called for action in calls.actions(*call)} | {"sts:GetCallerIdentity"}
    found |= {action for actions in operator_policy.BY_HAND.values() for action in actions}
    by_stacks = handlers.needed({action.partition(":")[0] for action in found})
    looked_at = {action for action in by_stacks if iam.LOOKING.match(action)}
    changed = {
        action
        for kind in CHANGED
        for action in handlers.schema(kind)["handlers"]["update"]["permissions"]
        if action in by_stacks
    }
    return frozenset(found | looked_at | changed)


def unneeded_of(found: dict[str, Json]) -> list[str]:
    """What is wrong with the policies of a role."""
    whole = policies(found)
    wanted = {entry: list(requests(found, entry, needed())) for entry in entries(found)}
    assert not [entry for entry, asked in wanted.items() if not all(allowed(each, whole) for each in asked)]

    def denied(less: tuple[Policy, ...], entry: Entry) -> bool:
        return any(not allowed(each, less) for each in wanted[entry])

    return unneeded(found, denied, {})


@pytest.fixture
def made(aws: Cloud, stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Json]]:
    """Role → its policies by name, as CloudFormation makes them."""
    talk_to(aws, monkeypatch)
    site, given = Deployed(aws, stacks), layer(deployer_subjects=[PROD], deployer_plan_subjects=[PLAN])
    result = site.run("deployer", given)
    assert not result.get("failed"), result
    client, ids = aws.client("iam"), stacks.physical(site.name(given))
    return {
        role: {
            name: client.get_role_policy(RoleName=ids[role], PolicyName=name)["PolicyDocument"]
            for name in client.list_role_policies(RoleName=ids[role])["PolicyNames"]
        }
        for role in ROLES
    }


@pytest.mark.parametrize("role", ROLES)
def test_without_any_one_action_some_call_is_denied(role: str, made: dict[str, dict[str, Json]]) -> None:
    assert "\n".join(unneeded_of(made[role])) == ""


def test_a_right_that_no_release_needs_is_found(made: dict[str, dict[str, Json]]) -> None:
    found = made["ReleaseRole"]
    found["release"]["Statement"].append({"Effect": "Allow", "Action": "ecs:ExecuteCommand", "Resource": "*"})
    (said,) = unneeded_of(found)
    assert "ecs:ExecuteCommand is allowed, and nobody needs it" in said

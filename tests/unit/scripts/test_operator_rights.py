"""Whoever types the verbs: without any one action of a statement of their policies, some call of theirs is denied.

What they need comes from three places, none of which is the policies: what the verbs were heard to call in an
end-to-end run (scripts/rights/recorded_calls.json), what a scan finds in the plugins, and what AWS's schemas say that
CloudFormation calls for the types in our templates, with the caller's rights. A recording has no parameters: a call is
judged on what the statement is about, with names in the place of `*`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping

import pytest

from local_aws.iam import patterns
from scripts import operator_policy
from scripts.operator_policy import TRADES, Site
from scripts.rights import calls, handlers
from tests.unit.rights_support import ACCOUNT, Json, allowed, entries, policies, requests, unneeded

KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/0a1b"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/bound"
SITES = {
    "as in docs": Site("shop", "eu-central-1", ACCOUNT, "aws"),
    "with all options": Site("shop", "eu-central-1", ACCOUNT, "aws", ("Z1",), True, BOUNDARY, (KEY,)),
}
OF_A_KEY = "what is made under a key of the account's own is encrypted by AWS's services, with the caller's rights"
NOT_HEARD: Mapping[str, str] = {
    **dict.fromkeys(operator_policy.SESSION, "the AWS CLI's plugin, which `ssh_config` and `tunnel` name, calls it"),
    **dict.fromkeys((*operator_policy.ENCRYPTING, "kms:CreateGrant"), OF_A_KEY),
    operator_policy.BOUND: "CloudFormation, for a role that is there and gets its boundary later",
}
"""Actions that options of the script add: no verb of ours calls them, and no schema names them of our templates."""


@functools.cache
def needed() -> dict[str, str]:
    """Action → who needs it, of what is known of calls."""
    found: dict[str, str] = {}
    for made_by in (calls.scanned(), calls.of_collections()):
        for who, made in made_by.items():
            found |= {action: who for call in made for action in calls.actions(*call)}
    for who, actions in operator_policy.BY_HAND.items():
        found |= dict.fromkeys(actions, who)
    services = {action.partition(":")[0] for action in found}
    for action, kinds in handlers.needed(services).items():
        found.setdefault(action, ", ".join(sorted(kinds)))
    return {**found, **NOT_HEARD}


def judged(site: Site) -> dict[str, Json]:
    """The policies of a site, by trade."""
    return operator_policy.policies(site)


def unneeded_of(trade: str, found: Mapping[str, Json]) -> list[str]:
    """What is wrong with a trade's policy; who has another than `operate` has that too (README.md, "IAM rights")."""
    had = {name: found[name] for name in ("operate", trade)}
    whole = policies(had)
    wanted = {entry: list(requests(had, entry, needed())) for entry in entries(had) if entry.policy == trade}
    assert len(wanted) > 50
    assert not [entry for entry, asked in wanted.items() if not all(allowed(each, whole) for each in asked)]
    return unneeded(had, lambda less, entry: any(not allowed(each, less) for each in wanted[entry]), {}, trade)


@pytest.mark.parametrize("trade", TRADES)
@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_without_any_one_action_some_call_is_denied(trade: str, site: Site) -> None:
    assert unneeded_of(trade, judged(site)) == []


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_each_call_is_needed_by_an_action_that_is_there(site: Site) -> None:
    """The other way round: a call for which nothing is allowed ends a verb half way."""
    given = {entry.action for entry in entries(judged(site))}
    options = NOT_HEARD.keys() if site is SITES["as in docs"] else set()
    assert not [
        f"{action} ({who})"
        for action, who in needed().items()
        if action not in options and not any(patterns.action_like(each.lower(), action.lower()) for each in given)
    ]


@pytest.mark.parametrize(
    ("trade", "action"),
    [("operate", "ecs:StopTask"), ("deploy", "ec2:CreateVpc"), ("data", "rds:*"), ("deploy", "ecs:DescribeTasks")],
)
def test_a_right_that_nobody_needs_or_that_is_there_already_is_found(trade: str, action: str) -> None:
    """The test above, tried: each of these is given once more, in a statement of its own."""
    found = judged(SITES["as in docs"])
    assert unneeded_of(trade, found) == []
    found[trade]["Statement"].append({"Effect": "Allow", "Action": [action], "Resource": "*"})
    assert unneeded_of(trade, found)


def test_a_right_that_no_call_needs_is_found() -> None:
    found = judged(SITES["as in docs"])
    found["operate"]["Statement"].append({"Effect": "Allow", "Action": ["ecs:ExecuteCommand"], "Resource": "*"})
    (said,) = unneeded_of("operate", found)
    assert said.endswith("ecs:ExecuteCommand is allowed, and nobody needs it")


def test_each_reason_is_one_that_the_script_s_options_need() -> None:
    given = json.dumps(judged(SITES["as in docs"]))
    also = {entry.action for entry in entries(judged(SITES["with all options"]))}
    for action in NOT_HEARD:
        assert action in also, f"a reason for {action}, which is not allowed"
        assert f'"{action}"' not in given or action in ("kms:CreateGrant",), f"{action} is there without an option"

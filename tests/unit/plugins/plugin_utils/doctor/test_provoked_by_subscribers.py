"""Who is to be told of alarms and is not: the embedded SNS, asked by the action that makes one ring."""

from __future__ import annotations

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from plugins.plugin_utils.doctor import message
from plugins.plugin_utils.doctor.signature import Evidence
from tests.unit.plugins.action.test_alarm_test import Site
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked

provoked = Provoked()


@provoked("alarms-unheard")
def _unheard(site: Site) -> list[Evidence]:
    """A mail address whose owner has not opened AWS's link yet, beside a queue that hears."""
    return list(message.evidence(site.test(subscribers=[site.ear, "ops@shop.test"])))


@pytest.mark.parametrize("name", provoked.by)
def test_who_is_not_told_is_recognised(name: str, aws: Cloud, stacks: Stacks) -> None:
    provoked.prove(name, Site(aws, stacks))


def test_where_nobody_is_told_that_is_the_failure(aws: Cloud, stacks: Stacks) -> None:
    site = Site(aws, stacks)
    aws.client("sns").unsubscribe(SubscriptionArn=site.ids["Ear"])
    (line,) = message.evidence(site.test(subscribers=["ops@shop.test"]))
    assert line.text.startswith("Nobody has confirmed to be told")


def test_where_all_are_told_nothing_is(aws: Cloud, stacks: Stacks) -> None:
    assert list(message.evidence(Site(aws, stacks).test())) == []

"""Switches the maintenance page of a site on and off, and has those who are let through follow a deployment."""

from __future__ import annotations

import datetime
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.plugin_utils import maintenance
from plugins.plugin_utils.aws_action import Failed, Say
from plugins.plugin_utils.ecs import chunks, listed
from plugins.plugin_utils.ledger import RUN_VARIABLE
from plugins.plugin_utils.maintenance import BY, COOKIE, OPEN, PAGE, PERSON, PROGRAMS, SINCE, TAG, Rule, Rules
from plugins.plugin_utils.places import PROJECT, verb

NAME = "maintenance"
GIVEN_OUT = PROJECT / "roles/maintenance/files/page.html"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


@dataclass(frozen=True)
class Wanted:
    """What is to be shown.

    Attributes:
        page: text of the page, or path of a file with it; the one that is given out if empty.
        beside: folder that such a path begins at.
        until: when it is to end, in ISO 8601; empty if that is not said.
        cidrs: networks that are let through.
        by: verb that shows it as long as it runs; empty for a person.
    """

    page: str = ""
    beside: str = ""
    until: str = ""
    cidrs: Sequence[str] = ()
    by: str = ""

    def text(self) -> str:
        """The page as it is answered.

        Raises:
            Failed: it is a file that cannot be read, or larger than a load balancer takes.
        """
        sentence = ""
        if self.until:
            sentence = f"It is to be back by {datetime.datetime.fromisoformat(self.until):%H:%M UTC on %d %B %Y}."
        return maintenance.page_text(self._page(), sentence)

    def _page(self) -> str:
        if "<" in self.page:
            return self.page
        path = Path(self.beside) / (self.page or GIVEN_OUT)
        try:
            return path.read_text()
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Failed(
                f"maintenance_page is {self.page}, and {path} cannot be read ({why}). Name a file, or write the page "
                "itself."
            ) from None

    @property
    def told(self) -> str:
        """The value of the tag `BY`."""
        return f"{self.by} {os.environ.get(RUN_VARIABLE, '')}".strip() if self.by else PERSON


class Switch:
    """The maintenance page of a site.

    Args:
        client: gives a boto3 client by the service's name.
        say: shows a line.
        prefix: begin of the site's stack names, which is its cluster's name too.
        tags: of the rules, beside our own.
        check: whether nothing may be changed.
    """

    def __init__(
        self, client: Callable[[str], Any], say: Say, prefix: str, tags: Mapping[str, Any], check: bool = False
    ) -> None:
        self._client, self._say, self._prefix, self._tags, self._check = client, say, prefix, tags, check
        self.listener = maintenance.listener(client("cloudformation"), prefix)
        self.rules = Rules(client("elbv2"), self.listener)

    def on(self, wanted: Wanted) -> bool:
        """Show the page; whether anything was to be done.

        A verb leaves the page as it is that a person has switched on.

        Raises:
            Failed: there is no load balancer, or something is wanted that it does not take.
        """
        was = self.rules
        if not self.listener:
            raise Failed(f"{self._prefix} has no load balancer yet. Type: {verb('site.yml')}")
        if wanted.by and was.on and not was.verb:
            self._say(NAME, "is on already, and stays on when this is through", "yellow")
            return False
        if was.strangers:
            numbers = ", ".join(str(rule.priority) for rule in was.strangers)
            raise Failed(
                f"The listener has rules under numbers that are kept for maintenance ({numbers}), and would ask them "
                f"first. Give such routes another priority, from {PAGE + 1} on, or none: " + verb("site.yml")
            )
        token = was.token or secrets.token_hex(16)
        message = maintenance.message_text(wanted.until)
        rules = maintenance.wanted(was.others, wanted.text(), message, token, wanted.cidrs)
        since = was.since if was.on else f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%MZ}"
        told = {TAG: wanted.until or OPEN, BY: wanted.told} | ({SINCE: since} if since else {})
        changed = self._make(rules, told)
        if self._check:
            becomes = "as it is" if not changed else "changed" if was.on else "switched on"
            self._say(NAME, f"would be {becomes}", "yellow")
            return changed
        how = f" as long as {wanted.by} runs" if wanted.by else till(wanted.until)
        self._say(NAME, f"is on{how}: everybody else is answered 503", "yellow")
        if not wanted.by and (was.verb or not was.token) and len(rules) > 2:
            self._tell_cookie(token)
        return changed

    def off(self) -> bool:
        """Show it no more; whether there was anything to take away."""
        if self._check:
            self._say(NAME, "would be switched off" if self.rules.ours else "is off", "yellow")
        else:
            self._delete(self.rules.ours.values())
            self._say(NAME, "is off", "green")
        return bool(self.rules.ours)

    def settle(self, sure: bool) -> bool:
        """At the end of a run: take away what a verb shows, and lead on who is let through; whether that was anything.

        Args:
            sure: whether the site works behind it. Else it is looked at first, and the page stays if it does not.
        """
        if not self.rules.verb:
            return self.follow()
        if sure or self._check or not (dark := list(self._dark())):
            return self.off()
        self._say(
            NAME,
            f"stays on, as nothing answers behind it: no target of {', '.join(dark)} is healthy. Once they are: "
            f"{verb('maintenance.yml')} -e maintenance=off",
            "red",
        )
        self.follow()
        return False

    def follow(self) -> bool:
        """Lead those who are let through to what the services' rules lead to; whether anything was to be done."""
        if not self.rules.on:
            return False
        page, message = self.rules.body, _body(self.rules.ours.get(PROGRAMS)) or maintenance.message_text("")
        token = self.rules.token or secrets.token_hex(16)  # none yet, where there was nothing to be let through to
        rules = maintenance.wanted(self.rules.others, page, message, token, self.rules.cidrs)
        if not self._make(rules, self.rules.ours[PAGE].tags):
            return False
        if not (self.rules.token or self.rules.verb or self._check):
            self._tell_cookie(token)
        return True

    def release(self, targets: Mapping[str, Sequence[str]]) -> bool:
        """Lead to the page those who would be let through to a target group that goes; whether there were any.

        Args:
            targets: service → logical ids of the target groups that its stack is to have.
        """
        if not self.rules.on:
            return False
        going = self._groups_that_go(targets)
        changed = False
        for rule in self.rules.ours.values():
            if rule.groups & going:
                self._modify(rule.arn, Rule(rule.priority, rule.conditions, self.rules.ours[PAGE].actions))
                changed = True
        return changed

    def _groups_that_go(self, targets: Mapping[str, Sequence[str]]) -> set[str]:
        """ARNs of the target groups that our rules lead to, and that no service is to have."""
        stay: set[str] = set()
        for service, identifiers in targets.items():
            stack = f"{self._prefix}-service-{service.replace('_', '-')}"
            found = maintenance.resources(self._client("cloudformation"), stack)
            stay |= {
                each["PhysicalResourceId"]
                for each in found
                if each["ResourceType"] == TARGET_GROUP and each["LogicalResourceId"] in identifiers
            }
        return set[str]().union(*(rule.groups for rule in self.rules.ours.values())) - stay

    def _dark(self) -> Iterator[str]:
        """The services that are to answer visitors, and do not; those that are to run no task are not asked."""
        ecs, elb = self._client("ecs"), self._client("elbv2")
        shown = set[str]().union(*(rule.groups for rule in self.rules.others))
        arns = listed(ecs, "list_services", "serviceArns", cluster=self._prefix)
        for some in chunks(arns, 10):
            for service in ecs.describe_services(cluster=self._prefix, services=some)["services"]:
                groups = {each.get("targetGroupArn", "") for each in service.get("loadBalancers", [])} & shown
                if service["desiredCount"] and not all(_answers(elb, group) for group in groups):
                    yield str(service["serviceName"])

    def _make(self, rules: list[Rule], told: Mapping[str, str]) -> bool:
        """Bring the listener to have these of ours; whether anything was to be done."""
        before, changed = self.rules.ours, False
        for rule in rules:  # those that let somebody through come first, so that nobody of them sees the page
            there = before.get(rule.priority)
            if there is None:
                self._create(rule, told)
            elif not there.says(rule):
                self._modify(there.arn, rule)
            elif there.tags == told:
                continue
            if there is not None and there.tags != told and not self._check:
                tags = [{"Key": key, "Value": value} for key, value in told.items()]
                self._client("elbv2").add_tags(ResourceArns=[there.arn], Tags=tags)
            changed = True
        numbers = {rule.priority for rule in rules}
        surplus = [rule for number, rule in before.items() if number not in numbers]
        self._delete(surplus)
        return changed or bool(surplus)

    def _create(self, rule: Rule, told: Mapping[str, str]) -> None:
        if not self._check:
            self._client("elbv2").create_rule(
                ListenerArn=self.listener, Priority=rule.priority, Conditions=rule.conditions, Actions=rule.actions,
                Tags=[{"Key": key, "Value": str(value)} for key, value in {**self._tags, **told}.items()],
            )  # fmt: skip

    def _modify(self, arn: str, rule: Rule) -> None:
        if not self._check:
            self._client("elbv2").modify_rule(RuleArn=arn, Conditions=rule.conditions, Actions=rule.actions)

    def _delete(self, rules: Iterable[Rule]) -> None:
        """The page goes first, so that nobody who was let through sees it for a moment."""
        for rule in sorted(rules, key=lambda each: -each.priority):
            if not self._check:
                self._client("elbv2").delete_rule(RuleArn=rule.arn)

    def _tell_cookie(self, token: str) -> None:
        """How to be let through; this once, as what is shown may be kept."""
        cookie = f"{COOKIE}={token}"
        self._say(NAME, f"who has the cookie is let through, shown this once: {cookie}")
        self._say(NAME, f"in a browser, in the console of the page: document.cookie = '{cookie}; path=/; secure'")


def till(until: str) -> str:
    """Until when, for a sentence."""
    return f" until {until}, as announced (nothing ends it but maintenance=off)" if until else ""


def is_over(until: str) -> bool:
    """Whether that time is past."""
    return bool(until) and datetime.datetime.fromisoformat(until) < datetime.datetime.now(datetime.UTC)


def _body(rule: Rule | None) -> str:
    return str(rule.actions[0].get("FixedResponseConfig", {}).get("MessageBody", "")) if rule else ""


def _answers(elb: Any, group: str) -> bool:
    """Whether a target group has a target that is healthy."""
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return any(each["TargetHealth"]["State"] == "healthy" for each in found)

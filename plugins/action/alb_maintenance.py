"""Answer for a site with a maintenance page, at its load balancer."""

from __future__ import annotations

import datetime
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.filter.durations import go_seconds
from plugins.modules.alb_maintenance import DOCUMENTATION
from plugins.plugin_utils import maintenance
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.maintenance import COOKIE, OPEN, PAGE, PROGRAMS, TAG, Rule, Rules
from plugins.plugin_utils.places import verb

NAME = "maintenance"
LONGEST = 30 * 86400
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


class ActionModule(AwsAction):
    """See plugins/modules/alb_maintenance.py for its arguments and results.

    amazon.aws.elb_application_lb manages a load balancer with all rules of its listeners, and takes away those that it
    is not told of; no module of a collection has one rule.
    """

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Switch it on or off, or look.

        Raises:
            Failed: the site is not up, or something was given that a load balancer does not take.
        """
        state, now = self.arguments["state"], datetime.datetime.now(datetime.UTC)
        given = self.arguments["for_time"]
        self.typed_until = f"{_until(now, given):%Y-%m-%dT%H:%MZ}" if given else ""
        self.listener = maintenance.listener(self.client("cloudformation"), self.arguments["prefix"])
        if not self.listener:
            if state == "on":
                raise Failed(f"{self.arguments['prefix']} has no load balancer yet. Type: {verb('site.yml')}")
            if state in ("off", "status"):
                self.say(NAME, "is off: there is no load balancer")
            return {"changed": False, "on": False, "until": ""}
        self.rules = Rules(self.client("elbv2"), self.listener)
        if state == "status":
            return self._status()
        if state in ("followed", "released"):
            changed = self.rules.on and (self._follow() if state == "followed" else self._release())
            return {"changed": changed, "on": self.rules.on, "until": self.rules.until}
        return self._on() if state == "on" else self._off()

    def _on(self) -> dict[str, Any]:
        if self.rules.strangers:
            numbers = ", ".join(str(rule.priority) for rule in self.rules.strangers)
            raise Failed(
                f"The listener has rules under numbers that are kept for maintenance ({numbers}), and would ask them "
                f"first. Give such routes another priority, from {PAGE + 1} on, or none: " + verb("site.yml")
            )
        until, token = self.typed_until, self.rules.token or secrets.token_hex(16)
        page = maintenance.page_text(self._page(), _sentence(until))
        message = maintenance.message_text(until)
        rules = maintenance.wanted(self.rules.others, page, message, token, self.arguments["allowed_cidrs"])
        was = self.rules
        changed = self._make(rules, until or OPEN)
        if self.check_mode:
            self.say(
                NAME, f"would be {'as it is' if not changed else 'changed' if was.on else 'switched on'}", "yellow"
            )
            return {"changed": changed, "on": was.on, "until": was.until}
        self.say(NAME, f"is on{_till(until)}: everybody else is answered 503", "yellow")
        if not was.token and len(rules) > 2:
            self._tell_cookie(token)
        return {"changed": changed, "on": True, "until": until}

    def _off(self) -> dict[str, Any]:
        if self.check_mode:
            self.say(NAME, "would be switched off" if self.rules.ours else "is off", "yellow")
        else:
            self._delete(self.rules.ours.values())
            self.say(NAME, "is off", "green")
        return {"changed": bool(self.rules.ours), "on": self.check_mode and self.rules.on, "until": ""}

    def _follow(self) -> bool:
        """Bring the rules up to date that let somebody through; the page stays."""
        if not self.rules.token:
            return False
        page, message = (
            str(self.rules.ours[number].actions[0]["FixedResponseConfig"]["MessageBody"]) for number in (PAGE, PROGRAMS)
        )
        rules = maintenance.wanted(self.rules.others, page, message, self.rules.token, self.rules.cidrs)
        return self._make(rules, self.rules.ours[PAGE].tag)

    def _release(self) -> bool:
        """Lead to the page those who would be let through to a target group that goes."""
        going = self._groups_that_go()
        changed = False
        for rule in self.rules.ours.values():
            if rule.groups & going:
                self._modify(rule.arn, Rule(rule.priority, rule.conditions, self.rules.ours[PAGE].actions))
                changed = True
        return changed

    def _groups_that_go(self) -> set[str]:
        """ARNs of the target groups that our rules lead to, and that no service is to have."""
        stay: set[str] = set()
        for service, identifiers in self.arguments["targets"].items():
            stack = f"{self.arguments['prefix']}-service-{service.replace('_', '-')}"
            found = maintenance.resources(self.client("cloudformation"), stack)
            stay |= {
                each["PhysicalResourceId"]
                for each in found
                if each["ResourceType"] == TARGET_GROUP and each["LogicalResourceId"] in identifiers
            }
        return set[str]().union(*(rule.groups for rule in self.rules.ours.values())) - stay

    def _make(self, rules: list[Rule], tag: str) -> bool:
        """Bring the listener to have these of ours; whether anything was to be done."""
        before, changed = self.rules.ours, False
        for rule in rules:  # those that let somebody through come first, so that nobody of them sees the page
            there = before.get(rule.priority)
            if there is None:
                self._create(rule, tag)
            elif not there.says(rule):
                self._modify(there.arn, rule)
            elif there.tag == tag:
                continue
            if there is not None and there.tag != tag and not self.check_mode:
                self.client("elbv2").add_tags(ResourceArns=[there.arn], Tags=[{"Key": TAG, "Value": tag}])
            changed = True
        numbers = {rule.priority for rule in rules}
        surplus = [rule for number, rule in before.items() if number not in numbers]
        self._delete(surplus)
        return changed or bool(surplus)

    def _create(self, rule: Rule, tag: str) -> None:
        if not self.check_mode:
            tags = {**self.arguments["tags"], TAG: tag}
            self.client("elbv2").create_rule(
                ListenerArn=self.listener, Priority=rule.priority, Conditions=rule.conditions, Actions=rule.actions,
                Tags=[{"Key": key, "Value": str(value)} for key, value in tags.items()],
            )  # fmt: skip

    def _modify(self, arn: str, rule: Rule) -> None:
        if not self.check_mode:
            self.client("elbv2").modify_rule(RuleArn=arn, Conditions=rule.conditions, Actions=rule.actions)

    def _delete(self, rules: Iterable[Rule]) -> None:
        """The page goes first, so that nobody who was let through sees it for a moment."""
        for rule in sorted(rules, key=lambda each: -each.priority):
            if not self.check_mode:
                self.client("elbv2").delete_rule(RuleArn=rule.arn)

    def _page(self) -> str:
        """The page's text.

        Raises:
            Failed: it is a file that cannot be read.
        """
        given: str = self.arguments["page"]
        if "<" in given:
            return given
        path = Path(self.arguments["beside"]) / given
        try:
            return path.read_text()
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise Failed(
                f"maintenance_page is {given}, and {path} cannot be read ({why}). Name a file, or write the page "
                "itself."
            ) from None

    def _tell_cookie(self, token: str) -> None:
        """How to be let through; this once, as what is shown may be kept."""
        cookie = f"{COOKIE}={token}"
        self.say(NAME, f"who has the cookie is let through, shown this once: {cookie}")
        self.say(NAME, f"in a browser, in the console of the page: document.cookie = '{cookie}; path=/; secure'")

    def _status(self) -> dict[str, Any]:
        """Who answers, said in words."""
        rules = self.rules
        if not rules.on:
            half = f"; {len(rules.ours)} rules of it are left, which maintenance=off takes away" if rules.ours else ""
            self.say(NAME, f"is off{half}", "yellow" if half else "green")
        else:
            late = _is_over(rules.until)
            self.say(NAME, f"is on{_till(rules.until)}{', which is over' if late else ''}", "yellow")
            some = "the cookie" if rules.token else "nobody"
            self.say(NAME, f"let through: {', '.join([some, *rules.cidrs])}")
        return {"changed": False, "on": rules.on, "until": rules.until}


def _until(now: datetime.datetime, text: str) -> datetime.datetime:
    seconds = go_seconds(text)
    if not 60 <= seconds <= LONGEST:
        raise Failed(f"-e for={text} is no time of a minute to 30 days. Write for example -e for=2h, or -e for=90m.")
    return now + datetime.timedelta(seconds=seconds)


def _is_over(until: str) -> bool:
    return bool(until) and datetime.datetime.fromisoformat(until) < datetime.datetime.now(datetime.UTC)


def _sentence(until: str) -> str:
    """What the page says about the time."""
    if not until:
        return ""
    return f"It is to be back by {datetime.datetime.fromisoformat(until):%H:%M UTC on %d %B %Y}."


def _till(until: str) -> str:
    return f" until {until}, as announced (nothing ends it but maintenance=off)" if until else ""

"""The rules of a load balancer that answer for a site in maintenance, and those that let somebody through.

A rule of a load balancer says what a request must have, never what it must not, and one that matches decides: there is
no rule for all but those with a cookie. So each rule of a service is there twice while maintenance is on, before the
page with a condition more (the cookie, or addresses) and behind it as it was.

A fixed response has a status, a type and a text, and no header of its own: neither Retry-After nor Cache-Control.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html
A 503 without Cache-Control is kept by no browser: https://www.rfc-editor.org/rfc/rfc9110#section-15.1
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed
from plugins.plugin_utils.ecs import chunks
from plugins.plugin_utils.site.routes import KEPT_MOST, REDIRECTS_MOST, VALUES_MOST

COOKIE = "berth-maintenance"
TAG = "Berth::Maintenance"
"""Of each of our rules; its value is the time until when, or `OPEN`."""
OPEN = "open"
SINCE = "Berth::MaintenanceSince"
"""Likewise; its value is the time since when the page is shown, in ISO 8601."""
BY = "Berth::MaintenanceBy"
"""Likewise; its value is `PERSON`, or the verb that shows the page as long as it runs, and its run: `release 5f0c…`."""
PERSON = "maintenance"
PAGE, PROGRAMS = KEPT_MOST, KEPT_MOST - 1
"""Numbers of the rule for everybody, and of the one before it for who asks for JSON."""
FIRST, MOST = REDIRECTS_MOST + 1, PROGRAMS - REDIRECTS_MOST - 1
"""The first number of those that let somebody through, and how many there are."""
WILDCARDS_MOST = 5
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
BODY_MOST = 1024
"""Bytes of a fixed response."""
EVERY_PATH = "/*"
CONFIGS = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}

Condition = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule of a listener.

    Attributes:
        priority: its number.
        conditions: all of which a request must meet, as CreateRule takes them.
        actions: likewise.
        arn: of one that there is.
        tags: those of ours; none where the rule is not ours.
    """

    priority: int
    conditions: list[Condition]
    actions: list[dict[str, Any]]
    arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def says(self, other: Rule) -> bool:
        """Whether both mean the same requests, and do the same with them."""
        return (self.priority, self.conditions, self.actions) == (other.priority, other.conditions, other.actions)

    @property
    def groups(self) -> set[str]:
        """ARNs of the target groups that it leads to."""
        forwards = [each for each in self.actions if each["Type"] == "forward"]
        weighted = [item for each in forwards for item in each.get("ForwardConfig", {}).get("TargetGroups", [])]
        return {str(item["TargetGroupArn"]) for item in [*forwards, *weighted] if item.get("TargetGroupArn")}


class Rules:
    """The rules of a listener, but for its default one.

    Attributes:
        ours: those of maintenance, by their numbers.
        others: all others, in the order in which they are asked.
    """

    def __init__(self, elb: Any, listener: str) -> None:
        """Read them; an empty ARN has none."""
        self.ours: dict[int, Rule] = {}
        self.others: list[Rule] = []
        if not listener:
            return
        pages = elb.get_paginator("describe_rules").paginate(ListenerArn=listener)
        found = sorted((_rule(each) for page in pages for each in page["Rules"] if not each["IsDefault"]), key=_number)
        near = [rule.arn for rule in found if rule.priority <= KEPT_MOST]
        tags = {arn: told for part in chunks(near, 20) for arn, told in _tags(elb, part)}
        self.ours = {
            rule.priority: Rule(rule.priority, rule.conditions, rule.actions, rule.arn, tags[rule.arn])
            for rule in found
            if rule.arn in tags
        }
        self.others = [rule for rule in found if rule.arn not in tags]

    @property
    def on(self) -> bool:
        """Whether everybody is answered by the page."""
        return PAGE in self.ours

    @property
    def until(self) -> str:
        """Until when, in ISO 8601; empty if that was not said, or maintenance is off."""
        value = self._told(TAG)
        return "" if value == OPEN else value

    @property
    def since(self) -> str:
        """Since when, in ISO 8601; empty if maintenance is off, or was switched on before that was written down."""
        return self._told(SINCE)

    @property
    def verb(self) -> str:
        """The verb that shows the page as long as it runs, or has left rules of it; empty if a person does."""
        left = (rule.tags.get(BY, "") for rule in self.ours.values())
        return next((told.partition(" ")[0].removeprefix(PERSON) for told in (self._told(BY), *left) if told), "")

    @property
    def run(self) -> str:
        """Id of the run of that verb."""
        return self._told(BY).partition(" ")[2]

    @property
    def body(self) -> str:
        """The page as everybody is answered it; empty if maintenance is off."""
        return str(self.ours[PAGE].actions[0]["FixedResponseConfig"]["MessageBody"]) if self.on else ""

    @property
    def waiting(self) -> bool:
        """Whether some of those who are let through are led to the page, until a deployment is through."""
        return self.on and any(rule.actions == self.ours[PAGE].actions for rule in self._through)

    @property
    def token(self) -> str:
        """The cookie's value; empty if no rule asks for one."""
        begin = f"*{COOKIE}="
        found = [text for rule in self._through for text in _values(rule, "http-header") if text.startswith(begin)]
        return found[0].removeprefix(begin).removesuffix("*") if found else ""

    @property
    def cookie(self) -> str:
        """The header Cookie that is let through; empty if none is, or maintenance is off."""
        return f"{COOKIE}={self.token}" if self.on and self.token else ""

    @property
    def cidrs(self) -> list[str]:
        """The addresses that are let through."""
        return list(dict.fromkeys(cidr for rule in self._through for cidr in _values(rule, "source-ip")))

    @property
    def _through(self) -> list[Rule]:
        return [rule for number, rule in self.ours.items() if number < PROGRAMS]

    def _told(self, tag: str) -> str:
        return self.ours[PAGE].tags.get(tag, "") if self.on else ""

    @property
    def strangers(self) -> list[Rule]:
        """Rules of others under our numbers, which would answer before the page."""
        return [rule for rule in self.others if REDIRECTS_MOST < rule.priority <= KEPT_MOST]


def listener(cloudformation: Any, prefix: str) -> str:
    """ARN of a site's HTTPS listener; empty if there is none (yet)."""
    try:
        (stack,) = cloudformation.describe_stacks(StackName=f"{prefix}-cluster")["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return ""
    told = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return str(told.get("HttpsListenerArn", ""))


def resources(cloudformation: Any, stack: str) -> list[dict[str, Any]]:
    """The resources of a stack; none if there is no such stack."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    try:
        return [each for page in pages for each in page["StackResourceSummaries"]]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return []


def rules_of(client: Callable[[str], Any], prefix: str) -> Rules:
    """The rules of a site's listener; none if it has no listener.

    Args:
        client: gives a boto3 client by the service's name.
        prefix: begin of the site's stack names.
    """
    return Rules(client("elbv2"), listener(client("cloudformation"), prefix))


def wanted(others: Iterable[Rule], page: str, message: str, token: str, cidrs: Sequence[str]) -> list[Rule]:
    """The rules of maintenance, in their order.

    Args:
        others: the listener's own rules, in their order.
        page: text of the page.
        message: JSON for who asks for that.
        token: the cookie's value.
        cidrs: addresses that are let through.

    Raises:
        Failed: there are not numbers enough for them.
    """
    through: list[tuple[list[Condition], list[dict[str, Any]]]] = []
    for rule in others:
        if rule.priority > KEPT_MOST:
            through += [(conditions, rule.actions) for conditions in _let_through(rule.conditions, token, cidrs)]
    if len(through) > MOST:
        raise Failed(
            f"Maintenance needs {len(through)} rules to let somebody through, and has {MOST} numbers for them. Write "
            f"fewer maintenance_allowed_cidrs (there are {len(cidrs)}), or larger ones."
        )
    accept = {"Field": "http-header", "HttpHeaderConfig": header("Accept", "*application/json*")}
    return [
        *(Rule(FIRST + place, *each) for place, each in enumerate(through)),
        Rule(PROGRAMS, [accept], [fixed(message, "application/json")]),
        Rule(
            PAGE, [{"Field": "path-pattern", "PathPatternConfig": {"Values": [EVERY_PATH]}}], [fixed(page, "text/html")]
        ),
    ]


def header(name: str, value: str) -> dict[str, Any]:
    """Configuration of a condition on a header."""
    return {"HttpHeaderName": name, "Values": [value]}


def fixed(body: str, kind: str) -> dict[str, Any]:
    """The action that answers 503 with a text."""
    response = {"StatusCode": "503", "ContentType": kind, "MessageBody": body}
    return {"Type": "fixed-response", "FixedResponseConfig": response}


def page_text(page: str, sentence: str) -> str:
    """The page as it is answered, `{until}` in it being the sentence about the time.

    Raises:
        Failed: it is larger than a load balancer takes.
    """
    text = page.replace("{until}", sentence)
    if (size := len(text.encode())) > BODY_MOST:
        raise Failed(
            f"maintenance_page has {size} bytes with the time put in, and a load balancer answers with {BODY_MOST} at "
            "most. Take out what can go: comments, fonts, pictures inside."
        )
    return text


def message_text(until: str) -> str:
    """What a program is answered; `until` in ISO 8601, or empty."""
    return json.dumps({"error": "maintenance", "until": until or None})


def _let_through(conditions: list[Condition], token: str, cidrs: Sequence[str]) -> Iterator[list[Condition]]:
    """The conditions of the rules that let the same requests through, if they have the cookie or an address."""
    cookie = {"Field": "http-header", "HttpHeaderConfig": header("Cookie", f"*{COOKIE}={token}*")}
    kept = [each for each in conditions if each["Field"] != "path-pattern" or _texts(each) != [EVERY_PATH]]
    for part in _parts(kept, VALUES_MOST - 1, WILDCARDS_MOST - 2):
        yield [*part, cookie]
    for part in _parts(kept, VALUES_MOST - 1, WILDCARDS_MOST) if cidrs else ():
        size = VALUES_MOST - sum(len(_texts(each)) for each in part)
        for some in chunks(list(cidrs), size):
            yield [*part, {"Field": "source-ip", "SourceIpConfig": {"Values": some}}]


def _parts(conditions: list[Condition], values: int, wildcards: int) -> Iterator[list[Condition]]:
    """The conditions, or several that mean the same together, each with so few values and wildcards.

    One pattern with more wildcards than that is left out: nobody is let through to it.
    """
    texts = [str(text) for each in conditions for text in _texts(each)]
    if len(texts) <= values and sum(text.count("*") + text.count("?") for text in texts) <= wildcards:
        yield conditions
        return
    place = max(range(len(conditions)), key=lambda at: len(_texts(conditions[at])))
    many = _texts(conditions[place])
    if len(many) > 1:
        for half in (many[: len(many) // 2], many[len(many) // 2 :]):
            field = conditions[place]["Field"]
            config = {**conditions[place][CONFIGS[field]], "Values": half}
            yield from _parts(
                [*conditions[:place], {"Field": field, CONFIGS[field]: config}, *conditions[place + 1 :]],
                values,
                wildcards,
            )


def _rule(told: Mapping[str, Any]) -> Rule:
    """A rule of DescribeRules, in the words of CreateRule."""
    conditions = [_condition(each) for each in told["Conditions"]]
    return Rule(int(told["Priority"]), conditions, [_action(each) for each in told["Actions"]], told["RuleArn"])


def _condition(told: Mapping[str, Any]) -> Condition:
    field, config = told["Field"], CONFIGS[told["Field"]]
    return {"Field": field, config: dict(told.get(config) or {"Values": list(told["Values"])})}


def _action(told: Mapping[str, Any]) -> dict[str, Any]:
    """Without what AWS adds: a group that is named twice, the order of a single action."""
    kept = {key: value for key, value in told.items() if key != "Order"}
    groups = (kept.get("ForwardConfig") or {}).get("TargetGroups", [])
    if len(groups) > 1:
        kept.pop("TargetGroupArn", None)
    elif kept.get("TargetGroupArn"):
        kept.pop("ForwardConfig", None)
    return kept


def _texts(condition: Condition) -> list[Any]:
    return list(condition[CONFIGS[condition["Field"]]].get("Values", []))


def _values(rule: Rule, field: str) -> list[str]:
    return [str(text) for each in rule.conditions if each["Field"] == field for text in _texts(each)]


def _number(rule: Rule) -> int:
    return rule.priority


def _tags(elb: Any, arns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """ARN and tags of ours, of those that have `TAG`."""
    for told in elb.describe_tags(ResourceArns=arns)["TagDescriptions"]:
        tags = {each["Key"]: each["Value"] for each in told["Tags"] if each["Key"] in (TAG, SINCE, BY)}
        if TAG in tags:
            yield told["ResourceArn"], tags

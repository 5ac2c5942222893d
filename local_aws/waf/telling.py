"""What a firewall tells of requests: CloudWatch's metrics, and its log.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from docker.models.containers import Container

from local_aws.cloud import Cloud
from local_aws.waf.firewall import BLOCK, Firewall, Hit, Rule

NAMESPACE = "AWS/WAFV2"
ALL = "ALL"
NO_RULE = "Default_Action"
METRICS_MOST = 500
"""Of one call."""
STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z ")


class Teller:
    """Tells of the requests that a proxy has written down.

    Args:
        cloud: whose APIs are told.
        source: what stands before the site, as the log calls it: `ALB`, `CF`.
        reads: what of the proxy's lines is told of requests.
    """

    def __init__(self, cloud: Cloud, source: str, reads: Callable[[Firewall, Sequence[str]], list[Hit]]) -> None:
        self._cloud, self._source, self._reads = cloud, source, reads
        self._read: dict[str, float] = {}

    def tell(self, firewall: Firewall, container: Container) -> None:
        """Take in what the container has written since the last time; what a former one has not told is lost."""
        since = self._read.get(str(container.id), 0.0)
        lines = container.logs(timestamps=True, since=since or None).decode(errors="replace").splitlines()
        stamped = [(_seconds(line), line) for line in lines if line]
        fresh = [(when, line) for when, line in stamped if when > since]
        self._read[str(container.id)] = max([since, *(when for when, _ in fresh)])
        if found := self._reads(firewall, [line for _, line in fresh]):
            self._measure(firewall, found)
            if firewall.log:
                self._write(firewall, found)

    def _measure(self, firewall: Firewall, found: Sequence[Hit]) -> None:
        data = [
            {"MetricName": name, "Dimensions": _dimensions(firewall, rule), "Value": float(number), "Unit": "Count"}
            for (name, rule), number in measured(firewall, found).items()
        ]
        cloudwatch = self._cloud.client("cloudwatch")
        for first in range(0, len(data), METRICS_MOST):
            cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[first : first + METRICS_MOST])

    def _write(self, firewall: Firewall, found: Sequence[Hit]) -> None:
        logs, now = self._cloud.client("logs"), int(time.time() * 1000)
        where = {"logGroupName": firewall.log, "logStreamName": f"{self._source.lower()}_{firewall.name}_0"}
        try:
            logs.create_log_stream(**where)
        except logs.exceptions.ResourceAlreadyExistsException:
            pass
        except logs.exceptions.ResourceNotFoundException:
            return  # the group has just gone
        events = [{"timestamp": now, "message": json.dumps(line(firewall, hit, now, self._source))} for hit in found]
        logs.put_log_events(**where, logEvents=events)


def measured(firewall: Firewall, found: Sequence[Hit]) -> Counter[tuple[str, str]]:
    """Metric and rule, as CloudWatch calls them → how many requests."""
    metrics = {rule.name: rule.metric for rule in firewall.rules}
    counter: Counter[tuple[str, str]] = Counter()
    for hit in found:
        name = "BlockedRequests" if hit.action == BLOCK else "AllowedRequests"
        counter[name, ALL] += 1
        if hit.rule:
            counter[name, metrics[hit.rule.partition("/")[0]]] += 1
        for rule in dict.fromkeys(each.partition("/")[0] for each in hit.counted):
            counter["CountedRequests", metrics[rule]] += 1
            counter["CountedRequests", ALL] += 1
    return counter


def line(firewall: Firewall, hit: Hit, now: int, source: str) -> dict[str, Any]:
    """A line of the log, of a request.

    Args:
        firewall: that has looked at it.
        hit: what became of it.
        now: milliseconds.
        source: what stands before the site.
    """
    rules = {rule.name: rule for rule in firewall.rules}
    request = dict(hit.request)
    own = {name: request.pop(name, "") for name in ("client", "method", "uri", "args")}
    rule, _, within = hit.rule.partition("/")
    return {
        "timestamp": now,
        "formatVersion": 1,
        "webaclId": firewall.arn,
        "terminatingRuleId": rule or NO_RULE,
        "terminatingRuleType": _kind(rules.get(rule)),
        "action": hit.action.upper(),
        "httpSourceName": source,
        "ruleGroupList": [{"ruleGroupId": f"AWS#{rules[rule].group}", "terminatingRule": {"ruleId": within}}]
        if within
        else [],
        "nonTerminatingMatchingRules": [{"ruleId": each.rpartition("/")[2], "action": "COUNT"} for each in hit.counted],
        "httpRequest": {
            "clientIp": own["client"],
            "httpMethod": own["method"],
            "uri": own["uri"],
            "args": own["args"],
            "headers": [{"name": name, "value": value} for name, value in request.items() if value],
        },
    }


def _kind(rule: Rule | None) -> str:
    if rule is None or rule.networks:
        return "REGULAR"
    return "RATE_BASED" if rule.limit else "MANAGED_RULE_GROUP"


def _dimensions(firewall: Firewall, rule: str) -> list[dict[str, str]]:
    return [{"Name": "WebACL", "Value": firewall.metric}, {"Name": "Rule", "Value": rule}]


def _seconds(line: str) -> float:
    """When Docker got a line, by its first word (`2026-11-27T17:00:00.123456789Z`); 0 if that is no time."""
    found = STAMP.match(line)
    if not found:
        return 0.0
    return datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp() + float(f"0{found[2] or '.0'}")

"""What the APIs say of a firewall reaches the proxies, and what these write down reaches CloudWatch and the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from local_aws.tests.unit.test_handlers_wafv2 import COMMON, FIREWALL
from local_aws.waf.balancer import hits
from local_aws.waf.firewall import Firewall, Rule, of_balancer, of_distribution
from local_aws.waf.telling import Teller

RULES = (
    Rule("block4", "block", ("198.51.100.7/32",), metric="shop-block4"),
    Rule("rate", "count", limit=100, metric="shop-rate"),
    Rule("common", "block", group=COMMON, counted=("SizeRestrictions_BODY",), metric="shop-common"),
)
LOGGED = "2026-11-27T17:00:0{}.123456789Z {}"


class Written:
    """A container that has written lines."""

    id = "of-a-container"

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.since: list[Any] = []

    def logs(self, timestamps: bool, since: float | None) -> bytes:
        assert timestamps
        self.since.append(since)
        return "\n".join(self.lines).encode()


def line(second: int, **given: str) -> str:
    said = {"client": "192.0.2.9", "action": "-", "rule": "-", "counted": "", "method": "GET", "uri": "/", "args": "-"}
    return LOGGED.format(second, f"WAF {json.dumps(said | given)}")


def test_that_of_a_load_balancer_is_found_with_all_that_it_names(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", FIREWALL)
    outputs = stacks.outputs("shop")
    expected = Firewall(outputs["Arn"], "shop", RULES, "aws-waf-logs-shop", ("cookie",), "shop")
    assert of_balancer(aws, outputs["Alb"]) == expected
    aws.client("wafv2").delete_logging_configuration(ResourceArn=outputs["Arn"])
    aws.client("wafv2").disassociate_web_acl(ResourceArn=outputs["Alb"])
    assert of_balancer(aws, outputs["Alb"]) is None


def test_that_of_a_distribution_is_found_by_the_name_that_it_says(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", FIREWALL, {"Scope": "CLOUDFRONT"})
    arn = stacks.outputs("shop")["Arn"]
    found = of_distribution(aws, arn)
    assert found is not None
    assert (found.arn, found.rules, found.log) == (arn, RULES, "aws-waf-logs-shop")
    aws.client("wafv2").delete_logging_configuration(ResourceArn=arn)
    assert of_distribution(aws, "") is None


def test_requests_are_told_once(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("shop", FIREWALL)
    firewall = of_balancer(aws, stacks.outputs("shop")["Alb"])
    assert firewall is not None
    teller, container = Teller(aws, "ALB", hits), Written()
    container.lines = ["2026-11-27T17:00:00Z started", line(1, action="block", rule="common/X", args="q=1")]
    teller.tell(firewall, container)
    container.lines.append(line(2, counted="rate|"))
    teller.tell(firewall, container)

    def told(metric: str, rule: str) -> float:
        now = datetime.now(UTC)
        found = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/WAFV2", MetricName=metric, Period=60, Statistics=["Sum"],
            StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
            Dimensions=[{"Name": "WebACL", "Value": "shop"}, {"Name": "Rule", "Value": rule}],
        )  # fmt: skip
        return float(sum(point["Sum"] for point in found["Datapoints"]))

    assert (told("BlockedRequests", "shop-common"), told("CountedRequests", "shop-rate")) == (1, 1)
    assert (told("BlockedRequests", "ALL"), told("AllowedRequests", "ALL")) == (1, 1)
    events = aws.client("logs").filter_log_events(logGroupName="aws-waf-logs-shop")["events"]
    said = [json.loads(each["message"]) for each in events]
    assert [(each["action"], each["terminatingRuleId"], each["httpRequest"]["args"]) for each in said] == [
        ("BLOCK", "common", "q=1"),
        ("ALLOW", "Default_Action", ""),
    ]
    assert container.since[0] is None
    assert container.since[1] is not None

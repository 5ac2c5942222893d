"""A web ACL as proxies read it, what it becomes in HAProxy's words, and what is told of requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws import haproxy
from local_aws.tests.unit.test_load_balancer_config import balancer, section, text
from local_aws.waf import balancer as waf
from local_aws.waf.balancer import hits
from local_aws.waf.firewall import Firewall, Hit, Rule, read
from local_aws.waf.groups import CAPACITIES
from local_aws.waf.patterns import PATTERNS
from local_aws.waf.telling import line, measured

COMMON = "AWSManagedRulesCommonRuleSet"
SEEN = {"MetricName": "shop"}
ACL = {
    "ARN": "arn:acl",
    "Name": "shop",
    "VisibilityConfig": SEEN,
    "Rules": [
        {"Name": "common", "Priority": 5, "OverrideAction": {"None": {}}, "VisibilityConfig": {"MetricName": "shop-c"},
         "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": COMMON, "RuleActionOverrides": [
             {"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}]}}},
        {"Name": "rate", "Priority": 4, "Action": {"Block": {}}, "VisibilityConfig": {"MetricName": "shop-rate"},
         "Statement": {"RateBasedStatement": {"Limit": 100, "AggregateKeyType": "IP"}}},
        {"Name": "allow4", "Priority": 0, "Action": {"Allow": {}}, "VisibilityConfig": {"MetricName": "shop-allow4"},
         "Statement": {"IPSetReferenceStatement": {"ARN": "arn:set"}}},
    ],
}  # fmt: skip
LOG = {
    "LogDestinationConfigs": ["arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-shop"],
    "RedactedFields": [{"SingleHeader": {"Name": "Cookie"}}],
}
FIREWALL = read(ACL, {"arn:set": ["192.0.2.0/24"]}, LOG)


def lines(firewall: Firewall = FIREWALL) -> list[str]:
    return section(text(balancer(firewall=firewall)), "frontend listener_80")


def only(*rules: Rule) -> list[str]:
    return lines(Firewall("arn:acl", "shop", rules))


def test_a_web_acl_is_read_in_the_order_in_which_it_is_asked() -> None:
    assert FIREWALL.rules == (
        Rule("allow4", "allow", ("192.0.2.0/24",), metric="shop-allow4"),
        Rule("rate", "block", limit=100, metric="shop-rate"),
        Rule("common", "block", group=COMMON, counted=("SizeRestrictions_BODY",), metric="shop-c"),
    )
    assert (FIREWALL.log, FIREWALL.redacted, FIREWALL.metric) == ("aws-waf-logs-shop", ("cookie",), "shop")
    counting = {**ACL["Rules"][0], "OverrideAction": {"Count": {}}}  # type: ignore[index]  # a list of rules
    assert read({**ACL, "Rules": [counting]}, {}, {}).rules[0].action == "count"
    assert read({**ACL, "Rules": [counting]}, {}, {}).log == ""


def test_a_load_balancer_without_one_asks_nothing() -> None:
    assert "waf" not in text(balancer())


def test_networks_are_looked_up_in_a_file_as_a_line_takes_few() -> None:
    files = haproxy.render(balancer(firewall=FIREWALL))
    assert files["waf/allow4"] == "192.0.2.0/24\n"
    chosen = "if !{ var(txn.waf_end) -m found } { src -f /etc/balancer/waf/allow4 }"
    assert f"http-request set-var(txn.waf_end) str(allow) {chosen}" in lines()


def test_requests_of_an_address_are_counted_for_five_minutes_at_each_listener() -> None:
    configuration = text(balancer(firewall=FIREWALL))
    assert section(configuration, "backend waf_rate_80") == [
        "stick-table type ipv6 size 100000 expire 5m store http_req_rate(5m)"
    ]
    over = "{ sc_http_req_rate(0,waf_rate_80) gt 100 }"
    assert f"http-request set-var(txn.waf_end) str(block) if !{{ var(txn.waf_end) -m found }} {over}" in lines()
    assert "waf_rate" not in text(balancer(firewall=Firewall("arn:acl", "shop", ())))


def test_what_counts_blocks_nothing_and_is_remembered() -> None:
    made = only(Rule("common", "count", group=COMMON))
    assert not [each for each in made if "set-var(txn.waf_end)" in each]
    assert any("concat(,,common/CrossSiteScripting_QUERYARGUMENTS|)" in each for each in made)
    made = lines()
    (size,) = [each for each in made if "req.body_size gt 8192" in each]
    assert "waf_counted" in size, "an upload passes a group that blocks"
    (script,) = [each for each in made if "set-var(txn.waf_end)" in each and "<script" in each and "query" in each]
    assert "str(block)" in script


def test_the_decision_is_made_before_rules_of_the_listener_are_asked() -> None:
    made = lines()
    (denied,) = [place for place, each in enumerate(made) if "return status 403" in each]
    (chosen,) = [place for place, each in enumerate(made) if "set-var(txn.rule)" in each]
    assert denied < chosen


def test_requests_are_written_down_where_there_is_a_log_and_else_if_a_rule_has_met_them() -> None:
    assert "http-request set-log-level notice if TRUE" in lines()
    assert any("set-log-level notice if { var(txn.waf_end) -m str block }" in each for each in only())
    assert any("set-var(txn.waf_h_cookie) str(REDACTED)" in each for each in lines())
    assert any("set-var(txn.waf_h_cookie) req.fhdr(cookie)" in each for each in only())


def test_each_group_that_looks_at_something_is_one_that_there_is() -> None:
    lists = {"AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesAnonymousIpList"}
    assert PATTERNS.keys() == CAPACITIES.keys() - lists - {"AWSManagedRulesWindowsRuleSet"}


def told(**given: str) -> str:
    said = {"client": "192.0.2.9", "action": "-", "rule": "-", "counted": "", "method": "GET", "uri": "/", "args": "-"}
    return f"2026-11-27T17:00:00Z WAF {json.dumps(said | given)}"


def test_lines_of_a_proxy_are_requests_and_nothing_else_is() -> None:
    found = hits(
        FIREWALL,
        ["Proxy started", told(counted="rate|common/SizeRestrictions_BODY|"), told(action="block", rule="rate")],
    )
    assert found == [
        Hit("allow", "", ("rate", "common/SizeRestrictions_BODY"), found[0].request),
        Hit("block", "rate", (), found[1].request),
    ]
    assert found[0].request == {"client": "192.0.2.9", "method": "GET", "uri": "/", "args": ""}


def test_a_request_is_in_the_metrics_of_its_rule_and_of_all() -> None:
    found = hits(FIREWALL, [told(counted="rate|common/A|common/B|"), told(action="block", rule="common/C"), told()])
    assert measured(FIREWALL, found) == {
        ("AllowedRequests", "ALL"): 2,
        ("BlockedRequests", "ALL"): 1,
        ("BlockedRequests", "shop-c"): 1,
        ("CountedRequests", "ALL"): 2,
        ("CountedRequests", "shop-rate"): 1,
        ("CountedRequests", "shop-c"): 1,
    }


@pytest.mark.parametrize(
    ("hit", "rule", "kind", "action"),
    [
        (Hit("block", "rate", (), {}), "rate", "RATE_BASED", "BLOCK"),
        (Hit("block", "common/X", (), {}), "common", "MANAGED_RULE_GROUP", "BLOCK"),
        (Hit("allow", "allow4", (), {}), "allow4", "REGULAR", "ALLOW"),
        (Hit("allow", "", (), {}), "Default_Action", "REGULAR", "ALLOW"),
    ],
)
def test_a_line_of_the_log_is_as_waf_writes_it(hit: Hit, rule: str, kind: str, action: str) -> None:
    made: dict[str, Any] = line(FIREWALL, hit, 1, "ALB")
    assert (made["terminatingRuleId"], made["terminatingRuleType"], made["action"]) == (rule, kind, action)
    assert made["webaclId"] == "arn:acl"


def test_a_line_of_the_log_names_what_counted_and_the_headers() -> None:
    request = {
        "client": "192.0.2.9",
        "method": "GET",
        "uri": "/a",
        "args": "b=c",
        "host": "shop.test",
        "cookie": "REDACTED",
    }
    made = line(FIREWALL, Hit("allow", "", ("common/SizeRestrictions_BODY",), request), 1, "ALB")
    assert made["nonTerminatingMatchingRules"] == [{"ruleId": "SizeRestrictions_BODY", "action": "COUNT"}]
    assert made["httpRequest"]["headers"] == [
        {"name": "host", "value": "shop.test"}, {"name": "cookie", "value": "REDACTED"},
    ]  # fmt: skip
    assert (made["httpRequest"]["uri"], made["httpRequest"]["args"]) == ("/a", "b=c")


def test_the_patterns_are_words_that_haproxy_takes() -> None:
    for group, rules in PATTERNS.items():
        for name, pattern in rules.items():
            assert (
                sum([bool(pattern.words), bool(pattern.above), pattern.where in waf.MISSING and not pattern.words]) == 1
            )
            assert waf._condition(pattern, haproxy.quote).startswith(("{", "!{")), f"{group} {name}"

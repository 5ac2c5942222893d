"""A firewall in ModSecurity's words and nginx's, and what its log tells; parts/test_edge_waf.py asks it."""

from __future__ import annotations

from local_aws.edge.configuration import Place, render
from local_aws.tests.unit.test_edge_configuration import PAGE, STRIP, distribution
from local_aws.waf.firewall import Firewall, Hit, Rule
from local_aws.waf.modsecurity import FILE, MODULE, files, hits, http, server
from local_aws.waf.patterns import PATTERNS

COMMON, SQL = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"
PLACE = Place("/e", "443", "80", "own.pem", "ca.pem", {"alb": "https://10.0.0.5:443", "files": ""})
ALLOW = Rule("allow4", "allow", ("192.0.2.0/24",))


def rules(*given: Rule) -> list[str]:
    """The lines of the rules' file."""
    return files(Firewall("arn:acl", "shop", given), "/e")[FILE].splitlines()


def test_a_group_has_the_files_of_the_core_rule_set_that_score_its_attacks() -> None:
    made = rules(Rule("sql", "block", group=SQL))
    included = [line.rpartition("/")[2] for line in made if line.startswith("Include")]
    assert included == ["REQUEST-901-INITIALIZATION.conf", "REQUEST-942-APPLICATION-ATTACK-SQLI.conf"]
    assert not [line for line in rules(Rule("rate", "block", limit=10)) if line.startswith("Include")]


def test_an_attack_is_denied_by_a_group_that_blocks_and_told_by_one_that_counts() -> None:
    (line,) = [each for each in rules(Rule("sql", "block", group=SQL)) if "sql/SQLi_QUERYARGUMENTS" in each]
    assert "SQL_INJECTION_SCORE" in line
    assert "deny,status:403" in line
    made = rules(Rule("sql", "count", group=SQL))
    assert not [each for each in made if "deny" in each]
    made = rules(Rule("common", "block", group=COMMON, counted=("SizeRestrictions_BODY",)))
    (size,) = [each for each in made if "SizeRestrictions_BODY" in each]
    assert ("@gt 8192" in size, "pass" in size, "deny" in size) == (True, True, False)


def test_nothing_is_decided_before_nginx_knows_the_behaviour() -> None:
    made = rules(ALLOW, Rule("block4", "block", ("198.51.100.7/32",)), *(Rule(n, "block", group=n) for n in PATTERNS))
    assert all("phase:2" in each for each in made if "deny" in each)


def test_who_is_let_in_is_asked_nothing_and_not_counted() -> None:
    firewall = Firewall("arn:acl", "shop", (ALLOW, Rule("rate", "block", limit=100)))
    (line,) = [each for each in rules(ALLOW) if "allow4" in each]
    assert "ctl:ruleEngine=Off" in line
    assert files(firewall, "/e")["waf/allow4"] == "192.0.2.0/24\n"
    assert "geo $waf_allowed { default 0; 192.0.2.0/24 1; }" in http(firewall)


def test_an_address_has_its_requests_at_once_and_a_fifth_of_them_a_minute() -> None:
    blocking, counting = (Firewall("arn:acl", "shop", (Rule("rate", each, limit=100),)) for each in ("block", "count"))
    assert "rate=20r/m" in http(blocking)
    assert "burst=99 nodelay" in server(blocking, "/e")
    assert "limit_req_dry_run off" in server(blocking, "/e")
    assert "limit_req_dry_run on" in server(counting, "/e")
    assert "limit_req" not in server(Firewall("arn:acl", "shop", ()), "/e") + http(Firewall("arn:acl", "shop", ()))


def test_it_is_loaded_where_a_distribution_asks_one_and_for_its_viewers_only() -> None:
    functions = {"strip": STRIP, "page": PAGE}
    plain = render(distribution(), PLACE, functions)
    assert FILE not in plain
    assert "modsecurity" not in plain["nginx.conf"]
    made = render(distribution(), PLACE, functions, (), Firewall("arn:acl", "shop", (ALLOW,)))
    assert MODULE in made["nginx.conf"]
    assert made["nginx.conf"].count("modsecurity on;") == 1
    assert FILE in made


TOLD = (
    '2026/11/27 17:00:00 [error] 7#7: *4 [client 192.0.2.9] ModSecurity: {} [file "x"] [msg "{}"] [uri "/"] '
    '[unique_id "{}"] [ref ""], client: 192.0.2.9, server: shop.test, request: "GET /a?b=c HTTP/2.0", host: "shop.test"'
)
LIMITED = (
    '2026/11/27 17:00:00 [error] 7#7: *4 limiting requests, {}excess: 10.9 by zone "waf", client: 192.0.2.9, '
    'server: shop.test, request: "GET / HTTP/1.1", host: "shop.test"'
)


def test_the_log_tells_what_met_a_rule_each_request_once() -> None:
    firewall = Firewall("arn:acl", "shop", (Rule("common", "block", group=COMMON), Rule("rate", "block", limit=10)))
    request = {"client": "192.0.2.9", "method": "GET", "uri": "/a", "args": "b=c", "host": "shop.test"}
    assert hits(
        firewall,
        [
            "2026/11/27 17:00:00 [notice] 1#1: start worker processes",
            TOLD.format("Warning.", "SQL Injection Attack Detected via libinjection", "1"),
            TOLD.format("Warning.", "common/SizeRestrictions_BODY", "1"),
            TOLD.format("Access denied with code 403 (phase 2).", "common/CrossSiteScripting_BODY", "1"),
            TOLD.format("Warning.", "common/SizeRestrictions_BODY", "2"),
        ],
    ) == [
        Hit("block", "common/CrossSiteScripting_BODY", ("common/SizeRestrictions_BODY",), request),
        Hit("allow", "", ("common/SizeRestrictions_BODY",), request),
    ]
    made = hits(firewall, [LIMITED.format(""), LIMITED.format("dry run, ")])
    assert [(each.action, each.rule, each.counted) for each in made] == [
        ("block", "rate", ()),
        ("allow", "", ("rate",)),
    ]

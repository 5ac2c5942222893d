"""A load balancer as HAProxy configuration; parts/test_load_balancers.py shows that HAProxy takes it so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local_aws import haproxy
from local_aws.haproxy import Balancer, HealthCheck, Listener, Rule, Target, TargetGroup, Unsupported
from local_aws.load_balancers.health import unhealthy

CHECK = HealthCheck(path="/healthz", interval=10, timeout=3, healthy=2, unhealthy=4, matcher="200-299,301")
GROUP = TargetGroup("arn:web", "web", "HTTP", "round_robin", CHECK, (Target("i-1", 32768, "10.0.0.5"),))
FORWARD = {"Type": "forward", "TargetGroupArn": "arn:web"}


def balancer(*rules: Rule, protocol: str = "HTTP", port: int = 80, **given: Any) -> Balancer:
    certificates = ("certificates/a.pem", "certificates/b.pem") if protocol == "HTTPS" else ()
    listener = Listener(port, protocol, rules or (rule(FORWARD),), certificates, given.pop("policy", ""))
    return Balancer("lb", (listener,), given.pop("groups", (GROUP,)), **given)


def rule(*actions: dict[str, Any], priority: str = "default", conditions: tuple[dict[str, Any], ...] = ()) -> Rule:
    return Rule(priority, conditions, actions)


def text(chosen: Balancer) -> str:
    return haproxy.render(chosen)[haproxy.FILE]


def section(configuration: str, name: str) -> list[str]:
    found = re.search(rf"^{name}\n((?:    .*\n?)*)", configuration, re.MULTILINE)
    assert found, f"no section {name!r}"
    return [line.strip() for line in found[1].splitlines()]


def test_backend_checks_as_the_target_group_says() -> None:
    lines = section(text(balancer()), "backend web")
    assert "server i-1_32768 10.0.0.5:32768 check inter 10s rise 2 fall 4" in lines
    assert "http-check expect status 200-299,301" in lines
    assert "timeout check 3s" in lines
    assert "balance roundrobin" in lines
    (send,) = [line for line in lines if line.startswith("http-check send")]
    assert "uri '/healthz'" in send
    assert "hdr Host %[bc_dst]:%[bc_dst_port]" in send


@pytest.mark.parametrize(
    ("protocol", "check", "expected"),
    [
        ("HTTP", HealthCheck(port="8081"), "check inter 30s rise 5 fall 2 port 8081"),
        ("HTTP", HealthCheck(protocol="HTTPS"), "check inter 30s rise 5 fall 2 check-ssl verify none"),
        ("HTTPS", HealthCheck(protocol="HTTPS"), "check inter 30s rise 5 fall 2 ssl verify none"),
        ("HTTPS", HealthCheck(protocol="HTTP"), "check inter 30s rise 5 fall 2 ssl verify none no-check-ssl"),
    ],
)
def test_server_options(protocol: str, check: HealthCheck, expected: str) -> None:
    assert haproxy.server_options(TargetGroup("a", "web", protocol, "round_robin", check)) == expected


def test_https_listener_has_its_certificates_default_first_and_modern_tls() -> None:
    configuration = text(balancer(protocol="HTTPS", port=443))
    lines = section(configuration, "frontend listener_443")
    crt = "crt /etc/balancer/certificates/a.pem crt /etc/balancer/certificates/b.pem"
    assert f"bind :443 ssl {crt} alpn h2,http/1.1" in lines
    assert "http-request set-header X-Forwarded-Proto https" in lines
    assert "http-request set-header X-Forwarded-Port 443" in lines
    assert "ssl-default-bind-options ssl-min-ver TLSv1.2" in section(configuration, "global")
    newest = text(balancer(protocol="HTTPS", port=443, policy="ELBSecurityPolicy-TLS13-1-3-2021-06"))
    assert "alpn h2,http/1.1 ssl-min-ver TLSv1.3" in newest


def test_idle_timeout_is_honoured() -> None:
    lines = section(text(balancer(idle=75)), "defaults")
    assert "timeout client 75s" in lines
    assert "timeout server 75s" in lines


def test_first_matching_rule_decides_in_the_order_of_priority() -> None:
    """A `forward` of a lower number goes before a fixed response, which HAProxy itself would run first."""
    gone = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410"}}
    old = ({"Field": "path-pattern", "Values": ["/old/*"]},)
    kept = ({"Field": "path-pattern", "Values": ["/old/kept"]},)
    rules = (
        rule(gone, priority="100", conditions=old),
        rule(FORWARD),
        rule(FORWARD, priority="9", conditions=kept),
    )
    lines = section(text(balancer(*rules)), "frontend listener_80")
    chosen = [re.findall(r"str\((\w+)\)", line)[0] for line in lines if "set-var(txn.rule)" in line]
    assert chosen == ["r9", "r100", "rdefault"]
    assert "acl r9_c0 path -m reg -- '^/old/kept$'" in lines
    first_backend = next(number for number, line in enumerate(lines) if line.startswith("use_backend"))
    assert all(line.startswith("use_backend") for line in lines[first_backend:])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Field": "path-pattern", "Values": ["/a.b?/*"]}, r"path -m reg -- '^/a\.b./.*$'"),
        (
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.x.com", "y.org"]}},
            r"req.hdr(host),field(1,:) -m reg -i -- '^.*\.x\.com$' '^y\.org$'",
        ),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Secret", "Values": ["it's #1"]}},
            r"""req.fhdr(X-Secret) -m reg -i -- '^it'\''s\ \#1$'""",
        ),
        ({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT"]}}, "method -m str -- 'PUT'"),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}, "src -- 10.0.0.0/8"),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1*"}, {"Value": "x"}]}},
            "query -m reg -i -- '(^|&)v=1[^&]*(&|$)' '(^|&)[^&=]*=x(&|$)'",
        ),
    ],
)
def test_conditions(condition: dict[str, Any], expected: str) -> None:
    lines = section(text(balancer(rule(FORWARD, priority="5", conditions=(condition,)))), "frontend listener_80")
    assert f"acl r5_c0 {expected}" in lines


def redirect(**config: str) -> list[str]:
    action = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}
    published = ((443, 8443), (80, 8080))
    return section(text(balancer(rule(action), published=published)), "frontend listener_80")


def test_redirect_to_https_goes_to_the_published_port_only_for_who_came_in_by_one() -> None:
    lines = redirect(Protocol="HTTPS", Port="443", Host="#{host}", Path="/#{path}", Query="#{query}")
    chosen = "{ var(txn.rule) -m str rdefault }"
    assert f"http-request set-var(txn.port) str(443) if {chosen}" in lines
    outside = "{ req.hdr(host),field(2,:) -m str 8443 8080 }"
    assert f"http-request set-var(txn.port) str(8443) if {chosen} {outside}" in lines
    where = "'https://%[req.hdr(host),field(1,:)]:%[var(txn.port)]/%[path,bytes(1)]%[var(txn.query)]'"
    assert f"http-request redirect location {where} code 301 if {chosen}" in lines


def test_redirect_to_another_host_escapes_what_haproxy_would_read() -> None:
    lines = redirect(Host="www.#{host}", Path="/100%/#{path}", Query="a=1&#{query}", StatusCode="HTTP_302")
    assert any(
        "'http://www.%[req.hdr(host),field(1,:)]:" in line and "/100%%/%[path,bytes(1)]" in line for line in lines
    )
    assert any(line.startswith("http-request set-var-fmt(txn.query) '?a=1&%[query]'") for line in lines)


def test_weighted_forward_shares_by_weight() -> None:
    other = TargetGroup("arn:other", "other", "HTTP", "least_outstanding_requests", CHECK)
    weights = {"arn:web": 3, "arn:other": 1}
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]}
    configuration = text(balancer(rule({"Type": "forward", "ForwardConfig": config}), groups=(GROUP, other)))
    lines = section(configuration, "frontend listener_80")
    assert "http-request set-var(txn.dice) rand(4) if { var(txn.rule) -m str rdefault }" in lines
    shares = [re.findall(r"use_backend (\w+) .* lt (\d)", line)[0] for line in lines if line.startswith("use_backend")]
    assert shares == [("web", "3"), ("other", "4")]
    assert "balance leastconn" in section(configuration, "backend other")


def test_body_of_a_fixed_response_is_a_file() -> None:
    config = {"StatusCode": "503", "ContentType": "text/html", "MessageBody": 'it\'s\n"down" %[src]'}
    files = haproxy.render(balancer(rule({"Type": "fixed-response", "FixedResponseConfig": config})))
    assert files["bodies/80_rdefault"] == config["MessageBody"]
    assert "status 503 content-type text/html file /etc/balancer/bodies/80_rdefault" in files[haproxy.FILE]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (balancer(rule({"Type": "authenticate-oidc"}, FORWARD)), "authenticate-oidc, forward"),
        (balancer(rule(FORWARD, conditions=({"Field": "moon-phase"},), priority="1")), "moon-phase"),
        (
            balancer(rule(FORWARD, conditions=({"Field": "path-pattern", "RegexValues": ["^/a"]},), priority="1")),
            "path-pattern without Values",
        ),
        (balancer(protocol="TLS"), "protocol TLS"),
        (Balancer("lb", (Listener(443, "HTTPS", (rule(FORWARD),)),), (GROUP,)), "no certificate"),
        (balancer(groups=(TargetGroup("arn:web", "web", "TCP", "round_robin", CHECK),)), "protocol TCP"),
        (
            balancer(rule({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/#{port}"}})),
            "#{port}",
        ),
        (
            balancer(rule(FORWARD, priority="1", conditions=({"Field": "path-pattern", "Values": ["/a\nb"]},))),
            "line break",
        ),
    ],
)
def test_what_is_not_emulated_is_refused_by_name(chosen: Balancer, words: str) -> None:
    with pytest.raises(Unsupported, match=re.escape(words)):
        haproxy.render(chosen)


@pytest.mark.parametrize(
    ("result", "code", "reason", "description"),
    [
        ("L7STS", "404", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]"),
        ("L4TOUT", "", "Target.Timeout", "Request timed out"),
        ("L7TOUT", "", "Target.Timeout", "Request timed out"),
        ("L4CON", "", "Target.FailedHealthChecks", "Health checks failed"),
    ],
)
def test_reasons_are_those_of_aws(result: str, code: str, reason: str, description: str) -> None:
    assert unhealthy(result, code) == ("unhealthy", reason, description)

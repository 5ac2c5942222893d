"""An application load balancer as HAProxy configuration: pure text, no Docker, no network.

Rules: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
HAProxy: https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from local_aws.waf import balancer as waf
from local_aws.waf.firewall import Firewall

FOLDER = "/etc/balancer"
FILE = "haproxy.cfg"
CONNECT_SECONDS = 10
SERVER_HEADER = "awselb/2.0"
USER_AGENT = "ELB-HealthChecker/2.0"
ALGORITHMS = {
    "round_robin": "roundrobin",
    "least_outstanding_requests": "leastconn",
    "weighted_random": "random",
}
ERRORS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}

PROCESS = f"""\
global
    log stdout format raw local0 notice
    user haproxy
    group haproxy
    maxconn 2000
    stats socket {FOLDER}/admin.sock mode 666 level admin expose-fd listeners
    server-state-file {FOLDER}/servers
    ssl-default-bind-options ssl-min-ver TLSv1.2
    hard-stop-after 1h
"""
"""The global section, of either kind of load balancer."""


class Unsupported(ValueError):
    """AWS has it, this emulation has not; the message says what."""


@dataclass(frozen=True)
class Target:
    """A registered target: its id as registered (instance or IP address), port, and where that is on the network."""

    id: str
    port: int
    address: str

    @property
    def server(self) -> str:
        """Its name in HAProxy."""
        return f"{self.id}_{self.port}"


@dataclass(frozen=True)
class HealthCheck:
    """How a target group checks its targets. Times in seconds; `port` a number or `traffic-port`."""

    protocol: str = "HTTP"
    port: str = "traffic-port"
    path: str = "/"
    interval: int = 30
    timeout: int = 5
    healthy: int = 5
    unhealthy: int = 2
    matcher: str = "200"


@dataclass(frozen=True)
class TargetGroup:
    """A target group; its name is unique in a region, so it names the backend.

    Attributes:
        preserve_client_ip: of a TCP group, attribute preserve_client_ip.enabled.
    """

    arn: str
    name: str
    protocol: str
    algorithm: str
    check: HealthCheck
    targets: tuple[Target, ...] = ()
    preserve_client_ip: bool = False


@dataclass(frozen=True)
class Rule:
    """A listener's rule as DescribeRules has it; `priority` is a number, or `default`."""

    priority: str
    conditions: tuple[dict[str, Any], ...]
    actions: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Listener:
    """A listener; `certificates` are files below FOLDER, the default one first; `rules` in any order.

    Attributes:
        idle: of a network load balancer's, in seconds (attribute tcp.idle_timeout.seconds).
    """

    port: int
    protocol: str
    rules: tuple[Rule, ...]
    certificates: tuple[str, ...] = ()
    policy: str = ""
    idle: int = 350


@dataclass(frozen=True)
class Balancer:
    """A load balancer with all that its listeners use.

    Attributes:
        published: listener port → port of this machine at which a person reaches it.
        idle: of an application load balancer, in seconds (attribute idle_timeout.timeout_seconds).
        type: `application`, or `network` (network_balancer.py).
        firewall: that looks at requests first; None for none.
    """

    name: str
    listeners: tuple[Listener, ...]
    groups: tuple[TargetGroup, ...]
    published: tuple[tuple[int, int], ...] = ()
    idle: int = 60
    type: str = "application"
    firewall: Firewall | None = None


def render(balancer: Balancer) -> dict[str, str]:
    """The files of a balancer by their path below FOLDER: the configuration and the bodies of fixed responses.

    Raises:
        Unsupported: an action, condition or protocol that is not emulated.
    """
    bodies: dict[str, str] = {}
    groups = {group.arn: group.name for group in balancer.groups}
    parts = [_global(balancer)]
    listeners = sorted(balancer.listeners, key=lambda item: item.port)
    parts += [_frontend(balancer, listener, groups, bodies) for listener in listeners]
    if balancer.firewall:
        bodies |= waf.files(balancer.firewall)
        parts += [made for item in listeners if (made := waf.backend(balancer.firewall, item.port))]
    parts += [_backend(group) for group in sorted(balancer.groups, key=lambda item: item.name)]
    return {FILE: "\n".join(parts), **bodies}


def server_options(group: TargetGroup) -> str:
    """What stands after a server's address, in the file as in the runtime API's `add server`."""
    check = group.check
    options = ["check", f"inter {check.interval}s", f"rise {check.healthy}", f"fall {check.unhealthy}"]
    if check.port != "traffic-port":
        options.append(f"port {check.port}")
    if group.protocol == "HTTPS":
        options.append("ssl verify none")  # a load balancer does not validate its targets' certificates
        if check.protocol == "HTTP":
            options.append("no-check-ssl")
    elif check.protocol == "HTTPS":
        options.append("check-ssl verify none")
    if group.protocol == "TCP":
        # target_health_state.unhealthy.connection_termination.enabled, whose default is true.
        options.append("on-marked-down shutdown-sessions")
    return " ".join(options)


def http_check(check: HealthCheck) -> list[str]:
    """A backend's lines for a health check by HTTP or HTTPS."""
    return [
        "    option httpchk",
        # Targets see their own address as the host: Django's ALLOWED_HOSTS refuses it unless the path is exempt.
        f"    http-check send meth GET uri {quote(check.path)} ver HTTP/1.1 hdr Host %[bc_dst]:%[bc_dst_port] "
        f"hdr User-Agent {USER_AGENT} hdr Connection close",
        f"    http-check expect status {check.matcher}",
    ]


def quote(text: str) -> str:
    """`text` as one word of HAProxy's configuration, whatever is in it but a line break.

    Raises:
        Unsupported: it has a line break.
    """
    if "\n" in text or "\r" in text:
        raise Unsupported(f"A line break in {text!r} cannot be configured.")
    return "'" + text.replace("'", "'\\''") + "'"


def pattern(text: str) -> str:
    """A regular expression for a pattern of AWS: `*` is any text, `?` any one character."""
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in text)


def _global(balancer: Balancer) -> str:
    errors = "\n".join(
        f"    http-error status {status} content-type text/html string {quote(_page(status))} "
        f"hdr Server {SERVER_HEADER}"
        for status in ERRORS
    )
    return f"""\
{PROCESS}
defaults
    mode http
    log global
    timeout connect {CONNECT_SECONDS}s
    timeout client {balancer.idle}s
    timeout server {balancer.idle}s
    # A target that refuses a connection makes a 502, as on AWS; nothing is tried elsewhere.
    retries 0
    load-server-state-from-file global
    # A reload must not close a client's idle connection under its next request.
    option idle-close-on-response
{errors}
"""


def _page(status: int) -> str:
    title = f"{status} {ERRORS[status]}"
    return f"<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"


def _frontend(balancer: Balancer, listener: Listener, groups: dict[str, str], bodies: dict[str, str]) -> str:
    if listener.protocol not in ("HTTP", "HTTPS"):
        raise Unsupported(f"Listener protocol {listener.protocol} is not emulated; use HTTP or HTTPS.")
    scheme = listener.protocol.lower()
    bind = f"bind :{listener.port}"
    if scheme == "https":
        if not listener.certificates:
            raise Unsupported(f"The HTTPS listener on port {listener.port} has no certificate.")
        files = " ".join(f"crt {FOLDER}/{file}" for file in listener.certificates)
        newest = " ssl-min-ver TLSv1.3" if "TLS13-1-3" in listener.policy else ""
        bind += f" ssl {files} alpn h2,http/1.1{newest}"
    lines = [
        f"frontend listener_{listener.port}",
        f"    {bind}",
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
        "    http-request set-header X-Forwarded-For '%[req.fhdr(X-Forwarded-For)], %[src]' "
        "if { req.fhdr(X-Forwarded-For) -m found }",
        "    http-request set-header X-Forwarded-For %[src] unless { req.fhdr(X-Forwarded-For) -m found }",
        f"    http-request set-header X-Forwarded-Proto {scheme}",
        f"    http-request set-header X-Forwarded-Port {listener.port}",
    ]
    if balancer.firewall:
        made = waf.lines(balancer.firewall, listener.port, FOLDER, SERVER_HEADER, quote)
        lines += [f"    {line}" for line in made]
    last: list[str] = []
    rules = sorted(listener.rules, key=lambda rule: float("inf") if rule.priority == "default" else int(rule.priority))
    for rule in rules:
        name = f"r{rule.priority}"
        acls = [f"{name}_c{number}" for number in range(len(rule.conditions))]
        for acl, condition in zip(acls, rule.conditions, strict=True):
            lines += [f"    acl {acl} {line}" for line in _condition(condition)]
        # The first rule that matches decides, whatever its action; HAProxy's own order goes by kind of action.
        lines.append(
            f"    http-request set-var(txn.rule) str({name}) if {' '.join(['!{ var(txn.rule) -m found }', *acls])}"
        )
        last += _action(balancer, listener, rule, name, groups, bodies)
    # HAProxy runs http-request rules before use_backend; written in that order, it has nothing to warn of.
    last.sort(key=lambda line: line.startswith("use_backend"))
    return "\n".join([*lines, *(f"    {line}" for line in last)]) + "\n"


def _action(
    balancer: Balancer, listener: Listener, rule: Rule, name: str, groups: dict[str, str], bodies: dict[str, str]
) -> list[str]:
    chosen = f"{{ var(txn.rule) -m str {name} }}"
    action = max(rule.actions, key=lambda item: int(item.get("Order") or 0))
    if len(rule.actions) > 1 or action["Type"] not in ("forward", "redirect", "fixed-response"):
        kinds = ", ".join(item["Type"] for item in rule.actions)
        raise Unsupported(
            f"Actions {kinds} of a listener's rule are not emulated; use one forward, redirect or fixed-response."
        )
    if action["Type"] == "forward":
        return _forward(action, chosen, groups)
    if action["Type"] == "redirect":
        return _redirect(balancer, listener, action["RedirectConfig"], chosen)
    response = action["FixedResponseConfig"]
    line = f"http-request return status {response['StatusCode']}"
    if response.get("MessageBody"):
        file = f"bodies/{listener.port}_{name}"
        bodies[file] = str(response["MessageBody"])
        line += f" content-type {response.get('ContentType') or 'text/plain'} file {FOLDER}/{file}"
    return [f"{line} hdr Server {SERVER_HEADER} if {chosen}"]


def _forward(action: dict[str, Any], chosen: str, groups: dict[str, str]) -> list[str]:
    weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or [{"TargetGroupArn": action["TargetGroupArn"]}]
    weighted = [(groups[item["TargetGroupArn"]], int(item.get("Weight", 1))) for item in weighted]
    if len(weighted) == 1:
        return [f"use_backend {weighted[0][0]} if {chosen}"]
    total = sum(weight for _, weight in weighted)
    if not total:
        return [f"http-request return status 503 default-errorfiles if {chosen}"]
    lines = [f"http-request set-var(txn.dice) rand({total}) if {chosen}"]
    limit = 0
    for group, weight in weighted:
        if weight:
            limit += weight
            lines.append(f"use_backend {group} if {chosen} {{ var(txn.dice) -m int lt {limit} }}")
    return lines


def _redirect(balancer: Balancer, listener: Listener, config: dict[str, Any], chosen: str) -> list[str]:
    """A redirect. Ports 443 and 80 of a balancer are published under other numbers on this machine: what came in by
    such a number (the Host header says so) is sent on to such a number; anything else exactly as AWS does.
    """
    protocol = str(config.get("Protocol") or "#{protocol}").replace("#{protocol}", listener.protocol).lower()
    port = str(config.get("Port") or "#{port}").replace("#{port}", str(listener.port))
    published = dict(balancer.published)
    lines = [f"http-request set-var(txn.port) str({port}) if {chosen}"]
    if int(port) in published:
        outside = " ".join(str(number) for _, number in balancer.published)
        lines.append(
            f"http-request set-var(txn.port) str({published[int(port)]}) "
            f"if {chosen} {{ req.hdr(host),field(2,:) -m str {outside} }}"
        )
    query = str(config.get("Query") if config.get("Query") is not None else "#{query}")
    lines.append(f"http-request set-var-fmt(txn.query) {quote('?' + _template(query))} if {chosen}")
    if query == "#{query}":
        lines.append(f"http-request set-var(txn.query) str('') if {chosen} !{{ query -m found }}")
    elif not query:
        lines[-1] = f"http-request set-var(txn.query) str('') if {chosen}"
    host = _template(str(config.get("Host") or "#{host}"))
    path = _template(str(config.get("Path") or "/#{path}"))
    location = f"{protocol}://{host}:%[var(txn.port)]{path}%[var(txn.query)]"
    code = str(config["StatusCode"]).removeprefix("HTTP_")
    lines.append(f"http-request redirect location {quote(location)} code {code} if {chosen}")
    return lines


def _template(text: str) -> str:
    """AWS's placeholders as HAProxy's; `#{path}` is without its first slash, `#{host}` without a port."""
    samples = {"#{host}": "%[req.hdr(host),field(1,:)]", "#{path}": "%[path,bytes(1)]", "#{query}": "%[query]"}
    pieces = re.split(r"(#\{\w+\})", text)
    unknown = [piece for piece in pieces[1::2] if piece not in samples]
    if unknown:
        raise Unsupported(f"The placeholder {unknown[0]} is not emulated in this place of a redirect.")
    return "".join(samples.get(piece) or piece.replace("%", "%%") for piece in pieces)


def _condition(condition: dict[str, Any]) -> list[str]:
    """The ACL's tests for one condition of a rule: any of them may be true.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
    """
    field = condition["Field"]
    if field == "path-pattern":
        values = _values(condition, "PathPatternConfig")
        return [f"path -m reg -- {' '.join(quote(f'^{pattern(value)}$') for value in values)}"]
    if field == "host-header":
        values = _values(condition, "HostHeaderConfig")
        return [f"req.hdr(host),field(1,:) -m reg -i -- {' '.join(quote(f'^{pattern(value)}$') for value in values)}"]
    if field == "http-header":
        values = _values(condition, "HttpHeaderConfig")
        header = condition["HttpHeaderConfig"]["HttpHeaderName"]
        # The whole header: `hdr` would cut it at commas.
        return [f"req.fhdr({header}) -m reg -i -- {' '.join(quote(f'^{pattern(value)}$') for value in values)}"]
    if field == "http-request-method":
        values = _values(condition, "HttpRequestMethodConfig")
        return [f"method -m str -- {' '.join(quote(value) for value in values)}"]
    if field == "source-ip":
        return [f"src -- {' '.join(_values(condition, 'SourceIpConfig'))}"]
    if field == "query-string":
        pairs = condition["QueryStringConfig"]["Values"]
        return [f"query -m reg -i -- {' '.join(quote(_query_pattern(pair)) for pair in pairs)}"]
    raise Unsupported(f"The condition {field} of a listener's rule is not emulated.")


def _query_pattern(pair: dict[str, str]) -> str:
    value = pattern(pair["Value"]).replace(".*", "[^&]*")
    key = pattern(pair["Key"]).replace(".*", "[^&]*") if pair.get("Key") else "[^&=]*"
    return f"(^|&){key}={value}(&|$)"


def _values(condition: dict[str, Any], config: str) -> list[str]:
    values = list((condition.get(config) or {}).get("Values") or condition.get("Values") or [])
    if not values:  # RegexValues, for one
        raise Unsupported(f"A condition {condition['Field']} without Values is not emulated.")
    return values


def _backend(group: TargetGroup) -> str:
    check = group.check
    if group.protocol not in ("HTTP", "HTTPS") or check.protocol not in ("HTTP", "HTTPS"):
        raise Unsupported(f"Target group {group.name}: protocol {group.protocol} or its check's is not emulated.")
    lines = [
        f"backend {group.name}",
        f"    balance {ALGORITHMS[group.algorithm]}",
        *http_check(check),
        f"    timeout check {check.timeout}s",
        # Reached when a target refused or cut the connection: HAProxy says 503, a load balancer of AWS says 502.
        f"    http-after-response set-status 502 reason {quote(ERRORS[502])} "
        f"if {{ status 503 }} {{ res.fhdr(Server) -m str {SERVER_HEADER} }} {{ nbsrv gt 0 }}",
    ]
    options = server_options(group)
    lines += [f"    server {target.server} {target.address}:{target.port} {options}" for target in group.targets]
    return "\n".join(lines) + "\n"

"""A firewall as a part of HAProxy's configuration: pure text.

HAProxy: https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from local_aws.waf.firewall import ALLOW, BLOCK, COUNT, Firewall, Hit, Rule
from local_aws.waf.patterns import AGENT, BODY, COOKIE, HOST, METHOD, PATH, PATTERNS, QUERY, Pattern

Quote = Callable[[str], str]
ADDRESSES = 100_000
"""Addresses whose requests are counted at a time."""
SAMPLES: Mapping[str, str] = {
    QUERY: "query,url_dec(1)",
    PATH: "path,url_dec",
    COOKIE: "req.fhdr(cookie),url_dec",
    HOST: "req.hdr(host)",
    METHOD: "method",
    AGENT: "req.fhdr(user-agent)",
    # What WAF looks at of a body: https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
    BODY: "req.body,bytes(0,8192),url_dec(1)",
}
SIZES = {QUERY: "query,length", PATH: "path,length", COOKIE: "req.fhdr(cookie),length", BODY: "req.body_size"}
MISSING = {AGENT: "!{ req.hdr(user-agent) -m found }"}
MARK = "WAF "
"""What a line begins with by which a proxy tells of a request; JSON follows."""
LOGGED = ("host", "user-agent", "content-type", "content-length", "authorization", "cookie")
GOES_ON = "!{ var(txn.waf_end) -m found }"
PAGE = "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>"


def table(listener: int) -> str:
    """The name of the backend that counts requests of addresses at a listener."""
    return f"waf_rate_{listener}"


def files(firewall: Firewall) -> dict[str, str]:
    """The networks of its sets, by the files' paths below the folder."""
    named = (rule for rule in firewall.rules if rule.networks)
    return {f"waf/{rule.name}": "".join(f"{each}\n" for each in rule.networks) for rule in named}


def lines(firewall: Firewall, listener: int, folder: str, server: str, quote: Quote) -> list[str]:
    """Lines of a frontend that come before all others which look at a request.

    Args:
        firewall: what is asked.
        listener: port of the frontend.
        folder: of HAProxy's files.
        server: what the header Server says of an answer of the load balancer's own.
        quote: makes one word of a text.
    """
    made = [f"log-format {quote(_log_format())}"]
    if any(pattern.where == BODY for rule in firewall.rules for pattern in PATTERNS.get(rule.group, {}).values()):
        made.append("option http-buffer-request")
    for name, sample in (("method", "method"), ("uri", "path"), ("args", "query")):
        made.append(f"http-request set-var(txn.waf_{name}) {sample}")
    for header in LOGGED:
        value = "str(REDACTED)" if header in firewall.redacted else f"req.fhdr({header})"
        made.append(f"http-request set-var(txn.waf_h_{_word(header)}) {value} if {{ req.fhdr({header}) -m found }}")
    made.append("http-request set-var(txn.waf_counted) str()")
    for rule in firewall.rules:
        made += _rule(rule, listener, folder, quote)
    # Below `notice` nothing is written.
    shown = "TRUE" if firewall.log else "{ var(txn.waf_end) -m str block } || { var(txn.waf_counted),length gt 0 }"
    page = f"content-type text/html string {quote(PAGE)} hdr Server {server}"
    return [
        *made,
        f"http-request set-log-level notice if {shown}",
        f"http-request return status 403 {page} if {{ var(txn.waf_end) -m str block }}",
    ]


def backend(firewall: Firewall, listener: int) -> str:
    """The counters of addresses; empty where nothing asks for them."""
    if not any(rule.limit for rule in firewall.rules):
        return ""
    return f"""\
backend {table(listener)}
    stick-table type ipv6 size {ADDRESSES} expire 5m store http_req_rate(5m)
"""


def _log_format() -> str:
    told = {"action": "waf_end", "rule": "waf_rule", "counted": "waf_counted"}
    told |= {name: f"waf_{name}" for name in ("method", "uri", "args")}
    told |= {header: f"waf_h_{_word(header)}" for header in LOGGED}
    pairs = ",".join(f'"{name}":"%[var(txn.{variable}),json(utf8s)]"' for name, variable in told.items())
    return f'{MARK}{{"client":"%[src]",{pairs}}}'


def _word(header: str) -> str:
    return header.replace("-", "_")


def _rule(rule: Rule, listener: int, folder: str, quote: Quote) -> Iterator[str]:
    if rule.networks:
        yield from _done(rule.action, rule.name, f"{{ src -f {folder}/waf/{rule.name} }}")
    elif rule.limit:
        yield f"http-request track-sc0 src table {table(listener)} if {GOES_ON}"
        over = f"{{ sc_http_req_rate(0,{table(listener)}) gt {rule.limit} }}"
        yield from _done(rule.action, rule.name, over)
    elif rule.group:
        for name, pattern in PATTERNS.get(rule.group, {}).items():
            action = COUNT if rule.action == COUNT or name in rule.counted else BLOCK
            yield from _done(action, f"{rule.name}/{name}", _condition(pattern, quote))


def _condition(pattern: Pattern, quote: Quote) -> str:
    if pattern.above:
        return f"{{ {SIZES[pattern.where]} gt {pattern.above} }}"
    if not pattern.words:
        return MISSING[pattern.where]
    return f"{{ {SAMPLES[pattern.where]} -m reg -i {quote(pattern.words)} }}"


def _done(action: str, name: str, condition: str) -> Iterator[str]:
    chosen = f"if {GOES_ON} {condition}"
    if action == COUNT:
        yield f"http-request set-var(txn.waf_counted) var(txn.waf_counted),concat(,,{name}|) {chosen}"
        return
    yield f"http-request set-var(txn.waf_rule) str({name}) {chosen}"
    yield f"http-request set-var(txn.waf_end) str({ALLOW if action == ALLOW else BLOCK}) {chosen}"


def hits(_: Firewall, lines: Sequence[str]) -> list[Hit]:
    """What a proxy's lines tell of requests; other lines are none."""
    found = []
    for line in lines:
        if MARK not in line:
            continue
        told = json.loads(line.partition(MARK)[2])
        clean = {name: "" if value == "-" else value for name, value in told.items()}
        counted = tuple(each for each in clean.pop("counted").split("|") if each)
        found.append(Hit(clean.pop("action") or ALLOW, clean.pop("rule"), counted, clean))
    return found

"""A firewall as rules of ModSecurity, with the core rule set, and as a part of nginx's configuration: pure text.

Attacks of which the core rule set knows more are left to it: it scores a request, and a rule of a managed group meets
one that has a score. It says of which kind an attack is, not in which part of the request; a request with a body is
taken to have it there. Everything else is as at a load balancer (`patterns.py`).
https://github.com/owasp-modsecurity/ModSecurity/wiki/Reference-Manual-(v3.x)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from local_aws.waf.firewall import ALLOW, BLOCK, COUNT, Firewall, Hit, Rule
from local_aws.waf.patterns import AGENT, BODY, COOKIE, HOST, METHOD, PATH, PATTERNS, QUERY, Pattern

FILE = "waf/rules.conf"
MODULE = "load_module /usr/lib/nginx/modules/ngx_http_modsecurity_module.so;"
CRS = "/usr/share/modsecurity-crs/rules"
SCORES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "AWSManagedRulesCommonRuleSet": {
        "CrossSiteScripting": ("941-APPLICATION-ATTACK-XSS", "XSS_SCORE"),
        "GenericLFI": ("930-APPLICATION-ATTACK-LFI", "LFI_SCORE"),
        "GenericRFI": ("931-APPLICATION-ATTACK-RFI", "RFI_SCORE"),
    },
    "AWSManagedRulesSQLiRuleSet": {"SQLi": ("942-APPLICATION-ATTACK-SQLI", "SQL_INJECTION_SCORE")},
    "AWSManagedRulesPHPRuleSet": {"PHPHighRiskMethodsVariables": ("933-APPLICATION-ATTACK-PHP", "PHP_INJECTION_SCORE")},
    "AWSManagedRulesUnixRuleSet": {"UNIXShellCommandsVariables": ("932-APPLICATION-ATTACK-RCE", "RCE_SCORE")},
}
"""Group → what its rules' names begin with → the file of the core rule set, and the score that it gives."""
WITHOUT_BODY = {"UNIXShellCommandsVariables": "QUERYSTRING", "PHPHighRiskMethodsVariables": "QUERYSTRING"}
VARIABLES = {
    QUERY: "QUERY_STRING",
    PATH: "REQUEST_FILENAME",
    COOKIE: "REQUEST_HEADERS:Cookie",
    HOST: "REQUEST_HEADERS:Host",
    METHOD: "REQUEST_METHOD",
    AGENT: "REQUEST_HEADERS:User-Agent",
    BODY: "ARGS_POST",
}
FIRST_ID = 1000


def _words(crs: str, used: Sequence[str]) -> Iterator[str]:
    # As much of a body as WAF looks at for CloudFront:
    # https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
    yield from (
        "SecRuleEngine On",
        "SecRequestBodyAccess On",
        "SecRequestBodyLimit 16384",
        "SecRequestBodyNoFilesLimit 16384",
        "SecRequestBodyLimitAction ProcessPartial",
        "SecResponseBodyAccess Off",
        "SecTmpDir /tmp/",
        "SecDataDir /tmp/",
        # Rules of the core rule set score, and say nothing.
        'SecDefaultAction "phase:1,nolog,pass"',
        'SecDefaultAction "phase:2,nolog,pass"',
    )
    if used:
        yield 'SecAction "id:900990,phase:1,nolog,pass,setvar:tx.crs_setup_version=334"'
        yield f"Include {crs}/REQUEST-901-INITIALIZATION.conf"
    for name in used:
        yield f"Include {crs}/REQUEST-{name}.conf"


def files(firewall: Firewall, folder: str, crs: str = CRS) -> dict[str, str]:
    """The rules and the networks of sets, by the files' paths below the folder.

    Args:
        firewall: what is asked.
        folder: of the files.
        crs: of the core rule set's rules.
    """
    groups = [rule.group for rule in firewall.rules if rule.group]
    used = sorted({name for group in groups for name, _ in SCORES.get(group, {}).values()})
    numbers = itertools.count(FIRST_ID)
    lines = [*_words(crs, used), *(line for rule in firewall.rules for line in _rule(rule, folder, numbers))]
    named = (rule for rule in firewall.rules if rule.networks)
    networks = {f"waf/{rule.name}": "".join(f"{each}\n" for each in rule.networks) for rule in named}
    return {FILE: "\n".join(lines) + "\n", **networks}


def http(firewall: Firewall) -> str:
    """Lines of nginx's `http`: how often an address asks, but for those that are asked nothing."""
    rate = next((rule for rule in firewall.rules if rule.limit), None)
    if rate is None:
        return ""
    allowed = [each for rule in firewall.rules if rule.action == ALLOW for each in rule.networks]
    listed = "".join(f" {each} 1;" for each in allowed)
    # Of a leaky bucket: the limit at once, and then as many as leave it in five minutes.
    return f"""\
    geo $waf_allowed {{ default 0;{listed} }}
    map $waf_allowed $waf_asks {{ 0 $binary_remote_addr; default ""; }}
    limit_req_zone $waf_asks zone=waf:10m rate={max(1, rate.limit // 5)}r/m;
"""


def server(firewall: Firewall, folder: str) -> str:
    """Lines of the server that visitors reach."""
    made = f"        modsecurity on;\n        modsecurity_rules_file {folder}/{FILE};\n"
    rate = next((rule for rule in firewall.rules if rule.limit), None)
    if rate:
        made += f"        limit_req zone=waf burst={rate.limit - 1} nodelay;\n        limit_req_status 403;\n"
        made += f"        limit_req_dry_run {'off' if rate.action == BLOCK else 'on'};\n"
    return made


def _rule(rule: Rule, folder: str, numbers: Iterator[int]) -> Iterator[str]:
    if rule.networks:
        where = f'SecRule REMOTE_ADDR "@ipMatchFromFile {folder}/waf/{rule.name}"'
        if rule.action == ALLOW:
            yield f'{where} "id:{next(numbers)},phase:1,pass,nolog,ctl:ruleEngine=Off"'
        else:
            yield f'{where} "{_does(rule.action, rule.name, next(numbers))}"'
    if not rule.group:
        return
    scored = SCORES.get(rule.group, {})
    for begin, (_, score) in scored.items():
        without = WITHOUT_BODY.get(begin, "QUERYARGUMENTS")
        for part, negated in ((BODY.upper(), ""), (without, "!")):
            name = f"{begin}_{part}"
            does = _does(_action(rule, name), f"{rule.name}/{name}", next(numbers))
            yield f'SecRule TX:{score} "@gt 0" "{does},chain"\n    {_body(negated)}'
    for name, pattern in PATTERNS.get(rule.group, {}).items():
        if not name.startswith(tuple(scored)):
            yield _of_pattern(pattern, _does(_action(rule, name), f"{rule.name}/{name}", next(numbers)))


def _body(negated: str) -> str:
    """Whether there is a body; a header that is missing meets no rule, so it is counted."""
    if negated:
        return 'SecRule &REQUEST_HEADERS:Content-Length "@eq 0" "t:none"'
    return 'SecRule REQUEST_HEADERS:Content-Length "@rx ^[0-9]" "t:none"'


def _of_pattern(pattern: Pattern, does: str) -> str:
    variable = VARIABLES[pattern.where]
    if pattern.above and pattern.where == BODY:
        return f'SecRule REQUEST_HEADERS:Content-Length "@gt {pattern.above}" "{does}"'
    if pattern.above:
        return f'SecRule {variable} "@gt {pattern.above}" "{does},t:length"'
    if not pattern.words:
        return f'SecRule &{variable} "@eq 0" "{does}"'
    words = pattern.words.replace('"', '\\"')
    return f'SecRule {variable} "@rx (?i){words}" "{does},t:urlDecodeUni"'


def _action(rule: Rule, name: str) -> str:
    return COUNT if rule.action == COUNT or name in rule.counted else BLOCK


def _does(action: str, name: str, number: int) -> str:
    # Not in the first phase, in which nginx does not know yet which behaviour is asked.
    word = "deny,status:403" if action == BLOCK else "pass"
    return f"id:{number},phase:2,{word},log,msg:'{name}'"


MET = re.compile(r'ModSecurity: (Access denied|Warning).*?\[msg "([^"]*)"\].*?\[unique_id "([^"]+)"\]')
LIMITED = re.compile(r"limiting requests, (dry run, )?excess: ")
REQUEST = re.compile(r', client: ([0-9a-f.:]+), server: .*?, request: "(\S+) ([^ "?]*)(?:\?([^ "]*))? [^"]*"')
ASKED_FOR = re.compile(r', host: "([^"]*)"')


def hits(firewall: Firewall, lines: Sequence[str]) -> list[Hit]:
    """What nginx's error log tells of requests that met a rule; of others it tells nothing.

    Args:
        firewall: that looked at them.
        lines: of the log.
    """
    found: dict[str, tuple[str, list[str], dict[str, str]]] = {}
    rate = next((rule.name for rule in firewall.rules if rule.limit), "")
    own = {rule.name for rule in firewall.rules}
    for number, line in enumerate(lines):
        asked = REQUEST.search(line)
        met, limited = MET.search(line), LIMITED.search(line)
        if not asked or not (met or limited):
            continue
        client, method, uri, args = asked.groups(default="")
        host = ASKED_FOR.search(line)
        told = {"client": client, "method": method, "uri": uri, "args": args, "host": host[1] if host else ""}
        name, identity = (met[2], met[3]) if met else (rate, f"line {number}")
        if name.partition("/")[0] not in own:  # of the core rule set itself, some of whose rules say what they score
            continue
        denied = met[1] == "Access denied" if met else not (limited and limited[1])
        decided, counted, _ = found.get(identity, ("", [], told))
        if not denied:
            counted.append(name)
        found[identity] = (name if denied else decided, counted, told)
    return [
        Hit(BLOCK if decided else ALLOW, decided, tuple(counted), told) for decided, counted, told in found.values()
    ]

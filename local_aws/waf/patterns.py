"""What stands in for AWS's managed groups at a load balancer: of each rule a handful of what its documentation says.

AWS does not publish the patterns of its rules. These are the sizes, words and addresses that it names, and the plainest
forms of the attacks that it names; a rule that is not here looks at nothing.
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BODY, COOKIE, HOST, METHOD, PATH, QUERY, AGENT = "body", "cookie", "host", "method", "path", "query", "user-agent"


@dataclass(frozen=True)
class Pattern:
    """What a rule looks for.

    Attributes:
        where: a part of the request: `query`, `path`, `cookie`, `body`, `host`, `method`, `user-agent`.
        words: a regular expression, case being ignored; empty for a part that is missing.
        above: bytes of which the part has more; 0 where words are looked for.
    """

    where: str
    words: str = ""
    above: int = 0


SCRIPT = r"<script|javascript:|[ /\"']on(error|load|click|mouseover)[ ]*="
UP = r"\.\./\.\./"
REMOTE = r"(https?|ftp|file)://[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}"
METADATA = r"169\.254\.169\.254"
SQL = (
    r"union[ +]+(all[ +]+)?select|'[ +]*(or|and)[ +]+'?[0-9a-z]+'?[ +]*=[ +]*'?[0-9a-z]|"
    r";[ +]*(drop|delete|insert|update|truncate)[ +]|(sleep|benchmark|pg_sleep)[(]"
)
JNDI = r"\$\{jndi:"
PASSWORDS = r"/etc/passwd|/proc/version"
SHELL = r"echo \$(HOME|PATH)"
PHP = r"fsockopen|\$_GET"


def _in(words: str, *parts: tuple[str, str]) -> dict[str, Pattern]:
    return {name: Pattern(where, words) for name, where in parts}


PATTERNS: Mapping[str, Mapping[str, Pattern]] = {
    "AWSManagedRulesCommonRuleSet": {
        "NoUserAgent_HEADER": Pattern(AGENT),
        "UserAgent_BadBots_HEADER": Pattern(AGENT, "nessus|nmap"),
        "SizeRestrictions_QUERYSTRING": Pattern(QUERY, above=2048),
        "SizeRestrictions_Cookie_HEADER": Pattern(COOKIE, above=10240),
        "SizeRestrictions_BODY": Pattern(BODY, above=8192),
        "SizeRestrictions_URIPATH": Pattern(PATH, above=1024),
        "RestrictedExtensions_URIPATH": Pattern(PATH, r"\.(log|ini)$"),
        **_in(METADATA, ("EC2MetaDataSSRF_QUERYARGUMENTS", QUERY), ("EC2MetaDataSSRF_BODY", BODY)),
        **_in(UP, ("GenericLFI_QUERYARGUMENTS", QUERY), ("GenericLFI_URIPATH", PATH), ("GenericLFI_BODY", BODY)),
        **_in(REMOTE, ("GenericRFI_QUERYARGUMENTS", QUERY), ("GenericRFI_BODY", BODY)),
        **_in(
            SCRIPT,
            ("CrossSiteScripting_QUERYARGUMENTS", QUERY),
            ("CrossSiteScripting_URIPATH", PATH),
            ("CrossSiteScripting_COOKIE", COOKIE),
            ("CrossSiteScripting_BODY", BODY),
        ),
    },
    "AWSManagedRulesAdminProtectionRuleSet": {"AdminProtection_URIPATH": Pattern(PATH, "sqlmanager")},
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "Host_localhost_HEADER": Pattern(HOST, "^localhost"),
        "PROPFIND_METHOD": Pattern(METHOD, "^propfind$"),
        "ExploitablePaths_URIPATH": Pattern(PATH, "/web-inf"),
        **_in(
            JNDI,
            ("Log4JRCE_QUERYSTRING", QUERY),
            ("Log4JRCE_URIPATH", PATH),
            ("Log4JRCE_HEADER", AGENT),
            ("Log4JRCE_BODY", BODY),
        ),
    },
    "AWSManagedRulesSQLiRuleSet": _in(
        SQL, ("SQLi_QUERYARGUMENTS", QUERY), ("SQLi_URIPATH", PATH), ("SQLi_COOKIE", COOKIE), ("SQLi_BODY", BODY)
    ),
    "AWSManagedRulesLinuxRuleSet": _in(PASSWORDS, ("LFI_URIPATH", PATH), ("LFI_QUERYSTRING", QUERY)),
    "AWSManagedRulesUnixRuleSet": _in(
        SHELL, ("UNIXShellCommandsVariables_QUERYSTRING", QUERY), ("UNIXShellCommandsVariables_BODY", BODY)
    ),
    "AWSManagedRulesPHPRuleSet": _in(
        PHP, ("PHPHighRiskMethodsVariables_QUERYSTRING", QUERY), ("PHPHighRiskMethodsVariables_BODY", BODY)
    ),
    "AWSManagedRulesWordPressRuleSet": {
        "WordPressExploitableCommands_QUERYSTRING": Pattern(QUERY, "do-reset-wordpress"),
        "WordPressExploitablePaths_URIPATH": Pattern(PATH, r"/xmlrpc\.php"),
    },
}
"""Group → rule → what it looks for."""

"""AWS's managed groups of rules: what each takes of a web ACL's capacity, and the rules that are in it.

Names and capacities are those of the newest static versions, at the end of November 2026. WAF itself takes an override
of a rule that a group does not have without a word, so that only this table notices a misspelt one.
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
https://docs.aws.amazon.com/waf/latest/APIReference/API_RuleActionOverride.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A managed group.

    Attributes:
        capacity: what it takes, in web ACL capacity units (WCU).
        rules: names of its rules.
    """

    capacity: int
    rules: tuple[str, ...]


def _of(prefix: str, *parts: str) -> Iterator[str]:
    return (f"{prefix}_{part}" for part in parts)


COMMON = "AWSManagedRulesCommonRuleSet"
BODY_SIZE = "SizeRestrictions_BODY"
"""The rule that blocks requests of more than 8 KB, which is most uploads."""
GROUPS: Mapping[str, Group] = {
    COMMON: Group(
        700,
        (
            "NoUserAgent_HEADER",
            "UserAgent_BadBots_HEADER",
            *_of("SizeRestrictions", "QUERYSTRING", "Cookie_HEADER", "BODY", "URIPATH"),
            *_of("EC2MetaDataSSRF", "BODY", "COOKIE", "URIPATH", "QUERYARGUMENTS"),
            *_of("GenericLFI", "QUERYARGUMENTS", "URIPATH", "BODY"),
            *_of("RestrictedExtensions", "URIPATH", "QUERYARGUMENTS"),
            *_of("GenericRFI", "QUERYARGUMENTS", "BODY", "URIPATH"),
            *_of("CrossSiteScripting", "COOKIE", "QUERYARGUMENTS", "BODY", "URIPATH"),
        ),
    ),
    "AWSManagedRulesAdminProtectionRuleSet": Group(100, ("AdminProtection_URIPATH",)),
    "AWSManagedRulesKnownBadInputsRuleSet": Group(
        200,
        (
            *_of("JavaDeserializationRCE", "HEADER", "BODY", "URIPATH", "QUERYSTRING"),
            "Host_localhost_HEADER",
            "PROPFIND_METHOD",
            "ExploitablePaths_URIPATH",
            *_of("Log4JRCE", "HEADER", "QUERYSTRING", "BODY", "URIPATH"),
            "ReactJSRCE_BODY",
        ),
    ),
    "AWSManagedRulesSQLiRuleSet": Group(
        200,
        (
            *_of("SQLi", "QUERYARGUMENTS", "BODY", "COOKIE", "URIPATH"),
            *_of("SQLiExtendedPatterns", "QUERYARGUMENTS", "BODY"),
        ),
    ),
    "AWSManagedRulesLinuxRuleSet": Group(200, tuple(_of("LFI", "URIPATH", "QUERYSTRING", "HEADER"))),
    "AWSManagedRulesUnixRuleSet": Group(100, tuple(_of("UNIXShellCommandsVariables", "QUERYSTRING", "BODY", "HEADER"))),
    "AWSManagedRulesWindowsRuleSet": Group(
        200,
        (
            *_of("WindowsShellCommands", "COOKIE", "QUERYARGUMENTS", "BODY"),
            *_of("PowerShellCommands", "COOKIE", "QUERYARGUMENTS", "BODY"),
        ),
    ),
    "AWSManagedRulesPHPRuleSet": Group(100, tuple(_of("PHPHighRiskMethodsVariables", "HEADER", "QUERYSTRING", "BODY"))),
    "AWSManagedRulesWordPressRuleSet": Group(
        100, ("WordPressExploitableCommands_QUERYSTRING", "WordPressExploitablePaths_URIPATH")
    ),
    "AWSManagedRulesAmazonIpReputationList": Group(
        25, ("AWSManagedIPReputationList", "AWSManagedReconnaissanceList", "AWSManagedIPDDoSList")
    ),
    "AWSManagedRulesAnonymousIpList": Group(50, ("AnonymousIPList", "HostingProviderIPList")),
}
PAID: tuple[str, ...] = (
    "AWSManagedRulesACFPRuleSet",
    "AWSManagedRulesATPRuleSet",
    "AWSManagedRulesAntiDDoSRuleSet",
    "AWSManagedRulesBotControlRuleSet",
)
"""Groups that cost a fee of their own and have to be told about the site's pages.

https://aws.amazon.com/waf/pricing/
"""


def groups_of(rule: str) -> list[str]:
    """The groups that have a rule."""
    return [name for name, group in GROUPS.items() if rule in group.rules]

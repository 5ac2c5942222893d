"""Wrong values of `site_waf`, each with a right one, and the complaints about them."""

from __future__ import annotations

from tests.unit.plugins.plugin_utils.site.cases import Case, case

COMMON = "AWSManagedRulesCommonRuleSet"
SQL = "AWSManagedRulesSQLiRuleSet"
FULL = (
    f"{COMMON}, AWSManagedRulesKnownBadInputsRuleSet, {SQL}, AWSManagedRulesLinuxRuleSet, AWSManagedRulesUnixRuleSet, "
    "AWSManagedRulesPHPRuleSet"
)
"""Groups that take 1,500 units, all that there is."""
MANY = "[" + ", ".join(f"10.{each // 256}.{each % 256}.0/24" for each in range(10_001)) + "]"


def waf(wrong: str, right: str, path: str, *words: str) -> Case:
    """Keys of it."""
    return case(f"site_waf: {{{wrong}}}", f"site_waf: {{{right}}}", f"site_waf{path}", *words)


OF_WAF = {
    "a firewall that is a word": case("site_waf: block", "site_waf: {mode: block}", "site_waf", "must be a mapping"),
    "a firewall with a mode that is none": waf("mode: deny", "mode: block", ".mode", "count, block"),
    "a firewall that is switched off": waf("mode: 'off'", "mode: count", ".mode", "take site_waf out"),
    "a firewall that is switched on": waf("mode: 'on'", "mode: block", ".mode", "write block"),
    "a firewall that lets in": waf("mode: allow", "mode: count", ".mode", "write count"),
    "a managed group by its last word": waf(
        "groups: [CommonRuleSet]", f"groups: [{COMMON}]", ".groups.0", "no managed group", f"Did you mean {COMMON}?"
    ),
    "a managed group with a wrong letter": waf(
        "groups: [AWSManagedRulesSqlRuleSet]", f"groups: [{SQL}]", ".groups.0", f"Did you mean {SQL}?"
    ),
    "a managed group of nobody": waf("groups: [qqq]", f"groups: [{SQL}]", ".groups.0", "There are", COMMON),
    "a managed group with a fee": waf(
        "groups: [AWSManagedRulesBotControlRuleSet]", f"groups: [{SQL}]", ".groups.0", "a fee of its own"
    ),
    "a managed group twice": waf(f"groups: [{SQL}, {SQL}]", f"groups: [{SQL}]", ".groups", f"{SQL} twice"),
    "more groups than the price includes": waf(
        f"rate: 10, groups: [{FULL}]", f"groups: [{FULL}]", ".groups", "1,502 of 1,500 units", f"{COMMON} 700", "rate 2"
    ),
    "no rule at all": waf("groups: [], allow: [203.0.113.0/24]", "groups: [], rate: 2000", "", "no rule", "rate: 2000"),
    "a rule that no group has": waf(
        "count: [SizeRestriction_BODY]",
        "count: [SizeRestrictions_BODY]",
        ".count.0",
        "Did you mean SizeRestrictions_BODY?",
    ),
    "a rule of a group that is not asked": waf(
        "count: [SQLi_BODY]", f"count: [SQLi_BODY], groups: [{SQL}]", ".count.0", f"a rule of {SQL}", "Take it out"
    ),
    "a flag about uploads that is none": waf("uploads: 'no'", "uploads: false", ".uploads", "true or false"),
    "too few requests": waf("rate: 9", "rate: 10", ".rate", "from 10 to 2000000000", "in five minutes"),
    "too many requests": waf("rate: 2000000001", "rate: 2000000000", ".rate", "from 10 to 2000000000"),
    "an address without a prefix": waf("block: [198.51.100.7]", "block: [198.51.100.7/32]", ".block.0", "/32"),
    "a network with bits behind its prefix": waf(
        "allow: ['2001:db8::1/32']", "allow: ['2001:db8::/32']", ".allow.0", "/128"
    ),
    "everybody let in": waf("allow: [0.0.0.0/0]", "allow: [128.0.0.0/1]", ".allow.0", "everybody"),
    "a network twice": waf(
        "block: [198.51.100.7/32, 198.51.100.7/32]", "block: [198.51.100.7/32]", ".block", "198.51.100.7/32 twice"
    ),
    "more networks than a set takes": waf(f"block: {MANY}", "block: [10.0.0.0/8]", ".block", "10,001 networks"),
    "a mode of a rule that there is none of": waf(
        "modes: {rate: block}", "rate: 2000, modes: {rate: block}", ".modes.rate", "there is none of", COMMON
    ),
    "a mode of a rule that is none": waf(
        "rate: 2000, modes: {rate: blok}", "rate: 2000, modes: {rate: block}", ".modes.rate", "Did you mean block?"
    ),
    "a log for days that are not on offer": waf("log_days: 31", "log_days: 30", ".log_days", "does not offer"),
    "a firewall with rules of its own": waf("rules: []", "mode: count", ".rules", "a layer of your own"),
    "a limit in other words": waf("rate_per_5_minutes: 2000", "rate: 2000", ".rate_per_5_minutes", "write rate: 2000"),
    "a firewall that is put somewhere": waf("scope: REGIONAL", "mode: count", ".scope", "by itself"),
    "a firewall with a key that is none": waf(
        "alow: [10.0.0.0/8]", "allow: [10.0.0.0/8]", ".alow", "Did you mean allow?"
    ),
}

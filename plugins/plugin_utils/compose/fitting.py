"""The hosts that a description fits: the smallest type, and how many of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.site.reading import read_site

TYPES = ("t3.micro", "t3.small", "t3.medium", "t3.large", "t3.xlarge")
MOST = 3
"""Hosts of a type before a larger one is looked at."""
STANDING_IN = {
    "endpoint": "db.example.net",
    "secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf",
}


def fit(variables: Mapping[str, Any], report: Report) -> tuple[str, dict[str, int]]:
    """The type of the hosts, and `site_hosts`; empty for the default, one.

    Args:
        variables: of the description.
        report: to tell what was taken.
    """
    variables = completed(variables)
    others = read_site(variables).problems
    for name in TYPES:
        for count in range(1, MOST + 1):
            hosts = {"min": count} if count > 1 else {}
            given = {**variables, "host_instance_type": name, **({"site_hosts": hosts} if hosts else {})}
            if all(each in others for each in read_site(given).problems):
                if (name, count) != (TYPES[0], 1):
                    report.choose("host_instance_type", f"{count} of {name}, the least that the mem_limits fit.")
                return name, hosts
    report.want("host_instance_type", f"not even {MOST} of {TYPES[-1]} have room for all.")
    return TYPES[-1], {"min": MOST}


def completed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with something in the place of what only a person can know, so that the rest can be judged."""
    databases = {
        entry: {name: STANDING_IN.get(name) if value == "" else value for name, value in keys.items()}
        for entry, keys in (variables.get("site_databases") or {}).items()
    }
    return {**variables, **({"site_databases": databases} if databases else {})}

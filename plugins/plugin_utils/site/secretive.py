"""Whether a value of `environment` is a secret in clear: it would stand in the template, and in the console."""

from __future__ import annotations

import re
from typing import Any

from plugins.plugin_utils.site.reference import Reference

NAME = re.compile(
    r"(.*SECRET.*|(.*[_.-])?(PASSWORD|PASSWD|PASSPHRASE|PWD|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?))",
    re.IGNORECASE,
)
"""Names of variables that hold a secret."""
NOT_ITSELF = re.compile(
    r".*[_.-](FILE|PATH|DIR|NAME|ID|ARN|URL|URI|HEADER|LENGTH|AGE|TTL|TIMEOUT|HASHER|BACKEND|ENABLED|EXPIRY|LIFETIME|MODE)",
    re.IGNORECASE,
)
"""Names that tell where a secret is, or something about it."""
URL_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@.*", re.IGNORECASE | re.DOTALL)
KEY_OF_AWS = re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}")
PEM = "-----BEGIN "


def environment_problem(name: str, given: Any, value: str | Reference) -> str:
    """What is wrong with a variable that holds a secret in clear; empty where nothing is. It never shows the value.

    Args:
        name: of the variable.
        given: its value as written.
        value: as read.
    """
    if isinstance(value, Reference):
        return ""
    if KEY_OF_AWS.fullmatch(value):
        return "is an access key of AWS. Take it out: a service gets its rights by uses: {bucket.uploads: [read]}."
    if URL_WITH_PASSWORD.fullmatch(value):
        return f"has a password in an address, in clear. {_instead(name)}"
    if value.startswith(PEM):
        return f"is a key or certificate in clear. {_instead(name)}"
    if isinstance(given, bool) or not value or not NAME.fullmatch(name) or NOT_ITSELF.fullmatch(name):
        return ""
    return f"is a secret in clear, by its name. {_instead(name)}"


def _instead(name: str) -> str:
    return (
        f"Put it under secrets, as a reference: secrets: {{{name}: secret.<entry>.<key>}}, or as the ARN of a secret "
        "or a parameter (/shop/api_key) that exists."
    )

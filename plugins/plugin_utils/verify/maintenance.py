"""Whether visitors see the site, or its maintenance page: then what is behind the page is asked all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from plugins.plugin_utils.maintenance import rules_of
from plugins.plugin_utils.verify.finding import NOT_ASKED, Finding

SUBJECT, WHAT = "site", "visitors see it"


def check(client: Callable[[str], Any], prefix: str) -> Iterator[Finding]:
    """Say that a site is in maintenance; nothing if it is not.

    Args:
        client: gives a boto3 client by the service's name.
        prefix: begin of the site's stack names.

    Raises:
        ClientError: the load balancer cannot be asked.
    """
    rules = rules_of(client, prefix)
    if rules.on:
        since = f" since {rules.since}" if rules.since else ""
        why = f"it is in maintenance{since}, which is not wrong: they are answered 503 and the page"
        yield Finding("way in", SUBJECT, WHAT, NOT_ASKED, f"{why}; the ways in behind it were asked")

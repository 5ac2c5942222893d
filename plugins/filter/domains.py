"""What a person may have meant by a domain name that is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import idna

DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z][a-z0-9-]*[a-z0-9]")


def domain_suggestion(given: object) -> str:
    """The domain name in `given`: without a scheme or a path, in small letters, in ASCII (IDNA 2008, RFC 5891).

    An example where nothing like one is found.
    """
    text = str(given).strip()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        name = idna.encode(host.rstrip("."), uts46=True).decode()
    except ValueError:  # idna's errors are of this kind
        name = ""
    return name if DOMAIN.fullmatch(name) else "www.example.org"


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"domain_suggestion": domain_suggestion}

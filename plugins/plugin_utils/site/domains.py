"""The names of a site: `domain_name`, and `domain_aliases`, which lead to it or answer beside it."""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.kinds import is_list
from plugins.plugin_utils.site.place import Place, Problem, Step, shown
from plugins.plugin_utils.site.routes import REDIRECTS_MOST, VALUES_MOST, Route, host
from plugins.plugin_utils.site.schema import Key, Schema

ALIASES_MOST = REDIRECTS_MOST * VALUES_MOST - 1
"""With domain_name the 100 names of a certificate, if the account's quota is raised to that.

https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html
"""
PLACEHOLDER = re.compile(r"(.*\.)?example\.(org|com|net)")
"""https://www.rfc-editor.org/rfc/rfc2606"""


@dataclass(frozen=True)
class Alias:
    """An entry of `domain_aliases`.

    Attributes:
        name: the name, perhaps a wildcard (`*.acme.io`).
        hosted_zone_id: as its entry says; None for that of `domain_name`.
        path: where it is written.
    """

    name: str
    hosted_zone_id: str | None
    path: tuple[Step, ...]


def _zone(value: Any, at: Place) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"(Z[A-Z0-9]+)?", value):
        return str(value)
    at.wrong(f"is {shown(value)}, no hosted zone. It begins with Z, without /hostedzone/; '' if the DNS is elsewhere.")
    return None


_ALIAS = Schema(
    "a name",
    {
        "name": Key(host, "", missing="Write name: acme.de."),
        "hosted_zone_id": Key(
            _zone,
            missing="Write hosted_zone_id: Z…, the zone that answers for it, or hosted_zone_id: '' if its DNS is "
            "elsewhere. A name in the zone of domain_name is written alone, without keys.",
        ),
    },
)


def read(value: Any, domain_name: str, at: Place) -> tuple[Alias, ...]:
    """The entries that are right; the rest is complained about."""
    if not is_list(value):
        at.wrong(f"is {shown(value)}, must be a list, for example [acme.io].")
        return ()
    if len(value) > ALIASES_MOST:
        at.wrong(f"has {len(value)} names; a certificate takes {ALIASES_MOST} beside domain_name.")
    found: dict[str, Alias] = {}
    for place, item in enumerate(value):
        here = at / place
        keys = _ALIAS.read(item, here) if isinstance(item, Mapping) else {"name": host(item, here)}
        name = keys["name"]
        if not name:
            continue
        if name == domain_name or name in found:
            here.wrong(f"is {name}, which stands there already, or as domain_name. Take it out.")
        elif PLACEHOLDER.fullmatch(name):
            here.wrong(f"is {name}, for which nobody can validate a certificate. Write a name of your own.")
        else:
            found[name] = Alias(name, keys.get("hosted_zone_id"), here.path)
    return tuple(found.values())


def covers(pattern: str, name: str) -> bool:
    """Whether a certificate's name, perhaps with a wildcard for one label, stands for another."""
    return pattern == name or (
        pattern.startswith("*.") and fnmatch.fnmatchcase(name, pattern) and name.count(".") == pattern.count(".")
    )


def described(
    domain_name: str, hosted_zone_id: str, aliases: Iterable[Alias], routes: Iterable[Route]
) -> dict[str, dict[str, Any]]:
    """Each name of a site, `domain_name` first, with what is to be made of it.

    `hosted_zone_id` is the zone that answers for it, empty where its DNS is elsewhere; `zone_key` and `key` where the
    two are written. `redirected` says whether the load balancer leads it to `domain_name`, `path` is one that it
    answers. A `wildcard` (`*.…`) that `shares_record` is proved to ACM by the record of the name below which it is.
    `logical_id` stays what it is, whatever other names come and go.
    """
    given = [Alias(domain_name, None, ("domain_name",)), *aliases]
    named = [(route, pattern) for route in routes for pattern in route.hosts]
    names = {each.name for each in given}
    found = {}
    for each in given:
        of_it = [route for route, pattern in named if fnmatch.fnmatchcase(each.name, pattern)]
        wildcard = each.name.startswith("*.")
        own = each.hosted_zone_id is not None
        found[each.name] = {
            "hosted_zone_id": each.hosted_zone_id if own else hosted_zone_id,
            "key": Problem(each.path, "").subject,
            "zone_key": Problem((*each.path, "hosted_zone_id"), "").subject if own else "hosted_zone_id",
            "wildcard": wildcard,
            "redirected": each.name != domain_name and not wildcard and not of_it,
            "shares_record": wildcard and each.name.removeprefix("*.") in names,
            "path": _path(of_it[0]) if of_it else "/",
            "logical_id": _logical_id(each.name),
        }
    return found


def _path(route: Route) -> str:
    """A path that a route takes: its first pattern as far as it goes without a wildcard."""
    return re.split(r"[*?]", route.paths[0])[0] if route.paths else "/"


def _logical_id(name: str) -> str:
    """Letters and digits for a name, never those of another: `www.a-b.io` is not `www.ab.io`."""
    words = re.findall(r"[a-z0-9]+", name.replace("*", "any"))
    return "".join(map(str.capitalize, words)) + hashlib.sha256(name.encode()).hexdigest()[:8]

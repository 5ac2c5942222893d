"""Logins to databases from inside tasks: what hosts have tried, as lines and as what was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.doctor.signature import LOGIN, Evidence

NOBODY = "no host that was asked has a task of it"


def asked(results: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each login that a host has tried, or tells why it did not.

    Args:
        results: of the task that asked hosts (module database_logins), one a host.
    """
    for each in results:
        for login in each.get("logins") or ():
            yield {**login, "host": str(each.get("item", ""))}


def evidence(results: Iterable[Mapping[str, Any]]) -> Iterator[Evidence]:
    """The lines of those that went wrong."""
    for each in asked(results):
        if each["state"] == "bad":
            place = f"{each['container']} to database.{each['database']}, {each['where']} on {each['host']}"
            yield Evidence(LOGIN, f"service.{each['service']}", each["why"], place)


def done(wanted: Iterable[Mapping[str, Any]], results: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """What came of each login that the site has: `about`, `what`, `state` (`good`, `bad`, `untried`) and `said`.

    Args:
        wanted: of site/logins.py.
        results: see `asked`.
    """
    results = list(results)
    found = list(asked(results))
    keys = ("service", "container", "database")
    for login in wanted:
        mine = [each for each in found if all(each[key] == login[key] for key in keys)]
        tried = [each for each in mine if each["state"] != "untried"]
        bad = next((each for each in tried if each["state"] == "bad"), None)
        whose = f"{login['container']} to database.{login['database']}"
        about = f"service.{login['service']}"
        if bad:
            said = f"{whose}, {bad['where']} on {bad['host']}: {bad['why']}"
            yield {"about": about, "what": "login", "state": "bad", "said": said}
        elif tried:
            one = tried[0]
            said = f"{whose} at {one['to']} ({one['tls']}), {one['where']} on {one['host']}"
            yield {"about": about, "what": "login", "state": "good", "said": said}
        else:
            why = next((each["why"] for each in mine if each["why"]), _unasked(results) or NOBODY)
            yield {"about": about, "what": "login", "state": "untried", "said": f"{whose}: {why}"}


def _unasked(results: Iterable[Mapping[str, Any]]) -> str:
    """Why hosts did not try anything, in Ansible's words; empty where they did, or none was asked."""
    for each in results:
        if not each.get("logins") and (each.get("failed") or each.get("unreachable")):
            return f"{each.get('item', 'a host')}: {' '.join(str(each.get('msg', '')).split())}"
    return ""

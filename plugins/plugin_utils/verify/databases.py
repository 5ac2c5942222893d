"""The databases: what each answered a host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding

WHAT = "answers a host"
ANSWERS = {"S": "with TLS", "N": "without TLS"}
"""What PostgreSQL says to an SSLRequest; https://www.postgresql.org/docs/current/protocol-flow.html"""
REFUSED, LATE = 1, 124
"""How the question ends that has no answer: bash could not connect, or `timeout` has ended it. Any other code, or none,
is of what should have asked: https://www.gnu.org/software/coreutils/manual/html_node/timeout-invocation.html"""
NO_HOST = "no host was asked: "


def addresses(entries: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, str]) -> dict[str, str]:
    """Database → `host:port`; empty where it is not there yet."""
    found = {}
    for name, entry in entries.items():
        host = entry.get("endpoint") or outputs.get(f"database.{name}.Endpoint", "")
        port = entry.get("port") if entry.get("endpoint") else outputs.get(f"database.{name}.Port", "")
        found[name] = f"{host}:{port}" if host else ""
    return found


def judge(addresses: Mapping[str, str], answers: Iterable[Mapping[str, Any]], host: str) -> Iterator[Finding]:
    """The findings.

    Args:
        addresses: of the function of that name.
        answers: results of the task that asked from a host, one a database; none if no host was asked.
        host: that asked; empty if none is known.
    """
    by_name = {str(each.get("item")): each for each in answers}
    for name, address in addresses.items():
        subject, answer = f"database.{name}", by_name.get(name, {})
        if not address:
            why = f"it is not there yet; {verb('site.yml')} makes it"
            yield Finding("database", subject, WHAT, NOT_ASKED, why)
        elif not host:
            yield Finding("database", subject, WHAT, NOT_ASKED, f"{NO_HOST}this verb knows none, or the site has none")
        elif not answer or answer.get("skipped") or answer.get("unreachable"):
            why = f"{NO_HOST}{host} cannot be reached by ssh (host_admin_cidrs, or host_access_session_manager: true)"
            yield Finding("database", subject, WHAT, NOT_ASKED, why)
        elif answer.get("rc") not in (0, REFUSED, LATE):
            yield Finding("database", subject, WHAT, NOT_ASKED, f"{host} cannot ask: {_own_failure(answer)}")
        elif (said := str(answer.get("stdout", "")).strip()) in ANSWERS:
            yield Finding("database", subject, WHAT, OK, f"{address} {ANSWERS[said]}, asked from {host}")
        else:
            yield Finding("database", subject, WHAT, WRONG, f"{address}, asked from {host}: {_why(answer, said)}")


def _why(answer: Mapping[str, Any], said: str) -> str:
    if said:
        return "something else than PostgreSQL answers there"
    if answer["rc"] == LATE:
        return "no answer. Does its security group let the hosts in?"
    lines = [line for line in str(answer.get("stderr", "")).splitlines() if line.strip()]
    return lines[-1].rpartition(": ")[2] if lines else "it took the connection and said nothing"


def _own_failure(answer: Mapping[str, Any]) -> str:
    """Why the question was not asked: what Ansible says of its module, or what the host says of a program."""
    told = [str(answer.get(key) or "") for key in ("stderr", "msg", "module_stderr")]
    lines = [" ".join(line.split()) for text in told for line in text.splitlines() if line.strip()]
    return lines[0] if lines else f"the question ended with exit code {answer.get('rc')}"

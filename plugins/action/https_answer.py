"""Wait until a site answers over HTTPS at a given address, whatever DNS says."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.https_answer import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.maintenance import Rules, rules_of
from plugins.plugin_utils.places import verb

ATTEMPT_SECONDS = 10
MAINTENANCE = 503
"""What a site in maintenance answers with, and others."""
BODY_BYTES = 65_536
"""How much of an answer is looked through for a release."""


@dataclass(frozen=True)
class Answer:
    """An answer to one request.

    Attributes:
        status: of HTTP.
        location: where it leads, or empty.
        header: the one that was asked for; empty if it has none.
        body: its begin.
    """

    status: int
    location: str = ""
    header: str = ""
    body: str = ""


class Connection(http.client.HTTPSConnection):
    """An HTTPS connection to `address` that asks for another name."""

    def __init__(self, name: str, address: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(name, port, timeout=ATTEMPT_SECONDS, context=context)
        self.address, self.tls = address, context

    def connect(self) -> None:
        """Open the connection; called by `request`."""
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.host)


def ask(wanted: Mapping[str, Any], context: ssl.SSLContext, cookies: str = "") -> Answer:
    """The answer to one request.

    Args:
        wanted: the task's arguments.
        context: of TLS.
        cookies: header Cookie; empty for none.

    Raises:
        OSError: no connection, or a certificate that does not hold (ssl.SSLError).
        http.client.HTTPException: what answered does not speak HTTP.
    """
    connection = Connection(wanted["name"], wanted["address"], wanted["port"], context)
    header = wanted["header"]
    try:
        sent = {"User-Agent": "berth"} | ({"Cookie": cookies} if cookies else {})
        connection.request("GET", wanted["path"], headers=sent)
        answer = connection.getresponse()
        # What nobody looks at need not come to an end.
        looked = bool(wanted["shows"] and not header) or answer.status == MAINTENANCE
        body = answer.read(BODY_BYTES).decode(errors="replace") if looked else ""
        found = answer.headers.get(header, "") if header else ""
        return Answer(answer.status, answer.headers.get("Location", ""), found, body)
    finally:
        connection.close()


def problem_of(answer: Answer, wanted: Mapping[str, Any]) -> str:
    """What is wrong with an answer; empty if it is good. `wanted` are the task's arguments."""
    problem = f"it answers with status {answer.status}"
    if to := wanted["redirected_to"]:
        try:
            found = urlsplit(answer.location)
        except ValueError:
            found = urlsplit("")
        # The port may be one that stands for 443.
        if (found.scheme, found.hostname, found.path) != ("https", to, wanted["path"]):
            return f"{problem} and leads to {answer.location or 'nowhere'}, not to https://{to}{wanted['path']}"
    if answer.status >= wanted["below"]:
        return problem
    shows, header = wanted["shows"], wanted["header"]
    if header and shows and answer.header not in shows:
        return f"its header {header} shows {answer.header or 'nothing'}, not {' or '.join(shows)}"
    if shows and not header and not any(_stands(each, answer.body) for each in shows):
        return f"its text does not show {' or '.join(shows)}"
    return ""


def _stands(name: str, text: str) -> bool:
    """Whether a name stands in a text by itself: 2026.1 does not in 2026.11, nor in 2026.1.2."""
    return bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text))


class ActionModule(AwsAction):
    """See plugins/modules/https_answer.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask until the answer is good.

        Raises:
            Failed: it was not in time, or the certificate authority is not there.
        """
        given = self.arguments
        url = f"https://{given['name']}:{given['port']}{given['path']} (at {given['address']})"
        try:
            context = ssl.create_default_context(cafile=given["ca_file"] or None)
        except OSError as error:
            why = error.strerror or str(error)
            raise Failed(
                f"{url}: the certificate authority {given['ca_file']} cannot be read ({why}). See site_ca_file."
            ) from None
        wait = Wait(given["timeout"], self.say, given["name"])
        rules: Rules | None = None  # not looked for yet
        while True:
            try:
                answer = ask(given, context, rules.cookie if rules else "")
                if answer.status == MAINTENANCE and rules is None and given["prefix"]:
                    rules = self._rules()
                    if rules.cookie:
                        continue
                problem = problem_of(answer, given)
                if not problem:
                    return {"changed": False, "status": answer.status, "page": False}
                if rules and answer.status == MAINTENANCE and rules.body and rules.body in answer.body:
                    if not rules.waiting:
                        return self._seen_page(answer)
                    problem = (
                        f"the page is shown also to who is let through: {verb('maintenance.yml')} -e maintenance=on"
                    )
            except (OSError, http.client.HTTPException) as error:
                problem = f"{type(error).__name__}: {error}"
            if not wait.pause(f"a good answer ({problem})"):
                raise Failed(f"{url} did not answer well within {given['timeout']:.0f} s; the last time: {problem}")

    def _rules(self) -> Rules:
        """Those by which a site answers 503 in maintenance, and how it is asked then is said."""
        rules = rules_of(self.client, self.arguments["prefix"])
        how = "is in maintenance, and asked with the cookie that is let through"
        if not rules.cookie:
            how = "in maintenance, where nobody is let through" if rules.on else "not in maintenance"
            how = f"answers 503, and is {how}"
        self.say(self.arguments["name"], how, "yellow")
        return rules

    def _seen_page(self, answer: Answer) -> dict[str, Any]:
        """What was seen where no rule lets anybody through to what is behind the page."""
        shows = f", nor whether it shows {' or '.join(self.arguments['shows'])}" if self.arguments["shows"] else ""
        self.say(
            self.arguments["name"],
            f"{self.arguments['path']} answers with the maintenance page to everybody: the name, its certificate and "
            f"the load balancer were seen to work, and not what is behind the page{shows}",
            "yellow",
        )
        return {"changed": False, "status": answer.status, "page": True}

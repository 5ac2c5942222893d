"""Who uses the site during a soak: visitors, and one person who uploads images and looks for them again."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.soak.judging import Answer

PATIENCE_SECONDS = 5.0
"""For which a visitor waits for a page before it counts as failed."""
RELEASE_HEADER = "X-Release"
UPLOAD = "/admin/filer/clipboard/operations/upload/"
TOKEN = re.compile(r"name='csrfmiddlewaretoken' value='(\w+)'")


class _Connection(http.client.HTTPConnection):
    """HTTPS to an address that the name need not resolve to."""

    def __init__(self, site: Site, seconds: float) -> None:
        super().__init__(site.host, site.port, timeout=seconds)
        self._address = site.address or site.host
        self._context = ssl.create_default_context(cafile=str(site.authority) if site.authority else None)

    def connect(self) -> None:
        made = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._context.wrap_socket(made, server_hostname=self.host)


@dataclass(frozen=True)
class Response:
    """What came back.

    Attributes:
        status: of HTTP.
        headers: as they came.
        body: whole.
    """

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Site:
    """Where the site is reached.

    Attributes:
        host: its name, without a port.
        port: of HTTPS.
        address: that is connected to; where the name leads, if empty.
        authority: the PEM file that its certificate is judged by; this machine's, if None.
    """

    host: str
    port: int = 443
    address: str = ""
    authority: Path | None = None

    @property
    def name(self) -> str:
        """As a browser says it."""
        return self.host if self.port == http.client.HTTPS_PORT else f"{self.host}:{self.port}"

    def ask(
        self, path: str, seconds: float = PATIENCE_SECONDS, method: str = "GET", body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:  # fmt: skip
        """One request, in a connection of its own.

        Raises:
            OSError: nobody answers, or not in time.
            http.client.HTTPException: what came is no answer.
        """
        connection = _Connection(self, seconds)
        try:
            connection.request(method, path, body, {"Host": self.name, **(headers or {})})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


class Visitor(threading.Thread):
    """Asks for one page after the other, about five times a second, until told to stop.

    Args:
        site: where.
        paths: what is asked for in turn.
    """

    def __init__(self, site: Site, *paths: str) -> None:
        super().__init__(daemon=True)
        self.answers: list[Answer] = []
        self._site, self._paths, self._over = site, paths, threading.Event()

    def run(self) -> None:
        turn = 0
        while not self._over.wait(0.2):
            self.answers.append(self._visit(self._paths[turn % len(self._paths)]))
            turn += 1

    def stop(self) -> None:
        """Let it finish its request and go."""
        self._over.set()
        self.join()

    def _visit(self, path: str) -> Answer:
        asked = time.monotonic()
        try:
            found = self._site.ask(path)
        except (OSError, http.client.HTTPException) as error:
            return Answer(asked, time.monotonic(), False, why=type(error).__name__)
        if found.status != http.HTTPStatus.OK:
            return Answer(asked, time.monotonic(), False, why=str(found.status))
        return Answer(asked, time.monotonic(), True, found.headers.get(RELEASE_HEADER, ""))


@dataclass
class Uploader:
    """A person of the admin, who uploads images that differ in their last bytes.

    An upload counts when the admin has confirmed it; what was refused or got lost on the way may be missing.

    Attributes:
        site: where.
        credentials: of the admin: gives username and password.
        image: a PNG.
        confirmed: name → content of each confirmed upload.
        places: name → its address.
        refused: how many were not confirmed.
    """

    site: Site
    credentials: Callable[[], tuple[str, str]]
    image: bytes
    confirmed: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    _cookies: dict[str, str] = field(default_factory=dict)

    def upload(self) -> None:
        """Upload one image; log in before that where it has to be."""
        name = f"soak-{uuid.uuid4().hex[:12]}.png"
        content = self.image + name.encode()
        try:
            if "sessionid" not in self._cookies:
                self._log_in()
            well = self._send(name, content)
        except (OSError, http.client.HTTPException):
            well = False
        if not well:
            self.refused += 1
            self._cookies.clear()
            return
        self.confirmed[name] = content

    def finds_all(self) -> bool:
        """Look at the front page, which shows the newest dozen; whether the address of each upload is known by now."""
        try:
            page = self.site.ask("/").body.decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return False
        for address, name in re.findall(r'href="([^"]*/(soak-[0-9a-f]{12}\.png))"', page):
            self.places[name] = address
        return self.confirmed.keys() <= self.places.keys()

    def lost(self) -> list[str]:
        """Names of the confirmed uploads that are not there, or are not what was uploaded.

        Raises:
            OSError: the site does not answer.
        """
        missing = []
        for name, content in self.confirmed.items():
            if name not in self.places or self.site.ask(self.places[name], 20).body != content:
                missing.append(name)
        return missing

    def _log_in(self) -> None:
        page = self._ask("/admin/login/")
        found = TOKEN.search(page.body.decode(errors="replace"))
        username, password = self.credentials()
        form = {"csrfmiddlewaretoken": found[1] if found else "", "username": username, "password": password}
        self._ask("/admin/login/", urlencode(form | {"next": "/admin/"}).encode(), "application/x-www-form-urlencoded")

    def _send(self, name: str, content: bytes) -> bool:
        border = uuid.uuid4().hex
        head = (
            f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
        answer = self._ask(UPLOAD, body, f"multipart/form-data; boundary={border}")
        try:
            said = json.loads(answer.body)
        except ValueError:
            return False
        return answer.status == http.HTTPStatus.OK and "error" not in said

    def _ask(self, path: str, body: bytes | None = None, content_type: str = "") -> Response:
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self._cookies.items())}
        headers |= {"Referer": f"https://{self.site.name}{path}"}
        if body is not None:
            headers |= {"Content-Type": content_type, "X-CSRFToken": self._cookies.get("csrftoken", "")}
        answer = self.site.ask(path, 20, "GET" if body is None else "POST", body, headers)
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {key: morsel.value for key, morsel in SimpleCookie(line).items()}
        return answer

"""Docker's volume plugin protocol on a Unix socket. https://docs.docker.com/engine/extend/plugins_volume/"""

from __future__ import annotations

import json
import logging
import socketserver
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Protocol

LOG = logging.getLogger("volume")
CONTENT_TYPE = "application/vnd.docker.plugins.v1.1+json"


class VolumeError(Exception):
    """What a driver answers instead of a result; Docker shows the message to whoever asked."""


class Driver(Protocol):
    """What a volume driver does. Every method may raise `VolumeError`."""

    scope: str
    """`local` or `global`: whether all engines see the same volumes."""

    def create(self, name: str, options: dict[str, str]) -> None: ...
    def remove(self, name: str) -> None: ...
    def mount(self, name: str, user: str) -> str: ...
    def unmount(self, name: str, user: str) -> None: ...
    def path(self, name: str) -> str: ...
    def get(self, name: str) -> dict[str, Any]: ...
    def volumes(self) -> list[dict[str, Any]]: ...


def answer(driver: Driver, call: str, request: dict[str, Any]) -> dict[str, Any]:
    """The reply to one call, for example `VolumeDriver.Mount`.

    Raises:
        VolumeError: the driver refused, or there is no such call.
    """
    name = request.get("Name", "")
    match call:
        case "Plugin.Activate":
            return {"Implements": ["VolumeDriver"]}
        case "VolumeDriver.Capabilities":
            return {"Capabilities": {"Scope": driver.scope}}
        case "VolumeDriver.Create":
            driver.create(name, request.get("Opts") or {})
            return {"Err": ""}
        case "VolumeDriver.Remove":
            driver.remove(name)
            return {"Err": ""}
        case "VolumeDriver.Mount":
            return {"Mountpoint": driver.mount(name, request.get("ID", "")), "Err": ""}
        case "VolumeDriver.Unmount":
            driver.unmount(name, request.get("ID", ""))
            return {"Err": ""}
        case "VolumeDriver.Path":
            return {"Mountpoint": driver.path(name), "Err": ""}
        case "VolumeDriver.Get":
            return {"Volume": driver.get(name), "Err": ""}
        case "VolumeDriver.List":
            return {"Volumes": driver.volumes(), "Err": ""}
    raise VolumeError(f"{call}: not implemented")


def server(socket: str, driver: Driver) -> socketserver.BaseServer:
    """A server of `driver` on the Unix socket `socket`; call its `serve_forever`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self) -> str:
            return "docker"

        def log_message(self, format: str, *arguments: Any) -> None:
            LOG.debug(format, *arguments)

        def do_POST(self) -> None:
            call = self.path.rpartition("/")[2]
            status = 200
            try:
                request = json.loads(self._body() or b"{}")
                LOG.info("%s %s", call, request)
                reply = answer(driver, call, request)
            except Exception as error:  # Docker waits for an answer whatever happened
                if not isinstance(error, VolumeError):
                    LOG.exception("%s failed", call)
                else:
                    LOG.error("%s: %s", call, error)
                status, reply = 500, {"Err": str(error)}
            body = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    Path(socket).parent.mkdir(parents=True, exist_ok=True)
    Path(socket).unlink(missing_ok=True)
    return Server(socket, Handler)

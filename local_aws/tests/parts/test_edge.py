"""A CDN's rules as nginx keeps them: asked over real sockets of the image that a distribution runs in.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
"""

from __future__ import annotations

import dataclasses
import gzip
import http.client
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from local_aws import images
from local_aws.edge import access_log, configuration
from local_aws.tests.unit.test_edge_configuration import (
    ALL_VIEWER,
    DISABLED,
    OPTIMIZED,
    PAGE,
    STRIP,
    behaviour,
    calls,
    distribution,
    listed,
)
from local_aws.tests.until import until

pytestmark = pytest.mark.docker


@dataclass
class Origins:
    """What both origins answer, path → status, headers, body; and what they were asked."""

    answers: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def count(self, path: str) -> int:
        return sum(each[1] == path for each in self.asked)


@dataclass
class Edge:
    """A running nginx."""

    port: int
    plain: int
    origins: Origins
    reload: Callable[..., None]

    def ask(
        self, path: str, method: str = "GET", host: str = "shop.test", tls: bool = True, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers in small letters, body."""
        made: http.client.HTTPConnection = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=10)
        if tls:
            context = ssl._create_unverified_context()
            made = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        made.request(method, path, headers={"Host": host} | sent)
        answer = made.getresponse()
        body = answer.read()
        made.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, body.decode(errors="replace")

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Status and body."""
        context = ssl._create_unverified_context()
        made = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        made.request("POST", path, body, {"Host": "shop.test"} | headers)
        answer = made.getresponse()
        said = answer.status, answer.read()
        made.close()
        return said

    def found(self, path: str, host: str = "shop.test", **headers: str) -> str:
        """The header X-Cache."""
        return self.ask(path, "GET", host, True, **headers)[1]["x-cache"].removesuffix(" from cloudfront")


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path, name: str, *names: str) -> None:
    """One that signs itself, with its key in one file."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={','.join(f'DNS:{each}' for each in names)}",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / f"{name}.pem").write_text((folder / f"{name}.crt").read_text() + (folder / f"{name}.key").read_text())


def serving(origins: Origins, begin: str, pem: Path | None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.removeprefix(begin)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            origins.asked.append((self.command, path, {k.lower(): v for k, v in self.headers.items()}))
            status, headers, body = origins.answers.get(path, (404, {}, "nothing"))
            if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                status, body = 304, ""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body.encode())

        do_POST = do_HEAD = do_OPTIONS = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    # Sockets of Unix have short names.
    folder, origins = tmp_path / "e", Origins()
    folder.mkdir()
    certificate(folder, "viewer", "shop.test", "other.test")
    certificate(folder, "origin", "shop.test", "other.test")
    servers = [serving(origins, "", folder / "origin.pem"), serving(origins, "/files", None)]
    alb, files = (server.server_port for server in servers)
    port, plain = free(), free()
    place = configuration.Place(
        str(folder), f"127.0.0.1:{port}", f"127.0.0.1:{plain}", "viewer.pem", "origin.crt",
        {"alb": f"https://127.0.0.1:{alb}", "files": f"http://127.0.0.1:{files}/files"},
        ("load_module /usr/lib/nginx/modules/ngx_http_js_module.so;", "daemon off;", "user root;"), port,
    )  # fmt: skip
    engine, image = docker.from_env(), images.ensure("edge")
    running: list[Container] = []

    def end() -> None:
        while running:
            running.pop().remove(force=True)
        for each in folder.glob("*.sock"):
            each.unlink()

    def start(config: dict[str, Any] | None = None, files: str | None = None, **more: Any) -> None:
        here = place if files is None else dataclasses.replace(place, origins={**place.origins, "files": files})
        functions = {"strip": STRIP, "page": PAGE}
        for name, text in configuration.render(distribution(**config or {}), here, functions, **more).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        end()
        # On this machine's network: the origins are threads of this process.
        command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        mounts = {str(folder): {"bind": str(folder)}}
        running.append(engine.containers.run(image, command, network_mode="host", volumes=mounts, detach=True))
        until(lambda: _listens(port), "nginx listens", 20, lambda: running[0].logs().decode())

    start()
    yield Edge(port, plain, origins, start)
    end()
    for server in servers:
        server.shutdown()
        server.server_close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_is_not_to_be_kept_passes_as_it_is(edge: Edge) -> None:
    edge.origins.answers["/cart?a=1"] = (
        200,
        {"Set-Cookie": "s=1", "X-Powered-By": "x", "Cache-Control": "max-age=60"},
        "cart",
    )
    for _ in range(2):
        status, headers, body = edge.ask("/cart?a=1", Cookie="s=1", X_Own="yes")
        assert (status, body, headers["set-cookie"]) == (200, "cart", "s=1")
        assert headers["x-cache"] == "Miss from cloudfront"
    _, _, asked = edge.origins.asked[-1]
    assert edge.origins.count("/cart?a=1") == 2
    assert (asked["cookie"], asked["x-own"], asked["host"]) == ("s=1", "yes", "shop.test")
    assert asked["x-secret"] == 'a"$b'
    assert asked["x-forwarded-for"] == "127.0.0.1"
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "SAMEORIGIN")
    assert "x-powered-by" not in headers
    assert headers["server"].startswith("BaseHTTP"), "the origin's own"
    edge.origins.answers["/form"] = 201, {"X-Frame-Options": "DENY"}, "made"
    status, headers, _ = edge.ask("/form", "POST")
    assert (status, headers["x-frame-options"]) == (201, "DENY")


def test_what_is_kept_is_kept_by_host_and_query_without_cookies(edge: Edge) -> None:
    edge.origins.answers["/media/a?v=1"] = 200, {"Set-Cookie": "s=1", "Vary": "Cookie"}, "a"
    edge.origins.answers["/media/a?v=2"] = 200, {}, "b"
    status, headers, _ = edge.ask("/media/a?v=1", Cookie="x=1")
    assert (status, headers["x-cache"]) == (200, "Miss from cloudfront")
    assert "set-cookie" not in headers
    assert "cookie" not in edge.origins.asked[-1][2]
    assert edge.found("/media/a?v=1", Cookie="x=2") == "Hit"
    assert edge.found("/media/a?v=2") == "Miss"
    assert edge.found("/media/a?v=1", host="other.test") == "Miss"
    assert edge.ask("/media/a?v=1", "POST")[0] == 403


def test_an_answer_says_for_how_long_it_is_kept_within_the_bounds_of_the_policy(edge: Edge) -> None:
    said = {"no-store": 0, "private, max-age=60": 0, "no-cache": 0, "max-age=0": 0, "max-age=30": 1, "s-maxage=9": 1}
    for number, (control, kept) in enumerate(said.items()):
        path = f"/media/{number}"
        edge.origins.answers[path] = 200, {"Cache-Control": control}, "x"
        edge.ask(path)
        assert edge.found(path) == ("Hit" if kept else "Miss"), control
    edge.origins.answers["/none.css"] = 200, {"Cache-Control": "no-cache"}, "x"
    edge.ask("/static/none.css")
    assert edge.found("/static/none.css") == "Hit", "a second at least, by CachingOptimized"


def test_an_error_is_kept_only_as_its_rule_says_and_may_have_a_page(edge: Edge) -> None:
    edge.ask("/media/none")
    edge.origins.answers["/media/none"] = 200, {}, "now"
    assert edge.ask("/media/none")[2] == "now"
    edge.origins.answers["/media/bad"] = 500, {}, "bad"
    assert edge.found("/media/bad") == "Error"
    edge.origins.answers["/media/bad"] = 200, {}, "good"
    assert edge.ask("/media/bad")[0] == 500, "kept for ten seconds, as none says otherwise"
    edge.origins.answers |= {"/down": (502, {}, "raw"), "/gone.html": (200, {}, "a page")}
    status, headers, body = edge.ask("/down")
    assert (status, body, headers["x-cache"]) == (502, "a page", "Error from cloudfront")


def test_a_bucket_is_asked_by_the_names_that_a_function_makes(edge: Edge) -> None:
    edge.origins.answers["/app.css"] = 200, {"Cache-Control": "max-age=60", "Content-Type": "text/css"}, "a{}" * 600
    assert edge.ask("/static/app.css?v=1")[2] == "a{}" * 600
    assert edge.found("/static/app.css?v=2") == "Hit", "the query is no part of its key"
    _, _, asked = edge.origins.asked[-1]
    assert asked["host"] == "files.s3.amazonaws.com"
    assert asked["authorization"] == configuration.signed("E1ABC")
    _, packed, _ = edge.ask("/static/app.css", Accept_Encoding="gzip, br")
    assert packed["content-encoding"] == "gzip"
    assert edge.ask("/static/app.css", "DELETE")[0] == 403


def test_a_single_page_stands_for_paths_that_name_no_file(edge: Edge) -> None:
    front = behaviour("files", OPTIMIZED, FunctionAssociations=calls("page"))
    api = behaviour("alb", DISABLED, PathPattern="/api/*", OriginRequestPolicyId=ALL_VIEWER)
    edge.reload({"DefaultCacheBehavior": front, "CacheBehaviors": listed(api), "CustomErrorResponses": listed()})
    edge.origins.answers |= {"/index.html": (200, {}, "app"), "/api/items": (404, {}, "no items")}
    assert edge.ask("/deep/link")[2] == "app"
    assert edge.ask("/a.js")[0] == 404
    assert edge.ask("/api/items")[::2] == (404, "no items"), "an error of the other stays its own"


def test_what_was_made_invalid_is_asked_for_anew(edge: Edge) -> None:
    edge.origins.answers |= {"/a.css": (200, {"Cache-Control": "max-age=60"}, "old"), "/b.css": (200, {}, "b")}
    for path in ("/static/a.css", "/static/b.css"):
        edge.ask(path)
    edge.reload(invalidations=[["/static/a*"]])
    assert edge.found("/static/a.css") == "Miss"
    assert edge.found("/static/b.css") == "Hit"
    edge.reload(invalidations=[["/static/a*"], ["/b.css"]])
    assert edge.found("/static/a.css") == "Hit"
    assert edge.found("/static/b.css") == "Miss", "also by the name that a function made of it"


def test_viewers_without_tls_are_led_to_it(edge: Edge) -> None:
    status, headers, _ = edge.ask("/cart?a=1", tls=False)
    assert (status, headers["location"]) == (301, f"https://shop.test:{edge.port}/cart?a=1")


def test_an_origin_whose_certificate_is_of_another_name_is_a_502(edge: Edge) -> None:
    edge.origins.answers |= {"/x": (200, {}, "x"), "/gone.html": (200, {}, "gone")}
    assert edge.ask("/x")[0] == 200
    status, _, body = edge.ask("/x", host="d1.cloudfront.net")
    assert (status, body) == (502, "gone")


def test_a_bucket_that_lets_nobody_in_is_refused(edge: Edge) -> None:
    edge.origins.answers["/app.css"] = 200, {}, "a"
    edge.reload(files="")
    assert edge.ask("/static/app.css")[0] == 403


def test_each_request_becomes_a_line_of_the_access_log(edge: Edge, tmp_path: Path) -> None:
    config = {"Logging": {"Enabled": True, "Bucket": "logs.s3.amazonaws.com", "Prefix": "edge/"}}
    edge.reload(config)
    edge.origins.answers["/app.css"] = 200, {"Cache-Control": "max-age=60", "Content-Type": "text/css"}, "a{}"
    for _ in range(2):
        edge.ask("/static/app.css?v=1", User_Agent='a "b"', Cookie="s=1")
    edge.ask("/none")
    edge.ask("/cart", tls=False)
    written, log = tmp_path / "e" / access_log.FILE, access_log.of(config)
    until(lambda: written.exists() and written.read_text().count("\n") == 4, "four requests are written down", 10)
    assert log is not None
    files = access_log.files(written, log, "E1ABC", "d1.cloudfront.net")
    lines = [each for content in files.values() for each in gzip.decompress(content).decode().splitlines()]
    found = [dict(zip(access_log.FIELDS, each.split("\t"), strict=True)) for each in lines if each[0] != "#"]
    assert [each["x-edge-result-type"] for each in found] == ["Miss", "Hit", "Error", "Redirect"]
    first, *_, last = found
    assert (first["cs-uri-stem"], first["cs-uri-query"], first["sc-status"]) == ("/static/app.css", "v=1", "200")
    assert (first["cs(User-Agent)"], first["cs(Cookie)"]) == ("a%20%22b%22", "-")
    assert (first["cs-protocol"], first["ssl-protocol"][:3], first["sc-content-type"]) == ("https", "TLS", "text/css")
    assert (last["cs-protocol"], last["sc-status"], last["ssl-protocol"]) == ("http", "301", "-")

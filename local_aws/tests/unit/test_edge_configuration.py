"""A CDN's rules as nginx keeps them: asked over real sockets where Debian's nginx with njs is at hand, else left out.

`BERTH_NGINX` names the binary, `BERTH_NGINX_MODULES` the folder of its modules, where they are not Debian's own places.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-the-cache-key.html
"""

from __future__ import annotations

import dataclasses
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local_aws.edge import configuration
from local_aws.edge.distribution import Unsupported, read
from local_aws.tests.until import until

NGINX = os.environ.get("BERTH_NGINX") or shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MODULE = Path(os.environ.get("BERTH_NGINX_MODULES", "/usr/lib/nginx/modules")) / "ngx_http_js_module.so"
real = pytest.mark.skipif(not NGINX or not MODULE.exists(), reason="needs Debian's nginx and libnginx-mod-http-js")

OPTIMIZED, DISABLED = "658327ea-f89d-4fab-a63d-7e88639e58f6", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
KEPT = {
    "MinTTL": 0, "DefaultTTL": 60, "MaxTTL": 60,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": True,
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": {"Quantity": 1, "Items": ["Host"]}},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    },
}  # fmt: skip
HEADERS = {
    "SecurityHeadersConfig": {
        "ContentTypeOptions": {"Override": True},
        "FrameOptions": {"FrameOption": "SAMEORIGIN", "Override": False},
    },
    "RemoveHeadersConfig": {"Items": [{"Header": "X-Powered-By"}]},
}
STRIP = "function handler(event) { var r = event.request; r.uri = r.uri.slice(7); return r; }"
PAGE = "function handler(event) { var r = event.request; if (r.uri.indexOf('.') < 0) r.uri = '/index.html'; return r; }"


def listed(*given: Any) -> dict[str, Any]:
    return {"Quantity": len(given), "Items": list(given)}


def behaviour(origin: str, policy: str, **more: Any) -> dict[str, Any]:
    made = {"TargetOriginId": origin, "CachePolicyId": policy, "ViewerProtocolPolicy": "redirect-to-https"}
    return made | {"Compress": True, "AllowedMethods": listed("GET", "HEAD", "OPTIONS")} | more


def calls(function: str) -> dict[str, Any]:
    return listed({"EventType": "viewer-request", "FunctionARN": function})


CONFIG: dict[str, Any] = {
    "Aliases": listed("shop.test"),
    "Origins": listed(
        {
            "Id": "alb", "DomainName": "alb.test",
            "CustomOriginConfig": {"OriginProtocolPolicy": "https-only"},
            "CustomHeaders": listed({"HeaderName": "X-Secret", "HeaderValue": 'a"$b'}),
        },
        {"Id": "files", "DomainName": "files.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}},
    ),
    "DefaultCacheBehavior": behaviour(
        "alb", DISABLED, OriginRequestPolicyId=ALL_VIEWER, ResponseHeadersPolicyId="headers",
        AllowedMethods=listed("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"),
    ),
    "CacheBehaviors": listed(
        behaviour("files", OPTIMIZED, PathPattern="/static/*", FunctionAssociations=calls("strip")),
        behaviour("alb", "kept", PathPattern="/media/*", ResponseHeadersPolicyId="headers"),
        behaviour("files", OPTIMIZED, PathPattern="/gone.html"),
    ),
    "CustomErrorResponses": listed(
        {"ErrorCode": 404, "ErrorCachingMinTTL": 0},
        {"ErrorCode": 502, "ErrorCachingMinTTL": 0, "ResponseCode": "502", "ResponsePagePath": "/gone.html"},
    ),
}  # fmt: skip


def distribution(**changes: Any) -> Any:
    return read("E1ABC", "d1.cloudfront.net", CONFIG | changes, {"kept": KEPT}, {"headers": HEADERS})


# What is read of the API


def test_behaviours_stand_in_their_order_and_the_default_one_last() -> None:
    made = distribution()
    assert [each.pattern for each in made.behaviours] == ["/static/*", "/media/*", "/gone.html", ""]
    assert made.names == ("d1.cloudfront.net", "shop.test")
    static, media, _, rest = made.behaviours
    assert (static.times, static.key.query, static.function) == ((1, 86400, 31536000), "none", "strip")
    assert (media.times, media.key.headers, media.key.query, media.all_sent) == ((0, 60, 60), ("host",), "all", False)
    assert (rest.times, rest.all_sent) == ((0, 0, 0), True)
    assert media.added["X-Frame-Options"] == ("SAMEORIGIN", False)
    assert media.removed == ("X-Powered-By",)
    assert made.errors[502].path == "/gone.html"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"DefaultCacheBehavior": behaviour("alb", DISABLED, OriginRequestPolicyId="x")}, "origin request policy x"),
        (
            {
                "DefaultCacheBehavior": behaviour(
                    "alb", DISABLED, FunctionAssociations=listed({"EventType": "viewer-response", "FunctionARN": "x"})
                )
            },
            "viewer-response is not emulated",
        ),
        (
            {
                "Origins": listed(
                    {"Id": "alb", "DomainName": "a", "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}}
                )
            },
            "https-only is all",
        ),
    ],
)
def test_what_is_not_emulated_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Unsupported, match=why):
        distribution(**changes)


def test_a_word_of_the_configuration_is_never_a_variable() -> None:
    assert configuration.quote('a"$b\\') == '"a\\"${dollar}b\\\\"'
    assert configuration.pattern("/a.b/*.j?") == r"/a\.b/.*\.j."
    assert configuration.pattern("*.pdf") == r".*\.pdf"


# What nginx does with it


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
        (f"load_module {MODULE};", "daemon off;", *(["user root;"] if os.geteuid() == 0 else [])), port,
    )  # fmt: skip
    running: list[subprocess.Popen[bytes]] = []

    def start(config: dict[str, Any] | None = None, files: str | None = None, **more: Any) -> None:
        here = place if files is None else dataclasses.replace(place, origins={**place.origins, "files": files})
        functions = {"strip": STRIP, "page": PAGE}
        for name, text in configuration.render(distribution(**config or {}), here, functions, **more).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        said = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        for each in running:
            each.terminate()
            each.wait(10)
        running[:] = [subprocess.Popen(command, stderr=(folder / "log").open("ab"))]
        until(lambda: _listens(port), "nginx listens", 10)

    start()
    yield Edge(port, plain, origins, start)
    for each in running:
        each.terminate()
        each.wait(10)
    for server in servers:
        server.shutdown()
        server.server_close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@real
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
    edge.origins.answers["/form"] = 201, {"X-Frame-Options": "DENY"}, "made"
    status, headers, _ = edge.ask("/form", "POST")
    assert (status, headers["x-frame-options"]) == (201, "DENY")


@real
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


@real
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


@real
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


@real
def test_a_bucket_is_asked_by_the_names_that_a_function_makes(edge: Edge) -> None:
    edge.origins.answers["/app.css"] = 200, {"Cache-Control": "max-age=60", "Content-Type": "text/css"}, "a{}" * 600
    assert edge.ask("/static/app.css?v=1")[2] == "a{}" * 600
    assert edge.found("/static/app.css?v=2") == "Hit", "the query is no part of its key"
    _, _, asked = edge.origins.asked[-1]
    assert asked["host"] == "files.s3.amazonaws.com"
    _, packed, _ = edge.ask("/static/app.css", Accept_Encoding="gzip, br")
    assert packed["content-encoding"] == "gzip"
    assert edge.ask("/static/app.css", "DELETE")[0] == 403


@real
def test_a_single_page_stands_for_paths_that_name_no_file(edge: Edge) -> None:
    front = behaviour("files", OPTIMIZED, FunctionAssociations=calls("page"))
    api = behaviour("alb", DISABLED, PathPattern="/api/*", OriginRequestPolicyId=ALL_VIEWER)
    edge.reload({"DefaultCacheBehavior": front, "CacheBehaviors": listed(api), "CustomErrorResponses": listed()})
    edge.origins.answers |= {"/index.html": (200, {}, "app"), "/api/items": (404, {}, "no items")}
    assert edge.ask("/deep/link")[2] == "app"
    assert edge.ask("/a.js")[0] == 404
    assert edge.ask("/api/items")[::2] == (404, "no items"), "an error of the other stays its own"


@real
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


@real
def test_viewers_without_tls_are_led_to_it(edge: Edge) -> None:
    status, headers, _ = edge.ask("/cart?a=1", tls=False)
    assert (status, headers["location"]) == (301, f"https://shop.test:{edge.port}/cart?a=1")


@real
def test_an_origin_whose_certificate_is_of_another_name_is_a_502(edge: Edge) -> None:
    edge.origins.answers |= {"/x": (200, {}, "x"), "/gone.html": (200, {}, "gone")}
    assert edge.ask("/x")[0] == 200
    status, _, body = edge.ask("/x", host="d1.cloudfront.net")
    assert (status, body) == (502, "gone")


@real
def test_a_bucket_that_lets_nobody_in_is_refused(edge: Edge) -> None:
    edge.origins.answers["/app.css"] = 200, {}, "a"
    edge.reload(files="")
    assert edge.ask("/static/app.css")[0] == 403

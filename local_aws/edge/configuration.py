"""A distribution as configuration of Debian's nginx with njs: pure text, no Docker, no network.

Two servers stand behind each other: the outer one keeps answers, the inner one of a behaviour asks the origin and says
for how long to keep them (X-Accel-Expires), as nginx knows no least and most time.
https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_valid
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from local_aws.edge import access_log
from local_aws.edge.distribution import ERROR_SECONDS, ERRORS, Behaviour, Distribution, Origin
from local_aws.waf import modsecurity
from local_aws.waf.firewall import Firewall

FILE = "nginx.conf"
KEY = "CLOUDFRONT-"
"""What the access key begins with that CloudFront signs its requests to buckets with; the distribution's id follows."""


@dataclass(frozen=True)
class Place:
    """Where nginx stands.

    Attributes:
        folder: of its files, absolute.
        https: address and port for viewers, as `listen` takes it.
        http: likewise, without TLS.
        certificate: file of certificate and key, below `folder`.
        authority: file of the authority that origins' certificates are from, below `folder`.
        origins: id of an origin → `https://address:port`, or of a bucket `http://address:port`; empty for one that
            may not be read.
        first: lines that come first, `load_module …`, `user …`.
        published: port of this machine at which a person reaches `https`.
    """

    folder: str
    https: str
    http: str
    certificate: str
    authority: str
    origins: Mapping[str, str]
    first: tuple[str, ...] = ("load_module /usr/lib/nginx/modules/ngx_http_js_module.so;",)
    published: int = 443


def render(
    distribution: Distribution,
    place: Place,
    functions: Mapping[str, str] | None = None,
    invalidations: Sequence[Sequence[str]] = (),
    firewall: Firewall | None = None,
) -> dict[str, str]:
    """The files of a distribution, by their path below the folder.

    Args:
        distribution: what is answered.
        place: where nginx stands, and the origins.
        functions: ARN → code.
        invalidations: the paths of each, the oldest first.
        firewall: that looks at requests first; None for none.
    """
    used = [each.function for each in distribution.behaviours if each.function]
    named = {arn: f"function{number}" for number, arn in enumerate(dict.fromkeys(used))}
    made = {f"js/{name}.js": f"{(functions or {})[arn]}\nexport default handler;\n" for arn, name in named.items()}
    origins = {each.id: each for each in distribution.origins}
    inner = [
        _inner(number, each, origins[each.origin], place, distribution.id)
        for number, each in enumerate(distribution.behaviours)
    ]
    if firewall:
        made |= modsecurity.files(firewall, place.folder)
    return made | {
        FILE: _process(place, [*inner, _outer(distribution, place, firewall)], len(distribution.behaviours), firewall),
        "js/edge.js": (files("local_aws.edge") / "edge.js").read_text(),
        "js/site.js": _site(distribution, named, invalidations),
    }


def pattern(text: str) -> str:
    """A regular expression for a pattern of paths: `*` is any text, `?` any one character.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
    """
    path = text if text.startswith(("/", "*")) else f"/{text}"
    return "".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in path)


def quote(text: str) -> str:
    """`text` as one word of nginx's configuration; a variable is none, as there is no word for a dollar in it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${dollar}") + '"'


def signed(distribution: str) -> str:
    """The header Authorization of a distribution's requests to buckets (Origin Access Control).

    Nobody here checks a signature; IAM reads who it is of.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """
    scope = "20260101/us-east-1/s3/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={KEY}{distribution}/{scope}, SignedHeaders=host, Signature=0"


def _site(distribution: Distribution, functions: Mapping[str, str], invalidations: Sequence[Sequence[str]]) -> str:
    told = {
        "id": distribution.id.lower(),
        "root": distribution.root,
        "behaviours": [dataclasses.asdict(each) for each in distribution.behaviours],
        "errors": {
            str(code): distribution.errors[code].seconds if code in distribution.errors else ERROR_SECONDS
            for code in ERRORS
        },
        "invalidations": [list(each) for each in invalidations],
    }
    imports = "".join(f"import {name} from '{name}.js';\n" for name in functions.values())
    run = ", ".join(f"{json.dumps(arn)}: {name}" for arn, name in functions.items())
    return f"{imports}var site = {json.dumps(told, default=dict)};\nsite.functions = {{{run}}};\nexport default site;\n"


def _process(place: Place, servers: list[str], behaviours: int, firewall: Firewall | None) -> str:
    upstreams = "\n".join(
        f"    upstream behaviour{number} {{ server unix:{place.folder}/{number}.sock; }}"
        for number in range(behaviours)
    )
    first = "\n".join([*place.first, modsecurity.MODULE] if firewall else place.first)
    # What only counts is told as information.
    level = "info" if firewall else "notice"
    return f"""\
{first}
worker_processes 1;
pid {place.folder}/nginx.pid;
error_log stderr {level};
events {{ worker_connections 512; }}
http {{
    access_log off;
    {access_log.FORMAT}
    server_tokens off;
    merge_slashes off;
    client_max_body_size 0;
    client_body_temp_path {place.folder}/body;
    proxy_temp_path {place.folder}/temp;
    fastcgi_temp_path {place.folder}/temp;
    uwsgi_temp_path {place.folder}/temp;
    scgi_temp_path {place.folder}/temp;
    default_type application/octet-stream;
    geo $dollar {{ default "$"; }}
    map $http_upgrade $edge_connection {{ default upgrade; "" ""; }}
    # The path as it was asked for; $uri has other letters in it.
    map $request_uri $edge_path {{ default $request_uri; }}
    js_path {place.folder}/js;
    js_import edge.js;
    js_set $edge_uri edge.uri;
    js_set $edge_query edge.query;
    js_set $edge_encoding edge.encoding;
    js_set $edge_key edge.key;
    proxy_cache_path {place.folder}/cache levels=1:2 keys_zone=edge:10m max_size=1g inactive=1y use_temp_path=off;
    proxy_http_version 1.1;
    proxy_pass_header Server; # the origin's; CloudFront has one of its own only for what it answers itself
    proxy_read_timeout 60s;
{upstreams}
{modsecurity.http(firewall) if firewall else ""}{"".join(servers)}}}
"""


def _inner(number: int, behaviour: Behaviour, origin: Origin, place: Place, distribution: str) -> str:
    address = place.origins[origin.id]
    if not address:
        return f"""\
    server {{
        listen unix:{place.folder}/{number}.sock;
        return 403;
    }}
"""
    # Where the viewer's Host is sent, the origin's certificate must be of it; else of the origin's own name.
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-502-bad-gateway.html
    sent = behaviour.all_sent or "host" in behaviour.key.headers
    host = "$http_host" if sent and not origin.bucket else quote(origin.host)
    lines = [f"proxy_set_header Host {host};"]
    if origin.bucket:
        lines.append(f"proxy_set_header Authorization {quote(signed(distribution))};")
    if not behaviour.all_sent:
        names = [name for name in behaviour.key.headers if name != "host"]
        lines += [
            "proxy_pass_request_headers off;",
            'proxy_set_header User-Agent "Amazon CloudFront";',
            "proxy_set_header X-Forwarded-For $http_x_forwarded_for;",
            "proxy_set_header Accept-Encoding $http_accept_encoding;",
            "proxy_set_header Content-Type $http_content_type;",
            "proxy_set_header If-Modified-Since $http_if_modified_since;",
            "proxy_set_header If-None-Match $http_if_none_match;",
            *(f"proxy_set_header {name} $http_{name.replace('-', '_')};" for name in names),
        ]
        if behaviour.key.cookies:
            lines.append("proxy_set_header Cookie $http_cookie;")
    else:
        lines += ["proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection $edge_connection;"]
    lines += [f"proxy_set_header {name} {quote(value)};" for name, value in sorted(origin.headers.items())]
    if address.startswith("https:"):
        lines += [
            "proxy_ssl_server_name on;",
            f"proxy_ssl_name {'$host' if sent else quote(origin.host)};",
            "proxy_ssl_verify on;",
            "proxy_ssl_verify_depth 3;",
            f"proxy_ssl_trusted_certificate {place.folder}/{place.authority};",
        ]
    body = "\n".join(f"            {line}" for line in lines)
    return f"""\
    server {{
        listen unix:{place.folder}/{number}.sock;
        location / {{
            set $edge_behaviour {number};
{body}
            proxy_buffering off;
            proxy_pass {address}{origin.path}$request_uri;
            js_header_filter edge.arrived;
        }}
    }}
"""


def _outer(distribution: Distribution, place: Place, firewall: Firewall | None) -> str:
    names = " ".join(distribution.names)
    logged = f"access_log {place.folder}/{access_log.FILE} edge;" if distribution.log else "access_log off;"
    pages = {code: page for code, page in distribution.errors.items() if page.path}
    answering = "".join(
        _location(distribution, number, each, pages) for number, each in enumerate(distribution.behaviours)
    )
    shown = "".join(_page(distribution, code, page.path) for code, page in sorted(pages.items()))
    plain = "".join(_plain(number, each, place.published) for number, each in enumerate(distribution.behaviours))
    return f"""\
    server {{
        listen {place.https} ssl http2;
        server_name {names};
        {logged}
        ssl_certificate {place.folder}/{place.certificate};
        ssl_certificate_key {place.folder}/{place.certificate};
        ssl_protocols TLSv1.2 TLSv1.3;
        if ($http_host = "") {{ return 400; }}
{modsecurity.server(firewall, place.folder) if firewall else ""}{answering}{shown}    }}
    server {{
        listen {place.http};
        server_name {names};
        {logged}
{plain}    }}
"""


def _where(behaviour: Behaviour) -> str:
    return f"~ {quote(f'^{pattern(behaviour.pattern)}$').replace('${dollar}', '$')}" if behaviour.pattern else "/"


def _location(distribution: Distribution, number: int, behaviour: Behaviour, pages: Mapping[int, object]) -> str:
    intercepted = ""
    for code in sorted(pages):
        intercepted += f"            error_page {code} ={distribution.errors[code].status} @error{code};\n"
    if pages:
        intercepted += "            proxy_intercept_errors on;\n"
    return f"""\
        location {_where(behaviour)} {{
            if ($request_method !~ ^({"|".join(behaviour.methods)})$) {{ return 403; }}
            set $edge_behaviour {number};
{_asking(number, behaviour)}{intercepted}            proxy_pass http://behaviour{number}$edge_uri$edge_query;
        }}
"""


def _asking(number: int, behaviour: Behaviour) -> str:
    # What the viewer takes goes on as it is only where all is sent; else an answer is kept for all who take the same.
    encoding = "$http_accept_encoding" if behaviour.all_sent and not behaviour.key.gzip else "$edge_encoding"
    compress = (
        "            gzip on;\n            gzip_min_length 1000;\n            gzip_proxied any;\n"
        "            gzip_types text/css text/javascript text/plain application/javascript application/json "
        "application/xml image/svg+xml;\n"
        if behaviour.compress and behaviour.key.gzip
        else ""
    )
    del number
    return f"""\
            proxy_cache edge;
            proxy_cache_key $edge_key;
            proxy_cache_revalidate on;
            proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
            proxy_hide_header X-Accel-Expires;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header Accept-Encoding {encoding};
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $edge_connection;
            js_header_filter edge.left;
{compress}"""


def _page(distribution: Distribution, code: int, path: str) -> str:
    """What is answered in place of an error: by the behaviour of its path, past functions."""
    number = next(
        number
        for number, each in enumerate(distribution.behaviours)
        if not each.pattern or re.fullmatch(pattern(each.pattern), path)
    )
    return f"""\
        location @error{code} {{
            set $edge_behaviour {number};
            set $edge_page {quote(path)};
            proxy_method GET;
            proxy_set_header Host $http_host;
            js_header_filter edge.left;
            proxy_pass http://behaviour{number}$edge_page;
        }}
"""


def _plain(number: int, behaviour: Behaviour, port: int) -> str:
    del number
    shown = "" if port == 443 else f":{port}"
    does = {
        "redirect-to-https": f"return 301 https://$host{shown}$request_uri;",
        "https-only": "return 403;",
    }[behaviour.viewers]
    return f"        location {_where(behaviour)} {{ {does} }}\n"

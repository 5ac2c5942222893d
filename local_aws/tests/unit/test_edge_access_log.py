"""The access log of a distribution: nginx's requests as CloudFront's lines, in the bucket that it names."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from local_aws.edge import access_log
from local_aws.edge.access_log import FIELDS, VARIABLES, Log
from local_aws.tests.stack_support import Stacks
from local_aws.tests.unit.test_edge_part import Running, running
from local_aws.tests.unit.test_handlers_cloudfront import body, certificate

__all__ = ["certificate", "running"]

ASKED: dict[str, str] = {
    **dict.fromkeys(VARIABLES, ""),
    "msec": "1795813200.250", "bytes_sent": "512", "remote_addr": "192.0.2.7", "remote_port": "40000",
    "request_method": "GET", "http_host": "www.shop.test", "request_uri": "/a%20b/c.png?x=1&y=%2F", "status": "200",
    "http_user_agent": "Mozilla/5.0 (X11; \"Linux\")", "http_cookie": "a=b", "upstream_cache_status": "HIT",
    "request_id": "0a1b", "scheme": "https", "request_length": "77", "request_time": "0.012",
    "upstream_header_time": "0.010", "ssl_protocol": "TLSv1.3", "ssl_cipher": "TLS_AES_256_GCM_SHA384",
    "server_protocol": "HTTP/2.0", "sent_http_content_type": "image/png", "sent_http_content_length": "400",
}  # fmt: skip


def told(asked: Mapping[str, str] | None = None, cookies: bool = False) -> dict[str, str]:
    """Field → its value, of a request."""
    values = access_log.line({**ASKED, **(asked or {})}, "d1.cloudfront.net", cookies).split("\t")
    return dict(zip(FIELDS, values, strict=True))


def test_a_line_has_cloudfront_s_fields_in_their_order() -> None:
    """docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html"""
    assert len(FIELDS) == 33
    found = told()
    assert (found["date"], found["time"]) == ("2026-11-27", "21:00:00")
    assert (found["cs(Host)"], found["x-host-header"]) == ("d1.cloudfront.net", "www.shop.test")
    assert (found["cs-uri-stem"], found["cs-uri-query"]) == ("/a%20b/c.png", "x=1&y=%2F")
    assert found["cs(User-Agent)"] == "Mozilla/5.0%20(X11;%20%22Linux%22)"
    assert (found["sc-status"], found["sc-bytes"], found["time-taken"]) == ("200", "512", "0.012")
    assert (found["x-edge-result-type"], found["time-to-first-byte"]) == ("Hit", "0.010")
    assert {found[name] for name in ("cs(Referer)", "x-forwarded-for", "fle-status", "sc-range-start")} == {"-"}


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        ({"upstream_cache_status": "MISS"}, "Miss"),
        ({"upstream_cache_status": ""}, "Miss"),
        ({"upstream_cache_status": "REVALIDATED"}, "RefreshHit"),
        ({"status": "502"}, "Error"),
        ({"scheme": "http", "status": "301"}, "Redirect"),
    ],
)
def test_what_became_of_a_request_is_told(asked: dict[str, str], result: str) -> None:
    assert told(asked)["x-edge-result-type"] == result


def test_cookies_are_told_only_where_that_is_wanted() -> None:
    assert told()["cs(Cookie)"] == "-"
    assert told(cookies=True)["cs(Cookie)"] == "a=b"


def test_what_viewers_write_makes_no_field_and_no_line() -> None:
    found = told({"http_user_agent": "a\tb\nc", "request_uri": "/\tx?\n"})
    assert (found["cs(User-Agent)"], found["cs-uri-stem"], found["cs-uri-query"]) == ("a%09b%0Ac", "/%09x", "%0A")


@pytest.mark.parametrize(
    ("given", "log"),
    [
        ({}, None),
        ({"Logging": {"Enabled": False, "Bucket": "", "Prefix": "", "IncludeCookies": False}}, None),
        (
            {"Logging": {"Enabled": True, "Bucket": "logs.s3.amazonaws.com", "Prefix": "cdn/", "IncludeCookies": True}},
            Log("logs", "cdn/", True),
        ),
        ({"Logging": {"Enabled": "true", "Bucket": "a.b.s3.eu-west-1.amazonaws.com"}}, Log("a.b")),
    ],
)
def test_where_it_goes_stands_in_the_configuration(given: dict[str, Any], log: Log | None) -> None:
    assert access_log.of(given) == log


def test_each_hour_has_a_file(tmp_path: Path) -> None:
    written = tmp_path / "access.log"
    later = {**ASKED, "msec": str(float(ASKED["msec"]) + 3600)}
    written.write_text("".join(json.dumps(each) + "\n" for each in (ASKED, ASKED, later)))
    found = access_log.files(written, Log("logs", "cdn/"), "E0A1B", "d1.cloudfront.net")
    names = sorted(found)
    assert [name.rpartition(".")[0].rpartition(".")[0] for name in names] == [
        "cdn/E0A1B.2026-11-27-21", "cdn/E0A1B.2026-11-27-22",
    ]  # fmt: skip
    lines = gzip.decompress(found[names[0]]).decode().splitlines()
    assert lines[0] == "#Version: 1.0"
    assert lines[1] == f"#Fields: {' '.join(FIELDS)}"
    assert len(lines) == 4


@pytest.fixture
def bucket(aws: Cloud) -> Callable[..., str]:
    """Makes a bucket for logs, whose objects belong to whom the rule says; its name, which no other test has."""

    def make(ownership: str = "BucketOwnerPreferred") -> str:
        s3, name = aws.client("s3"), f"logs-{uuid.uuid4().hex[:8]}"
        s3.create_bucket(Bucket=name)
        if ownership:
            rules = [{"ObjectOwnership": ownership}]
            s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": rules})
        return name

    return make


def with_log(bucket: str) -> str:
    """The stack of a distribution that writes a log."""
    log = f"Logging: {{Bucket: {bucket}.s3.amazonaws.com, Prefix: cdn/}}"
    return body().replace("Enabled: true\n", f"Enabled: true\n        {log}\n", 1)


def test_what_nginx_wrote_comes_into_the_bucket_and_is_there_once(
    running: Running, aws: Cloud, stacks: Stacks, certificate: str, bucket: Callable[..., str]
) -> None:
    name = bucket()
    stacks.made("edge", with_log(name), {"Arn": certificate})
    identifier = stacks.outputs("edge")["Id"]
    running.part.reconcile()
    assert "access_log /etc/edge/access.log edge;" in (running.folder / identifier / "nginx.conf").read_text()
    written = running.folder / identifier / "access.log"
    for number in (1, 2):
        written.write_text(json.dumps({**ASKED, "status": str(200 + number)}) + "\n")
        running.part.logged = -1e9  # a minute ago
        running.part.reconcile()
        assert running.engine.there[0].ran[-1][-1] == "reopen"
        written.touch()
    running.part.logged = -1e9
    running.part.reconcile()
    keys = [each["Key"] for each in aws.client("s3").list_objects_v2(Bucket=name)["Contents"]]
    assert len(keys) == 2
    assert all(key.startswith(f"cdn/{identifier}.2026-11-27-21.") for key in keys)
    found = [gzip.decompress(aws.client("s3").get_object(Bucket=name, Key=key)["Body"].read()) for key in keys]
    assert sorted(each.decode().splitlines()[2].split("\t")[8] for each in found) == ["201", "202"]
    assert not list((running.folder / identifier).glob("access.log.*"))


def test_a_bucket_that_has_gone_costs_the_log_and_nothing_else(
    running: Running, aws: Cloud, stacks: Stacks, certificate: str, bucket: Callable[..., str]
) -> None:
    name = bucket()
    stacks.made("edge", with_log(name), {"Arn": certificate})
    running.part.reconcile()
    aws.client("s3").delete_bucket(Bucket=name)
    written = running.folder / stacks.outputs("edge")["Id"] / "access.log"
    for _ in range(2):
        written.write_text(json.dumps(ASKED) + "\n")
        running.part.logged = -1e9
        running.part.reconcile()
    assert all(each.ok for each in running.part.health())


@pytest.mark.parametrize("ownership", ["BucketOwnerEnforced", ""])
def test_a_bucket_without_acls_is_refused_as_by_cloudfront(
    running: Running, stacks: Stacks, certificate: str, bucket: Callable[..., str], ownership: str
) -> None:
    del running
    name = bucket(ownership)
    stacks.create("edge", with_log(name), {"Arn": certificate})
    assert f"does not enable ACL access: {name}.s3.amazonaws.com" in json.dumps(stacks.events("edge"))

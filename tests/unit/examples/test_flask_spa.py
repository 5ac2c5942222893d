"""The API of examples/flask_spa without a container, and its bucket as a browser meets it."""

from __future__ import annotations

import base64
import importlib
import json
import re
import secrets
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from local_aws.cloud import ACCESS_KEY, SECRET_KEY, Cloud
from local_aws.tests.stack_support import Stacks
from plugins.plugin_utils.site.nouns import NOUNS
from tests.unit.render_support import render

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/flask_spa"
MODULES = ("advice", "photos", "app")
ORIGIN = "https://ears.test"
CORS = {"AllowedOrigins": [ORIGIN], "AllowedMethods": ["GET", "POST"], "AllowedHeaders": ["*"]}


def png(width: int, height: int) -> bytes:
    """The begin of a PNG, and enough behind it to have a size."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(200)


def jpeg(width: int, height: int) -> bytes:
    """The begin of a JPEG, a table before its frame."""
    table = struct.pack(">BBH", 0xFF, 0xC4, 4) + bytes(2)
    return b"\xff\xd8" + table + struct.pack(">BBHBHH", 0xFF, 0xC2, 11, 8, height, width) + bytes(200)


@pytest.fixture
def modules() -> Iterator[dict[str, Any]]:
    """The image's modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE / "api"))
        for name in MODULES:
            patch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in MODULES}
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture
def bucket(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket whose pages are those of ORIGIN; the container's environment names it."""
    s3, name = aws.client("s3"), f"photos-{secrets.token_hex(8)}"  # moto keeps a name for whoever had it first
    s3.create_bucket(Bucket=name)
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [CORS]})
    environment = {
        "AWS_ENDPOINT_URL": aws.config.endpoint, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "PHOTOS": name,
        "BROWSER_ENDPOINT_URL_S3": aws.config.endpoint,
    }  # fmt: skip
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    return name


@pytest.fixture
def visitor(modules: dict[str, Any], bucket: str) -> Any:
    """Somebody's browser; it keeps cookies."""
    del bucket
    return modules["app"].make_app().test_client()


def sent(visitor: Any, photo: bytes, kind: str = "image/png", origin: str = ORIGIN) -> tuple[str, requests.Response]:
    """What a photo is called, and what the bucket says to the browser that puts it there."""
    place = visitor.post("/api/photos", json={"type": kind})
    assert place.status_code == 201
    said = place.get_json()
    answer = requests.post(
        said["url"], data=said["fields"], files={"file": ("ear", photo)}, headers={"Origin": origin}, timeout=10
    )
    assert answer.status_code == 204, answer.text
    return str(said["name"]), answer


def test_a_photo_goes_right_to_the_bucket_and_comes_back(visitor: Any, bucket: str, aws: Cloud) -> None:
    name, answer = sent(visitor, png(30, 40))
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    (listed,) = visitor.get("/api/photos").get_json()["photos"]
    assert (listed["name"], listed["bytes"]) == (name, len(png(30, 40)))
    read = requests.get(listed["url"], headers={"Origin": ORIGIN}, timeout=10)
    assert (read.content, read.headers["Content-Type"]) == (png(30, 40), "image/png")
    assert read.headers["Access-Control-Allow-Origin"] == ORIGIN
    (kept,) = aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert re.fullmatch(rf"[0-9a-f]{{32}}/{name}", kept["Key"])
    assert visitor.delete(f"/api/photos/{name}").status_code == 204
    assert visitor.get("/api/photos").get_json() == {"photos": []}


def test_the_newest_are_listed_first(visitor: Any, bucket: str, aws: Cloud) -> None:
    visitor.set_cookie("visitor", "0" * 32, path="/api")
    names = [f"20260101T0000{second:02}-{'0' * 16}.png" for second in range(25)]
    for name in names:
        aws.client("s3").put_object(Bucket=bucket, Key=f"{'0' * 32}/{name}", Body=b"x")
    assert [photo["name"] for photo in visitor.get("/api/photos").get_json()["photos"]] == names[:4:-1]


def test_a_page_of_another_origin_is_not_told(visitor: Any) -> None:
    _, answer = sent(visitor, png(1, 1), origin="https://elsewhere.test")
    assert "Access-Control-Allow-Origin" not in answer.headers
    for origin, status in ((ORIGIN, 200), ("https://elsewhere.test", 403)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert requests.options(answer.url, headers=asked, timeout=10).status_code == status


def test_another_visitor_sees_none_of_it(visitor: Any, modules: dict[str, Any]) -> None:
    name, _ = sent(visitor, png(1, 1))
    other = modules["app"].make_app().test_client()
    assert other.get("/api/photos").get_json() == {"photos": []}
    assert other.get(f"/api/photos/{name}/advice").status_code == 404
    assert visitor.get(f"/api/photos/{name}/advice").status_code == 200


@pytest.mark.usefixtures("bucket")
def test_a_visitor_is_known_by_a_cookie_that_no_script_reads(modules: dict[str, Any]) -> None:
    visitor = modules["app"].make_app().test_client(use_cookies=False)
    first = visitor.get("/api/photos", headers={"X-Forwarded-Proto": "https"})
    cookie = first.headers["Set-Cookie"]
    assert re.match(r"visitor=[0-9a-f]{32}; ", cookie)
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/api"} <= set(cookie.split("; "))
    assert first.headers["Cache-Control"] == "no-store"
    # What is no number of ours could be the begin of everybody's names.
    for given, new in (("0" * 32, False), ("0" * 31, True), ("", True)):
        again = visitor.get("/api/photos", headers={"Cookie": f"visitor={given}"})
        assert ("Set-Cookie" in again.headers) is new, given


def test_the_bucket_is_told_what_it_may_take(visitor: Any, modules: dict[str, Any]) -> None:
    fields = visitor.post("/api/photos", json={"type": "image/jpeg"}).get_json()["fields"]
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert {"Content-Type": "image/jpeg"} in conditions
    assert ["content-length-range", 1, modules["photos"].LARGEST] in conditions
    assert {"key": fields["key"]} in conditions


def test_addresses_are_those_by_which_browsers_reach_s3(
    visitor: Any, modules: dict[str, Any], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER_ENDPOINT_URL_S3", "http://192.0.2.1:4566")
    said = visitor.post("/api/photos", json={"type": "image/png"}).get_json()
    assert said["url"] == f"http://192.0.2.1:4566/{bucket}"
    # On AWS neither variable says anything.
    modules["photos"].client.cache_clear()
    monkeypatch.setenv("BROWSER_ENDPOINT_URL_S3", "")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    said = visitor.post("/api/photos", json={"type": "image/png"}).get_json()
    assert said["url"] == f"https://{bucket}.s3.eu-central-1.amazonaws.com/"


@pytest.mark.parametrize("given", [{"type": "text/html"}, {"type": 1}, {}, ["image/png"], None])
def test_what_is_no_photo_gets_no_place(visitor: Any, given: Any) -> None:
    answer = visitor.post("/api/photos", json=given)
    assert answer.status_code == 400
    assert answer.get_json() == {"error": "A photo is one of image/jpeg, image/png."}


@pytest.mark.parametrize("name", ["nothing", "20260101T000000-0123456789abcdef.png", "20260101T000000-01.gif"])
def test_a_photo_that_is_not_there_is_told(visitor: Any, name: str) -> None:
    answer = visitor.get(f"/api/photos/{name}/advice")
    assert (answer.status_code, answer.get_json()) == (404, {"error": "You have no such photo."})


@pytest.mark.parametrize(
    ("photo", "kind", "advice"),
    [
        (png(300, 400), "image/png", "in-ear, with long tips"),
        (png(400, 400), "image/png", "on-ear"),
        (jpeg(640, 480), "image/jpeg", "over-ear"),
        (jpeg(480, 640), "image/jpeg", "in-ear, with long tips"),
    ],
)
def test_advice_is_by_the_shape(visitor: Any, photo: bytes, kind: str, advice: str) -> None:
    name, _ = sent(visitor, photo, kind)
    assert visitor.get(f"/api/photos/{name}/advice").get_json() == {"advice": advice}


@pytest.mark.parametrize(
    "photo", [b"GIF89a" + bytes(50), png(1, 1)[:18], jpeg(1, 1)[:10], b"\xff\xd8" + bytes(50)], ids=range(4)
)
def test_what_cannot_be_read_is_told(visitor: Any, photo: bytes) -> None:
    name, _ = sent(visitor, photo)
    answer = visitor.get(f"/api/photos/{name}/advice")
    assert (answer.status_code, answer.get_json()) == (422, {"error": "This is no photo that can be read."})


def test_health_needs_no_bucket(modules: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOS", raising=False)
    answer = modules["app"].make_app().test_client().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "Set-Cookie" not in answer.headers


def test_the_embedded_inventory_differs_in_where_a_browser_is_alone() -> None:
    described = yaml.safe_load((EXAMPLE / "site.yml").read_text())["site_buckets"]
    local = yaml.safe_load((EXAMPLE / "local/group_vars/site/main.yml").read_text())["site_buckets"]
    for buckets in (described, local):
        assert all(origin.startswith("https://{{ domain_name }}") for origin in buckets["photos"].pop("cors_origins"))
    assert described == local


@pytest.mark.playbook
def test_its_inventory_says_all_of_it(tmp_path: Path, aws: Cloud, stacks: Stacks) -> None:
    """Private hosts with a way to S3, limits of autoscaling, a bucket that forgets, rights to that bucket."""
    nouns: dict[str, Any] = {noun.variable: {} for noun in NOUNS.values()}
    images = {image: f"registry.test/{image}:1" for image in ("flask-spa/api",)}
    own = {"domain_name": "ears.test", "network_nat": "gateway", "service_images": images}
    site = render(tmp_path, nouns | yaml.safe_load((EXAMPLE / "site.yml").read_text()) | own, "new")

    limits = ("ServiceScaleMinimum", "ServiceScaleMaximum")
    assert [int(site.layers["service.api"][name]) for name in limits] == [2, 20]
    assert "ScalableTarget" in site.resources("service.api")
    config = site.resources("edge")["Distribution"]["Properties"]["DistributionConfig"]
    (api,) = config["CacheBehaviors"]
    assert api["PathPattern"] == "/api/*"
    origins = {each["Id"]: each for each in config["Origins"]}
    assert "S3OriginConfig" in origins[config["DefaultCacheBehavior"]["TargetOriginId"]]
    assert "CustomOriginConfig" in origins[api["TargetOriginId"]]
    definition = site.resources("service.api")["TaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    said = {each["Name"]: each["Value"] for each in definition["Environment"]}
    assert said["BROWSER_ENDPOINT_URL_S3"] == "", "AWS's own"
    assert said["PHOTOS"] == {"Ref": "BucketPhotosBucketName"}
    rights = json.dumps(site.resources("service.api")["TaskRole"])
    assert '"s3:PutObject"' in rights
    assert '"*"' not in rights
    bucket = site.layers["bucket.photos"]
    assert (int(bucket["BucketExpireDays"]), bucket["BucketCorsOrigins"]) == (90, ["https://ears.test"])

    made = stacks.made("ears-new-network", site.bodies["network"], site.layers["network"])
    hosts = [stacks.outputs("ears-new-network")[f"HostSubnetId{zone}"] for zone in "AB"]
    assert hosts == [made["SubnetPrivateA"], made["SubnetPrivateB"]]
    ec2 = aws.client("ec2")
    (endpoint,) = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert (endpoint["ServiceName"], endpoint["VpcEndpointType"]) == ("com.amazonaws.us-east-1.s3", "Gateway")
    of_hosts = [{"Name": "association.subnet-id", "Values": hosts}]
    (table,) = {each["RouteTableId"] for each in ec2.describe_route_tables(Filters=of_hosts)["RouteTables"]}
    assert table in endpoint["RouteTableIds"]
    stacks.delete("ears-new-network")
    assert ec2.describe_addresses()["Addresses"] == []


def test_the_front_end_names_only_files_that_it_has() -> None:
    folder = EXAMPLE / "front"
    named = re.findall(r'(?:href|src)="/([^"]+)"', (folder / "index.html").read_text())
    assert sorted(named) == sorted(path.name for path in folder.iterdir() if path.name != "index.html")

"""The instance metadata service that runs on the hosts of the embedded AWS."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.images.host import imds

DOCUMENT: dict[str, Any] = {
    "account_id": "123456789012",
    "ami_id": "ami-1",
    "architecture": "x86_64",
    "availability_zone": "us-east-1a",
    "availability_zone_id": "use1-az1",
    "hostname": "ip-10-77-0-5.ec2.internal",
    "instance_id": "i-1",
    "instance_type": "t2.micro",
    "launch_time": "2026-11-20T10:00:00Z",
    "mac": "02:42:0a:4d:00:05",
    "metadata_options": {
        "http_tokens": "required",
        "hop_limit": 2,
        "http_endpoint": "enabled",
        "instance_metadata_tags": "disabled",
    },
    "network_interface_id": "eni-1",
    "private_ip": "10.77.0.5",
    "public_hostname": "",
    "public_ip": None,
    "public_keys": [{"name": "berth-local", "key": "ssh-ed25519 AAAA berth-local"}],
    "region": "us-east-1",
    "reservation_id": "r-1",
    "role": {
        "name": "host-role",
        "profile_arn": "arn:aws:iam::123456789012:instance-profile/host",
        "profile_id": "AIPA1",
        "access_key_id": "ASIA1",
        "secret_access_key": "secret",
        "session_token": "token",
    },
    "security_groups": [{"id": "sg-1", "name": "hosts"}, {"id": "sg-2", "name": "admin"}],
    "subnet_cidr": "10.77.0.0/24",
    "subnet_id": "subnet-1",
    "tags": {"Name": "host", "Site": "legacy"},
    "user_data": base64.b64encode(b"#cloud-config\nbinary: \xff\n").decode(),
    "vpc_cidr": "10.77.0.0/20",
    "vpc_id": "vpc-1",
}
MAC = "network/interfaces/macs/02:42:0a:4d:00:05"
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105 - the name of a header


class Host:
    """A running service with a clock of its own, and the file that feeds it."""

    def __init__(self, path: Path) -> None:
        self.now = 1_000_000.0
        self._path = path
        self._changes = 0
        self.describe()
        listening = socket.create_server(("127.0.0.1", 0))
        self.server = imds.Server(listening, imds.Service(path, lambda: self.now))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def describe(self, **changes: Any) -> None:
        """Write the instance's description; `options` are merged into the metadata options."""
        options = DOCUMENT["metadata_options"] | changes.pop("options", {})
        self._path.write_text(json.dumps(DOCUMENT | {"metadata_options": options} | changes))
        self._changes += 1
        os.utime(self._path, ns=(self._changes, self._changes))

    def request(self, method: str, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body."""
        connection = http.client.HTTPConnection(*self.server.server_address[:2], timeout=5)  # type: ignore[arg-type]
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def token(self, seconds: int = 60) -> str:
        """A session token."""
        status, body = self.request("PUT", "/latest/api/token", **{TTL: str(seconds)})
        assert status == 200
        return body.decode()

    def get(self, path: str) -> bytes | None:
        """Metadata with a fresh token; None where there is nothing."""
        status, body = self.request("GET", path, **{TOKEN: self.token()})
        assert status in (200, 404)
        return body if status == 200 else None


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    running = Host(tmp_path / "metadata.json")
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_version_1_is_refused_when_tokens_are_required(host: Host) -> None:
    assert host.request("GET", "/latest/meta-data/instance-id")[0] == 401


def test_version_1_is_answered_when_tokens_are_optional(host: Host) -> None:
    host.describe(options={"http_tokens": "optional"})
    assert host.request("GET", "/latest/meta-data/instance-id") == (200, b"i-1")


def test_a_wrong_token_is_refused_even_when_tokens_are_optional(host: Host) -> None:
    host.describe(options={"http_tokens": "optional"})
    assert host.request("GET", "/latest/meta-data/instance-id", **{TOKEN: "wrong"})[0] == 401


def test_a_token_ends_after_its_time_to_live(host: Host) -> None:
    token = host.token(seconds=10)
    host.now += 9
    assert host.request("GET", "/latest/meta-data/instance-id", **{TOKEN: token}) == (200, b"i-1")
    host.now += 1
    assert host.request("GET", "/latest/meta-data/instance-id", **{TOKEN: token})[0] == 401


@pytest.mark.parametrize("seconds", ["", "0", "21601", "ten", "-1"])
def test_a_token_needs_a_time_to_live_of_one_second_to_six_hours(host: Host, seconds: str) -> None:
    headers = {TTL: seconds} if seconds else {}
    assert host.request("PUT", "/latest/api/token", **headers)[0] == 400


def test_a_token_is_not_given_to_a_proxy(host: Host) -> None:
    assert host.request("PUT", "/latest/api/token", **{TTL: "60", "X-Forwarded-For": "10.0.0.1"})[0] == 403


def test_a_disabled_endpoint_answers_nothing(host: Host) -> None:
    token = host.token()
    host.describe(options={"http_endpoint": "disabled"})
    assert host.request("GET", "/latest/meta-data/instance-id", **{TOKEN: token})[0] == 403
    assert host.request("PUT", "/latest/api/token", **{TTL: "60"})[0] == 403


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("instance-id", "i-1"),
        ("ami-id", "ami-1"),
        ("instance-type", "t2.micro"),
        ("hostname", "ip-10-77-0-5.ec2.internal"),
        ("local-hostname", "ip-10-77-0-5.ec2.internal"),
        ("local-ipv4", "10.77.0.5"),
        ("mac", "02:42:0a:4d:00:05"),
        (f"{MAC}/vpc-id", "vpc-1"),
        (f"{MAC}/subnet-id", "subnet-1"),
        (f"{MAC}/security-group-ids", "sg-1\nsg-2"),
        (f"{MAC}/local-ipv4s", "10.77.0.5"),
        (f"{MAC}/device-number", "0"),
        (f"{MAC}/interface-id", "eni-1"),
        (f"{MAC}/subnet-ipv4-cidr-block", "10.77.0.0/24"),
        (f"{MAC}/vpc-ipv4-cidr-block", "10.77.0.0/20"),
        ("placement/region", "us-east-1"),
        ("placement/availability-zone", "us-east-1a"),
        ("placement/availability-zone-id", "use1-az1"),
        ("security-groups", "hosts\nadmin"),
        ("public-keys/0/openssh-key", "ssh-ed25519 AAAA berth-local"),
    ],
)
def test_metadata(host: Host, path: str, value: str) -> None:
    assert host.get(f"/latest/meta-data/{path}") == value.encode()


@pytest.mark.parametrize(
    ("path", "listing"),
    [
        ("/latest/", "meta-data/\ndynamic/\nuser-data"),
        ("/latest/meta-data/network/interfaces/macs/", "02:42:0a:4d:00:05/"),
        ("/latest/meta-data/placement/", "availability-zone\navailability-zone-id\nregion"),
        ("/latest/meta-data/public-keys/", "0=berth-local"),
        ("/latest/meta-data/public-keys/0/", "openssh-key"),
        ("/latest/meta-data/iam/security-credentials/", "host-role"),
        ("/latest/meta-data/iam/", "info\nsecurity-credentials/"),
    ],
)
def test_directories_are_listed_as_cloud_init_walks_them(host: Host, path: str, listing: str) -> None:
    assert host.get(path) == listing.encode()


def test_dated_versions_serve_the_same(host: Host) -> None:
    assert host.get("/2021-03-23/meta-data/instance-id") == b"i-1"
    assert host.get("/nonsense/meta-data/instance-id") is None


@pytest.mark.parametrize(
    "path", ["outpost-arn", "spot/instance-action", "instance-id/more", "public-ipv4", "public-keys/0/_name"]
)
def test_what_is_not_there_is_not_found(host: Host, path: str) -> None:
    assert host.get(f"/latest/meta-data/{path}") is None


def test_user_data_is_raw(host: Host) -> None:
    assert host.get("/latest/user-data") == b"#cloud-config\nbinary: \xff\n"
    host.describe(user_data=None)
    assert host.get("/latest/user-data") is None


def test_identity_document(host: Host) -> None:
    identity = json.loads(host.get("/latest/dynamic/instance-identity/document") or b"")
    assert identity["accountId"] == "123456789012"
    assert identity["privateIp"] == "10.77.0.5"
    assert identity["instanceId"] == "i-1"
    assert base64.b64decode(host.get("/latest/dynamic/instance-identity/signature") or b"")


def test_credentials_of_the_role_are_always_fresh(host: Host) -> None:
    path = "/latest/meta-data/iam/security-credentials/host-role"
    credentials = json.loads(host.get(path) or b"")
    assert (credentials["Code"], credentials["AccessKeyId"], credentials["Token"]) == ("Success", "ASIA1", "token")
    host.now += 24 * 3600
    expiration = json.loads(host.get(path) or b"")["Expiration"]
    assert expiration == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(host.now + 6 * 3600))


def test_an_instance_without_a_role_has_no_iam(host: Host) -> None:
    host.describe(role=None)
    assert host.get("/latest/meta-data/iam/info") is None


def test_tags_show_only_when_the_instance_allows_it(host: Host) -> None:
    assert host.get("/latest/meta-data/tags/instance/Name") is None
    host.describe(options={"instance_metadata_tags": "enabled"})
    assert host.get("/latest/meta-data/tags/instance/") == b"Name\nSite"
    assert host.get("/latest/meta-data/tags/instance/Site") == b"legacy"


def test_a_file_that_is_being_replaced_leaves_the_former_description(host: Host, tmp_path: Path) -> None:
    assert host.get("/latest/meta-data/instance-id") == b"i-1"
    (tmp_path / "metadata.json").write_text("{")
    assert host.get("/latest/meta-data/instance-id") == b"i-1"

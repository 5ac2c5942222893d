"""The instance metadata service of one host: version 1 and 2, fed from one JSON file.

It runs on the host with the packages of Debian alone. The file is read again whenever it changes, so that tags or
metadata options that are modified on the instance show at once. What is served where:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html#instancedata-data-categories
"""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

VERSIONS = ("1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest")
TOKEN_SECONDS = 21600
"""The longest life of a session token, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html"""
CREDENTIALS_SECONDS = 6 * 3600
SOCKET_FD = 3
"""The first socket that systemd hands over (sd_listen_fds(3))."""

Tree = dict[str, Any]
"""A directory: name → text, bytes or another directory."""


def tree(document: dict[str, Any], now: Callable[[], float] = time.time) -> Tree:
    """Everything that is served below a version, from the description of the instance.

    Args:
        document: what local_aws/parts/instances.py writes.
        now: the clock, for the expiration of the role's credentials.
    """
    content: Tree = {"meta-data": _meta_data(document, now), "dynamic": {"instance-identity": _identity(document)}}
    if document.get("user_data") is not None:
        content["user-data"] = base64.b64decode(document["user_data"])
    return content


def lookup(content: Tree, path: str) -> bytes | None:
    """The value at `path`, or the listing of a directory; None if there is nothing.

    Directories are listed with a slash behind their name, except below `security-credentials`, where the name of the
    role is a value, and `public-keys`, whose entries read `0=name`.
    """
    here: Any = content
    steps = [step for step in path.split("/") if step]
    for step in steps:
        if not isinstance(here, dict) or step not in here:
            return None
        here = here[step]
    if isinstance(here, dict):
        if steps[-1:] == ["public-keys"]:
            return "\n".join(f"{index}={entry['_name']}" for index, entry in here.items()).encode()
        names = (name + "/" if isinstance(entry, dict) else name for name, entry in here.items() if name != "_name")
        return "\n".join(names).encode()
    if steps and steps[-1] == "_name":
        return None
    return here if isinstance(here, bytes) else str(here).encode()


def _meta_data(document: dict[str, Any], now: Callable[[], float]) -> Tree:
    groups = document["security_groups"]
    interface: Tree = {
        "device-number": "0",
        "interface-id": document["network_interface_id"],
        "local-hostname": document["hostname"],
        "local-ipv4s": document["private_ip"],
        "mac": document["mac"],
        "owner-id": document["account_id"],
        "security-group-ids": "\n".join(group["id"] for group in groups),
        "security-groups": "\n".join(group["name"] for group in groups),
        "subnet-id": document["subnet_id"],
        "subnet-ipv4-cidr-block": document["subnet_cidr"],
        "vpc-id": document["vpc_id"],
        "vpc-ipv4-cidr-block": document["vpc_cidr"],
        "vpc-ipv4-cidr-blocks": document["vpc_cidr"],
    }
    data: Tree = {
        "ami-id": document["ami_id"],
        "ami-launch-index": "0",
        "ami-manifest-path": "(unknown)",
        "autoscaling": {"target-lifecycle-state": "InService"},
        "block-device-mapping": {"ami": "/dev/xvda", "root": "/dev/xvda"},
        "hostname": document["hostname"],
        "instance-action": "none",
        "instance-id": document["instance_id"],
        "instance-life-cycle": "on-demand",
        "instance-type": document["instance_type"],
        "local-hostname": document["hostname"],
        "local-ipv4": document["private_ip"],
        "mac": document["mac"],
        "network": {"interfaces": {"macs": {document["mac"]: interface}}},
        "placement": {
            "availability-zone": document["availability_zone"],
            "availability-zone-id": document["availability_zone_id"],
            "region": document["region"],
        },
        "profile": "default-hvm",
        "reservation-id": document["reservation_id"],
        "security-groups": interface["security-groups"],
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if document.get("public_ip"):
        data["public-ipv4"] = interface["public-ipv4s"] = document["public_ip"]
        data["public-hostname"] = interface["public-hostname"] = document["public_hostname"]
    if document.get("public_keys"):
        data["public-keys"] = {
            str(index): {"_name": key["name"], "openssh-key": key["key"]}
            for index, key in enumerate(document["public_keys"])
        }
    if document.get("role"):
        data["iam"] = _iam(document["role"], now())
    if document["metadata_options"]["instance_metadata_tags"] == "enabled":
        data["tags"] = {"instance": dict(document["tags"])}
    return data


def _iam(role: dict[str, str], now: float) -> Tree:
    credentials = {
        "Code": "Success",
        "LastUpdated": _time(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": role["access_key_id"],
        "SecretAccessKey": role["secret_access_key"],
        "Token": role["session_token"],
        "Expiration": _time(now + CREDENTIALS_SECONDS),
    }
    info = {
        "Code": "Success",
        "LastUpdated": _time(now),
        "InstanceProfileArn": role["profile_arn"],
        "InstanceProfileId": role["profile_id"],
    }
    return {
        "info": json.dumps(info, indent=2),
        "security-credentials": {role["name"]: json.dumps(credentials, indent=2)},
    }


def _identity(document: dict[str, Any]) -> Tree:
    identity = {
        "accountId": document["account_id"],
        "architecture": document["architecture"],
        "availabilityZone": document["availability_zone"],
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": document["ami_id"],
        "instanceId": document["instance_id"],
        "instanceType": document["instance_type"],
        "kernelId": None,
        "pendingTime": document["launch_time"],
        "privateIp": document["private_ip"],
        "ramdiskId": None,
        "region": document["region"],
        "version": "2017-09-30",
    }
    # Nothing that reads it here can check a signature of Amazon's; it only has to be Base64.
    signature = base64.b64encode(f"embedded {document['instance_id']}".encode()).decode()
    text = json.dumps(identity, indent=2)
    return {"document": text, "signature": signature, "pkcs7": signature, "rsa2048": signature}


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Service:
    """What the requests of one host share: the instance's description and the tokens given out.

    Args:
        path: the JSON file.
        now: the clock, in seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._stamp = 0
        self._document: dict[str, Any] = {}
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def document(self) -> dict[str, Any]:
        """The instance's description as it is now; the former one while the file is being replaced.

        Raises:
            OSError, ValueError: the file was never readable.
        """
        with self._lock:
            try:
                stamp = self._path.stat().st_mtime_ns
                if stamp != self._stamp:
                    self._document = json.loads(self._path.read_text())
                    self._stamp = stamp
            except (OSError, ValueError):
                if not self._document:
                    raise
            return self._document

    @property
    def hop_limit(self) -> int:
        """How many hops the answer with a token may travel: 1 reaches the host and its host-network containers."""
        return int(self.document["metadata_options"]["hop_limit"])

    def put(self, path: str, headers: Any) -> tuple[int, bytes, dict[str, str]]:
        """Answer a PUT: status, body, further headers."""
        if self.document["metadata_options"]["http_endpoint"] == "disabled" or headers.get("X-Forwarded-For"):
            return 403, b"", {}
        if path.rstrip("/") != "/latest/api/token":
            return 404, b"", {}
        ttl = headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if not re.fullmatch(r"\d{1,5}", ttl) or not 1 <= int(ttl) <= TOKEN_SECONDS:
            return 400, b"", {}
        token = base64.urlsafe_b64encode(secrets.token_bytes(40)).decode()
        with self._lock:
            self._tokens = {known: end for known, end in self._tokens.items() if end > self._now()}
            self._tokens[token] = self._now() + int(ttl)
        return 200, token.encode(), {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": ttl}

    def get(self, path: str, headers: Any) -> tuple[int, bytes, dict[str, str]]:
        """Answer a GET: status, body, further headers."""
        options = self.document["metadata_options"]
        if options["http_endpoint"] == "disabled":
            return 403, b"", {}
        token = headers.get("X-aws-ec2-metadata-token")
        further = {}
        if token is not None:
            with self._lock:
                end = self._tokens.get(token, 0.0)
            if end <= self._now():
                return 401, b"", {}
            further = {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": str(int(end - self._now()))}
        elif options["http_tokens"] == "required":
            return 401, b"", {}
        version, _, rest = path.split("?")[0].lstrip("/").partition("/")
        if not version:
            return 200, "\n".join(VERSIONS).encode(), further
        if version not in VERSIONS and not re.fullmatch(r"\d{4}-\d\d-\d\d", version):
            return 404, b"", further
        body = lookup(tree(self.document, self._now), rest)
        return (404, b"", further) if body is None else (200, body, further)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "EC2ws", ""
    service: Service

    def do_GET(self) -> None:
        """Metadata."""
        self._answer(*self.service.get(self.path, self.headers))

    def do_PUT(self) -> None:
        """A session token. Its answer alone carries the hop limit, in its packets, as on EC2."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body, further = self.service.put(self.path, self.headers)
        self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self.service.hop_limit)
        # The limit holds for what is sent again, too: the connection is not used for anything else.
        self.close_connection = True
        self._answer(status, body, further | {"Connection": "close"})

    def _answer(self, status: int, body: bytes, further: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in further.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """One line a request, into the journal."""
        print(self.client_address[0], format % arguments, flush=True)


class Server(http.server.ThreadingHTTPServer):
    """Serves a socket that is bound and listens already.

    Args:
        listening: the socket.
        service: what answers.
    """

    daemon_threads = True

    def __init__(self, listening: socket.socket, service: Service) -> None:
        super().__init__(listening.getsockname()[:2], type("BoundHandler", (Handler,), {"service": service}), False)
        self.socket.close()
        self.socket = listening


def main() -> None:
    """Serve the socket that systemd hands over; the one argument is the JSON file."""
    listening = socket.socket(fileno=SOCKET_FD)
    Server(listening, Service(Path(sys.argv[1]))).serve_forever()


if __name__ == "__main__":
    main()

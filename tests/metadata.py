"""The instance metadata service as a host and its containers see it, for the suites that look at hosts."""

from __future__ import annotations

from typing import Any

RULE = "DOCKER-USER --destination 169.254.169.254/32 --jump DROP"
"""What roles/docker_engine gives iptables."""
SECONDS = 3
"""Until a request counts as unanswered: packets are dropped, so nobody refuses it."""
TIMED_OUT = 28
"""Exit code of curl."""
CURL = f"curl --silent --noproxy '*' --max-time {SECONDS}"
CODE = "--output /dev/null --write-out '%{http_code}'"
ADDRESS = "http://169.254.169.254/latest"
ROLE = f"{ADDRESS}/meta-data/iam/security-credentials/"
TOKEN = f"-X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {ADDRESS}/api/token"
IMAGE = "tar -C / -c bin lib lib64 | docker import - tools"


class Metadata:
    """Asks for the name of the host's role, which is the way to its credentials.

    The image is empty but for the links of a merged /usr; the programs are the host's, bound in.

    Args:
        host: testinfra's.
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        host.check_output(f"docker image inspect tools >/dev/null 2>&1 || {IMAGE}")

    def token(self) -> str:
        """A token (IMDSv2) that the host was given."""
        return str(self._host.check_output(f"{CURL} {TOKEN}"))

    def of_host(self, token: str = "") -> str:
        """HTTP status of what the host is answered, or `none`; without a token by version 1."""
        return self._status("", _request(token))

    def of_container(self, token: str = "", network: str = "bridge") -> str:
        """The same of a container."""
        return self._status(f"docker run --rm --network {network} -v /usr:/usr:ro tools ", _request(token))

    def token_of_container(self) -> str:
        """HTTP status of a container's wish for a token of its own, or `none`."""
        return self._status("docker run --rm -v /usr:/usr:ro tools ", TOKEN)

    def _status(self, prefix: str, request: str) -> str:
        done = self._host.run(f"{prefix}{CURL} {CODE} {request}")
        return "none" if done.rc == TIMED_OUT else str(done.stdout)


def _request(token: str) -> str:
    return f"-H 'X-aws-ec2-metadata-token: {token}' {ROLE}" if token else ROLE

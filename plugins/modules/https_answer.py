#!/usr/bin/python
"""Wait until a site answers over HTTPS at a given address, whatever DNS says."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: https_answer
short_description: Wait until a site answers over HTTPS
description:
  - Connects to an address, asks for a name (SNI and Host), and checks the certificate against that name. So a site can
    be seen to work before its DNS record has reached everybody. A redirect is an answer too.
options:
  name:
    description: The site's domain name, as in its certificate.
    type: str
    required: true
  address:
    description: Name or address to connect to.
    type: str
    required: true
  port:
    description: TCP port.
    type: int
    default: 443
  path:
    description: Path to ask for.
    type: str
    default: /
  ca_file:
    description: File with the certificate authority to trust; the system's own if empty.
    type: path
    default: ""
  timeout:
    description: Seconds to wait for such an answer.
    type: float
    default: 300
  below:
    description: The status of a good answer is below this one.
    type: int
    default: 400
  redirected_to:
    description: Name to which the answer must lead, over HTTPS and with the same path; any answer will do if empty.
    type: str
    default: ""
author: Berth
"""

EXAMPLES = r"""
- name: See that the site answers
  https_answer:
    name: www.example.org
    address: shop-prod-1234567890.eu-central-1.elb.amazonaws.com
"""

RETURN = r"""
status:
  description: HTTP status of the answer.
  returned: success
  type: int
"""

ATTEMPT_SECONDS = 10


class Connection(http.client.HTTPSConnection):
    """An HTTPS connection to `address` that asks for another name."""

    def __init__(self, name: str, address: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(name, port, timeout=ATTEMPT_SECONDS, context=context)
        self.address, self.tls = address, context

    def connect(self) -> None:
        """Open the connection; called by `request`."""
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.host)


def ask(name: str, address: str, port: int, path: str, context: ssl.SSLContext) -> tuple[int, str]:
    """Status and Location of the answer to one request.

    Raises:
        OSError: no connection, or a certificate that does not hold (ssl.SSLError).
        http.client.HTTPException: what answered does not speak HTTP.
    """
    connection = Connection(name, address, port, context)
    try:
        connection.request("GET", path, headers={"User-Agent": "berth"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


def problem_of(status: int, location: str, wanted: dict[str, Any]) -> str:
    """What is wrong with an answer; empty if it is good. `wanted` are the module's parameters."""
    problem = f"it answers with status {status}"
    if to := wanted["redirected_to"]:
        try:
            found = urlsplit(location)
        except ValueError:
            found = urlsplit("")
        # The port may be one that stands for 443.
        if (found.scheme, found.hostname, found.path) != ("https", to, wanted["path"]):
            return f"{problem} and leads to {location or 'nowhere'}, not to https://{to}{wanted['path']}"
    return "" if status < wanted["below"] else problem


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "address": {"type": "str", "required": True},
            "port": {"type": "int", "default": 443},
            "path": {"type": "str", "default": "/"},
            "ca_file": {"type": "path", "default": ""},
            "timeout": {"type": "float", "default": 300},
            "below": {"type": "int", "default": 400},
            "redirected_to": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    given = module.params
    url = f"https://{given['name']}:{given['port']}{given['path']} (at {given['address']})"
    if given["ca_file"] and not Path(given["ca_file"]).is_file():
        module.fail_json(msg=f"{url}: the certificate authority {given['ca_file']} is not there. See site_ca_file.")
    context = ssl.create_default_context(cafile=given["ca_file"] or None)
    deadline = time.monotonic() + given["timeout"]
    problem = ""
    while True:
        try:
            status, location = ask(given["name"], given["address"], given["port"], given["path"], context)
            problem = problem_of(status, location, given)
            if not problem:
                module.exit_json(changed=False, status=status)
        except (OSError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__}: {error}"
        if time.monotonic() > deadline:
            module.fail_json(msg=f"{url} did not answer well within {given['timeout']:.0f} s; the last time: {problem}")
        time.sleep(1)


if __name__ == "__main__":
    main()

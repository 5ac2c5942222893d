#!/usr/bin/python
"""Logs in to databases as the containers on a host do. Runs on the host, with what Python brings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: database_logins
short_description: Log in to databases from inside a site's tasks
description:
  - Takes the environment that a container of the service has really got, its login among it, enters the container's
    network and asks its name servers; then it speaks to PostgreSQL itself, as an image need not have a client, nor a
    shell. So name, route, security group, TLS and login are tried as the task has them.
  - Where no container of the service runs, it takes the last one that ended and is still there, with the network of
    the host, so that a task that ends over its database is asked about all the same.
  - Changes nothing, and neither shows nor passes on a value of an environment. The server notes a login.
options:
  prefix:
    description: Begin of the families of the site's task definitions.
    type: str
    required: true
  logins:
    description: Who logs in where, as the lookup C(site) has it.
    type: list
    elements: dict
    required: true
  addresses:
    description: Database to C(host:port), for containers that do not take it by reference.
    type: dict
    default: {}
  timeout:
    description: Seconds for one login.
    type: int
    default: 10
author: Berth
"""

EXAMPLES = r"""
- name: Log in from inside the tasks
  database_logins:
    prefix: shop-prod
    logins: "{{ lookup('site', 'logins') }}"
  become: true
"""

RETURN = r"""
logins:
  description:
    - One for each of O(logins), C(service), C(container), C(database), and C(state), one of C(good), C(bad), and
      C(untried); C(where), C(inside a task), or C(on its host) where the task has ended; C(to), the address; C(tls),
      its version; C(why), where it is not good.
  returned: success
  type: list
"""

import base64
import ctypes
import hashlib
import hmac
import json
import os
import secrets
import signal
import socket
import ssl
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# https://www.postgresql.org/docs/current/protocol-message-formats.html
SSL_REQUEST = struct.pack("!II", 8, 80877103)
VERSION = 196608
OK, CLEAR, MD5, SASL, SASL_CONTINUE, SASL_FINAL = 0, 3, 5, 10, 11, 12
MECHANISM = "SCRAM-SHA-256"
NAMED = "berth-doctor"
DEFAULTS = {"port": "5432"}
CLONE_NEWNET = 0x40000000
LABEL = "com.amazonaws.ecs"
ADDRESS = 1


class NoLogin(Exception):
    """Why there is no login, in the words that a program with libpq would write."""


def run(*command: str) -> str:
    """What docker says on its standard output.

    Raises:
        NoLogin: it does not answer, or the program is not there.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoLogin(f"the host's Docker cannot be asked: {type(error).__name__}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NoLogin(f"the host's Docker cannot be asked: {lines[-1]}")
    return done.stdout


def container(prefix: str, service: str, name: str) -> dict[str, Any]:
    """The container of a service on this host: the newest that runs, or else the newest; empty if it has none."""
    of = [f"task-definition-family={prefix}-service-{service}", f"container-name={name}"]
    filters = [f"--filter=label={LABEL}.{each}" for each in of]
    names = run("docker", "ps", "--all", "--no-trunc", "--quiet", *filters).split()
    if not names:
        return {}
    found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *names))
    return next((each for each in found if each["State"]["Running"]), found[0])


def given(environment: list[str], login: dict[str, Any], address: str) -> dict[str, str]:
    """Attribute of the database → its value, as the container knows it.

    Raises:
        NoLogin: the container was made before the inventory gave it one.
    """
    values = dict(each.partition("=")[::2] for each in environment)
    host, _, port = address.rpartition(":")
    known = {**DEFAULTS, **({"host": host, "port": port} if host else {}), **login["known"]}
    for attribute, variable in login["variables"].items():
        if not values.get(variable):
            raise NoLogin(f"its task has no {variable}: it was made before the inventory asked for it")
        known[attribute] = values[variable]
    missing = [each for each in ("host", "username", "password") if not known.get(each)]
    if missing:
        raise NoLogin(f"nobody knows the database's {missing[0]}, as the container does not take it by reference")
    return {"dbname": known["username"], **known}


def resolved(name: str, hosts: str, resolv: str, seconds: float) -> str:
    """An IPv4 address of a name, by a container's hosts file, and else by its name servers.

    Not by the C library, which would ask as the host is set up to.

    Args:
        name: a host name, or an address.
        hosts, resolv: text of hosts and resolv.conf.
        seconds: for all.

    Raises:
        NoLogin: nobody knows it.
    """
    try:
        socket.inet_aton(name)
        return name
    except OSError:
        pass
    for line in hosts.splitlines():
        words = line.partition("#")[0].split()
        if name in words[1:] and ":" not in words[0]:
            return words[0]
    servers, search = [], []
    for line in resolv.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"]:
            servers += words[1:2]
        elif words[:1] == ["search"]:
            search = words[1:]
    tried = [name] if "." in name else [*(f"{name}.{each}" for each in search), name]
    for each in tried:
        for server in servers:
            if found := _asked(server, each, max(seconds / max(len(tried) * len(servers), 1), 0.5)):
                return found
    raise NoLogin(f'could not translate host name "{name}" to address: Name or service not known')


def _asked(server: str, name: str, seconds: float) -> str:
    """What a name server says; empty if nothing. https://www.rfc-editor.org/rfc/rfc1035#section-4"""
    number = secrets.randbelow(65536)
    labels = b"".join(struct.pack("B", len(each)) + each.encode("idna") for each in name.rstrip(".").split("."))
    question = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", ADDRESS, 1)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.settimeout(seconds)
        try:
            asked.connect((server, 53))
            asked.send(question)
            answer = asked.recv(4096)
            if len(answer) < 12 or answer[:2] != question[:2]:
                return ""
            return _first_address(answer, len(question))
        except (OSError, struct.error, IndexError):
            return ""


def _first_address(answer: bytes, at: int) -> str:
    """The first address of an answer, behind the aliases that lead to it; empty if there is none."""
    for _ in range(struct.unpack_from("!H", answer, 6)[0]):
        while answer[at] and answer[at] < 192:  # 192: the rest of the name stands elsewhere
            at += answer[at] + 1
        at += 2 if answer[at] >= 192 else 1
        kind, _, _, length = struct.unpack_from("!HHIH", answer, at)
        at += 10
        if kind == ADDRESS and length == 4:
            return socket.inet_ntoa(answer[at : at + 4])
        at += length
    return ""


class Wire:
    """A connection of PostgreSQL's protocol.

    Args:
        connection: that is open.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.tls = ""

    def go_over_to_tls(self) -> None:
        """Go over to TLS where the server speaks it.

        Raises:
            NoLogin: it is no PostgreSQL.
        """
        self._connection.sendall(SSL_REQUEST)
        letter = self._connection.recv(1)
        if letter not in (b"S", b"N"):
            raise NoLogin("something else than PostgreSQL answers there")
        if letter == b"S":
            # The host need not have RDS's authorities. No password goes over it: both sides prove that they know it.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            try:
                encrypted = context.wrap_socket(self._connection)
            except ssl.SSLError as error:
                # An "S" begins many a greeting, such as that of ssh.
                if error.reason == "WRONG_VERSION_NUMBER":
                    raise NoLogin("something else than PostgreSQL answers there") from error
                raise
            self._connection, self.tls = encrypted, str(encrypted.version())

    def log_in(self, user: str, password: str, database: str) -> None:
        """Until the server is ready for a query.

        Raises:
            NoLogin: it does not let the user in.
        """
        words = ["user", user, "database", database, "application_name", NAMED]
        body = struct.pack("!I", VERSION) + b"".join(each.encode() + b"\0" for each in words) + b"\0"
        self._connection.sendall(struct.pack("!I", len(body) + 4) + body)
        proof = Proof(password)
        while True:
            kind, said = self._message()
            if kind == b"E":
                raise NoLogin(_error(said))
            if kind == b"Z":
                self._send(b"X", b"")
                return
            if kind != b"R":
                continue
            number, rest = struct.unpack_from("!I", said)[0], said[4:]
            if number == MD5:
                inner = hashlib.md5(password.encode() + user.encode()).hexdigest()  # the server asks so
                self._send(b"p", b"md5" + hashlib.md5(inner.encode() + rest[:4]).hexdigest().encode() + b"\0")
            elif number == SASL and MECHANISM.encode() in rest.split(b"\0"):
                first = proof.first().encode()
                self._send(b"p", MECHANISM.encode() + b"\0" + struct.pack("!I", len(first)) + first)
            elif number == SASL_CONTINUE:
                self._send(b"p", proof.final(rest.decode()).encode())
            elif number == SASL_FINAL:
                proof.check(rest.decode())
            elif number == CLEAR:
                raise NoLogin("the server asks for the password in clear, which it was not given")
            elif number != OK:
                raise NoLogin(f"the server asks for a way to log in that is not known here (number {number})")

    def _send(self, kind: bytes, body: bytes) -> None:
        self._connection.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def _message(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(struct.unpack("!I", head[1:])[0] - 4)

    def _exactly(self, number: int) -> bytes:
        read = b""
        while len(read) < number:
            part = self._connection.recv(min(number - len(read), 65536))
            if not part:
                raise NoLogin("server closed the connection unexpectedly")
            read += part
        return read


class Proof:
    """SCRAM-SHA-256: both sides prove that they know the password, and none tells it.

    https://www.rfc-editor.org/rfc/rfc5802#section-3
    """

    def __init__(self, password: str) -> None:
        self._password, self._nonce = password.encode(), base64.b64encode(secrets.token_bytes(18)).decode()
        self._signature = b""

    def first(self) -> str:
        """The client's first message."""
        return f"n,,n=,r={self._nonce}"

    def final(self, said: str) -> str:
        """The client's last message.

        Args:
            said: the server's first one.

        Raises:
            NoLogin: it answers another.
        """
        parts = dict(each.partition("=")[::2] for each in said.split(","))
        if not parts["r"].startswith(self._nonce):
            raise NoLogin("the server answers another login")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(parts["s"]), int(parts["i"]))
        key = _signed(salted, b"Client Key")
        bare = f"c=biws,r={parts['r']}"  # biws: "n,,"
        whole = f"n=,r={self._nonce},{said},{bare}".encode()
        signature = _signed(hashlib.sha256(key).digest(), whole)
        proof = bytes(one ^ other for one, other in zip(key, signature))  # noqa: B905 # strict is Python 3.10's, and hosts have 3.9
        self._signature = _signed(_signed(salted, b"Server Key"), whole)
        return f"{bare},p={base64.b64encode(proof).decode()}"

    def check(self, said: str) -> None:
        """Whether the server knows the password too.

        Raises:
            NoLogin: it does not.
        """
        if base64.b64decode(said.partition("=")[2]) != self._signature:
            raise NoLogin("the server does not know the password itself: it is another one")


def _signed(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def _error(said: bytes) -> str:
    fields = {each[:1]: each[1:].decode(errors="replace") for each in said.split(b"\0") if each}
    return f"{fields.get(b'S', 'FATAL')}:  {fields.get(b'M', 'no reason given')}"


def logged_in(known: dict[str, str], hosts: str, resolv: str, seconds: float) -> dict[str, str]:
    """Log in, and out again.

    Args:
        known: of `given`.
        hosts, resolv: see `resolved`.
        seconds: for all.

    Returns:
        `to` and `tls`; with `why`, if it did not come to a login.
    """
    place = f'"{known["host"]}"'
    begun = time.monotonic()
    tls = ""
    try:
        address = resolved(known["host"], hosts, resolv, seconds / 2)
        place += f" ({address})"
        left = max(seconds - (time.monotonic() - begun), 1)
        with socket.create_connection((address, int(known["port"])), left) as connection:
            wire = Wire(connection)
            wire.go_over_to_tls()
            tls = wire.tls or "no TLS"
            wire.log_in(known["username"], known["password"], known["dbname"])
        return {"to": f"{known['host']}:{known['port']}", "tls": tls}
    except NoLogin as error:
        why = str(error)
        if why.startswith("could not translate"):
            return {"to": place, "tls": tls, "why": why}
    except OSError as error:
        late = "timed out" in str(error)  # Python 3.9 has a class of its own for it, without a number
        why = "Connection timed out" if late else error.strerror or type(error).__name__
    return {"to": place, "tls": tls, "why": f"connection to server at {place}, port {known['port']} failed: {why}"}


def inside(pid: int, question: Any, seconds: int) -> dict[str, str]:
    """Ask a question in the network of a process, by a process of its own that ends with it.

    Args:
        pid: of a container's first process; 0 for the host's own network.
        question: without arguments; answers texts by their names.
        seconds: after which nobody waits for an answer.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            signal.alarm(seconds)  # whatever the server does
            enter(pid)
            answer = question()
        except Exception as error:
            answer = {"why": f"it could not be tried: {type(error).__name__}"}  # its text may hold what nobody may see
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    found: dict[str, str] = json.loads(said or f'{{"why": "there was no end of it within {seconds} s"}}')
    return found


def enter(pid: int) -> None:
    """Enter the network of a process.

    Raises:
        OSError: it is not there any more, or this is not root.
    """
    own, wanted = Path("/proc/self/ns/net"), Path(f"/proc/{pid}/ns/net")
    if not pid or own.readlink() == wanted.readlink():
        return
    with wanted.open("rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def text_of(path: str) -> str:
    """A file that may not be there."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def tried(login: dict[str, Any], prefix: str, address: str, seconds: int) -> dict[str, str]:
    """What came of one login; see RETURN."""
    names = {each: login[each] for each in ("service", "container", "database")}
    try:
        found = container(prefix, login["service"], login["container"])
        if not found:
            return {**names, "state": "untried", "why": ""}
        known = given(found["Config"]["Env"], login, address)
    except NoLogin as error:
        return {**names, "state": "untried", "why": str(error)}
    runs = found["State"]["Running"]
    hosts, resolv = text_of(found.get("HostsPath", "")), text_of(found.get("ResolvConfPath", ""))
    resolv = resolv or text_of("/etc/resolv.conf")
    answer = inside(found["State"]["Pid"] if runs else 0, lambda: logged_in(known, hosts, resolv, seconds), seconds + 5)
    if "why" in answer:
        answer["why"] = answer["why"].replace(known["password"], "***")
    where = "inside a task" if runs else "on its host"
    return {**names, **answer, "where": where, "state": "bad" if "why" in answer else "good"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "prefix": {"type": "str", "required": True},
            "logins": {"type": "list", "elements": "dict", "required": True},
            "addresses": {"type": "dict", "default": {}},
            "timeout": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    given_ = module.params
    module.exit_json(
        logins=[
            tried(each, given_["prefix"], str(given_["addresses"].get(each["database"]) or ""), given_["timeout"])
            for each in given_["logins"]
        ]
    )


if __name__ == "__main__":
    main()

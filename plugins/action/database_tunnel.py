"""Hold a port of this machine that leads to a database of the site."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.database_tunnel import DOCUMENTATION
from plugins.plugin_utils import spans
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.database_way import behind, check_programs, place
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.tunnel import (
    LOOPBACK,
    Held,
    Host,
    Way,
    by_session_manager,
    by_ssh,
    free_from,
    held,
    is_free,
)  # fmt: skip

READY_SECONDS = 30.0
"""Within which a port leads through a host and the database answers; a connection takes 10 s at most."""
MOST_HOSTS = 5
"""How many hosts are tried."""
LOOK_SECONDS = 1.0
"""Between two looks whether the program still runs."""


class ActionModule(AwsAction):
    """See plugins/modules/database_tunnel.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Hold the port.

        Raises:
            Failed: something was typed wrong or is missing here, no host leads there, or the program has ended.
        """
        port, lasting = self._port(), self._lasting()
        check_programs(self.arguments["session_manager"])
        where = place(self.client, self.arguments)
        hosts = [Host.of(each) for each in self.arguments["hosts"]]
        way = Way(port, where["address"], where["port"])
        if self.check_mode:
            self._say(f"would lead {LOOPBACK}:{port} through {hosts[0].name} to {way.address}:{way.to}")
            return {"changed": False, "host": hosts[0].name}
        if not is_free(port):
            raise Failed(
                f"Port {port} of this machine is taken: something listens there already, another tunnel perhaps. "
                f"Type: {verb('tunnel.yml')} -e local_port={free_from(port)}"
            )
        reasons = []
        for host in hosts[:MOST_HOSTS]:
            with held(self._command(way, host)) as holder:
                trouble, self._encrypted = behind(
                    holder, way, Wait(READY_SECONDS, self.say, self.arguments["database"])
                )
                if not trouble:
                    self._tell(way, host, where, lasting)
                    self._stay(holder, lasting)
                    return {"changed": False, "host": host.name}
                reasons.append(f"{host.name}: {trouble}")
                self._say(reasons[-1], "yellow")
        raise Failed(
            f"No host leads to the database {self.arguments['database']} at {way.address}:{way.to}. "
            + ". ".join(reason.rstrip(".") for reason in reasons)
            + ". Port 22 of a host is open to host_admin_cidrs only; host_access_session_manager: true needs no port."
        )

    def _say(self, text: str, color: str | None = None) -> None:
        self.say(self.arguments["database"], text, color)

    # What was typed, and what is here

    def _port(self) -> int:
        typed = self.arguments["port"]
        if typed.isascii() and typed.isdigit() and 1024 <= int(typed) <= 65535:
            return int(typed)
        raise Failed(
            f"local_port is {typed!r}; write a port of this machine from 1024 to 65535: "
            f"{verb('tunnel.yml')} -e local_port=15432"
        )

    def _lasting(self) -> float | None:
        typed = self.arguments["open_for"]
        if not typed:
            return None
        if (found := spans.seconds(typed)) is not None:
            return float(found)
        raise Failed(f"for is {typed!r}; write a time as 30s, 15m, 2h or 3d: {verb('tunnel.yml')} -e for=1h")

    # The way

    def _command(self, way: Way, host: Host) -> list[str]:
        if self.arguments["session_manager"]:
            return by_session_manager(way, host, self.arguments["region"])
        return by_ssh(way, host)

    def _tell(self, way: Way, host: Host, where: dict[str, Any], lasting: float | None) -> None:
        """What can be typed now."""
        mode = "require" if self._encrypted == "S" else "prefer"
        named = {"dbname": self.arguments["dbname"], "user": self.arguments["username"]}
        words = [f"host={LOOPBACK}", f"port={way.port}", *(f"{key}={value}" for key, value in named.items() if value)]
        user = f"{named['user']}@" if named["user"] else ""
        self._say(f"{LOOPBACK}:{way.port} leads through {host.name} to {way.address}:{way.to}, and it answers", "green")
        self._say("psql " + shlex.quote(" ".join([*words, f"sslmode={mode}"])))
        self._say(f"postgresql://{user}{LOOPBACK}:{way.port}/{named['dbname']}?sslmode={mode}")
        if where["secret"]:
            name = _name_of(where["secret"])
            what = "the password" if user else "user and password"
            region = self.arguments["region"]
            show = f"aws secretsmanager get-secret-value --region {region} --secret-id {shlex.quote(name)}"
            self._say(f"{what}: in the secret {name}; to see it: {show} --query SecretString --output text")
        self._say(
            f"open for {self.arguments['open_for']}, or until Ctrl-C" if lasting else "open until Ctrl-C", "yellow"
        )

    def _stay(self, holder: Held, lasting: float | None) -> None:
        """Stay while the program runs, the time is not over, and Ansible is there.

        Raises:
            Failed: the program has ended.
        """
        end = None if lasting is None else time.monotonic() + lasting
        parent = os.getppid()
        while end is None or time.monotonic() < end:
            if os.getppid() != parent:  # Ansible was killed; nobody else would end the program
                return
            if holder.is_over:
                raise Failed(
                    f"The tunnel has ended by itself: {holder.reason.rstrip('.')}. Type the same command again."
                )
            time.sleep(LOOK_SECONDS if end is None else max(0.0, min(LOOK_SECONDS, end - time.monotonic())))
        self._say(f"closed after {self.arguments['open_for']}")


def _name_of(secret: str) -> str:
    """A secret as people call it: of an ARN the name, without the six letters that Secrets Manager appends."""
    name = secret.rpartition(":secret:")[2]
    return name[:-7] if name[-7:-6] == "-" and ":" in secret else name

"""Kinds of values that only containers have, in Compose's short and long syntax.

https://github.com/compose-spec/compose-spec/blob/main/05-services.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.kinds import (
    Choice,
    Flag,
    Listed,
    Seconds,
    Size,
    Text,
    Whole,
    folder,
    is_list,
    is_text,
    whole,
)
from plugins.plugin_utils.site.misread import any_misread, misread
from plugins.plugin_utils.site.place import Place, near, shown
from plugins.plugin_utils.site.schema import Key, Schema

AGENT_PORTS = frozenset({22, 2375, 2376, 51678, 51679, 51680})
"""Host ports of ssh, Docker and the ECS agent.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
"""
EPHEMERAL_PORTS = range(32768, 61000)
"""Ports that Docker gives away where none is asked for; same page."""
ULIMITS = (
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
    "rttime", "sigpending", "stack",
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html"""
ULIMIT_MOST = 2**31 - 1
"""Both limits are integers of 32 bits; same page."""
TMPFS_OPTIONS = (
    "defaults", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "remount",
    "mand", "nomand", "atime", "noatime", "diratime", "nodiratime", "bind", "rbind", "unbindable", "runbindable",
    "private", "rprivate", "shared", "rshared", "slave", "rslave", "relatime", "norelatime", "strictatime",
    "nostrictatime", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol",
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tmpfs.html"""
CAPABILITIES = (
    "ALL", "AUDIT_CONTROL", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",
    "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD",
    "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN",
    "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE",
    "SYS_TIME", "SYS_TTY_CONFIG", "SYSLOG", "WAKE_ALARM",
)  # fmt: skip
"""https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html"""
CONDITIONS = {
    "service_started": "START",
    "service_healthy": "HEALTHY",
    "service_completed_successfully": "SUCCESS",
}
"""Compose's conditions and what ECS calls them."""
ECS_CONDITIONS = {
    "START": "write service_started.",
    "HEALTHY": "write service_healthy.",
    "SUCCESS": "write service_completed_successfully.",
    "COMPLETE": "Compose has no word for it; write service_completed_successfully.",
}
PORT = re.compile(r"(?:(?P<published>[0-9]{1,5}):)?(?P<target>[0-9]{1,5})(?:/(?P<protocol>[a-z]+))?")
MOUNT = re.compile(r"(?P<volume>[^:]*):(?P<path>[^:]*)(?::(?P<mode>[^:]*))?")


@dataclass(frozen=True)
class Port:
    """A port of a container.

    Attributes:
        container: the port in the container.
        host: on the host; 0 for a free one, so that a new task finds room beside the old one.
        protocol: tcp or udp.
    """

    container: int
    host: int = 0
    protocol: str = "tcp"


@dataclass(frozen=True)
class Mount:
    """Where a container sees a volume of the site."""

    volume: str
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class Health:
    """A health check; durations in seconds. Compose's defaults, which are Docker's."""

    test: tuple[str, ...]
    interval: int
    timeout: int
    retries: int
    start_period: int


@dataclass(frozen=True)
class Ulimit:
    """A soft and a hard limit of a resource."""

    soft: int
    hard: int


@dataclass(frozen=True)
class Tmpfs:
    """A folder in memory; size in MiB."""

    path: str
    size: int
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Device:
    """A device of the host."""

    host: str
    container: str
    permissions: tuple[str, ...] = ()


_PORT_LONG = Schema(
    "a port",
    {
        "target": Key(Whole(1, 65535), missing="It is the port in the container: target: 8000."),
        "published": Key(Whole(0, 65535), 0),
        "protocol": Key(Choice(("tcp", "udp")), "tcp"),
    },
    {
        "host_ip": "a load balancer asks the host by its own address; take the line out.",
        "mode": "a host has no swarm; take the line out.",
        "name": "ECS needs no name here; take the line out.",
        "app_protocol": "the load balancer speaks HTTP; take the line out.",
    },
)


def port(value: Any, at: Place) -> Port | None:
    """A port: `80` (a free one of the host leads to it), `53:53/udp` (that one), `53/udp`, or the long form."""
    if isinstance(value, Mapping):
        given = _PORT_LONG.read(value, at)
        made = Port(given["target"], given["published"], given["protocol"]) if given["target"] else None
        return _host_port(made, at / "published") if made else None
    if misread(value, at):
        return None
    text = str(value) if is_text(value) else ""
    if text.count(":") == 2 or (text.count(":") == 1 and "." in text):
        at.wrong(
            f"is {shown(value)}, with an address of the host, which nobody knows beforehand. Write "
            f'"{text.split(":", 1)[1]}".'
        )
        return None
    if "-" in text:
        at.wrong(f"is {shown(value)}, a range. Write each port of its own.")
        return None
    found = PORT.fullmatch(text)
    numbers = [int(found[name] or 0) for name in ("target", "published")] if found else [0, 0]
    if not found or not 1 <= numbers[0] <= 65535 or numbers[1] > 65535:
        at.wrong(f'is {shown(value)}, must be a port of the container, for example "8000", or "53:53/udp".')
        return None
    protocol = found["protocol"] or "tcp"
    if protocol not in ("tcp", "udp"):
        at.wrong(f"is {shown(value)}; ECS maps tcp and udp.")
        return None
    return _host_port(Port(numbers[0], numbers[1], protocol), at)


def _host_port(made: Port, at: Place) -> Port | None:
    if made.host in AGENT_PORTS or made.host in EPHEMERAL_PORTS:
        at.wrong(
            f"takes port {made.host} of the host, which belongs to ssh, Docker or the ECS agent. Leave the choice to "
            f'the host: "{made.container}".'
        )
        return None
    return made


_MOUNT_LONG = Schema(
    "a mount",
    {
        "type": Key(
            Choice(
                ("volume",),
                {
                    "bind": "a folder of the host is gone with the host. Mount a volume of site_volumes.",
                    "tmpfs": "write it under tmpfs: [/run:size=64m].",
                },
            ),
            "volume",
        ),
        "source": Key(
            Text("a volume of site_volumes", "media"), missing="Name a volume of site_volumes: source: media."
        ),
        "target": Key(folder, missing="It is the path in the container: target: /srv/media."),
        "read_only": Key(Flag(), False),
    },
    {
        "path": "write target, as Compose does.",
        "readonly": "write read_only: true.",
        "volume": "nocopy and subpath do not exist in ECS; take it out.",
        "bind": "a folder of the host is gone with the host; mount a volume of site_volumes.",
    },
)


def mount(value: Any, at: Place) -> Mount | None:
    """A mount: `media:/srv/media`, `media:/srv/media:ro`, or the long form."""
    if isinstance(value, Mapping):
        given = _MOUNT_LONG.read(value, at)
        complete = given["source"] and given["target"] and given["type"]
        return Mount(given["source"], given["target"], given["read_only"]) if complete else None
    text = value if isinstance(value, str) else ""
    if text.startswith("/") and ":" not in text:
        at.wrong(
            f"is {shown(value)}, a volume without a name, new and empty with every task. Name it: declare one in "
            f"site_volumes (driver: task, if it may be empty each time) and write for example data:{text}."
        )
        return None
    if text.startswith(("/", ".", "~")):
        at.wrong(
            f"is {shown(value)}, a folder of the machine it is typed on; a host has none like it, and is replaced. "
            "Put code into the image, and data into a volume of site_volumes: media:/srv/media."
        )
        return None
    found = MOUNT.fullmatch(text)
    if not found or not found["volume"] or not found["path"]:
        better = f"{text}:/srv/{text}" if re.fullmatch(r"[a-z0-9-]+", text) else "media:/srv/media"
        at.wrong(f"is {shown(value)}, must be <volume>:<path> or <volume>:<path>:ro, for example {better}.")
        return None
    path = folder(found["path"], at)
    if found["mode"] not in (None, "ro", "rw"):
        at.wrong(f"ends in :{found['mode']}; behind the path may stand ro or rw.")
        return None
    return Mount(found["volume"], path, found["mode"] == "ro") if path else None


def mounts(value: Any, at: Place) -> tuple[Mount, ...] | None:
    """The mounts of a container, a list."""
    if isinstance(value, Mapping):
        name = next(iter(value), "media")
        at.wrong(f"is a mapping; Compose has a list here. Write for example [{name}:/srv/{name}].")
        return None
    return Listed(mount, "media:/srv/media")(value, at)


def depends_on(value: Any, at: Place) -> dict[str, str] | None:
    """Other containers of the task → what is waited for; a list waits for their start."""
    if is_list(value):
        found = {}
        for place, item in enumerate(value):
            if isinstance(item, str):
                found[str(item)] = "service_started"
            else:
                (at / place).wrong(f"is {shown(item)}, must be the name of a container.")
        return found
    if not isinstance(value, Mapping):
        at.wrong(f"is {shown(value)}, must be a list of containers, or {{django: {{condition: service_healthy}}}}.")
        return None
    conditions = {str(name): _condition(item, at / name) for name, item in value.items()}
    return {name: condition for name, condition in conditions.items() if condition}


_DEPENDENCY = Schema(
    "a dependency",
    {"condition": Key(Choice(tuple(CONDITIONS), ECS_CONDITIONS), "service_started")},
    {
        "restart": "ECS replaces a task as a whole; take the line out.",
        "required": "all containers of a task are started; take the line out.",
    },
)


def _condition(value: Any, at: Place) -> str | None:
    if isinstance(value, Mapping):
        return str(_DEPENDENCY.read(value, at)["condition"])
    word = value if isinstance(value, str) else ""
    better = ECS_CONDITIONS.get(word, "").removeprefix("write ").rstrip(".") or "service_healthy"
    better = better if better in CONDITIONS else "service_healthy"
    at.wrong(f"is {shown(value)}. Write {{condition: {better}}}.")
    return None


def _test(value: Any, at: Place) -> tuple[str, ...] | None:
    if isinstance(value, str) and value.strip():
        return ("CMD-SHELL", str(value))
    if is_list(value) and any_misread(value, at):
        return None
    if is_list(value) and value and all(is_text(each) for each in value):
        words = tuple(map(str, value))
        if words[0] == "NONE":
            return ("NONE",)
        if words[0] in ("CMD", "CMD-SHELL") and len(words) > 1:
            if words[0] == "CMD-SHELL" and len(words) > 2:
                at.wrong("has CMD-SHELL, which takes one text. Put the command into one text.")
                return None
            return words
        at.wrong(f"begins with {shown(words[0])}. Begin with CMD (the words follow) or CMD-SHELL (one text follows).")
        return None
    at.wrong(f"is {shown(value)}, must be a command: [CMD, python, /app/healthcheck.py], or a text for a shell.")
    return None


HEALTH = Schema(
    "a healthcheck",
    {
        "test": Key(_test),
        "interval": Key(Seconds(5, 300), 30),
        "timeout": Key(Seconds(2, 120), 30),
        "retries": Key(Whole(1, 10), 3),
        "start_period": Key(Seconds(0, 300), 0),
        "disable": Key(Flag(), False),
    },
    {
        "start_interval": "ECS asks at one interval; take the line out, or shorten interval.",
        "command": "write test, as Compose does.",
        "interval_seconds": "write interval: 10s.",
        "timeout_seconds": "write timeout: 5s.",
        "start_seconds": "write start_period: 60s.",
    },
)
"""Ranges: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"""


def health(value: Any, at: Place) -> Health | None:
    """A health check; None for one that is disabled: ECS never looks at the image's own."""
    if not isinstance(value, Mapping):
        at.wrong(f"is {shown(value)}, must be a mapping: {{test: [CMD, python, /app/healthcheck.py], interval: 30s}}.")
        return None
    given = HEALTH.read(value, at)
    if given["disable"] or given["test"] == ("NONE",):
        return None
    if given["test"] is None:
        if "test" not in value:
            at.wrong("has no test. ECS does not use the image's own; write test: [CMD, python, /app/healthcheck.py].")
        return None
    del given["disable"]
    return Health(**given)


def ulimits(value: Any, at: Place) -> dict[str, Ulimit] | None:
    """Resource → limits; a number is both."""
    if not isinstance(value, Mapping):
        at.wrong(f"is {shown(value)}, must be a mapping, for example {{nofile: {{soft: 65536, hard: 65536}}}}.")
        return None
    found = {}
    for name, item in value.items():
        if str(name) not in ULIMITS:
            (at / name).wrong(f"is no resource that can be limited.{near(str(name), ULIMITS)}")
        elif made := _ulimit(item, at / name):
            found[str(name)] = made
    return found


def _ulimit(value: Any, at: Place) -> Ulimit | None:
    both = value if isinstance(value, Mapping) else {"soft": value, "hard": value}
    soft, hard = whole(both.get("soft")), whole(both.get("hard"))
    if soft is None or hard is None or set(map(str, both)) != {"soft", "hard"} or min(soft, hard) < -1:
        at.wrong(f"is {shown(value)}, must be a number, or {{soft: 1024, hard: 4096}}.")
        return None
    if max(soft, hard) > ULIMIT_MOST:
        at.wrong(f"is {shown(value)}; ECS takes up to {ULIMIT_MOST}. Write -1 for no limit.")
        return None
    if hard >= 0 and (soft > hard or soft < 0):
        at.wrong(f"has a soft limit of {soft if soft >= 0 else '-1, none,'} above its hard one of {hard}.")
        return None
    return Ulimit(soft, hard)


def tmpfs(value: Any, at: Place) -> tuple[Tmpfs, ...] | None:
    """Folders in memory: `/run:size=64m`, one or a list."""
    return Listed(_tmpfs, "/run:size=64m", single=True)(value, at)


def _tmpfs(value: Any, at: Place) -> Tmpfs | None:
    path, _, rest = str(value).partition(":") if isinstance(value, str) else ("", "", "")
    options = [option for option in rest.split(",") if option]
    sizes = [option.removeprefix("size=") for option in options if option.startswith("size=")]
    if not re.fullmatch(r"/[^\0]+", path) or len(sizes) != 1:
        example = f"{path}:size=64m" if re.fullmatch(r"/[^\0]+", path) else "/run:size=64m"
        at.wrong(f"is {shown(value)}; ECS needs a path and its size, for example {example}.")
        return None
    for name in (option.partition("=")[0] for option in options if not option.startswith("size=")):
        if name not in TMPFS_OPTIONS:
            at.wrong(f"has {name}, no option that ECS takes.{near(name, TMPFS_OPTIONS)}")
    size, where = Size()(sizes[0], at), folder(path, at)
    return (
        Tmpfs(where, size, tuple(each for each in options if not each.startswith("size="))) if size and where else None
    )


def device(value: Any, at: Place) -> Device | None:
    """A device: `/dev/fuse`, `/dev/fuse:/dev/fuse:rwm`."""
    found = re.fullmatch(r"(/dev/[^:]+)(?::(/[^:]+))?(?::([rwm]{1,3}))?", value) if isinstance(value, str) else None
    if not found:
        at.wrong(f"is {shown(value)}, must be a device of the host, for example /dev/fuse.")
        return None
    words = {"r": "read", "w": "write", "m": "mknod"}
    return Device(found[1], found[2] or found[1], tuple(words[each] for each in words if each in (found[3] or "")))


def capability(value: Any, at: Place) -> str | None:
    """A capability of the kernel, with or without CAP_ before it."""
    name = value.upper().removeprefix("CAP_") if isinstance(value, str) else ""
    if name in CAPABILITIES:
        return name
    at.wrong(f"is {shown(value)}, no capability that ECS knows.{near(name, CAPABILITIES)}")
    return None


def security_option(value: Any, at: Place) -> str | None:
    """An option of Docker's security; `no-new-privileges:true` is spelt without its value by ECS."""
    text = value if isinstance(value, str) else ""
    if text in ("no-new-privileges", "no-new-privileges:true"):
        return "no-new-privileges"
    if re.fullmatch(r"(apparmor:[A-Za-z0-9_.-]+|label:[a-z]+(:[^:]+)?)", text):
        return str(text)
    at.wrong(f"is {shown(value)}; ECS takes no-new-privileges, apparmor:<profile> and label:<value>.")
    return None


def link(value: Any, at: Place) -> tuple[str, str] | None:
    """Another container of the task and the name it is known by: `django`, `django:web`."""
    found = re.fullmatch(r"([A-Za-z0-9_-]+)(?::([A-Za-z0-9_.-]+))?", value) if isinstance(value, str) else None
    if found:
        return found[1], found[2] or found[1]
    at.wrong(f"is {shown(value)}, must be a container of this task, with a name for it if need be: django:web.")
    return None


def image(value: Any, at: Place) -> str | None:
    """The name of an image, with its tag or digest if it has one. A registry has a dot or a port, see images.py."""
    pattern = (
        r"((?=[^/]*[.:])[a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?"
    )
    if isinstance(value, str) and len(value) <= 512 and re.fullmatch(pattern, value):
        return str(value)
    hint = "Its name has small letters." if isinstance(value, str) and value != value.lower() else "Write shop/django."
    at.wrong(f"is {shown(value)}, no name of an image. {hint}")
    return None

"""A container, in Compose's words.

Spelling, units and defaults are Compose's, with these exceptions, which hold for every site here: `init` is true, every
container has a hard limit of memory, and `stop_grace_period` is the hosts' own where it is not given.
https://github.com/compose-spec/compose-spec/blob/main/05-services.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.container_kinds import (
    Device,
    Health,
    Mount,
    Port,
    Tmpfs,
    Ulimit,
    capability,
    depends_on,
    device,
    health,
    image,
    link,
    mounts,
    port,
    security_option,
    tmpfs,
    ulimits,
)
from plugins.plugin_utils.site.container_words import ELSEWHERE
from plugins.plugin_utils.site.kinds import (
    Flag,
    Listed,
    Pairs,
    Seconds,
    Size,
    Text,
    Whole,
    Words,
    absolute,
    address,
    is_text,
    plain,
)
from plugins.plugin_utils.site.misread import letters, misread
from plugins.plugin_utils.site.place import Place, near
from plugins.plugin_utils.site.reference import Reference, Stored, plain_value, stored_value
from plugins.plugin_utils.site.schema import Key, Schema
from plugins.plugin_utils.site.secretive import environment_problem

VARIABLE = r"[A-Za-z_][A-Za-z0-9_.-]*"
"""Of a container's variable. Docker and ECS take any; settings of Java programs have dots: `discovery.type`."""
RESERVED = {
    "RELEASE": "every container gets the release's name in it",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "the ECS agent sets it",
    "ECS_CONTAINER_METADATA_URI": "the ECS agent sets it",
    "ECS_CONTAINER_METADATA_URI_V4": "the ECS agent sets it",
    "ECS_AGENT_URI": "the ECS agent sets it",
}


def _variable(value: Any, at: Place) -> str | Reference | None:
    """The value of a variable. What is none, and a secret by its name, is not shown."""
    readable = value is None or is_text(value) or isinstance(value, (bool, Mapping))
    if not readable and (sentence := environment_problem(at.name, value, "…")):
        at.wrong(sentence)
        return None
    return plain_value(value, at)


@dataclass(frozen=True)
class Environment:
    """The kind of variables that anybody may read.

    Attributes:
        reserved: names that are not to be set, each with the reason.
        name: pattern of a name.
    """

    reserved: Mapping[str, str]
    name: str = VARIABLE

    def __call__(self, value: Any, at: Place) -> dict[str, str | Reference] | None:
        """Variable → text or reference."""
        pairs = Pairs(_variable, 'DEBUG: "0"', self.name)(value, at)
        for name, item in list((pairs or {}).items()):
            given = value.get(name) if isinstance(value, Mapping) else item
            where = at / name if isinstance(value, Mapping) else at
            if name in self.reserved:
                where.wrong(f"sets {name}, but {self.reserved[name]}. Take the line out.")
            elif sentence := environment_problem(name, given, item):
                where.wrong(sentence)
            elif isinstance(value, Mapping):
                misread(letters(value, name), where)  # not earlier: what is a secret by its name is not shown
        return pairs


@dataclass(frozen=True)
class Secrets:
    """The kind of variables whose values lie in Secrets Manager or the Parameter Store.

    Attributes:
        name: pattern of a name.
    """

    name: str = VARIABLE

    def __call__(self, value: Any, at: Place) -> dict[str, Stored | Reference] | None:
        """Variable → where its value lies."""
        if isinstance(value, Mapping):
            return Pairs(stored_value, "DB_PASSWORD: database.main.password", self.name)(value, at)
        at.wrong("must be a mapping of variables to secrets, for example {DB_PASSWORD: database.main.password}.")
        return None


def _labels(value: Any, at: Place) -> dict[str, str] | None:
    found = Pairs(plain, "com.example.team: shop")(value, at)
    for name in found or {}:
        if name.startswith(("berth.", "com.amazonaws.ecs.")):
            (at / name if isinstance(value, Mapping) else at).wrong(f"sets {name}, which is not yours to set.")
    return found


LIKE = Text("another container, <service>.<container>", "web.django", r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
SYSCTL = r"(net\.[\w./-]+|fs\.mqueue\.[\w.-]+|kernel\.(msg|sem|shm)[\w.-]*)"
"""Settings that a container has of its own; others are the host's.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html
"""

DOMAIN = Text("a domain", "shop.internal", r"[A-Za-z0-9.-]+")

CONTAINER = Schema(
    "a container",
    {
        "like": Key(LIKE),
        "image": Key(image),
        "command": Key(Words()),
        "entrypoint": Key(Words('["/entrypoint.sh"]')),
        "environment": Key(Environment(RESERVED), {}),
        "secrets": Key(Secrets(), {}),
        "volumes": Key(mounts, ()),
        "ports": Key(Listed(port, '"8000"'), ()),
        "links": Key(Listed(link, "django"), ()),
        "depends_on": Key(depends_on, {}),
        "healthcheck": Key(health),
        "mem_limit": Key(Size(6)),
        "mem_reservation": Key(Size(6)),
        "memswap_limit": Key(Size(6)),
        "mem_swappiness": Key(Whole(0, 100)),
        "cpu_shares": Key(Whole(0, 262144, "shares (1024 are one CPU)")),
        "user": Key(Text("a user, or user:group", "1000:1000", r"[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_.-]+)?")),
        "working_dir": Key(absolute),
        "hostname": Key(Text("a host name", "web", r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")),
        "read_only": Key(Flag(), False),
        "tmpfs": Key(tmpfs, ()),
        "shm_size": Key(Size()),
        "init": Key(Flag(), True),
        "privileged": Key(Flag(), False),
        "tty": Key(Flag(), False),
        "stdin_open": Key(Flag(), False),
        "cap_add": Key(Listed(capability, "NET_ADMIN"), ()),
        "cap_drop": Key(Listed(capability, "ALL"), ()),
        "security_opt": Key(Listed(security_option, "no-new-privileges"), ()),
        "devices": Key(Listed(device, "/dev/fuse"), ()),
        "ulimits": Key(ulimits, {}),
        "sysctls": Key(Pairs(plain, 'net.core.somaxconn: "1024"', SYSCTL), {}),
        "dns": Key(Listed(address, "10.20.0.2", single=True), ()),
        "dns_search": Key(Listed(DOMAIN, "shop.internal", single=True), ()),
        "extra_hosts": Key(Pairs(address, 'mail: "10.20.0.5"', r"[A-Za-z0-9.-]+", "=:"), {}),
        "labels": Key(_labels, {}),
        "stop_grace_period": Key(Seconds(1, 3600)),
    },
    ELSEWHERE,
)

PLACED = ("ports", "links", "depends_on", "healthcheck")
"""What a container has because of where it is; `like` does not copy it."""
MERGED = ("environment", "secrets", "labels")
"""What is copied name by name."""


@dataclass(frozen=True)
class Container:
    """A container as it will run; fields are named as Compose's keys, memory is in MiB, durations in seconds.

    Attributes:
        name: in its task.
        essential: whether its end is the end of the task. False for one that another waits for to complete.
    """

    name: str
    image: str
    command: tuple[str, ...] | None
    entrypoint: tuple[str, ...] | None
    environment: dict[str, str | Reference]
    secrets: dict[str, Stored | Reference]
    volumes: tuple[Mount, ...]
    ports: tuple[Port, ...]
    links: tuple[tuple[str, str], ...]
    depends_on: dict[str, str]
    healthcheck: Health | None
    mem_limit: int
    mem_reservation: int | None
    memswap_limit: int | None
    mem_swappiness: int | None
    cpu_shares: int | None
    user: str | None
    working_dir: str | None
    hostname: str | None
    read_only: bool
    tmpfs: tuple[Tmpfs, ...]
    shm_size: int | None
    init: bool
    privileged: bool
    tty: bool
    stdin_open: bool
    cap_add: tuple[str, ...]
    cap_drop: tuple[str, ...]
    security_opt: tuple[str, ...]
    devices: tuple[Device, ...]
    ulimits: dict[str, Ulimit]
    sysctls: dict[str, str]
    dns: tuple[str, ...]
    dns_search: tuple[str, ...]
    extra_hosts: dict[str, str]
    labels: dict[str, str]
    stop_grace_period: int | None
    essential: bool = True

    @property
    def memory(self) -> int:
        """MiB that ECS sets aside for it: its soft limit, where it has one."""
        return self.mem_reservation or self.mem_limit


@dataclass(frozen=True)
class Draft:
    """A container as it was written, before `like` is followed.

    Attributes:
        name: in its task.
        given: the keys that are given and right.
        place: where it stands.
        like: the container to copy, `web.django`, or empty.
        sound: whether everything in it was right.
        absent: keys that it has in no form, not even misspelt; none where it copies a container, be it a wrong one.
    """

    name: str
    given: dict[str, Any]
    place: Place
    like: str
    sound: bool
    absent: frozenset[str]


def draft(name: str, value: Any, at: Place, words: Schema = CONTAINER) -> Draft:
    """Read one container as far as it goes by itself.

    Args:
        name: in its task.
        value: as given.
        at: its place.
        words: the keys it may have.
    """
    given = words.given(value, at)
    own = {key: item for key, item in given.items() if key in CONTAINER.keys}
    like = own.pop("like", "")
    for name_ in sorted(set(own.get("environment", {})) & set(own.get("secrets", {}))):
        (at / "environment" / name_).wrong(f"sets {name_}, and so does secrets. Leave it in one of them.")
    sound = isinstance(value, Mapping) and not at.is_wrong
    written = set(map(str, value) if isinstance(value, Mapping) else CONTAINER.keys)
    misspelt = sorted(written - words.keys.keys())
    missing = () if "like" in written else CONTAINER.keys
    absent = frozenset(key for key in missing if key not in written and not (misspelt and near(key, misspelt)))
    return Draft(name, own, at, like, sound, absent)


def copied(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a container that is like another.

    Args:
        base: keys of that one.
        own: its own, which win.
    """
    made = {key: item for key, item in base.items() if key not in PLACED} | dict(own)
    for key in MERGED:
        if key in base and key in own:
            made[key] = {**base[key], **own[key]}
    # A variable that the copy takes from elsewhere is not also where the original had it.
    for here, there in (("environment", "secrets"), ("secrets", "environment")):
        if here in own and there in made:
            mine = own.get(there, {})
            made[there] = {key: item for key, item in made[there].items() if key in mine or key not in own[here]}
    if "mem_limit" in own and "mem_reservation" not in own:
        reserved = made.get("mem_reservation")
        if reserved and reserved > own["mem_limit"]:
            del made["mem_reservation"]  # the original's; ECS refuses more than the limit
    return made


def finished(name: str, keys: Mapping[str, Any]) -> Container:
    """The container of these keys, completed by defaults."""
    values = CONTAINER.defaults() | dict(keys)
    del values["like"]
    return Container(name=name, **values)


def is_name(text: str) -> bool:
    """Whether a container can be called so: what ECS takes, in small letters, as links use it as a host name."""
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", text))

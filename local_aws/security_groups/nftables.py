"""Guards of interfaces in the language of nftables, for the network of the container that has them.

https://manpages.debian.org/bookworm/nftables/nft.8.en.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network

from local_aws.security_groups.acls import Entry
from local_aws.security_groups.openings import ALL, ANYWHERE, PORTS, Opening
from local_aws.security_groups.rules import Guard

TABLE = "security_groups"
DEVICE = "eth0"
BEFORE_DNAT, AFTER_SNAT = -150, 150
"""Where EC2's filter is: before a host's own engine hands packets on to its containers, and after it gave theirs the
host's address."""


def render(guards: Sequence[Guard], machine: IPv4Address, inside: IPv4Network) -> str:
    """Commands that put these guards in the place of what was there, all at once.

    Args:
        guards: of all interfaces of one container.
        machine: this machine's address.
        inside: the embedded network; all else is the internet.
    """
    lines = [
        f"add table ip {TABLE}",
        f"delete table ip {TABLE}",
        f"table ip {TABLE} {{",
        *_hook("inward", "prerouting", BEFORE_DNAT, "iifname", "daddr", guards),
        *_hook("outward", "postrouting", AFTER_SNAT, "oifname", "saddr", guards),
    ]
    for guard in guards:
        from_machine = f"ip saddr {machine} goto {_name('from_machine', guard)}"
        no_route = [] if guard.to_internet else [f"ip daddr != {inside} drop"]
        lines += _chain(_name("from_machine", guard), rules(guard.from_machine, "saddr"))
        lines += _chain(_name("inward", guard), [from_machine, *rules(guard.inward, "saddr")])
        lines += _chain(_name("outward", guard), [*no_route, *rules(guard.outward, "daddr")])
        if guard.acl.inward:
            spared = _spared(guard, machine, "saddr", "sport", "dport")
            lines += _chain(_name("acl_inward", guard), [*spared, *_entries(guard.acl.inward, "saddr")])
        if guard.acl.outward:
            spared = _spared(guard, machine, "daddr", "dport", "sport")
            lines += _chain(_name("acl_outward", guard), [*spared, *_entries(guard.acl.outward, "daddr")])
    return "\n".join([*lines, "}", ""])


def rules(openings: Iterable[Opening], other: str, verdict: str = "accept") -> list[str]:
    """A line for each opening.

    Args:
        openings: what it is for.
        other: `saddr` or `daddr`, where the address of the other side stands.
        verdict: what becomes of it.
    """
    return [
        " ".join([*_networks(each.networks, other), *_protocol(each), verdict]) for each in openings if each.networks
    ]


def _entries(entries: Iterable[Entry], other: str) -> list[str]:
    return [line for each in entries for line in rules([each.what], other, "return" if each.allows else "drop")]


def _spared(guard: Guard, machine: IPv4Address, other: str, port: str, own: str) -> list[str]:
    """What an ACL does not stop: the subnet's own packets, and those to and from the embedded AWS itself.

    Args:
        guard: of the interface.
        machine: this machine's address.
        other, port: where the address and the port of the other side stand.
        own: where the interface's port stands.
    """
    within = [f"ip {other} {guard.acl.within} return"] if guard.acl.within else []
    services = [
        " ".join([*_networks(each.networks, other), f"{each.protocol} {port} {each.first} return"])
        for each in guard.spared
    ]
    return [*within, *services, *(f"ip {other} {machine} tcp {own} {each} return" for each in guard.way_in)]


def _hook(name: str, hook: str, priority: int, device: str, address: str, guards: Iterable[Guard]) -> list[str]:
    lines = [f"type filter hook {hook} priority {priority}; policy accept;", f'{device} != "{DEVICE}" accept']
    has_acl = [guard for guard in guards if (guard.acl.inward if name == "inward" else guard.acl.outward)]
    # An ACL knows of no connections, so it comes first.
    lines += [f"ip {address} {guard.address} jump {_name(f'acl_{name}', guard)}" for guard in has_acl]
    lines.append("ct state { established, related } accept")
    lines += [f"ip {address} {guard.address} goto {_name(name, guard)}" for guard in guards]
    return _chain(name, lines)  # what is to or from nobody's address is dropped


def _chain(name: str, lines: Iterable[str]) -> list[str]:
    return [f"  chain {name} {{", *(f"    {line}" for line in lines), "    drop", "  }"]


def _name(kind: str, guard: Guard) -> str:
    return f"{kind}_{str(guard.address).replace('.', '_')}"


def _networks(networks: Sequence[IPv4Network], other: str) -> list[str]:
    if ANYWHERE in networks:
        return []
    named = [str(each.network_address) if each.prefixlen == each.max_prefixlen else str(each) for each in networks]
    return [f"ip {other} {{ {', '.join(named)} }}"]


def _protocol(opening: Opening) -> list[str]:
    protocol, ports = opening.protocol, (opening.first, opening.last)
    if protocol == "all":
        return []
    if protocol == "icmp":
        words = ((opening.first, "type"), (opening.last, "code"))
        return [f"icmp {word} {number}" for number, word in words if number >= 0] or ["meta l4proto icmp"]
    if protocol not in ("tcp", "udp") or ports in (ALL, PORTS):
        return [f"meta l4proto {protocol}"]
    return [f"{protocol} dport {opening.first}" + (f"-{opening.last}" if opening.last != opening.first else "")]

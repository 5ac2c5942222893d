"""Sends packets through nftables' rules in a network of its own: python -m … of a process that `unshare` started.

Reads JSON from its input: the rules, the addresses of the filtered side and of the other one, and what to try. Writes a
list: whether each came through. The filtered side is this network, as a container's; the other one is a second network.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import Any

SECONDS = 0.25
"""How long nothing must come for a packet to count as dropped; both sides are this machine."""
PEER = "peer"


def lay(filtered: list[str], others: list[str]) -> int:
    """Make both networks, and return the file descriptor of the other one."""
    for command in (
        "mount -t tmpfs tmpfs /run",  # of this process alone, for the name of the other network
        "ip link set lo up",
        f"ip netns add {PEER}",
        f"ip link add eth0 type veth peer name eth0 netns {PEER}",
        "ip link set eth0 up",
        f"ip -n {PEER} link set lo up",
        f"ip -n {PEER} link set eth0 up",
        *(f"ip address add {address}/8 dev eth0" for address in filtered),
        *(f"ip -n {PEER} address add {address}/8 dev eth0" for address in others),
    ):
        subprocess.run(command.split(), check=True)
    return os.open(f"/run/netns/{PEER}", os.O_RDONLY)


def in_network(descriptor: int, make: Any) -> Any:
    """What `make` returns in another network; a socket stays in the one that it was made in."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    setns(descriptor)
    try:
        return make()
    finally:
        setns(own)
        os.close(own)


def setns(descriptor: int) -> None:
    """Go into a network. Python has it from 3.12 on."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def comes_through(descriptor: int, what: dict[str, Any]) -> bool:
    """Whether a connection or a datagram gets from one side to the other, and its answer back."""
    protocol, outward = what["protocol"], what.get("outward", False)
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM

    def receiver() -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        made.bind((what["to"], what.get("listens", what["port"])))
        if protocol == "tcp":
            made.listen()
        return made

    def sender() -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        made.settimeout(SECONDS)
        made.bind((what["from"], 0))
        return made

    ends = [in_network(descriptor, receiver), sender()] if outward else [receiver(), in_network(descriptor, sender)]
    with ends[0] as far, ends[1] as near:
        far.settimeout(SECONDS)
        try:
            near.connect((what["to"], what["port"]))
            if protocol == "tcp":
                return True
            near.send(b"?")
            _, back = far.recvfrom(1)
            far.sendto(b"!", back)
            return bool(near.recv(1) == b"!")
        except OSError:
            return False


def main() -> None:
    """As the module says."""
    asked = json.load(sys.stdin)
    descriptor = lay(asked["filtered"], asked["others"])
    for rules in asked["rules"]:  # the last ones count
        subprocess.run(["nft", rules], check=True)
    print(json.dumps([comes_through(descriptor, what) for what in asked["packets"]]))


if __name__ == "__main__":
    main()

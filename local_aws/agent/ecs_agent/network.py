"""Before the agent starts: let containers reach the credentials server at 169.254.170.2, as ecs-init does.

Source: amazon-ecs-agent, ecs-init/exec/iptables/iptables.go and ecs-init/exec/sysctl.
"""

from __future__ import annotations

import subprocess
import sys

RULES = (
    ("PREROUTING", "-p tcp -d 169.254.170.2 --dport 80 -j DNAT --to-destination 127.0.0.1:51679"),
    ("OUTPUT", "-d 169.254.170.2 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 51679"),
)


def prepare() -> None:
    """Set the route and the rules, once.

    Raises:
        subprocess.CalledProcessError: not root, or no iptables.
    """
    subprocess.run(["sysctl", "-q", "-w", "net.ipv4.conf.all.route_localnet=1"], check=True)
    for chain, rule in RULES:
        words = [chain, *rule.split()]
        present = subprocess.run(["iptables", "-w", "-t", "nat", "-C", *words], check=False, capture_output=True)
        if present.returncode:
            subprocess.run(["iptables", "-w", "-t", "nat", "-A", *words], check=True)


if __name__ == "__main__":
    try:
        prepare()
    except (OSError, subprocess.CalledProcessError) as problem:
        # Tasks without a role work all the same; those with one report missing credentials.
        print(f"ecs-agent: no route to the role credentials: {problem}", file=sys.stderr)

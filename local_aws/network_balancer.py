"""A network load balancer as HAProxy configuration: TCP in, TCP out. Pure text, as in haproxy.py.

Rules: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
"""

from __future__ import annotations

from local_aws import haproxy
from local_aws.haproxy import Balancer, Listener, TargetGroup, Unsupported

HAIRPIN = "abns@hairpin"
"""Where a connection goes that comes back to the host it came from: it is taken and never answered."""


def render(balancer: Balancer) -> dict[str, str]:
    """The files of a network load balancer by their path below `haproxy.FOLDER`.

    Raises:
        Unsupported: an action or protocol that is not emulated.
    """
    groups = {group.arn: group for group in balancer.groups}
    listeners = sorted(balancer.listeners, key=lambda item: item.port)
    parts = [haproxy.PROCESS, _defaults(balancer)]
    parts += [_frontend(listener, groups) for listener in listeners]
    for group in sorted(balancer.groups, key=lambda item: item.name):
        parts.append(_backend(group))
        parts += [_hairpin_backend(group, address) for address in hairpins(group)]
    if any(hairpins(group) for group in balancer.groups):
        parts.append(_hairpin_frontend(balancer))
    return {haproxy.FILE: "\n".join(parts)}


def hairpins(group: TargetGroup) -> list[str]:
    """Addresses from which a connection may come back to its own host, and is lost then.

    With the client's address preserved, a packet to a target on the client's own host carries that host's address as
    its source, and the host drops it.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-troubleshooting.html#loopback-timeout
    """
    return sorted({target.address for target in group.targets}) if group.preserve_client_ip else []


def _defaults(balancer: Balancer) -> str:
    idle = max(listener.idle for listener in balancer.listeners)
    return f"""\
defaults
    mode tcp
    log global
    timeout connect {haproxy.CONNECT_SECONDS}s
    timeout client {idle}s
    timeout server {idle}s
    retries 0
    load-server-state-from-file global
"""


def _frontend(listener: Listener, groups: dict[str, TargetGroup]) -> str:
    if listener.protocol != "TCP":
        raise Unsupported(f"Listener protocol {listener.protocol} is not emulated; use TCP.")
    group = groups[_target_group(listener)]
    lines = [
        f"frontend listener_{listener.port}",
        f"    bind :{listener.port}",
        f"    timeout client {listener.idle}s",
        *(f"    use_backend {_hairpin_name(group, address)} if {{ src {address} }}" for address in hairpins(group)),
        f"    default_backend {group.name}",
    ]
    return "\n".join(lines) + "\n"


def _target_group(listener: Listener) -> str:
    """The ARN of the one target group that the listener forwards to."""
    actions = [action for rule in listener.rules for action in rule.actions]
    if len(actions) != 1 or actions[0]["Type"] != "forward":
        kinds = ", ".join(action["Type"] for action in actions)
        raise Unsupported(f"Actions {kinds} of a network load balancer's listener are not emulated; use one forward.")
    weighted = (actions[0].get("ForwardConfig") or {}).get("TargetGroups") or [actions[0]]
    if len(weighted) != 1:
        raise Unsupported("A network load balancer's listener with several target groups is not emulated; use one.")
    return str(weighted[0]["TargetGroupArn"])


def _backend(group: TargetGroup) -> str:
    check = group.check
    if group.protocol != "TCP":
        raise Unsupported(f"Target group {group.name}: protocol {group.protocol} is not emulated; use TCP.")
    lines = [f"backend {group.name}", "    balance roundrobin"]
    if check.protocol in ("HTTP", "HTTPS"):
        lines += haproxy.http_check(check)
    lines.append(f"    timeout check {check.timeout}s")
    options = haproxy.server_options(group)
    lines += [f"    server {target.server} {target.address}:{target.port} {options}" for target in group.targets]
    return "\n".join(lines) + "\n"


def _hairpin_name(group: TargetGroup, address: str) -> str:
    return f"{group.name}:{address}"


def _hairpin_backend(group: TargetGroup, address: str) -> str:
    """The same targets with the same health, as a client at `address` has them: those beside it lead nowhere."""
    lines = [f"backend {_hairpin_name(group, address)}", "    balance roundrobin"]
    for target in group.targets:
        where = HAIRPIN if target.address == address else f"{target.address}:{target.port}"
        lines.append(f"    server {target.server} {where} track {group.name}/{target.server}")
    return "\n".join(lines) + "\n"


def _hairpin_frontend(balancer: Balancer) -> str:
    idle = max(listener.idle for listener in balancer.listeners)
    return f"""\
frontend hairpin
    bind {HAIRPIN}
    tcp-request inspect-delay {idle}s
    tcp-request content reject if WAIT_END
"""

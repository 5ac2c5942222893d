"""The targets of a load balancer as servers of its HAProxy: they come, are checked, drain and go without a reload."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from local_aws import haproxy
from local_aws.haproxy import Balancer, Target, TargetGroup
from local_aws.load_balancers.admin import Admin
from local_aws.load_balancers.health import DRAINING, HEALTHY, INITIAL, State, passed, unhealthy

DROP_SECONDS = 5
PROBE = ".probe"
Key = tuple[str, str, int]
"""Target group ARN, target id, port."""


@dataclass
class TargetState:
    """A target as its load balancer sees it; `since` and `until` in monotonic seconds, `until` only while it drains."""

    target: Target
    group: TargetGroup
    since: float
    state: State = INITIAL
    until: float | None = None

    @property
    def key(self) -> Key:
        """By what it is known in `Servers.states`."""
        return key(self.group, self.target)

    @property
    def server(self) -> str:
        """What HAProxy's commands call it."""
        return f"{self.group.name}/{self.target.server}"


class Servers:
    """The servers of one HAProxy.

    Attributes:
        states: the servers that there are, draining ones included.
        requests: target group ARN → how many requests it got since HAProxy's last reload.
        stale: whether HAProxy has one more, which only a reload takes away.

    Args:
        admin: HAProxy's runtime API.
    """

    def __init__(self, admin: Admin) -> None:
        self.states: dict[Key, TargetState] = {}
        self.requests: dict[str, int] = {}
        self.stale = False
        self._command = admin.command
        self._statistics = admin.servers

    def renew(self, states: Iterable[TargetState] = ()) -> None:
        """Take these for the servers of a HAProxy that is made anew."""
        self.states = {state.key: state for state in states}
        self.stale = False

    def begin(self) -> None:
        """Tell HAProxy of them after a start: it takes every server for healthy, which only the healthy ones may be."""
        for state in self.states.values():
            if state.state != HEALTHY:
                self._command(f"set server {state.server} health down")
            if state.state == INITIAL:
                self._probe(state)
            if state.until is not None:
                self._command(f"set server {state.server} state drain")

    def of(self, groups: Iterable[TargetGroup]) -> dict[Key, TargetState]:
        """The states of the servers of these groups."""
        arns = {group.arn for group in groups}
        return {identity: state for identity, state in self.states.items() if identity[0] in arns}

    def reloaded(self, kept: dict[Key, TargetState], configured: Balancer) -> None:
        """Take in a reload.

        Args:
            kept: the states that were handed on in it.
            configured: the load balancer as HAProxy has it now.
        """
        now = time.monotonic()
        groups = {group.arn: group for group in configured.groups}
        self.states = {
            identity: dataclasses.replace(state, group=groups[identity[0]]) for identity, state in kept.items()
        }
        self.stale = False
        # Of groups that were not there before, HAProxy knows nothing: their targets begin as initial. So do new targets
        # that only a reload adds.
        for group in configured.groups:
            for target in group.targets:
                if key(group, target) not in self.states:
                    state = TargetState(target, group, now)
                    self.states[state.key] = state
                    self._command(f"set server {state.server} health down")
                    self._probe(state)

    def apply(self, wanted: Balancer, delay: Callable[[str], float]) -> bool:
        """Add what was registered, drain what was deregistered, remove what has drained. Whether any came or went.

        Args:
            wanted: the load balancer with its registered targets.
            delay: seconds that the targets of a group (ARN) drain.
        """
        now = time.monotonic()
        changed = False
        registered = {key(group, target): (group, target) for group in wanted.groups for target in group.targets}
        for identity, (group, target) in registered.items():
            state = self.states.get(identity)
            if state is None:
                self.states[identity] = self._add(group, target)
                changed = True
            elif state.until is not None:  # registered again while it drained
                self._command(f"set server {state.server} health down")
                self._command(f"set server {state.server} state ready")
                self.states[identity] = TargetState(target, group, now)
        for identity, state in list(self.states.items()):
            if identity in registered:
                continue
            if state.until is None:
                self._command(f"set server {state.server} state drain")
                state.state, state.until = DRAINING, now + delay(identity[0])
            elif now >= state.until:
                if state.group.preserve_client_ip:  # other servers track it: only a reload takes it away
                    self._command(f"shutdown sessions server {state.server}")
                    self.stale = True
                else:
                    self._drop(state.server)
                del self.states[identity]
                changed = True
        return changed

    def measure(self) -> None:
        """Read HAProxy's view of the servers into their states."""
        now = time.monotonic()
        measured = self._statistics()
        self.requests = {
            state.group.arn: int(whole.get("req_tot") or 0)
            for state in self.states.values()
            if (whole := measured.get((state.group.name, "BACKEND")))
        }
        for state in self.states.values():
            row = measured.get((state.group.name, state.target.server))
            if row is None or state.until is not None:
                continue
            result = row["check_status"].removeprefix("* ")
            probe = measured.get((state.group.name, state.target.server + PROBE))
            probed = probe["check_status"] if probe else ""
            if probed not in ("", "INI") and not probed.startswith("*"):
                self._drop(state.server + PROBE)
            if row["status"].startswith("UP"):
                state.state = HEALTHY
            elif state.state == INITIAL and passed(state.group.check) in (result, probed):
                # The first passed check makes a new target healthy; the threshold counts only after a failure.
                self._command(f"set server {state.server} health up")
                state.state = HEALTHY
            elif state.state == INITIAL:
                check = state.group.check
                if now - state.since > check.interval * (check.unhealthy - 1) + check.timeout and result not in (
                    "",
                    "INI",
                ):
                    state.state = unhealthy(result, row["check_code"])
            else:
                state.state = unhealthy(result, row["check_code"])

    def _add(self, group: TargetGroup, target: Target) -> TargetState:
        state = TargetState(target, group, time.monotonic())
        where = f"{target.address}:{target.port} {haproxy.server_options(group)}"
        self._command(f"add server {state.server} {where} weight 0")
        self._command(f"enable health {state.server}")
        # Enabled, a server counts as healthy until its first check; with weight 0 it gets nothing meanwhile.
        self._command(f"enable server {state.server}")
        self._command(f"set server {state.server} health down")
        self._command(f"set server {state.server} weight 1")
        self._probe(state)
        return state

    def _probe(self, state: TargetState) -> None:
        """Check a new target right away: HAProxy's own first check comes after an interval.

        The check is that of a second server of weight 0, which `measure` removes once it has a result.
        """
        server = state.server + PROBE
        check = dataclasses.replace(state.group.check, interval=1, healthy=1, unhealthy=1)
        options = haproxy.server_options(dataclasses.replace(state.group, check=check))
        where = f"{state.target.address}:{state.target.port}"
        self._command(f"add server {server} {where} {options} weight 0")
        self._command(f"enable health {server}")
        self._command(f"enable server {server}")

    def _drop(self, server: str) -> None:
        """Remove a server. What still holds a connection to it loses it, as on AWS when the delay is over."""
        self._command(f"set server {server} state maint")
        self._command(f"shutdown sessions server {server}")
        deadline = time.monotonic() + DROP_SECONDS
        while True:
            answer = self._command(f"del server {server}")
            if "deleted" in answer.lower():
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"HAProxy does not let go of {server}: {answer.strip()}")
            time.sleep(0.05)


def key(group: TargetGroup, target: Target) -> Key:
    """By what a target is known in `Servers.states`."""
    return group.arn, target.id, target.port

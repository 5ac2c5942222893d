"""What starts prove: all in one where all is well, each thing by itself where not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from plugins.plugin_utils.verify.proof import PULLS, STARTS, WRITES, Proof, unasked
from plugins.plugin_utils.verify.starts import GOOD, Outcome, Start
from plugins.plugin_utils.verify.subjects import Secret
from tests.unit.plugins.plugin_utils.verify.support import VOLUME, container, states, task

KEY, OTHER = Secret("KEY", "arn:key"), Secret("OTHER", "/shop/other")
APP = container("app", "reg/app:1", secrets=(KEY, OTHER))
PROXY = container("proxy", "reg/proxy:1", secrets=(), volumes=())
SITE = task(APP, PROXY, volumes={"data": VOLUME})
PULL, SECRET, MOUNT = (
    ("image", "service.web/app", PULLS),
    ("secret", "service.web/app", "KEY"),
    ("volume", "volume.data", "mounts for service.web"),
)
ALL_WELL = {
    PULL: OK,
    ("image", "service.web/proxy", PULLS): OK,
    ("log", "service.web", WRITES): OK,
    SECRET: OK,
    ("secret", "service.web/app", "OTHER"): OK,
    MOUNT: OK,
}


class Hosts:
    """Hosts that cannot do some things; the agent tells the first only.

    Attributes:
        cannot: thing → why not.
        rounds: what was started, a list a round.
    """

    def __init__(self, **cannot: str) -> None:
        self.cannot = cannot
        self.rounds: list[list[Start]] = []

    def __call__(self, starts: Sequence[Start]) -> list[Outcome]:
        self.rounds.append(list(starts))
        return [self._outcome(each) for each in starts]

    def _outcome(self, start: Start) -> Outcome:
        things = [
            start.image.partition("/")[2].partition(":")[0],
            *(each.name for each in start.secrets),
            *start.volumes,
        ]
        if "everything" in self.cannot and start.secrets and start.volumes:
            return Outcome("bad", self.cannot["everything"])
        for thing in [*things, "log"]:
            if why := self.cannot.get(thing):
                return Outcome("unknown" if why == "?" else "bad", why)
        return GOOD


def proved(hosts: Hosts, images: set[str] | None = None, secrets: set[str] | None = None) -> list[Finding]:
    return Proof([SITE], images or set(), secrets or set(), hosts).findings()


def test_one_start_a_container_is_enough_where_all_is_well() -> None:
    hosts = Hosts()
    assert states(proved(hosts)) == ALL_WELL
    assert [len(each) for each in hosts.rounds] == [2, 0, 0]


@pytest.mark.parametrize(
    ("cannot", "why", "wrong"),
    [
        ("app", "CannotPullContainerError: manifest unknown", PULL),
        ("KEY", "retrieved secret did not contain json key key", SECRET),
        ("data", "error while mounting volume", MOUNT),
    ],
)
def test_one_thing_that_is_wrong_is_the_only_one_that_is_told(cannot: str, why: str, wrong: Any) -> None:
    found = proved(Hosts(**{cannot: why}))
    assert states(found) == {**ALL_WELL, wrong: WRONG}
    assert why in {each.reason for each in found if each.state == WRONG}


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = states(proved(Hosts(app="CannotPullContainerError", KEY="no key", data="no mount")))
    assert found == {**ALL_WELL, PULL: WRONG, SECRET: WRONG, MOUNT: WRONG}


def test_what_is_known_to_be_wrong_is_not_tried_and_hides_nothing() -> None:
    hosts = Hosts()
    found = states(proved(hosts, {"reg/app:1"}, {"arn:key"}))
    assert PULL not in found
    assert SECRET not in found
    assert found["secret", "service.web/app", "OTHER"] == OK, "read beside another image"
    assert found[MOUNT] == OK
    tried = [start for each in hosts.rounds for start in each]
    assert {start.image for start in tried} == {"reg/proxy:1"}
    assert {secret.name for start in tried for secret in start.secrets} == {"OTHER"}


def test_without_any_image_nothing_else_can_be_asked() -> None:
    found = states(proved(Hosts(app="CannotPull: x", proxy="CannotPull: x")))
    assert {found[each] for each in (PULL, ("image", "service.web/proxy", PULLS))} == {WRONG}
    assert {found[each] for each in (SECRET, MOUNT)} == {NOT_ASKED}


def test_another_image_that_this_role_may_not_pull_says_nothing_about_a_secret() -> None:
    class Strict(Hosts):
        def _outcome(self, start: Start) -> Outcome:
            refused = start.image == "reg/proxy:1" and start.secrets
            return Outcome("bad", "CannotPullContainerError: denied") if refused else super()._outcome(start)

    found = states(proved(Strict(), {"reg/app:1"}))
    assert found[SECRET] == NOT_ASKED
    assert found[MOUNT] == OK


def test_a_log_that_does_not_open_is_no_fault_of_what_comes_before_it() -> None:
    found = states(proved(Hosts(log="CannotStartContainerError: failed to initialize logging driver: AccessDenied")))
    assert found == {**ALL_WELL, ("log", "service.web", WRITES): WRONG}


def test_what_nobody_can_tell_is_wrong_nowhere() -> None:
    found = states(proved(Hosts(app="?")))
    assert {found[each] for each in (PULL, SECRET, MOUNT)} == {NOT_ASKED}
    assert found["image", "service.web/proxy", PULLS] == OK


def test_what_fails_only_as_a_whole_is_told_as_such() -> None:
    found = proved(Hosts(everything="CannotCreateContainerError: too much"))
    assert states(found) == {**ALL_WELL, ("image", "service.web/app", STARTS): WRONG}


def test_a_long_reason_is_cut() -> None:
    found = proved(Hosts(data="x" * 1000))
    (wrong,) = (each for each in found if each.state == WRONG)
    assert wrong.reason == "x" * 400 + " …"


def test_what_is_not_started_is_not_asked() -> None:
    found = list(unasked([SITE], "a check run starts nothing"))
    assert {each.state for each in found} == {NOT_ASKED}
    assert set(states(found)) == ALL_WELL.keys() - {("log", "service.web", WRITES)}

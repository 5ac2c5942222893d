"""What `make bench` says a release takes beside a bare deployment."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import release
from local_aws.tests.clock import Clock


class Ecs:
    """A client whose service is described in turn by these deployments, the last ones for ever."""

    def __init__(self, *shown: list[dict[str, str]]) -> None:
        self.shown = list(shown)
        self.updated: dict[str, Any] = {}

    def update_service(self, **given: Any) -> dict[str, Any]:
        self.updated = given
        old = {"id": "old", "status": "ACTIVE"}
        return {"service": {"deployments": [old, {"id": "new", "status": "PRIMARY"}]}}

    def describe_services(self, **given: Any) -> dict[str, Any]:
        del given
        return {"services": [{"deployments": self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]}]}


OLD = {"id": "old", "rolloutState": "COMPLETED"}
NEW = {"id": "new", "rolloutState": "COMPLETED"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(release.time, "sleep", made.sleep)
    return made


def test_a_bare_deployment_is_through_when_nothing_of_before_is_left(clock: Clock) -> None:
    ecs = Ecs([OLD, {"id": "new", "rolloutState": "IN_PROGRESS"}], [OLD, NEW], [NEW])
    assert release.redeployed(ecs, "shop", "web", clock) == pytest.approx(2 * release.POLL_SECONDS)
    assert ecs.updated == {"cluster": "shop", "service": "web", "forceNewDeployment": True}


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ([OLD, {"id": "new", "rolloutState": "FAILED"}], "the deployment failed"),
        ([OLD], "the deployment failed"),
        ([OLD, NEW], "not deployed after 900 s"),
    ],
)
def test_one_that_fails_is_no_measure(clock: Clock, shown: list[dict[str, str]], said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        release.redeployed(Ecs(shown), "shop", "web", clock)


def test_both_are_measured_in_turn() -> None:
    order: list[str] = []

    def released(number: int) -> float:
        order.append(f"release {number}")
        return 11.0

    def bare() -> float:
        order.append("bare")
        return 10.0

    assert release.measured(2, released, bare) == ([11.0, 11.0], [10.0, 10.0])
    assert order == ["bare", "release 0", "bare", "release 1"]


@pytest.mark.parametrize(("releases", "status"), [([11.0, 11.4, 50.0], 0), ([11.6, 11.6, 10.0], 1)])
def test_the_medians_count(releases: list[float], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.verdict(releases, [10.0, 10.0, 99.0]) == status
    assert "(at most 1.15)" in capsys.readouterr().out

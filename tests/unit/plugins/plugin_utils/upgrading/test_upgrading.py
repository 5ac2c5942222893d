"""Which version an engine is upgraded to, what RDS is asked for it, and for how long a server is away."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.upgrading import absence
from plugins.plugin_utils.upgrading.absence import Absence
from plugins.plugin_utils.upgrading.engine import Engine, group_of
from plugins.plugin_utils.upgrading.versions import Way, chosen

OFFERED = [
    {"EngineVersion": each} for each in ("15.9", "15.12", "16.4", "16.10", "17.1", "11.22-rds.20240418")
]  # as RDS lists them: in no order


def way(now: str, wanted: str, offered: list[dict[str, Any]] | None = None) -> Way:
    return chosen("main", now, OFFERED if offered is None else offered, wanted, "upgrade")


@pytest.mark.parametrize(
    ("wanted", "target", "major"),
    [
        ("16", "16.10", True), ("16.4", "16.4", True), ("15", "15.12", False), ("15.9", "15.9", False),
        ("15.4", "15.4", False), ("17", "17.1", True),
    ],
)  # fmt: skip
def test_a_major_version_means_its_newest_minor_one(wanted: str, target: str, major: bool) -> None:
    found = way("15.4", wanted)
    assert (found.target, found.is_major, found.is_needless) == (target, major, target == "15.4")


def test_the_newest_of_its_major_version_stays() -> None:
    assert way("15.12", "15", [{"EngineVersion": "16.4"}]).is_needless
    assert way("15.12", "15", []).is_needless
    assert Way("15.4", "11.22-rds.20240418").called == "11-22-rds-20240418"


@pytest.mark.parametrize("wanted", ["14", "15.3", "9.6"])
def test_an_older_version_is_refused(wanted: str) -> None:
    with pytest.raises(
        Failed, match=rf"runs PostgreSQL 15.4, and {wanted} is older: RDS takes no version back"
    ) as found:
        way("15.4", wanted)
    assert 'Write a version of its own or a newer one into site_databases.main, for example version: "15".' in str(
        found.value
    )


@pytest.mark.parametrize("wanted", ["18", "15.13", "16.5"])
def test_what_rds_knows_no_way_to_is_refused_with_what_it_offers(wanted: str) -> None:
    with pytest.raises(Failed, match=rf"RDS does not upgrade PostgreSQL 15\.4, .*, to {wanted}") as found:
        way("15.4", wanted, OFFERED[:-1])
    assert "each major version): 15.12, 16.10, 17.1." in str(found.value)
    assert str(found.value).endswith("Type for example: upgrade -e version=17.1")
    with pytest.raises(Failed, match=r"none at all\. Nothing was changed\.$"):
        way("15.4", wanted, [])


def test_how_long_a_server_is_away_is_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, clock = iter(["S", "", "-", "S", "N", "", "N"]), itertools.count(0, 10)
    monkeypatch.setattr(absence, "answer", lambda _port: next(answers))
    found, away = Absence(1, lambda: float(next(clock))), []
    for _ in range(7):
        found.look()
        away.append(found.is_away)
    assert away == [False, True, True, False, False, True, False]
    assert found.seconds == 20 + 10


# What RDS is asked


class Rds:
    """RDS, as a list of what it says one time after the other; the last one stays."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self._states, self.asked = list(states), list[dict[str, Any]]()
        self.busy = 0

    def describe_db_instances(self, DBInstanceIdentifier: str) -> Any:
        found = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return {"DBInstances": [{"DBInstanceIdentifier": DBInstanceIdentifier, **found}]}

    def modify_db_instance(self, **given: Any) -> None:
        if self.busy:
            self.busy -= 1
            raise ClientError({"Error": {"Code": "InvalidDBInstanceState", "Message": "busy"}}, "ModifyDBInstance")
        self.asked.append(given)

    def describe_events(self, **_: Any) -> Any:
        return {"Events": [{"Message": "one."}, {"Message": "pg_upgrade prechecks failed."}]}


def state(version: str = "15.4", status: str = "available", pending: str = "") -> dict[str, Any]:
    return {
        "DBInstanceStatus": status, "EngineVersion": version,
        "PendingModifiedValues": {"EngineVersion": pending} if pending else {},
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absence, "answer", lambda _port: "S")


def upgraded(rds: Rds, group: str = "", seconds: float = 600) -> None:
    clock = itertools.count(0, 1.0)
    wait = Wait(seconds, lambda *_: None, "main", clock=lambda: next(clock), sleep=lambda _: None)
    Engine(rds, "db").upgrade(Way("15.4", "16.10"), group, wait, Absence(1))


def test_a_major_version_is_asked_for_at_once_and_waited_for() -> None:
    rds = Rds(state(), state(pending="16.10"), state(status="upgrading"), state("16.10", "backing-up"), state("16.10"))
    upgraded(rds, "mine16")
    assert rds.asked == [
        {
            "DBInstanceIdentifier": "db", "EngineVersion": "16.10", "ApplyImmediately": True,
            "AllowMajorVersionUpgrade": True, "DBParameterGroupName": "mine16",
        }
    ]  # fmt: skip


def test_one_that_is_at_something_else_is_asked_again() -> None:
    rds = Rds(state(status="backing-up"), state(), state(), state(pending="16.10"), state("16.10"))
    rds.busy = 1
    upgraded(rds)
    assert len(rds.asked) == 1
    assert "DBParameterGroupName" not in rds.asked[0]


def test_one_that_is_under_way_is_waited_for_and_not_asked_for() -> None:
    rds = Rds(state(status="upgrading"), state("16.10"))
    upgraded(rds)
    assert rds.asked == []


def test_one_that_rds_gives_up_is_told_with_its_words() -> None:
    with pytest.raises(Failed, match=r"RDS has not upgraded db: it runs PostgreSQL 15\.4 as before") as found:
        upgraded(Rds(state(), state(status="upgrading"), state()))
    assert "RDS says: one; pg_upgrade prechecks failed. Which log has more: aws rds describe-db-log" in str(found.value)


@pytest.mark.parametrize("status", ["incompatible-parameters", "storage-full"])
def test_one_that_ends_badly_is_told(status: str) -> None:
    with pytest.raises(Failed, match=rf"db is {status}, and not at PostgreSQL 16\.10"):
        upgraded(Rds(state(), state(status=status)))


def test_one_that_takes_too_long_is_told() -> None:
    with pytest.raises(Failed, match=r"after 1 minutes: it is upgrading.*backup_wait_minutes"):
        upgraded(Rds(state(), state(status="upgrading")), seconds=60)


def test_a_server_that_is_silent_for_a_minute_after_it_is_looked_at_by_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(absence, "answer", lambda _port: "-")
    upgraded(Rds(state("16.10")))
    with pytest.raises(Failed, match="after 0 minutes: it is available"):
        upgraded(Rds(state("16.10")), seconds=20)


def test_a_parameter_group_is_of_the_new_version(aws: Cloud) -> None:
    rds = aws.client("rds")
    for name in ("mine15", "mine16"):
        rds.create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily=f"postgres{name[4:]}", Description="x"
        )
    engine, up = Engine(rds, "db"), Way("15.4", "16.10")
    usual: dict[str, Any] = {"DBParameterGroups": []}
    own = {"DBParameterGroups": [{"DBParameterGroupName": "mine15"}]}
    default = {"DBParameterGroups": [{"DBParameterGroupName": "default.postgres15"}]}
    assert group_of(engine, own, Way("15.4", "15.9"), "mine15", "main") == "", "a minor version leaves it"
    assert group_of(engine, default, up, "", "main") == group_of(engine, usual, up, "", "main") == ""
    assert group_of(engine, own, up, "mine16", "main") == "mine16"
    with pytest.raises(
        Failed, match=r"names the parameter group mine15, which is of postgres15; .* takes one of postgres16"
    ):
        group_of(engine, own, up, "mine15", "main")
    with pytest.raises(Failed, match="the parameter group gone, which is not there"):
        group_of(engine, own, up, "gone", "main")
    with pytest.raises(Failed, match="main has the parameter group mine15, which the inventory does not name"):
        group_of(engine, own, up, "", "main")


def test_what_rds_offers_is_asked_for_one_version(aws: Cloud) -> None:
    offered = Engine(aws.client("rds"), "db").offered("15.4")
    majors = {each["EngineVersion"]: each["IsMajorVersionUpgrade"] for each in offered}
    assert {"15.12": False, "16.4": True}.items() <= majors.items()
    assert "15.4" not in majors
    assert Engine(aws.client("rds"), "none").described() is None


def test_a_version_of_which_rds_makes_nothing_new_is_asked_for_too() -> None:
    asked = list[dict[str, Any]]()

    def answer(**given: Any) -> dict[str, Any]:
        asked.append(given)
        return {"DBEngineVersions": [{"ValidUpgradeTarget": [{"EngineVersion": "15.12"}]}, {}]}

    found = Engine(SimpleNamespace(describe_db_engine_versions=answer), "db").offered("15.2")
    assert found == [{"EngineVersion": "15.12"}]
    assert asked == [{"Engine": "postgres", "EngineVersion": "15.2", "IncludeAll": True}]

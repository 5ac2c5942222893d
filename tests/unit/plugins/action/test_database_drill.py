"""A database is restored to an instance that is thrown away, and proven: a real server behind RDS's embedded API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import database_beside_delete, database_drill
from plugins.plugin_utils import database_action
from plugins.plugin_utils.importing.postgres import Server
from plugins.plugin_utils.restoring.instance import Instance
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.action import test_database_restore as restored
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, reach_by_ssh


class Estate(restored.Estate):
    """A site with a backup that is drilled."""

    def __init__(self, aws: Cloud, site: Postgres, then: Postgres) -> None:
        super().__init__(aws, site, then)
        self.then = then

    def drill(self, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        return self.heard(database_drill, {"backup": "one", "snapshot": self.snapshot, **given}, check)

    def remove(self, check: bool = False, **given: Any) -> list[str]:
        arguments = {"prefix": self.prefix, "timeout": 20, **given}
        result = run_action(database_beside_delete, arguments, check, client=self.client)
        return list(result["names"])


@pytest.fixture(scope="module")
def then() -> Iterator[Postgres]:
    """The server that the snapshot is restored to."""
    with postgres() as running:
        running.sql(restored.THEN)
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """The site's."""
    with postgres() as running:
        running.sql("SET ROLE clerk; CREATE DATABASE site;")
        running.sql("SET ROLE clerk; CREATE TABLE people (id int);", "site")
        yield running


@pytest.fixture
def estate(aws: Cloud, server: Postgres, then: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    talk_to(aws, monkeypatch)
    reach_by_ssh(tmp_path, monkeypatch)
    return Estate(aws, server, then)


def test_it_is_copied_within_the_instance_beside_and_the_site_s_own_is_not_written_to(estate: Estate) -> None:
    result, shown = estate.drill()
    known = {"tables": restored.TABLES, "rows": restored.ROWS, "address": "127.0.0.1"}
    assert result == {"changed": True, **known}, result
    assert f"{restored.TABLES} tables with {restored.ROWS:,} rows, each with the content of then" in shown
    assert estate.names() == ["site"]
    assert estate.then.sql(restored.NAMES).split() == ["site", "site_drill"]
    (name,) = estate.beside()
    assert name.startswith(f"{estate.prefix}-drill-")
    assert estate.remove(verbs=["restore"]) == [], "a restore may go on with what it has left, and a drill likewise"
    assert estate.remove(check=True) == [name]
    assert estate.beside() == [name]
    assert estate.remove(verbs=["drill"]) == [name]
    assert (estate.beside(), estate.remove()) == ([], [])


def test_whom_the_site_logs_in_as_now_is_let_in_there(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not estate.drill(site_login=True)[0].get("failed")
    assert estate.rds.passwords[-1] == PASSWORD, "the master's, which is the site's until it is rotated"
    secret = "rotated0rotated0rotated0rotated0"  # noqa: S105 # of a server that goes with its test
    monkeypatch.setattr(database_drill, "credentials", lambda *_: ("clerk_a", secret))
    monkeypatch.setattr(database_action, "credentials", lambda *_: ("clerk", PASSWORD))
    result, shown = estate.drill(site_login=True)
    assert not result.get("failed"), result
    assert secret not in shown + str(result)
    rights = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'clerk_a'"
    assert estate.then.sql(rights) == "t"
    assert estate.then.sql("SET ROLE clerk_owner; SELECT count(*) FROM people", "site") == "500"


def test_a_wrong_count_fails_it(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Server.restore

    def damaged(self: Server, name: str, *given: Any) -> None:
        real(self, name, *given)
        estate.then.sql("DELETE FROM orders WHERE id < 11;", name)

    monkeypatch.setattr(Server, "restore", damaged)
    result, _ = estate.drill()
    assert "public.orders has 490 rows, sum " in result["msg"]
    assert "people" not in result["msg"]


def test_a_backup_of_an_empty_database_fails_it_where_the_site_s_is_not_empty(
    estate: Estate,
) -> None:
    estate.then.sql("SET ROLE clerk; CREATE DATABASE hollow;")
    estate.site.sql("SET ROLE clerk; CREATE DATABASE hollow;")
    assert estate.drill(dbname="hollow")[0]["tables"] == 0, "so is the site's"
    estate.site.sql("CREATE TABLE people (id int);", "hollow")
    result, _ = estate.drill(dbname="hollow")
    assert "The database main of the backup one has no table, and that of the site has 1" in result["msg"]
    assert "has no database none" in estate.drill(dbname="none")[0]["msg"]


def test_one_that_has_no_room_twice_is_told(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_drill, "room", lambda _like, _used: 4096)
    result, _ = estate.drill()
    assert "for a copy of it the instance beside has room for 4.0 KiB" in result["msg"]


def test_in_check_mode_nothing_is_made(estate: Estate) -> None:
    result, shown = estate.drill(check=True)
    assert (result["changed"], estate.beside()) == (True, [])
    assert f"{estate.snapshot} would be restored to an instance beside" in shown


@pytest.mark.parametrize(("of", "name"), [(Instance, "begin"), (Server, "make"), (Server, "restore")])
def test_one_that_was_killed_is_found_by_its_name(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, of: type, name: str
) -> None:
    real: Callable[..., Any] = getattr(of, name)

    def killed(*given: Any, **named: Any) -> None:
        real(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(of, name, killed)
        with pytest.raises(KeyboardInterrupt):
            estate.drill()
    assert len(estate.beside()) == 1
    assert estate.drill()[0]["rows"] == restored.ROWS
    assert len(estate.remove()) == 1

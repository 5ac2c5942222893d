"""A dump becomes the site's database as a whole or not at all; the server is real, ssh and AWS are stood in for."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.tests.until import until
from plugins.action import database_import
from plugins.plugin_utils.importing.postgres import Server
from tests.unit.plugin_support import PROJECT, heard, run_action
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, reach_by_ssh, shell
from tests.unit.rds_support import HOST, site_client

OLD = """
CREATE ROLE shop LOGIN; CREATE ROLE boss;
CREATE DATABASE old OWNER shop;
\\connect old
SET ROLE shop;
CREATE SCHEMA "Odd Name";
CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL, note text DEFAULT 'it''s');
CREATE TABLE "Odd Name"."a.b" (line text);
CREATE TABLE nothing (id int);
CREATE TABLE events (at date, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2013 PARTITION OF events FOR VALUES FROM ('2013-01-01') TO ('2014-01-01');
CREATE TABLE parent (id int); CREATE TABLE child (more text) INHERITS (parent);
INSERT INTO people (name) SELECT 'person ' || n FROM generate_series(1, 2500) n;
INSERT INTO "Odd Name"."a.b" VALUES (E'two\\nlines'), ('\\.'), (NULL), ('COPY public.people (id) FROM stdin;');
INSERT INTO events VALUES ('2013-05-01', 'opened');
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'x'), (3, 'y');
CREATE FUNCTION told() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
-- don't be misled
GRANT boss TO shop;
ALTER TABLE people OWNER TO nobody;
RETURN 'said';
END
$body$;
CREATE VIEW named AS SELECT name FROM people;
GRANT SELECT ON people TO boss;
COMMENT ON TABLE people IS 'who
REVOKE nothing;
came';
"""
ROWS = 2500 + 4 + 1 + 1 + 2


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        running.sql(OLD)
        yield running


@pytest.fixture
def site(server: Postgres) -> Iterator[Postgres]:
    """The server, with the database of a site on which its migrations have run."""
    server.sql("SET ROLE clerk; CREATE DATABASE site;")
    server.sql("SET ROLE clerk; CREATE TABLE fresh (id int); INSERT INTO fresh VALUES (7);", "site")
    yield server
    for name in server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'site%'").split():
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")


def databases(server: Postgres) -> list[str]:
    """Those of the site."""
    return server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'site%' ORDER BY 1").split()


def arguments(dump: Path, **given: Any) -> dict[str, Any]:
    return {
        "database": "main", "dump": str(dump), "wanted": "prod", "stack": "shop-prod-database-main", "dbname": "site",
        "hosts": [HOST], "region": "us-east-1", **given,
    }  # fmt: skip


Bring = Callable[..., tuple[dict[str, Any], str]]


@pytest.fixture
def bring(site: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bring:
    """The result of the action, and what was shown."""
    reach_by_ssh(tmp_path, monkeypatch)
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    monkeypatch.setenv("PGSERVICE", "elsewhere")

    def go(dump: Path, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        result, shown = heard(
            database_import, arguments(dump, **given), check, client=lambda _service: site_client(site)
        )
        assert PASSWORD not in str(result) + shown
        return result, shown

    return go


FORMATS = {
    "custom": ("--format=custom",),
    "plain": ("--format=plain",),
    "tar": ("--format=tar",),
    "gzip": ("--format=plain",),
}


def dumped(server: Postgres, folder: Path, kind: str = "custom", *options: str, database: str = "old") -> Path:
    """A dump of the old site, with its owners and rights, as people make them."""
    path = server.dump(database, folder / f"{kind}.dump", *FORMATS[kind], *options)
    if kind == "gzip":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_dump_becomes_the_site_s_database_and_what_was_there_is_kept(
    site: Postgres, bring: Bring, tmp_path: Path, kind: str
) -> None:
    dump = dumped(site, tmp_path, kind)
    result, shown = bring(dump)
    assert result["failed"]
    assert result["msg"].startswith("The database site of main has 1 table (")
    assert "It would be called site_before_1 then, and stay. Nothing was changed." in result["msg"]
    assert result["msg"].endswith(f"-e database=main -e dump={dump} -e confirm=prod")
    assert databases(site) == ["site"]
    result, shown = bring(dump, confirm="prod")
    assert not result.get("failed"), result
    assert (result["changed"], result["tables"], result["rows"], result["kept"]) == (True, 6, ROWS, "site_before_1")
    assert result["counted"]
    assert f"6 tables with {ROWS:,} rows, as many as the dump has" in shown
    assert databases(site) == ["site", "site_before_1"]
    assert site.sql("SELECT id FROM fresh", "site_before_1") == "7"
    assert site.sql("SELECT count(*) FROM people", "site") == "2500"
    assert site.sql('SELECT line FROM "Odd Name"."a.b" WHERE line LIKE \'two%\'', "site") == "two\nlines"
    assert "GRANT boss TO shop;\nALTER TABLE people OWNER TO nobody;" in site.sql(
        "SELECT prosrc FROM pg_proc WHERE proname = 'told'", "site"
    )
    assert site.sql("SELECT obj_description('people'::regclass)", "site") == "who\nREVOKE nothing;\ncame"
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    assert site.sql(owners, "site") == "clerk"
    assert site.sql("SELECT bool_and(datallowconn) FROM pg_database WHERE datname LIKE 'site%'") == "t"
    assert PASSWORD not in (tmp_path / "log").read_text()


def test_a_site_that_has_users_of_its_own_has_all_of_the_dump(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    """As rotate_secrets.yml has left it: both users act as the owner, and import_data logs in as the master."""
    site.sql("SET ROLE clerk; CREATE ROLE clerk_owner NOLOGIN CREATEDB; GRANT clerk_owner TO clerk")
    try:
        assert bring(dumped(site, tmp_path), confirm="prod")[0]["rows"] == ROWS
        owners = (
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        assert site.sql(owners, "site") == "clerk_owner"
        assert site.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'site'") == "clerk_owner"
        site.sql("SET ROLE clerk_owner; CREATE TABLE later (id int); DROP TABLE people CASCADE", "site")
        assert bring(dumped(site, tmp_path, "plain"), confirm="prod")[0]["kept"] == "site_before_2"
    finally:
        for name in databases(site):
            site.sql(f"DROP DATABASE {name} WITH (FORCE)")
        site.sql("ALTER DATABASE postgres OWNER TO clerk; DROP OWNED BY clerk_owner; DROP ROLE clerk_owner")


def test_the_same_dump_again_changes_nothing_and_another_one_keeps_both(
    site: Postgres, bring: Bring, tmp_path: Path
) -> None:
    dump = dumped(site, tmp_path)
    assert bring(dump, confirm="prod")[0]["kept"] == "site_before_1"
    result, shown = bring(dump, confirm="prod")
    assert not result["changed"]
    assert "the database site is this dump already" in shown
    assert bring(dump, confirm="prod", overwrite=True)[0]["kept"] == "site_before_2"
    other = dumped(site, tmp_path, "plain", "--exclude-table=child")
    assert "site_before_3 then" in bring(other)[0]["msg"]
    assert databases(site) == ["site", "site_before_1", "site_before_2"]


def test_an_empty_database_needs_no_word_and_a_check_run_changes_nothing(
    site: Postgres, bring: Bring, tmp_path: Path
) -> None:
    site.sql("DROP TABLE fresh", "site")
    dump = dumped(site, tmp_path)
    result, shown = bring(dump, check=True)
    assert (result["changed"], result["kept"]) == (True, "site_before_1")
    assert "would be restored as site_import_data, and called site then, site site_before_1" in shown
    assert databases(site) == ["site"]
    assert bring(dump)[0]["rows"] == ROWS


def test_who_is_connected_meanwhile_is_sent_away(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    dump = dumped(site, tmp_path)
    place = ["--host", str(site.folder), "--port", str(site.port), "--username", "clerk", "--dbname", "site"]
    visitor = subprocess.Popen(["psql", *place], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=shell())
    try:
        until(
            lambda: site.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'site'") == "1",
            "the visitor", 20, lambda: "",
        )  # fmt: skip
        assert bring(dump, confirm="prod")[0]["kept"] == "site_before_1"
    finally:
        visitor.kill()
        visitor.communicate()


def test_a_dump_that_does_not_fit_leaves_the_site_alone(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    dump = dumped(site, tmp_path, "plain")
    text = dump.read_text()
    for wrong, said in (
        (text.replace("CREATE VIEW", "CREATE EXTENSION nowhere;\nCREATE VIEW"), "extension"),
        (text.replace("\t'it''s'", "").replace("person 7\t", "person 7\tx\t"), "extra data after last expected column"),
        (text[: len(text) // 2], "it ends in the middle"),
        (text.replace("-- PostgreSQL database dump complete", ""), "it ends in the middle"),
        ("hello", "its beginning is not that of a file of pg_dump"),
        (text.replace("CREATE VIEW", "\\connect x\nCREATE VIEW"), "it is of a whole server, or was made with --create"),
        (text.replace("CREATE VIEW", "\\! id\nCREATE VIEW"), "it has a command for psql, \\! id"),
    ):
        dump.write_text(wrong)
        result, _ = bring(dump, confirm="prod")
        assert said in result["msg"], result
        assert "Nothing of the site was changed" in result["msg"]
        assert site.sql("SELECT id FROM fresh", "site") == "7"
        assert "site_before_1" not in databases(site)
        if "site_import_data" in databases(site):
            tables = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            assert site.sql(tables, "site_import_data") == "0", "one transaction: nothing of it is there"


def test_a_custom_dump_that_was_cut_is_told(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    dump = dumped(site, tmp_path)
    dump.write_bytes(dump.read_bytes()[:-5000])
    assert "could not be restored into the database main: pg_restore: error:" in bring(dump, confirm="prod")[0]["msg"]
    assert site.sql("SELECT id FROM fresh", "site") == "7"


def test_rows_that_are_not_counted_are_said(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    dump = dumped(site, tmp_path, "plain", "--inserts")
    result, shown = bring(dump, confirm="prod")
    assert (result["counted"], result["rows"]) == (False, 0)
    assert "rows as INSERT were not counted" in shown
    assert site.sql("SELECT count(*) FROM people", "site") == "2500"


def test_what_was_restored_with_other_rows_is_not_switched_to(
    site: Postgres, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Server.counts
    monkeypatch.setattr(Server, "counts", lambda *given: counts(*given) | {"public.people": 2499})
    result, _ = bring(dumped(site, tmp_path), confirm="prod")
    assert "has not the rows of the dump: public.people has 2,499 rows, the dump 2,500. Nothing of the" in result["msg"]
    assert databases(site) == ["site", "site_import_data"]
    monkeypatch.undo()


def test_the_way_back_is_what_the_page_says(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    assert bring(dumped(site, tmp_path), confirm="prod")[0]["kept"] == "site_before_1"
    page = (PROJECT / "docs/move.md").read_text()
    (typed,) = re.findall(r"^```sql\n(.+?)^```", page, re.MULTILINE | re.DOTALL)
    site.sql(f"SET ROLE clerk;\n{typed}")
    assert site.sql("SELECT id FROM fresh", "site") == "7"
    assert site.sql("SELECT count(*) FROM people", "site_moved_1") == "2500"


def test_a_switch_that_fails_lets_everybody_in_again(
    site: Postgres, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Server, "free_name", lambda *_: "postgres")  # which is there already
        result, _ = bring(dumped(site, tmp_path), confirm="prod")
    assert 'database "postgres" already exists. Nothing of the site was changed' in result["msg"]
    assert site.sql("SELECT datallowconn FROM pg_database WHERE datname = 'site'") == "t"
    assert site.sql("SELECT id FROM fresh", "site") == "7"


def test_after_a_kill_the_same_command_goes_on(site: Postgres, bring: Bring, tmp_path: Path) -> None:
    """Killed while it is being restored, as something in the dump is slow."""
    dump = dumped(site, tmp_path, "plain")
    slow = dump.read_text().replace("CREATE VIEW", "SELECT pg_sleep(60);\nCREATE VIEW")
    (tmp_path / "slow.sql").write_text(slow)
    code = textwrap.dedent(f"""
        from pathlib import Path
        from plugins.action import database_import
        from tests.unit.plugin_support import run_action
        from tests.unit.plugins.action.test_database_import import arguments
        from tests.unit.postgres_support import Postgres
        from tests.unit.rds_support import site_client
        server = Postgres({site.port}, Path({str(site.folder)!r}))
        given = arguments(Path({str(tmp_path / "slow.sql")!r}), confirm="prod")
        run_action(database_import, given, client=lambda _: site_client(server), say=lambda *said: None)
    """)
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'site_import_data' AND query LIKE '%pg_sleep%'"
    run = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT)
    try:
        until(lambda: site.sql(sleeping) == "1", "the slow dump", 60, lambda: "")
        processes = "\n".join(
            path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.exists()
        )
        assert "--field-separator=" in processes
        assert PASSWORD not in processes
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    result, _ = bring(dump, confirm="prod")
    assert result.get("rows") == ROWS, result
    assert databases(site) == ["site", "site_before_1"]


def test_what_was_restored_as_a_whole_is_not_restored_again(
    site: Postgres, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = dumped(site, tmp_path)
    with monkeypatch.context() as patch:

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(Server, "switch", killed)
        with pytest.raises(KeyboardInterrupt):
            bring(dump, confirm="prod")
    assert databases(site) == ["site", "site_import_data"]
    site.sql("ALTER DATABASE site ALLOW_CONNECTIONS false")
    result, shown = bring(dump, confirm="prod")
    assert "site_import_data is this dump already, restored as a whole" in shown
    assert (result.get("rows"), result.get("kept")) == (ROWS, "site_before_1"), result
    assert site.sql("SELECT id FROM fresh", "site_before_1") == "7"


def test_a_database_of_that_name_that_is_somebody_else_s_is_left_alone(
    site: Postgres, bring: Bring, tmp_path: Path
) -> None:
    site.sql("SET ROLE clerk; CREATE DATABASE site_import_data;")
    site.sql("SET ROLE clerk; CREATE TABLE theirs (id int);", "site_import_data")
    result, _ = bring(dumped(site, tmp_path), confirm="prod")
    assert "a database site_import_data that import_data.yml has not made" in result["msg"]
    assert site.sql("SELECT count(*) FROM theirs", "site_import_data") == "0"


def test_without_a_way_or_a_program_it_is_said(
    site: Postgres, bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = dumped(site, tmp_path)
    with monkeypatch.context() as patch:
        patch.setenv("REFUSED", "1")
        said = "No host leads to the database main at 127.0.0.1:"
        assert bring(dump)[0]["msg"].startswith(said)
    assert "nowhere: No such file or directory. Type:" in bring(tmp_path / "nowhere")[0]["msg"]
    assert "it is a folder. Make one file" in bring(tmp_path)[0]["msg"]
    secret = json.dumps({"host": "x"})
    nobody = SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": secret})  # noqa: ARG005 # as boto3 calls it
    given = arguments(dump, stack="", address="127.0.0.1", secret="arn:secret")  # noqa: S106 # a name
    result = run_action(database_import, given, client=lambda _service: nobody, say=lambda *_: None)
    assert result["msg"] == "The secret of the database main has no password and no username in it."
    there = ["ssh", "psql"]
    monkeypatch.setattr("plugins.action.database_import.shutil.which", lambda name: name if name in there else None)
    assert bring(dump)[0]["msg"].startswith("This machine has no pg_restore, by which a dump is restored.")

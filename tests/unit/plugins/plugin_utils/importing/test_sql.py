"""What of a dump is restored, and how many rows it has."""

from __future__ import annotations

import pytest

from plugins.plugin_utils.importing.sql import Dump, Unfit

END = "-- PostgreSQL database dump complete\n"
SETTINGS = {"search_path", "client_encoding"}


def restored(text: str, tell: list[tuple[str, int]] | None = None) -> tuple[str, Dump]:
    """The lines that are left of a dump, and what was learnt."""
    told = tell if tell is not None else []
    dump = Dump(text.encode().splitlines(keepends=True), SETTINGS, lambda *said: told.append(said))
    return b"".join(dump).decode(), dump


@pytest.mark.parametrize(
    "line",
    [
        "ALTER TABLE public.people OWNER TO shop;",
        "GRANT SELECT ON TABLE public.people TO boss;",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
        "ALTER DEFAULT PRIVILEGES FOR ROLE shop REVOKE ALL ON TABLES FROM shop;",
        "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';",
        "COMMENT ON SCHEMA public IS 'standard public schema';",
        "CREATE OR REPLACE PROCEDURAL LANGUAGE plpgsql;",
        "CREATE SCHEMA public;",
        "SET transaction_timeout = 0;",
    ],
)
def test_what_belongs_to_the_old_server_is_left_out_unless_a_text_says_it(line: str) -> None:
    before, after = "SET client_encoding = 'UTF8';\n", "SELECT 1;\n"
    assert restored(f"{before}{line}\r\n{after}{END}")[0] == before + after + END
    for begin, end in (("AS $_$", "$_$;"), ("IS '", "';"), ("IS 'it''s $$ \"", "';"), ('"it\'s $$" AS $$', "$$;")):
        inner = line.replace("'", "''") if end == "';" else line
        quoted = f"CREATE FUNCTION x() {begin}\n{inner}\n-- it''s a text\n{end}\n"
        assert restored(quoted + line + "\n" + after + END)[0] == quoted + after + END, begin


@pytest.mark.parametrize(
    "line",
    ["ALTER TABLE public.people ADD COLUMN owner text;", "CREATE SCHEMA publications;", "SET search_path = 'x';",
     "COMMENT ON EXTENSION hstore IS 'x';", "\\restrict Ab12", "\\unrestrict Ab12"],
)  # fmt: skip
def test_what_only_looks_like_it_is_restored(line: str) -> None:
    assert restored(f"{line}\n{END}")[0] == f"{line}\n{END}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("\\connect shop", "it is of a whole server, or was made with --create"),
        ("\\c shop", "it is of a whole server"),
        ("CREATE DATABASE shop;", "it is of a whole server"),
        ("CREATE ROLE shop;", "it is of a whole server"),
        ("\\! id", "it has a command for psql, \\! id, which pg_dump does not write"),
        ("\\copy people from x", "it has a command for psql"),
    ],
)
def test_what_pg_dump_of_a_database_does_not_write_ends_it(line: str, why: str) -> None:
    with pytest.raises(Unfit, match=why.replace("\\", r"\\")):
        restored(f"{line}\n{END}")
    rows = f"COPY public.people (line) FROM stdin;\n{line}\n\\.\n{END}"
    assert restored(rows)[0] == rows, "a row may say anything"


def test_rows_are_counted_by_the_names_that_sql_takes() -> None:
    told: list[tuple[str, int]] = []
    text = (
        "SET search_path = old, pg_catalog;\n"
        "COPY people (id) FROM stdin;\n1\n2\n\\.\n"
        'COPY "Odd.Name" (id) FROM stdin;\n\\.\n'
        'COPY public."a ""b"" c" (id) FROM stdin;\n\\.x\n\\.\n'
        "COPY public.many (id) FROM stdin;\n" + "1\n" * 2500 + "\\.\n"
    )
    _, dump = restored(text + END, told)
    assert dump.rows == {"old.people": 2, 'old."Odd.Name"': 0, 'public."a ""b"" c"': 1, "public.many": 2500}
    assert told == [("public.many", 1000), ("public.many", 2000)]
    assert not dump.inserts
    assert dump.skipped == []
    _, dump = restored(f"SET newer = on;\nINSERT INTO people VALUES (1);\n{END}")
    assert (dump.rows, dump.inserts, dump.skipped) == ({}, True, ["newer"])


@pytest.mark.parametrize("cut", ["SELECT 1;\n", "COPY public.people (id) FROM stdin;\n1\n", ""])
def test_a_dump_that_ends_in_the_middle_is_told(cut: str) -> None:
    with pytest.raises(Unfit, match="it ends in the middle"):
        restored(cut)

"""The words that no database is called by are those that PostgreSQL reserves."""

from __future__ import annotations

from plugins.plugin_utils.site.nouns.database import RESERVED
from tests.unit.postgres_support import postgres

NEWER = {"system_user"}
"""Reserved since PostgreSQL 16; the one of this machine may be older."""


def test_they_are_those_of_a_real_server() -> None:
    with postgres() as server:
        told = set(server.sql("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").split())
    assert told <= RESERVED
    assert told | NEWER >= RESERVED

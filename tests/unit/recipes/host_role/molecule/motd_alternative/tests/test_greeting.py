"""The greeting of a host."""

from __future__ import annotations

from typing import Any


def test_the_greeting_begins_as_it_is_set(host: Any) -> None:
    assert host.file("/etc/motd").content_string.startswith("Hello to a host of ")

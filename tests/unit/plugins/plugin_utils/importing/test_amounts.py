"""How far it is, as a person reads it."""

from __future__ import annotations

import pytest

from plugins.plugin_utils.importing.amounts import TELL_SECONDS, Teller, amount, some


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (3 * 2**30 + 2**28, "3.2 GiB"), (2**60, "1048576.0 TiB")],
)
def test_bytes(size: int, said: str) -> None:
    assert amount(size) == said


def test_numbers() -> None:
    assert [some(1, "file"), some(1204, "file"), some(0, "row")] == ["1 file", "1,204 files", "0 rows"]


def test_it_is_said_now_and_then_and_what_is_left() -> None:
    now, said = [0.0], list[str]()
    teller = Teller(said.append, "{files} of {of}, {bytes} of {all}", 4, 4096, lambda: now[0])
    teller.more(1, 1024)
    assert said == [], "not at once"
    now[0] = TELL_SECONDS
    teller.more(0, 0)
    teller.more(1, 1024)
    assert said == ["1 of 4, 1.0 KiB of 4.0 KiB, about 0:30 left"]
    now[0] = 2 * TELL_SECONDS
    teller.more(2, 2048)
    assert said[1:] == ["4 of 4, 4.0 KiB of 4.0 KiB"]

"""Every layer, host role, verb and resource type has all that CONTRIBUTING lists."""

from __future__ import annotations

import pytest

from tests.unit.render_support import PROJECT
from tests.unit.room_support import MISSING


@pytest.mark.parametrize("kind", MISSING)
def test_nothing_is_missing(kind: str) -> None:
    missing = list(MISSING[kind](PROJECT))
    assert missing == [], "CONTRIBUTING says what belongs to it"

"""What a failed result says: of a loop the failed items only."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.callback.troubleshooting import said


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"failed": True, "msg": "no", "stdout": "x"}, ["no"]),
        (
            {"failed": True, "msg": "non-zero return code", "stderr": "Rate exceeded"},
            ["non-zero return code", "Rate exceeded"],
        ),
        ({"failed": True, "msg": "", "stderr": "Rate exceeded"}, ["Rate exceeded"]),
        ({"failed": True}, []),
        (
            {
                "failed": True,
                "msg": "One or more items failed",
                "results": [{"failed": False, "msg": "all right"}, {"failed": True, "msg": "no"}, {"msg": "fine"}],
            },
            ["no"],
        ),
        ({"failed": True, "msg": "no list", "results": [{"changed": False}]}, ["no list"]),
        ({"failed": True, "msg": "words", "results": ["a"]}, ["words"]),
        ({"failed": True, "msg": "nothing", "results": None}, ["nothing"]),
    ],
)
def test_what_a_failed_result_says(result: dict[str, Any], says: list[str]) -> None:
    assert list(said(result)) == says

"""What is no test of this tree; and templates, compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any

import jinja2
import pytest

collect_ignore = ["recipes"]  # what test_recipes.py adds to a copy of the tree, and runs there

SETTINGS = (
    "block_start_string", "block_end_string", "variable_start_string", "variable_end_string", "comment_start_string",
    "comment_end_string", "line_statement_prefix", "line_comment_prefix", "trim_blocks", "lstrip_blocks",
    "newline_sequence", "keep_trailing_newline", "optimized", "finalize", "autoescape", "is_async",
)  # fmt: skip
"""Of an environment, what it compiles depends on: https://jinja.palletsprojects.com/en/stable/api/#jinja2.Environment"""


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Compile each template once in this process, as hundreds of tests render the same ones.

    Jinja keeps what a loader has read, and Ansible has none: compiling is two thirds of judging an account's answer.
    """
    compiled = dict[Any, CodeType]()
    compiling = jinja2.Environment.compile

    def compile_once(self: jinja2.Environment, source: Any, *given: Any, **named: Any) -> Any:
        if not isinstance(source, str):
            return compiling(self, source, *given, **named)
        settings = (getattr(self, name) for name in SETTINGS)
        key = (type(self), *settings, str(source), *given, *sorted(named.items()))
        if key not in compiled:
            compiled[key] = compiling(self, source, *given, **named)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield

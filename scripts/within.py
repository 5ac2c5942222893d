"""`--within SECONDS` for pytest, loaded by `make check`: no test is begun after that."""

from __future__ import annotations

import time

import pytest

BEGUN = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.addoption("--within", type=float, metavar="SECONDS", help="skip the tests that are not begun by then")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what there is no time for."""
    within = item.config.getoption("--within")
    if within is not None and time.monotonic() - BEGUN > within:
        pytest.skip(f"not begun within {within:g} s")

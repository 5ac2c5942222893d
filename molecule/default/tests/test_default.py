"""What the whole host play leaves behind, besides the suite of molecule/shared/tests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.host_files import owned_files


def test_there_are_files_to_look_for() -> None:
    assert len(owned_files()) > 5


@pytest.mark.parametrize(("path", "mode"), owned_files())
def test_the_roles_files_are_there(host: Any, path: str, mode: str) -> None:
    with host.sudo():
        assert host.check_output("stat -c '%%04a %%U %%G' %s", path) == f"{mode} root root"

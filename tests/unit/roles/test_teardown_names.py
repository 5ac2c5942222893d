"""What a teardown takes for the site's own by its name."""

from __future__ import annotations

import pytest

from plugins.modules.leftovers import Owner
from tests.unit.variables_support import evaluate, variables


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("shop-prod-service-web", True),
        ("shop-prod-run-web", True),
        ("shop-prod-job-migrate", True),
        ("shop-prod-runs", False),
        ("shop-prod-live-run-web", False),
    ],
)
def test_the_task_definitions_of_run_go_with_the_others(name: str, owned: bool) -> None:
    nouns = evaluate("{{ teardown_nouns }}", variables("roles/teardown/vars/main.yml"))
    assert Owner("shop-prod", {}, nouns).owns(name) == owned

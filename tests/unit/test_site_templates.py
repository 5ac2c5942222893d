"""Which templates are looked at for their length, and how long one may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from plugins.plugin_utils.layers import BODY_BYTES
from plugins.plugin_utils.roles import Roles
from plugins.plugin_utils.site_templates import template_problems
from tests.unit.render_support import PROJECT
from tests.unit.site.support import read, small

TEMPLATES = PROJECT / "cloudformation"
LONG = ", ".join(f"A{each}: {each}" for each in range(1_000))
JOB = "image: shop/web, command: x, run: by_hand, mem_limit: 64m"
FUNCTION = "code: hello, handler: app.handler, runtime: python3.13"
ROUTES = ", ".join(f"GET /{'a' * 60}{each}" for each in range(160))
"""Short in the inventory, and a resource each in the template."""


class Bodies:
    """Stands for the roles: gives each chosen entry the same template."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.chosen: set[str] = set()

    def has_entries(self, _word: str) -> bool:
        return True

    def bodies(self, word: str, _templates: Path, chosen: Iterable[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for name in chosen:
            self.chosen.add(f"{word}.{name}")
            yield name, self.body, {}


def told(roles: Bodies, text: str) -> list[str]:
    return [each.sentence for each in template_problems(cast(Roles, roles), read(small(text)), TEMPLATES)]


@pytest.mark.parametrize(
    ("body", "takes"),
    [("x" * BODY_BYTES, True), ("x" * (BODY_BYTES + 1), False), ("é" * (BODY_BYTES // 2 + 1), False)],
    ids=["as long as a call carries", "a byte more", "fewer letters, but more bytes"],
)
def test_a_template_may_have_as_many_bytes_as_a_call_carries(body: str, takes: bool) -> None:
    found = told(Bodies(body), "site_services: {web: {patch: {TaskDefinition.PidMode: host}}}")
    assert found == [] if takes else ["CloudFormation takes 51200" in sentence for sentence in found] == [True]


@pytest.mark.parametrize(
    ("entry", "looked_at"),
    [
        ("site_services: {web: {containers: {web: {environment: {A: b}}}}}", set()),
        (f"site_services: {{web: {{containers: {{web: {{environment: {{{LONG}}}}}}}}}}}", {"service.web"}),
        (f"site_jobs: {{night: {{{JOB}, environment: {{{LONG}}}}}}}", {"job.night"}),
        (f"site_functions: {{hello: {{{FUNCTION}, routes: $default}}}}", set()),
        (f"site_functions: {{hello: {{{FUNCTION}, routes: [{ROUTES}]}}}}", {"function.hello"}),
        ("site_buckets: {files: {patch: {Bucket.ObjectLockEnabled: false}}}", {"bucket.files"}),
    ],
    ids=["short", "a service", "a job", "a short function", "a function", "with a patch"],
)
def test_only_what_may_be_long_or_has_a_patch_is_looked_at(entry: str, looked_at: set[str]) -> None:
    roles = Bodies("")
    assert told(roles, entry) == []
    assert roles.chosen == looked_at

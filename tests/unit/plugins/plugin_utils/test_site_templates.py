"""Which templates are looked at for their length, and how long one may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from plugins.plugin_utils.layers import BODY_BYTES
from plugins.plugin_utils.roles import Roles
from plugins.plugin_utils.site_templates import template_problems
from tests.unit.plugins.plugin_utils.site.support import read, small
from tests.unit.render_support import PROJECT

TEMPLATES = PROJECT / "cloudformation"
LONG = ", ".join(f"A{each}: {each}" for each in range(1_000))
JOB = "image: shop/web, command: x, run: by_hand, mem_limit: 64m"
FUNCTION = "code: hello, handler: app.handler, runtime: python3.13"
ROUTES = ", ".join(f"GET /{'a' * 60}{each}" for each in range(160))
"""Short in the inventory, and a resource each in the template."""
PATCHED = "site_services: {web: {patch: {TaskDefinition.PidMode: host}}}"


class Bodies:
    """Stands for the roles: gives each chosen entry the same template."""

    def __init__(self, body: str, patches: dict[str, Any] | None = None, entries: bool = True) -> None:
        self.body, self.patches, self.entries = body, patches or {}, entries
        self.words: list[str] = []
        self.chosen: set[str] = set()

    def has_entries(self, _word: str) -> bool:
        return self.entries

    def bodies(self, word: str, _templates: Path, chosen: Iterable[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        self.words.append(word)
        for name in chosen:
            self.chosen.add(f"{word}.{name}")
            yield name, self.body, self.patches


def told(roles: Bodies, text: str, templates: Path = TEMPLATES) -> dict[str, str]:
    """Subject → sentence of each problem."""
    problems = template_problems(cast(Roles, roles), read(small(text)), templates)
    return {problem.subject: problem.sentence for problem in problems}


@pytest.mark.parametrize(
    ("body", "takes"),
    [("x" * BODY_BYTES, True), ("x" * (BODY_BYTES + 1), False), ("é" * (BODY_BYTES // 2 + 1), False)],
    ids=["as long as a call carries", "a byte more", "fewer letters, but more bytes"],
)
def test_a_template_may_have_as_many_bytes_as_a_call_carries(body: str, takes: bool) -> None:
    found = told(Bodies(body), PATCHED)
    assert list(found) == ([] if takes else ["site_services.web"])
    assert takes or "CloudFormation takes 51200" in found["site_services.web"]


def test_a_patch_counts_where_it_leads_and_is_told_where_it_leads_nowhere() -> None:
    body = "Resources: {Service: {Type: AWS::ECS::Service}}"
    assert told(Bodies(body, {"Service.Name": "x"}), PATCHED) == {}
    assert list(told(Bodies(body, {"Service.Name": "x" * BODY_BYTES}), PATCHED)) == ["site_services.web"]
    ((subject, sentence),) = told(Bodies(body, {"Srvice.Name": "x"}), PATCHED).items()
    assert (subject, sentence.partition(";")[0]) == (
        "site_services.web.patch.Srvice.Name", "leads nowhere in the template of service.web",
    )  # fmt: skip


def test_what_no_role_describes_by_entries_is_not_looked_at() -> None:
    roles = Bodies("x" * (BODY_BYTES + 1), entries=False)
    assert told(roles, PATCHED) == {}
    assert roles.words == []


def test_the_template_itself_counts(tmp_path: Path) -> None:
    roles = Bodies("")
    for word in ("service", "job", "function"):
        (tmp_path / f"{word}.yml").write_text("x" * BODY_BYTES)
    assert told(roles, "", tmp_path) == {}
    assert roles.chosen == {"service.web"}


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
    assert told(roles, entry) == {}
    assert roles.chosen == looked_at
    assert roles.words == [each.partition(".")[0] for each in looked_at], "nothing is rendered for nobody"

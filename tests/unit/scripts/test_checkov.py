"""What checkov is not to find: said on the resource, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.plugin_utils.layers import parsed
from tests.unit.render_support import PROJECT

CHECK = re.compile(r"CKV2?_AWS_[0-9]+")
TEMPLATES = sorted((PROJECT / "cloudformation").glob("*.yml"))


def unreasoned(text: str) -> Iterator[str]:
    """Exceptions of a template without a reason, of no check, or said twice."""
    for name, resource in parsed(text)["Resources"].items():
        seen = set()
        for each in (resource.get("Metadata") or {}).get("checkov", {}).get("skip", []):
            check, reason = each.get("id", ""), each.get("comment") or ""
            if not CHECK.fullmatch(check) or check in seen or len(reason.split()) < 3 or set(each) != {"id", "comment"}:
                yield f"{name}: {check}"
            seen.add(check)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_each_exception_has_its_reason(path: Path) -> None:
    assert list(unreasoned(path.read_text())) == []


@pytest.mark.parametrize(
    ("skip", "found"),
    [
        ("{id: CKV_AWS_18, comment: nobody asks for it}", []),
        ("{id: CKV_AWS_18}", ["Bucket: CKV_AWS_18"]),
        ("{id: CKV_AWS_18, comment: no}", ["Bucket: CKV_AWS_18"]),
        ("{id: S3_18, comment: nobody asks for it}", ["Bucket: S3_18"]),
        ("{id: CKV_AWS_18, comment: nobody asks for it, until: 2027}", ["Bucket: CKV_AWS_18"]),
    ],
)
def test_one_without_is_found(skip: str, found: list[str]) -> None:
    text = f"Resources: {{Bucket: {{Type: AWS::S3::Bucket, Metadata: {{checkov: {{skip: [{skip}]}}}}}}}}"
    assert list(unreasoned(text)) == found


def test_what_it_is_made_of_is_pinned() -> None:
    lines = (PROJECT / "requirements-checkov.txt").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^\s;]+", line) for line in pinned)
    assert any(line.startswith("checkov==") for line in pinned)

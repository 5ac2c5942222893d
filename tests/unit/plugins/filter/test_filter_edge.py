"""Which buckets the CDN of a site may read, and that nobody else comes to read them."""

from __future__ import annotations

from typing import Any

import yaml

from plugins.filter.edge import read_by_edge, statements
from plugins.plugin_utils.roles import patch_by_patch
from tests.unit.render_support import PROJECT

ENTRIES: dict[str, dict[str, Any]] = {"front": {"patch": {}}, "docs": {"patch": {}}}
EDGE = {"buckets": ["static.front", "bucket.docs"]}
POLICY = "FilesPolicy.PolicyDocument.Statement"


def test_only_what_it_reads_has_a_statement_for_it() -> None:
    made = read_by_edge(ENTRIES, "static", EDGE, "Files", "FilesPolicy")
    assert made["docs"] == ENTRIES["docs"]
    assert made["front"]["patch"] == {POLICY: statements("Files")}
    assert read_by_edge(ENTRIES, "static", {}, "Files", "FilesPolicy") == ENTRIES


def test_what_the_inventory_patches_holds() -> None:
    own: dict[str, dict[str, Any]] = {"front": {"patch": {POLICY: [], "Files.Tags": []}}}
    assert read_by_edge(own, "static", EDGE, "Files", "FilesPolicy") == own


def test_the_policy_says_what_it_said_before_and_lets_in_cloudfront() -> None:
    for layer, bucket, policy in (("static", "Files", "FilesPolicy"), ("bucket", "Bucket", "BucketPolicy")):
        body = (PROJECT / f"cloudformation/{layer}.yml").read_text()

        def said(body: str, policy: str = policy) -> list[dict[str, Any]]:
            found = yaml.safe_load(patch_by_patch(body, {})[0])["Resources"]
            return list(found[policy]["Properties"]["PolicyDocument"]["Statement"])

        made, _, lost = patch_by_patch(body, {f"{policy}.PolicyDocument.Statement": statements(bucket)})
        (tls,) = said(body)
        before, edge = said(made)
        assert lost == []
        assert before == tls
        assert (edge["Effect"], edge["Action"]) == ("Allow", "s3:GetObject")
        assert edge["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert "aws:SourceArn" in edge["Condition"]["ArnLike"]

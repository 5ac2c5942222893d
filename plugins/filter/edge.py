"""What the CDN of a site is given to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def read_by_edge(
    entries: Mapping[str, Mapping[str, Any]], noun: str, edge: Mapping[str, Any], bucket: str, policy: str
) -> dict[str, Any]:
    """Entries that have a bucket, those that the CDN reads with a statement for it in their bucket's policy.

    A bucket has one policy, and no other stack can add to it. What the inventory itself patches holds.

    Args:
        entries: entry → what it is.
        noun: `static`, `bucket`.
        edge: the CDN, as lookup('site', 'edge') tells it; empty if there is none.
        bucket: logical id of the bucket in the noun's template.
        policy: of its policy.
    """
    read = edge.get("buckets", [])
    patch = {f"{policy}.PolicyDocument.Statement": statements(bucket)}
    return {
        name: {**entry, "patch": {**patch, **entry.get("patch", {})}} if f"{noun}.{name}" in read else entry
        for name, entry in entries.items()
    }


def statements(bucket: str) -> list[dict[str, Any]]:
    """Who may do what with a bucket that a CDN reads: nobody without TLS, and the account's own distributions read.

    Which of them it will be is not known when the bucket is made, and another would have to name this bucket.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """
    arn, within = {"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}
    distributions = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*"
    return [
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, within],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "Edge",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": within,
            "Condition": {"ArnLike": {"aws:SourceArn": {"Fn::Sub": distributions}}},
        },
    ]


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"read_by_edge": read_by_edge}

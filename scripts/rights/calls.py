"""Which calls of AWS the project makes: what a scan of our plugins finds, and what a recording of the verbs heard.

The scan needs no list to be kept: a name that is an operation of a service for which some plugin asks a client is a
call, whether it is called as a method or given by name to a paginator or a helper. What collections and their
inventory plugin call stands in no source of ours; that is recorded (tests/recorder) while `make e2e` runs every verb.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import botocore.session
from botocore import xform_name

from local_aws.access import actions as needed

PROJECT = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("recorded_calls.json")
"""{verb: {caller: ["<service> <Operation>", …]}}; a caller is a plugin of ours or `<namespace>.<collection>.<name>`."""

DIFFERENT = {
    # No call of ours, but the word by which `uses` of an inventory gives the right (site/nouns/function.py).
    ("lambda", "Invoke"): (),
    # A verb of ours.
    ("kms", "Verify"): (),
    # Ansible's other word for a lookup (plugins/plugin_utils/settled.py).
    ("dynamodb", "Query"): (),
}
"""What the scan finds and is none, besides what the embedded AWS knows too (local_aws/access/actions.py)."""

RARE: Mapping[str, Collection[tuple[str, str]]] = {
    "community.aws.acm_certificate": [
        ("acm", "ListCertificates"), ("acm", "DescribeCertificate"), ("acm", "ListTagsForCertificate"),
        ("acm", "GetCertificate"),  # of one that is issued
        ("acm", "DeleteCertificate"),
    ],
    "amazon.aws.s3_bucket": [
        ("s3", "HeadBucket"), ("s3", "ListObjectVersions"), ("s3", "DeleteObjects"), ("s3", "DeleteBucket"),
    ],
    "community.aws.secretsmanager_secret": [
        ("secretsmanager", "DescribeSecret"), ("secretsmanager", "DeleteSecret"),
    ],
}  # fmt: skip
"""What modules of collections call that the end-to-end run never comes to (a certificate that was left behind, a bucket
with files in it, a secret that is given up); a unit test records it."""

Recorded = Mapping[str, Mapping[str, Collection[tuple[str, str]]]]
"""Verb → caller → calls, as (service, operation)."""

CLIENT_MAKERS = ("client", "service")
"""Functions whose first argument names a service, without underscores before: `self.client("ecs")`."""


_SESSION = botocore.session.get_session()


@functools.cache
def _operations(service: str) -> dict[str, str]:
    """Method of boto3's client → operation, of one service."""
    return {xform_name(name): name for name in _SESSION.get_service_model(service).operation_names}


def actions(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions that a call needs.

    Args:
        service: boto3's name, `efs`.
        operation: the API's, `DescribeFileSystems`.
    """
    return DIFFERENT.get((service, operation), needed.actions(service, operation))


def _services(tree: ast.AST) -> set[str]:
    """Services of which a file makes clients."""
    available = set(_SESSION.get_available_services())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name.strip("_") in CLIENT_MAKERS and node.args[0].value in available:
                found.add(str(node.args[0].value))
    return found


def _names(tree: ast.AST) -> set[str]:
    """All attributes and strings of a file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def scanned(files: Iterable[Path] | None = None) -> dict[str, set[tuple[str, str]]]:
    """File (its stem) → the calls in it, as (service, operation).

    A name that several services have (`describe_tags`) counts for those of them that the file makes clients of, or for
    all where it makes none. That is too many at times, never too few, and may only happen to a call that reads.

    Raises:
        ValueError: it cannot be told which service a call that changes something goes to.
    """
    paths = sorted((PROJECT / "plugins").rglob("*.py")) if files is None else files
    trees = {path: ast.parse(path.read_text()) for path in paths}
    services = {path: _services(tree) for path, tree in trees.items()}
    everywhere = set[str]().union(*services.values())
    found: dict[str, set[tuple[str, str]]] = {}
    for path, tree in trees.items():
        for name in _names(tree):
            among = {service for service in everywhere if name in _operations(service)}
            if len(among) > 1:
                among = among & services[path] or among  # a client may also be handed over
                if len(among) > 1 and not re.match(r"(describe|list|get)_", name):
                    raise ValueError(f"{path.name}: {name} is a call of {', '.join(sorted(among))}; which is meant?")
            found.setdefault(path.stem, set()).update((service, _operations(service)[name]) for service in among)
    return {stem: calls for stem, calls in found.items() if calls}


def recorded(text: str | None = None) -> Recorded:
    """Verb → caller → calls, as (service, operation), of a text that `summary` made; by default of `RECORDED`."""
    content: Mapping[str, Mapping[str, list[str]]] = json.loads(text or RECORDED.read_text())
    return {
        verb: {caller: {_pair(call) for call in calls} for caller, calls in callers.items()}
        for verb, callers in content.items()
    }


def of_collections() -> dict[str, set[tuple[str, str]]]:
    """Module or plugin of a collection → its calls, whatever the verb."""
    found = {caller: set(made) for caller, made in RARE.items()}
    for callers in recorded().values():
        for caller, calls in callers.items():
            if "." in caller:
                found.setdefault(caller, set()).update(calls)
    return found


def summary(lines: Iterable[str]) -> str:
    """Text for `RECORDED` from the lines that the recorder wrote."""
    found: dict[str, dict[str, set[str]]] = {}
    for line in lines:
        verb, caller, service, operation = line.split()
        found.setdefault(verb, {}).setdefault(caller, set()).add(f"{service} {operation}")
    listed = {
        verb: {caller: sorted(calls) for caller, calls in sorted(callers.items())}
        for verb, callers in sorted(found.items())
    }
    return json.dumps(listed, indent=1) + "\n"


def _pair(call: str) -> tuple[str, str]:
    service, operation = call.split()
    return service, operation

"""What the registry's scan has found: shown, and judged from a severity on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ecr.models import ecr_backends

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import images, scans
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from tests.unit.plugins.plugin_utils.verify.support import ACCOUNT, only

COUNTS = {"HIGH": 2, "MEDIUM": 5, "UNDEFINED": 1}
NAMES = [{"name": f"CVE-2026-{number}", "severity": "HIGH"} for number in (2, 1)]
NAMES += [{"name": "CVE-2026-9", "severity": "MEDIUM"}]
INSPECTED = [{"packageVulnerabilityDetails": {"vulnerabilityId": f"CVE-{n}"}, "severity": "CRITICAL"} for n in range(5)]


class Ecr:
    """A registry that answers so."""

    def __init__(self, status: str, description: str = "", code: str = "", **found: Any) -> None:
        self._status, self._found, self._code = {"status": status, "description": description}, found, code

    def describe_image_scan_findings(self, repositoryName: str, imageId: dict[str, str]) -> dict[str, Any]:
        assert (repositoryName, imageId) == ("shop/app", {"imageDigest": "sha256:a"})
        if self._code:
            raise ClientError({"Error": {"Code": self._code}}, "DescribeImageScanFindings")
        return {"imageScanStatus": self._status, "imageScanFindings": self._found}


def asked(ecr: Any, threshold: str = "none") -> Finding:
    return only(scans.check(ecr, "shop/app", "service.web/app", "sha256:a", threshold))


def test_what_was_found_is_shown_and_no_failure_unless_that_is_wanted() -> None:
    found = asked(Ecr("COMPLETE", findingSeverityCounts=COUNTS, findings=NAMES))
    assert (found.state, found.reason) == (OK, "2 HIGH, 5 MEDIUM, 1 UNDEFINED")
    assert (asked(Ecr("COMPLETE")).state, asked(Ecr("COMPLETE")).reason) == (OK, "none")


@pytest.mark.parametrize(
    ("threshold", "state"), [("critical", OK), ("high", WRONG), ("medium", WRONG), ("low", WRONG), ("none", OK)]
)
def test_a_weakness_is_wrong_from_the_threshold_on(threshold: str, state: str) -> None:
    assert asked(Ecr("COMPLETE", findingSeverityCounts=COUNTS, findings=NAMES), threshold).state == state
    assert asked(Ecr("COMPLETE"), threshold).state == OK, "none is never wrong"


def test_what_is_wrong_is_named_with_what_to_do() -> None:
    said = asked(Ecr("COMPLETE", findingSeverityCounts=COUNTS, findings=NAMES), "high").reason
    assert said.startswith("2 HIGH, 5 MEDIUM, 1 UNDEFINED (CVE-2026-1, CVE-2026-2), and image_scan_threshold is high. ")
    assert "Build the image on a newer base and release it: ansible-playbook " in said
    many = asked(Ecr("ACTIVE", findingSeverityCounts={"CRITICAL": 5}, enhancedFindings=INSPECTED), "low").reason
    assert many.startswith("5 CRITICAL (CVE-0, CVE-1, CVE-2, …), and")


@pytest.mark.parametrize(
    ("ecr", "why"),
    [
        (Ecr("", code="ScanNotFoundException"), "the registry has not scanned it"),
        (Ecr("", code="ImageNotFoundException"), "the registry has not scanned it"),
        (Ecr("IN_PROGRESS"), "it is being scanned; in a minute: "),
        (Ecr("PENDING"), "it is being scanned"),
        (Ecr("UNSUPPORTED_IMAGE", "UnsupportedImageError: no"), "could not scan it (UnsupportedImageError: no)"),
        (Ecr("FAILED"), "could not scan it (FAILED)"),
    ],
)
def test_without_a_scan_nothing_is_said_of_an_image(ecr: Ecr, why: str) -> None:
    found = asked(ecr, "low")
    assert (found.state, why in found.reason) == (NOT_ASKED, True)


def test_a_right_that_is_missing_takes_nothing_else_along(monkeypatch: pytest.MonkeyPatch) -> None:
    ecr = Ecr("", code="AccessDeniedException")
    with pytest.raises(ClientError):
        asked(ecr)
    monkeypatch.setattr(images, "look", lambda *_: images.Found("sha256:index", ("linux/amd64",), (), "sha256:a"))
    known = {"reg/shop/app": "shop/app"}
    seen = list(images.check(ecr, known, "service.web/app", "reg/shop/app:1", "shop/app", "linux/amd64", "high"))
    assert [(each.what, each.state) for each in seen] == [("in the registry", OK), (scans.WHAT, NOT_ASKED)]
    old = list(images.check(ecr, known, "x", "reg/shop/app:1", "shop/app", "linux/amd64"))
    assert [each.what for each in old] == ["in the registry"], "of an image that a rollback would bring back"


def push(ecr: Any) -> str:
    """Digest of an image that is pushed."""
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": f"sha256:{'c' * 64}"}, "layers": []}
    made = ecr.put_image(repositoryName="shop/app", imageTag="1", imageManifest=json.dumps(manifest))
    return str(made["image"]["imageId"]["imageDigest"])


def test_the_embedded_registry_answers_as_one_that_knows_no_package_unless_a_test_says_more(aws: Cloud) -> None:
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="shop/app", imageScanningConfiguration={"scanOnPush": True})
    digest = push(ecr)

    def seen() -> Finding:
        return only(scans.check(ecr, "shop/app", "service.web/app", digest, "high"))

    assert (seen().state, "package manager are not supported" in seen().reason) == (NOT_ASKED, True)
    result = {
        "repositoryName": "shop/app", "imageId": {"imageDigest": digest}, "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"findingSeverityCounts": {"CRITICAL": 1}, "findings": []},
    }  # fmt: skip
    ecr_backends[ACCOUNT]["us-east-1"].scan_finding_results.append(result)
    assert (seen().state, seen().reason.startswith("1 CRITICAL, and")) == (WRONG, True)


def test_one_that_scans_nothing_on_push_has_scanned_nothing(aws: Cloud) -> None:
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="shop/app")
    found = only(scans.check(ecr, "shop/app", "x", push(ecr), "high"))
    assert (found.state, "has not scanned it" in found.reason) == (NOT_ASKED, True)

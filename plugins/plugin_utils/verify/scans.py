"""What the registry's scan has found in an image: packages with known weaknesses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding

WHAT = "known weaknesses"
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED", "UNTRIAGED")
"""Of Amazon's scans, the worst first; the last two are of what nobody has judged yet.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanFindings.html
"""
NONE = "none"
DONE = ("COMPLETE", "ACTIVE")
"""Once, and all the time (enhanced scanning)."""
UNDER_WAY = ("IN_PROGRESS", "PENDING")
NAMED = 3
"""How many weaknesses are named; the registry's page of the image has all."""


def check(ecr: Any, repository: str, subject: str, digest: str, threshold: str) -> Iterator[Finding]:
    """Ask for the scan of an image.

    Args:
        ecr: client.
        repository: name of the repository.
        subject: of the finding.
        digest: of what the hosts run.
        threshold: severity from which on a weakness is wrong, in small letters; `none` judges none.

    Raises:
        ClientError: a right is missing.
    """
    try:
        # one page: how many there are of each severity stands in each, and few are named
        found = ecr.describe_image_scan_findings(repositoryName=repository, imageId={"imageDigest": digest})
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ScanNotFoundException", "ImageNotFoundException"):
            raise
        why = "the registry has not scanned it; it scans what is pushed, and later: aws ecr start-image-scan"
        yield Finding("image", subject, WHAT, NOT_ASKED, f"{why} --repository-name {repository} --image-id …")
        return
    status = found.get("imageScanStatus", {})
    if status.get("status") in DONE:
        yield judge(subject, found.get("imageScanFindings", {}), threshold)
    elif status.get("status") in UNDER_WAY:
        yield Finding("image", subject, WHAT, NOT_ASKED, f"it is being scanned; in a minute: {verb('verify.yml')}")
    else:
        why = f"the registry could not scan it ({status.get('description') or status.get('status')})"
        yield Finding("image", subject, WHAT, NOT_ASKED, why)


def judge(subject: str, found: Mapping[str, Any], threshold: str) -> Finding:
    """The finding about a scan that is through."""
    counts = {name: found.get("findingSeverityCounts", {}).get(name, 0) for name in SEVERITIES}
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "none"
    worst = SEVERITIES[: SEVERITIES.index(threshold.upper()) + 1] if threshold != NONE else ()
    if not any(counts[name] for name in worst):
        return Finding("image", subject, WHAT, OK, said)
    names = [
        str(each.get("name") or each.get("packageVulnerabilityDetails", {}).get("vulnerabilityId"))
        for each in [*found.get("findings", ()), *found.get("enhancedFindings", ())]
        if each.get("severity") in worst
    ]
    named = f" ({', '.join(sorted(set(names))[:NAMED])}{', …' if len(set(names)) > NAMED else ''})" if names else ""
    mend = f"Build the image on a newer base and release it: {verb('release.yml')}"
    why = f"{said}{named}, and image_scan_threshold is {threshold}. {mend}"
    return Finding("image", subject, WHAT, WRONG, why)

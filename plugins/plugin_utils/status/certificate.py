"""The certificate: whether it is issued, and for how long it holds.

Asks DescribeCertificate. ACM renews what is in use 60 days before its end, if its records are still in the zone.
https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
"""

from __future__ import annotations

import datetime
from typing import Any

from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import iso

LEAST_DAYS = 21


def look(client: Client, arn: str, now: datetime.datetime) -> Part:
    """Ask for the certificate, and judge.

    Args:
        client: gives a boto3 client.
        arn: of the certificate.
        now: with its time zone.
    """
    part = Part()
    found = part.ask("certificate", "acm", _described, client("acm"), arn)
    if found:
        part.facts = _facts(found, now)
        _judge(part, arn)
    return part


def _described(acm: Any, arn: str) -> dict[str, Any]:
    return dict(acm.describe_certificate(CertificateArn=arn)["Certificate"])


def _facts(found: dict[str, Any], now: datetime.datetime) -> dict[str, Any]:
    end = found.get("NotAfter")
    return {
        "domain": found["DomainName"],
        "names": sorted(found.get("SubjectAlternativeNames", [])),
        "status": found["Status"],
        "ends": iso(end) if end else "",
        "days_left": (end - now).days if end else None,
        "renewal": found.get("RenewalSummary", {}).get("RenewalStatus", ""),
    }


def _judge(part: Part, arn: str) -> None:
    facts, typed = part.facts, f"aws acm describe-certificate --certificate-arn {arn}"
    if facts["status"] != "ISSUED":
        part.is_wrong("certificate", f"is {facts['status']}, not ISSUED", typed)
    elif facts["days_left"] is not None and facts["days_left"] < LEAST_DAYS:
        state = f" (renewal: {facts['renewal']})" if facts["renewal"] else ""
        part.is_wrong(
            "certificate",
            f"ends in {facts['days_left']} days and was not renewed{state}: its validation records must be in the zone",
            typed,
        )

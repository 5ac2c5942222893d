"""Certificates are issued when their validation records are in Route 53, not after a while."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.cloudfront.models import cloudfront_backends
from moto.core.utils import utcnow
from moto.elbv2 import elbv2_backends
from moto.route53 import route53_backends

from local_aws.config import ACCOUNT_ID
from local_aws.patches._moto import AwsError, around, instead


def validation_record(domain: str) -> dict[str, str]:
    """The CNAME that proves control over `domain`: the same for a name and its wildcard, and in every region.

    https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
    """
    base = domain.removeprefix("*.").rstrip(".")
    token = hashlib.md5(f"{ACCOUNT_ID}/{base}".encode(), usedforsecurity=False).hexdigest()
    proof = hashlib.md5(f"proof/{ACCOUNT_ID}/{base}".encode(), usedforsecurity=False).hexdigest()
    return {"Name": f"_{token}.{base}.", "Type": "CNAME", "Value": f"_{proof}.jkddzztszm.acm-validations.aws."}


def in_route53(record: dict[str, str]) -> bool:
    """Whether a public hosted zone has `record`."""
    name, value = record["Name"].rstrip(".").lower(), record["Value"].rstrip(".").lower()
    return any(
        item.type == record["Type"]
        and item.name.rstrip(".").lower() == name
        and value in [one.rstrip(".").lower() for one in item.records]
        for zone in list(route53_backends[ACCOUNT_ID]["aws"].zones.values())
        if not zone.private_zone
        for item in list(zone.rrsets)
    )


def domains(certificate: Any) -> list[str]:
    """The names of a certificate, its own first."""
    return [certificate.common_name, *sorted(set(certificate.sans) - {certificate.common_name})]


def users(arn: str) -> list[str]:
    """ARNs of the load balancers of which a listener has this certificate, and of the distributions that have it."""
    backend = elbv2_backends[ACCOUNT_ID][arn.split(":")[3]]
    return sorted(
        {
            listener.load_balancer_arn
            for balancer in list(backend.load_balancers.values())
            for listener in list(balancer.listeners.values())
            if arn in listener.certificates or arn == listener.certificate
        }
        | {
            distribution.arn
            for distribution in list(cloudfront_backends[ACCOUNT_ID]["aws"].distributions.values())
            if arn == (distribution.distribution_config.get("ViewerCertificate") or {}).get("ACMCertificateArn")
        }
    )


@around(AWSCertificateManagerBackend, "delete_certificate")
def _delete_certificate(delete: Any, self: Any, arn: str) -> None:
    if using := users(arn):
        raise AwsError("ResourceInUseException", f"Certificate {arn} in account {ACCOUNT_ID} is in use by {using[0]}.")
    delete(self, arn)


@instead(CertBundle, "check")
def _check(self: Any) -> None:
    if self._not_valid_after(self._cert) <= utcnow():
        self.status = "EXPIRED"
    elif (
        self.type == "AMAZON_ISSUED"
        and self.status == "PENDING_VALIDATION"
        and all(in_route53(validation_record(domain)) for domain in domains(self))
    ):
        self.status = "ISSUED"


@around(CertBundle, "describe")
def _describe(describe: Any, self: Any) -> Any:
    certificate = describe(self)["Certificate"]
    certificate["SubjectAlternativeNames"] = domains(self)
    if "DomainValidationOptions" in certificate:
        options = {option["DomainName"]: option for option in certificate["DomainValidationOptions"]}
        for domain, option in options.items():
            record = validation_record(domain)
            option["ResourceRecord"] = record
            option["ValidationStatus"] = "SUCCESS" if in_route53(record) else "PENDING_VALIDATION"
        certificate["DomainValidationOptions"] = [options[domain] for domain in domains(self)]
    certificate["InUseBy"] = users(self.arn)
    if self.status == "PENDING_VALIDATION":
        certificate.pop("IssuedAt", None)
    return {"Certificate": certificate}

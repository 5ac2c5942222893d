"""ACM certificates with DNS validation."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, pick, removed_tags
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]


class Certificate(Handler):
    TYPE = "AWS::CertificateManager::Certificate"
    SECONDS = 72 * 3600.0
    """How long ACM waits for validation. https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html"""

    def create(self, context: Context, properties: Properties) -> str:
        if properties.get("ValidationMethod", "EMAIL") != "DNS":
            # Email is what ACM does by default; nobody reads mail here.
            raise NotImplementedError(f"{self.TYPE}: set ValidationMethod: DNS; the embedded AWS sends no e-mail.")
        arn: str = call(
            context,
            "acm",
            "request_certificate",
            Tags=context.tag_list(properties) or None,
            **self._options(properties),
            **pick(properties, "DomainName", "SubjectAlternativeNames", "ValidationMethod", "KeyAlgorithm"),
        )["CertificateArn"]
        context.created(arn)
        self._validate(context, arn, properties)
        return arn

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "CertificateTransparencyLoggingPreference", "CertificateExport"):
            call(context, "acm", "update_certificate_options", CertificateArn=physical_id, **self._options(new))
        tags = context.tag_list(new)
        if gone := removed_tags(old, tags):
            removed = [{"Key": key} for key in gone]
            call(context, "acm", "remove_tags_from_certificate", CertificateArn=physical_id, Tags=removed)
        if tags:
            call(context, "acm", "add_tags_to_certificate", CertificateArn=physical_id, Tags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        # The validation record stays in the zone, as on AWS.
        with absent_is_fine():
            call(context, "acm", "delete_certificate", CertificateArn=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"CertificateArn": physical_id}

    def _options(self, properties: Properties) -> dict[str, Any]:
        names = {
            "CertificateTransparencyLoggingPreference": "CertificateTransparencyLoggingPreference",
            "CertificateExport": "Export",
        }
        options = {name: properties[key] for key, name in names.items() if key in properties}
        return {"Options": options} if options else {}

    def _validate(self, context: Context, arn: str, properties: Properties) -> None:
        """Write the validation records into the zones that the template names, report the others, wait for ISSUED."""
        options = properties.get("DomainValidationOptions") or []
        zones = {option["DomainName"]: option.get("HostedZoneId") for option in options}
        told = set()
        for domain in self._describe(context, arn)["DomainValidationOptions"]:
            record = domain["ResourceRecord"]
            if record["Name"] in told:  # a name and its wildcard share one record
                continue
            told.add(record["Name"])
            if zone := zones.get(domain["DomainName"]):
                self._upsert(context, zone, record)
            else:
                text = f"Name: {record['Name']},Type: {record['Type']},Value: {record['Value']}"
                context.event(f"Content of DNS Record is: {{{text}}}")

        def issued() -> bool:
            found = self._describe(context, arn)
            if found["Status"] not in ("ISSUED", "PENDING_VALIDATION"):
                raise RuntimeError(f"Certificate {arn} is {found['Status']}: {found.get('FailureReason', '')}")
            return bool(found["Status"] == "ISSUED")

        context.wait(issued, self.SECONDS, "the certificate's DNS record")

    def _describe(self, context: Context, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = call(context, "acm", "describe_certificate", CertificateArn=arn)["Certificate"]
        return found

    def _upsert(self, context: Context, zone: str, record: dict[str, str]) -> None:
        values = [{"Value": record["Value"]}]
        record_set = {"Name": record["Name"], "Type": record["Type"], "TTL": 300, "ResourceRecords": values}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set}]}
        call(context, "route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)

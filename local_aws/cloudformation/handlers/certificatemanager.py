"""ACM certificates with DNS validation."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.calls import absent_is_fine, call, changed, pick
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
        if gone := context.untagged(old, new):
            removed = [{"Key": key} for key in gone]
            call(context, "acm", "remove_tags_from_certificate", CertificateArn=physical_id, Tags=removed)
        if tags := context.tag_list(new):
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
        records = {
            each["DomainName"]: each["ResourceRecord"]
            for each in self._describe(context, arn)["DomainValidationOptions"]
        }
        batches: dict[str, list[dict[str, str]]] = {}
        for name, zone in zones.items():
            if zone and name in records:
                batches.setdefault(zone, []).append(records[name])
        for zone, batch in batches.items():
            self._upsert(context, zone, batch)
        made = [record for batch in batches.values() for record in batch]
        for record in {each["Name"]: each for each in records.values() if each not in made}.values():
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

    def _upsert(self, context: Context, zone: str, records: list[dict[str, str]]) -> None:
        """One batch a zone; a name and its wildcard have one record, which Route 53 refuses to take twice in it.

        https://github.com/aws/aws-cdk/issues/9248
        """
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": record["Name"],
                    "Type": record["Type"],
                    "TTL": 300,
                    "ResourceRecords": [{"Value": record["Value"]}],
                },
            }
            for record in records
        ]
        batch = {"Changes": changes}
        call(context, "route53", "change_resource_record_sets", HostedZoneId=zone, ChangeBatch=batch)

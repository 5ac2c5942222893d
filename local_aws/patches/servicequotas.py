"""The quotas of ACM, EC2 and EFS that preflight asks for, with the values of a new account; nothing enforces them.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from local_aws.patches._moto import around, missing

KNOWN = {
    ("acm", "L-FB94F0B0"): ("Domain names per ACM certificate", 10.0),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5.0),
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5.0),
    ("elasticfilesystem", "L-848C634D"): ("File systems per account", 1000.0),
}
"""Service and code of each quota → its name and value."""


@around(ServiceQuotasBackend, "get_service_quota")
def _get_service_quota(get: Any, self: Any, service_code: str, quota_code: str) -> Any:
    if (service_code, quota_code) in KNOWN:
        name, value = KNOWN[service_code, quota_code]
        return {"ServiceCode": service_code, "QuotaCode": quota_code, "QuotaName": name, "Value": value}
    return get(self, service_code, quota_code)


@missing(ServiceQuotasResponse, "get_aws_default_service_quota")
def _get_aws_default_service_quota(self: Any) -> str:
    asked = json.loads(self.body)
    quota = self.backend.get_service_quota(str(asked.get("ServiceCode")), str(asked.get("QuotaCode")))
    return json.dumps({"Quota": quota})

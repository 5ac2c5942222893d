"""AWS-managed policies of the partition that there is: moto makes 1,600 for each of five, a second of every start."""

from __future__ import annotations

from typing import Any

from moto.iam.models import IAMBackend

from local_aws.patches._moto import around


@around(IAMBackend, "_init_aws_policies")
def _policies(make: Any, self: Any) -> list[Any]:
    return list(make(self)) if self.region_name == "aws" else []

"""S3: moto takes a statement of a bucket's policy for one without its Condition, so that `TlsOnly` denies everything.

No condition is evaluated here, as no rights are: such a statement counts for nothing.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from local_aws.patches._moto import instead


@instead(FakeBucket, "get_permission")
def _permission(self: Any, action: str, resource: str) -> PermissionResult:
    if self.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(self.policy)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    unconditional = [each for each in statements if "Condition" not in each]
    return IAMPolicy(json.dumps({**policy, "Statement": unconditional})).is_action_permitted(action, resource)

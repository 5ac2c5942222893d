"""S3: moto takes a statement of a bucket's policy for one without its Condition, so that `TlsOnly` denies everything.

No condition is evaluated here, as no rights are: such a statement counts for nothing.

And moto's server lets pages of any origin read any answer. Here a bucket's own CORS rules say which may, as on S3.

Its conditional writes are no more than a look and a write; here nothing comes between.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.moto_server import werkzeug_app
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response
from moto.s3.utils import cors_matches_origin

from local_aws.patches._moto import around, instead

werkzeug_app.DISABLE_GLOBAL_CORS = True
_WRITES = threading.RLock()


@instead(FakeBucket, "get_permission")
def _permission(self: Any, action: str, resource: str) -> PermissionResult:
    if self.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(self.policy)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    unconditional = [each for each in statements if "Condition" not in each]
    return IAMPolicy(json.dumps({**policy, "Statement": unconditional})).is_action_permitted(action, resource)


@around(S3Response, "_get_cors_headers_other")
def _cors_headers(headers: Any, self: Any) -> dict[str, Any]:
    """None unless a rule names the origin and the method: moto looks at the origin alone."""
    origin = self.headers.get("Origin", "")
    bucket = self.backend.buckets.get(self.bucket_name)
    allowed = bucket and any(
        cors_matches_origin(origin, rule.allowed_origins or []) and self.request.method in (rule.allowed_methods or [])
        for rule in bucket.cors
    )
    found: dict[str, Any] = headers(self) if origin and allowed else {}
    return found


@around(S3Response, "bucket_response")
@around(S3Response, "key_response")
def _response(answer: Any, self: Any, request: Any, full_url: str, headers: Any) -> Any:
    """With CORS headers whatever was asked for, or the page that has put something there is not told how it went."""
    status, said, body = answer(self, request, full_url, headers)
    return status, said if request.method == "OPTIONS" else {**self._get_cors_headers_other(), **said}, body


@around(S3Response, "put_object")
@around(S3Response, "delete_object")
def _one_after_the_other(write: Any, self: Any) -> Any:
    """moto looks whether a condition (If-Match, If-None-Match) holds, and then writes; of two requests both may have looked."""
    with _WRITES:
        return write(self)

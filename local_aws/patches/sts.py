"""Who types the verbs is told who that is: the user whose rights IAM judges, and not moto's own."""

from __future__ import annotations

from typing import Any

from moto.sts.models import STSBackend

from local_aws.cloud import ACCESS_KEY, CALLER
from local_aws.patches._moto import around


@around(STSBackend, "get_caller_identity")
def _get_caller_identity(get: Any, self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
    from local_aws.access import operator  # which needs moto patched

    if CALLER.get() != ACCESS_KEY:
        user, arn, account = get(self, access_key_id, region)
        return user, arn, account
    return operator.PRINCIPAL.unique_id, operator.PRINCIPAL.arn, operator.PRINCIPAL.account

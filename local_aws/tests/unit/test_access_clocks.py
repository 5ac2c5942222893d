"""Calls whose signature is not of now."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from local_aws.config import Iam
from local_aws.tests.access_support import Guarded

CALLS: dict[str, Callable[[Any], Any]] = {
    "ecs": lambda client: client.list_clusters(),
    "sts": lambda client: client.get_caller_identity(),
    "ec2": lambda client: client.describe_vpcs(),
    "s3": lambda client: client.list_buckets(),
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def called(guarded: Guarded, service: str, minutes: float, monkeypatch: pytest.MonkeyPatch) -> str:
    """Code and message with which a call is refused by whose clock is so late; empty if it is answered."""
    off = datetime.timedelta(minutes=minutes)
    now: Callable[..., datetime.datetime] = botocore.auth.get_current_datetime
    with monkeypatch.context() as patched:
        patched.setattr(botocore.auth, "get_current_datetime", lambda *given, **named: now(*given, **named) + off)
        try:
            CALLS[service](guarded.client(service))
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return ""


@pytest.mark.parametrize(
    ("service", "minutes", "said"),
    [
        ("ecs", -6, "InvalidSignatureException: Signature expired: "),
        ("ecs", 6, "InvalidSignatureException: Signature not yet current: "),
        ("ecs", -4, ""),
        ("ecs", 4, ""),
        ("sts", -6, "SignatureDoesNotMatch: Signature expired: "),
        ("ec2", -6, "RequestExpired: Request has expired."),
        ("s3", -16, "RequestTimeTooSkewed: The difference between the request time and the current time is too large."),
        ("s3", -14, ""),
    ],
)
def test_what_is_not_signed_now_is_refused(
    guard: Callable[..., Guarded], monkeypatch: pytest.MonkeyPatch, service: str, minutes: float, said: str
) -> None:
    refused = called(guard(policies={"all": ALL}), service, minutes, monkeypatch)
    assert refused.startswith(said)
    assert bool(refused) == bool(said)


def test_where_iam_only_records_no_clock_is_looked_at(
    guard: Callable[..., Guarded], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert called(guard(Iam.RECORD, policies={"all": ALL}), "ecs", -60, monkeypatch) == ""

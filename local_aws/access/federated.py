"""AssumeRoleWithWebIdentity: nobody signs it; an identity provider vouches for who asks, and the role trusts that.

A token's signature is not checked. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from typing import Any
from urllib.parse import parse_qs

from local_aws.access import judging
from local_aws.access.denials import Denial
from local_aws.access.estate import PARTITION, Estate
from local_aws.config import ACCOUNT_ID
from local_aws.iam.principals import Principal
from local_aws.late.calls import Environ

ACTION = "AssumeRoleWithWebIdentity"


def asked(environ: Environ) -> dict[str, str]:
    """The parameters of a request that is not signed; its body can be read again. Empty if it is no form's."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}


def denied(given: dict[str, str], estate: Estate) -> Denial | None:
    """None if the role trusts who the token names, else the denial.

    Args:
        given: RoleArn and WebIdentityToken.
        estate: where the role is.
    """
    arn, role = given.get("RoleArn", ""), estate.role(given.get("RoleArn", ""))
    said = claims(given.get("WebIdentityToken", ""))
    host = str(said.get("iss", "")).removeprefix("https://")
    provider = f"arn:{PARTITION}:iam::{ACCOUNT_ID}:oidc-provider/{host}"
    keys = {f"{host}:{name}": value for name, value in said.items() if isinstance(value, str)}
    if role is None:
        reason = f"The role {arn} does not exist."
    else:
        action = f"sts:{ACTION}"
        reason = judging.trusts(role.assume_role_policy_document, Principal.federated(provider), arn, keys, action)
    return Denial(provider, f"sts:{ACTION}", arn, reason, "", f"sts:{ACTION}") if reason else None


def claims(token: str) -> dict[str, Any]:
    """What a JSON Web Token says; nothing if it is none."""
    parts = token.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}

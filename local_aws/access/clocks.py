"""The clock of who signs: AWS refuses what was signed more than some minutes ago, or is to be signed later than now.

https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
"""

from __future__ import annotations

import datetime

from local_aws.late.calls import Answer, Call, Environ
from local_aws.late.errors import error

MINUTES, S3_MINUTES = 5, 15
FORM = "%Y%m%dT%H%M%SZ"
CODES = {
    "query": ("SignatureDoesNotMatch", 403),
    "ec2": ("RequestExpired", 400),
    "json": ("InvalidSignatureException", 400),
    "rest-json": ("InvalidSignatureException", 403),
    "rest-xml": ("SignatureDoesNotMatch", 403),
}
"""Code and HTTP status by protocol; of S3 it is RequestTimeTooSkewed."""


def refusal(environ: Environ, call: Call | None, now: datetime.datetime) -> Answer | None:
    """The refusal of a call whose signature is not of now; None of any other, and of one that says no time.

    Args:
        environ: of the request.
        call: the call; of what no model knows no time is asked.
        now: with its time zone.
    """
    said = environ.get("HTTP_X_AMZ_DATE", "")
    if call is None:
        return None
    try:
        signed = datetime.datetime.strptime(said, FORM).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None
    minutes = S3_MINUTES if call.service == "s3" else MINUTES
    margin = datetime.timedelta(minutes=minutes)
    if abs(now - signed) <= margin:
        return None
    if call.service == "s3":
        message = "The difference between the request time and the current time is too large."
        return error(call, "RequestTimeTooSkewed", message, 403)
    code, status = CODES[call.protocol]
    if call.protocol == "ec2":
        return error(call, code, "Request has expired.", status)
    late = signed < now
    edge = now - margin if late else now + margin
    what, than, sign = ("expired", "now earlier", "-") if late else ("not yet current", "still later", "+")
    message = f"Signature {what}: {said} is {than} than {edge:{FORM}} ({now:{FORM}} {sign} {minutes} min.)"
    return error(call, code, message, status)

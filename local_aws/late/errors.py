"""Errors that AWS may answer to any call, in the shape of the service's protocol."""

from __future__ import annotations

import warnings

from local_aws.late.calls import Answer, Call


class Error(Exception):
    """What moto's serializers make an error of: `code` and `message`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


THROTTLED = {
    "query": ("Throttling", 400),
    "ec2": ("RequestLimitExceeded", 503),
    "json": ("ThrottlingException", 400),
    "rest-json": ("ThrottlingException", 429),
    "rest-xml": ("Throttling", 400),
}
"""Code and HTTP status of throttling by protocol.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""
BROKEN = {
    "query": "InternalFailure",
    "ec2": "InternalError",
    "json": "ServerException",
    "rest-json": "InternalServerError",
    "rest-xml": "InternalError",
}
"""Code of a fault of AWS's own by protocol; same pages."""


def fault(call: Call, number: int) -> Answer:
    """Two of three are throttling, the others 500 and 503; nothing was done."""
    code, status = THROTTLED[call.protocol]
    if call.service == "s3":
        code, status = "SlowDown", 503
    match number % 6:
        case 0:
            return error(call, BROKEN[call.protocol], "An internal error occurred (late mode).", 500)
        case 1:
            return error(call, "ServiceUnavailable", "The service cannot be reached now (late mode).", 503)
        case _:
            return error(call, code, "Rate exceeded", status)


def lost(call: Call) -> Answer:
    """The operation was done; its answer did not arrive."""
    return error(call, BROKEN[call.protocol], "The answer was lost after the request was done (late mode).", 500)


def error(call: Call, code: str, message: str, status: int) -> Answer:
    """An error of the service."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto warns of codes that the model does not name; these are common to all
        made = call.write(Error(code, message))
    return Answer(f"{status} Error", made.headers, made.body)

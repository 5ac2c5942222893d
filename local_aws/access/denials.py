"""What becomes of a denial: a line in a file, and where IAM is enforced the refusal in the words of AWS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_aws.late.calls import Answer, Call
from local_aws.late.errors import error

CODES = {
    "query": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "rest-xml": ("AccessDenied", 403),
}
"""Code and HTTP status by protocol.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
"""
UNKNOWN_KEY = {
    "query": ("InvalidClientTokenId", 403),
    "ec2": ("AuthFailure", 401),
    "json": ("UnrecognizedClientException", 400),
    "rest-json": ("UnrecognizedClientException", 403),
    "rest-xml": ("InvalidClientTokenId", 403),
}
"""The same of a key that nobody has; of S3 it is InvalidAccessKeyId."""
QUERY_COMPATIBLE = ("sqs", "cloudwatch")
"""Services that spoke another protocol once and still say that one's code in a header, which SDKs show.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
"""
QUERY_ERROR = "x-amzn-query-error"
NO_SUCH_KEY = "The security token included in the request is invalid."


@dataclass(frozen=True)
class Denial:
    """One need that a caller has no right to.

    Attributes:
        principal: ARN of who called; a service's name; empty of nobody.
        action, resource: what was needed.
        message: in AWS's words.
        statement: what decided, where a statement denies: policy and Sid or number.
        call: `ecs:RunTask`.
    """

    principal: str
    action: str
    resource: str
    message: str
    statement: str = ""
    call: str = ""


class Denials:
    """Writes denials down and counts them.

    Args:
        path: of the file, a line of JSON a denial; None to keep none.
        tell: called with each one.
    """

    def __init__(self, path: Path | None = None, tell: Callable[[Denial], None] = lambda _denial: None) -> None:
        self.path = path
        self.counts: Counter[tuple[str, str]] = Counter()
        self._tell = tell
        self._lock = threading.Lock()

    def add(self, denial: Denial, enforced: bool) -> None:
        """Take one in.

        Args:
            denial: what was denied.
            enforced: whether the call was refused for it.
        """
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "principal": denial.principal,
            "action": denial.action, "resource": denial.resource, "message": denial.message,
            "statement": denial.statement, "call": denial.call, "refused": enforced,
        }  # fmt: skip
        with self._lock:
            self.counts[denial.principal, denial.action] += 1
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a") as file:
                    file.write(json.dumps(line) + "\n")
        self._tell(denial)


def answer(call: Call | None, message: str, head: bool = False) -> Answer:
    """A refusal as the call's service says it; of what is no call, as plain XML.

    Args:
        call: the call.
        message: see `Denial.message`.
        head: whether it was a HEAD request, whose answer has no body.
    """
    if call is None:
        return _plain("AccessDenied", message)
    code, status = CODES[call.protocol]
    if call.service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    made = error(call, code, message, status)
    headers = made.headers
    if call.service in QUERY_COMPATIBLE:
        own = [each for each in headers if each[0].lower() != QUERY_ERROR]
        headers = [*own, (QUERY_ERROR, f"{CODES['query'][0]};Sender")]
    return Answer(made.status, headers, b"" if head else made.body)


def unknown_key(call: Call | None, key: str) -> Answer:
    """The refusal of an access key that nobody has."""
    if call is None or call.service == "s3":
        return _plain(
            "InvalidAccessKeyId", f"The AWS Access Key Id you provided ({key}) does not exist in our records."
        )
    code, status = UNKNOWN_KEY[call.protocol]
    return error(call, code, NO_SUCH_KEY, status)


def unsigned(message: str, json_target: bool) -> Answer:
    """The refusal of what nobody signed and no model knows: in JSON of a service that is asked so, else in XML."""
    if json_target:
        body = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
        return Answer("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")], body)
    made = _plain("AccessDenied", message)
    text = (
        made.body.decode().replace("<Error>", "<ErrorResponse><Error>").replace("</Error>", "</Error></ErrorResponse>")
    )
    return Answer(made.status, [("Content-Type", "application/xml")], text.encode())


def _plain(code: str, message: str) -> Answer:
    text = message.replace("&", "&amp;").replace("<", "&lt;")
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message></Error>'
    headers: list[tuple[str, Any]] = [("Content-Type", "application/xml"), ("Content-Length", str(len(body.encode())))]
    return Answer("403 Forbidden", headers, body.encode())

"""The notes for programs elsewhere: GET and POST /notes by a function, over the code and the table of the pages.

Events and answers: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
from typing import Any

import notes


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Answer a request of the function's HTTP API; format 2.0."""
    if event["requestContext"]["http"]["method"] == "GET":
        return answer(200, {"notes": notes.newest()})
    try:
        return answer(201, notes.write(text(event)))
    except notes.NoteError as error:
        return answer(400, {"error": str(error)})


def text(event: dict[str, Any]) -> str:
    """The note that a request wants to be kept; empty if it has none."""
    body = event.get("body") or ""
    try:
        given = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except ValueError:
        return ""
    found = given.get("text") if isinstance(given, dict) else None
    return found if isinstance(found, str) else ""


def answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """An answer of JSON."""
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}

"""The code of the example in the role's README: it answers with the path that it was asked for."""

from __future__ import annotations

from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a request of the HTTP API."""
    return {"statusCode": 200, "body": event["rawPath"]}

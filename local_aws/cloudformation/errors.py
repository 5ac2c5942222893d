"""Errors that CloudFormation's API answers with; moto serialises them."""

from __future__ import annotations

from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError

__all__ = ["AlreadyExistsException", "CloudFormationError", "ValidationError", "limit"]


class ValidationError(CloudFormationError):
    """The request, the template or the state of the stack does not allow it."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


def limit(member: str, rule: str) -> ValidationError:
    """The error of a request member that breaks one of the API model's constraints."""
    return ValidationError(
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must {rule}"
    )

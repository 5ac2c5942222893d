"""How a patch gets hold of a method of moto."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import ServiceException

Method = Callable[..., Any]


class AwsError(ServiceException):
    """An error for the client: `AwsError(code, message)`.

    A class of our own because moto looks for the model of the service that an exception's module is named after.
    """


def around(owner: type, name: str) -> Callable[[Method], Method]:
    """Put the decorated function in place of method `name` of `owner`; its first argument is the former method.

    Raises:
        AttributeError: moto has no such method (any more).
    """
    original = getattr(owner, name)

    def decorate(replacement: Method) -> Method:
        @functools.wraps(original)
        def patched(*arguments: Any, **keywords: Any) -> Any:
            return replacement(original, *arguments, **keywords)

        setattr(owner, name, patched)
        return replacement

    return decorate


def instead(owner: type, name: str) -> Callable[[Method], Method]:
    """Replace method `name` of `owner`, which must exist."""
    getattr(owner, name)

    def decorate(replacement: Method) -> Method:
        setattr(owner, name, replacement)
        return replacement

    return decorate


def missing(owner: type, name: str) -> Callable[[Method], Method]:
    """Add method `name` to `owner`, which must not have it: moto may have learned it meanwhile.

    Raises:
        AttributeError: it has.
    """
    if hasattr(owner, name):
        raise AttributeError(f"{owner.__name__} of this moto has {name}: drop the patch.")

    def decorate(addition: Method) -> Method:
        setattr(owner, name, addition)
        return addition

    return decorate

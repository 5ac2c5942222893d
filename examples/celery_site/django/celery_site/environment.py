"""The container's environment, which is all the configuration that the site has."""

import os

from django.core.exceptions import ImproperlyConfigured


def required(name: str) -> str:
    """The value of an environment variable.

    Raises:
        ImproperlyConfigured: it is missing or empty.
    """
    value = os.environ.get(name)
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def optional(name: str, default: str) -> str:
    """The value of an environment variable, or `default` where it is missing or empty."""
    return os.environ.get(name) or default

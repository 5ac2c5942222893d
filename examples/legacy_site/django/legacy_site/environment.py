"""The container's environment, which is all the configuration that the site has."""
import os

from django.core.exceptions import ImproperlyConfigured


def required(name):
    """The value of an environment variable that must be there."""
    value = os.environ.get(name)
    if not value:
        raise ImproperlyConfigured("Set the environment variable %s." % name)
    return value


def optional(name, default):
    """The value of an environment variable, or `default` where it is missing or empty."""
    return os.environ.get(name) or default

"""Amazon ECS errors, with the `__type` that boto3 turns into an exception class."""

from __future__ import annotations


class EcsError(Exception):
    """An error answer of the ECS API.

    Args:
        kind: the `__type`, for example `ClusterNotFoundException`.
        message: what AWS would say.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def client(message: str) -> EcsError:
    """A ClientException: the caller named something that is not there or not allowed."""
    return EcsError("ClientException", message)


def invalid(message: str) -> EcsError:
    """An InvalidParameterException."""
    return EcsError("InvalidParameterException", message)


def cluster_not_found() -> EcsError:
    """A ClusterNotFoundException; AWS does not say which."""
    return EcsError("ClusterNotFoundException", "Cluster not found.")

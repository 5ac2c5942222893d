"""AWS-managed policies of the partition that there is, the audiences of a provider of tokens, boundaries that exist.

moto makes 1,600 policies for each of five partitions, a second of every start.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from local_aws.patches._moto import AwsError, around, missing


@around(IAMBackend, "_init_aws_policies")
def _policies(make: Any, self: Any) -> list[Any]:
    return list(make(self)) if self.region_name == "aws" else []


def _clients(response: Any) -> tuple[list[str], str]:
    """The audiences of the provider that is asked about, and the one that is named."""
    provider = response.backend.get_open_id_connect_provider(response._get_param("OpenIDConnectProviderArn"))
    return provider.client_id_list, response._get_param("ClientID")


@missing(IamResponse, "add_client_id_to_open_id_connect_provider")
def _add(self: Any) -> Any:
    clients, client = _clients(self)
    if client not in clients:
        clients.append(client)
    return EmptyResult()


@missing(IamResponse, "remove_client_id_from_open_id_connect_provider")
def _remove(self: Any) -> Any:
    clients, client = _clients(self)
    if client in clients:
        clients.remove(client)
    return EmptyResult()


def _refuse_unknown(backend: Any, boundary: str | None) -> None:
    """moto takes any ARN that looks like a policy's.

    Raises:
        AwsError: there is no such policy.
    """
    if boundary and boundary not in backend.managed_policies:
        raise AwsError("NoSuchEntity", f"Scope ARN: {boundary} does not exist or is not attachable.")


@around(IAMBackend, "create_role")
def _create_role(
    create: Any,
    self: Any,
    role_name: str,
    assume_role_policy_document: str,
    path: str,
    permissions_boundary: str | None,
    *arguments: Any,
    **keywords: Any,
) -> Any:
    _refuse_unknown(self, permissions_boundary)
    return create(self, role_name, assume_role_policy_document, path, permissions_boundary, *arguments, **keywords)


@around(IAMBackend, "put_role_permissions_boundary")
def _put_boundary(put: Any, self: Any, role_name: str, permissions_boundary: str) -> Any:
    _refuse_unknown(self, permissions_boundary)
    return put(self, role_name, permissions_boundary)

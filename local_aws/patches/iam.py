"""AWS-managed policies of the partition that there is, and the audiences of a provider of tokens.

moto makes 1,600 policies for each of five partitions, a second of every start.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from local_aws.patches._moto import around, missing


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

"""Who calls: by the access key in a request's signature. Signatures are not checked, as nothing here is secret.

The operator has a key of the inventory. The embedded AWS itself has one that may do everything. Sessions of roles have
those that STS gave: to hosts by the metadata service, to tasks by the agent's credentials endpoint, to functions by
their environment. Users that somebody makes have those that IAM gave.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from moto.sts.models import sts_backends

from local_aws.access import operator
from local_aws.access.estate import PARTITION, Estate
from local_aws.cloud import ACCESS_KEY, INSIDE_KEY
from local_aws.config import ACCOUNT_ID
from local_aws.edge import configuration as edge
from local_aws.iam.evaluate import Policy
from local_aws.iam.principals import Principal

Json = dict[str, Any]
KEY = re.compile(r"Credential=([^/,\s]+)/")
OLD_KEY = re.compile(r"AWS ([^:\s]+):")
"""Signature Version 2, which S3 still takes."""


@dataclass(frozen=True)
class Caller:
    """Who calls, and what IAM has for or against it.

    Attributes:
        principal: as policies name it.
        policies: those of its identity.
        boundary: its permissions boundary.
        session: the policy of its session.
        inside: whether it is the embedded AWS itself, which nobody judges.
        source: ARN of what a service calls for (aws:SourceArn); empty for everybody else.
    """

    principal: Principal
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    inside: bool = False
    source: str = ""


INSIDE = Caller(Principal.root(ACCOUNT_ID), inside=True)
NOBODY = Caller(Principal.anonymous())


def access_key(environ: Mapping[str, Any]) -> str:
    """The access key that a request is signed with, in its header or its address; empty if it is not signed."""
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    if found := KEY.search(header) or OLD_KEY.match(header):
        return found[1]
    query = str(environ.get("QUERY_STRING", ""))
    if "X-Amz-Credential" not in query and "AWSAccessKeyId" not in query:
        return ""
    given = parse_qs(query)
    if credential := given.get("X-Amz-Credential"):
        return credential[0].partition("/")[0]
    return given.get("AWSAccessKeyId", [""])[0]


class Callers:
    """Finds who has an access key.

    Args:
        estate: lookups in the embedded AWS.
        policies: the operator's.
    """

    def __init__(self, estate: Estate, policies: Mapping[str, Json]) -> None:
        self._estate = estate
        made = tuple(read(name, json.dumps(document)) for name, document in policies.items())
        self._operator = Caller(operator.PRINCIPAL, made)
        self._sessions: dict[str, Any] = {}

    def of(self, key: str) -> Caller | None:
        """Who has this key; None if nobody has."""
        if key == INSIDE_KEY:
            return INSIDE
        if key == ACCESS_KEY:
            return self._operator
        if not key:
            return NOBODY
        if key.startswith(edge.KEY):
            arn = f"arn:aws:cloudfront::{ACCOUNT_ID}:distribution/{key.removeprefix(edge.KEY)}"
            return Caller(Principal.service("cloudfront.amazonaws.com"), source=arn)
        return self._session(key) or self._user(key)

    def role(self, arn: str, session_name: str, session: str | None = None) -> Caller:
        """A session of a role; of one that is gone, with no right.

        Args:
            arn: of the role.
            session_name: of the session.
            session: the policy that it was begun with, as JSON.
        """
        bound = read("session policy", session) if session else None
        role = self._estate.role(arn)
        if role is None:
            return Caller(Principal.session(arn, session_name), session=bound)
        principal = Principal.session(role.arn, session_name, role.id, _tags(role.tags))
        return Caller(principal, _policies(role), self._boundary(role.permissions_boundary_arn), bound)

    def _session(self, key: str) -> Caller | None:
        if key not in self._sessions:
            for each in list(sts_backends[ACCOUNT_ID][PARTITION].assumed_roles):
                self._sessions[each.access_key_id] = each
        found = self._sessions.get(key)
        return self.role(found.role_arn, found.session_name, found.policy) if found is not None else None

    def _user(self, key: str) -> Caller | None:
        for user in list(self._estate.iam.users.values()):
            if key in [each.access_key_id for each in user.access_keys]:
                groups = [each for each in list(self._estate.iam.groups.values()) if user in each.users]
                policies = (*_policies(user), *(policy for group in groups for policy in _policies(group)))
                principal = Principal.user(user.arn, user.id, _tags(getattr(user, "tags", None)))
                return Caller(principal, policies, self._boundary(getattr(user, "permissions_boundary_arn", None)))
        return None

    def _boundary(self, arn: str | None) -> Policy | None:
        policy = self._estate.iam.managed_policies.get(arn) if arn else None
        return _managed(policy) if policy is not None else None


@functools.lru_cache(maxsize=2000)
def read(name: str, document: str) -> Policy:
    """A policy by its document as JSON; each is parsed once."""
    return Policy(name, document)


def _policies(owner: Any) -> tuple[Policy, ...]:
    """Inline and managed policies of a user, role or group of moto's."""
    inline = [read(f"{owner.name}/{name}", text) for name, text in list(owner.policies.items())]
    return (*inline, *(_managed(policy) for policy in list(owner.managed_policies.values())))


def _managed(policy: Any) -> Policy:
    """The default version of a managed policy."""
    text = next(each.document for each in policy.versions if each.is_default)
    return read(policy.name, text if isinstance(text, str) else json.dumps(text))


def _tags(tags: Any) -> dict[str, str]:
    """Tags in either of the ways in which moto keeps them."""
    listed = tags.values() if isinstance(tags, dict) else tags or []
    return {str(each["Key"]): str(each["Value"]) for each in listed if isinstance(each, dict)}

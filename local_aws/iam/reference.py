"""What IAM knows of actions: which types of resources each takes, and which condition keys its requests may have.

The table beside this module is AWS's Service Authorization Reference, for the services that are used here;
`scripts/iam_data.py` writes it and says from which version.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.iam import patterns

TABLE = Path(__file__).with_name("reference.json")
PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>")
OF_ONE_PART = ("${Partition}", "${Region}", "${Account}")

GLOBAL_KEYS: Mapping[str, str] = dict.fromkeys(
    (
        "aws:AssumedRoot", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:Ec2InstanceSourcePrivateIPv4",
        "aws:Ec2InstanceSourceVpc", "aws:FederatedProvider", "aws:PrincipalAccount", "aws:PrincipalOrgID",
        "aws:PrincipalServiceName", "aws:PrincipalTag/${TagKey}", "aws:PrincipalType", "aws:Referer",
        "aws:RequestedRegion", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:SourceAccount", "aws:SourceIdentity",
        "aws:SourceOrgID", "aws:SourceVpc", "aws:SourceVpce", "aws:UserAgent", "aws:VpceAccount", "aws:VpceOrgID",
        "aws:userid", "aws:username", "ec2:RoleDelivery",
    ),
    "String",
) | {
    "aws:CalledVia": "ArrayOfString",
    "aws:CurrentTime": "Date",
    "aws:EpochTime": "Date",
    "aws:MultiFactorAuthAge": "Numeric",
    "aws:MultiFactorAuthPresent": "Bool",
    "aws:PrincipalArn": "ARN",
    "aws:PrincipalIsAWSService": "Bool",
    "aws:PrincipalOrgPaths": "ArrayOfString",
    "aws:PrincipalServiceNamesList": "ArrayOfString",
    "aws:ResourceOrgPaths": "ArrayOfString",
    "aws:SecureTransport": "Bool",
    "aws:SourceArn": "ARN",
    "aws:SourceIp": "IPAddress",
    "aws:SourceOrgPaths": "ArrayOfString",
    "aws:SourceVpcArn": "ARN",
    "aws:TokenIssueTime": "Date",
    "aws:ViaAWSService": "Bool",
    "aws:VpcSourceIp": "IPAddress",
    "aws:VpceOrgPaths": "ArrayOfString",
    "ec2:SourceInstanceArn": "ARN",
    "lambda:SourceFunctionArn": "ARN",
    "ssm:SourceInstanceArn": "ARN",
}  # fmt: skip
"""Keys that a request of any action may have, with their types; those of tags and resources are their actions'.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

OF_PROVIDERS = ("${Provider}:amr", "${Provider}:aud", "${Provider}:sub")
"""Keys of each OIDC provider, by its name; the table has them of a few only.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""


@dataclass(frozen=True)
class Action:
    """An action.

    Attributes:
        name: `service:Action`, as AWS writes it.
        types: type of resource that it takes → the ARNs' pattern, a regular expression; none: only `*`.
        arns: the same patterns as AWS writes them: `arn:${Partition}:s3:::${BucketName}`.
        keys: its condition keys beyond the global ones, as AWS writes them.
    """

    name: str
    types: Mapping[str, str]
    arns: Mapping[str, str]
    keys: Collection[str]

    def takes(self, arn: str) -> str | None:
        """The type of resource that an ARN is of, None if the action takes none such."""
        return next((name for name, pattern in self.types.items() if re.fullmatch(pattern, arn)), None)

    def beginning(self, arn: str) -> str:
        """With what an ARN's last part begins, to say of which type it is: `role/`, `log-group:`; '' of a bucket."""
        last = self.arns[kind].split(":", 5)[5] if (kind := self.takes(arn)) else ""
        found = re.match(r"[^/:$<]*[/:]", last)
        return found[0] if found else ""

    def may_have(self, key: str) -> bool:
        """Whether a request of it may have a key, a global one or one of its own."""
        return type_of(key, GLOBAL_KEYS) is not None or type_of(key, dict.fromkeys(self.keys, "")) is not None


@functools.cache
def services() -> dict[str, dict[str, Any]]:
    """The table: IAM's prefix → actions, types of resources and keys (scripts/iam_data.py)."""
    content: dict[str, dict[str, Any]] = json.loads(TABLE.read_text())["services"]
    return content


@functools.cache
def _names(service: str) -> dict[str, str]:
    """Name of an action in small letters → as AWS writes it."""
    return {name.lower(): name for name in services().get(service, {}).get("actions", {})}


@functools.cache
def action(name: str) -> Action | None:
    """What is known of `service:Action`, whatever its case; None if there is no such action."""
    service, _, short = name.lower().partition(":")
    written = _names(service).get(short)
    if written is None:
        return None
    facts = services()[service]
    taken, own = facts["actions"][written]
    described = {kind: facts["types"][kind] for kind in taken}
    keys = {*own, *(key for _, keys in described.values() for key in keys)}
    if short == "assumerolewithwebidentity":
        keys.update(OF_PROVIDERS)
    arns = {kind: arn for kind, (arn, _) in described.items()}
    types = {kind: _expression(arn) for kind, arn in arns.items()}
    return Action(f"{service}:{written}", types, arns, frozenset(keys))


def actions(pattern: str) -> list[Action]:
    """The actions of a pattern as policies have them: `ecs:Describe*`."""
    service, _, short = pattern.lower().partition(":")
    found = (action(f"{service}:{name}") for name in _names(service) if patterns.action_like(short, name))
    return [each for each in found if each]


def key_type(action: str, key: str) -> str:
    """The type of a key's values (`String`, `ARN`, `ArrayOfString`, …) in requests of an action's service."""
    service = action.partition(":")[0].lower()
    return type_of(key, GLOBAL_KEYS) or type_of(key, services().get(service, {}).get("keys", {})) or "String"


def type_of(key: str, keys: Mapping[str, str]) -> str | None:
    """The type that belongs to a key, whatever its case; `aws:RequestTag/Site` is of `aws:RequestTag/${TagKey}`."""
    plain = _plain(tuple(keys))
    if (written := plain[0].get(key.lower())) is not None:
        return keys[written]
    return next((keys[written] for expression, written in plain[1] if re.fullmatch(expression, key, re.I)), None)


@functools.cache
def _plain(keys: tuple[str, ...]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Keys by their name in small letters, and by the expression of those that have a name of somebody's in them."""
    return (
        {key.lower(): key for key in keys if not PLACEHOLDER.search(key)},
        [(_expression(key), key) for key in keys if PLACEHOLDER.search(key)],
    )


def _expression(text: str) -> str:
    """A regular expression for a text in which `${Name}` or `<name>` stands for something.

    So does `*`, of which AWS makes use once: the account of a recovery point.
    """
    parts = PLACEHOLDER.split(text)
    names = ["[^:]*" if name in OF_ONE_PART else ".+" for name in PLACEHOLDER.findall(text)]
    fixed = [re.escape(part).replace(r"\*", "[^:]*") for part in parts]
    return fixed[0] + "".join(name + part for name, part in zip(names, fixed[1:], strict=True))

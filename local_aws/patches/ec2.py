"""Launch templates as EC2 keeps them, its limit on user data, consoles, and what an account presets for instances."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.responses.general import General
from moto.ec2.responses.settings import Settings
from moto.kms import kms_backends

from local_aws.patches._moto import AwsError, Method, around, instead, missing

USER_DATA_BYTES = 16384
"""Before it is encoded. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html"""
CONSOLE_BYTES = 65536
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshoot-unreachable-instance.html#instance-console-console-output"""
consoles: list[Callable[[str], bytes]] = []
"""Whoever knows what an instance wrote to its console; the instances part, if it runs."""
launched: list[Callable[[], None]] = []
"""Called once there is another instance; the instances part makes its host then, not at its next round."""


def check_user_data(encoded: Any) -> None:
    """Refuse user data that is too long.

    Raises:
        AwsError: it is, as EC2 says it.
    """
    if encoded is not None and len(base64.b64decode(str(encoded))) > USER_DATA_BYTES:
        raise AwsError("InvalidParameterValue", f"User data is limited to {USER_DATA_BYTES} bytes")


def _reachability(self: Any) -> dict[str, Any]:
    if self.state_code != 16:
        return {"Status": "not-applicable"}
    check = self.__dict__.get("reachability", "passed")
    status = {"passed": "ok", "failed": "impaired"}.get(check, check)
    return {"Status": status, "Details": [{"Name": "reachability", "Status": check}]}


# moto's status check always passes; the instances part sets `reachability` to what is true of the host:
# `initializing`, `passed` or `failed`.
Instance.instance_status = property(_reachability)


@around(LaunchTemplateVersion, "__init__")
def _init(init: Any, self: Any, template: Any, number: int, data: dict[str, Any], description: str) -> None:
    # moto puts the template's own tags into the data, and keeps a new version's user data as plain text, which it
    # cannot launch from.
    data = dict(data)
    specifications = [
        one for one in data.get("TagSpecifications") or [] if one.get("ResourceType") != "launch-template"
    ]
    data.pop("TagSpecifications", None)
    if specifications:
        data["TagSpecifications"] = specifications
    user_data = data.get("UserData")
    if isinstance(user_data, str):
        try:
            data["UserData"] = Base64EncodedString(user_data)
        except ValueError:
            raise AwsError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
    elif user_data is None:
        data.pop("UserData", None)
    check_user_data(data.get("UserData"))
    init(self, template, number, data, description)


@around(EC2Backend, "create_flow_logs")
def _create_flow_logs(original: Method, self: Any, *, log_destination: str, **named: Any) -> Any:
    """Behind a bucket's ARN a folder may stand; moto takes it for part of the name.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
    """
    made, failed = original(self, log_destination=(log_destination or "").partition("/")[0] or None, **named)
    for each in made:
        each.log_destination = log_destination
    return made, failed


@around(EC2Backend, "run_instances")
def _run_instances(
    run: Any, self: Any, image_id: str, count: int, user_data: Any, security_group_names: Any, **keywords: Any
) -> Any:
    check_user_data(user_data)
    _check_there(self, image_id, str(keywords.get("key_name") or ""))
    reservation = run(self, image_id, count, user_data, security_group_names, **keywords)
    for tell in launched:
        tell()
    return reservation


def _check_there(backend: Any, image_id: str, key_name: str) -> None:
    """Refuse an AMI that somebody has deregistered, and a key pair that there is not; moto launches both.

    An AMI that never was is launched here too: whose they are, only AWS knows.
    """
    if image_id in backend.deleted_amis:
        raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
    if key_name and key_name not in backend.key_pairs:
        raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{key_name}' does not exist")


@instead(NatGatewayBackend, "delete_nat_gateway")
def _delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
    gateway = self.nat_gateways.get(nat_gateway_id)
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"NatGateway {nat_gateway_id} was not found")
    if gateway.state != "deleted":
        gateway.state = "deleted"
        # Its address is free again, its network interface gone.
        for address in self.addresses:
            if address.eni is gateway._eni:
                address.eni = None
                address.association_id = None
        self.delete_network_interface(gateway._eni.id)
    return gateway


@instead(General, "get_console_output")
def _get_console_output(self: Any) -> ActionResult:
    # moto's is the same text for every instance.
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    if str(self._get_param("Latest")).lower() == "true":
        found = self.ec2_backend.describe_instance_types([instance.instance_type])
        if found[0].get("Hypervisor") != "nitro":
            message = "This instance type does not support retrieving the latest console logs."
            raise AwsError("UnsupportedOperation", message)
    written = b"".join(console(instance.id) for console in consoles)[-CONSOLE_BYTES:]
    return ActionResult(
        {"InstanceId": instance.id, "Timestamp": utcnow(), "Output": base64.b64encode(written).decode()}
    )


@missing(Settings, "get_ebs_default_kms_key_id")
def _get_ebs_default_kms_key_id(self: Any) -> ActionResult:
    # moto makes AWS's own key with the first volume that needs it, and keeps its ARN.
    own, keys = "alias/aws/ebs", kms_backends[self.current_account][self.region].keys.values()
    chosen = [key.arn for key in keys if key.arn == self.ec2_backend.default_kms_key_id and own not in key.aliases]
    return ActionResult({"KmsKeyId": chosen[0] if chosen else own})


METADATA = {"HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags", "HttpTokensEnforced"}


@missing(Settings, "get_instance_metadata_defaults")
def _get_instance_metadata_defaults(self: Any) -> ActionResult:
    level = self.ec2_backend.__dict__.get("metadata_defaults", {})
    return ActionResult({"AccountLevel": {**level, "ManagedBy": "account"} if level else {}})


@missing(Settings, "modify_instance_metadata_defaults")
def _modify_instance_metadata_defaults(self: Any) -> ActionResult:
    level = self.ec2_backend.__dict__.setdefault("metadata_defaults", {})
    level |= {name: value for name in METADATA if (value := self._get_param(name)) is not None}
    return ActionResult({"Return": True})

"""What there is in the embedded AWS that a request's ARNs and context depend on: looked up, never asked by an API."""

from __future__ import annotations

import json
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.efs.models import efs_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from local_aws.cloud import Cloud
from local_aws.cloudformation import api as cloudformation
from local_aws.cloudformation.errors import CloudFormationError
from local_aws.config import ACCOUNT_ID
from local_aws.ecs import control_plane as ecs

PARTITION = "aws"
Json = dict[str, Any]
ACCOUNT_ROOT = f"arn:{PARTITION}:iam::{ACCOUNT_ID}:root"
LEAVES_IT_TO_IAM: Json = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ROOT}, "Action": "kms:*", "Resource": "*"}],
}


class Estate:
    """Lookups in one embedded AWS.

    Args:
        cloud: the embedded AWS.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    @property
    def iam(self) -> Any:
        """moto's IAM."""
        return iam_backends[ACCOUNT_ID][PARTITION]

    def role(self, reference: str) -> Any | None:
        """moto's record of a role, by its ARN or name."""
        name = reference.rpartition("/")[2]
        return next((role for role in list(self.iam.roles.values()) if role.name == name), None)

    def role_arn(self, name: str, path: str = "/") -> str:
        """ARN of a role by its name; where there is none, the one that it would have at a path."""
        role = self.role(name)
        return str(role.arn) if role else f"arn:{PARTITION}:iam::{ACCOUNT_ID}:role{path}{name}"

    def profile_roles(self, reference: str) -> list[str]:
        """ARNs of the roles in an instance profile, by its ARN or name."""
        name = reference.rpartition("/")[2]
        found = next((each for each in list(self.iam.instance_profiles.values()) if each.name == name), None)
        return [str(role.arn) for role in found.roles] if found else []

    def group_of(self, instance: str, region: str) -> str:
        """Name of an instance's Auto Scaling group; empty if it has none."""
        for group in list(autoscaling_backends[ACCOUNT_ID][region].autoscaling_groups.values()):
            if any(each.instance.id == instance for each in group.instance_states):
                return str(group.name)
        return ""

    def secret_arn(self, reference: str, region: str) -> str:
        """ARN of a secret by its name or ARN, the six characters behind the name included.

        https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
        """
        for secret in list(secretsmanager_backends[ACCOUNT_ID][region].secrets.values()):
            if reference in (secret.name, secret.arn, secret.arn[:-7]):
                return str(secret.arn)
        if reference.startswith("arn:"):
            return reference
        return f"arn:{PARTITION}:secretsmanager:{region}:{ACCOUNT_ID}:secret:{reference}"

    def stack_arn(self, reference: str, region: str) -> str:
        """ARN of a stack by its name or id; of one that is not there yet `…:stack/<name>/*`, as AWS says it."""
        if reference.startswith("arn:"):
            return reference
        try:
            return str(cloudformation.engine().region(region).find(reference, True).id)
        except CloudFormationError:
            return f"arn:{PARTITION}:cloudformation:{region}:{ACCOUNT_ID}:stack/{reference}/*"

    @staticmethod
    def stack_of_change_set(arn: str, region: str) -> str:
        """ARN of the stack that a change set is for; empty where there is none."""
        found = cloudformation.engine().region(region).change_sets.get(arn)
        return str(found.stack.id) if found is not None else ""

    def definition_roles(self, reference: str, region: str) -> list[str]:
        """ARNs of the roles of a task definition, by its ARN, `family:revision` or family."""
        family, _, revision = reference.rpartition("/")[2].partition(":")
        definitions = list(ecs.of(self._cloud).state.region(region).definitions.values())
        found = [each for each in definitions if each["family"] == family]
        found = [each for each in found if revision in ("", str(each["revision"]))]
        if not found:
            return []
        newest = max(found, key=lambda each: int(each["revision"]))
        return [newest[key] for key in ("taskRoleArn", "executionRoleArn") if newest.get(key)]

    def file_system_tags(self, identifier: str, region: str) -> dict[str, str]:
        """Tags of an EFS file system by its id; none where there is none."""
        system = efs_backends[ACCOUNT_ID][region].file_systems_by_id.get(identifier.rpartition("/")[2])
        if system is None:
            return {}
        backend = efs_backends[ACCOUNT_ID][region]
        return {tag["Key"]: tag["Value"] for tag in backend.list_tags_for_resource(system.file_system_id)}

    @staticmethod
    def owner(resource: str) -> str:
        """The account of a resource whose ARN does not say it: everything here belongs to one."""
        return ACCOUNT_ID if resource != "*" and not resource.split(":")[4] else ""

    def bucket_policy(self, bucket: str) -> Json | None:
        """The policy of a bucket; None where it has none, or there is no such bucket."""
        found = s3_backends[ACCOUNT_ID][PARTITION].buckets.get(bucket)
        return _document(found.policy) if found is not None and found.policy else None

    def secret_policy(self, arn: str, region: str) -> Json | None:
        """The resource policy of a secret."""
        for secret in list(secretsmanager_backends[ACCOUNT_ID][region].secrets.values()):
            if secret.arn == arn and secret.policy:
                return _document(secret.policy)
        return None

    def key_policy(self, arn: str, region: str) -> Json:
        """The policy of a key; by default it leaves it to IAM, as that of a key that is made without one.

        https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
        """
        key = kms_backends[ACCOUNT_ID][region].keys.get(arn.rpartition("/")[2])
        return _document(key.policy) if key is not None and key.policy else LEAVES_IT_TO_IAM

    def queue_policy(self, name: str, region: str) -> Json | None:
        """The policy of a queue."""
        queue = sqs_backends[ACCOUNT_ID][region].queues.get(name)
        return _document(queue.policy) if queue is not None and queue.policy else None


def _document(policy: Any) -> Json:
    text = policy.decode() if isinstance(policy, bytes) else policy
    found: Json = json.loads(text) if isinstance(text, str) else text
    return found

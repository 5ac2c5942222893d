"""For tests of IAM at the door: an embedded AWS whose APIs ask it, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config as BotoConfig
from werkzeug.serving import make_server

from local_aws import ecs
from local_aws.access import operator
from local_aws.access.denials import Denial, Denials
from local_aws.access.front import Guard
from local_aws.cloud import ACCESS_KEY, SECRET_KEY, Cloud
from local_aws.config import Iam


class Guarded:
    """The APIs of an embedded AWS with our ECS, and IAM before them, at an address of their own.

    Args:
        cloud: whose APIs these are; it becomes the one that asks IAM.
        application: the APIs.
        mode: what becomes of a call that is denied.
        policies: the operator's; by default those of docs/ for any site.
    """

    def __init__(
        self, cloud: Cloud, application: Any, mode: Iam = Iam.ENFORCE,
        policies: Mapping[str, dict[str, Any]] | None = None,
    ) -> None:  # fmt: skip
        self.cloud = cloud
        self.denied: list[Denial] = []
        given = operator.policies() if policies is None else policies
        self._before = cloud.guard
        self.guard = cloud.guard = Guard(cloud, mode, Denials(tell=self.denied.append), given)
        self.server = make_server("127.0.0.1", 0, self.guard.before(ecs.middleware(cloud, application)), threaded=True)
        threading.Thread(target=self.server.serve_forever, name="guarded-api", daemon=True).start()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def client(
        self, service: str, region: str = "us-east-1", keys: Mapping[str, str] | None = None, **options: Any
    ) -> Any:
        """A client of the operator, or of who has these keys (Credentials of STS)."""
        given = keys or {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
        session = boto3.Session(
            given["AccessKeyId"], given["SecretAccessKey"], given.get("SessionToken"), region_name=region
        )
        config = BotoConfig(retries={"max_attempts": 1}, proxies={}, **options)
        return session.client(service, endpoint_url=self.endpoint, config=config)

    def assumed(self, name: str, *statements: Mapping[str, Any], service: str = "ecs-tasks.amazonaws.com") -> Any:
        """Keys of a session of a new role with these statements."""
        import json

        def document(*given: Mapping[str, Any]) -> str:
            return json.dumps({"Version": "2012-10-17", "Statement": list(given)})

        iam = self.cloud.client("iam")
        trust = document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="given", PolicyDocument=document(*statements))
        return self.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]

    def stop(self) -> None:
        """Stop listening; judged is as before."""
        self.server.shutdown()
        self.cloud.guard = self._before

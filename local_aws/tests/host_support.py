"""A cluster of one host, a real one, for the tests of what runs on hosts."""

from __future__ import annotations

from typing import Any

import docker

from local_aws import images
from local_aws.config import REGION
from local_aws.tests.own_server import OwnServer
from local_aws.tests.until import until


class Site:
    """A cluster of one host.

    Args:
        own: the embedded AWS.
        cluster: its name.
    """

    def __init__(self, own: OwnServer, cluster: str) -> None:
        self.own = own
        self.cluster = cluster
        self.ecs = own.client("ecs")
        self.registry = f"127.0.0.1:{own.config.registry_port}"

    def push(self, name: str) -> str:
        """Put the base image into the registry under a name of its own."""
        image = f"{self.registry}/{name}"
        self.own.client("ecr").create_repository(repositoryName=name)
        engine = self.own.docker
        engine.images.get(images.ensure("base-bookworm")).tag(image, "1")
        try:
            for line in engine.api.push(image, "1", stream=True, decode=True, auth_config={}):
                assert "error" not in line, line
        finally:
            engine.images.remove(f"{image}:1")
        return f"{image}:1"

    def instance(self) -> dict[str, Any]:
        arns = self.ecs.list_container_instances(cluster=self.cluster)["containerInstanceArns"]
        if not arns:
            return {}
        asked = {"cluster": self.cluster, "containerInstances": arns, "include": ["TAGS"]}
        return dict(self.ecs.describe_container_instances(**asked)["containerInstances"][0])

    def run(self, family: str, *containers: dict[str, Any], **more: Any) -> str:
        definition = self.ecs.register_task_definition(
            family=family,
            containerDefinitions=[{"memory": 64, "stopTimeout": 2, **each} for each in containers],
            **more,
        )["taskDefinition"]["taskDefinitionArn"]
        answer = self.ecs.run_task(cluster=self.cluster, taskDefinition=definition)
        assert answer["failures"] == []
        return str(answer["tasks"][0]["taskArn"])

    def task(self, arn: str) -> dict[str, Any]:
        return dict(self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0])

    def reach(self, arn: str, status: str) -> dict[str, Any]:
        until(lambda: self.task(arn)["lastStatus"] == status, f"{arn} {status}", 90)
        return self.task(arn)

    def on_host(self, command: str) -> str:
        """Output of a shell command on the host."""
        name = self.own.config.container(self.instance()["ec2InstanceId"])
        try:
            done = self.own.docker.containers.get(name).exec_run(["bash", "-c", command])
        except docker.errors.NotFound:
            return ""
        return str(done.output.decode().strip())

    def boot(self, user_data: str) -> None:
        """Make the cluster and its host, with its own role, and wait until the agent is connected."""
        self.ecs.create_cluster(clusterName=self.cluster)
        iam, ec2 = self.own.client("iam"), self.own.client("ec2")
        iam.create_role(RoleName="host", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
        iam.create_instance_profile(InstanceProfileName="host")
        iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
        network = str(self.own.config.network.network_address).rpartition(".")[0]
        vpc = ec2.create_vpc(CidrBlock=f"{network}.0/20")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{network}.0/24", AvailabilityZone=f"{REGION}a")["Subnet"]
        ec2.run_instances(
            ImageId="ami-1",
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet["SubnetId"],
            IamInstanceProfile={"Name": "host"},
            UserData=user_data,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Site", "Value": "shop"}]}],
        )
        until(lambda: self.instance().get("agentConnected"), "the agent to connect", 180)

"""Failures of stacks, of rights, sessions and messages: what the embedded AWS's APIs really answer to them."""

from __future__ import annotations

import datetime
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local_aws.agent.ecs_agent import secrets
from local_aws.agent.ecs_agent.aws import Credentials
from local_aws.cloud import Cloud
from local_aws.config import Iam
from local_aws.ecs import outside
from local_aws.patches import ssm
from local_aws.tests.access_support import Guarded
from local_aws.tests.stack_support import Stacks
from plugins.plugin_utils import arrival
from plugins.plugin_utils.doctor import message, sessions
from plugins.plugin_utils.doctor.evidence import of_status
from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.doctor.signature import STACK, TASK, Evidence
from plugins.plugin_utils.status.part import Part
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked

NAME = "shop-prod-x"
of_stacks, of_sessions, of_secrets = Provoked(), Provoked(), Provoked()


def failed(stacks: Stacks) -> list[Evidence]:
    """The reasons of a stack's events, as doctor asks for them."""
    return [Evidence(STACK, "x", reason) for _, state, reason in stacks.events(NAME) if state.endswith("_FAILED")]


def template(**resources: tuple[str, dict[str, Any]]) -> str:
    """A template of these resources: logical id → type and properties."""
    return json.dumps(
        {"Resources": {name: {"Type": kind, "Properties": has} for name, (kind, has) in resources.items()}}
    )


@of_stacks("rule-taken")
def _rule(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    aws, stacks = given
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
    balancer = elb.create_load_balancer(Name="shop", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer])
    rule = {
        "ListenerArn": listener["Listeners"][0]["ListenerArn"], "Priority": 10, "Actions": [answer],
        "Conditions": [{"Field": "path-pattern", "Values": ["/shop"]}],
    }  # fmt: skip
    elb.create_rule(**rule)
    stacks.create(NAME, template(Rule=("AWS::ElasticLoadBalancingV2::ListenerRule", rule)))
    return failed(stacks)


@of_stacks("still-used")
def _used(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    aws, stacks = given
    made = stacks.made(NAME, template(Vpc=("AWS::EC2::VPC", {"CidrBlock": "10.79.0.0/17"})))
    aws.client("ec2").create_subnet(VpcId=made["Vpc"], CidrBlock="10.79.0.0/24")
    stacks.delete(NAME)
    return failed(stacks)


@of_stacks("quota")
def _quota(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    rules = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": f"192.0.2.{number}/32"} for number in range(61)
    ]
    group = {"GroupDescription": "admins", "SecurityGroupIngress": rules}
    body = json.loads(
        template(Vpc=("AWS::EC2::VPC", {"CidrBlock": "10.79.0.0/17"}), Group=("AWS::EC2::SecurityGroup", group))
    )
    body["Resources"]["Group"]["Properties"]["VpcId"] = {"Ref": "Vpc"}
    given[1].create(NAME, json.dumps(body))
    return failed(given[1])


@pytest.mark.parametrize("name", of_stacks.by)
def test_why_a_stack_failed_is_recognised(name: str, aws: Cloud, stacks: Stacks) -> None:
    of_stacks.prove(name, (aws, stacks))


def test_a_first_cluster_comes_too_early_for_its_role(
    guard: Callable[..., Guarded], stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the second one does not, as its command is the same once more."""
    guard(Iam.RECORD)  # with our ECS: moto's knows no such day
    monkeypatch.setattr(outside, "first_day", True)
    body, provoked = template(Cluster=("AWS::ECS::Cluster", {"ClusterName": "shop-prod"})), Provoked()

    @provoked("role-of-ecs")
    def _role(_: Any) -> list[Evidence]:
        stacks.create(NAME, body)
        return failed(stacks)

    provoked.prove("role-of-ecs", None)
    stacks.delete(NAME)
    stacks.made(NAME, body)


def test_a_refusal_without_words(guard: Callable[..., Guarded]) -> None:
    """S3 answers HEAD without a body, so nothing but the call tells which right is missing."""
    allows = {"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "*"}
    guarded = guard(policies={"one": {"Version": "2012-10-17", "Statement": [allows]}})
    guarded.client("s3").create_bucket(Bucket="shop-prod-hidden")
    provoked, part = Provoked(), Part()

    @provoked("right-missing")
    def _refused(_: Any) -> list[Evidence]:
        part.ask("bucket.files", "s3", lambda: guarded.client("s3").head_bucket(Bucket="shop-prod-hidden"))
        return list(of_status({"services": [], "schedules": [], "stacks": [], "unasked": part.unasked}))

    provoked.prove("right-missing", None)
    assert part.unasked[0]["action"] == "s3:ListBucket"


def a_host(aws: Cloud, *routes: dict[str, str]) -> tuple[str, dict[str, dict[str, Any]]]:
    """A host with a role in a subnet of its own, and what EC2 says of it."""
    ec2, iam = aws.client("ec2"), aws.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/17")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.79.0.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    for route in routes:
        gateway = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
        ec2.create_route(RouteTableId=table, NatGatewayId=gateway, **route)
    iam.create_instance_profile(InstanceProfileName="host")
    name: str = ec2.run_instances(
        ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=subnet, IamInstanceProfile={"Name": "host"}
    )["Instances"][0]["InstanceId"]
    return name, {name: ec2.describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]}


ANYWHERE = {"DestinationCidrBlock": "0.0.0.0/0"}


@pytest.fixture
def _agents() -> Iterator[None]:
    yield
    ssm.agents.clear()


@of_sessions("session-unknown")
def _unknown(aws: Cloud) -> list[Evidence]:
    name, known = a_host(aws, ANYWHERE)
    return list(sessions.of_hosts(aws.client, known, [name]))


@of_sessions("session-endpoint")
def _endpoint(aws: Cloud) -> list[Evidence]:
    name, known = a_host(aws)
    return list(sessions.of_hosts(aws.client, known, [name]))


@of_sessions("session-lost")
def _lost(aws: Cloud) -> list[Evidence]:
    name, known = a_host(aws)
    ssm.agents[name] = "ConnectionLost"
    return list(sessions.of_hosts(aws.client, known, [name]))


@pytest.mark.usefixtures("_agents")
@pytest.mark.parametrize("name", of_sessions.by)
def test_why_no_session_opens_is_recognised(name: str, aws: Cloud) -> None:
    of_sessions.prove(name, aws)


@pytest.mark.usefixtures("_agents")
def test_of_a_host_whose_agent_is_online_nothing_is_said(aws: Cloud) -> None:
    name, known = a_host(aws)
    ssm.agents |= {name: "Online", "i-0aaaaaaaaaaaaaaa1": "ConnectionLost"}
    assert list(sessions.of_hosts(aws.client, known, [name])) == []


@of_secrets("secret-key")
def _key(aws: Cloud) -> list[Evidence]:
    arn = aws.client("secretsmanager").create_secret(Name="shop-prod/app", SecretString='{"password": "x"}')["ARN"]
    return asked(f"{arn}:pasword::", "asm")


@of_secrets("secret-gone")
def _secret(aws: Cloud) -> list[Evidence]:
    manager = aws.client("secretsmanager")
    arn = manager.create_secret(Name="shop-prod/app", SecretString="{}")["ARN"]
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    return asked(arn, "asm")


def asked(reference: str, provider: str) -> list[Evidence]:
    """What the agent gives for the reason of a task whose secret it asks for."""
    wanted = {"name": "app", "secrets": [{"name": "X", "valueFrom": reference, "provider": provider}]}
    with pytest.raises(secrets.SecretError) as caught:
        secrets.values([wanted], "us-east-1", Credentials("AKIA", "secret"))
    return [Evidence(TASK, "service.web", str(caught.value))]


@pytest.fixture
def _apis(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.config.endpoint)


@pytest.mark.usefixtures("_apis")
@pytest.mark.parametrize("name", of_secrets.by)
def test_why_a_task_has_not_its_secret_is_recognised(name: str, aws: Cloud) -> None:
    of_secrets.prove(name, aws)


@pytest.mark.usefixtures("_apis")
def test_a_parameter_that_is_gone_is_a_secret_that_is_gone() -> None:
    assert [each.signature for each in recognised(asked("/shop/prod/gone", "ssm"))] == ["secret-gone"]


class Refuses(http.server.BaseHTTPRequestHandler):
    """A server that takes no message, as one behind a login."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(401)

    def log_message(self, *_arguments: Any) -> None:
        """Keep the test's output clean."""


def test_a_message_that_a_server_does_not_take(aws: Cloud) -> None:
    sns, provoked = aws.client("sns"), Provoked()
    topic = sns.create_topic(Name="shop-prod-alarms")["TopicArn"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked = {"TopicArn": topic, "Protocol": "http", "Endpoint": f"http://127.0.0.1:{server.server_port}"}
    subscription = sns.subscribe(**asked, ReturnSubscriptionArn=True)["SubscriptionArn"]
    sns.confirm_subscription(TopicArn=topic, Token=subscription.rpartition(":")[2])

    @provoked("message-lost")
    def _lost(_: Any) -> list[Evidence]:
        since = datetime.datetime.now(datetime.UTC)
        sns.publish(TopicArn=topic, Message="{}")
        delivered, lost = arrival.told(aws.client("cloudwatch"), topic, since)
        arrived = {"expected": 1, "delivered": delivered, "failed": lost}
        return list(message.evidence({"alarm": "shop-prod-x", "told": ["it"], "deaf": [], "arrived": arrived}))

    try:
        provoked.prove("message-lost", None)
    finally:
        server.shutdown()
        server.server_close()

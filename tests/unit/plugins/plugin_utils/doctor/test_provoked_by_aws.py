"""Failures that AWS's services are brought to: the embedded ones, which answer in AWS's own words."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.ecs.errors import EcsError
from local_aws.patches import ec2
from local_aws.tests.access_support import Guarded
from local_aws.tests.ecs_support import GROUP, World
from local_aws.tests.late_support import LateAws
from local_aws.tests.stack_support import Stacks, Thing, resources, thing
from plugins.plugin_utils.doctor import machines
from plugins.plugin_utils.doctor.asking import Asking
from plugins.plugin_utils.doctor.evidence import of_findings, of_status
from plugins.plugin_utils.doctor.signature import EVENT, RIGHT, STACK, TASK, Evidence
from plugins.plugin_utils.ecs import container_instances, stop_reason
from plugins.plugin_utils.ecs_placement import Needs
from plugins.plugin_utils.ecs_service_watch import event_text
from plugins.plugin_utils.status.part import Part
from plugins.plugin_utils.verify import room
from plugins.plugin_utils.verify.finding import plain
from plugins.plugin_utils.verify.subjects import Task
from tests.unit.plugins.plugin_utils.doctor.console_support import console
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked
from tests.unit.service_support import Clients

of_ecs, of_stacks, of_account, of_doors, of_late = Provoked(), Provoked(), Provoked(), Provoked(), Provoked()
Guards = Callable[..., Guarded]
ABOUT = "service.web"
NO_BREAKER = {"enable": False, "rollback": False}


def events(world: World, rounds: int = 6) -> list[Evidence]:
    """What ECS says of the service after so many rounds."""
    world.tick(rounds)
    return [Evidence(EVENT, ABOUT, event_text(each)) for each in world.messages()]


def stopped(world: World) -> list[Evidence]:
    """Why its tasks stopped."""
    arns = [each.arn for each in world.tasks(active=False) if each not in world.tasks()]
    found = world.call("DescribeTasks", cluster="demo", tasks=arns)["tasks"]
    return [Evidence(TASK, ABOUT, stop_reason(each)) for each in found]


@of_ecs("no-hosts")
def _no_hosts(world: World) -> list[Evidence]:
    world.create(world.define())
    return events(world)


@of_ecs("no-memory")
def _memory(world: World) -> list[Evidence]:
    world.agent(memory=100)
    world.create(world.define())
    return events(world)


@of_ecs("no-cpu")
def _cpu(world: World) -> list[Evidence]:
    world.agent()
    world.create(world.define(cpu=4096))
    return events(world)


@of_ecs("port-taken")
def _port(world: World) -> list[Evidence]:
    world.agent()
    world.create(world.define(portMappings=[{"containerPort": 80, "hostPort": 80}]), desired=2)
    return events(world)


@of_ecs("attribute-missing")
def _attribute(world: World) -> list[Evidence]:
    world.agent()
    world.create(world.define(logConfiguration={"logDriver": "splunk"}))
    return events(world)


@of_ecs("agent-away")
def _agent(world: World) -> list[Evidence]:
    agent = world.agent()
    world.dispatcher.disconnected(agent.arn, agent)
    world.create(world.define())
    return events(world)


@of_ecs("image-gone")
def _image(world: World) -> list[Evidence]:
    world.agent().fails.add("gone:1")
    world.create(world.define("gone:1"))
    world.tick()
    return stopped(world)


@of_ecs("program-failed")
def _program(world: World) -> list[Evidence]:
    world.agent().exits["ends:1"] = 3
    world.create(world.define("ends:1"))
    world.tick()
    return stopped(world)


@of_ecs("crash")
def _crash(world: World) -> list[Evidence]:
    world.agent().exits["ends:1"] = 139
    world.create(world.define("ends:1"))
    world.tick()
    return stopped(world)


@of_ecs("killed")
def _killed(world: World) -> list[Evidence]:
    world.agent().exits["ends:1"] = 137
    world.create(world.define("ends:1"))
    world.tick()
    return stopped(world)


@of_ecs("starts-fail")
def _starts(world: World) -> list[Evidence]:
    world.agent().fails.add("gone:1")
    world.create(world.define("gone:1"), deploymentConfiguration={"deploymentCircuitBreaker": NO_BREAKER})
    return events(world, 400)


@of_ecs("program-ended")
def _ended(world: World) -> list[Evidence]:
    world.agent().exits["ends:1"] = 0
    world.create(world.define("ends:1"))
    world.tick()
    return stopped(world)


@of_ecs("own-check")
def _check(world: World) -> list[Evidence]:
    world.agent().health = "UNHEALTHY"
    world.create(world.define())
    world.tick(12)
    return stopped(world)


@of_ecs("breaker")
def _breaker(world: World) -> list[Evidence]:
    world.agent().fails.add("gone:1")
    world.create(world.define("gone:1"))
    return events(world, 200)


@of_ecs("check-host-header")
def _host_header(world: World) -> list[Evidence]:
    world.agent()
    world.elsewhere.new_target = "unhealthy"
    world.balanced(world.define())
    return events(world, 40)


@of_ecs("host-gone")
def _host(world: World) -> list[Evidence]:
    world.agent("i-0123456789abcdef0")
    world.create(world.define())
    world.tick()
    world.elsewhere.gone.add("i-0123456789abcdef0")
    world.tick(20)
    return stopped(world)


@of_ecs("cluster-in-use")
def _cluster(world: World) -> list[Evidence]:
    world.agent()
    return refused(lambda: world.call("DeleteCluster", cluster="demo"))


@of_ecs("group-without-balancer")
def _group(world: World) -> list[Evidence]:
    world.elsewhere.unattached.add(GROUP)
    return refused(lambda: world.balanced(world.define()))


@of_ecs("no-host-takes")
def _drained(world: World) -> list[Evidence]:
    """As `verify` says it, of hosts as ECS has them."""
    agent = world.agent()
    world.call("UpdateContainerInstancesState", cluster="demo", containerInstances=[agent.arn], status="DRAINING")
    joined = container_instances(Clients(world)("ecs"), "demo")
    assert len(joined) == 1
    return list(of_findings(plain([room.judge(Task(ABOUT, "", (), needs=Needs(64, 0), replicas=1), joined)])))


@of_ecs("no-provider")
def _provider(world: World) -> list[Evidence]:
    """A host that joined before its cluster had one."""
    world.agent()
    (joined,) = container_instances(Clients(world)("ecs"), "demo")
    host = {"instance": "i-1", "state": "ACTIVE", "agent": {"connected": joined["agentConnected"]}}
    return list(machines.of_status(host, str(joined.get("capacityProviderName") or "")))


def refused(call: Callable[[], Any]) -> list[Evidence]:
    """What a stack's event has of a refusal."""
    with pytest.raises((EcsError, ClientError)) as caught:
        call()
    said = caught.value.message if isinstance(caught.value, EcsError) else str(caught.value)
    return [Evidence(STACK, "cluster", said)]


@pytest.mark.parametrize("name", of_ecs.by)
def test_what_ecs_says_is_recognised(name: str) -> None:
    of_ecs.prove(name, World())


def failed(stacks: Stacks, name: str = "shop-prod-x") -> list[Evidence]:
    """The failed events of a stack, and what its status says."""
    status = stacks.describe(name)
    lines = [Evidence(STACK, "x", reason) for _, state, reason in stacks.events(name) if state.endswith("_FAILED")]
    return [*lines, Evidence(STACK, "x", f"{status['StackStatus']}: {status.get('StackStatusReason', '')}")]


@of_stacks("bucket-full")
def _bucket(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    aws, stacks = given
    made = stacks.made("shop-prod-x", "Resources: {Files: {Type: AWS::S3::Bucket}}")
    aws.client("s3").put_object(Bucket=made["Files"], Key="a", Body=b"x")
    stacks.delete("shop-prod-x")
    return failed(stacks)


@of_stacks("no-boundary")
def _boundary(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    role = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "PermissionsBoundary": "arn:aws:iam::123456789012:policy/gone",
    }
    given[1].create(
        "shop-prod-x", json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}),
        Capabilities=["CAPABILITY_IAM"],
    )  # fmt: skip
    return failed(given[1])


@of_stacks("record-there")
def _record(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    aws, stacks = given
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="shop.test", CallerReference="x")["HostedZone"]["Id"].rpartition("/")[2]
    record = {"Name": "www.shop.test", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.7"]}
    there = record | {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.9"}]}
    route53.change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": there}]}
    )
    properties = record | {"HostedZoneId": zone}
    body = {"Resources": {"Record": {"Type": "AWS::Route53::RecordSet", "Properties": properties}}}
    stacks.create("shop-prod-x", json.dumps(body))
    return failed(stacks)


@of_stacks("rollback-failed")
def _rollback(given: tuple[Cloud, Stacks]) -> list[Evidence]:
    stacks = given[1]
    stacks.made("shop-prod-x", resources(Stuck=thing(Size=1), Other=thing(Size=1)))
    Thing.failing["update", "Stuck"] = "neither forth nor back"
    stacks.update("shop-prod-x", resources(Stuck=thing(Size=2), Other=thing(Size=1)))
    return failed(stacks)


@pytest.mark.parametrize("name", of_stacks.by)
def test_what_a_stack_says_is_recognised(name: str, aws: Cloud, stacks: Stacks) -> None:
    of_stacks.prove(name, (aws, stacks))


def described(aws: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("ec2").describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
    return found


def launched(aws: Cloud) -> str:
    name: str = aws.client("ec2").run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)["Instances"][
        0
    ]["InstanceId"]
    return name


def asked(aws: Cloud, **told: dict[str, str]) -> list[Evidence]:
    """What AWS says of a site in which all is in order."""
    model = {"site": {"name": "shop", "environment": "prod"}, "services": [], "stacks": [], "hosts": [], "wrong": []}
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
    return Asking(aws.client, model, told, "shop-prod", now).evidence()


@of_account("host-role")
def _role(aws: Cloud) -> list[Evidence]:
    return list(machines.of_instance(described(aws, launched(aws))))


@of_account("not-running")
def _stopped(aws: Cloud) -> list[Evidence]:
    name = launched(aws)
    aws.client("ec2").stop_instances(InstanceIds=[name])
    return list(machines.of_instance(described(aws, name)))


@of_account("boot-failed")
def _console(aws: Cloud) -> list[Evidence]:
    ec2.consoles[:] = [lambda _: console("boot-failed").encode()]
    try:
        return list(machines.of_consoles(aws.client("ec2"), [launched(aws)]))
    finally:
        ec2.consoles.clear()


@of_account("dead-letters")
def _letters(aws: Cloud) -> list[Evidence]:
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="lost")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    return asked(aws, **{"job.report": {"DeadLetterQueueArn": "arn:aws:sqs:us-east-1:123456789012:lost"}})


@of_account("errors-of-program")
def _answers(aws: Cloud) -> list[Evidence]:
    return answered(aws, "HTTPCode_Target_5XX_Count")


@of_account("errors-of-balancer")
def _cut_off(aws: Cloud) -> list[Evidence]:
    return answered(aws, "HTTPCode_ELB_5XX_Count")


def answered(aws: Cloud, metric: str) -> list[Evidence]:
    dimensions = [{"Name": "LoadBalancer", "Value": "app/shop/1"}]
    datum = {"MetricName": metric, "Value": 4.0, "Dimensions": dimensions}
    aws.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[datum])
    listener = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/shop/1/2"
    return asked(aws, cluster={"HttpsListenerArn": listener})


@of_account("database-protected")
def _database(aws: Cloud) -> list[Evidence]:
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="main", Engine="postgres", DBInstanceClass="db.t3.micro", DeletionProtection=True,
        AllocatedStorage=20, MasterUsername="site", MasterUserPassword="x" * 12,
    )  # fmt: skip
    return refused(lambda: rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True))


@pytest.mark.parametrize("name", of_account.by)
def test_what_the_account_says_is_recognised(name: str, aws: Cloud) -> None:
    of_account.prove(name, aws)


@of_doors("denied")
def _denied(guard: Guards) -> list[Evidence]:
    return unasked(guard, {"Effect": "Allow", "Action": "s3:*"})


@of_doors("denied-explicitly")
def _forbidden(guard: Guards) -> list[Evidence]:
    return unasked(guard, {"Effect": "Deny", "Action": "*"})


def unasked(guard: Guards, statement: dict[str, str]) -> list[Evidence]:
    """What a status says of a question that IAM does not allow."""
    document = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]}
    guarded, part = guard(policies={"one": document}), Part()
    part.ask("services", "sqs", lambda: guarded.client("sqs").list_queues())
    return list(of_status({"services": [], "schedules": [], "stacks": [], "unasked": part.unasked}))


@pytest.mark.parametrize("name", of_doors.by)
def test_a_call_that_iam_refuses_is_recognised(name: str, guard: Guards) -> None:
    of_doors.prove(name, guard)


@of_late("throttled")
def _throttled(late_aws: Callable[..., LateAws]) -> list[Evidence]:
    late, part = late_aws(faults=1.0), Part()
    for _ in range(20):
        part.ask("stacks", "cloudformation", lambda: late.client("cloudformation").describe_stacks())
    return [Evidence(RIGHT, each["about"], each["why"]) for each in part.unasked]


@pytest.mark.parametrize("name", of_late.by)
def test_a_call_that_aws_has_no_time_for_is_recognised(name: str, late_aws: Callable[..., LateAws]) -> None:
    of_late.prove(name, late_aws)

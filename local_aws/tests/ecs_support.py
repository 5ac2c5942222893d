"""An ECS in memory with agents that do as they are told, and a clock that stands still."""

from __future__ import annotations

import json
from typing import Any

from local_aws.ecs.api import Api
from local_aws.ecs.dispatcher import Dispatcher
from local_aws.ecs.errors import invalid
from local_aws.ecs.outside import TargetHealth
from local_aws.ecs.scheduler import Scheduler
from local_aws.ecs.state import Json, State, Task

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"


class Elsewhere:
    """The other services: a load balancer whose target health the test sets, EC2 with instances that can be gone."""

    def __init__(self) -> None:
        self.health: dict[tuple[str, int], str] = {}
        self.new_target = "healthy"
        self.unhealthy = "Health checks failed with these codes: [400]"
        self.delay = 30.0
        self.gone: set[str] = set()
        self.groups: dict[str, str] = {}
        self.unattached: set[str] = set()
        self.assumed: list[str] = []

    def target_health(self, _target_group: str) -> dict[tuple[str, int], TargetHealth]:
        return {
            target: TargetHealth(state, self.unhealthy if state == "unhealthy" else "")
            for target, state in self.health.items()
        }

    def check_target_group(self, target_group: str) -> None:
        if target_group in self.unattached:
            raise invalid(
                f"The target group with targetGroupArn {target_group} does not have an associated load balancer."
            )

    def register(self, _target_group: str, targets: list[tuple[str, int]]) -> None:
        self.health.update(dict.fromkeys(targets, self.new_target))

    def deregister(self, _target_group: str, targets: list[tuple[str, int]]) -> None:
        self.health.update(dict.fromkeys(targets, "draining"))

    def deregistration_delay(self, _target_group: str) -> float:
        return self.delay

    def instances_gone(self, ids: set[str]) -> set[str]:
        return ids & self.gone

    def auto_scaling_group(self, instance_id: str) -> str:
        return self.groups.get(instance_id, "")

    def availability_zone(self, _instance_id: str) -> str:
        return "us-east-1a"

    def has_linked_role(self) -> bool:
        return True

    def assume_role(self, role: str, _session: str) -> Json:
        self.assumed.append(role)
        return {"AccessKeyId": "AKIA", "SecretAccessKey": "secret", "SessionToken": f"token-{len(self.assumed)}"}


class Agent:
    """An agent that brings up what it is sent, unless the test says otherwise.

    Attributes:
        frames: all that was sent to it.
        binds: whether it reports ports; it does not for tasks on the host's network.
        closed: whether the control plane has cut it off.
        fails: images that cannot be pulled.
        exits: images that end at once, with this exit code.
        slow: images that do not end when they are told to.
        health: what it reports for containers with a health check.
    """

    def __init__(self, world: World, ec2_id: str, memory: int) -> None:
        self.world = world
        self.frames: list[tuple[str, Json]] = []
        self.binds = True
        self.closed = False
        self.fails: set[str] = set()
        self.exits: dict[str, int] = {}
        self.slow: set[str] = set()
        self.health = "HEALTHY"
        self.running: dict[str, Json] = {}
        self._port = 32768
        document = {"instanceId": ec2_id, "region": "us-east-1", "availabilityZone": "us-east-1a",
                    "architecture": "x86_64"}  # fmt: skip
        self.attributes = [{"name": "ecs.capability.container-health-check"}, {"name": "tier", "value": "web"}]
        for name in ("docker-remote-api.1.18", "logging-driver.awslogs"):
            self.attributes.append({"name": f"com.amazonaws.ecs.capability.{name}"})
        self.attributes.append({"name": "ecs.capability.container-ordering"})
        answer = world.call(
            "RegisterContainerInstance",
            cluster="demo",
            instanceIdentityDocument=json.dumps(document),
            attributes=self.attributes,
            totalResources=[
                {"name": "CPU", "type": "INTEGER", "integerValue": 1024},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
                {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22"]},
            ],
        )
        self.registered = answer["containerInstance"]
        self.arn: str = self.registered["containerInstanceArn"]
        assert world.dispatcher.connected(self.arn, self)

    def sent(self, kind: str) -> list[Json]:
        """The messages of this kind that were sent to it, oldest first."""
        return [message for name, message in self.frames if name == kind]

    def close(self) -> None:
        self.closed = True

    def send(self, kind: str, message: Json) -> None:
        self.frames.append((kind, message))
        if kind == "PayloadMessage":
            self.world.dispatcher.acknowledged(self.arn, message["messageId"])
            for task in message["tasks"]:
                self._stop(task) if task["desiredStatus"] == "STOPPED" else self._start(task)

    def _submit(self, task: Json, status: str, containers: list[Json], **more: Any) -> None:
        self.world.call(
            "SubmitTaskStateChange", cluster="demo", task=task["arn"], status=status, containers=containers, **more
        )

    def _start(self, task: Json) -> None:
        if task["arn"] in self.running:
            return
        image = task["containers"][0]["image"]
        if image in self.fails:
            # As the real one puts it: the container has the cause, the task has none.
            reason = f"CannotPullImageManifestError: Error response from daemon: manifest for {image} not found"
            name = task["containers"][0]["name"]
            self._submit(task, "STOPPED", [{"containerName": name, "status": "STOPPED", "reason": reason}], reason="")
            return
        self.running[task["arn"]] = task
        self._port += 1
        bound = [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": self._port, "protocol": "tcp"}]
        bound = bound if self.binds else []
        self._submit(
            task,
            "RUNNING",
            [{"containerName": c["name"], "status": "RUNNING", "networkBindings": bound} for c in task["containers"]],
        )
        self.report_health(task)
        if image in self.exits:
            self.end(task["arn"], self.exits[image])

    def report_health(self, task: Json) -> None:
        checked = [c["name"] for c in task["containers"] if c.get("healthCheckType")]
        containers = [{"containerName": name, "healthStatus": self.health} for name in checked]
        self.world.dispatcher.health({"tasks": [{"taskArn": task["arn"], "containers": containers}]})

    def end(self, arn: str, code: int) -> None:
        task = self.running.pop(arn)
        self._submit(
            task,
            "STOPPED",
            [{"containerName": c["name"], "status": "STOPPED", "exitCode": code} for c in task["containers"]],
        )

    def _stop(self, task: Json) -> None:
        if task["containers"][0]["image"] in self.slow:
            return
        self.running.pop(task["arn"], None)
        self._submit(
            task,
            "STOPPED",
            [{"containerName": c["name"], "status": "STOPPED", "exitCode": 137} for c in task["containers"]],
        )


class World:
    """One region of ECS, cluster `demo`."""

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        self.now = 1_000_000.0
        self.state = State()
        self.region = self.state.region()
        self.elsewhere = elsewhere or Elsewhere()
        self.api = Api(self.state, self.region, self.elsewhere, "http://10.0.0.1:1", clock=lambda: self.now)
        self.scheduler = Scheduler(self.state, self.region, self.elsewhere, lambda: self.now)
        self.dispatcher = Dispatcher(self.state, self.region, self.elsewhere, lambda: self.now)
        self.call("CreateCluster", clusterName="demo")

    def call(self, action: str, **request: Any) -> Json:
        return self.api.call(action, request)

    def agent(self, ec2_id: str = "i-1", memory: int = 1000) -> Agent:
        return Agent(self, ec2_id, memory)

    def tick(self, rounds: int = 6, seconds: float = 0.5) -> None:
        """Let the part's loop run."""
        for _ in range(rounds):
            self.scheduler.round()
            self.dispatcher.deliver()
            self.now += seconds

    def define(self, image: str = "web:1", family: str = "web", **more: Any) -> str:
        container = {
            "name": "web",
            "image": image,
            "memory": 200,
            "portMappings": [{"containerPort": 80}],
            "healthCheck": {"command": ["CMD", "true"]},
            **more,
        }
        answer = self.call("RegisterTaskDefinition", family=family, containerDefinitions=[container])
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def create(self, definition: str, desired: int = 1, **more: Any) -> None:
        breaker = {"enable": True, "rollback": True}
        configuration = {"minimumHealthyPercent": 100, "maximumPercent": 200, "deploymentCircuitBreaker": breaker}
        request: Json = {"launchType": "EC2", "deploymentConfiguration": configuration, **more}
        self.call(
            "CreateService",
            cluster="demo",
            serviceName="web",
            taskDefinition=definition,
            desiredCount=desired,
            **request,
        )

    def balanced(self, definition: str, **more: Any) -> None:
        balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}]
        self.create(definition, loadBalancers=balancers, **more)

    def update(self, **change: Any) -> None:
        self.call("UpdateService", cluster="demo", service="web", **change)

    def service(self) -> Json:
        found: Json = self.call("DescribeServices", cluster="demo", services=["web"])["services"][0]
        return found

    def messages(self) -> list[str]:
        """The service's events, oldest first, without its name."""
        return [each["message"].removeprefix("(service web) ") for each in reversed(self.service()["events"])]

    def tasks(self, *, active: bool = True) -> list[Task]:
        return [task for task in self.region.tasks.values() if task.active or not active]

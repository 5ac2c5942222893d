"""The service scheduler: starts, replaces, drains and stops tasks until the services are as they should be.

`Scheduler.round` changes the state under its lock and returns nothing; calls to other services (target health before,
registrations after) happen outside the lock, through `outside.Outside`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from local_aws.ecs import deployments, placement
from local_aws.ecs.errors import invalid
from local_aws.ecs.managed_scaling import waiting_at
from local_aws.ecs.outside import Outside, TargetHealth
from local_aws.ecs.state import (
    Container,
    Deployment,
    Instance,
    Json,
    Region,
    Service,
    State,
    Task,
    deployment_id,
    new_id,
)
from local_aws.scaling.hosts import WAITS_SECONDS

MAX_TARGET_GROUPS = 5
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/register-multiple-targetgroups.html"""
REPEAT_SECONDS = 60.0
"""How long the same placement failure is not repeated in a service's events."""
STOPPED_SECONDS = 3600.0
"""How long stopped tasks can be described."""
WAITED_TOO_LONG = "Timeout waiting for capacity to become available."
"""Of a task that no host has come for: the words are ours."""
UNPLACED_SECONDS = 2.0
"""How long the scheduler waits after it could not place a task."""


@dataclass
class Facts:
    """What other services said before a round.

    Attributes:
        health: target group ARN → (instance id, port) → what the load balancer says.
        delays: target group ARN → deregistration delay in seconds.
        gone: EC2 instances that are terminated.
    """

    health: dict[str, dict[tuple[str, int], TargetHealth]] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def of(self, target: tuple[str, str, int]) -> TargetHealth:
        """Health of a target of a task; one that is not registered is `unused`."""
        group, host, port = target
        return self.health.get(group, {}).get((host, port), TargetHealth("unused"))


def new_task(
    region: Region,
    cluster: str,
    definition: Json,
    instance: Instance | None,
    *,
    group: str,
    now: float,
    provider: str = "",
    started_by: str = "",
    placing: Json | None = None,
) -> Task:
    """Make a PENDING task on `instance`; its resources are taken from there on.

    Without an instance it is PROVISIONING, and `placing` what placement is to be asked again (`placement.place`).
    """
    wanted = placement.needs(definition)
    identity = new_id()
    arn = region.arn("task", cluster, identity)
    containers = [
        Container(each["name"], each["image"], region.arn("container", cluster, identity, new_id()))
        for each in definition["containerDefinitions"]
    ]
    task = Task(
        arn,
        cluster,
        definition,
        instance.arn if instance else "",
        containers,
        now,
        group,
        provider=provider,
        started_by=started_by,
        cpu=wanted.cpu,
        memory=wanted.memory,
        ports=list(wanted.ports),
        status="PENDING" if instance else "PROVISIONING",
        placing=placing or {},
    )
    region.tasks[arn] = task
    return task


def stop_task(task: Task, reason: str, code: str, now: float) -> None:
    """Want `task` stopped. A task behind a load balancer is first deregistered (status DEACTIVATING)."""
    if task.desired == "STOPPED" or not task.active:
        return
    task.desired = "STOPPED"
    task.stop_code, task.stopped_reason, task.stopping_at = code, reason, now
    task.version += 1
    if not task.instance:
        end_task(task, reason, code, now)
    elif task.registered:
        task.status = "DEACTIVATING"


def end_task(task: Task, reason: str, code: str, now: float) -> None:
    """Mark `task` STOPPED without its agent: its host is gone."""
    task.desired = task.status = "STOPPED"
    task.stopped_reason = task.stopped_reason or reason
    task.stop_code = task.stop_code or code
    task.stopped_at = now
    task.version += 1
    for container in task.containers:
        container.status = "STOPPED"


def managed_tags(cluster: str, service: str = "") -> list[dict[str, str]]:
    """The tags that `enableECSManagedTags` adds to a task.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html#managed-tags
    """
    tags = [{"key": "aws:ecs:clusterName", "value": cluster}]
    return tags + ([{"key": "aws:ecs:serviceName", "value": service}] if service else [])


class Scheduler:
    """The scheduler of one region.

    Args:
        state, region: what to work on.
        outside: the other services.
        clock: seconds since the epoch.
        running_seconds: see `deployments.RUNNING_SECONDS`.
    """

    def __init__(
        self,
        state: State,
        region: Region,
        outside: Outside,
        clock: Callable[[], float] = time.time,
        running_seconds: float = deployments.RUNNING_SECONDS,
    ) -> None:
        self.state = state
        self.region = region
        self.outside = outside
        self.clock = clock
        self.running_seconds = running_seconds
        self._no_room: dict[str, float] = {}

    def round(self) -> None:
        """Look at the other services, decide under the lock, then register and deregister targets."""
        facts = self._look()
        with self.state.lock:
            now = self.clock()
            self._remove_gone(facts, now)
            self._provision(now)
            for service in list(self.region.services.values()):
                self._service(service, facts, now)
            for task in list(self.region.tasks.values()):
                if task.stopped_at is not None and now - task.stopped_at > STOPPED_SECONDS and not task.registered:
                    del self.region.tasks[task.arn]
            register, deregister = self._registrations(facts, now)
        self._apply(register, deregister)

    def _look(self) -> Facts:
        with self.state.lock:
            groups = {
                balancer["targetGroupArn"]
                for service in self.region.services.values()
                if service.status != "INACTIVE"
                for balancer in service.balancers
            }
            groups |= {target[0] for task in self.region.tasks.values() if task.registered for target in task.targets}
            ids = {instance.ec2_id for instance in self.region.instances.values()}
        return Facts(
            {group: self.outside.target_health(group) for group in groups},
            {group: self.outside.deregistration_delay(group) for group in groups},
            self.outside.instances_gone(ids),
        )

    def _remove_gone(self, facts: Facts, now: float) -> None:
        """Forget the container instances whose EC2 instance is terminated; their tasks have ended with it."""
        for instance in [each for each in self.region.instances.values() if each.ec2_id in facts.gone]:
            for task in self.region.tasks_of(instance=instance.arn):
                if task.active:
                    end_task(task, f"Host EC2 (instance {instance.ec2_id}) terminated.", "TerminationNotice", now)
            del self.region.instances[instance.arn]

    def _provision(self, now: float) -> None:
        """Place the tasks that wait for a host, the oldest first; end those that have waited too long."""
        for task in [each for each in self.region.tasks.values() if each.provisioning]:
            instance, provider, _ = placement.place(self.region, task.cluster, task.definition, **task.placing)
            if instance is not None:
                task.instance, task.provider, task.status = instance.arn, provider, "PENDING"
                task.version += 1
            elif now - task.created_at > WAITS_SECONDS:
                end_task(task, WAITED_TOO_LONG, "TaskFailedToStart", now)

    # --- health

    def _is_healthy(self, task: Task, facts: Facts, now: float) -> bool:
        """Whether `task` counts towards the healthy tasks of its service."""
        if task.status != "RUNNING" or task.started_at is None:
            return False
        if task.has_health_check and task.health != "HEALTHY":
            return False
        if balancers := self.region.services[task.service].balancers:
            # In each of its target groups: one in which it has no target yet does not make it healthy.
            return (
                task.registered
                and {balancer["targetGroupArn"] for balancer in balancers} <= {target[0] for target in task.targets}
                and all(facts.of(target).state == "healthy" for target in task.targets)
            )
        return task.has_health_check or now - task.started_at >= self.running_seconds

    def _unhealthy_reason(self, service: Service, task: Task, facts: Facts, now: float) -> str:
        """Why a task that is wanted has to be replaced; empty if it has not."""
        # A container that never becomes HEALTHY can hold up those that depend on it: then the task stays PENDING.
        grace = float(service.request.get("healthCheckGracePeriodSeconds") or 0)
        if now - (task.started_at or task.created_at) < grace:
            return ""
        if task.health == "UNHEALTHY":
            return "Task failed container health checks"
        for target in task.targets:
            if facts.of(target).state == "unhealthy":
                return f"Task failed ELB health checks in (target-group {target[0]})"
        return ""

    # --- services

    def _service(self, service: Service, facts: Facts, now: float) -> None:
        tasks = list(self.region.tasks_of(service=service.arn))
        if service.status != "ACTIVE":
            if service.status == "DRAINING" and not any(task.active for task in tasks):
                service.status, service.deployments = "INACTIVE", service.deployments[:0]
            return
        for task in tasks:
            self._judge(service, task, facts, now)
        self._break_circuit(service, now)
        for deployment in service.deployments:
            deployment.desired = service.desired if deployment is service.primary else 0
        active = [task for task in tasks if task.active]
        wanted = [task for task in active if task.wanted]
        new: list[Task] = []
        old: list[Task] = []
        for task in wanted:
            host = self.region.instances.get(task.instance)
            placed = task.provisioning or (host is not None and host.status == "ACTIVE")
            stays = task.deployment == service.primary.id and placed
            (new if stays else old).append(task)
        healthy = {task.arn for task in wanted if task.healthy_since is not None}
        counts = deployments.Counts(
            service.desired,
            len(new),
            sum(task.arn in healthy for task in new),
            sum(task.arn in healthy for task in old),
            sum(task.arn not in healthy for task in old),
            len(wanted),
        )
        if service.primary.state != "FAILED":
            step = deployments.step(
                counts, service.request["deploymentConfiguration"], room=self._no_room.get(service.arn, 0.0) < now - 10
            )
            self._start(service, step.start, now)
            # The newest go first: on a scale-in the oldest have proved themselves.
            surplus = sorted(new, key=lambda task: (task.arn in healthy, -task.created_at))[: step.stop_new]
            replaced = sorted(old, key=lambda task: task.arn in healthy)[: step.stop_old]
            self._stop(service, surplus + replaced, now)
        self._retire(service, now)
        self._settle(service, now, new, old, active, healthy)

    def _judge(self, service: Service, task: Task, facts: Facts, now: float) -> None:
        """Take up a task's health; stop it if it is ill; count it if it failed its deployment."""
        deployment = next((each for each in service.deployments if each.id == task.deployment), None)
        if task.wanted and self._is_healthy(task, facts, now):
            if task.healthy_since is None:
                task.healthy_since = now
                breaker = service.request["deploymentConfiguration"]["deploymentCircuitBreaker"]
                if deployment and breaker.get("resetOnHealthyTask", True):
                    deployment.failed_in_a_row = 0
        elif task.wanted:
            reason = self._unhealthy_reason(service, task, facts, now)
            never = task.healthy_since is None
            task.healthy_since = None
            if reason:
                self._say_unhealthy(service, task, reason, facts, now)
                stop_task(task, reason, "ServiceSchedulerInitiated", now)
                if deployment and never:
                    self._fail(deployment, now)
                service.steady = False
                return
        ended_alone = task.status == "STOPPED" and task.stop_code not in ("ServiceSchedulerInitiated", "UserInitiated")
        if ended_alone and not task.counted:
            service.steady = False
            if deployment and task.healthy_since is None and task.stop_code != "TerminationNotice":
                self._fail(deployment, now)
            task.counted = True

    @staticmethod
    def _say_unhealthy(service: Service, task: Task, reason: str, facts: Facts, now: float) -> None:
        if "ELB" in reason:
            target = next(each for each in task.targets if facts.of(each).state == "unhealthy")
            group, host, port = target
            service.say(
                f"(instance {host}) (port {port}) is unhealthy in (target-group {group}) due to "
                f"(reason {facts.of(target).description or 'Health checks failed'})",
                now,
            )
        else:
            service.say(f"(task {task.id}) failed container health checks.", now)

    @staticmethod
    def _fail(deployment: Deployment, now: float) -> None:
        deployment.failed += 1
        deployment.failed_in_a_row += 1
        deployment.updated_at = now
        deployment.not_before = now + deployments.pause(deployment.failed_in_a_row)

    def _break_circuit(self, service: Service, now: float) -> None:
        """Fail the roll-out if too many of its tasks failed in a row, and roll back where that is asked for."""
        breaker = service.request["deploymentConfiguration"]["deploymentCircuitBreaker"]
        primary = service.primary
        if primary.state != "IN_PROGRESS" or not breaker.get("enable"):
            if primary.failed_in_a_row >= 3:
                service.say(
                    "is unable to consistently start tasks successfully. For more information, see the "
                    "Troubleshooting section of the Amazon ECS Developer Guide.",
                    now,
                    REPEAT_SECONDS,
                )
            return
        if primary.failed_in_a_row < deployments.threshold(service.desired, breaker):
            return
        primary.state, primary.updated_at, primary.finished_at = "FAILED", now, now
        primary.reason = "ECS deployment circuit breaker: tasks failed to start."
        service.say(f"(deployment {primary.id}) deployment failed: tasks failed to start.", now)
        last = service.last_completed
        if not breaker.get("rollback") or primary.rollback_of or last is None:
            return
        back = next((each for each in service.deployments if each.id == last.id), None)
        if back is None:
            identity = deployment_id()
            back = Deployment(identity, self._deployment_arn(service), last.task_definition, now, now)
            back.strategy, back.launch_type = last.strategy, last.launch_type
        else:
            service.deployments.remove(back)
        back.status, back.state, back.updated_at = "PRIMARY", "IN_PROGRESS", now
        back.failed_in_a_row, back.not_before, back.rollback_of = 0, 0.0, primary.id
        back.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {back.id}."
        primary.status = "ACTIVE"
        service.deployments.insert(0, back)
        service.request["taskDefinition"] = back.task_definition
        service.say(f"rolling back to deployment {back.id}.", now)
        for task in list(self.region.tasks_of(service=service.arn)):
            if task.deployment == primary.id and task.wanted and task.healthy_since is None:
                stop_task(
                    task, f"Scaling activity initiated by (deployment {primary.id})", "ServiceSchedulerInitiated", now
                )

    def _deployment_arn(self, service: Service) -> str:
        return self.region.arn("service-deployment", service.cluster, service.name, new_id()[:21])

    def _start(self, service: Service, count: int, now: float) -> None:
        deployment = service.primary
        if now < deployment.not_before or now < self._no_room.get(service.arn, 0.0) + UNPLACED_SECONDS:
            return
        definition = self.region.definitions[deployment.task_definition]
        started: list[Task] = []
        for _ in range(count):
            placing: Json = {
                "launch_type": deployment.launch_type,
                "strategy": deployment.strategy,
                "constraints": service.request.get("placementConstraints", []),
                "placement": service.request.get("placementStrategy", []),
                "group": f"service:{service.name}",
            }
            instance, provider, refusals = placement.place(self.region, service.cluster, definition, **placing)
            provider = provider or waiting_at(self.region, deployment.strategy)
            if instance is None and not provider:
                service.say(placement.event(refusals, bool(deployment.strategy)), now, REPEAT_SECONDS)
                self._no_room[service.arn] = now
                break
            self._no_room.pop(service.arn, None)
            task = new_task(
                self.region, service.cluster, definition, instance, group=f"service:{service.name}", now=now,
                provider=provider, started_by=deployment.id, placing=placing,
            )  # fmt: skip
            task.service, task.deployment = service.arn, deployment.id
            task.exec_enabled = service.request.get("enableExecuteCommand", False)
            if service.request.get("propagateTags") == "SERVICE":
                task.tags = [dict(tag) for tag in service.tags]
            elif service.request.get("propagateTags") == "TASK_DEFINITION":
                task.tags = [dict(tag) for tag in self.region.definition_tags.get(deployment.task_definition, [])]
            if service.request.get("enableECSManagedTags"):
                task.tags += managed_tags(service.cluster, service.name)
            started.append(task)
        if started:
            service.steady = False
            service.say(f"has started {len(started)} tasks: {' '.join(f'(task {task.id})' for task in started)}.", now)

    @staticmethod
    def _stop(service: Service, tasks: list[Task], now: float) -> None:
        for task in tasks:
            stop_task(
                task,
                f"Scaling activity initiated by (deployment {service.primary.id})",
                "ServiceSchedulerInitiated",
                now,
            )
        if not tasks:
            return
        service.steady = False
        listed = " ".join(f"(task {task.id})" for task in tasks)
        if any(task.registered for task in tasks):
            service.say(f"has begun draining connections on {len(tasks)} tasks.", now)
        service.say(f"has stopped {len(tasks)} running tasks: {listed}.", now)

    def _retire(self, service: Service, now: float) -> None:
        """Take old deployments without tasks off the list."""
        for deployment in service.deployments[1:]:
            if not any(
                task.active and task.deployment == deployment.id for task in self.region.tasks_of(service=service.arn)
            ):
                deployment.finished_at = deployment.finished_at or now
                service.deployments.remove(deployment)
                service.history.append(deployment)

    def _settle(
        self, service: Service, now: float, new: list[Task], old: list[Task], active: list[Task], healthy: set[str]
    ) -> None:
        """Say so when the service has become steady; complete its deployment."""
        primary = service.primary
        done = (
            primary.state != "FAILED"
            and len(new) == service.desired
            and not old
            and len(active) == len(new)
            and all(task.arn in healthy for task in new)
            and len(service.deployments) == 1
        )
        if not done or service.steady:
            return
        service.steady = True
        if primary.state == "IN_PROGRESS":
            primary.state, primary.updated_at, primary.finished_at = "COMPLETED", now, now
            primary.reason = f"ECS deployment {primary.id} completed."
            service.last_completed = primary
            service.say(f"(deployment {primary.id}) deployment completed.", now)
        service.say("has reached a steady state.", now)

    # --- load balancers

    def _registrations(self, facts: Facts, now: float) -> tuple[list[Task], list[Task]]:
        """Tasks whose targets have to be registered, and those to deregister; sets the end of the drain."""
        register, deregister = [], []
        for task in self.region.tasks.values():
            if not task.service:
                continue
            service = self.region.services[task.service]
            if task.wanted and task.status == "RUNNING" and not task.registered and service.balancers:
                task.targets = targets(service, task, self.region)
                if task.targets:
                    register.append(task)
            elif task.registered and not task.wanted:
                if not task.drained_at:
                    delay = 0.0
                    if task.active:
                        delay = max(facts.delays[group] for group, _, _ in task.targets)
                    task.drained_at = now + delay
                    deregister.append(task)
                elif now >= task.drained_at or not self._draining(task, facts):
                    task.registered = False
        return register, deregister

    @staticmethod
    def _draining(task: Task, facts: Facts) -> bool:
        return any(facts.of(target).state != "unused" for target in task.targets)

    def _apply(self, register: list[Task], deregister: list[Task]) -> None:
        for tasks, call, verb in (
            (register, self.outside.register, "registered"),
            (deregister, self.outside.deregister, "deregistered"),
        ):
            for task in tasks:
                for group, host, port in task.targets:
                    call(group, [(host, port)])
                with self.state.lock:
                    task.registered = task.registered or verb == "registered"
                    service = self.region.services[task.service]
                    for group in {target[0] for target in task.targets}:
                        service.say(f"{verb} 1 targets in (target-group {group})", self.clock())


def targets(service: Service, task: Task, region: Region) -> list[tuple[str, str, int]]:
    """Where the load balancer finds `task`: the host port that Docker bound to each container port.

    On the host's network the agent reports no bindings: there the container's port is the host's.
    """
    instance = region.instances.get(task.instance)
    if instance is None:
        return []
    found = []
    on_host = task.definition.get("networkMode") == "host"
    for balancer in service.balancers:
        container, wanted = task.container(balancer["containerName"]), balancer["containerPort"]
        bound = (
            [
                each["hostPort"]
                for each in container.bindings
                if each["containerPort"] == wanted and each.get("protocol", "tcp") == "tcp"
            ]
            if container
            else []
        )
        port = next(iter(bound), wanted if on_host else None)
        if port is not None:
            found.append((balancer["targetGroupArn"], instance.ec2_id, port))
    return found


def check_balancers(request: Json, definition: Json) -> None:
    """Refuse a load balancer that names a container or port which the task definition has not, and more than five.

    Raises:
        EcsError: InvalidParameterException, in AWS's words.
    """
    if len(request.get("loadBalancers", [])) > MAX_TARGET_GROUPS:  # the sentence is ours
        raise invalid(f"A service can have at most {MAX_TARGET_GROUPS} target groups.")
    for balancer in request.get("loadBalancers", []):
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        container = next((each for each in definition["containerDefinitions"] if each["name"] == name), None)
        if container is None:
            raise invalid(f"The container {name} does not exist in the task definition.")
        if port not in [each["containerPort"] for each in container.get("portMappings", [])]:
            raise invalid(f"The container {name} did not have a container port {port} defined.")

"""Sends tasks to the agents and takes in what they report: the control plane's end of the ACS and TCS protocols."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from local_aws.ecs import payload
from local_aws.ecs.outside import Outside
from local_aws.ecs.state import Channel, Instance, Json, Region, State, Task, new_id

CREDENTIALS_SECONDS = 3600.0
"""How long a task's role credentials last; they are renewed after half of it."""
ACK_SECONDS = 30.0
"""After so long without an acknowledgment a payload is sent again."""

log = logging.getLogger("local_aws.ecs")


class Dispatcher:
    """The agents of one region.

    Args:
        state, region: what is delivered from and reported into.
        outside: for the credentials of the tasks' roles.
        clock: seconds since the epoch.
    """

    def __init__(self, state: State, region: Region, outside: Outside, clock: Callable[[], float] = time.time) -> None:
        self.state = state
        self.region = region
        self.outside = outside
        self.clock = clock

    def connected(self, arn: str, channel: Channel) -> bool:
        """An agent has connected: all its tasks are sent (again), it knows which of them are new."""
        with self.state.lock:
            instance = self.region.instances.get(arn)
            if instance is None:
                return False
            instance.channel = channel
            instance.unacked.clear()
            for task in self.region.tasks_of(instance=arn):
                task.delivered = ""
            return True

    def disconnected(self, arn: str, channel: Channel) -> None:
        """An agent's connection has ended, unless a newer one has taken its place."""
        with self.state.lock:
            instance = self.region.instances.get(arn)
            if instance is not None and instance.channel is channel:
                instance.channel = None

    def acknowledged(self, arn: str, message_id: str) -> None:
        """The agent has taken a message."""
        with self.state.lock:
            instance = self.region.instances.get(arn)
            if instance is not None:
                instance.unacked.pop(message_id, None)

    def health(self, message: Json) -> None:
        """A PublishHealthRequest: health of containers."""
        with self.state.lock:
            for each in message.get("tasks", []):
                task = self.region.tasks.get(each.get("taskArn", ""))
                for state in each.get("containers", []):
                    container = task.container(state.get("containerName", "")) if task else None
                    if container:
                        container.health = state.get("healthStatus", "UNKNOWN")

    def deliver(self) -> None:
        """Send each connected agent what it has not been told yet, and renew credentials that are getting old."""
        for instance, tasks in self._due():
            bodies = []
            for task in tasks:
                credentials = self._credentials(task)
                cluster = self.region.clusters[task.cluster].arn
                with self.state.lock:
                    bodies.append(payload.task(task, cluster, credentials))
            self._send(instance, tasks, bodies)
        self._renew()

    def _due(self) -> list[tuple[Instance, list[Task]]]:
        with self.state.lock:
            now = self.clock()
            due = []
            for instance in self.region.instances.values():
                if instance.channel is None:
                    continue
                for message_id, (sent, arns) in list(instance.unacked.items()):
                    if now - sent > ACK_SECONDS:
                        del instance.unacked[message_id]
                        for arn in arns:
                            if arn in self.region.tasks:
                                self.region.tasks[arn].delivered = ""
                tasks = [
                    task
                    for task in self.region.tasks_of(instance=instance.arn)
                    # A task behind a load balancer is told to stop only when its connections have drained.
                    if task.active
                    and task.delivered != task.desired
                    and not (task.desired == "STOPPED" and task.registered)
                ]
                if tasks:
                    due.append((instance, tasks))
            return due

    def _send(self, instance: Instance, tasks: list[Task], bodies: list[Json]) -> None:
        with self.state.lock:
            instance.sequence += 1
            message_id = str(uuid.uuid4())
            message = {
                "clusterArn": self.region.clusters[instance.cluster].arn,
                "containerInstanceArn": instance.arn,
                "messageId": message_id,
                "seqNum": instance.sequence,
                "generatedAt": int(self.clock() * 1000),
                "tasks": bodies,
            }
            instance.unacked[message_id] = (self.clock(), [task.arn for task in tasks])
            for task, body in zip(tasks, bodies, strict=True):
                task.delivered = body["desiredStatus"]
                if task.delivered == "STOPPED":
                    task.status = "STOPPING"
            channel = instance.channel
        if channel is None:
            return
        try:
            channel.send("PayloadMessage", message)
        except OSError as error:
            log.info("payload to %s: %s", instance.id, error)  # sent again when the agent reconnects

    def _roles(self, task: Task) -> dict[str, str]:
        roles = {
            "TaskApplication": task.definition.get("taskRoleArn", ""),
            "TaskExecution": task.definition.get("executionRoleArn", ""),
        }
        return {kind: role for kind, role in roles.items() if role}

    def _credentials(self, task: Task) -> dict[str, Json]:
        """Fresh credentials of the task's roles, by role type; a task keeps its credentials ids."""
        answer = {}
        for kind, role in self._roles(task).items():
            identity = task.credentials.get(kind, (str(uuid.uuid4()), 0.0))[0]
            session = task.id if kind == "TaskApplication" else new_id()
            assumed = self.outside.assume_role(role, session)
            answer[kind] = payload.role_credentials(role, identity, assumed, CREDENTIALS_SECONDS)
            task.credentials[kind] = (identity, self.clock() + CREDENTIALS_SECONDS / 2)
        return answer

    def _renew(self) -> None:
        with self.state.lock:
            now = self.clock()
            old = [
                task
                for task in self.region.tasks.values()
                if task.active
                and task.credentials
                and min(due for _, due in task.credentials.values()) < now
                and getattr(self.region.instances.get(task.instance), "channel", None)
            ]
        for task in old:
            for kind, credentials in self._credentials(task).items():
                channel = self.region.instances[task.instance].channel
                if channel is None:
                    continue
                try:
                    channel.send("IAMRoleCredentialsMessage", payload.credentials_message(task.arn, kind, credentials))
                except OSError as error:
                    log.info("credentials for %s: %s", task.id, error)

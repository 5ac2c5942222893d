"""Sends tasks to the agents and takes in what they report: the control plane's end of the ACS and TCS protocols."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from local_aws.access.roles import RoleRefused
from local_aws.ecs import payload
from local_aws.ecs.outside import Outside
from local_aws.ecs.scheduler import stop_task
from local_aws.ecs.state import Channel, Instance, Json, Region, State, Task, new_id

CAN_NOT_ASSUME = (
    "ECS was unable to assume the role '{}' that was provided for this task. Please verify that the role being passed "
    "has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
CREDENTIALS_SECONDS = 3600.0
"""How long a task's role credentials last; they are renewed after half of it."""
ACK_SECONDS = 30.0
"""After so long without an acknowledgment a payload is sent again."""
VERSIONS = ("agentVersion", "agentHash", "dockerVersion")

log = logging.getLogger("local_aws.ecs")


class Dispatcher:
    """The agents of one region.

    Args:
        state, region: what is delivered from and reported into.
        outside: for the credentials of the tasks' roles.
        clock: seconds since the epoch.
        registry: host and port of the registry that stands in for ECR, as in images' names; empty if there is none.
    """

    def __init__(
        self,
        state: State,
        region: Region,
        outside: Outside,
        clock: Callable[[], float] = time.time,
        registry: str = "",
    ) -> None:
        self.state = state
        self.region = region
        self.outside = outside
        self.clock = clock
        self.registry = registry

    def known(self, arn: str) -> bool:
        """Whether there is such a container instance."""
        with self.state.lock:
            return arn in self.region.instances

    def connected(self, arn: str, channel: Channel, query: dict[str, str] | None = None) -> bool:
        """An agent has connected: it is told what should run on it, and sent again what it did not acknowledge.

        Args:
            arn: the container instance.
            channel: the way to the agent.
            query: of the agent's URL: its versions, which it gives nowhere else, and whether it wants the credentials
                of its tasks (`sendCredentials`; it saves none, so after a restart it does).
        Returns:
            False if there is no such container instance.
        """
        query = query or {}
        versions: Json = {key: query[key] for key in VERSIONS if key in query}
        with self.state.lock:
            instance = self.region.instances.get(arn)
            if instance is None:
                return False
            former, instance.channel, instance.connected_at = instance.channel, channel, self.clock()
            instance.version_info = versions or instance.version_info
            for _, arns in instance.unacked.values():
                self._deliver_again(arns)
            instance.unacked.clear()
            if query.get("sendCredentials") == "true":
                for task in self.region.tasks_of(instance=arn):
                    task.credentials = {kind: (identity, 0.0) for kind, (identity, _) in task.credentials.items()}
        if former:
            former.close()
        self._send_manifest(instance)
        return True

    def _deliver_again(self, arns: list[str]) -> None:
        for arn in arns:
            if arn in self.region.tasks:
                self.region.tasks[arn].delivered = ""

    def _send_manifest(self, instance: Instance) -> None:
        """Tell an agent all the tasks that belong on its host: it asks before it stops what is not among them."""
        with self.state.lock:
            instance.sequence += 1
            instance.manifest = str(uuid.uuid4())
            cluster = self.region.clusters[instance.cluster].arn
            message = {
                "clusterArn": cluster,
                "containerInstanceArn": instance.arn,
                "messageId": instance.manifest,
                "generatedAt": int(self.clock() * 1000),
                "timeline": instance.sequence,
                "tasks": [
                    {"taskArn": task.arn, "taskClusterArn": cluster, "desiredStatus": _told(task)}
                    for task in self.region.tasks_of(instance=instance.arn)
                    if task.active
                ],
            }
            channel = instance.channel
        self._tell(instance, channel, "TaskManifestMessage", message)

    @staticmethod
    def _tell(instance: Instance, channel: Channel | None, kind: str, message: Json) -> None:
        try:
            if channel:
                channel.send(kind, message)
        except OSError as error:
            log.info("%s to %s: %s", kind, instance.id, error)  # said again when the agent reconnects

    def stop_candidates(self, arn: str, message: Json) -> None:
        """A TaskStopVerificationMessage: of the tasks that the agent would stop, those that must not run are named."""
        with self.state.lock:
            instance = self.region.instances.get(arn)
            if instance is None or message.get("messageId") != instance.manifest:
                return  # of an older manifest
            mine = {each.arn for each in self.region.tasks_of(instance=arn) if each.active and _told(each) == "RUNNING"}
            answer = {
                "messageId": instance.manifest,
                "generatedAt": int(self.clock() * 1000),
                "stopTasks": [
                    {**each, "desiredStatus": "STOPPED"}
                    for each in message.get("stopCandidates") or []
                    if each.get("taskArn") not in mine
                ],
            }
            channel = instance.channel
        if answer["stopTasks"]:
            self._tell(instance, channel, "TaskStopVerificationAck", answer)

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

    def credentials_acknowledged(self, arn: str, message: Json) -> None:
        """An IAMRoleCredentialsAckRequest: these credentials are good for half of their time, then renewed."""
        with self.state.lock:
            for task in self.region.tasks_of(instance=arn):
                for kind, (identity, _) in task.credentials.items():
                    if identity == message.get("credentialsId"):
                        task.credentials[kind] = (identity, self.clock() + CREDENTIALS_SECONDS / 2)

    def instance_status(self, message: Json) -> None:
        """A PublishInstanceStatusRequest: what the agent's checks of its host found."""
        with self.state.lock:
            instance = self.region.instances.get((message.get("metadata") or {}).get("containerInstance", ""))
            if instance is not None:
                instance.health = [
                    {**each, "type": re.sub(r"(?<!^)(?=[A-Z])", "_", each.get("type", "")).upper()}
                    for each in message.get("statuses") or []
                ]

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
                    bodies.append(payload.task(task, cluster, credentials, self.registry))
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
                        self._deliver_again(arns)
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
        self._tell(instance, channel, "PayloadMessage", message)

    def _roles(self, task: Task) -> dict[str, str]:
        roles = {
            "TaskApplication": task.definition.get("taskRoleArn", ""),
            "TaskExecution": task.definition.get("executionRoleArn", ""),
        }
        return {kind: role for kind, role in roles.items() if role}

    def _credentials(self, task: Task) -> dict[str, Json]:
        """Fresh credentials of the task's roles, by role type; a task keeps its credentials ids.

        One whose role ECS may not assume does not start.
        """
        answer: dict[str, Json] = {}
        for kind, role in self._roles(task).items():
            identity = task.credentials.get(kind, (str(uuid.uuid4()), 0.0))[0]
            session = task.id if kind == "TaskApplication" else new_id()
            try:
                assumed = self.outside.assume_role(role, session)
            except RoleRefused:
                with self.state.lock:
                    stop_task(task, CAN_NOT_ASSUME.format(role), "TaskFailedToStart", self.clock())
                return {}
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
                with self.state.lock:
                    instance = self.region.instances.get(task.instance)
                    if instance is None:
                        break
                    # Until the agent acknowledges them they count as not delivered.
                    task.credentials[kind] = (credentials["credentialsId"], self.clock() + ACK_SECONDS)
                    channel = instance.channel
                message = payload.credentials_message(task.arn, kind, credentials)
                self._tell(instance, channel, "IAMRoleCredentialsMessage", message)


def _told(task: Task) -> str:
    """The status that an agent is to bring about: a task behind a load balancer runs until its connections drained."""
    return "RUNNING" if task.registered else task.desired

"""What the agents ask and report."""

from __future__ import annotations

from collections.abc import Callable

from local_aws.ecs.actions.base import Actions
from local_aws.ecs.outside import Outside
from local_aws.ecs.state import Json, Region, State, Task, new_id


class Agents(Actions):
    """DiscoverPollEndpoint, SubmitTaskStateChange and the like.

    Args:
        state, region, outside, clock: see `Actions`.
        endpoint: URL of the agents' WebSocket server.
    """

    def __init__(
        self, state: State, region: Region, outside: Outside, clock: Callable[[], float], endpoint: str
    ) -> None:
        super().__init__(state, region, outside, clock)
        self.endpoint = endpoint

    def discover_poll_endpoint(self, request: Json) -> Json:
        """DiscoverPollEndpoint: where the agent's sockets are. The agent appends /ws to each."""
        del request
        return {"endpoint": self.endpoint, "telemetryEndpoint": f"{self.endpoint}/telemetry"}

    def submit_task_state_change(self, request: Json) -> Json:
        """SubmitTaskStateChange."""
        task = self.region.tasks.get(request.get("task", ""))
        if task is not None and task.status != "STOPPED":
            now = self.clock()
            for each in request.get("containers", []):
                self._container_change(task, each)
            for key, name in (
                ("pullStartedAt", "pull_started_at"),
                ("pullStoppedAt", "pull_stopped_at"),
                ("executionStoppedAt", "execution_stopped_at"),
            ):
                if request.get(key) is not None:
                    setattr(task, name, request[key])
            status = request.get("status", "")
            if status == "RUNNING" and task.status == "PENDING":
                task.status, task.started_at = "RUNNING", now
            elif status == "STOPPED":
                self._stopped(task, request.get("reason", ""), now)
            task.version += 1
        return {"acknowledgment": new_id()}

    def _stopped(self, task: Task, reason: str, now: float) -> None:
        if task.desired == "RUNNING":  # nobody asked for it
            # A container that could never start is reported with an exit code too, 143. One that runs although its
            # image could not be pulled has such a reason as well.
            failed = task.started_at is None and (
                all(each.exit_code is None for each in task.containers)
                or any(each.reason.startswith("Cannot") and each.exit_code in (None, 143) for each in task.containers)
            )
            task.stop_code = "TaskFailedToStart" if failed else "EssentialContainerExited"
            task.stopped_reason = reason or ("Task failed to start" if failed else "Essential container in task exited")
            task.stopping_at = now
        task.desired = task.status = "STOPPED"
        task.stopped_at = now
        task.execution_stopped_at = task.execution_stopped_at or now
        for container in task.containers:
            container.status = "STOPPED"

    @staticmethod
    def _container_change(task: Task, change: Json) -> None:
        container = task.container(change["containerName"])
        if container is None:
            return
        container.status = change.get("status", container.status)
        container.runtime_id = change.get("runtimeId", container.runtime_id)
        container.image_digest = change.get("imageDigest", container.image_digest)
        container.exit_code = change.get("exitCode", container.exit_code)
        container.reason = change.get("reason", container.reason)
        if "networkBindings" in change:
            container.bindings = change["networkBindings"]

"""What drives a task of this host, round by round: from the payload to the last exit code."""

from __future__ import annotations

import contextlib
import logging
import threading
import time

import docker

from . import reports
from .aws import Json
from .observation import observe
from .starting import ContainerError, Start, TaskError
from .stopping import clean_up, stop
from .task import Task
from .task_host import Host

log = logging.getLogger("ecs-agent")
POLL_SECONDS = 0.5


class ManagedTask:
    """A task and the thread that drives it.

    Args:
        host: where it runs.
        task: what is there of it.
    """

    def __init__(self, host: Host, task: Task) -> None:
        self.host = host
        self.task = task
        self._start = Start(host, task, self._report)
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"task-{task.id}", daemon=True)

    # --- from outside

    def start(self) -> None:
        """Drive the task in a thread until its containers are removed."""
        self._thread.start()

    def close(self) -> None:
        """Leave the containers as they are and end the thread; the agent is being stopped."""
        self._closed.set()
        self._wake.set()

    def update(self, payload: Json) -> None:
        """Take in the same task again: a stop, fresh credentials, or a control plane that missed the report."""
        for key in ("roleCredentials", "executionRoleCredentials"):
            if payload.get(key):
                self.task.payload[key] = payload[key]
        if payload["desiredStatus"] == "STOPPED":
            self.task.desired = "STOPPED"
        elif self.task.status == self.task.reported:
            self.task.reported, self.task.told = "", {}
        self._wake.set()

    def stop(self) -> None:
        """Stop the task: the control plane does not know it any more."""
        self.task.desired = "STOPPED"
        self._save()
        self._wake.set()

    def renew(self, kind: str, credentials: Json) -> None:
        """Take in fresh role credentials (an IAMRoleCredentialsMessage)."""
        key = "roleCredentials" if kind == "TaskApplication" else "executionRoleCredentials"
        self.task.payload[key] = credentials
        self._save()

    # --- the thread

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            if self.turn():
                return
            self._wake.wait(POLL_SECONDS)

    def turn(self) -> bool:
        """One step of the task. True when nothing is left of it."""
        try:
            return self._round()
        except TaskError as error:
            log.warning("task %s: %s", self.task.id, error)
            self._want_stop(str(error))
        except ContainerError as error:
            self._fail(error)
        except docker.errors.DockerException as error:
            log.warning("task %s: Docker: %s", self.task.id, error)
        except OSError as error:  # Docker restarts; PartOf=docker.service restarts the agent too
            log.warning("task %s: %s", self.task.id, error)
        except Exception:  # one task's fault must not leave it without its thread; the next round tries again
            log.exception("task %s", self.task.id)
        return False

    def _round(self) -> bool:
        """See `turn`."""
        if self.task.status == "STOPPED":
            self._report()
            return clean_up(self.host, self.task)
        self._observe()
        if self.task.desired == "STOPPED":
            stop(self.host, self.task, self._closed.is_set, self._look)
        else:
            self._start.advance(self._closed.is_set)
        self._settle()
        self._report()
        return False

    def _save(self) -> None:
        self.host.save(self.task)

    def _observe(self) -> None:
        if observe(self.host.client, self.task):
            self._save()

    def _look(self) -> None:
        """While it is stopped: each container is reported as it ends."""
        self._observe()
        with contextlib.suppress(OSError):
            self._report()

    def _fail(self, error: ContainerError) -> None:
        log.warning("task %s: %s: %s", self.task.id, error.container, error)
        container = self.task.containers[error.container]
        container.status, container.exit_code = "STOPPED", error.exit_code
        container.reason = container.reason or str(error)
        self._save()
        if error.ends_task:
            self._want_stop("")

    def _want_stop(self, reason: str) -> None:
        if self.task.desired != "STOPPED":
            self.task.desired, self.task.reason = "STOPPED", reason
            self._save()

    def _settle(self) -> None:
        """Derive the task's status from its containers."""
        task = self.task
        for name, container in task.containers.items():
            if container.status == "STOPPED" and task.definition(name).get("essential", True):
                self._want_stop("")  # ECS has its own words for it
        if all(container.status == "STOPPED" for container in task.containers.values()):
            task.status, task.stopped = "STOPPED", time.time()
            self._save()
        elif task.desired == "RUNNING" and all(
            container.status in ("RUNNING", "STOPPED") for container in task.containers.values()
        ):
            task.status = "RUNNING"

    def _report(self) -> None:
        """Tell the control plane what it does not know yet; what fails is tried again in a later round."""
        request = reports.due(self.task)
        if request is None:
            return
        where = {"cluster": self.task.payload["taskClusterArn"], "task": self.task.arn}
        self.host.submit("SubmitTaskStateChange", {**where, **request})
        reports.delivered(self.task, request)
        self._save()

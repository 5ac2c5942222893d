"""One task on this host: its volumes, images and containers, from the payload to the last exit code."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets as random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker

from . import containers, dependencies, reports, secrets
from .aws import Credentials, Json
from .configuration import Configuration
from .images import ImageError, Images, response
from .ports import PortError, Ports, bindings
from .volumes import VolumeError, Volumes

log = logging.getLogger("ecs-agent")
POLL_SECONDS = 0.5
TERMINATED = 143
"""Exit code that is reported for a container that could never start; Docker's for one that SIGTERM ended."""
HEALTH = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


class Host:
    """What a task needs of its host.

    Args:
        client: the Docker SDK's client.
        configuration: the agent's.
        images: the host's images.
        region: AWS region, for secrets and as the containers are told it.
        cluster: name of the cluster.
        submit: sends a state change, (action, request); raises OSError or ApiError if it could not be delivered.
        save: stores a task's record; `forget` drops it.
    """

    def __init__(
        self,
        client: Any,
        configuration: Configuration,
        images: Images,
        region: str,
        cluster: str,
        submit: Callable[[str, Json], None],
        save: Callable[[str, Json], None],
        forget: Callable[[str], None],
    ) -> None:
        self.client = client
        self.configuration = configuration
        self.region = region
        self.cluster = cluster
        self.submit = submit
        self.save = save
        self.forget = forget
        self.images = images
        self.ports = Ports(*configuration.dynamic_ports)
        self.volumes = Volumes(client, configuration.shared_volume_match)


class TaskError(Exception):
    """The task cannot be brought up; the message is its own reason."""


class ContainerError(Exception):
    """A container cannot be brought up; the message is its reason, and the task has none.

    Args:
        container: its name.
        reason: see above.
        exit_code: what is reported for it, None for nothing.
        ends_task: whether the task ends with it, essential or not.
    """

    def __init__(self, container: str, reason: str, exit_code: int | None = None, ends_task: bool = False) -> None:
        super().__init__(reason)
        self.container = container
        self.exit_code = exit_code
        self.ends_task = ends_task


class Task:
    """A task and the thread that drives it.

    `record` is all that has to survive a restart of the agent: the payload, the containers' ids and states, what was
    reported. `containers` in it: see `new_container`.
    """

    def __init__(self, host: Host, payload: Json, record: Json | None = None) -> None:
        self.host = host
        self.record: Json = record or {
            "payload": payload,
            "desired": payload["desiredStatus"],
            "status": "NONE",
            "reported": "",
            "reason": "",
            "containers": {each["name"]: new_container() for each in payload["containers"]},
            "volumes": {},
            "sources": {},
            "provided": False,
            "told": {},
            "created": time.time(),
        }
        self.arn: str = self.payload["arn"]
        self._secrets: dict[str, dict[str, str]] | None = None  # never saved
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"task-{self.id}", daemon=True)

    @property
    def payload(self) -> Json:
        """The task as the control plane sent it."""
        payload: Json = self.record["payload"]
        return payload

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return str(self.payload["arn"]).rpartition("/")[2]

    @property
    def family(self) -> str:
        """`<family>-<revision>`, as in the containers' names."""
        return f"{self.payload['family']}-{self.payload['version']}"

    @property
    def containers(self) -> dict[str, Json]:
        """State of the containers, by name."""
        found: dict[str, Json] = self.record["containers"]
        return found

    def definition(self, name: str) -> Json:
        """The container `name` as the payload has it."""
        return next(each for each in self.payload["containers"] if each["name"] == name)

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
                self.payload[key] = payload[key]
        if payload["desiredStatus"] == "STOPPED":
            self.record["desired"] = "STOPPED"
        elif self.record["status"] == self.record["reported"]:
            self.record["reported"], self.record["told"] = "", {}
        self._wake.set()

    def stop(self) -> None:
        """Stop the task: the control plane does not know it any more."""
        self.record["desired"] = "STOPPED"
        self._save()
        self._wake.set()

    def renew(self, kind: str, credentials: Json) -> None:
        """Take in fresh role credentials (an IAMRoleCredentialsMessage)."""
        self.payload["roleCredentials" if kind == "TaskApplication" else "executionRoleCredentials"] = credentials
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
            log.warning("task %s: %s", self.id, error)
            self._want_stop(str(error))
        except ContainerError as error:
            self._fail(error)
        except docker.errors.DockerException as error:
            log.warning("task %s: Docker: %s", self.id, error)
        except OSError as error:  # Docker restarts; PartOf=docker.service restarts the agent too
            log.warning("task %s: %s", self.id, error)
        except Exception:  # one task's fault must not leave it without its thread; the next round tries again
            log.exception("task %s", self.id)
        return False

    def _round(self) -> bool:
        """See `turn`."""
        if self.record["status"] == "STOPPED":
            self._report()
            return self._clean_up()
        self._observe()
        if self.record["desired"] == "STOPPED":
            self._stop()
        else:
            self._advance()
        self._settle()
        self._report()
        return False

    def _save(self) -> None:
        self.host.save(self.arn, self.record)

    def _fail(self, error: ContainerError) -> None:
        log.warning("task %s: %s: %s", self.id, error.container, error)
        state = self.containers[error.container]
        state.update(status="STOPPED", reason=state["reason"] or str(error), exitCode=error.exit_code)
        self._save()
        if error.ends_task:
            self._want_stop("")

    def _want_stop(self, reason: str) -> None:
        if self.record["desired"] != "STOPPED":
            self.record["desired"], self.record["reason"] = "STOPPED", reason
            self._save()

    # --- observing

    def _observe(self) -> None:
        """Take in what Docker says of the containers."""
        changed = False
        for name, state in self.containers.items():
            if state["status"] in ("NONE", "STOPPED") and state["id"] == "":
                self._adopt(name, state)
            if not state["id"] or state["status"] == "STOPPED":
                continue
            try:
                found = self.host.client.api.inspect_container(state["id"])
            except docker.errors.NotFound:
                state.update(status="STOPPED", reason="ContainerVanishedError: No container matching saved ID found")
                changed = True
                continue
            changed |= self._take(name, state, found)
        if changed:
            self._save()

    def _adopt(self, name: str, state: Json) -> None:
        """Find a container that was made just before the agent was stopped."""
        if state.get("looked"):
            return
        state["looked"] = True
        labels = [f"{containers.LABEL}task-arn={self.arn}", f"{containers.LABEL}container-name={name}"]
        for found in self.host.client.api.containers(all=True, filters={"label": labels}):
            state["id"], state["status"] = found["Id"], "CREATED"

    def _take(self, name: str, state: Json, found: Json) -> bool:
        """Update `state` from an inspection; whether it changed."""
        before = json.dumps(state, sort_keys=True)
        docker_state = found["State"]
        if docker_state["Status"] in ("running", "paused", "restarting"):
            state["status"] = "RUNNING"
            state["started"] = state["started"] or time.time()
            state["bindings"] = bindings(found)
            if self.definition(name).get("healthCheckType") == "docker":
                seen = HEALTH.get((docker_state.get("Health") or {}).get("Status", ""), "UNKNOWN")
                if seen != state["health"]:
                    state["health"], state["healthSince"] = seen, time.time()
        elif docker_state["Status"] in ("exited", "dead") and state["started"] is not None:
            state["status"], state["exitCode"] = "STOPPED", docker_state["ExitCode"]
            if docker_state.get("OOMKilled"):
                state["reason"] = "OutOfMemoryError: Container killed due to memory usage"
        elif docker_state["Status"] in ("exited", "dead"):  # it ended before it was ever seen to run
            state.update(status="STOPPED", exitCode=docker_state["ExitCode"], started=time.time())
        return before != json.dumps(state, sort_keys=True)

    # --- bringing up

    def _advance(self) -> None:
        """Provide what the task needs once, then bring up every container whose dependencies are met.

        A container's image is pulled only when its turn has come, unless ECS_PULL_DEPENDENT_CONTAINERS_UPFRONT.
        """
        if not self.record["provided"]:
            self._provide()
        for name, state in self.containers.items():
            if self.record["desired"] == "STOPPED" or self._closed.is_set():
                return
            if state["status"] not in ("NONE", "CREATED") or state["started"] is not None:
                continue
            if not state["pulled"] and (self.host.configuration.pull_dependants_upfront or self._ready(name)):
                self._pull(name, state)
            if state["pulled"] and self._ready(name):
                if not state["id"]:
                    self._create(name, state)
                self._begin(name, state)

    def _provide(self) -> None:
        """Make the volumes, look up all images' manifests and read the secrets."""
        uri = ""
        if self.payload.get("roleCredentials"):
            uri = f"/v2/credentials/{self.payload['roleCredentials']['credentialsId']}"
        for volume in self.payload.get("volumes", []):
            try:
                source = self.host.volumes.provide(volume, self.family, uri, self.record["volumes"])
            except VolumeError as error:
                before = "" if error.initialized else f"resource cannot be initialized for task {self.arn}: "
                raise TaskError(f"{before}{error}") from error
            self.record["sources"][volume["name"]] = source
        self._save()
        for name, state in self.containers.items():
            try:
                state["digest"] = self.host.images.digest(self.definition(name), self._execution())
            except ImageError as error:
                self._cannot_pull(name, state, error)
        with contextlib.suppress(OSError):  # the digests; they are told again with whatever comes next
            self._report()
        self._read_secrets()
        self.record["provided"] = True
        self._save()

    def _execution(self) -> Credentials | None:
        found = self.payload.get("executionRoleCredentials")
        return credentials(found) if found else None

    def _cannot_pull(self, name: str, state: Json, error: ImageError) -> None:
        """Note the first error of an image; where the pull behaviour is strict the task ends with it."""
        state["reason"] = state["reason"] or str(error)
        if not self.host.images.run_anyway:
            raise ContainerError(name, str(error), ends_task=True) from error
        log.warning("task %s: %s: %s; will try to run anyway", self.id, name, error)

    def _read_secrets(self) -> dict[str, dict[str, str]]:
        """The secrets of all containers; read once, and again after a restart of the agent."""
        if self._secrets is None:
            keys = credentials(self.payload.get("executionRoleCredentials"))
            try:
                self._secrets = secrets.values(self.payload["containers"], self.host.region, keys)
            except secrets.SecretError as error:
                raise TaskError(str(error)) from error
        return self._secrets

    def _pull(self, name: str, state: Json) -> None:
        self.record.setdefault("pullStarted", time.time())
        try:
            self.host.images.pull(self.definition(name), state["digest"], self._execution())
        except ImageError as error:
            self._cannot_pull(name, state, error)
        state["pulled"] = True
        self.record["pullStopped"] = time.time()
        self._save()

    def _ready(self, name: str) -> bool:
        """Whether what `name` waits for has come."""
        try:
            return dependencies.resolved(self, name)
        except dependencies.DependencyError as error:
            raise ContainerError(name, f"CannotStartContainerError: {error}", TERMINATED) from error

    def _create(self, name: str, state: Json) -> None:
        # As the agent names them: family, revision, container, and 20 random hexadecimal digits.
        title = f"ecs-{self.family}-{name}-{random.token_hex(10)}"
        own_secrets = self._read_secrets().get(name, {})
        try:
            image = self.host.client.images.get(self.definition(name)["image"])
            config = containers.configuration(self, name, own_secrets, image.attrs["Config"].get("Env") or [])
            made = self.host.client.api.create_container_from_config(config, title)
        except docker.errors.APIError as error:
            raise ContainerError(name, f"CannotCreateContainerError: {response(error)}") from error
        except PortError as error:
            raise ContainerError(name, f"CannotCreateContainerError: {error}") from error
        state.update(id=made["Id"], name=title, status="CREATED", image=image.id)
        self._save()

    def _begin(self, name: str, state: Json) -> None:
        try:
            self.host.client.api.start(state["id"])
        except docker.errors.APIError as error:
            raise ContainerError(name, f"CannotStartContainerError: {response(error)}") from error
        state["started"] = time.time()
        log.info("task %s: started %s as %s", self.id, name, state.get("name") or state["id"][:12])
        self._take(name, state, self.host.client.api.inspect_container(state["id"]))
        self._save()

    # --- ending

    def _stop(self) -> None:
        """Stop what runs, dependants before what they depend on; a container's own stopTimeout, then SIGKILL."""
        for state in self.containers.values():
            if state["status"] in ("NONE", "CREATED"):
                state["status"] = "STOPPED"
        running = {name for name, state in self.containers.items() if state["status"] == "RUNNING"}
        while running and not self._closed.is_set():
            needed = {target for name in running for target, _ in dependencies.of(self.definition(name))}
            level = sorted(running - needed) or sorted(running)
            with ThreadPoolExecutor(len(level)) as pool:
                list(pool.map(self._stop_one, level))
            running -= set(level)
            self._observe()
            with contextlib.suppress(OSError):
                self._report()  # each container as it ends

    def _stop_one(self, name: str) -> None:
        state, own = self.containers[name], self.definition(name).get("stopTimeout")
        seconds = int(own if own is not None else self.host.configuration.stop_timeout)
        try:
            # The SDK's own timeout has to outlast the wait that it asks of Docker.
            self.host.client.api.stop(state["id"], timeout=seconds)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            log.warning("task %s: could not stop %s: %s; killing it", self.id, name, error)
            self.host.client.api.kill(state["id"])

    def _settle(self) -> None:
        """Derive the task's status from its containers."""
        states = self.containers
        for name, state in states.items():
            if state["status"] == "STOPPED" and self.definition(name).get("essential", True):
                self._want_stop("")  # ECS has its own words for it
        if all(state["status"] == "STOPPED" for state in states.values()):
            self.record["status"], self.record["stopped"] = "STOPPED", time.time()
            self._save()
        elif self.record["desired"] == "RUNNING" and all(
            state["status"] in ("RUNNING", "STOPPED") for state in states.values()
        ):
            self.record["status"] = "RUNNING"

    def _clean_up(self) -> bool:
        """Remove containers and task volumes once the clean-up wait is over."""
        if time.time() - self.record["stopped"] < self.host.configuration.cleanup_wait:
            return False
        if self.record["reported"] != "STOPPED":
            return False
        for state in self.containers.values():
            if state["id"]:
                with contextlib.suppress(docker.errors.NotFound):
                    self.host.client.api.remove_container(state["id"], v=True, force=True)
        self.host.volumes.remove(self.record["volumes"])
        self.host.forget(self.arn)
        return True

    # --- reporting

    def _report(self) -> None:
        """Tell the control plane what it does not know yet; what fails is tried again in a later round."""
        request = reports.due(self.record)
        if request is None:
            return
        self.host.submit(
            "SubmitTaskStateChange", {"cluster": self.payload["taskClusterArn"], "task": self.arn, **request}
        )
        reports.delivered(self.record, request)
        self._save()


def new_container() -> Json:
    """The state of a container that is not there yet.

    `status` is NONE, CREATED, RUNNING or STOPPED; `endpoint` its part of the metadata endpoint's URL; `image` the
    image's id; `pulled` whether its image was seen to; `started` and `healthSince` seconds since the epoch.
    """
    return {
        "id": "",
        "name": "",
        "status": "NONE",
        "exitCode": None,
        "reason": "",
        "bindings": [],
        "health": "UNKNOWN",
        "healthSince": 0.0,
        "digest": "",
        "image": "",
        "pulled": False,
        "endpoint": str(uuid.uuid4()),
        "started": None,
    }


def credentials(found: Json | None) -> Credentials:
    """The keys of a payload's role credentials; placeholders if there are none."""
    if not found:
        return Credentials()
    return Credentials(found["accessKeyId"], found["secretAccessKey"], found.get("sessionToken", ""))

"""One task on this host: its volumes, images and containers, from the payload to the last exit code."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets as random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker

from . import secrets
from .aws import Credentials
from .configuration import Configuration
from .volumes import VolumeError, Volumes

log = logging.getLogger("ecs-agent")
Json = dict[str, Any]
LABEL = "com.amazonaws.ecs."
POLL_SECONDS = 0.5
MINIMUM_MEMORY = 6 * 1024 * 1024
HEALTH = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


class Host:
    """What a task needs of its host.

    Args:
        client: the Docker SDK's client.
        configuration: the agent's.
        region: AWS region, for secrets.
        cluster: name of the cluster.
        submit: sends a state change, (action, request); raises OSError or ApiError if it could not be delivered.
        save: stores a task's record; `forget` drops it.
        health_changed: called when a container's health has changed.
    """

    def __init__(
        self,
        client: Any,
        configuration: Configuration,
        region: str,
        cluster: str,
        submit: Callable[[str, Json], None],
        save: Callable[[str, Json], None],
        forget: Callable[[str], None],
        health_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.client = client
        self.configuration = configuration
        self.region = region
        self.cluster = cluster
        self.submit = submit
        self.save = save
        self.forget = forget
        self.health_changed = health_changed
        self.volumes = Volumes(client, configuration.shared_volume_match)
        self.pulled: set[str] = set()


class Failure(Exception):
    """A container could not be brought up; the message is its reason, the task stops."""

    def __init__(self, container: str, reason: str) -> None:
        super().__init__(reason)
        self.container = container
        self.reason = reason


class Task:
    """A task and the thread that drives it.

    `record` is all that has to survive a restart of the agent: the payload, the containers' ids and states, what was
    reported. `containers` in it: name → {id, status NONE | CREATED | RUNNING | STOPPED, exitCode, reason, bindings,
    health, digest, started}.
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
            "created": time.time(),
        }
        self.arn: str = self.payload["arn"]
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
            self.record["reported"] = ""
        self._wake.set()

    def renew(self, kind: str, credentials: Json) -> None:
        """Take in fresh role credentials (an IAMRoleCredentialsMessage)."""
        self.payload["roleCredentials" if kind == "TaskApplication" else "executionRoleCredentials"] = credentials
        self._save()

    # --- the thread

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            try:
                if self._round():
                    return
            except Failure as failure:
                self._fail(failure)
            except docker.errors.DockerException as error:
                log.warning("task %s: Docker: %s", self.id, error)
            except OSError as error:  # Docker restarts; PartOf=docker.service restarts the agent too
                log.warning("task %s: %s", self.id, error)
            except Exception:  # one task's fault must not leave it without its thread; the next round tries again
                log.exception("task %s", self.id)
            self._wake.wait(POLL_SECONDS)

    def _round(self) -> bool:
        """One step. True when nothing is left of the task."""
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

    def _fail(self, failure: Failure) -> None:
        log.warning("task %s: %s: %s", self.id, failure.container, failure.reason)
        state = self.containers.get(failure.container)
        if state is not None and state["status"] in ("NONE", "CREATED"):
            state["reason"] = failure.reason
        self._want_stop(failure.reason)

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
                state.update(status="STOPPED", reason="ContainerNotFound: it was removed behind the agent's back")
                changed = True
                continue
            changed |= self._take(name, state, found)
        if changed:
            self._save()
            self.host.health_changed()

    def _adopt(self, name: str, state: Json) -> None:
        """Find a container that was made just before the agent was stopped."""
        if state.get("looked"):
            return
        state["looked"] = True
        labels = [f"{LABEL}task-arn={self.arn}", f"{LABEL}container-name={name}"]
        for found in self.host.client.api.containers(all=True, filters={"label": labels}):
            state["id"], state["status"] = found["Id"], "CREATED"

    def _take(self, name: str, state: Json, found: Json) -> bool:
        """Update `state` from an inspection; whether it changed."""
        before = json.dumps(state, sort_keys=True)
        docker_state = found["State"]
        if docker_state["Status"] in ("running", "paused", "restarting"):
            state["status"] = "RUNNING"
            state["started"] = state["started"] or time.time()
            state["bindings"] = bindings(self.definition(name), found, self.payload.get("networkMode", "bridge"))
            if self.definition(name).get("healthCheckType") == "docker":
                seen = (docker_state.get("Health") or {}).get("Status", "")
                state["health"] = HEALTH.get(seen, "UNKNOWN")
        elif docker_state["Status"] in ("exited", "dead") and state["started"] is not None:
            state["status"], state["exitCode"] = "STOPPED", docker_state["ExitCode"]
            if docker_state.get("OOMKilled"):
                state["reason"] = "OutOfMemoryError: Container killed due to memory usage"
        elif docker_state["Status"] in ("exited", "dead"):  # it ended before it was ever seen to run
            state.update(status="STOPPED", exitCode=docker_state["ExitCode"], started=time.time())
        return before != json.dumps(state, sort_keys=True)

    # --- bringing up

    def _advance(self) -> None:
        """Make volumes and pull images once, then start every container whose dependencies are met."""
        if not self.record.get("provided"):
            self._provide()
        for name, state in self.containers.items():
            if self.record["desired"] == "STOPPED" or self._closed.is_set():
                return
            if state["status"] in ("NONE", "CREATED") and state["started"] is None and self._ready(name):
                if not state["id"]:
                    self._create(name, state)
                self._begin(name, state)

    def _provide(self) -> None:
        uri = ""
        if self.payload.get("roleCredentials"):
            uri = f"/v2/credentials/{self.payload['roleCredentials']['credentialsId']}"
        for volume in self.payload.get("volumes", []):
            try:
                source = self.host.volumes.provide(volume, self.family, uri, self.record["volumes"])
            except VolumeError as error:
                raise Failure("", str(error)) from error
            self.record["sources"][volume["name"]] = source
        self.record["pullStarted"] = time.time()
        self._save()
        for container in self.payload["containers"]:
            if self.record["desired"] == "STOPPED":
                return
            self._pull(container)
        self.record["pullStopped"] = time.time()
        self.record["provided"] = True
        self._save()

    def _pull(self, container: Json) -> None:
        image, behavior = container["image"], self.host.configuration.pull_behavior
        if behavior == "prefer-cached" or (behavior == "once" and image in self.host.pulled):
            try:
                self.host.client.images.get(image)
                return
            except docker.errors.ImageNotFound:
                pass
        try:
            self.host.client.images.pull(image)
        except docker.errors.APIError as error:
            raise Failure(
                container["name"], f"CannotPullContainerError: Error response from daemon: {error.explanation or error}"
            ) from error
        self.host.pulled.add(image)

    def _ready(self, name: str) -> bool:
        """Whether what `name` waits for has come; raises Failure if it never will."""
        for dependency, condition in dependencies(self.definition(name)):
            state = self.containers[dependency]
            status, code = state["status"], state["exitCode"]
            if condition == "START" and status in ("RUNNING", "STOPPED"):
                continue
            if condition == "HEALTHY" and status == "RUNNING" and state["health"] == "HEALTHY":
                continue
            if condition == "COMPLETE" and status == "STOPPED":
                continue
            if condition == "SUCCESS" and status == "STOPPED" and code == 0:
                continue
            if status == "STOPPED":
                raise Failure(
                    name, f"DependencyDidNotStart: {dependency} did not become {condition}, it exited with {code}"
                )
            limit = self.definition(dependency).get("startTimeout")
            if limit and state["started"] and time.time() - state["started"] > limit:
                raise Failure(name, f"DependencyDidNotStart: {dependency} did not become {condition} within {limit} s")
            return False
        return True

    def _create(self, name: str, state: Json) -> None:
        definition = self.definition(name)
        environment = dict(definition.get("environment") or {})
        if definition.get("secrets"):
            keys = credentials(self.payload.get("executionRoleCredentials"))
            try:
                environment |= secrets.values(definition["secrets"], self.host.region, keys)
            except secrets.SecretError as error:
                raise Failure(name, str(error)) from error
        config = self._docker_configuration(definition, environment)
        # As the agent names them: family, revision, container, and 20 random hexadecimal digits.
        title = f"ecs-{self.family}-{name}-{random.token_hex(10)}"
        try:
            made = self.host.client.api.create_container_from_config(config, title)
        except docker.errors.APIError as error:
            raise Failure(
                name, f"CannotCreateContainerError: Error response from daemon: {error.explanation or error}"
            ) from error
        state["id"], state["name"], state["status"] = made["Id"], title, "CREATED"
        digests = self.host.client.images.get(definition["image"]).attrs.get("RepoDigests") or []
        state["digest"] = digests[0].partition("@")[2] if digests else ""
        self._save()

    def _begin(self, name: str, state: Json) -> None:
        try:
            self.host.client.api.start(state["id"])
        except docker.errors.APIError as error:
            raise Failure(
                name, f"CannotStartContainerError: Error response from daemon: {error.explanation or error}"
            ) from error
        state["started"] = time.time()
        log.info("task %s: started %s as %s", self.id, name, state.get("name") or state["id"][:12])
        self._take(name, state, self.host.client.api.inspect_container(state["id"]))
        self._save()

    def _docker_configuration(self, definition: Json, environment: dict[str, str]) -> Json:
        """The body of Docker's create call: the payload's own fields over its dockerConfig."""
        carried = definition.get("dockerConfig") or {}
        config: Json = json.loads(carried.get("config") or "{}")
        host: Json = json.loads(carried.get("hostConfig") or "{}")
        if host.get("Privileged") and self.host.configuration.disable_privileged:
            raise Failure(definition["name"], "privileged containers are off on this host (ECS_DISABLE_PRIVILEGED)")
        if self.payload.get("roleCredentials") and self.host.configuration.task_role:
            identity = self.payload["roleCredentials"]["credentialsId"]
            environment = {**environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"/v2/credentials/{identity}"}
        config["Image"] = definition["image"]
        config["Env"] = [f"{name}={value}" for name, value in environment.items()]
        if definition.get("command"):
            config["Cmd"] = definition["command"]
        if definition.get("entryPoint"):
            config["Entrypoint"] = definition["entryPoint"]
        labels = {
            "cluster": self.host.cluster,
            "container-name": definition["name"],
            "task-arn": self.arn,
            "task-definition-family": self.payload["family"],
            "task-definition-version": self.payload["version"],
        }
        config["Labels"] = {**(config.get("Labels") or {}), **{LABEL + key: value for key, value in labels.items()}}
        host["NetworkMode"] = self.payload.get("networkMode", "bridge")
        if definition.get("memory"):
            host["Memory"] = max(MINIMUM_MEMORY, int(definition["memory"]) * 1024 * 1024)
        host["CpuShares"] = max(2, int(definition.get("cpu") or 0))
        host["Binds"] = [
            f"{self.record['sources'][each['sourceVolume']]}:{each['containerPath']}"
            + (":ro" if each.get("readOnly") else "")
            for each in definition.get("mountPoints") or []
        ]
        host["VolumesFrom"] = [
            self.containers[each["sourceContainer"]]["id"] + (":ro" if each.get("readOnly") else "")
            for each in definition.get("volumesFrom") or []
        ]
        if host["NetworkMode"] == "bridge":
            host["Links"] = self._links(definition)
            exposed, bound = ports(definition)
            config["ExposedPorts"], host["PortBindings"] = exposed, bound
        self._log_credentials(host)
        config["HostConfig"] = host
        return config

    def _links(self, definition: Json) -> list[str]:
        found = []
        for link in definition.get("links") or []:
            target, _, alias = link.partition(":")
            found.append(f"{self.containers[target]['id']}:{alias or target}")
        return found

    def _log_credentials(self, host: Json) -> None:
        """Let Docker's awslogs driver write with the execution role, where that is switched on."""
        execution = self.payload.get("executionRoleCredentials")
        driver = host.get("LogConfig") or {}
        if driver.get("Type") == "awslogs" and execution and self.host.configuration.awslogs_execution_role:
            driver.setdefault("Config", {})["awslogs-credentials-endpoint"] = (
                f"/v2/credentials/{execution['credentialsId']}"
            )

    # --- ending

    def _stop(self) -> None:
        """Stop what runs, dependants before what they depend on; a container's own stopTimeout, then SIGKILL."""
        for state in self.containers.values():
            if state["status"] in ("NONE", "CREATED"):
                state["status"] = "STOPPED"
        running = {name for name, state in self.containers.items() if state["status"] == "RUNNING"}
        while running and not self._closed.is_set():
            needed = {target for name in running for target, _ in dependencies(self.definition(name))}
            level = sorted(running - needed) or sorted(running)
            with ThreadPoolExecutor(len(level)) as pool:
                list(pool.map(self._stop_one, level))
            running -= set(level)
        self._observe()

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
                self._want_stop("Essential container in task exited")
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
        status = self.record["status"]
        summary = json.dumps([status, [[s["status"], s["exitCode"]] for s in self.containers.values()]])
        if status not in ("RUNNING", "STOPPED") or (self.record.get("summary") == summary and self.record["reported"]):
            return
        request: Json = {
            "cluster": self.payload["taskClusterArn"],
            "task": self.arn,
            "status": status,
            "containers": [self._change(name) for name in self.containers],
        }
        if self.record["reason"]:
            request["reason"] = self.record["reason"]
        for key, name in (
            ("pullStarted", "pullStartedAt"),
            ("pullStopped", "pullStoppedAt"),
            ("stopped", "executionStoppedAt"),
        ):
            if self.record.get(key):
                request[name] = self.record[key]
        self.host.submit("SubmitTaskStateChange", request)
        self.record["reported"], self.record["summary"] = status, summary
        self._save()

    def _change(self, name: str) -> Json:
        state = self.containers[name]
        change: Json = {
            "containerName": name,
            "status": "PENDING" if state["status"] in ("NONE", "CREATED") else state["status"],
        }
        if state["id"]:
            change["runtimeId"] = state["id"]
        if state["exitCode"] is not None:
            change["exitCode"] = state["exitCode"]
        if state["reason"]:
            change["reason"] = state["reason"][:1024]
        if state["bindings"]:
            change["networkBindings"] = state["bindings"]
        if state.get("digest"):
            change["imageDigest"] = state["digest"]
        return change


def new_container() -> Json:
    """The state of a container that is not there yet."""
    return {
        "id": "",
        "status": "NONE",
        "exitCode": None,
        "reason": "",
        "bindings": [],
        "health": "UNKNOWN",
        "started": None,
    }


def credentials(found: Json | None) -> Credentials:
    """The keys of a payload's role credentials; placeholders if there are none."""
    if not found:
        return Credentials()
    return Credentials(found["accessKeyId"], found["secretAccessKey"], found.get("sessionToken", ""))


def dependencies(definition: Json) -> list[tuple[str, str]]:
    """What a container waits for, (container, condition): dependsOn, links and volumesFrom."""
    found = [(each["containerName"], each["condition"]) for each in definition.get("dependsOn") or []]
    named = {name for name, _ in found}
    implied = [link.partition(":")[0] for link in definition.get("links") or []]
    implied += [each["sourceContainer"] for each in definition.get("volumesFrom") or []]
    return found + [(name, "START") for name in implied if name not in named]


def ports(definition: Json) -> tuple[Json, Json]:
    """ExposedPorts and PortBindings of Docker's API; host port 0 lets Docker choose."""
    exposed: Json = {}
    bound: Json = {}
    for mapping in definition.get("portMappings") or []:
        key = f"{mapping['containerPort']}/{mapping.get('protocol') or 'tcp'}"
        exposed[key] = {}
        bound.setdefault(key, []).append({"HostPort": str(mapping.get("hostPort") or "")})
    return exposed, bound


def bindings(definition: Json, inspected: Json, mode: str) -> list[Json]:
    """networkBindings of a running container, from its inspection."""
    if mode == "host":
        return [
            {
                "bindIP": "0.0.0.0",
                "containerPort": each["containerPort"],
                "hostPort": each["containerPort"],
                "protocol": each.get("protocol") or "tcp",
            }
            for each in definition.get("portMappings") or []
        ]
    found = []
    for key, places in sorted((inspected["NetworkSettings"].get("Ports") or {}).items()):
        port, _, protocol = key.partition("/")
        found += [
            {
                "bindIP": place["HostIp"],
                "containerPort": int(port),
                "hostPort": int(place["HostPort"]),
                "protocol": protocol or "tcp",
            }
            for place in places or []
        ]
    return found

"""The agent's two small HTTP servers: introspection (51678) and the containers' endpoint (51679)."""

from __future__ import annotations

import http.server
import json
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker

from . import HASH, VERSION, metadata
from .aws import Json
from .engine import Engine
from .store import Store
from .task import Task

LICENSE = (
    "Apache License, Version 2.0 (the agent's that this one stands in for: https://github.com/aws/amazon-ecs-agent)\n"
)
SHORT_ID = 12
Answer = tuple[int, Any]
"""HTTP status and what is answered: JSON, or a text as it is."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what its server's `answer` gives for a path."""

    server: JsonServer

    def do_GET(self) -> None:
        """Answer a GET."""
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        status, found = self.server.answer(url.path.rstrip("/"), query)
        plain = found is LICENSE
        data = found.encode() if plain else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if plain else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep requests out of the log."""


class JsonServer(http.server.ThreadingHTTPServer):
    """A server of the agent's; subclasses give `answer`.

    Args:
        address, port: where it listens.
        engine, store: what it shows.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: str, port: int, engine: Engine, store: Store) -> None:
        super().__init__((address, port), Handler)
        self.engine = engine
        self.store = store
        threading.Thread(target=self.serve_forever, name=f"http-{port}", daemon=True).start()

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """The answer to GET `path`."""
        raise NotImplementedError

    def inspected(self, task: Task) -> dict[str, Json]:
        """Docker's inspection of each container of a task that there is, by name."""
        found = {}
        for name, state in task.containers.items():
            try:
                if state.id:
                    found[name] = self.engine.client.api.inspect_container(state.id)
            except docker.errors.NotFound:
                continue
        return found


class Introspection(JsonServer):
    """`/v1/metadata`, and `/v1/tasks`, also with `?taskarn=` or `?dockerid=`."""

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """See `JsonServer`."""
        if path == "/v1/metadata":
            return 200, {
                "Cluster": self.store.cluster,
                "ContainerInstanceArn": self.store.container_instance or None,
                "Version": f"Amazon ECS Agent - v{VERSION} (*{HASH})",
            }
        if path == "/v1/tasks":
            return self._tasks(query)
        if path == "/license":
            return 200, LICENSE
        return 200, {"AvailableCommands": ["/v1/metadata", "/v1/tasks", "/license"]}

    def _tasks(self, query: dict[str, str]) -> Answer:
        arn, container = query.get("taskarn", ""), query.get("dockerid", "")
        if arn and container:
            return 400, metadata.EMPTY_TASK
        found = [
            task
            for task in self.engine.tasks()
            if task.arn == (arn or task.arn) and (not container or holds(task, container))
        ]
        if not arn and not container:
            return 200, {"Tasks": [metadata.introspected(task, self.inspected(task)) for task in found]}
        if len(found) != 1:
            return 400 if found else 404, metadata.EMPTY_TASK
        return 200, metadata.introspected(found[0], self.inspected(found[0]))


def holds(task: Task, container: str) -> bool:
    """Whether a task has the container with this id; a short one is the beginning of it."""
    ids = [state.id for state in task.containers.values()]
    return container in ids or (len(container) <= SHORT_ID and any(each.startswith(container) for each in ids))


class Containers(JsonServer):
    """What containers reach as http://169.254.170.2, by the rules of `network`: role credentials and metadata.

    Args:
        address, port, engine, store: see `JsonServer`.
        place: AvailabilityZone and VPCID of the host.
    """

    def __init__(self, address: str, port: int, engine: Engine, store: Store, place: Json) -> None:
        self.place = place
        super().__init__(address, port, engine, store)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """See `JsonServer`."""
        del query
        version, _, rest = path.lstrip("/").partition("/")
        identity, _, what = rest.partition("/")
        if (version, identity) == ("v2", "credentials"):
            return self._credentials(what)
        if version in ("v3", "v4"):
            return self._metadata(version, identity, what)
        return 404, "404 page not found"

    def _credentials(self, identity: str) -> Answer:
        found = self.engine.role_credentials(identity)
        if found:
            return 200, found
        message = {
            "code": "InvalidIdInRequest" if identity else "NoIdInRequest",
            "message": "CredentialsV2Request: "
            + ("Credentials not found" if identity else "No Credential ID in the path"),
            "HTTPErrorCode": 400,
        }
        return 400, message

    def _metadata(self, version: str, endpoint: str, what: str) -> Answer:
        """`/<version>/<endpoint>`: the container; below it `task`, `stats`, `task/stats`."""
        found = [
            (task, name)
            for task in self.engine.tasks()
            for name, state in task.containers.items()
            if state.endpoint == endpoint
        ]
        inspected = self.inspected(found[0][0]) if found else {}
        if not found or found[0][1] not in inspected:
            problem = f"unable to get docker ID from v3 endpoint ID: {endpoint}"
            text = f"{version.upper()} container metadata handler: unable to get container ID from request: {problem}"
            return 404 if version == "v4" else 500, text
        task, name = found[0]
        if what == "":
            return 200, metadata.container(task, name, inspected[name], version)
        if what == "task":
            place = {"Cluster": self.store.cluster, **self.place}
            return 200, metadata.task(task, inspected, place, version)
        if what == "stats":
            return 200, self._statistics(task, name)
        if what == "task/stats":
            return 200, {task.containers[each].id: self._statistics(task, each) for each in inspected}
        return 404, "404 page not found"

    def _statistics(self, task: Task, name: str) -> Any:
        return self.engine.client.api.stats(task.containers[name].id, stream=False)

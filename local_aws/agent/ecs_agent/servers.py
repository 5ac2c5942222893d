"""The agent's two small HTTP servers: introspection (51678) and role credentials (51679)."""

from __future__ import annotations

import http.server
import json
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import VERSION
from .engine import Engine
from .store import Store
from .task import Json, Task


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with JSON what its server's `answer` gives for a path."""

    server: JsonServer

    def do_GET(self) -> None:
        """Answer a GET."""
        url = urlsplit(self.path)
        found = self.server.answer(url.path.rstrip("/"), {key: v[0] for key, v in parse_qs(url.query).items()})
        data = json.dumps({"code": "NotFound"} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep requests out of the log."""


class JsonServer(http.server.ThreadingHTTPServer):
    """A server on loopback; subclasses give `answer`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, engine: Engine, store: Store) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.engine = engine
        self.store = store
        threading.Thread(target=self.serve_forever, name=f"http-{port}", daemon=True).start()

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """The answer to GET `path`, None for 404."""
        raise NotImplementedError


class Introspection(JsonServer):
    """`/v1/metadata` and `/v1/tasks`, also `?taskarn=` and `?dockerid=`."""

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """See `JsonServer`."""
        if path == "/v1/metadata":
            return {
                "Cluster": self.store.cluster,
                "ContainerInstanceArn": self.store.container_instance or None,
                "Version": f"Amazon ECS Agent - v{VERSION} (standin)",
            }
        if path == "/v1/tasks":
            tasks = [described(task) for task in self.engine.tasks()]
            if "taskarn" in query:
                return next((each for each in tasks if each["Arn"] == query["taskarn"]), None)
            if "dockerid" in query:
                wanted = query["dockerid"]
                return next((t for t in tasks if any(c["DockerId"].startswith(wanted) for c in t["Containers"])), None)
            return {"Tasks": tasks}
        if path in ("", "/"):
            return {"AvailableCommands": ["/v1/metadata", "/v1/tasks"]}
        return None


class RoleCredentials(JsonServer):
    """`/v2/credentials/<id>`: reached from containers as http://169.254.170.2, by the rules of `network`."""

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """See `JsonServer`."""
        del query
        if path.startswith("/v2/credentials/"):
            return self.engine.role_credentials(path.rpartition("/")[2])
        return None


def described(task: Task) -> Json:
    """A task as /v1/tasks shows it."""
    return {
        "Arn": task.arn,
        "DesiredStatus": task.record["desired"],
        "KnownStatus": task.record["status"],
        "Family": task.payload["family"],
        "Version": task.payload["version"],
        "Containers": [
            {
                "DockerId": state["id"],
                "DockerName": state.get("name", ""),
                "Name": name,
                "Ports": [
                    {
                        "ContainerPort": each["containerPort"],
                        "Protocol": each["protocol"],
                        "HostPort": each["hostPort"],
                    }
                    for each in state["bindings"]
                ],
                "Volumes": [
                    {
                        "Source": task.record["sources"].get(each["sourceVolume"], ""),
                        "Destination": each["containerPath"],
                    }
                    for each in task.definition(name).get("mountPoints") or []
                ],
            }
            for name, state in task.containers.items()
        ],
    }

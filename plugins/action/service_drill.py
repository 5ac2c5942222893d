"""Start a service of the site on what was restored, ask it through a host, and let it go."""

from __future__ import annotations

import http.client
import socket
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.service_drill import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.database_way import check_programs
from plugins.plugin_utils.ecs import listed, short, tasks, why_stopped
from plugins.plugin_utils.lock import code
from plugins.plugin_utils.one_off import NoContainer
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.restoring.site_beside import STREAM_PREFIX, Database, tried
from plugins.plugin_utils.tunnel import LOOPBACK, Held, Host, Way, by_session_manager, by_ssh_tied, held

STARTED_BY = "drill"
STOP_SECONDS = 180.0
ASK_SECONDS = 10
GOOD = 200
BAD = 500
"""What the health path has to be answered with, as the load balancer wants it; and what the first page must not be."""


class ActionModule(AwsAction):
    """See plugins/modules/service_drill.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Start it and ask it, or let go of what was started.

        Raises:
            Failed: it does not come up, or does not answer.
        """
        self.ecs, self.cluster = self.client("ecs"), str(self.arguments["cluster"])
        if self.arguments["state"] == "absent":
            return self._absent()
        self._name = self.arguments["service"]
        check_programs(self.arguments["session_manager"])
        request = self._request()
        if self.check_mode:
            self.say(self._name, f"{short(self.arguments['task_definition'])} would be started on it, and asked")
            return {"changed": True}
        made = self.ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"]
        wait = Wait(self.arguments["timeout"], self.say, self._name)
        arn = self._start(made, wait)
        try:
            host, port = self._place(arn, wait)
            return {"changed": True, **self._asked(arn, host, port, wait)}
        finally:
            self.ecs.stop_task(cluster=self.cluster, task=arn, reason="the drill is over")

    def _request(self) -> dict[str, Any]:
        given = self.arguments
        definition = self.ecs.describe_task_definition(taskDefinition=given["task_definition"])["taskDefinition"]
        databases = [Database(**{key: each[key] for key in Database.__annotations__}) for each in given["databases"]]
        try:
            return tried(definition, given["container"], self._family(self._name), databases, given["folders"])
        except NoContainer:
            raise Failed(
                f"{short(given['task_definition'])} of the backup has no container {given['container']}, to which the "
                f"routes of {self._name} lead now. Try a newer backup: {verb('drill.yml')}"
            ) from None

    def _family(self, entry: str) -> str:
        return f"{self.cluster}-drill-{entry}"

    def _start(self, definition: str, wait: Wait) -> str:
        while True:
            answer = self.ecs.run_task(
                cluster=self.cluster, taskDefinition=definition, count=1, launchType="EC2", startedBy=STARTED_BY,
                clientToken=uuid.uuid4().hex,
            )  # fmt: skip
            if answer["tasks"]:
                return str(answer["tasks"][0]["taskArn"])
            why = ", ".join(sorted({str(each.get("reason")) for each in answer["failures"]})) or "no reason given"
            if not wait.pause(f"room on a host ({why})"):
                raise Failed(
                    f"The service {self._name} could not be started on what was restored: {why}, for "
                    f"{wait.seconds:.0f} s. There has to be room for a task beside the site's own: raise min of "
                    f"site_hosts. Or try the data alone: {verb('drill.yml')} -e answers=false"
                )

    def _alive(self, arn: str) -> dict[str, Any]:
        """The task, which runs or is about to.

        Raises:
            Failed: it has ended.
        """
        # one page: it is asked for one
        found: dict[str, Any] = self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]
        if found["lastStatus"] == "STOPPED":
            raise Failed(
                f"The service {self._name} does not run on what was restored: {why_stopped([found])[0]}. "
                f"What it wrote: {verb('logs.yml')} -e service={self._name}, in the streams {STREAM_PREFIX}/…"
            )
        return found

    def _place(self, arn: str, wait: Wait) -> tuple[Host, int]:
        """The host that it runs on, and the port of it."""
        given = self.arguments
        while (task := self._alive(arn))["lastStatus"] != "RUNNING" or not (port := _port(task, given)):
            if not wait.pause(f"the task to run (it is {task['lastStatus']})"):
                raise Failed(
                    f"The service {self._name} does not run on what was restored: it is {task['lastStatus']} after "
                    f"{wait.seconds:.0f} s."
                )
        # one page: it is asked for one
        (instance,) = self.ecs.describe_container_instances(
            cluster=self.cluster, containerInstances=[task["containerInstanceArn"]]
        )["containerInstances"]
        hosts = [Host.of(each) for each in given["hosts"]]
        found = next((each for each in hosts if each.name == instance["ec2InstanceId"]), None)
        if found is None:
            raise Failed(
                f"The task runs on {instance['ec2InstanceId']}, which was not there when this run began. Type the same "
                "command again."
            )
        return found, port

    def _asked(self, arn: str, host: Host, port: int, wait: Wait) -> dict[str, Any]:
        given = self.arguments
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            way = Way(free.getsockname()[1], LOOPBACK, port)
        by_manager = given["session_manager"]
        command = by_session_manager(way, host, given["region"]) if by_manager else by_ssh_tied(way, host)
        with held(command, tied=True) as holder:
            answers = {}
            for path, enough in ((given["path"], GOOD), ("/", BAD - 1)):
                answers[path] = self._until(arn, host, holder, way, path, enough, wait)
            self.say(self._name, f"answers on what was restored: {_told(answers)}", "green")
            return {"answers": answers}

    def _until(self, arn: str, host: Host, holder: Held, way: Way, path: str, enough: int, wait: Wait) -> int:
        """Ask for a path until it is well; the status."""
        while True:
            self._alive(arn)
            status, why = ask(way.port, self.arguments["name"], path)
            if 0 < status <= enough:
                return status
            if holder.is_over:
                raise Failed(f"The host {host.name} does not lead to the task: {holder.reason}")
            if not wait.pause(f"{path} to be answered ({why})"):
                raise Failed(
                    f"The service {self._name} does not work on what was restored: {path} is answered with {why} after "
                    f"{wait.seconds:.0f} s. What it wrote: {verb('logs.yml')} -e service={self._name}, in the streams "
                    f"{STREAM_PREFIX}/…"
                )

    def _absent(self) -> dict[str, Any]:
        """Stop the tasks that drills have started, and let go of their definitions."""
        try:
            running = listed(self.ecs, "list_tasks", "taskArns", cluster=self.cluster, startedBy=STARTED_BY)
        except ClientError as error:
            if code(error) != "ClusterNotFoundException":
                raise
            running = []
        begin = self._family("")
        families = listed(self.ecs, "list_task_definition_families", "families", familyPrefix=begin, status="ACTIVE")
        if self.check_mode:
            return {"changed": bool(running or families)}
        for arn in running:
            self.ecs.stop_task(cluster=self.cluster, task=arn, reason="the drill is over")
        wait = Wait(STOP_SECONDS, self.say, STARTED_BY)
        while any(each["lastStatus"] != "STOPPED" for each in tasks(self.ecs, self.cluster, running)):
            if not wait.pause("the tasks of the drill to end"):
                raise Failed(f"The tasks of the drill do not end: {', '.join(map(short, running))}. Type it again.")
        for family in families:
            for arn in listed(self.ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family):
                self.ecs.deregister_task_definition(taskDefinition=arn)
        return {"changed": bool(running or families)}


def ask(port: int, name: str, path: str) -> tuple[int, str]:
    """The status of an answer, 0 if there is none; and that in words.

    Args:
        port: of this machine.
        name: of the site, which is asked for as by its load balancer.
        path: that is asked for.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": name, "X-Forwarded-Proto": "https", "User-Agent": "berth"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return 0, f"nothing: {error or type(error).__name__}"
    finally:
        connection.close()
    return status, f"status {status}"


def _port(task: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """The port of the host that leads to the container; 0 if there is none yet."""
    for container in task["containers"]:
        for each in container.get("networkBindings", []) if container["name"] == given["container"] else []:
            if each["containerPort"] == given["port"]:
                return int(each["hostPort"])
    return 0


def _told(answers: Mapping[str, int]) -> str:
    return ", ".join(f"{path} with {status}" for path, status in answers.items())

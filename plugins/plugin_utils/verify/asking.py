"""All checks of a site, side by side: each costs round trips, and a release waits for them."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.aws_action import reason
from plugins.plugin_utils.ecs import container_instances, listed
from plugins.plugin_utils.ecs import tasks as described_tasks
from plugins.plugin_utils.ecs_placement import usable
from plugins.plugin_utils.scale_room import coming
from plugins.plugin_utils.verify import (
    images,
    last_good,
    logs,
    maintenance,
    proof,
    roles,
    room,
    secrets,
    targets,
    volumes,
)
from plugins.plugin_utils.verify.finding import NOT_ASKED, WRONG, Finding, attempt
from plugins.plugin_utils.verify.subjects import Task

AT_ONCE = 8
"""Questions under way at a time; more would only be throttled."""
Question = Callable[[], list[Finding]]


@dataclass(frozen=True)
class Site:
    """What is asked about.

    Attributes:
        cluster: its name.
        tasks: services and jobs, as the inventory describes them.
        volumes: volume → its driver.
        outputs: of stacks.
        platform: of the hosts, `linux/amd64`.
        run: names the log stream that is made.
        threshold: severity from which on a weakness of an image is wrong (`scans.check`).
        entries: of the ledger, newest first; None where it was not read.
        check_mode: whether nothing may be changed.
    """

    cluster: str
    tasks: tuple[Task, ...]
    volumes: Mapping[str, str]
    outputs: Mapping[str, str]
    platform: str
    run: str
    threshold: str
    entries: list[dict[str, Any]] | None
    check_mode: bool = False


class Asking:
    """One round.

    Args:
        client: gives a boto3 client by the service's name; called from several threads.
        site: see `Site`.
        start: runs starts on the hosts; `Starts.outcomes`.
    """

    def __init__(self, client: Callable[[str], Any], site: Site, start: proof.Run) -> None:
        self._client, self._site, self._start = client, site, start
        self._instances: list[dict[str, Any]] = []

    def findings(self) -> list[Finding]:
        """All of them.

        Raises:
            ClientError: the cluster's hosts could not be asked for.
        """
        self._instances = container_instances(self._client("ecs"), self._site.cluster)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            found = [each for part in pool.map(lambda question: question(), self._questions()) for each in part]
        return [*found, *self._started(found)]

    def _questions(self) -> list[Question]:
        site, client = self._site, self._client
        asked = [self._images, self._files]
        for task in site.tasks:
            asked += [
                _asking("role", task.key, "roles", roles.check, client("iam"), task),
                _asking("log", task.key, logs.WHAT, logs.check, client("logs"), task, site.run, site.check_mode),
                _asking("room", task.key, room.WHAT, self._room, task),
            ]
            if task.service:
                asked.append(_asking("way in", task.key, targets.ANSWERS, targets.check, client, task))
            for container in task.containers:
                for secret in container.secrets:
                    clients = client("secretsmanager"), client("ssm")
                    subject = task.of(container)
                    asked.append(_asking("secret", subject, secret.name, secrets.check, *clients, subject, secret))
        if any(task.service.get("loadBalancers") for task in site.tasks):
            about = maintenance.SUBJECT, maintenance.WHAT
            asked.append(_asking("way in", *about, maintenance.check, client, site.cluster))
        hosts = [each["ec2InstanceId"] for each in self._instances if each.get("ec2InstanceId")]
        for name, driver in site.volumes.items():
            given = (client("efs"), client("ec2"), name, site.outputs, hosts, driver)
            asked.append(_asking("volume", f"volume.{name}", volumes.WHAT, volumes.check, *given))
        return asked

    def _images(self) -> list[Finding]:
        """Of what the inventory describes, and of what a rollback would bring back."""
        site, ecr = self._site, self._client("ecr")
        try:
            known = images.repositories(ecr)
        except (BotoCoreError, ClientError) as error:
            every = [(task.of(container)) for task in site.tasks for container in task.containers]
            return [Finding("image", subject, images.WHAT, NOT_ASKED, reason(error)) for subject in every]
        found = []

        def ask(subject: str, image: str, called: str, threshold: str = "") -> list[Finding]:
            def question() -> Iterable[Finding]:
                return images.check(ecr, known, subject, image, called, site.platform, threshold)

            return attempt("image", subject, images.WHAT, question)

        for task in site.tasks:
            for container in task.containers:
                found += ask(task.of(container), container.image, container.called, site.threshold)
        return [*found, *last_good.check(site.entries, self._live(), ask)]

    def _files(self) -> list[Finding]:
        """What a rollback would show again, and the code that it would bring back."""
        site = self._site
        given = site.entries, self._live(), self._client("s3"), site.outputs.get("code.CodeBucketName", "")
        return attempt(last_good.SUBJECT, last_good.SUBJECT, last_good.FILES, lambda: last_good.files(*given))

    def _live(self) -> dict[str, str]:
        """Service → the task definition that runs."""
        running = (task for task in self._site.tasks if task.service)
        return {task.key.partition(".")[2]: task.service.get("taskDefinition", "") for task in running}

    def _room(self, task: Task) -> Iterable[Finding]:
        own: set[str] = set()
        if task.stop_first and task.service:
            ecs, cluster = self._client("ecs"), self._site.cluster
            arns = listed(ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=task.service["serviceName"])
            own = {each.get("containerInstanceArn", "") for each in described_tasks(ecs, cluster, arns)}
        found = room.judge(task, self._instances, own)
        if found.state == WRONG:
            services = [each.service for each in self._site.tasks if each.service]
            going = room.leaving(self._client("ecs"), self._site.cluster, services)
            found = room.judge(task, self._instances, own, going)
        if found.state == WRONG:
            found = room.judge(task, self._instances, own, going, coming(self._client, self._instances))
        yield found

    def _started(self, found: list[Finding]) -> list[Finding]:
        """What starts on a host prove, of that which is not known to be wrong."""
        site = self._site
        up = [task for task in site.tasks if task.up]
        if site.check_mode:
            return list(proof.unasked(up, "a check run starts nothing on a host"))
        if not any(usable(each) for each in self._instances):
            return list(proof.unasked(up, "no host takes tasks now"))
        wrong = {(each.check, each.subject, each.what) for each in found if each.state == WRONG}
        wrong_images, wrong_secrets = set[str](), set[str]()
        for task in up:
            for container in task.containers:
                if ("image", task.of(container), images.WHAT) in wrong:
                    wrong_images.add(container.image)
                wrong_secrets |= {
                    each.where for each in container.secrets if ("secret", task.of(container), each.name) in wrong
                }
        # ECS refuses such a task as a whole, which would be told of each of its things once more.
        startable = [task for task in up if not any(("role", task.key, what) in wrong for what in roles.ROLES.values())]
        rest = [task for task in up if task not in startable]
        return [
            *proof.Proof(startable, wrong_images, wrong_secrets, self._start).findings(),
            *proof.unasked(rest, "ECS cannot take its role"),
        ]


def _asking(check: str, subject: str, what: str, question: Callable[..., Iterable[Finding]], *given: Any) -> Question:
    return lambda: attempt(check, subject, what, lambda: question(*given))

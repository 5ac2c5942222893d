"""What the hosts can do for the site: pull its images, have its secrets, mount its volumes, write its logs.

At first one start a container, with all that it has: where all is well, that is all. What fails is started again in
parts, so that each thing is told by itself, and what is well beside it too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding, State
from plugins.plugin_utils.verify.starts import GOOD, Outcome, Start
from plugins.plugin_utils.verify.subjects import Container, Secret, Task

PULLS, WRITES, STARTS = "a host can pull it", "a container's log opens", "starts with all that it has"
LONGEST = 400
"""Characters of a reason; Docker's can be a page."""
LOG_DRIVER = "logging driver"
"""What Docker says of a log that does not open, after all else: images, secrets and mounts are well then."""
PULL = "CannotPull"
NO_IMAGE = "no image can be pulled to ask with"
Run = Callable[[Sequence[Start]], list[Outcome]]


class Proof:
    """The findings of starts.

    Args:
        tasks: services and jobs that are up.
        wrong_images: that the registry has not; not tried.
        wrong_secrets: `valueFrom` of those that are not there; not tried.
        run: starts; `Starts.outcomes`.
    """

    def __init__(self, tasks: Sequence[Task], wrong_images: set[str], wrong_secrets: set[str], run: Run) -> None:
        self._tasks, self._wrong_images, self._wrong_secrets, self._run = tasks, wrong_images, wrong_secrets, run
        self._good: list[tuple[str, str]] = []
        self._secrets: dict[tuple[str, str, str], Outcome] = {}
        self._volumes: dict[tuple[str, str], Outcome] = {}
        self._found: list[Finding] = []

    def findings(self) -> list[Finding]:
        """All of them."""
        whole = [(task, container, self._whole(task, container)) for task, container in self._startable()]
        outcomes = self._run([start for _, _, start in whole])
        failed = []
        for (task, container, start), outcome in zip(whole, outcomes, strict=True):
            if outcome.state == "bad" and (start.secrets or start.volumes):
                failed.append((task, container, start, outcome))
            else:
                self._pulled(task, container, outcome)
                self._take(task, container, start, outcome)
        self._apart(failed)
        self._rest()
        for task, container, start, outcome in failed:
            if LOG_DRIVER in outcome.reason:
                continue
            parts = [self._secrets[_secret(task, container, each)] for each in start.secrets]
            parts += [self._volumes[task.key, name] for name in start.volumes]
            if (task.key, start.image) in self._good and all(each.state == "good" for each in parts):
                self._found.append(_finding("image", task.of(container), STARTS, outcome, ""))
        return [*self._found, *self._of_secrets(), *self._of_volumes()]

    def _startable(self) -> Iterator[tuple[Task, Container]]:
        for task in self._tasks:
            for container in task.containers:
                if container.image and container.image not in self._wrong_images:
                    yield task, container

    def _tried(self, container: Container) -> tuple[Secret, ...]:
        return tuple(each for each in container.secrets if each.where and each.where not in self._wrong_secrets)

    def _whole(self, task: Task, container: Container) -> Start:
        mounted = tuple(name for name in dict.fromkeys(container.volumes) if task.volumes.get(name))
        return Start(task, container.image, self._tried(container), mounted)

    def _pulled(self, task: Task, container: Container, outcome: Outcome) -> None:
        if outcome.state == "good" or LOG_DRIVER in outcome.reason:
            self._found.append(_finding("log", task.key, WRITES, outcome, task.log_group))
            outcome = GOOD
        if outcome.state == "good":
            self._good.append((task.key, container.image))
        self._found.append(_finding("image", task.of(container), PULLS, outcome, "pulled by a host's agent"))

    def _take(self, task: Task, container: Container, start: Start, outcome: Outcome) -> None:
        for secret in start.secrets:
            self._secrets[_secret(task, container, secret)] = outcome
        for name in start.volumes:
            self._volumes.setdefault((task.key, name), outcome)

    def _apart(self, failed: Sequence[tuple[Task, Container, Start, Outcome]]) -> None:
        """Each of their images alone."""
        outcomes = self._run([Start(task, start.image) for task, _, start, _ in failed])
        for (task, container, _, _), outcome in zip(failed, outcomes, strict=True):
            self._pulled(task, container, outcome)

    def _rest(self) -> None:
        """Each secret and each volume that no start has proved, alone, with an image that can be pulled."""
        secrets = [
            (task, container, secret)
            for task in self._tasks
            for container in task.containers
            for secret in self._tried(container)
            if _secret(task, container, secret) not in self._secrets
        ]
        volumes = [
            (task, name)
            for task in self._tasks
            for name, volume in task.volumes.items()
            if volume and (task.key, name) not in self._volumes
        ]
        starts = [Start(task, self._image(task, container.image), (secret,)) for task, container, secret in secrets]
        starts += [Start(task, self._image(task, ""), (), (name,)) for task, name in volumes]
        outcomes = iter(self._run([each for each in starts if each.image]))
        found = [next(outcomes) if each.image else Outcome("unknown", NO_IMAGE) for each in starts]
        for start, outcome in zip(starts, found, strict=True):
            if PULL in outcome.reason:  # it may lie in a repository that this role cannot read
                outcome = Outcome("unknown", f"{NO_IMAGE}: {outcome.reason}")
            elif LOG_DRIVER in outcome.reason:
                outcome = GOOD
            if start.secrets:
                task, container, secret = secrets.pop(0)
                self._secrets[_secret(task, container, secret)] = outcome
            else:
                self._volumes[start.task.key, start.volumes[0]] = outcome

    def _image(self, task: Task, own: str) -> str:
        """One that can be pulled: the container's own, or the task's, or another's; empty if there is none."""
        choice = [image for key, image in self._good if key == task.key]
        return own if own in choice else next(iter([*choice, *(image for _, image in self._good)]), "")

    def _of_secrets(self) -> Iterator[Finding]:
        for task in self._tasks:
            for container in task.containers:
                for secret in self._tried(container):
                    outcome = self._secrets[_secret(task, container, secret)]
                    yield _finding("secret", task.of(container), secret.name, outcome, "read with the execution role")

    def _of_volumes(self) -> Iterator[Finding]:
        for (key, name), outcome in self._volumes.items():
            yield _finding("volume", f"volume.{name}", f"mounts for {key}", outcome, "mounted on a host")


def unasked(tasks: Sequence[Task], why: str) -> Iterator[Finding]:
    """The findings where nothing is started."""
    for task in tasks:
        for container in task.containers:
            yield Finding("image", task.of(container), PULLS, NOT_ASKED, why)
            for secret in container.secrets:
                yield Finding("secret", task.of(container), secret.name, NOT_ASKED, why)
        for name in task.volumes:
            yield Finding("volume", f"volume.{name}", f"mounts for {task.key}", NOT_ASKED, why)


def _secret(task: Task, container: Container, secret: Secret) -> tuple[str, str, str]:
    return task.key, container.name, secret.name


def _finding(check: str, subject: str, what: str, outcome: Outcome, good: str) -> Finding:
    states: dict[str, State] = {"good": OK, "bad": WRONG, "unknown": NOT_ASKED}
    said = " ".join(outcome.reason.split())
    said = said if len(said) <= LONGEST else f"{said[:LONGEST]} …"
    return Finding(check, subject, what, states[outcome.state], said or good)

"""The site of a soak, on two hosts of the embedded AWS `test`, and how each act is done to it."""

from __future__ import annotations

import contextlib
import itertools
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.soak.drawing import Act
from benchmarks.soak.people import Site
from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.tests.until import until
from tests.chaos.releases import new_image
from tests.chaos.runs import ZONE, Typed
from tests.chaos.test_release_two_hosts import running, two
from tests.e2e.conftest import CONFIG
from tests.e2e.test_site import AUTHORITY, hosts, secret

WHOLE_SECONDS = 300
"""Within which the site is whole again after anything."""
OVER_SECONDS = 90
"""Within which a task is over of which a container was killed: the others have half a minute to end."""
TASK = "com.amazonaws.ecs.task-arn"
CONTAINERS = f"docker ps --filter label={TASK} --format '{{{{.ID}}}} {{{{.Label \"{TASK}\"}}}}'"


class Estate:
    """What runs, and what it was told to be.

    Args:
        cloud: the embedded AWS `test`, up.

    Attributes:
        release: the name of the one that is live.
        given: variables of every verb.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.release = cloud, ""
        self.given: dict[str, Any] = two() | {"hosted_zone_id": ZONE, "site_backups": {"every": "1d", "keep": 2}}
        self._sizes, self._logs, self._numbers = itertools.count(31), itertools.cycle(["6m", "5m"]), itertools.count(1)
        self._stamp = int(time.time())

    @property
    def site(self) -> Site:
        """Where people reach it."""
        return Site("legacy.test.berth.localhost", CONFIG.https_port, "127.0.0.1", AUTHORITY)

    def credentials(self) -> tuple[str, str]:
        """Of the admin."""
        admin = secret(self.cloud, "secret-admin")
        return admin["username"], admin["password"]

    def comes_up(self) -> None:
        """Make it, and release it under a name that its pages say."""
        Typed("site", **self.given).succeeds()
        with self._releasing() as name:
            Typed("release", release=name, **self.given).succeeds()
            self.release = name

    def is_whole(self) -> None:
        """Wait until both hosts take tasks, each task runs and is asked by the load balancer, and the release answers.

        Raises:
            AssertionError: not within `WHOLE_SECONDS`; what was seen last is said.
        """

        def lacking() -> str:
            there, tasks, targets = len(hosts(self.cloud)), len(running(self.cloud)), self._targets()
            seen = f"{there} of 2 hosts, {tasks} of 2 tasks, {targets} of 2 targets healthy"
            return "" if (there, tasks, targets) == (2, 2, 2) else seen

        until(lambda: not lacking() and self._answers(), "the site whole", WHOLE_SECONDS, lacking)

    def _targets(self) -> int:
        elb = self.cloud.client("elbv2")
        (group,) = elb.describe_target_groups()["TargetGroups"]
        found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        states = [each["TargetHealth"]["State"] for each in found]
        return len(states) if set(states) == {"healthy"} else 0

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.site.ask("/healthz").headers.get("X-Release") == self.release
        return False

    def do(self, act: Act) -> tuple[frozenset[str], str]:
        """Do it.

        Returns:
            The releases that might answer meanwhile, and what is worth a word.

        Raises:
            AssertionError: what was to go well did not.
        """
        if act.sort == "fault":
            return frozenset({self.release}), self._fault(act)
        before, told = self.release, ""
        with self._typing(act.what) as given:
            if act.sort == "killed":
                told = self._killed(act, given)
            Typed(act.what, **given).succeeds()
            self.release = given.get("release", before)
        return frozenset({before, self.release}), told

    def _killed(self, act: Act, given: dict[str, Any]) -> str:
        """Start the verb and kill it as a machine that goes down does, or `kill -9`, which leaves Ansible's workers."""
        run = Typed(act.what, **given)
        time.sleep(act.seconds)
        if not run.goes_on:
            return "it was through before"
        with contextlib.suppress(AssertionError, ProcessLookupError):  # through in this very moment
            run.ends(signal.SIGKILL, workers=act.share < 0.5)
        return f"after {act.seconds:.0f} s"

    @contextlib.contextmanager
    def _typing(self, verb: str) -> Iterator[dict[str, Any]]:
        """What a verb is told, so that it has something to do."""
        if verb == "release":
            with self._releasing() as name:
                yield self.given | {"release": name}
            return
        if verb == "hosts":
            self.given["docker_engine_log_max_size"] = next(self._logs)
        if verb == "refresh_hosts":
            self.given["host_volume_gb"] = next(self._sizes)
        if verb == "backup":
            yield self.given | {"backup": f"soak-{next(self._numbers)}"}
            return
        yield self.given

    @contextlib.contextmanager
    def _releasing(self) -> Iterator[str]:
        name = f"soak-{self._stamp}-{next(self._numbers)}"
        with new_image(self.cloud, name):
            yield name

    def _fault(self, act: Act) -> str:
        faults: dict[str, Callable[[Act], str]] = {
            "kill host": self._kill_host,
            "kill container": self._kill_container,
            "kill agent": lambda act: self._signal(act, "systemctl kill --signal=SIGKILL ecs"),
            "hang agent": self._hang_agent,
            "kill dockerd": lambda act: self._signal(act, "systemctl kill --kill-who=main --signal=SIGKILL docker"),
            "kill database": lambda _: self._kill("-db-"),
            "kill load balancer": lambda _: self._kill("-elb-"),
            "kill file server": lambda _: self._kill("-efs-"),
            "pause file server": self._pause_files,
        }
        return faults[act.what](act)

    def _host(self, act: Act) -> Any:
        there = sorted(each["ec2InstanceId"] for each in hosts(self.cloud))
        return self.cloud.docker.containers.get(CONFIG.container(there[int(act.share * len(there))]))

    def _signal(self, act: Act, command: str) -> str:
        host = self._host(act)
        status, output = host.exec_run(["sh", "-c", command])
        assert status == 0, output.decode()
        return str(host.name)

    def _kill_host(self, act: Act) -> str:
        host = self._host(act)
        host.kill()
        until(
            lambda: host.name not in [CONFIG.container(each["ec2InstanceId"]) for each in hosts(self.cloud)],
            "it gone",
            120,
        )
        return str(host.name)

    def _kill_container(self, act: Act) -> str:
        """One of the site's, wherever it runs; until its task is over all may look whole, which it is not."""
        found = []
        for each in hosts(self.cloud):
            host = self.cloud.docker.containers.get(CONFIG.container(each["ec2InstanceId"]))
            lines = host.exec_run(["sh", "-c", CONTAINERS]).output.decode().splitlines()
            found += [(host, *line.split()) for line in lines]
        host, name, task = found[int(act.share * len(found))]
        host.exec_run(["docker", "kill", name])
        cluster, ecs = task.split("/")[1], self.cloud.client("ecs")
        until(lambda: task not in ecs.list_tasks(cluster=cluster)["taskArns"], "its task over", OVER_SECONDS)
        return f"{name} on {host.name}"

    def _hang_agent(self, act: Act) -> str:
        name = self._signal(act, "systemctl kill --signal=SIGSTOP ecs")
        time.sleep(act.seconds)
        self.cloud.docker.containers.get(name).exec_run(["systemctl", "kill", "--signal=SIGCONT", "ecs"])
        return name

    def _parts(self, kind: str) -> list[Any]:
        mine = {"label": f"berth.local-aws={CONFIG.name}"}
        return [each for each in self.cloud.docker.containers.list(filters=mine) if kind in each.name]

    def _kill(self, kind: str) -> str:
        (part,) = self._parts(kind)
        part.kill()
        return str(part.name)

    def _pause_files(self, act: Act) -> str:
        (part,) = self._parts("-efs-")
        part.pause()
        try:
            time.sleep(act.seconds)
        finally:
            part.unpause()
        return f"{part.name}, for {act.seconds:.0f} s"


def its_image() -> bytes:
    """What is uploaded, but for its last bytes."""
    return (PROJECT / "tests/e2e/harbour.png").read_bytes()

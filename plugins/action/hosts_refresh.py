"""Replace the hosts of a site one by one, or go back to those of before."""

from __future__ import annotations

import dataclasses
import datetime
import sys
from pathlib import Path
from typing import Any, NoReturn

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.hosts_refresh import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.consoles import Consoles
from plugins.plugin_utils.ecs import container_instances, some
from plugins.plugin_utils.host_draining import HostDraining
from plugins.plugin_utils.host_start import RECENT, failed_launches
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.refresh.order import Goal, Refused, Scene, Step, next_step, steps
from plugins.plugin_utils.refresh.proof import unproved
from plugins.plugin_utils.refresh.seeing import Seeing
from plugins.plugin_utils.scale_room import coming

NAME = "refresh"
PLAYBOOK = "refresh_hosts.yml"
WAITS_FOR = {
    "await": "wait until they are ready:",
    "settle": "wait until all services are whole",
    "gone": "wait until they are terminated:",
}
"""Steps in which somebody else does something, in words."""


class ActionModule(AwsAction):
    """See plugins/modules/hosts_refresh.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Take steps until the goal is reached.

        Raises:
            Failed: it cannot be had, or a step did not come to its end in time.
        """
        given = self.arguments
        looking = given["goal"] == "look"
        self._goal, self._in_place = Goal.REFRESH if looking else Goal(given["goal"]), bool(given["in_place"])
        self._seeing = Seeing(
            self.client, given["cluster"], given["auto_scaling_group"], given["capacity_provider"], given["wanted"]
        )
        self._proved: set[str] = set()
        self._since = datetime.datetime.now(datetime.UTC) - RECENT
        before = self._scene(self.check_mode and given["launch_changes"])
        result = {"under_way": before.under_way, "desired": before.desired} | self._kinds(before)
        if looking:
            return result | {"changed": False, "steps": []}
        if self.check_mode:
            maximum = given["maximum"] or before.maximum
            taken = self._planned(dataclasses.replace(before, maximum=maximum))
            return result | {"changed": bool(taken), "steps": taken}
        taken = list[str]()
        scene = before
        while (step := self._next(scene)) is not None:
            if step.kind not in WAITS_FOR:
                taken.append(said(step))
                self.say(NAME, taken[-1])
            scene = self._do(step, scene)
        self.say(NAME, self._summary(scene), "green")
        return result | self._kinds(scene) | {"changed": bool(taken), "steps": taken}

    def _scene(self, all_old: bool = False) -> Scene:
        return self._seeing.scene(self._proved, all_old)

    def _kinds(self, scene: Scene) -> dict[str, Any]:
        """The hosts by what they were launched from, and the image of the old ones."""
        old, new = ([each.name for each in kind] for kind in (scene.old, scene.new))
        return {"old": old, "new": new, "image": self._seeing.image(old)}

    def _summary(self, scene: Scene) -> str:
        old, new = (some(each.name for each in kind) for kind in (scene.old, scene.new))
        if self._goal is Goal.BACK:
            return f"the hosts are those of before: {old or new}"
        if old:
            return f"the hosts are {new}; kept beside them, without tasks: {old}"
        return f"all hosts are made from what new ones are made from: {new}"

    # What is next

    def _next(self, scene: Scene) -> Step | None:
        try:
            return next_step(scene, self._goal, self._in_place)
        except Refused as refused:
            self._without(refused, scene)

    def _planned(self, scene: Scene) -> list[str]:
        """The steps, as they would be, each shown."""
        try:
            taken = [said(step) for step, _ in steps(scene, self._goal, self._in_place)]
        except Refused as refused:
            self._without(refused, scene)
        for each in taken:
            self.say(NAME, f"would {each}")
        return taken

    def _without(self, refused: Refused, scene: Scene) -> NoReturn:
        """Say what cannot be had, what it would interrupt, and what to type."""
        if self._goal is Goal.BACK:
            image = self._seeing.image([each.name for each in scene.old]) or "ami-…"
            raise Failed(
                f"{refused}. Nothing was changed. To have hosts of an older image beside the new ones, name it: "
                f"{verb(PLAYBOOK)} -e host_ami_id={image}"
            )
        more = f'\'{{"site_hosts": {{"min": {scene.wanted}, "max": {refused.maximum}}}}}\''
        beside = f"{refused}. No host was touched. Allow more for the time: {verb(PLAYBOOK)} -e {more}"
        if self._goal is Goal.KEEP:
            raise Failed(f"{beside} -e keep_old=true")
        services = some(each["service"]["serviceName"] for each in self._seeing.services.values())
        away = f"{services} would be away" if scene.wanted == 1 else f"a part of the tasks of {services} would be away"
        away += " for the minutes that a new host takes to start, once a host"
        raise Failed(f"{beside}\nOr accept that {away}: {verb(PLAYBOOK)} -e hosts_downtime=true")

    # Steps

    def _do(self, step: Step, scene: Scene) -> Scene:
        if step.kind in WAITS_FOR:
            return self._wait_for(step, scene)
        match step.kind:
            case "launch":
                self.client("autoscaling").set_desired_capacity(
                    AutoScalingGroupName=self.arguments["auto_scaling_group"], DesiredCapacity=step.number
                )
            case "prove":
                for name in step.hosts:
                    self._prove(name)
            case "activate":
                for name in step.hosts:
                    host = self._draining(name)
                    host.activate(host.find())
            case "drain":
                self._drain(*step.hosts)
            case "terminate":
                self._terminate(step.hosts[0], bool(step.number))
        return self._scene()

    def _draining(self, name: str) -> HostDraining:
        seconds = self.arguments["drain_timeout"]
        wait = lambda: Wait(seconds, self.say, name)  # noqa: E731 - of this module, where tests replace it
        return HostDraining(
            self.client("ecs"), self.arguments["cluster"], name, self.say, wait, stop_tasks=self._in_place,
            coming=lambda: coming(self.client, container_instances(self.client("ecs"), self.arguments["cluster"])),
        )  # fmt: skip

    def _drain(self, name: str) -> None:
        host = self._draining(name)
        try:
            host.drain(host.find())
        except Failed as error:
            raise Failed(
                f"{error}\nNo further host was terminated. Mend the cause and type the same command again; "
                f"{verb(PLAYBOOK)} -e back=true goes back while the old hosts are there."
            ) from None

    def _terminate(self, name: str, fewer: bool) -> None:
        try:
            self.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=name, ShouldDecrementDesiredCapacity=fewer
            )
        except ClientError as error:
            # An answer that was lost, or somebody else's deed: it goes, or is gone, which is what was wanted.
            told = error.response["Error"]
            if told["Code"] != "ScalingActivityInProgress" and "not found" not in told.get("Message", ""):
                raise
        self._seeing.gone.add(name)

    def _prove(self, name: str) -> None:
        services = self._seeing.services
        wait = Wait(self.arguments["join_timeout"], self.say, name)
        if why := unproved(self.client, self.arguments["cluster"], name, services, wait):
            raise Failed(
                f"The new host {name} cannot start what the site runs: {'; '.join(why)}. No further host was drained. "
                f"Mend it and type the same command again, or let the new hosts go: {verb(PLAYBOOK)} -e back=true"
            )
        self._proved.add(name)
        self.say(NAME, f"{name} starts what the site runs", "green")

    # Waits

    def _wait_for(self, step: Step, scene: Scene) -> Scene:
        """Wait until something else is next.

        Raises:
            Failed: it is not so in time.
        """
        seconds = self.arguments["join_timeout" if step.kind == "await" else "drain_timeout"]
        wait = Wait(seconds, self.say, NAME)
        consoles = Consoles(lambda: self.client("ec2"))
        told: set[str] = set()
        kind = step.kind
        while True:
            state = self._state(step, scene)
            wait.tell(state)
            reasons = self._reasons(step, consoles, wait.elapsed)
            for each in reasons:
                if each not in told:
                    told.add(each)
                    self.say(NAME, each, "red")
            if not wait.pause(state):
                if kind == "await":
                    reasons = reasons or consoles.silence(sorted(step.hosts))
                listed = "".join(f"\n  {line}" for line in reasons)
                raise Failed(
                    f"After {wait.seconds:.0f} s the refresh waits: {state}.{listed}\nIt is gone on with by the same "
                    f"command; {verb(PLAYBOOK)} -e back=true goes back while the old hosts are there."
                )
            scene = self._scene()
            now = self._next(scene)
            if now is None or now.kind != kind:
                return scene
            step = now

    def _state(self, step: Step, scene: Scene) -> str:
        if step.kind == "settle":
            return f"services lack something: {scene.lacking}"
        if step.kind == "gone":
            return f"{some(step.hosts)} still being terminated (ECS holds a host until its tasks are gone)"
        lacks = [f"{each.name} {each.lack}" for each in scene.hosts if each.name in step.hosts]
        more = [f"{step.number} more to be launched"] if step.number else []
        return f"hosts are not ready: {some([*lacks, *more], joint='; ')}"

    def _reasons(self, step: Step, consoles: Consoles, elapsed: float) -> list[str]:
        """What others say of why it is not there yet."""
        if step.kind == "settle":
            return self._seeing.events()
        group = self.arguments["auto_scaling_group"]
        failures = failed_launches(self.client("autoscaling"), group, self._since)
        return failures + (consoles.reports(sorted(step.hosts), elapsed) if step.kind == "await" else [])


def said(step: Step) -> str:
    """A step in words."""
    hosts = some(step.hosts)
    match step.kind:
        case "launch":
            return f"let the group have {step.number} hosts"
        case "prove":
            return f"prove that {hosts} can start what the site runs"
        case "activate":
            return f"let {hosts} take tasks again"
        case "drain":
            return f"drain {hosts}"
        case "terminate":
            return f"terminate {hosts}" + ("" if step.number else ", for which the group launches another")
    return f"{WAITS_FOR[step.kind]} {hosts}".rstrip()

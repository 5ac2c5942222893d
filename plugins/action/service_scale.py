"""Set how many tasks of a service run, or between which numbers autoscaling moves."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.service_scale import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ecs import primary_of, service_of
from plugins.plugin_utils.ecs_deployment import still_deployed
from plugins.plugin_utils.ecs_placement import REMEDY
from plugins.plugin_utils.ecs_service_watch import EcsServiceWatch
from plugins.plugin_utils.layers import read_layers
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.scale_room import room
from plugins.plugin_utils.stack import Stack
from plugins.plugin_utils.stack_events import WatcherFactory, describe

WATCHERS: Mapping[str, WatcherFactory] = {"AWS::ECS::Service": EcsServiceWatch}
MOST = 1000
INVENTORY = "inventory"
SCALED_FROM = "ServiceScaledFrom"
COUNT, LEAST, GREATEST = "ServiceReplicas", "ServiceScaleMinimum", "ServiceScaleMaximum"


class ActionModule(AwsAction):
    """See plugins/modules/service_scale.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Change the stack's parameters.

        Raises:
            Failed: what was typed does not fit the service, or there is no room.
        """
        self.name = self.arguments["service"]
        self.stack = f"{self.arguments['prefix']}-service-{self.name.replace('_', '-')}"
        now, self.present = self._found()
        service = self._service(now)
        wanted = self._wanted()
        before, after = _numbers(self.present), _numbers(wanted)
        if wanted == {key: self.present[key] for key in wanted}:
            self.say(self.name, f"{after} as it is", "green")
            return {"changed": False, "service": service["serviceName"], "count": after}
        self._check_room(service, int(wanted.get(COUNT, wanted.get(GREATEST, 0))))
        if self.check_mode:
            self.say(self.name, f"{before} would become {after}", "yellow")
            return {"changed": True, "service": service["serviceName"], "count": before}
        self._let_it_end(service)
        self.say(self.name, f"{before} become {after}", "yellow")
        self._deploy(wanted)
        return {"changed": True, "service": service["serviceName"], "count": after}

    def _found(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The service's stack, and its parameters."""
        now = describe(self.client("cloudformation"), self.stack)
        if now is None:
            raise self._none()
        present = {each["ParameterKey"]: each["ParameterValue"] for each in now.get("Parameters", [])}
        if SCALED_FROM not in present:
            raise Failed(
                f"The stack {self.stack} was made before there was scale.yml, and has no place for what the inventory "
                f"says. Type once: {verb('site.yml')}"
            )
        return now, present

    def _service(self, now: Mapping[str, Any]) -> dict[str, Any]:
        told = {each["OutputKey"]: each["OutputValue"] for each in now.get("Outputs", [])}
        name = told.get("ServiceName", "")
        found = service_of(self.client("ecs"), self.arguments["prefix"], name) if name else None
        if found is None:
            raise self._none()
        return found

    def _none(self) -> Failed:
        return Failed(f"There is no service {self.name} in {self.arguments['prefix']} yet. Type: {verb('site.yml')}")

    # What was typed

    def _wanted(self) -> dict[str, str]:
        """The parameters as they are to be.

        Raises:
            Failed: numbers of the other kind, or none.
        """
        scaling = LEAST in self.present
        replicas, least, most = (str(self.arguments[key]) for key in ("replicas", "min", "max"))
        said = self.arguments["inventory"].split("-")
        if (len(said) == 2) != scaling:
            raise Failed(
                f"The inventory says of {self.name} {'that it scales' if not scaling else 'how many tasks run'}, and "
                f"what runs does not know it yet. Type: {verb('site.yml')}"
            )
        if replicas == INVENTORY:
            given = said
        elif scaling:
            if replicas or not (least or most):
                raise Failed(
                    f"{self.name} scales by itself, between {' and '.join(_limits(self.present))} tasks. Say between "
                    f"which numbers: {verb('scale.yml')} -e service={self.name} -e min=2 -e max=6"
                )
            present = _limits(self.present)
            given = [_whole("min", least or present[0]), _whole("max", most or present[1])]
            if int(given[0]) > int(given[1]) or given[1] == "0":
                raise Failed(
                    f"min={given[0]} and max={given[1]} of {self.name} leave no number between them. Write max, one or "
                    f"more, not below min: {verb('scale.yml')} -e service={self.name} -e min=1 -e max=2"
                )
        else:
            if least or most or not replicas:
                raise Failed(
                    f"{self.name} does not scale by itself; it has {self.present[COUNT]} tasks. Say how many: "
                    f"{verb('scale.yml')} -e service={self.name} -e replicas=2"
                )
            given = [_whole("replicas", replicas)]
        scaled_from = INVENTORY if given == said else self.arguments["inventory"]
        return dict(zip([LEAST, GREATEST] if scaling else [COUNT], given, strict=True)) | {SCALED_FROM: scaled_from}

    # What becomes of it

    def _check_room(self, service: Mapping[str, Any], most: int) -> None:
        """Refuse more tasks than have a place.

        Raises:
            Failed: with the arithmetic.
        """
        more = most - service["runningCount"]
        if more <= 0 or most <= int(self.present.get(COUNT, self.present.get(GREATEST, 0))):
            return
        beside = self.present.get("ServiceMinimumHealthyPercent") != "0"
        found = room(self.client, self.arguments["prefix"], service)
        if found.tasks < more + beside:
            deployment = ", and one that each deployment has beside them" if beside else ""
            raise Failed(
                f"{self.name} cannot have {most} tasks: {service['runningCount']} run, and {more} more{deployment} "
                f"have to have room; there is room for {found.tasks}: {found.arithmetic}. {REMEDY}"
            )

    def _let_it_end(self, service: Mapping[str, Any]) -> None:
        """Wait for a deployment that is going on."""

        def primary() -> dict[str, Any] | None:
            found = service_of(self.client("ecs"), self.arguments["prefix"], service["serviceName"])
            return primary_of(found) if found else None

        wait = Wait(self.arguments["timeout"], self.say, self.name)
        if state := still_deployed(primary, wait):
            raise Failed(
                f"{self.name} was not scaled: it is still being deployed after {wait.seconds:.0f} s ({state})."
            )

    def _deploy(self, wanted: Mapping[str, str]) -> None:
        """The same template with other parameters."""
        body = self.client("cloudformation").get_template(StackName=self.stack)["TemplateBody"]
        name = f"service.{self.name}"
        options = {
            "template_body": body if isinstance(body, str) else json.dumps(body),
            "parameters": {**self.present, **wanted},
            "timeout": self.arguments["timeout"],
        }
        layers = read_layers(
            {name: options}, prefix=self.arguments["prefix"], directory=PROJECT / "cloudformation",
            tags=self.arguments["tags"], outputs={}, region=self.arguments["region"],
        )  # fmt: skip
        stack = Stack(
            layers[name], self.client("cloudformation"), self.say, service=self.client,
            watchers=WATCHERS,
        )  # fmt: skip
        stack.deploy({})


def _limits(parameters: Mapping[str, str]) -> list[str]:
    return [parameters[LEAST], parameters[GREATEST]]


def _numbers(parameters: Mapping[str, str]) -> str:
    return "-".join(_limits(parameters)) if LEAST in parameters else parameters[COUNT]


def _whole(word: str, text: str) -> str:
    if not text.isascii() or not text.isdigit() or int(text) > MOST:
        raise Failed(f"{word}={text} is no whole number from 0 to {MOST}.")
    return str(int(text))

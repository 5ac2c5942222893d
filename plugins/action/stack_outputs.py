"""Read what the layers of a site give, and touch none of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.stack_outputs import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ecs import some
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.roles import Roles
from plugins.plugin_utils.stack import STEPS, Step


class ActionModule(AwsAction):
    """See plugins/modules/stack_outputs.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read the stacks.

        Raises:
            Failed: one is not there, or not through.
        """
        prefix = self.arguments["prefix"]
        wanted = {name: f"{prefix}-{name.replace('_', '-').replace('.', '-')}" for name in self._wanted()}
        found = self._stacks(set(wanted.values()))
        missing = [name for name, stack in wanted.items() if _step(found.get(stack)) in (Step.CREATE, Step.DELETE)]
        if wanted and len(missing) == len(wanted):
            raise Failed(f"The site {prefix} is not there. Type: {verb('site.yml')}")
        if missing:
            raise Failed(f"{some(missing)} is not there, and the site has to have it. Type: {verb('site.yml')}")
        for name, stack in wanted.items():
            if _step(found[stack]) is Step.WAIT:
                raise Failed(
                    f"{name} is being changed ({found[stack]['StackStatus']}). Let that end, then type the same again."
                )
            if _step(found[stack]) is not Step.UPDATE:
                status = found[stack]["StackStatus"]
                raise Failed(f"{name} is in {status}, and the site has to have it. Type: {verb('site.yml')}")
        outputs = {
            f"{name}.{output['OutputKey']}" if "." in name else output["OutputKey"]: output["OutputValue"]
            for name, stack in wanted.items()
            for output in found[stack].get("Outputs", [])
        }
        return {"changed": False, "outputs": outputs}

    def _wanted(self) -> list[str]:
        roles = Roles(self._loader, self._templar, self.task_vars)
        try:
            here = [noun for noun in self.arguments["layers"] if not roles.region(noun)]
            return [name for noun in here for name in roles.wanted(noun)]
        except (AnsibleError, LookupError) as error:
            raise Failed(" ".join(str(error).split())) from None

    def _stacks(self, names: set[str]) -> dict[str, dict[str, Any]]:
        """Name → stack, of those that there are: one question for all."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {each["StackName"]: each for page in pages for each in page["Stacks"] if each["StackName"] in names}


def _step(stack: Mapping[str, Any] | None) -> Step:
    return STEPS[stack["StackStatus"]] if stack else Step.CREATE

"""The public parameters of the ECS-optimized AMIs: `…/recommended` is JSON on AWS, a Python repr in moto.

And which hosts Session Manager's agent has come from, which moto is not asked.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
"""

from __future__ import annotations

import ast
import json
from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.models import Parameter
from moto.ssm.responses import SimpleSystemManagerResponse

from local_aws.patches._moto import around, missing

PREFIX = "/aws/service/ecs/optimized-ami/"
agents: dict[str, str] = {}
"""Instance from which an agent has come → its PingStatus. No host of the embedded AWS runs one."""


@around(Parameter, "__init__")
def _init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    if self.name.startswith(PREFIX) and str(self.value).startswith("{'"):
        self.value = json.dumps(ast.literal_eval(str(self.value)))


@missing(SimpleSystemManagerResponse, "describe_instance_information")
def _describe_instance_information(self: Any) -> ActionResult:
    wanted = [each for each in self._get_param("Filters") or [] if each["Key"] == "InstanceIds"]
    found = [
        {"InstanceId": name, "PingStatus": status}
        for name, status in sorted(agents.items())
        if all(name in each["Values"] for each in wanted)
    ]
    return ActionResult({"InstanceInformationList": found})

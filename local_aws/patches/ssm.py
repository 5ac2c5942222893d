"""The public parameters of the ECS-optimized AMIs: `…/recommended` is JSON on AWS, a Python repr in moto.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
"""

from __future__ import annotations

import ast
import json
from typing import Any

from moto.ssm.models import Parameter

from local_aws.patches._moto import around

PREFIX = "/aws/service/ecs/optimized-ami/"


@around(Parameter, "__init__")
def _init(init: Any, self: Any, *arguments: Any, **keywords: Any) -> None:
    init(self, *arguments, **keywords)
    if self.name.startswith(PREFIX) and str(self.value).startswith("{'"):
        self.value = json.dumps(ast.literal_eval(str(self.value)))

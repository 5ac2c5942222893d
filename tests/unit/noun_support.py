"""For tests of the nouns' layers: made by a real play over the roles, and deployed by our CloudFormation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local_aws.cloud import Cloud
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.layers import Template, text
from tests.unit.plugin_support import run_action
from tests.unit.render_support import PROJECT
from tests.unit.stack_support import Stacks

NOUNS = ("database", "volume", "bucket", "secret", "image")
TASKS = ("service_entry", "job")
NETWORK = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Host: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: hosts, VpcId: !Ref Vpc}}
Outputs:
  VpcId: {Value: !Ref Vpc}
  HostSubnetIdA: {Value: !Ref A}
  HostSubnetIdB: {Value: !Ref B}
  PrivateSubnetIds: {Value: !Join [",", [!Ref A, !Ref B]]}
  HostSecurityGroupId: {Value: !Ref Host}
"""
"""What stands for the layer network: two subnets, and a security group of hosts."""


def made(folder: Path, given: Mapping[str, Any], nouns: tuple[str, ...] = NOUNS) -> dict[str, dict[str, Any]]:
    """Layer name → options, as the roles of the nouns make them in a play.

    Args:
        folder: an empty folder for the run's files.
        given: variables: the entries (`site_databases`, …) and what else differs.
        nouns: roles of the play.
    """
    words = [noun.removesuffix("_entry") for noun in nouns]
    shown = f"lookup('entries', {', '.join(map(repr, words))})"
    play = {
        "name": "Make the layers",
        "hosts": "localhost",
        "gather_facts": False,
        "roles": list(nouns),
        "tasks": [
            {
                "name": "Write them",
                "ansible.builtin.copy": {
                    "content": f"{{{{ {shown} | to_json }}}}",
                    "dest": str(folder / "out"),
                    "mode": "0600",
                },
            }
        ],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    variables = {
        "site_name": "shop",
        "environment_name": "unit",
        "aws_region": "us-east-1",
        "ansible_python_interpreter": sys.executable,
        **{f"site_{word}s": {} for word in words},
        **given,
    }
    (folder / "given.yml").write_text(yaml.safe_dump(variables))
    command = ["ansible-playbook", "play.yml", "-i", "localhost,", "-c", "local", "-e", "@given.yml"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_INVENTORY_ENABLED": "host_list",
    }
    run = subprocess.run(command, cwd=folder, env=kept | environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return dict(json.loads((folder / "out").read_text()))


def body(layer: Mapping[str, Any]) -> str:
    """The template that a layer is deployed with."""
    return str(layer.get("template_body") or (PROJECT / "cloudformation" / layer["template"]).read_text())


class Deployed:
    """Entries deployed one after the other, each taking what it needs from the network and from those before it."""

    def __init__(self, aws: Cloud, stacks: Stacks) -> None:
        self.aws, self.stacks = aws, stacks
        stacks.made("shop-unit-network", NETWORK)
        self.outputs = dict(stacks.outputs("shop-unit-network"))

    def name(self, layer: Mapping[str, Any]) -> str:
        """The stack's name."""
        return f"shop-unit-{layer['stack']}"

    def template(self, layer: Mapping[str, Any]) -> Template:
        """What an entry is deployed with."""
        return Template.read(body(layer))

    def parameters(self, layer: Mapping[str, Any], first: bool = False) -> dict[str, Any]:
        """All the parameters of an entry's stack."""
        declared = self.template(layer).parameters
        given = {**layer["parameters"], **(layer.get("first", {}) if first else {})}
        given |= {parameter: self.outputs[source] for parameter, source in layer.get("takes", {}).items()}
        given |= {name: self.outputs[name] for name in (declared.keys() - given.keys()) & self.outputs.keys()}
        return {parameter: text(value) for parameter, value in given.items()}

    def run(self, name: str, layer: Mapping[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
        """What the plugin says of the deployment of one entry."""
        takes = {parameter: self.outputs[source] for parameter, source in layer.get("takes", {}).items()}
        options = {key: value for key, value in layer.items() if key != "takes"}
        options["parameters"] = {**layer["parameters"], **takes}
        stacks = {name.replace(".", "_"): options}
        arguments = {"prefix": "shop-unit", "stacks": stacks, "outputs": self.outputs, **more}
        return run_action(cloudformation_stacks, arguments, check)

    def create(self, name: str, layer: Mapping[str, Any]) -> dict[str, str]:
        """Deploy an entry, which must succeed; logical id → physical id."""
        result = self.run(name, layer)
        assert not result.get("failed"), result["msg"]
        self.outputs |= {f"{name}.{key}": value for key, value in self.stacks.outputs(self.name(layer)).items()}
        return self.stacks.physical(self.name(layer))

    def delete(self, layer: Mapping[str, Any]) -> None:
        """Delete an entry's stack, as a teardown does."""
        self.stacks.api.update_termination_protection(StackName=self.name(layer), EnableTerminationProtection=False)
        assert self.stacks.delete(self.name(layer))["StackStatus"] == "DELETE_COMPLETE"

"""For tests of the nouns' layers: made by the roles as the plugin makes them, and deployed by our CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from ansible.template import Templar

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.layers import Template, text
from plugins.plugin_utils.roles import Roles
from plugins.plugin_utils.site.nouns import NOUNS as MODEL
from tests.unit.plugin_support import run_action
from tests.unit.render_support import PROJECT

NOUNS = ("database", "volume", "bucket", "table", "secret", "image", "function", "static")
TASKS = ("service", "job")
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


IDENTITY = {
    "site_name": "shop",
    "environment_name": "unit",
    "aws_region": "us-east-1",
    "domain_name": "www.shop.test",
    "site_prefix": "shop-unit",
    "site_typed": "unit",
}
RENDERED: dict[str, dict[str, Any]] = {
    "service": {"replicas": 1, "stop_first": False, "routes": [], "expose": {}, "scale": {}},
    "job": {"run": "by_hand", "schedule": "", "zone": "UTC", "minutes": 15, "maintenance": False},
}
"""What the model says of an entry that says nothing itself, beside what all tasks have."""


def plugins_known() -> None:
    """Let templates in this process see the project's plugins, as ansible.cfg does for a play."""
    for loader, folder in ((lookup_loader, "lookup"), (filter_loader, "filter"), (test_loader, "test")):
        loader.add_directory(str(PROJECT / "plugins" / folder))


def defaults(loader: DataLoader) -> dict[str, Any]:
    """The variables of every environment, group_vars/all."""
    known: dict[str, Any] = {}
    for path in sorted((PROJECT / "group_vars/all").glob("*.yml")):
        known |= loader.load_from_file(str(path), cache="none", unsafe=True, trusted_as_template=True) or {}
    return known


class RolesOf(Roles):
    """The roles, some entries being given as templates read them and not by the model.

    Args:
        variables: what an inventory says.
        entries: noun → entries as the template reads them, for tests of a template's own variants.
    """

    def __init__(self, variables: Mapping[str, Any], entries: Mapping[str, Any] | None = None) -> None:
        plugins_known()
        loader = DataLoader()
        super().__init__(loader, Templar(loader), {**defaults(loader), **IDENTITY, **variables})
        self._entries = {f"{noun}_entries": given for noun, given in (entries or {}).items()}

    def variables(self, role: str, **more: Any) -> dict[str, Any]:
        """As in a play, but for the entries that were given."""
        return super().variables(role, **more) | self._entries


def entry(noun: str, **given: Any) -> dict[str, Any]:
    """A service or job as its template reads it (`rendering.entry`), with what it does not say."""
    parts: dict[str, Any] = {"containers": [], "volumes": [], "takes": {}, "data": {}}
    parts |= {"execution_statements": [], "task_statements": []}
    return {"memory": 0, "patch": {}, **parts, **RENDERED[noun], **given}


def made(given: Mapping[str, Any], nouns: tuple[str, ...] = NOUNS) -> dict[str, dict[str, Any]]:
    """Layer name → options, as the roles of the nouns make them; `stack` is what the plugin calls its stack.

    Args:
        given: variables that differ: entries in an inventory's words (`site_databases`, …), or of services and jobs as
            their templates read them (`service`, `job`: see `entry`).
        nouns: whose layers.
    """
    entries = {
        noun: {name: entry(noun, **each) for name, each in given[noun].items()} for noun in TASKS if noun in given
    }
    variables: dict[str, Any] = {each.variable: {} for each in MODEL.values()}
    variables |= {name: value for name, value in given.items() if name not in TASKS}
    # A site runs something, and a volume is mounted: else the model refuses it.
    container: dict[str, Any] = {"image": "registry.test/some:1", "mem_limit": "64m"}
    container["volumes"] = [f"{name}:/srv/{name}" for name in variables["site_volumes"]]
    variables["site_services"] = {"some": {"containers": {"some": container}}, **variables["site_services"]}
    roles = RolesOf(variables, entries)
    layers: dict[str, dict[str, Any]] = {}
    for noun in nouns:
        for name, layer in roles.layers(noun, PROJECT / "cloudformation"):
            layers[name] = {"stack": name.replace(".", "-"), **layer}
    return layers


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
        arguments = {"prefix": "shop-unit", "stacks": {name: dict(layer)}, "outputs": self.outputs, **more}
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

"""What an update of a stack would change, and which data the site would lose or no longer see by it.

One rule for all layers: a resource that holds data is lost to the site when it is replaced or removed (also where the
template has it retained: it is then hidden, and the site goes on with an empty one) and when a service comes to point
at another one. Such a `Loss` is found before anything is changed, and whoever wants it has to name the resource.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.layers import Layer, Template, text
from plugins.plugin_utils.plan.billed import Quantities, billed
from plugins.plugin_utils.plan.containers import container_changes
from plugins.plugin_utils.plan.hiding import HIDDEN, shown
from plugins.plugin_utils.plan.model import CHANGE, CREATE, UNKNOWN, Container, Resource, StackChange, Value
from plugins.plugin_utils.stack_pointing import ANOTHER, data_name, leads, moved
from plugins.plugin_utils.stack_tables import decided

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
CHANGE_SET_SECONDS = 300
NO_UPDATES = re.compile(r"No updates are to be performed|didn't contain changes")

STATEFUL_TYPES = frozenset(
    {
        "AWS::RDS::DBInstance",
        "AWS::EFS::FileSystem",
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::ECR::Repository",
        "AWS::SecretsManager::Secret",
    }
)
"""Types whose replacement loses data, or starts empty beside the old one."""
CONTENT, BUILT = "Berth::Content", "built"
"""Key and value of a resource's Metadata: what is in it is made again by the next run, and no data."""
LEADING = {
    "AWS::EFS::AccessPoint": "FileSystemId",
    "AWS::EFS::MountTarget": "FileSystemId",
    "AWS::SecretsManager::SecretTargetAttachment": "SecretId",
}
"""Types that lead to data → the property that says to which."""
HOLDING_TYPES = STATEFUL_TYPES | LEADING.keys()

NEVER_REPLACING = {
    "AWS::RDS::DBInstance": frozenset(
        {
            "AutoMinorVersionUpgrade",
            "BackupRetentionPeriod",
            "DBParameterGroupName",
            "MultiAZ",
            "PreferredMaintenanceWindow",
        }
    )
}
"""Properties that the schema calls conditionally create-only, for which the provider has no such condition.

https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds, aws-rds-dbinstance, ImmutabilityHelper
"""

OVERWRITING = {"AWS::SecretsManager::Secret": frozenset({"GenerateSecretString", "SecretString"})}
"""Properties of which any change writes another value over the one that is there, without a replacement.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
"""

CONSEQUENCES = {
    "AWS::EFS::AccessPoint": (
        "the old access point goes first: what is mounted stays mounted, but a task that starts before the next roll "
        "cannot mount; and owner and mode of a folder that exists do not change by it"
    ),
}

NO_RESOURCES = "tags or outputs only"

REPLACEMENT = {"True": "replaced", "Conditional": "perhaps replaced"}
WOULD_BE = {"True": "would be replaced", "Conditional": "would perhaps be replaced"}


@dataclass(frozen=True)
class Loss:
    """Something that holds data, and that the site would lose or no longer see.

    Attributes:
        layer: name of the layer that does it.
        resource: logical id, or what points at it: a parameter, or a variable or path of a container.
        type: resource type; empty for what points at it.
        physical_id: what has to be named for the run to go on.
        how: what would happen to it.
    """

    layer: str
    resource: str
    type: str
    physical_id: str
    how: str

    def __str__(self) -> str:
        kind = f" ({self.type})" if self.type else ""
        return f"{self.physical_id}: {self.layer}.{self.resource}{kind} {self.how}"


@dataclass
class Plan:
    """What an update would do.

    Attributes:
        changed: whether anything would change.
        rows: lines of the diff.
        detail: the same as data; None where nobody has looked closely.
        losses: see `Loss`.
        exists: whether there is a stack to update.
        outputs: the present outputs, less those whose value may change.
        taken: the values of other layers' outputs that it was made with.
        notes: what is kept though the inventory says otherwise.
    """

    changed: bool = False
    exists: bool = False
    rows: list[str] = field(default_factory=list)
    detail: StackChange | None = None
    losses: list[Loss] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def refusal(losses: Iterable[Loss], named: Iterable[str]) -> str:
    """Why a deployment is refused, and what to type; empty if all that it would lose is `named`."""
    left = list(dict.fromkeys(loss for loss in losses if loss.physical_id not in set(named)))
    if not left:
        return ""
    ids = list(dict.fromkeys(loss.physical_id for loss in left))
    return (
        "Nothing was changed, as the site would lose what holds data, or no longer see it:\n"
        + "".join(f"  {loss}\n" for loss in left)
        + "Set the variables back that make it so (--check --diff shows what changes). If the site is really to go on "
        + f"without, name what it shall lose, and only that: site_remove: [{', '.join(ids)}]"
    )


class Planner:
    """Compares a layer with its deployed stack.

    Args:
        layer: what the stack is to be.
        client: boto3's `cloudformation` client of its region.
        wait: for a change set.
        layers: those that it may take from, or give to.
    """

    def __init__(self, layer: Layer, client: Any, wait: Wait, layers: Mapping[str, Layer]) -> None:
        self._layer, self._client, self._wait, self._layers = layer, client, wait, layers

    def plan(
        self, now: Mapping[str, Any], body: Any, taken: Mapping[str, str], uncertain: frozenset[str], thoroughly: bool
    ) -> Plan:
        """The plan of an update; see `Stack.look`.

        Raises:
            Failed: CloudFormation cannot tell what would change.
        """
        layer = self._layer
        detail = StackChange(layer.name, layer.stack)
        plan = Plan(exists=True, outputs=outputs(now), taken=dict(taken), detail=detail)
        present = _present(now)
        plan.notes = list(kept_otherwise(layer, present))
        wanted = wanted_parameters(layer, present, taken, uncertain)
        moved = {name for name, value in wanted.items() if present.get(name) != value}
        plan.losses = self.pointing(now, body, taken, uncertain)
        if missing := uncertain - present.keys():
            plan.changed = True
            gets = f"gets {', '.join(sorted(missing))}, known only after the layers before"
            plan.rows.append(f"~ stack {layer.stack} {gets}")
            detail.action, detail.notes = UNKNOWN, [gets]
            detail.containers = self._containers(body, present, wanted, uncertain)
            plan.outputs = self._certain(plan.outputs, body, moved | uncertain)
            return plan
        if (
            not thoroughly
            and self._is_deployed(body)
            and not moved
            and not uncertain
            and not layer.hidden & wanted.keys()
        ):
            return plan
        if not thoroughly and not self._concerns_data(body):
            plan.changed = True  # what there is to lose was seen in its parameters
            return plan
        changes = self._changes(now, taken, uncertain)
        if changes is None:
            return plan
        plan.changed = True
        detail.action = CHANGE
        detail.parameters = list(parameter_changes(layer, now, update_parameters(layer, now, taken, uncertain)))
        detail.resources = [resource_change(change, changes) for change in changes.values()]
        detail.containers = self._containers(body, present, wanted, uncertain)
        plan.rows += [parameter_row(layer.name, each) for each in detail.parameters]
        plan.rows += [change_row(layer.name, change) for change in changes.values()]
        if not plan.rows:
            plan.rows, detail.notes = [f"~ stack {layer.stack}: {NO_RESOURCES}"], [NO_RESOURCES]
        # What the next run makes again is none where it goes, as a whole stack of such things is none.
        rebuilt = built(resources_of(body)) if body is not None else frozenset()
        lost = [
            each for each in changes.values() if each["Action"] != "Remove" or each["LogicalResourceId"] not in rebuilt
        ]
        plan.losses += [loss for change in lost for loss in _losses(layer.name, change, changes)]
        moving = moved | uncertain | {name for name, each in changes.items() if _moves(each, changes)}
        plan.outputs = {
            name: value
            for name, value in plan.outputs.items()
            if name in layer.template.outputs and not layer.template.sources(name) & moving
        }
        return plan

    def pointing(
        self, now: Mapping[str, Any], body: Any, taken: Mapping[str, str], uncertain: frozenset[str]
    ) -> list[Loss]:
        """What the stack would no longer point at; this can be told of one in any state.

        Args:
            now: DescribeStacks of it.
            body: its template; None for a stack that has never been through.
            taken: see `Stack.look`.
            uncertain: likewise.
        """
        present = _present(now)
        wanted = wanted_parameters(self._layer, present, taken, uncertain)
        changing = {name for name, value in wanted.items() if present.get(name) != value} | uncertain
        found = list(self._parameters_lead(present, wanted, changing))
        if body is not None and (changing or not self._is_deployed(body)):
            known = {physical_id for _, physical_id, _ in found}
            kept = {name: value for name, value in present.items() if name in kept_parameters(self._layer, present)}
            before, after = (
                leads(template, values, now.get("StackId", ""))
                for template, values in ((body, present), (self._layer.template.body, {**kept, **wanted}))
            )
            found += [each for each in moved(before, after) if each[1] not in known]
        # An access point belongs to its file system: whoever gives up the one need not name the other.
        if any(physical_id.startswith("fs-") for _, physical_id, _ in found):
            found = [each for each in found if not each[1].startswith("fsap-")]
        return [
            Loss(self._layer.name, place, "", physical_id, f"points at it now, and would point at {to}")
            for place, physical_id, to in found
        ]

    def _parameters_lead(
        self, present: Mapping[str, str], wanted: Mapping[str, str], changing: set[str]
    ) -> Iterator[tuple[str, str, str]]:
        """Parameter, the data that it leads to, and where it would lead."""
        named = self._naming()
        for name in sorted(changing):
            value = present.get(name, "")
            lost = data_name(value) or (value if name in named else "")
            if lost and data_name(wanted.get(name, "")) != lost:
                yield name, lost, wanted.get(name) or ANOTHER

    def _containers(
        self, body: Any, present: Mapping[str, str], wanted: Mapping[str, str], uncertain: frozenset[str]
    ) -> list[Container]:
        """What changes of the containers. What must not be shown (NoEcho) is taken for the same."""
        kept = {name: value for name, value in present.items() if name in self._layer.keep}
        hidden = dict.fromkeys(self._layer.hidden, HIDDEN)
        then: dict[str, str | None] = {**kept, **wanted, **dict.fromkeys(uncertain), **hidden}
        return container_changes(body, {**present, **hidden}, self._layer.template.body, then)

    def _certain(self, given: Mapping[str, str], body: Any, moved: set[str]) -> dict[str, str]:
        """Outputs that stay as they are whatever the values turn out to be, as all that they are made of stays.

        Without them whatever takes from the stack would be taken for led elsewhere.
        """
        if not isinstance(body, str):
            return {}
        before, after = Template.read(body), self._layer.template
        if any(before.conditions.get(name, each) != each for name, each in after.conditions.items()):
            return {}
        differ = moved | {name for name, each in after.resources.items() if before.resources.get(name) != each}
        return {
            name: value
            for name, value in given.items()
            if name in after.outputs and before.outputs.get(name) == after.outputs[name]
            if not after.reach(name) & differ
        }

    def _is_deployed(self, body: Any) -> bool:
        return isinstance(body, str) and body.strip() == self._layer.template.body.strip()

    def _naming(self) -> set[str]:
        """The parameters that the layer takes from what holds data, whatever their values look like."""
        takes = {name: (self._layers[giver].template, output) for name, (giver, output) in self._layer.takes.items()}
        return {name for name, (template, output) in takes.items() if template.sources(output) & holding(template)}

    def _concerns_data(self, body: Any) -> bool:
        """Whether data is in the stack, as it is or is to be, or in one that takes from it."""
        before = {(resource or {}).get("Type") for resource in resources_of(body).values()}
        return bool(before & HOLDING_TYPES) or concerns_data(self._layer, self._layers)

    def _changes(
        self, now: Mapping[str, Any], taken: Mapping[str, str], uncertain: frozenset[str]
    ) -> dict[str, dict[str, Any]] | None:
        """Logical id → change, by a change set that is deleted again; None if nothing would change."""
        asked = request(self._layer, update_parameters(self._layer, now, taken, uncertain))
        change_set = self._client.create_change_set(
            **asked, ChangeSetName=f"plan-{uuid.uuid4().hex}", ChangeSetType="UPDATE"
        )["Id"]
        try:
            found, changes = read_change_set(self._client, change_set, self._wait)
        finally:
            self._client.delete_change_set(ChangeSetName=change_set)
        if found["Status"] == "FAILED":
            if NO_UPDATES.search(found.get("StatusReason", "")):
                return None
            raise Failed(f"cannot tell what would change: {found.get('StatusReason') or 'its change set failed'}")
        return {change["LogicalResourceId"]: decided(change) for change in changes}


def left_over(layer: Layer, resources: Iterable[Mapping[str, Any]]) -> list[Loss]:
    """What holds data in a stack whose deletion failed, and that is to be deleted and made anew."""
    how = "is left of a deletion that failed, which would go on; finish the teardown, or name it"
    rebuilt = built(layer.template.resources)
    return [
        Loss(layer.name, each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"], how)
        for each in resources
        if each["ResourceType"] in STATEFUL_TYPES
        and each["LogicalResourceId"] not in rebuilt
        and each.get("PhysicalResourceId")
        and each["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def resources_of(body: Any) -> Mapping[str, Any]:
    """Logical id → resource, of a template as GetTemplate tells it: a text, or JSON that is read already."""
    found: Mapping[str, Any] = body["Resources"] if isinstance(body, Mapping) else Template.read(str(body)).resources
    return found


def built(resources: Mapping[str, Any]) -> frozenset[str]:
    """Logical ids of what has nothing in it but what the next run makes again, of a template's resources."""
    metadata = {name: (resource or {}).get("Metadata") or {} for name, resource in resources.items()}
    return frozenset(name for name, each in metadata.items() if each.get(CONTENT) == BUILT)


def holding(template: Template) -> set[str]:
    """Logical ids of what holds data or leads to it."""
    return {name for name, resource in template.resources.items() if resource.get("Type") in HOLDING_TYPES}


def concerns_data(layer: Layer, layers: Mapping[str, Layer]) -> bool:
    """Whether a layer, or one of `layers` that takes from it, is to hold data or lead to it."""
    takers = [each for each in layers.values() if layer.name in each.needs]
    return any(holding(each.template) for each in [layer, *takers])


def outputs(now: Mapping[str, Any] | None) -> dict[str, str]:
    """The outputs in a description of a stack."""
    return {output["OutputKey"]: output["OutputValue"] for output in (now or {}).get("Outputs", [])}


def parameters(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Parameters as the API takes them."""
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def request(layer: Layer, given: list[dict[str, Any]]) -> dict[str, Any]:
    """What a create, an update and a change set are asked with."""
    return {
        "StackName": layer.stack,
        "Parameters": given,
        "Capabilities": CAPABILITIES,
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(layer.tags.items())],
        "TemplateBody": layer.template.body,
    }


def billed_now(now: Mapping[str, Any] | None, body: Any) -> Quantities:
    """What a stack is billed for as it is.

    Args:
        now: DescribeStacks of it, for its parameters.
        body: its template, a text or (as CloudFormation answers for JSON) a mapping; None for none.
    """
    if body is None:
        return {}
    template = Template.read(body if isinstance(body, str) else json.dumps(body))
    return billed(template, _present(now or {}))


def billed_then(layer: Layer, now: Mapping[str, Any] | None) -> Quantities:
    """What a stack is billed for as its layer says; `now` as above."""
    present = _present(now or {})
    return billed(layer.template, {**present, **wanted_parameters(layer, present, {}, frozenset())})


def update_parameters(
    layer: Layer, now: Mapping[str, Any], taken: Mapping[str, str], unknown: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """The parameters of an update: what is kept and what is not known yet stays as it is."""
    present = _present(now)
    previous = kept_parameters(layer, present) | {name for name in unknown if name in present}
    values = {name: value for name, value in {**layer.parameters, **taken}.items() if name not in previous}
    return parameters(values) + [{"ParameterKey": name, "UsePreviousValue": True} for name in sorted(previous)]


def _present(now: Mapping[str, Any]) -> dict[str, str]:
    return {each["ParameterKey"]: each.get("ParameterValue", "") for each in now.get("Parameters", [])}


def kept_parameters(layer: Layer, present: Mapping[str, str]) -> frozenset[str]:
    """The parameters that keep the value that a stack has."""
    held = {
        name
        for name, values in layer.keep_while.items()
        if all(present.get(other) == value for other, value in values.items())
    }
    return frozenset(name for name in {*layer.keep, *held} if name in present)


def kept_otherwise(layer: Layer, present: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each parameter that keeps another value than the layer gives, by `keep_while`."""
    for name in sorted(kept_parameters(layer, present) & layer.keep_while.keys() & layer.parameters.keys()):
        if present[name] != layer.parameters[name]:
            yield f"{name} stays {present[name]}, and the inventory says {layer.parameters[name]}. {layer.keep_because}"


def wanted_parameters(
    layer: Layer, present: Mapping[str, str], taken: Mapping[str, str], unknown: frozenset[str]
) -> dict[str, str]:
    """Name → value that an update gives it, where that is known beforehand."""
    defaults = {
        name: text(declared["Default"]) for name, declared in layer.template.parameters.items() if "Default" in declared
    }
    kept = kept_parameters(layer, present)
    values = {**defaults, **layer.parameters, **taken}
    return {name: value for name, value in values.items() if name not in kept and name not in unknown}


def read_change_set(client: Any, change_set: str, wait: Wait) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """DescribeChangeSet, once the change set is made, and its changes of resources."""
    while True:
        try:
            found: dict[str, Any] = client.describe_change_set(ChangeSetName=change_set, IncludePropertyValues=True)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ChangeSetNotFound":
                raise
            found = {"Status": "CREATE_PENDING"}  # made a moment ago, and not known everywhere yet
        if not found["Status"].endswith(("PENDING", "IN_PROGRESS")):
            break
        if not wait.pause("its change set"):
            raise Failed(f"its change set is still {found['Status']} after {wait.seconds:.0f} s.")
    changes, page = list(found.get("Changes", [])), found
    while page.get("NextToken"):
        page = client.describe_change_set(
            ChangeSetName=change_set, IncludePropertyValues=True, NextToken=page["NextToken"]
        )
        changes += page.get("Changes", [])
    return found, [change["ResourceChange"] for change in changes if "ResourceChange" in change]


def parameter_changes(layer: Layer, now: Mapping[str, Any], parameters: list[dict[str, Any]]) -> Iterator[Value]:
    """The parameters whose value changes."""
    before = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in now.get("Parameters", [])}
    for parameter in parameters:
        name, value = parameter["ParameterKey"], parameter.get("ParameterValue")
        # What CloudFormation does not tell (NoEcho) is not compared, and never shown.
        if value is None or name in layer.hidden or before.get(name) == value:
            continue
        yield Value(name, shown(name, before[name]) if name in before else "(none)", shown(name, value))


def parameter_row(layer: str, change: Value) -> str:
    """A line of the diff: a parameter whose value changes."""
    return f"~ {layer} parameter {change.name}: {change.before} → {change.after}"


def new_stack(layer: Layer, again: str = "") -> tuple[list[str], StackChange]:
    """A stack that is to be made: lines of the diff, and the same as data.

    Args:
        layer: what it is to be.
        again: what is to be said of what there is of it.
    """
    rows = [f"+ stack {layer.stack}{again}", *(f"+ {layer.name}.{row}" for row in declared(layer.template))]
    resources = [
        Resource(name, str(each.get("Type")), "Add", holds_data=each.get("Type") in STATEFUL_TYPES)
        for name, each in layer.template.resources.items()
    ]
    notes = [again.strip(" ()")] if again else []
    return rows, StackChange(layer.name, layer.stack, CREATE, resources=resources, notes=notes)


def declared(template: Template) -> Iterator[str]:
    """Lines of the diff of a new stack: its resources."""
    for name, resource in template.resources.items():
        condition = f" if {resource['Condition']}" if resource.get("Condition") else ""
        yield f"{name} ({resource.get('Type')}){condition}"


def change_row(layer: str, change: Mapping[str, Any]) -> str:
    """A line of the diff: what happens to one resource."""
    sign = {"Add": "+", "Modify": "~", "Remove": "-"}.get(change["Action"], "?")
    row = f"{sign} {layer}.{change['LogicalResourceId']} ({change['ResourceType']})"
    if names := sorted(_named(change)):
        row += f": {', '.join(names)}"
    if change["Action"] == "Modify" and change.get("Replacement") in REPLACEMENT:
        row += f" — {REPLACEMENT[change['Replacement']].upper()}"
    return row


def resource_change(change: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> Resource:
    """What happens to one resource, as data. A perhaps about what stays (see `_replacing`) is none.

    Args:
        change: of the change set.
        changes: all of it, by logical id.
    """
    kind, causes = change["ResourceType"], _replacing(change, changes)
    return Resource(
        change["LogicalResourceId"],
        kind,
        change["Action"],
        change.get("Replacement", "") if causes else "",
        tuple(sorted(_named(change))),
        tuple(sorted(causes)),
        kind in HOLDING_TYPES,
        change.get("PhysicalResourceId", ""),
    )


def _losses(layer: str, change: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> Iterator[Loss]:
    """What a change of one resource takes away from the site."""
    kind, name, physical_id = change["ResourceType"], change["LogicalResourceId"], change.get("PhysicalResourceId", "")
    if kind not in HOLDING_TYPES or change["Action"] == "Add":
        return
    if change["Action"] == "Remove":
        if kind in STATEFUL_TYPES:
            kept = change.get("PolicyAction") == "Retain"
            how = "would leave the site; it is kept, but nothing uses it any more" if kept else "would be removed"
            yield Loss(layer, name, kind, physical_id, how)
        elif kind == "AWS::EFS::AccessPoint":
            yield Loss(layer, name, kind, physical_id, "would be removed")
        return
    causes = _replacing(change, changes)
    if not causes and (over := _named(change) & OVERWRITING.get(kind, frozenset())):
        yield Loss(layer, name, kind, physical_id, f"would get another value, because of {', '.join(sorted(over))}")
    how = WOULD_BE.get(change.get("Replacement", ""), "")
    if (to := LEADING.get(kind)) in causes:
        before = _before(change, str(to))
        yield Loss(layer, name, kind, before or physical_id, f"{how}: it would lead to another one")
        causes.discard(str(to))
    # A mount target has nothing of its own: another subnet is the business of the network.
    if causes and kind != "AWS::EFS::MountTarget":
        more = f"; {CONSEQUENCES[kind]}" if kind in CONSEQUENCES else ""
        yield Loss(layer, name, kind, physical_id, f"{how}, because of {', '.join(sorted(causes))}{more}")


def _named(change: Mapping[str, Any]) -> set[str]:
    """The properties or attributes that a change is about."""
    targets = (detail.get("Target", {}) for detail in change.get("Details") or [])
    return {str(target.get("Name") or target.get("Attribute") or "") for target in targets} - {""}


def _moves(change: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a resource gets another physical id, or goes, or comes."""
    return change["Action"] != "Modify" or bool(_replacing(change, changes))


def _replacing(change: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The properties for which a resource is replaced, or perhaps is; empty if it stays.

    A change set calls a replacement conditional for two reasons that are none: a property refers to a resource that is
    only changed in place, whose id stays; or the schema is more careful than its provider.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html
    """
    if change["Action"] != "Modify" or change.get("Replacement") not in REPLACEMENT:
        return set()
    details = change.get("Details") or []
    harmless = NEVER_REPLACING.get(change["ResourceType"], frozenset())
    causes = {
        str(detail["Target"].get("Name") or detail["Target"].get("Attribute"))
        for detail in details
        if detail.get("Target", {}).get("RequiresRecreation", "Never") != "Never" and not _stays(detail, changes)
    }
    if change["Replacement"] == "Conditional":
        causes -= harmless
    known = any(detail.get("Target", {}).get("RequiresRecreation", "Never") != "Never" for detail in details)
    return causes if known else {"a property that CloudFormation does not name"}


def _stays(detail: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a detail is a reference to a resource that keeps its id."""
    if detail.get("Evaluation") != "Dynamic" or detail.get("ChangeSource") != "ResourceReference":
        return False
    cause = changes.get(str(detail.get("CausingEntity")))
    return cause is not None and cause["Action"] == "Modify" and not _replacing(cause, changes)


def _before(change: Mapping[str, Any], name: str) -> str:
    """The value that a property has now, as far as the change set tells; empty if it does not."""
    for detail in change.get("Details") or []:
        if detail.get("Target", {}).get("Name") == name and detail["Target"].get("BeforeValue"):
            return str(detail["Target"]["BeforeValue"])
    context = json.loads(change.get("BeforeContext") or "{}")
    value = context.get("Properties", {}).get(name, "") if isinstance(context, dict) else ""
    return value if isinstance(value, str) else ""

"""What CloudFormation refuses before it makes anything: unknown types, names, functions, properties, and circles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_aws.cloudformation import plan
from local_aws.cloudformation.errors import CloudFormationError, ValidationError
from local_aws.cloudformation.handlers import HANDLERS
from local_aws.cloudformation.intrinsics import FUNCTIONS
from local_aws.cloudformation.schema import schema
from local_aws.cloudformation.template import PSEUDO_PARAMETERS, Reference, Template, listed, references

RESOURCE_KEYS = {
    "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
}  # fmt: skip
UNSUPPORTED_KEYS = {"CreationPolicy", "UpdatePolicy"}
DELETION_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}
REPLACE_POLICIES = {"Delete", "Retain", "Snapshot"}
CONDITION_FUNCTIONS = {"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"}
NAMED_IAM = {
    "AWS::IAM::Group": "GroupName", "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName",
}  # fmt: skip
IAM = {*NAMED_IAM, "AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"}


def validate(template: Template) -> None:
    """Check a template by itself.

    Raises:
        ValidationError: the first thing that is wrong with it.
    """
    for name, resource in template.resources.items():
        _check_resource(name, resource)
    unknown = sorted({resource["Type"] for resource in template.resources.values()} - set(HANDLERS))
    if unknown:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    for name, resource in template.resources.items():
        _check_references(template, resource.get("Properties"), "Resources")
        if lost := [other for other in listed(resource.get("DependsOn")) if other not in template.resources]:
            raise _unresolved(lost, "Resources")
        _check_condition_name(template, name, resource)
        for problem in schema(resource["Type"]).problems(resource.get("Properties") or {}):
            raise ValidationError(f"{problem} (resource {name}, {resource['Type']})")
    _check_conditions(template)
    _check_outputs(template)
    plan.order(plan.graph(template, set(template.resources)))


def check_capabilities(template: Template, given: list[str]) -> None:
    """Raises InsufficientCapabilitiesException: the template has IAM resources and the request does not say so.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html#using-iam-capabilities
    """
    found = [resource for resource in template.resources.values() if resource["Type"] in IAM]
    named = any(NAMED_IAM.get(resource["Type"]) in (resource.get("Properties") or {}) for resource in found)
    needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if found and not {needed, "CAPABILITY_NAMED_IAM"} & set(given):
        raise CloudFormationError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def capabilities(template: Template) -> list[str]:
    """What ValidateTemplate says the template needs."""
    try:
        check_capabilities(template, [])
    except CloudFormationError as error:
        return [str(error.message).partition("[")[2].rstrip("]")]
    return []


def _check_resource(name: str, resource: Any) -> None:
    if not name.isalnum() or not name.isascii():
        raise ValidationError(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise ValidationError(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type")
    if unknown := set(resource) - RESOURCE_KEYS - UNSUPPORTED_KEYS:
        raise ValidationError(f"Invalid template resource property '{sorted(unknown)[0]}' (resource {name})")
    if unsupported := set(resource) & UNSUPPORTED_KEYS:
        raise ValidationError(f"The embedded AWS does not support {sorted(unsupported)[0]} (resource {name}).")
    if not isinstance(resource.get("Properties") or {}, dict):
        raise ValidationError(f"Template format error: [/Resources/{name}/Properties] must be an object")
    for key, allowed in (("DeletionPolicy", DELETION_POLICIES), ("UpdateReplacePolicy", REPLACE_POLICIES)):
        if key in resource and resource[key] not in allowed:
            raise ValidationError(f"Template format error: Unrecognized {key} {resource[key]} for resource {name}")


def _check_references(template: Template, node: Any, block: str) -> None:
    known = set(template.resources) | set(template.parameters) | PSEUDO_PARAMETERS
    lost = []
    for reference in references(node):
        if reference.attribute is None:
            if reference.name not in known:
                lost.append(reference.name)
        else:
            _check_attribute(template, reference)
    if lost:
        raise _unresolved(lost, block)
    for name in functions(node):
        if name not in FUNCTIONS:
            raise ValidationError(f"Template format error: Unsupported function {name} in the {block} block")
    for condition in _if_conditions(node):
        if condition not in template.conditions:
            raise ValidationError(
                f"Template validation error: Template error: unresolved condition dependency {condition} in Fn::If"
            )


def _check_attribute(template: Template, reference: Reference) -> None:
    if reference.name not in template.resources:
        raise ValidationError(f"Template error: instance of Fn::GetAtt references undefined resource {reference.name}")
    allowed = schema(template.resources[reference.name]["Type"]).attributes
    literal = reference.attribute is not None and "{" not in reference.attribute
    if literal and allowed is not None and reference.attribute not in allowed:
        raise ValidationError(
            f"Template error: resource {reference.name} does not support attribute type {reference.attribute} in"
            " Fn::GetAtt"
        )


def _check_condition_name(template: Template, name: str, part: dict[str, Any]) -> None:
    if "Condition" in part and part["Condition"] not in template.conditions:
        raise ValidationError(
            f"Template format error: Unresolved condition dependency {part['Condition']} in the definition of {name}"
        )


def _check_conditions(template: Template) -> None:
    uses = {}
    for name, condition in template.conditions.items():
        for reference in references(condition):
            if reference.name not in set(template.parameters) | PSEUDO_PARAMETERS or reference.attribute:
                raise ValidationError(
                    f"Template format error: Unresolved dependencies [{reference.name}]. Cannot reference resources in"
                    " the Conditions block of the template"
                )
        for used in functions(condition):
            if used not in set(FUNCTIONS) | CONDITION_FUNCTIONS:
                raise ValidationError(f"Template format error: Unsupported function {used} in the Conditions block")
        uses[name] = set(_conditions_in(condition))
        if lost := uses[name] - set(template.conditions):
            raise ValidationError(f"Template format error: Unresolved condition dependency {sorted(lost)[0]}")
    plan.order(uses)


def _check_outputs(template: Template) -> None:
    for name, output in template.outputs.items():
        if not isinstance(output, dict) or "Value" not in output:
            raise ValidationError(f"Template format error: Output {name} is malformed: it needs a Value.")
        if unknown := set(output) - {"Value", "Description", "Export", "Condition"}:
            raise ValidationError(f"Template format error: Output {name} is malformed: {sorted(unknown)[0]}.")
        _check_condition_name(template, name, output)
        _check_references(template, [output["Value"], output.get("Export")], "Outputs")


def _unresolved(names: list[str], block: str) -> ValidationError:
    listing = ", ".join(dict.fromkeys(names))
    return ValidationError(
        f"Template format error: Unresolved resource dependencies [{listing}] in the {block} block of the template"
    )


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for item in node.values():
            yield from _walk(item)
    elif isinstance(node, list):
        for item in node:
            yield from _walk(item)


def functions(node: Any) -> Iterator[str]:
    """Names of all functions in a part of a template, `Fn::` included."""
    for part in _walk(node):
        yield from (key for key in part if isinstance(key, str) and key.startswith("Fn::"))


def _if_conditions(node: Any) -> Iterator[str]:
    for part in _walk(node):
        if "Fn::If" in part:
            argument = part["Fn::If"]
            if not isinstance(argument, list) or len(argument) != 3:
                raise ValidationError("Template error: Fn::If requires a list argument with three elements")
            yield str(argument[0])


def _conditions_in(node: Any) -> Iterator[str]:
    return (part["Condition"] for part in _walk(node) if set(part) == {"Condition"})

"""How the API shows stacks, resources, parameters and templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_aws.cloudformation.parameters import SSM_VALUE, is_secret
from local_aws.cloudformation.stacks import Resource, Stack
from local_aws.cloudformation.template import Template
from local_aws.cloudformation.validation import capabilities

DRIFT = {"StackDriftStatus": "NOT_CHECKED"}


def stack(found: Stack) -> dict[str, Any]:
    """As DescribeStacks shows it."""
    with found.lock:
        shown = {
            **summary(found), "Description": found.template.description, "DisableRollback": False,
            "EnableTerminationProtection": found.protected, "Outputs": list(found.outputs),
            "NotificationARNs": found.options.get("NotificationARNs", []), "RoleARN": found.options.get("RoleARN"),
            "Parameters": parameters(found.template, found.parameters, found.resolved),
            "Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()],
        }  # fmt: skip
    return _some(shown)


def summary(found: Stack) -> dict[str, Any]:
    """As ListStacks shows it."""
    return _some({
        "StackId": found.id, "StackName": found.name, "CreationTime": found.created, "LastUpdatedTime": found.updated,
        "DeletionTime": found.deleted, "StackStatus": found.status, "StackStatusReason": found.reason,
        "DriftInformation": DRIFT,
    })  # fmt: skip


def parameters(template: Template, values: Mapping[str, str], resolved: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parameters of a stack; the values of NoEcho ones are hidden."""
    shown = []
    for name, value in values.items():
        declaration = template.parameters.get(name, {})
        parameter = {"ParameterKey": name, "ParameterValue": "****" if is_secret(declaration) else value}
        if SSM_VALUE.fullmatch(declaration.get("Type", "")) and name in resolved:
            found = resolved[name]
            parameter["ResolvedValue"] = ",".join(found) if isinstance(found, list) else found
        shown.append(parameter)
    return shown


def resource_summary(found: Resource) -> dict[str, Any]:
    """As ListStackResources shows it."""
    return _some({
        "LogicalResourceId": found.logical_id, "PhysicalResourceId": found.physical_id or None,
        "ResourceType": found.type, "LastUpdatedTimestamp": found.updated, "ResourceStatus": found.status,
        "ResourceStatusReason": found.reason, "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    })  # fmt: skip


def resource(owner: Stack, found: Resource) -> dict[str, Any]:
    """As DescribeStackResources shows it."""
    shown = resource_summary(found)
    shown["Timestamp"] = shown.pop("LastUpdatedTimestamp")
    return {**shown, "StackName": owner.name, "StackId": owner.id}


def resource_detail(owner: Stack, found: Resource) -> dict[str, Any]:
    """As DescribeStackResource shows it."""
    return {**resource_summary(found), "StackName": owner.name, "StackId": owner.id, "Metadata": "{}"}


def validated(template: Template) -> dict[str, Any]:
    """As ValidateTemplate shows it."""
    needed = capabilities(template)
    return _some({
        "Description": template.description, "Capabilities": needed,
        "CapabilitiesReason": "The following resource(s) require capabilities: IAM" if needed else None,
        "Parameters": [
            _some({
                "ParameterKey": name, "DefaultValue": _default(declaration), "NoEcho": is_secret(declaration),
                "Description": declaration.get("Description"),
            })
            for name, declaration in template.parameters.items()
        ],
    })  # fmt: skip


def template_summary(template: Template) -> dict[str, Any]:
    """As GetTemplateSummary shows it."""
    return _some({
        "Description": template.description, "Capabilities": capabilities(template), "Version": "2010-09-09",
        "ResourceTypes": sorted({definition["Type"] for definition in template.resources.values()}),
        "Parameters": [
            _some({
                "ParameterKey": name, "DefaultValue": _default(declaration), "NoEcho": is_secret(declaration),
                "Description": declaration.get("Description"), "ParameterType": declaration["Type"],
                "ParameterConstraints": _some({
                    "AllowedValues": [str(value) for value in declaration.get("AllowedValues", [])] or None,
                }),
            })
            for name, declaration in template.parameters.items()
        ],
    })  # fmt: skip


def _default(declaration: Mapping[str, Any]) -> str | None:
    return None if declaration.get("Default") is None else str(declaration["Default"])


def _some(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if value is not None}

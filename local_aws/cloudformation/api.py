"""CloudFormation's API: the actions, in place of moto's. Protocol, parsing and XML stay moto's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from botocore.session import get_session
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores

from local_aws.cloud import Cloud
from local_aws.cloudformation import shapes, template, validation
from local_aws.cloudformation.engine import Engine, Request
from local_aws.cloudformation.errors import CloudFormationError, ValidationError
from local_aws.cloudformation.parameters import Given
from local_aws.cloudformation.schema import schema
from local_aws.cloudformation.stacks import Region, Stack


class Call(Protocol):
    """A request as moto parsed it: the part of its `CloudFormationResponse` that is used here."""

    region: str

    def _get_param(self, param_name: str, if_none: Any = None) -> Any: ...

    def _get_stack_from_s3_url(self, template_url: str) -> str: ...


MINUTE = 60.0
"""Seconds; tests make it shorter."""

_ACTIONS: dict[str, Callable[[Engine, Call], Any]] = {}
_clients: list[Callable[[str, str, str], Any]] = []
_engine: list[Engine] = []


def install(cloud: Cloud) -> None:
    """Replace moto's CloudFormation. One a process; the last one counts."""
    _clients[:] = [cloud.client]
    reset()
    CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER = {}
    for operation in get_session().get_service_model("cloudformation").operation_names:
        name = camelcase_to_underscores(operation)
        setattr(CloudFormationResponse, name, _method(operation, _ACTIONS.get(name)))
    # Importing cfn-lint takes two seconds: not in the first CreateStack.
    threading.Thread(target=schema, args=("AWS::EC2::VPC",), name="schemas", daemon=True).start()


def reset() -> None:
    """Forget all stacks; what they made stays. For tests."""
    _engine[:] = [Engine(*_clients)]


def engine() -> Engine:
    """The engine that answers now."""
    return _engine[0]


def _method(operation: str, action: Callable[[Engine, Call], Any] | None) -> Callable[[Call], Any]:
    def method(call: Call) -> Any:
        if action is None:
            raise CloudFormationError(
                "UnsupportedOperation", f"The embedded AWS does not support CloudFormation's {operation}."
            )
        result = action(engine(), call)
        return EmptyResult() if result is None else ActionResult(result)

    return method


def _action(function: Callable[[Engine, Call], Any]) -> Callable[[Engine, Call], Any]:
    _ACTIONS[function.__name__] = function
    return function


def _get(call: Call, name: str, default: Any = None) -> Any:
    return call._get_param(name, default)


def _region(engine: Engine, call: Call) -> Region:
    return engine.region(call.region)


def _find(engine: Engine, call: Call, deleted: bool = False) -> Stack:
    return _region(engine, call).find(_get(call, "StackName"), deleted)


def _body(call: Call, previous: bool) -> str | None:
    body, url = _get(call, "TemplateBody"), _get(call, "TemplateURL")
    use_previous = bool(_get(call, "UsePreviousTemplate", False))
    if use_previous and (body or url):
        raise ValidationError("You cannot specify both usePreviousTemplate and Template Body/Template URL.")
    if body:
        template.check_body_size(body)
        return str(body)
    if url:
        return str(call._get_stack_from_s3_url(url))
    if use_previous and previous:
        return None
    raise ValidationError("Either Template URL or Template Body must be specified.")


def _request(call: Call, previous: bool) -> Request:
    tags = _get(call, "Tags")
    minutes = _get(call, "TimeoutInMinutes")
    on_failure = _get(call, "OnFailure") or _get(call, "OnStackFailure") or "ROLLBACK"
    if _get(call, "DisableRollback"):
        on_failure = "DO_NOTHING"
    options = {key: _get(call, key) for key in ("RoleARN", "NotificationARNs") if _get(call, key)}
    return Request(
        name=_get(call, "StackName"), body=_body(call, previous),
        parameters=Given.parse(_get(call, "Parameters") or []),
        tags=None if tags is None else {tag["Key"]: tag["Value"] for tag in tags},
        capabilities=_get(call, "Capabilities") or [], token=_get(call, "ClientRequestToken"), on_failure=on_failure,
        timeout=None if minutes is None else MINUTE * int(minutes),
        protected=bool(_get(call, "EnableTerminationProtection")), policy=_get(call, "StackPolicyBody"),
        options=options,
    )  # fmt: skip


@_action
def create_stack(engine: Engine, call: Call) -> Any:
    return {"StackId": engine.create(_region(engine, call), _request(call, previous=False)).id}


@_action
def update_stack(engine: Engine, call: Call) -> Any:
    return {"StackId": engine.update(_region(engine, call), _request(call, previous=True)).id}


@_action
def delete_stack(engine: Engine, call: Call) -> Any:
    try:
        stack = _find(engine, call)
    except ValidationError:
        return  # gone already: no error on AWS either
    engine.delete(
        _region(engine, call), stack, _get(call, "ClientRequestToken"), _get(call, "RetainResources") or [],
        force=_get(call, "DeletionMode") == "FORCE_DELETE_STACK",
    )  # fmt: skip


@_action
def cancel_update_stack(engine: Engine, call: Call) -> Any:
    engine.cancel_update(_region(engine, call), _get(call, "StackName"), _get(call, "ClientRequestToken"))


@_action
def continue_update_rollback(engine: Engine, call: Call) -> Any:
    engine.continue_rollback(
        _region(engine, call), _get(call, "StackName"), _get(call, "ResourcesToSkip") or [],
        _get(call, "ClientRequestToken"),
    )  # fmt: skip
    return {}


@_action
def rollback_stack(engine: Engine, call: Call) -> Any:
    stack = engine.rollback(_region(engine, call), _get(call, "StackName"), _get(call, "ClientRequestToken"))
    return {"StackId": stack.id}


@_action
def describe_stacks(engine: Engine, call: Call) -> Any:
    if _get(call, "StackName"):
        return {"Stacks": [shapes.stack(_find(engine, call, deleted=True))]}
    region = _region(engine, call)
    with region.lock:
        return {"Stacks": [shapes.stack(stack) for stack in region.stacks.values()]}


@_action
def list_stacks(engine: Engine, call: Call) -> Any:
    region, wanted = _region(engine, call), _get(call, "StackStatusFilter") or []
    with region.lock:
        stacks = [*region.stacks.values(), *region.deleted.values()]
    return {
        "StackSummaries": [shapes.summary(stack) for stack in stacks if not wanted or stack.status in wanted],
    }


@_action
def describe_stack_events(engine: Engine, call: Call) -> Any:
    stack = _find(engine, call, deleted=True)
    with stack.lock:
        return {"StackEvents": list(stack.events)}


@_action
def list_stack_resources(engine: Engine, call: Call) -> Any:
    stack = _find(engine, call, deleted=True)
    with stack.lock:
        resources = list(stack.resources.values())
    return {"StackResourceSummaries": [shapes.resource_summary(resource) for resource in resources]}


@_action
def describe_stack_resources(engine: Engine, call: Call) -> Any:
    region, physical = _region(engine, call), _get(call, "PhysicalResourceId")
    if _get(call, "StackName"):
        stack = _find(engine, call, deleted=True)
    else:
        with region.lock:
            owners = [
                stack
                for stack in region.stacks.values()
                if any(resource.physical_id == physical for resource in list(stack.resources.values()))
            ]
        if not owners:
            raise ValidationError(f"Stack for {physical} does not exist")
        stack, physical = owners[0], None
    logical = _get(call, "LogicalResourceId")
    with stack.lock:
        return {
            "StackResources": [
                shapes.resource(stack, resource)
                for resource in stack.resources.values()
                if logical in (None, resource.logical_id) and physical in (None, resource.physical_id)
            ]
        }


@_action
def describe_stack_resource(engine: Engine, call: Call) -> Any:
    stack, logical = _find(engine, call, deleted=True), _get(call, "LogicalResourceId")
    if logical not in stack.resources:
        raise ValidationError(f"Resource {logical} does not exist for stack {stack.name}")
    return {"StackResourceDetail": shapes.resource_detail(stack, stack.resources[logical])}


@_action
def get_template(engine: Engine, call: Call) -> Any:
    if _get(call, "ChangeSetName"):
        region = _region(engine, call)
        found = engine.find_change_set(region, _get(call, "ChangeSetName"), _get(call, "StackName"))
        return {"TemplateBody": found.wanted.template.body, "StagesAvailable": ["Original", "Processed"]}
    return {
        "TemplateBody": _find(engine, call, deleted=True).template.body,
        "StagesAvailable": ["Original", "Processed"],
    }


@_action
def get_template_summary(engine: Engine, call: Call) -> Any:
    if _get(call, "StackName"):
        return shapes.template_summary(_find(engine, call).template)
    parsed = template.parse(_body(call, previous=False) or "")
    validation.validate(parsed)
    return shapes.template_summary(parsed)


@_action
def validate_template(_engine: Engine, call: Call) -> Any:
    parsed = template.parse(_body(call, previous=False) or "")
    validation.validate(parsed)
    return shapes.validated(parsed)


@_action
def get_stack_policy(engine: Engine, call: Call) -> Any:
    policy = _find(engine, call).policy
    return {"StackPolicyBody": policy} if policy else {}


@_action
def set_stack_policy(engine: Engine, call: Call) -> Any:
    _find(engine, call).policy = _get(call, "StackPolicyBody")


@_action
def update_termination_protection(engine: Engine, call: Call) -> Any:
    stack = _find(engine, call)
    stack.protected = bool(_get(call, "EnableTerminationProtection"))
    return {"StackId": stack.id}


@_action
def list_exports(engine: Engine, call: Call) -> Any:
    exports = _region(engine, call).exports()
    return {
        "Exports": [
            {"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (stack, value) in exports.items()
        ]
    }


@_action
def list_imports(engine: Engine, call: Call) -> Any:
    name = _get(call, "ExportName")
    users = _region(engine, call).importers(name)
    if not users:
        raise ValidationError(f"Export '{name}' is not imported by any stack.")
    return {"Imports": users}


@_action
def create_change_set(engine: Engine, call: Call) -> Any:
    kind = _get(call, "ChangeSetType") or "UPDATE"
    if kind not in ("CREATE", "UPDATE"):
        raise CloudFormationError("UnsupportedOperation", f"The embedded AWS does not support change sets to {kind}.")
    found = engine.create_change_set(
        _region(engine, call), _request(call, previous=True), _get(call, "ChangeSetName"), kind,
        _get(call, "Description"),
    )  # fmt: skip
    return {"Id": found.id, "StackId": found.stack.id}


@_action
def describe_change_set(engine: Engine, call: Call) -> Any:
    found = engine.find_change_set(_region(engine, call), _get(call, "ChangeSetName"), _get(call, "StackName"))
    wanted = found.wanted
    shown = shapes.parameters(wanted.template, wanted.parameters, wanted.environment.parameters)
    return found.describe(shown, bool(_get(call, "IncludePropertyValues")))


@_action
def list_change_sets(engine: Engine, call: Call) -> Any:
    stack, region = _find(engine, call), _region(engine, call)
    with region.lock:
        return {"Summaries": [found.summary() for found in region.change_sets.values() if found.stack is stack]}


@_action
def delete_change_set(engine: Engine, call: Call) -> Any:
    region = _region(engine, call)
    try:
        found = engine.find_change_set(region, _get(call, "ChangeSetName"), _get(call, "StackName"))
    except CloudFormationError:
        return {}  # no error on AWS either, if the stack is there
    with region.lock:
        region.change_sets.pop(found.id, None)
    return {}


@_action
def execute_change_set(engine: Engine, call: Call) -> Any:
    region = _region(engine, call)
    found = engine.find_change_set(region, _get(call, "ChangeSetName"), _get(call, "StackName"))
    on_failure = "DO_NOTHING" if _get(call, "DisableRollback") else None
    engine.execute_change_set(region, found, _get(call, "ClientRequestToken"), on_failure)
    return {}

"""Calling a service with what a template says: the official service models do the translation.

CloudFormation writes `Encrypted: "true"`, `FilesystemId`, `PolicyDocument: {…}`; the APIs want a boolean,
`fileSystemId` and a JSON string. botocore carries the model of every operation, so the translation needs no tables of
our own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

if TYPE_CHECKING:
    from local_aws.cloudformation.handlers import Context

GONE = re.compile(r"NotFound|NoSuch|NotExist|Nonexistent|does not exist|not found|was not found", re.IGNORECASE)


class PropertyError(ValueError):
    """A property's value does not fit the API; the message names the property."""


def call(context: Context, service: str, operation: str, /, **parameters: Any) -> Any:
    """Call `operation` of `service`; parameters that are None are left out, the others are fitted to its model.

    Args:
        context: whose client is used.
        service: boto3's name of the service, for example `ec2`.
        operation: boto3's method, for example `create_vpc`.
        parameters: as the template has them.

    Raises:
        PropertyError: a value does not fit.
        botocore.exceptions.ClientError: the service refused.
    """
    client = context.client(service)
    model: OperationModel = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    given = {key: value for key, value in parameters.items() if value is not None}
    return getattr(client, operation)(**fit(model.input_shape, given, ""))


def fit(shape: Shape, value: Any, where: str) -> Any:
    """`value` as a botocore `shape` wants it: member names whatever their case, numbers and booleans out of strings,
    JSON where the API takes a document as a string. Keys of maps (labels, options) stay as they are.

    Raises:
        PropertyError: an unknown member, or a value of another kind.
    """
    if isinstance(shape, StructureShape):
        if getattr(shape, "is_document_type", False):
            return value
        if not isinstance(value, dict):
            raise PropertyError(f"Property {where} must be an object, not {value!r}")
        members = {name.lower(): name for name in shape.members}
        result = {}
        for key, item in value.items():
            if key.lower() not in members:
                raise PropertyError(f"Encountered unsupported property {_path(where, key)}")
            name = members[key.lower()]
            result[name] = fit(shape.members[name], item, _path(where, key))
        return result
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list) else [value]
        return [fit(shape.member, item, where) for item in items]
    if isinstance(shape, MapShape):
        if not isinstance(value, dict):
            raise PropertyError(f"Property {where} must be an object, not {value!r}")
        return {str(key): fit(shape.value, item, _path(where, str(key))) for key, item in value.items()}
    return _scalar(shape, value, where)


def boolean(value: Any) -> bool:
    """True for `true`, "true" and "True"; False for everything else, None included."""
    return str(value).lower() == "true"


def changed(old: dict[str, Any], new: dict[str, Any], *names: str) -> bool:
    """Whether any of the properties `names` differs."""
    return any(old.get(name) != new.get(name) for name in names)


def pick(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """The properties called `names` that are there."""
    return {name: properties[name] for name in names if name in properties}


def without(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    """All properties but those called `names`."""
    return {name: value for name, value in properties.items() if name not in names}


@contextmanager
def absent_is_fine() -> Iterator[None]:
    """Deleting what is gone already succeeds, as CloudFormation's handlers do on NotFound.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract.html
    """
    try:
        yield
    except ClientError as error:
        if not GONE.search(f"{error.response['Error'].get('Code')} {error.response['Error'].get('Message')}"):
            raise


def exists(context: Context, service: str, operation: str, /, **parameters: Any) -> bool:
    """Whether a describe or get call finds its object."""
    with absent_is_fine():
        call(context, service, operation, **parameters)
        return True
    return False


def _scalar(shape: Shape, value: Any, where: str) -> Any:
    kind = shape.type_name
    if isinstance(value, dict | list):
        if kind == "string":
            return json.dumps(value)
        raise PropertyError(f"Property {where} must be of type {kind}, not {value!r}")
    try:
        if kind in ("integer", "long"):
            return int(value)
        if kind in ("float", "double"):
            return float(value)
    except (TypeError, ValueError):
        raise PropertyError(f"Property {where} must be a number, not {value!r}") from None
    if kind == "boolean":
        return boolean(value)
    if kind == "string" and not isinstance(value, bytes):  # which botocore itself encodes
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _path(where: str, key: str) -> str:
    return f"{where}/{key}" if where else key

"""Functions: code that Lambda runs where a request of their HTTP API comes in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.runtimes import RUNTIMES
from plugins.plugin_utils.site.container import Environment, Secrets
from plugins.plugin_utils.site.kinds import Choice, Listed, Seconds, Size, Text
from plugins.plugin_utils.site.noun import LOG_GROUP, STACK, Grant, Identity, Noun
from plugins.plugin_utils.site.nouns.service import USES
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place, shown
from plugins.plugin_utils.site.reference import Attribute, Output, Reference, Stored
from plugins.plugin_utils.site.schema import Key, Schema

WHO = "Lambda"
TOLD = (
    "bucket",
    "table",
    "secret",
    "static",
)
"""What a function may be told of, and given rights to.

It stands outside the site's VPC, where it reaches no database and no service; and of two functions that were told of
each other neither could be made first.
"""
VARIABLE = r"[A-Za-z][A-Za-z0-9_]+"
"""https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html"""
RESERVED = dict.fromkeys(
    (
        "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    ),
    "Lambda sets it",
)  # fmt: skip
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
ENVIRONMENT_BYTES = 4096
"""All variables together; same page."""
METHODS = ("ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html"""
DEFAULT_ROUTE = "$default"
STEP = r"(?:[A-Za-z0-9._~!$&'()*,;=:@%-]+|\{[A-Za-z0-9._-]+\})"
ROUTE = re.compile(
    rf"(?:{'|'.join(METHODS)}) /(?:{STEP}(?:/{STEP})*(?:/\{{[A-Za-z0-9._-]+\+\}})?|\{{[A-Za-z0-9._-]+\+\}})?"
)


def route(value: Any, at: Place) -> str | None:
    """The kind of a route: method and path of an HTTP API, or `$default` for what no other one takes."""
    if isinstance(value, str) and (value == DEFAULT_ROUTE or ROUTE.fullmatch(value)):
        return str(value)
    at.wrong(
        f"is {shown(value)}, must be a method in capital letters and a path, for example GET /items/{{id}}, or "
        "ANY /{proxy+}, or $default for what no other route takes."
    )
    return None


SCHEMA = Schema(
    "a function",
    {
        "code": Key(
            Text("a folder beside the inventory or in the project", "functions/items"),
            "",
            "Name the folder with the code, beside the inventory or in the project: code: functions/items.",
        ),
        "handler": Key(
            Text("what Lambda calls", "app.handler", r"\S{1,128}"), "", "Name what Lambda calls: handler: app.handler."
        ),
        "runtime": Key(Choice(tuple(RUNTIMES)), "", "Say in what it runs: runtime: python3.13."),
        "mem_limit": Key(Size(128, 10240, WHO), 128),
        "timeout": Key(Seconds(1, 30, WHO), 3),
        "environment": Key(Environment(RESERVED, VARIABLE), {}),
        "secrets": Key(Secrets(VARIABLE), {}),
        "routes": Key(
            Listed(route, "GET /items/{id}", single=True, least=1),
            (),
            "Say which requests it answers: routes: ['GET /items/{id}'], or routes: $default for all.",
        ),
        "uses": Key(USES, {}),
        "patch": Key(patch, {}),
    },
    {
        "memory": "write mem_limit: 128m.",
        "memory_size": "write mem_limit: 128m.",
        "image": "Lambda gets its code as a folder: code: functions/items. What is an image is a service.",
        "zip": "write code: the folder, which is zipped as it stands.",
        "events": "write routes: ['GET /items/{id}'].",
        "route": "write routes: ['GET /items/{id}'].",
        "policy": "rights follow from references and uses: {table.items: [read, write]}.",
        "role": "rights follow from references and uses: {table.items: [read, write]}.",
        "architecture": "write patch: {Function.Architectures: [arm64]}.",
        "vpc": "a function stands outside the site's network. What needs a database is a service.",
        "schedule": "what runs on a schedule is a job: site_jobs.",
        "log_retention_days": "it is the site's: write it beside site_functions.",
    },
)


@dataclass(frozen=True)
class Function:
    """A function.

    Attributes:
        entry: its name in the site.
        code: folder with its code, as written.
        handler: what Lambda calls, `<file>.<name>`.
        runtime: of `RUNTIMES`.
        mem_limit: MiB; its share of a CPU grows with it.
        timeout: seconds. 30 at most, for which an HTTP API waits.
            https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
        environment: variable → text or reference.
        secrets: variable → secret, whose place (ARN, or name of a parameter) stands in it: Lambda resolves none.
        routes: `<method> <path>` of its HTTP API.
        uses: as written; once the site is read, (noun, entry) → rights.
        patch: see patch.py.
    """

    entry: str
    code: str
    handler: str
    runtime: str
    mem_limit: int
    timeout: int
    environment: dict[str, str | Reference]
    secrets: dict[str, Stored | Reference]
    routes: tuple[str, ...]
    uses: dict[Any, tuple[str, ...]]
    patch: dict[str, Any] = field(default_factory=dict)


def route_id(key: str) -> str:
    """What a route is called in the stack's template: always alike, whatever stands beside it in whatever order."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def check(entry: Function, given: Mapping[Any, Any], at: Place) -> None:
    """What API Gateway and Lambda refuse of all the routes and variables."""
    del given
    for place, each in enumerate(entry.routes):
        if each in entry.routes[:place]:
            (at / "routes").wrong(f"has {each} twice. Leave it once.")
    for name in sorted(entry.environment.keys() & entry.secrets.keys()):
        (at / "environment" / name).wrong(f"sets {name}, and so does secrets. Leave it in one of them.")
    texts = {name: value for name, value in entry.environment.items() if isinstance(value, str)}
    size = sum(len(f"{name}{value}".encode()) for name, value in texts.items())
    if size > ENVIRONMENT_BYTES:
        (at / "environment").wrong(
            f"has {size} bytes, and Lambda takes {ENVIRONMENT_BYTES}. Put what is long into a file of its code."
        )


def attributes(entry: Function, identity: Identity) -> dict[str, Attribute]:
    """What a function can be asked for: the address of its HTTP API, and its ARN."""
    del entry, identity
    return {"url": Attribute(Output("Url")), "arn": Attribute(Output("FunctionArn"))}


NOUN = Noun(
    "function",
    "site_functions",
    SCHEMA,
    Function,
    check,
    attributes,
    grants={"invoke": (Grant(("lambda:InvokeFunction",)),)},
    arn=lambda _: Output("FunctionArn"),
    names=(STACK, LOG_GROUP),
)

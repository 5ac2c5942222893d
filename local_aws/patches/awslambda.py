"""Lambda: a call runs the function where `runner` says, and never in what moto would pull from a public registry.

moto also forgets where a function logs.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import LambdaFunction, lambda_backends

from local_aws.config import ACCOUNT_ID, REGION
from local_aws.functions.environments import NotRunError, Outcome, Settings, ThrottledError
from local_aws.patches._moto import AwsError, around, instead

LOGGING = "LoggingConfig"
TAIL = 4096
"""Bytes of the log that a call with LogType Tail shows."""

Runner = Callable[[Settings, bytes], Outcome]
runner: Runner | None = None
"""Runs a function, or raises a NotRunError; the part `functions` sets it."""


def functions() -> dict[str, Settings]:
    """All functions as they are now, by their names."""
    return {each.function_name: _settings(each) for each in lambda_backends[ACCOUNT_ID][REGION].list_functions()}


def code(name: str) -> bytes:
    """A function's zip, as it was in its bucket when the function got it.

    Raises:
        moto.core.exceptions.ServiceException: there is no such function.
    """
    return bytes(lambda_backends[ACCOUNT_ID][REGION].get_function(name).code_bytes)


def run(function: Settings, event: bytes) -> Outcome:
    """Run a function once.

    Raises:
        NotRunError: it was not run.
    """
    if runner is None:
        raise NotRunError("This embedded AWS runs no functions: it was started without that part.")
    return runner(function, event)


@instead(LambdaFunction, "invoke")
def _invoke(self: Any, body: Any, request_headers: Any, response_headers: dict[str, str]) -> bytes:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
    kind = request_headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "DryRun":
        return b""
    if kind != "RequestResponse":
        raise AwsError("InvalidParameterValueException", f"The embedded AWS has no calls of InvocationType {kind}.")
    event = body.encode() if isinstance(body, str) else body
    try:
        outcome = run(_settings(self), event or b"{}")
    except ThrottledError as error:
        raise AwsError("TooManyRequestsException", str(error)) from error
    except NotRunError as error:
        raise AwsError("ServiceException", str(error)) from error
    if outcome.error:
        response_headers["x-amz-function-error"] = "Unhandled"
    tail = "\n".join(line for _, line in outcome.log).encode()[-TAIL:]
    response_headers["x-amz-log-result"] = base64.b64encode(tail).decode()
    return outcome.payload


@instead(LambdaFunction, "_invoke_lambda")
def _run(self: Any, event: str | None = None) -> tuple[str, bool, str]:
    """Where all other ways to a function end in moto: event sources, messages, log subscriptions."""
    del event
    raise AwsError(
        "ServiceException", f"The embedded AWS runs functions when they are called only: {self.function_name}"
    )


@around(LambdaFunction, "__init__")
def _made(make: Any, self: Any, account_id: str, spec: dict[str, Any], *more: Any, **named: Any) -> None:
    self.logging = spec.get(LOGGING) or {}
    make(self, account_id, spec, *more, **named)


@around(LambdaFunction, "update_configuration")
def _changed(change: Any, self: Any, config_updates: dict[str, Any]) -> Any:
    self.logging = config_updates.get(LOGGING, self.logging)
    return change(self, config_updates)


@around(LambdaFunction, "get_configuration")
def _described(describe: Any, self: Any, on_create: bool = False) -> dict[str, Any]:
    return {**describe(self, on_create), LOGGING: self.logging}


def _settings(function: Any) -> Settings:
    return Settings(
        name=function.function_name,
        arn=function.function_arn,
        handler=function.handler or "",
        runtime=function.run_time or "",
        role=function.role,
        memory=int(function.memory_size),
        timeout=int(function.timeout),
        variables=tuple(sorted((str(name), str(value)) for name, value in function.environment_vars.items())),
        log_group=function.logging.get("LogGroup") or f"/aws/lambda/{function.function_name}",
        code_digest=function.code_sha_256,
    )

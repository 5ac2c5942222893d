"""Lambda: functions are recorded, and none is run. moto would pull an image and start a container for each call.

moto also forgets where a function logs.
"""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import LambdaFunction

from local_aws.patches._moto import AwsError, around, instead

LOGGING = "LoggingConfig"


@instead(LambdaFunction, "_invoke_lambda")
def _run(self: Any, event: str | None = None) -> tuple[str, bool, str]:
    """Where all ways to a function end in moto: calls, event sources, messages."""
    del event
    raise AwsError("ServiceException", f"The embedded AWS records functions and runs none: {self.function_name}")


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

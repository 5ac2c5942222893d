"""The runtime of a function in Python: it imports the handler, and calls it for each event of Lambda's Runtime API.

It runs in the function's own process, started by `environment`, and behaves as AWS's runtime interface client for
Python does: https://github.com/aws/aws-lambda-python-runtime-interface-client
"""

from __future__ import annotations

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Handler = Callable[[Any, "Context"], Any]

RUNTIME_API = "/2018-06-01/runtime"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""
LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"


class Fault(Exception):
    """What is wrong with the handler or its answer, in Lambda's words.

    Args:
        kind: the errorType, for example `Runtime.ImportModuleError`.
        message: the errorMessage.
        trace: the stackTrace.
    """

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind, self.trace = kind, trace or []


class Context:
    """The second argument of a handler.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    client_context = None
    identity = None

    def __init__(self, request_id: str, arn: str, deadline: int) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended."""
        return max(0, self._deadline - int(time.time() * 1000))


class Log(logging.Handler):
    """What the handler logs, as Lambda's own logging has it: one line, with the request's id."""

    request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; the lines of one message are kept together."""
        record.__dict__["aws_request_id"] = self.request_id
        print(self.format(record).replace("\n", "\r"), flush=True)


def main() -> None:
    """Import the handler, then answer events until the process is ended."""
    # Where memory is short, the kernel is to end this process rather than the one that reports it.
    Path("/proc/self/oom_score_adj").write_text("1000")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper, until somebody replaces it
    log = Log()
    logging.Formatter.converter = time.gmtime
    log.setFormatter(logging.Formatter(LOG_FORMAT, TIME_FORMAT))
    logging.getLogger().addHandler(log)
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = find(os.environ["_HANDLER"])
    except BaseException as error:
        failed(api, "init", error, "")
        sys.exit(1)
    while True:
        log.request_id = ""
        headers, event = call(api, "GET", "invocation/next")
        log.request_id = request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        arn, deadline = headers["Lambda-Runtime-Invoked-Function-Arn"], headers["Lambda-Runtime-Deadline-Ms"]
        try:
            answer = marshal(handler(json.loads(event), Context(request_id, arn, int(deadline))))
        except Exception as error:
            failed(api, f"invocation/{request_id}", error, request_id)
        else:
            sys.stdout.flush()
            call(api, "POST", f"invocation/{request_id}/response", answer)


def find(name: str) -> Handler:
    """The function that `name` means, `<module>.<function>`; folders before the module are parted by slashes or dots.

    Raises:
        Fault: there is none.
    """
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    module, dot, function = name.rpartition(".")
    if not dot:
        message = f"Bad handler '{name}': not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", message)
    try:
        found: Handler | None = getattr(importlib.import_module(module.replace("/", ".")), function, None)
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        where = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}", [where]) from error
    if found is None:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'")
    return found


def marshal(answer: Any) -> bytes:
    """A handler's answer as JSON.

    Raises:
        Fault: it is none.
    """
    if isinstance(answer, bytes):
        return answer
    try:
        return json.dumps(answer, default=number).encode()
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def number(value: Any) -> int | float:
    """A Decimal as a number: what DynamoDB gives may be answered as it is."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def failed(api: http.client.HTTPConnection, what: str, error: BaseException, request_id: str) -> None:
    """Log an error and report it."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        kind = type(error).__name__
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        trace = traceback.format_list([frame for frame in frames if not frame.filename.startswith("<frozen importlib")])
    lines = "\n".join([f"[ERROR] {kind}: {error}", "Traceback (most recent call last):", *trace])
    print("\r".join(lines.splitlines()), flush=True)
    described = {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}
    call(api, "POST", f"{what}/error", json.dumps(described).encode(), {"Lambda-Runtime-Function-Error-Type": kind})


def call(
    api: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[http.client.HTTPMessage, bytes]:
    """Headers and body of what the Runtime API answers."""
    api.request(method, f"{RUNTIME_API}/{path}", body, headers or {})
    answer = api.getresponse()
    return answer.headers, answer.read()


if __name__ == "__main__":
    main()

"""Functions run: the image's own files, as processes of this machine; what needs a container is not here."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from local_aws.tests.function_support import ARN, REQUEST_ID, running


def error(payload: bytes) -> tuple[str, str]:
    """Type and message."""
    described = json.loads(payload)
    return described["errorType"], described["errorMessage"]


def test_a_function_starts_cold_stays_warm_and_its_log_is_lambda_s(tmp_path: Path) -> None:
    code = """
        import logging
        calls = []
        print("imported")
        def handler(event, context):
            calls.append(event["n"])
            print("called", event["n"])
            logging.getLogger().warning("two\\nlines")
            print("no end", end="")
            return {"calls": calls}
    """
    with running(tmp_path, code) as function:
        assert json.loads(function.answer('{"n": 1}')) == {"calls": [1]}
        cold, function.log[:] = list(function.log), []
        assert json.loads(function.answer('{"n": 2}')) == {"calls": [1, 2]}, "the same process"
        warm = function.log
    assert cold[0].startswith("INIT_START Runtime Version: python3.13 (Python 3.")
    assert cold[1:4] == ["imported", f"START RequestId: {REQUEST_ID} Version: $LATEST", "called 1"]
    assert re.fullmatch(rf"\[WARNING\]\t[\d-]+T[\d:]+\.\d{{3}}Z\t{REQUEST_ID}\ttwo\nlines", cold[4])
    assert cold[5:7] == ["no end", f"END RequestId: {REQUEST_ID}"]
    numbers = r"Duration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: [1-9]\d* MB"
    assert re.fullmatch(rf"REPORT RequestId: {REQUEST_ID}\t{numbers}\tInit Duration: [\d.]+ ms", cold[7])
    assert re.fullmatch(rf"REPORT RequestId: {REQUEST_ID}\t{numbers}", warm[-1])
    assert warm[0].startswith("START")


def test_a_function_sees_what_lambda_gives_it(tmp_path: Path) -> None:
    code = """
        import os, sys
        def handler(event, context):
            return {
                "variables": {name: os.environ[name] for name in event},
                "context": [context.function_name, context.memory_limit_in_mb, context.aws_request_id,
                            context.invoked_function_arn, context.log_group_name, context.log_stream_name],
                "left": context.get_remaining_time_in_millis(),
                "folder": os.getcwd(),
                "home": os.environ.get("HOME"),
                "module": sys.modules["app"].__file__,
            }
    """
    wanted = {
        "LEVEL": "debug",
        "_HANDLER": "app.handler",
        "AWS_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": "shop",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_ACCESS_KEY_ID": "ASIA-OF-THE-ROLE",
        "AWS_CA_BUNDLE": "/run/local-aws/ca.pem",
        "_X_AMZN_TRACE_ID": "Root=1-0-0",
        "TZ": ":UTC",
    }
    with running(tmp_path, code, memory=256, timeout=20, variables=(("LEVEL", "debug"),)) as function:
        seen: dict[str, Any] = json.loads(function.answer(json.dumps(list(wanted))))
    assert seen["variables"] == wanted
    assert seen["context"] == ["shop", "256", REQUEST_ID, ARN, "/shop/function", "2026/11/26/[$LATEST]0123"]
    assert 10_000 < seen["left"] <= 20_000
    assert (seen["folder"], seen["home"]) == (str(tmp_path), None)
    assert seen["module"] == str(tmp_path / "app.py")


def test_an_error_is_described_and_logged_and_the_function_goes_on(tmp_path: Path) -> None:
    code = """
        def handler(event, context):
            if event:
                raise ValueError("no such item")
            return "fine"
    """
    with running(tmp_path, code) as function:
        outcome = function.invoke('{"a": 1}')
        assert function.answer() == '"fine"'
        log = function.log
    described = json.loads(outcome.payload)
    assert outcome.error == "ValueError"
    assert (described["errorType"], described["errorMessage"]) == ("ValueError", "no such item")
    assert described["requestId"] == REQUEST_ID
    (frame,) = described["stackTrace"]
    assert f'{tmp_path}/app.py", line 4, in handler' in frame
    logged = next(line for line in log if line.startswith("[ERROR]"))
    assert logged.startswith("[ERROR] ValueError: no such item\nTraceback (most recent call last):\n  File")
    assert "Status" not in "".join(log), "an error of the handler is no error of the runtime"


@pytest.mark.parametrize(
    ("code", "handler", "said"),
    [
        ("import nothing_of_that_name", "app.handler",
         ("Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nothing_of_that_name'")),
        ("def other(): ...", "app.handler",
         ("Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'")),
        ("def handler(:", "app.handler",
         ("Runtime.UserCodeSyntaxError", "Syntax error in module 'app': invalid syntax (app.py, line 1)")),
        ("", "handler", ("Runtime.MalformedHandlerName",
                         "Bad handler 'handler': not enough values to unpack (expected 2, got 1)")),
        ("1 / 0", "app.handler", ("ZeroDivisionError", "division by zero")),
    ],
    ids=["import", "missing", "syntax", "malformed", "raises"],
)  # fmt: skip
def test_a_function_that_cannot_be_imported_says_why(
    tmp_path: Path, code: str, handler: str, said: tuple[str, str]
) -> None:
    with running(tmp_path, code, handler=handler, timeout=20) as function:
        outcome = function.invoke()
        log = function.log
    assert (outcome.error, error(outcome.payload)) == (said[0], said)
    (report,) = [line for line in log if line.startswith("INIT_REPORT")]
    assert report.endswith(f"Phase: init\tStatus: error\tError Type: {said[0]}")
    assert log[-1].endswith(f"Status: error\tError Type: {said[0]}")
    assert sum(line.startswith(f"[ERROR] {said[0]}") for line in log) == 2, "at its init phase, and again at the call"


def test_what_takes_too_long_is_ended_and_the_next_call_starts_anew(tmp_path: Path) -> None:
    code = """
        import time
        started = []
        def handler(event, context):
            started.append(1)
            if event:
                print("waiting")
                time.sleep(60)
            return len(started)
    """
    with running(tmp_path, code, timeout=3) as function:
        assert function.answer() == "1"
        began = time.monotonic()
        outcome = function.invoke('{"a": 1}')
        assert time.monotonic() - began < 30
        timed_out, function.log[:] = list(function.log), []
        while (after := function.invoke()).error == "Sandbox.Timedout":
            pass  # on a machine that is busy the start takes longer
    assert outcome.error == "Sandbox.Timedout"
    said = "Task timed out after 3.00 seconds"
    assert error(outcome.payload) == ("Sandbox.Timedout", f"RequestId: {REQUEST_ID} Error: {said}")
    assert "waiting" in timed_out
    assert re.fullmatch(rf"[\d-]+T[\d:.]+Z {REQUEST_ID} {said}", timed_out[-3])
    assert timed_out[-1].endswith("Status: timeout")
    assert after.payload == b"1", "a new process"


def test_what_ends_itself_is_an_error_and_the_next_call_starts_anew(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        def handler(event, context):
            match event.get("how"):
                case "exit": sys.exit(3)
                case "zero": sys.exit(0)
                case "kill": os.kill(os.getpid(), signal.SIGKILL)
            return os.getpid()
    """
    with running(tmp_path, code, timeout=20) as function:
        first = function.answer()
        for how, said in (
            ("exit", "Runtime exited with error: exit status 3"),
            ("zero", "Runtime exited without providing a reason"),
            ("kill", "Runtime exited with error: signal: killed"),
        ):
            outcome = function.invoke(json.dumps({"how": how}))
            assert error(outcome.payload) == ("Runtime.ExitError", f"RequestId: {REQUEST_ID} Error: {said}")
            assert outcome.error == "Runtime.ExitError"
            assert f"RequestId: {REQUEST_ID} Error: {said}\nRuntime.ExitError" in function.log
            assert function.log[-1].endswith("Status: error\tError Type: Runtime.ExitError")
        assert function.answer() != first


def test_between_two_calls_a_function_is_frozen(tmp_path: Path) -> None:
    code = """
        import threading, time
        ticks = []
        def tick():
            while True:
                time.sleep(0.05)
                ticks.append(1)
        threading.Thread(target=tick, daemon=True).start()
        def handler(event, context):
            if event:
                time.sleep(0.5)
            return len(ticks)
    """
    with running(tmp_path, code, timeout=20) as function:
        before = int(function.answer('{"a": 1}'))
        assert before > 3, "while a call lasts, its threads run"
        time.sleep(1)
        assert int(function.answer()) - before < 5


def test_an_answer_that_is_no_json_is_an_error_and_a_decimal_is_a_number(tmp_path: Path) -> None:
    code = """
        import decimal
        def handler(event, context):
            return {1, 2} if event else [decimal.Decimal("3"), decimal.Decimal("2.5")]
    """
    with running(tmp_path, code, timeout=20) as function:
        assert function.answer() == "[3, 2.5]"
        said = "Unable to marshal response: Object of type set is not JSON serializable"
        assert error(function.invoke('{"a": 1}').payload) == ("Runtime.MarshalError", said)


def test_a_handler_in_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "items.py").write_text("def get(event, context): return 'there'\n", encoding="utf-8")
    with running(tmp_path, "", handler="api/items.get", timeout=20) as function:
        assert function.answer() == '"there"'

"""A recording of what was said to AWS and what it answered, and what one differs from another in.

A recording is a file of JSON lines, one a call: verb, service, operation, the shapes of request and answer, the states
in it, or the code of an error. Several processes write into it at once, each line in one go.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from scripts.acceptance.shapes import shape

Summary = dict[str, dict[str, Any]]
"""`<service> <Operation>` → what all its calls had: request and answer (sorted paths), states (path → values in the
order in which they came first), errors (sorted codes), verbs (sorted names)."""


def heard(path: Path, verb: str, model: Any, arguments: Any, call: Callable[[], Any]) -> Any:
    """Call AWS, and write down how.

    Args:
        path: the recording.
        verb: what is run.
        model: botocore's model of the operation.
        arguments: the parameters.
        call: does it.

    Returns:
        What AWS answered.

    Raises:
        botocore.exceptions.ClientError: it refused, which is written down, too.
    """
    request, _ = shape(arguments, model.input_shape)
    line: dict[str, Any] = {
        "verb": verb, "service": model.service_model.service_name, "operation": model.name, "request": request,
    }  # fmt: skip
    try:
        answer = call()
    except ClientError as error:
        line["error"] = str(error.response.get("Error", {}).get("Code", ""))
        raise
    else:
        line["answer"], line["states"] = shape(answer, model.output_shape)
        return answer
    finally:
        _append(path, json.dumps(line, separators=(",", ":")))


def _append(path: Path, line: str) -> None:
    """Write a line of any length in one go, as others write into the same file."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode() + b"\n")
    finally:
        os.close(handle)


def summary(lines: Iterable[str]) -> Summary:
    """A recording in short, so that two of them can be laid side by side.

    Args:
        lines: of a recording.

    Raises:
        ValueError: a line is none of a recording.
    """
    made: dict[str, dict[str, Any]] = {}
    for line in lines:
        call = json.loads(line)
        one = made.setdefault(
            f"{call['service']} {call['operation']}",
            {"request": set(), "answer": set(), "states": {}, "errors": set(), "verbs": set()},
        )
        one["verbs"].add(call["verb"])
        one["request"].update(call["request"])
        one["answer"].update(call.get("answer", []))
        if "error" in call:
            one["errors"].add(call["error"])
        for path, values in call.get("states", {}).items():
            known = one["states"].setdefault(path, [])
            known += [value for value in dict.fromkeys(values) if value not in known]
    return {name: {key: _plain(part) for key, part in one.items()} for name, one in sorted(made.items())}


def _plain(part: Any) -> Any:
    return sorted(part) if isinstance(part, set) else dict(sorted(part.items()))


def differences(expected: Mapping[str, Any], seen: Mapping[str, Any], of: str, other: str) -> Iterator[str]:
    """What two recordings of the same verbs differ in, a sentence each.

    Args:
        expected: the summary of one, called `of`.
        seen: the summary of the other, called `other`.
    """
    for name in sorted(expected.keys() | seen.keys()):
        if name not in seen or name not in expected:
            yield f"{name}: called on {of if name in expected else other} alone"
            continue
        one, another = expected[name], seen[name]
        for key, what in (("request", "asked with"), ("answer", "answers"), ("errors", "refuses with")):
            for only, where in ((set(one[key]) - set(another[key]), of), (set(another[key]) - set(one[key]), other)):
                if only:
                    yield f"{name}: {where} alone {what} {', '.join(sorted(only))}"
        yield from _states(name, one["states"], another["states"], of, other)


def _states(
    name: str, one: Mapping[str, list[str]], another: Mapping[str, list[str]], of: str, other: str
) -> Iterator[str]:
    for path in sorted(one.keys() & another.keys()):
        if one[path] != another[path]:
            yield f"{name}: {path} becomes {' → '.join(one[path])} on {of}, and {' → '.join(another[path])} on {other}"

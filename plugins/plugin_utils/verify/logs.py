"""The log groups: one takes an event. Its stream is made for that, and goes again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding
from plugins.plugin_utils.verify.subjects import Task

WHAT = "takes an event"


def check(logs: Any, task: Task, run: str, check_mode: bool = False) -> Iterator[Finding]:
    """Put one event into a stream of its own, and delete the stream.

    Args:
        logs: client.
        task: whose log group it is.
        run: last part of the stream's name.
        check_mode: whether nothing may be changed.

    Raises:
        ClientError: a right is missing.
    """
    if check_mode:
        yield Finding("log", task.key, WHAT, NOT_ASKED, "a check run puts no event anywhere")
        return
    stream = {"logGroupName": task.log_group, "logStreamName": f"verify/{run}"}
    try:
        logs.create_log_stream(**stream)
    except logs.exceptions.ResourceNotFoundException:
        yield missing(task)
        return
    try:
        event = {"timestamp": int(time.time() * 1000), "message": "verify: this event is deleted again"}
        yield judge(task, logs.put_log_events(**stream, logEvents=[event]).get("rejectedLogEventsInfo", {}))
    finally:
        with contextlib.suppress(BotoCoreError, ClientError):  # it expires by itself then
            logs.delete_log_stream(**stream)


def missing(task: Task) -> Finding:
    """The finding where there is no group."""
    if not task.up:
        return Finding("log", task.key, WHAT, NOT_ASKED, f"it is not up yet; {verb('site.yml')} makes its log group")
    why = f"there is no log group {task.log_group}, so no container of it starts. Type: {verb('site.yml')}"
    return Finding("log", task.key, WHAT, WRONG, why)


def judge(task: Task, rejected: dict[str, Any]) -> Finding:
    """The finding of PutLogEvents' answer; an event of now is refused by a clock that is wrong."""
    if rejected:
        why = (
            f"{task.log_group} refuses an event of now ({', '.join(sorted(rejected))}): is this machine's clock right?"
        )
        return Finding("log", task.key, WHAT, WRONG, why)
    return Finding("log", task.key, WHAT, OK, task.log_group)

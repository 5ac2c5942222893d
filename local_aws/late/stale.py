"""Reads that show the state of before: that of before a write, that of some seconds ago, or "not there yet".

Before a write is let through, the reads of its service that were asked lately are asked once more: that is what they
may go on to show for a while. What a write has made is not there yet for a while, for reads that never asked before.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local_aws.late.calls import Answer, Application, Call
from local_aws.late.chance import Draw, Settings
from local_aws.late.errors import error

CONSISTENT = frozenset({"s3", "sts"})
"""Services that promise to show a write at once (https://aws.amazon.com/s3/consistency/), or have nothing to show."""
CURRENT = frozenset({"route53:ListResourceRecordSets"})
"""Reads that promise the same, of a service that does not: "the most current version of the records".

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
"""
REMEMBERED = 40
"""How many reads of a service are asked again before a write."""
MAKES = re.compile(r"(?:Create|Run|Start|Register|Request|Import)(\w+)")
ABSENT = re.compile(r"NotFound|NoSuch|DoesNotExist|NotExist")
UNMODELLED = {"cloudformation": ("ValidationError", "Stack with id {name} does not exist", 400)}
"""How a service says that a thing is not there, where its model does not."""


@dataclass
class Asked:
    """One read, as it was asked before.

    Attributes:
        call: to ask it again.
        truths: when it was asked, and what was true then.
        before: the truth right before the last write.
    """

    call: Call
    truths: deque[tuple[float, Answer]] = field(default_factory=lambda: deque(maxlen=20))
    before: Answer | None = None


@dataclass
class Write:
    """The last write of a service: until when its reads may be stale."""

    until: float = 0.0
    made: dict[str, float] = field(default_factory=dict)
    """Names of what was made → until when they may not be there yet."""


class Stale:
    """What was true before."""

    def __init__(self, settings: Settings, application: Application, clock: Callable[[], float]) -> None:
        self._settings, self._application, self._clock = settings, application, clock
        self._asked: OrderedDict[str, Asked] = OrderedDict()
        self._writes: dict[tuple[str, str], Write] = {}
        self._lock = threading.Lock()

    def read(self, call: Call, draw: Draw) -> tuple[Answer, bool]:
        """The answer to a read, and whether it is an old one."""
        truth, now = call.send(self._application), self._clock()
        if call.service in CONSISTENT or call.name in CURRENT:
            return truth, False
        with self._lock:
            asked = self._asked.setdefault(call.key, Asked(call))
            self._asked.move_to_end(call.key)
            while len(self._asked) > 500:
                self._asked.popitem(last=False)
            write = self._writes.get((call.service, call.region), Write())
            old = self._old(asked, write, draw, now)
            asked.truths.append((now, truth))
            made = [name for name, until in write.made.items() if until > now] if draw.stale else []
        if old is not None:
            return old, old.body != truth.body
        hidden = _without(call, truth, made) if made else None
        return (hidden, True) if hidden else (truth, False)

    def _old(self, asked: Asked, write: Write, draw: Draw, now: float) -> Answer | None:
        if draw.stale and write.until > now and asked.before:
            return asked.before
        if not draw.lag:
            return None
        seen = [truth for at, truth in asked.truths if now - self._settings.stale_seconds <= at <= now - draw.lag]
        return seen[-1] if seen else None

    def write(self, call: Call, draw: Draw) -> Answer:
        """Do a write; what was true before is kept first."""
        if call.service in CONSISTENT:
            return call.send(self._application)
        with self._lock:
            same = [
                each
                for each in self._asked.values()
                if (each.call.service, each.call.region) == (call.service, call.region)
            ]
        for asked in same[:-REMEMBERED]:
            asked.before = None  # what it has is of an earlier write, which may be long past
        for asked in same[-REMEMBERED:]:
            asked.before = asked.call.send(self._application)
        answer = call.send(self._application)
        now = self._clock()
        if answer.ok:
            with self._lock:
                write = self._writes.setdefault((call.service, call.region), Write())
                write.until = now + draw.window
                write.made = {name: until for name, until in write.made.items() if until > now}
                write.made |= dict.fromkeys(_made(call, answer), now + draw.window)
        return answer


def _made(call: Call, answer: Answer) -> set[str]:
    """Names and ARNs of what a write has made: `taskArn` of RunTask, `StackId` of CreateStack, `Arn` of a role."""
    noun = MAKES.fullmatch(call.operation.name)
    if not noun or not call.operation.output_shape:
        return set()
    named = set[str]()
    for key, value in _strings(call.read(answer)):
        what = re.fullmatch(r"(\w*?)(Arn|Id|Name)", key[:1].upper() + key[1:])
        if what and (noun[1].endswith(what[1]) if what[1] else what[2] != "Name"):
            named.add(value)
    return named


def _strings(data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and value:
                yield key, value
            else:
                yield from _strings(value)
    elif isinstance(data, list):
        for each in data:
            yield from _strings(each)


def _without(call: Call, truth: Answer, made: list[str]) -> Answer | None:
    """A truth without what was made just now; None if it shows nothing of that."""
    if not truth.ok or not call.operation.output_shape:
        return None
    shown, hidden = call.read(truth), set[str]()
    asked_for = _mentioned(call.parameters, made)
    for key, value in shown.items():
        if isinstance(value, list):
            kept = [each for each in value if not _mentioned(each, made)]
            hidden |= {name for each in value if each not in kept for name in _mentioned(each, made)}
            shown[key] = kept
    members = call.operation.output_shape.members
    if asked_for and "failures" not in members:
        return _absent(call, sorted(asked_for)[0])
    if not hidden:
        return None
    if "failures" in members:
        shown["failures"] = [
            *shown.get("failures", []),
            *({"arn": name, "reason": "MISSING"} for name in sorted(asked_for)),
        ]
    return call.write(shown)


def _mentioned(data: Any, names: list[str]) -> set[str]:
    text = json.dumps(data, default=str)
    return {name for name in names if name in text}


def _absent(call: Call, name: str) -> Answer | None:
    """The error of a thing that is not there, as the operation's model or the service has it."""
    for shape in call.operation.error_shapes:
        if ABSENT.search(shape.name):
            status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
            return error(call, shape.error_code, f"{name} is not there.", status)
    if call.service in UNMODELLED:
        code, message, status = UNMODELLED[call.service]
        return error(call, code, message.format(name=name), status)
    return None

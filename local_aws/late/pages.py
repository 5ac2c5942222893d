"""Answers cut into pages wherever an operation can be paged, so that a caller who takes one page is caught.

Only paginators with one plain token: those that go on from the last item's own name (Route 53's record sets) cannot be
cut without knowing the service.
"""

from __future__ import annotations

import copy
import functools
import math
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session

from local_aws.late.calls import Answer, Call
from local_aws.late.chance import Draw

KEPT = 2000
"""How many cut answers are remembered; AWS's tokens do not live for ever either."""


@dataclass(frozen=True)
class Paginator:
    """How an operation is paged: the names of its tokens, its lists, and its flag that there is more."""

    asks: str
    tells: str
    lists: tuple[str, ...]
    more: str


@functools.cache
def paginator(service: str, operation: str) -> Paginator | None:
    """botocore's paginator of an operation, if it has one with one plain token."""
    session = botocore.session.get_session()
    model = session.get_service_model(service).operation_model(operation)
    members = model.output_shape.members if model.output_shape else {}
    try:
        found = session.get_paginator_model(service).get_paginator(operation)
    except (ValueError, botocore.exceptions.BotoCoreError):
        return _unlisted(model.input_shape.members if model.input_shape else {}, members)
    asks, tells = _one(found["input_token"]), _one(found["output_token"])
    lists = found["result_key"] if isinstance(found["result_key"], list) else [found["result_key"]]
    if not asks or tells not in members or members[tells].type_name != "string":
        return None
    plain = tuple(name for name in lists if name in members and members[name].type_name == "list")
    return Paginator(asks, tells, plain, found.get("more_results", "")) if plain else None


def _unlisted(asks: Any, tells: Any) -> Paginator | None:
    """The paging of an operation that botocore has no paginator for: one token under one name, and one list."""
    token = next((name for name in ("NextToken", "nextToken", "Marker") if name in asks and name in tells), "")
    lists = [name for name, shape in tells.items() if shape.type_name == "list" and name != "failures"]
    return Paginator(token, token, tuple(lists), "") if token and len(lists) == 1 else None


def _one(token: Any) -> str:
    return token if isinstance(token, str) else ""


class Pages:
    """The pages that have not been fetched yet."""

    def __init__(self) -> None:
        self._rest: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def next(self, call: Call) -> dict[str, Any] | None:
        """The page that a call asks for; None if its token is none of ours."""
        how = paginator(call.service, call.operation.name)
        token = call.parameters.get(how.asks) if how else None
        with self._lock:
            rest = self._rest.get(str(token))
        if not how or rest is None:
            return None
        return self._page(how, rest)

    def cut(self, call: Call, answer: Answer, draw: Draw) -> Answer:
        """The first page of an answer, or the answer where there is nothing to cut."""
        how = paginator(call.service, call.operation.name)
        if not how or draw.pages < 2 or not answer.ok:
            return answer
        whole = call.read(answer)
        key = max(how.lists, key=lambda name: len(whole.get(name) or []))
        items = whole.get(key) or []
        # Who names the one thing that is wanted gets it in one page; a List may always come back empty at first.
        empty = draw.empty and call.operation.name.startswith("List")
        if len(items) < 2 and not (items and empty):
            return answer
        return call.write(self._page(how, list(_parts(whole, how, key, draw.pages, empty))))

    def _page(self, how: Paginator, pages: list[dict[str, Any]]) -> dict[str, Any]:
        page, *rest = copy.deepcopy(pages)
        if rest:
            token = f"late-{uuid.uuid4().hex}"
            with self._lock:
                self._rest[token] = rest
                while len(self._rest) > KEPT:
                    self._rest.popitem(last=False)
            page[how.tells] = token
            if how.more:
                page[how.more] = True
        return page


def _parts(whole: dict[str, Any], how: Paginator, key: str, pages: int, empty: bool) -> Iterator[dict[str, Any]]:
    """The answer's pages; what is in no list stands on each, other lists and the answer's own token on the last."""
    items = whole[key]
    size = math.ceil(len(items) / pages)
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    if empty:
        parts.insert(0, [])
    for number, part in enumerate(parts, 1):
        if number == len(parts):
            yield whole | {key: part}
        else:
            yield (
                {name: value for name, value in whole.items() if name != how.tells}
                | {name: [] for name in how.lists}
                | {key: part}
            )

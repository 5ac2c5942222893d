"""The cluster query language, as far as it goes here: of ListContainerInstances and of memberOf constraints.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from local_aws.ecs.errors import invalid
from local_aws.ecs.state import Instance, Region

SUBJECTS: dict[str, Callable[[Instance, Region], str]] = {
    "ec2InstanceId": lambda instance, _: instance.ec2_id,
    "agentConnected": lambda instance, _: str(instance.channel is not None).lower(),
    "agentVersion": lambda instance, _: str(instance.version_info.get("agentVersion", "")),
    "status": lambda instance, _: instance.status,
    "capacityProviderName": lambda instance, _: instance.provider,
    "runningTasksCount": lambda instance, region: str(
        sum(task.status == "RUNNING" for task in region.tasks_of(instance=instance.arn))
    ),
}
Test = Callable[[Instance, Region], bool]


def parse(query: str) -> Test:
    """What an expression asks: `<subject> == value`, `!=`, `in [a, b]`, `attribute:<name> exists`, joined by `and`.

    Raises:
        EcsError: InvalidParameterException for anything else of the language.
    """
    tests = [_term(term) for term in re.split(r"\s+and\s+", query.strip())] if query.strip() else []
    return lambda instance, region: all(test(instance, region) for test in tests)


def _term(term: str) -> Test:
    if exists := re.fullmatch(r"attribute:([\w./-]+)\s+exists", term):
        return lambda instance, _: instance.has({"name": exists[1]})
    compared = re.fullmatch(r"([\w./:-]+)\s*(==|equals|!=|not_equals)\s*'?([^'|()]*)'?", term)
    listed = re.fullmatch(r"([\w./:-]+)\s+in\s+\[(.*)\]", term)
    subject = _subject((compared or listed or [""] * 2)[1])
    if subject is None:
        raise invalid(f"Invalid filter expression: {term}")
    if compared:
        wanted, same = [compared[3]], compared[2] in ("==", "equals")
    else:
        wanted, same = [each.strip().strip("'\"") for each in (listed or ["", "", ""])[2].split(",")], True
    return lambda instance, region: (subject(instance, region) in wanted) == same


def _subject(name: str) -> Callable[[Instance, Region], str | None] | None:
    if name in SUBJECTS:
        return SUBJECTS[name]
    attribute = name.removeprefix("attribute:")
    if attribute == name:
        return None

    def value(instance: Instance, _: Region) -> str | None:
        found = [each.get("value", "") for each in instance.attributes if each["name"] == attribute]
        return found[0] if found else None

    return value

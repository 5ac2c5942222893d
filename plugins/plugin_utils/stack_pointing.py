"""Which data the containers of a stack lead to, and where another template would lead them elsewhere.

No parameter tells of all of it: what exists outside of Berth (a secret's ARN, a database's host, the name of a bucket
or table) stands in the template as text, and a reference or a mount may move from one entry to another. So the deployed
template with its parameters is compared with the wanted one: container by container, each variable, secret and mounted
path.

Only what led to data counts, and only where it still leads somewhere: a variable, a path or a container that comes or
goes is what its author has asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.layers import parsed, text

TASK_DEFINITION = "AWS::ECS::TaskDefinition"
FUNCTION = "AWS::Lambda::Function"
OF_A_FUNCTION = "function"
"""What stands for the container in a function's places."""
RECORD = "Berth::Data"
"""Key of a template's Metadata: container → variable → the data that it leads to, empty where its own value names it.

Of a text alone nobody can tell whether it is a database's host; see plugins/plugin_utils/site/leading.py.
"""
ANOTHER = "another one"

NAMES = (
    re.compile(r"(?:^|[/:])(fs-[0-9a-f]+)$"),
    re.compile(r"(?:^|[/:])(fsap-[0-9a-f]+)$"),
    re.compile(r"^(arn:[^:]+:secretsmanager:.+)$"),
    re.compile(r"^([a-z][a-z0-9-]*)\.[^.]+\.[a-z0-9-]+\.rds\.amazonaws\.(?:com|eu)$"),
    re.compile(r"^arn:[^:]+:ecr:[^:]+:\d+:repository/(.+)$"),
    re.compile(r"^arn:[^:]+:s3:::([^/]+)"),
    re.compile(r"^arn:[^:]+:dynamodb:[^:]+:\d+:table/([^/]+)"),
)
"""How a value looks that names something with data, and the physical id in it."""
SECRET = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+")
WHOLE_SECRET = re.compile(r".*-[A-Za-z0-9]{6}")
"""An ARN may be written without its last seven characters; one that has such an end is taken as whole.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
"""
PARAMETER = re.compile(r"(?:arn:[^:]+:ssm:([^:]+:[^:]+):parameter)?/?([^:]+)")
MENTIONED = re.compile(r"\$\{([^!}][^}]*)\}")
OUTPUT = re.compile(r"([a-z][a-z0-9_]*\.[a-z][a-z0-9_-]*)\.[A-Za-z0-9]+")
"""The description of a parameter that is taken from an entry: `database.main.SecretArn`."""

Values = Mapping[str, str | None]
"""Parameter (or pseudo parameter) → value; None is not known before another stack is changed."""
Place = tuple[str, str, str]
"""Logical id of the task definition, container, and the variable or mounted path in it."""


@dataclass(frozen=True)
class Lead:
    """What stands at a place.

    Attributes:
        value: None if it is not known yet.
        data: physical id of what it leads to; empty if that is not known, or if it is a text like any other.
        output: that it is taken from: `database.main.SecretArn`; empty if none.
        stored: whether ECS reads it from Secrets Manager or the Parameter Store.
    """

    value: str | None
    data: str
    output: str = ""
    stored: bool = False


def data_name(value: str) -> str:
    """The physical id of what holds data, if a value looks as if it named it, else nothing."""
    return next((found[1] for pattern in NAMES if (found := pattern.search(value))), "")


def moved(before: Mapping[Place, Lead], after: Mapping[Place, Lead]) -> Iterator[tuple[str, str, str]]:
    """Container and place in it, the data that it leads to, and where it would lead; for each that changes data."""
    for place, now in before.items():
        then = after.get(place)
        # What the stack makes itself is found where that is replaced or removed.
        if then and now.data and not MENTIONED.search(now.data) and not _same(now, then):
            yield ".".join(place[1:]), now.data, then.data or ANOTHER


def leads(body: Any, parameters: Values, stack_id: str) -> dict[Place, Lead]:
    """Where the containers of a stack lead.

    Args:
        body: its template, a text or (as CloudFormation answers for JSON) a mapping.
        parameters: name → value; those that are missing are not known.
        stack_id: ARN of the stack, for AWS's own parameters.

    Raises:
        yaml.YAMLError: a text is no YAML.
    """
    content = body if isinstance(body, Mapping) else parsed(str(body))
    declared = content.get("Parameters") or {}
    reader = _Reader(
        {**_pseudo(stack_id), **dict.fromkeys(declared), **parameters},
        {name: str((each or {}).get("Description", "")) for name, each in declared.items()},
        (content.get("Metadata") or {}).get(RECORD) or {},
    )
    readers = {TASK_DEFINITION: reader.task, FUNCTION: reader.function}
    return {
        (name, *place): lead
        for name, resource in content["Resources"].items()
        if (read := readers.get(str((resource or {}).get("Type"))))
        for place, lead in read((resource or {}).get("Properties") or {})
    }


class _Reader:
    """Reads the task definitions and functions of one template."""

    def __init__(
        self, values: Values, descriptions: Mapping[str, str], record: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._values, self._descriptions, self._record = values, descriptions, record

    def task(self, properties: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Lead]]:
        volumes = {each.get("Name"): each for each in _mappings(properties.get("Volumes"))}
        for container in _mappings(properties.get("ContainerDefinitions")):
            name = str(container.get("Name"))
            record = self._record.get(name) or {}
            for each in _mappings(container.get("Environment")):
                variable = str(each.get("Name"))
                yield (name, variable), self._plain(each.get("Value"), record.get(variable))
            for each in _mappings(container.get("Secrets")):
                yield (name, str(each.get("Name"))), self._stored(each.get("ValueFrom"))
            for each in _mappings(container.get("MountPoints")):
                path = str(each.get("ContainerPath")).rstrip("/")
                for kind, lead in self._mounted(volumes.get(each.get("SourceVolume")) or {}):
                    yield (name, path + kind), lead

    def function(self, properties: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Lead]]:
        record = self._record.get(OF_A_FUNCTION) or {}
        for variable, value in ((properties.get("Environment") or {}).get("Variables") or {}).items():
            yield (OF_A_FUNCTION, variable), self._plain(value, record.get(variable))

    def _plain(self, given: Any, recorded: str | None) -> Lead:
        value = self._value(given)
        if recorded is not None:
            data = recorded or value or ""
            return Lead(value, data_name(data) or data, self._output(given))
        looks = value or ""
        return Lead(value, data_name(looks) if ":ecr:" not in looks else "", self._output(given))  # images: made again

    def _stored(self, given: Any) -> Lead:
        value = self._value(given)
        return Lead(value, self._secret(value) if value else "", self._output(given), stored=True)

    def _mounted(self, volume: Mapping[str, Any]) -> Iterator[tuple[str, Lead]]:
        """End of the place, and where it leads."""
        name, efs, docker = (
            volume.get(key) or {} for key in ("Name", "EFSVolumeConfiguration", "DockerVolumeConfiguration")
        )
        if efs:
            yield "", self._file_system(efs.get("FilesystemId"))
            if point := (efs.get("AuthorizationConfig") or {}).get("AccessPointId"):
                yield " (access point)", self._file_system(point)
        elif docker.get("Scope") == "shared":
            # A Docker volume is called as its entry, to whose file system it leads under any driver.
            yield "", Lead(f"volume.{name}", f"volume.{name}", f"volume.{name}.Name")
        else:
            yield "", Lead("a folder of the task or the host", "")

    def _file_system(self, given: Any) -> Lead:
        value = self._value(given)
        return Lead(value, data_name(value or "") or value or "", self._output(given))

    def _secret(self, value: str) -> str:
        """What is left of ValueFrom without the key in its JSON and the version; a parameter in one spelling."""
        if found := SECRET.match(value):
            return found[0]
        found = None if MENTIONED.search(value) else PARAMETER.match(value)
        here = f"{self._values['AWS::Region']}:{self._values['AWS::AccountId']}"
        return f"/{found[2]}" if found and found[1] in (None, here) else value

    def _value(self, given: Any) -> str | None:
        """What CloudFormation makes of a value; what only it can know stays as it is written. None: not known yet."""
        if any(name in self._values and self._values[name] is None for name in _mentions(given)):
            return None
        if not isinstance(given, Mapping):
            return text(given)
        if "Ref" in given:
            return self._filled(f"${{{given['Ref']}}}")
        if isinstance(given.get("Fn::Sub"), str):
            return self._filled(given["Fn::Sub"])
        return f"${{{json.dumps(given, sort_keys=True)}}}"

    def _filled(self, value: str) -> str:
        return MENTIONED.sub(lambda found: str(self._values.get(found[1], found[0])), value)

    def _output(self, given: Any) -> str:
        """The output of another stack that a value is made of."""
        sources = (self._descriptions.get(name, "") for name in _mentions(given))
        return next((source for source in sources if OUTPUT.fullmatch(source)), "")


def _same(now: Lead, then: Lead) -> bool:
    """Whether two leads are to the same data; a text that takes the place of data is another one, unless empty."""
    if now.value == then.value:
        return True
    if then.value is not None and not then.data:
        return now.stored or not then.value  # a user's name, say, may move out of the secrets
    if then.data and (now.data == then.data or _same_secret(now.data, then.data)):
        return True
    # Another output of one entry: the host of a database from its secret or from RDS, a volume under another driver.
    entries = [found[1] for each in (now, then) if (found := OUTPUT.fullmatch(each.output))]
    return len(entries) == 2 and entries[0] == entries[1] and now.output != then.output


def _same_secret(*arns: str) -> bool:
    short, long = sorted(arns, key=len)
    return not WHOLE_SECRET.fullmatch(short) and bool(re.fullmatch(re.escape(short) + "-[A-Za-z0-9]{6}", long))


def _mentions(given: Any) -> list[str]:
    """The names in a value that are filled in: those of Ref and Fn::Sub."""
    if not isinstance(given, Mapping):
        return []
    return [str(given["Ref"])] if "Ref" in given else MENTIONED.findall(str(given.get("Fn::Sub", "")))


def _mappings(given: Any) -> list[Mapping[str, Any]]:
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []


def _pseudo(stack_id: str) -> dict[str, str]:
    """AWS's own parameters, as far as a stack's ARN tells.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """
    _, partition, _, region, account, *_ = f"{stack_id}:::::".split(":")
    return {"AWS::Partition": partition, "AWS::Region": region, "AWS::AccountId": account}

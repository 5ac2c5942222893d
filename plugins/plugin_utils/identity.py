"""Which site an inventory is about stands in several of its files; here they are compared, without asking anybody.

Group variables name the site, the environment and the region. The file of the inventory plugin `environment` sets the
region of everything that runs, and the file of `amazon.aws.aws_ec2` looks for the hosts in a region, by tags. Where
they differ, a site comes up whose hosts are never found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.plugin_utils.places import origin, shown

HOST_PLUGINS = ("amazon.aws.aws_ec2", "aws_ec2")
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class Difference:
    """One fact that two files tell differently.

    Attributes:
        subject: the key in the file of an inventory plugin.
        sentence: how it differs, and what to write.
        path: of that file, as a person would type it.
        line: in it, or 0.
    """

    subject: str
    sentence: str
    path: str
    line: int

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.subject}: {self.sentence}"


@dataclass(frozen=True)
class Fact:
    """One fact of the site: the variable that has it, and its value."""

    variable: str
    value: str


def plugin_files(sources: Iterable[Path], load: Callable[[Path], Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The files of inventory plugins in the folders of a run's inventory sources, with their content.

    Args:
        sources: folders, or files in them.
        load: reads a YAML file; None where it cannot.
    """
    folders = dict.fromkeys(source if source.is_dir() else source.parent for source in sources if source.exists())
    for folder in folders:
        for path in sorted(folder.glob("*.y*ml")):
            content = load(path)
            if isinstance(content, Mapping) and "plugin" in content:
                yield path, content


def differences(
    files: Iterable[tuple[Path, Mapping[str, Any]]], site: Fact, environment: Fact, region: Fact
) -> list[Difference]:
    """Where the files of inventory plugins tell another site, environment or region than the variables.

    What is a template there is not compared; whoever writes one knows what it is made of.
    """
    found: list[Difference] = []
    for path, content in files:
        if content["plugin"] == "environment":
            for key in REGIONS:
                value = _mapping(content.get("set")).get(key)
                if value is not None:
                    found += _compare(path, key, value, region, "calls of this run would go there")
        elif content["plugin"] in HOST_PLUGINS:
            regions = content.get("regions") or []
            found += _compare(path, "regions", regions, region, "the site's hosts would be looked for there")
            for filters in _filters(content):
                for key, fact in (("tag:Site", site), ("tag:Environment", environment)):
                    found += _compare(path, key, filters.get(key), fact, "the site's hosts would not be found")
    return found


def searches(files: Iterable[tuple[Path, Mapping[str, Any]]]) -> list[str]:
    """How the hosts are looked for: a sentence for each file that does."""
    sentences = []
    for path, content in files:
        if content["plugin"] in HOST_PLUGINS:
            tags = [
                " and ".join(f"{key.removeprefix('tag:')}={value}" for key, value in filters.items() if "tag:" in key)
                for filters in _filters(content)
            ]
            regions = ", ".join(_texts(content.get("regions"))) or "all regions"
            wanted = " or ".join(filter(None, tags)) or "any tag"
            sentences.append(f"{shown(path)} looks in {regions} for running hosts with {wanted}.")
    return sentences


def _compare(path: Path, key: str, given: Any, fact: Fact, consequence: str) -> list[Difference]:
    if any("{{" in text for text in _texts(given)) or _texts(given) == [fact.value]:
        return []
    line = origin(given)[1]
    cure = f"{key}: [{fact.value}]" if key == "regions" else f"{key}: {fact.value}"
    if not _texts(given):
        what = "every region is asked" if key == "regions" else "hosts of others would be taken for the site's"
        return [Difference(key, f"is not there, so {what}. Write {cure}.", shown(path), line)]
    texts = ", ".join(_texts(given))
    other = f", or set {fact.variable}: {texts}" if len(_texts(given)) == 1 else ""
    sentence = f"is {texts}, but {fact.variable} is {fact.value}, so {consequence}. Write {cure}{other}."
    return [Difference(key, sentence, shown(path), line)]


def _filters(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The sets of filters of an aws_ec2 file, any of which a host may fulfil; one that is empty if there are none."""
    wide = content.get("include_filters")
    each = [content.get("filters"), *(wide if isinstance(wide, list) else [])]
    return [filters for filters in map(_mapping, each) if filters] or [{}]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [str(item) for item in values if item is not None]

"""Volumes and folders that a service mounts: what holds data becomes a volume of the site."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from plugins.plugin_utils.compose.judging import complaints
from plugins.plugin_utils.compose.loading import Composed
from plugins.plugin_utils.compose.parts import Part, kebab
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.compose.sizes import size
from plugins.plugin_utils.site.container_kinds import mount as model_mount
from plugins.plugin_utils.site.kinds import Size
from plugins.plugin_utils.site.nouns.volume import SCHEMA as VOLUME

DATA = re.compile(
    r"(.*[-_.])?(data|uploads?|media|storage|db|database|files|attachments|repos|backups?)", re.IGNORECASE
)
"""Names of folders beside a Compose file that hold data; others are code and settings."""
SYSTEM = ("/var/run", "/run", "/etc", "/proc", "/sys", "/dev", "/lib", "/usr", "/boot", "/bin")
OWNER = re.compile(r"(?P<uid>[0-9]+)(:(?P<gid>[0-9]+))?")


class Mounts:
    """The volumes of a site, as services mount them.

    Args:
        composed: the Compose file.
        report: to tell.
    """

    def __init__(self, composed: Composed, report: Report) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._composed, self._report = composed, report

    def of(self, part: Part) -> tuple[list[str], list[str]]:
        """What a service mounts, and what it has in memory.

        Returns:
            `volumes` and `tmpfs` of its container.
        """
        volumes: dict[str, str] = {}
        memory: list[str] = []
        for item in part.given.get("volumes") or []:
            source, target, options = self._cut(item)
            kind = str(item.get("type") or "") if isinstance(item, dict) else ""
            if kind == "tmpfs" and target:
                amount = (item.get("tmpfs") or {}).get("size")
                memory.append(f"{target}:size={size(amount, Size()) or '64m'}")
                continue
            entry = self._entry(source, part, kind)
            if not entry or not target.startswith("/"):
                self._report.drop(f"{part.name}.volumes", self._reason(item, source))
                continue
            volumes[target] = f"{entry}:{target}{':ro' if 'ro' in options else ''}"
            self._own(entry, part)
            for option in sorted(options - {"ro", "rw", ""}):
                self._report.drop(f"{part.name}.volumes.{source}:{option}", "behind the path may stand ro or rw.")
        return list(volumes.values()), memory

    @staticmethod
    def _cut(item: Any) -> tuple[str, str, set[str]]:
        if isinstance(item, dict):
            options = {"ro"} if item.get("read_only") is True else set()
            return str(item.get("source") or ""), str(item.get("target") or ""), options
        parts = str(item).split(":")
        if len(parts) == 1:
            return "", parts[0], set()
        return parts[0], parts[1], set(",".join(parts[2:]).split(","))

    def _entry(self, source: str, part: Part, kind: str) -> str:
        """The entry of `site_volumes` for a source; empty for one that is not kept."""
        if source in self._composed.volumes or (kind == "volume" and source):
            self._tell(source)
            return kebab(source)
        if not source.startswith(("/", ".", "~")) or source.startswith(SYSTEM):
            return ""
        path = PurePosixPath(source)
        if (source.startswith("/") and not path.suffix) or DATA.fullmatch(path.name):
            entry = f"{part.container}-{kebab(path.name)}"
            self._report.choose(
                f"site_volumes.{entry}",
                f"a volume for the folder {source} of the machine, by its name one of data; copy its files.",
            )
            return entry
        return ""

    def _tell(self, name: str) -> None:
        for key, value in self._composed.volumes.get(name, {}).items():
            if (key, str(value)) not in (("driver", "local"), ("driver", "")):
                reason = VOLUME.elsewhere.get(key, "a volume's driver is efs, which outlives hosts.")
                self._report.drop(f"volumes.{name}.{key}", reason)

    def _own(self, entry: str, part: Part) -> None:
        owner = OWNER.fullmatch(str(part.given.get("user") or ""))
        if owner:
            self.entries[entry] = {key: int(value) for key, value in owner.groupdict().items() if value}
        elif entry not in self.entries:
            self.entries[entry] = {"uid": VOLUME.defaults()["uid"]}
            self._report.want(f"site_volumes.{entry}.uid", "of the user in the image who writes there.")

    @staticmethod
    def _reason(item: Any, source: str) -> str:
        problems = complaints(model_mount, item, "volumes")
        return problems[0].sentence if problems else f"is {source}, which the file does not declare under volumes."

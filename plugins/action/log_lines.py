"""Show what the containers of a site write, all together in the order of time."""

from __future__ import annotations

import datetime
import heapq
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.log_lines import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.container_log import SHORT, GroupLog, Line
from plugins.plugin_utils.places import nearest, verb
from plugins.plugin_utils.spans import seconds

FOLLOW_SECONDS, FOLLOW_LOGS = 2.0, 6
"""Seconds between two looks, of so many log groups; of more the pause is longer. A look is a call for each, of which an
account has five a second and region."""
FIRST_WINDOW, WIDER = 300_000, 6
"""Milliseconds that are read first, and how much more each time: CloudWatch Logs gives the oldest lines first, and to
read all of three days for the newest hundred would take minutes."""
MOST_LINES = 10_000


class ActionModule(AwsAction):
    """See plugins/modules/log_lines.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Show the lines.

        Raises:
            Failed: something was typed wrong, or there is no log yet.
        """
        chosen = self._chosen()
        since, most = self._duration("since"), self._lines()
        following = self._duration("follow_for") if self.arguments["follow_for"] else None
        logs = [
            GroupLog(self.client("logs"), f"{self.arguments['prefix']}/{noun}/{entry}", entry) for noun, entry in chosen
        ]
        self._width = SHORT + max(len(f"{at[1]}/{name}/") for at in chosen for name in self._names([at]))
        begun = int(time.time() * 1000)
        found = self._newest(logs, begun, since * 1000, most)
        if all(log.is_missing for log in logs):
            raise Failed(f"There is no log of {_entries(chosen)} yet. Type: {verb('site.yml')}")
        shown = self._show(found)
        self._sum_up(chosen, len(found), most)
        if self.arguments["follow"] or following is not None:
            end = None if following is None else time.monotonic() + following
            pause = FOLLOW_SECONDS * max(1.0, len(logs) / FOLLOW_LOGS)
            while end is None or time.monotonic() < end:
                time.sleep(pause if end is None else max(0.0, min(pause, end - time.monotonic())))
                fresh = [line for log in logs for line in log.fresh(begun) if self._is_asked_for(line)]
                shown += self._show(sorted(fresh, key=lambda line: line.at))
        return {"changed": False, "shown": shown}

    def _newest(self, logs: list[GroupLog], now: int, back: int, most: int) -> list[Line]:
        """The newest lines, the oldest of them first: read in windows from now on backwards until there are enough.

        Args:
            logs: which are read.
            now: milliseconds since 1970.
            back: for how many milliseconds to look back.
            most: how many lines.
        """
        found: list[Line] = []
        edge, end, window = now, None, FIRST_WINDOW
        while len(found) < most and edge > now - back:
            begin = max(now - back, edge - window)
            lines = (line for log in logs for line in log.between(begin, end) if self._is_asked_for(line))
            # By number as well: lines of one millisecond stay in the order in which they were written.
            numbered = ((line.at, number, line) for number, line in enumerate(lines))
            newest = heapq.nlargest(most - len(found), numbered, key=lambda each: each[:2])
            found = [line for *_, line in reversed(newest)] + found
            # What a host's clock has in the future is within the first window, which has no end.
            edge, end, window = begin, begin - 1, window * WIDER
        return found

    def _is_asked_for(self, line: Line) -> bool:
        # Letter by letter, and here: CloudWatch's own patterns look for words, and have signs of their own.
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
        return self.arguments["container"] in ("", line.container) and self.arguments["grep"] in line.text

    def _show(self, lines: Iterable[Line]) -> int:
        shown = 0
        for line in lines:
            shown += 1
            at = datetime.datetime.fromtimestamp(line.at / 1000, datetime.UTC)
            when = f"{at:%Y-%m-%d %H:%M:%S}.{line.at % 1000:03}Z"
            Display().display(f"{when} {line.source:<{self._width}} {line.text}".rstrip())
        return shown

    def _sum_up(self, chosen: list[tuple[str, str]], number: int, most: int) -> None:
        """Say that there is nothing, or that there may be more."""
        grep, since = self.arguments["grep"], self.arguments["since"]
        what = f"Nothing with {grep!r}" if grep else "Nothing"
        if not number:
            Display().display(f"{what} was written in the last {since} by {_entries(chosen)}.", color="yellow")
        elif number == most:
            Display().display(f"These are the newest {most} lines; -e lines={most * 10} shows more.", color="yellow")

    # What was typed

    def _known(self) -> dict[str, dict[str, list[str]]]:
        """Noun → entry → containers."""
        functions: dict[str, list[str]] = {name: [] for name in self.arguments["functions"]}
        return {"service": self.arguments["services"], "job": self.arguments["jobs"], "function": functions}

    def _names(self, chosen: Iterable[tuple[str, str]]) -> list[str]:
        """The containers of these entries, each once; a function has one without a name."""
        known = self._known()
        return list(dict.fromkeys(name for noun, entry in chosen for name in known[noun][entry] or [""]))

    def _chosen(self) -> list[tuple[str, str]]:
        """Noun and entry of each log that is meant.

        Raises:
            Failed: the site has no such entry or container.
        """
        known = self._known()
        for noun, entries in known.items():
            entry = self.arguments[noun]
            if entry and entry not in entries:
                there = ", ".join(entries) or f"site_{noun}s has none"
                raise Failed(
                    f"The site has no {noun} {entry} ({there}): {verb('logs.yml')} -e {noun}={nearest(entry, entries)}"
                )
        chosen = [(noun, self.arguments[noun]) for noun in known if self.arguments[noun]]
        chosen = chosen or [(noun, entry) for noun in ("service", "job") for entry in known[noun]]
        container, names = self.arguments["container"], list(filter(None, self._names(chosen)))
        if container and container not in names:
            typed = "".join(f" -e {noun}={self.arguments[noun]}" for noun in known if self.arguments[noun])
            there = ", ".join(names) or "a function has none"
            raise Failed(
                f"No container of {_entries(chosen)} is called {container} ({there}): "
                f"{verb('logs.yml')}{typed} -e container={nearest(container, names)}"
            )
        return chosen

    def _duration(self, name: str) -> int:
        """Seconds of an argument."""
        typed = self.arguments[name]
        if (found := seconds(typed)) is not None:
            return found
        word = name.removeprefix("follow_")
        raise Failed(f"{word} is {typed!r}; write a time as 30s, 15m, 2h or 3d: {verb('logs.yml')} -e {word}=15m")

    def _lines(self) -> int:
        typed = self.arguments["lines"]
        if typed.isascii() and typed.isdigit() and 1 <= int(typed) <= MOST_LINES:
            return int(typed)
        raise Failed(f"lines is {typed!r}; write a number from 1 to {MOST_LINES}: {verb('logs.yml')} -e lines=1000")


def _entries(chosen: Iterable[tuple[str, str]]) -> str:
    return ", ".join(dict.fromkeys(entry for _, entry in chosen))

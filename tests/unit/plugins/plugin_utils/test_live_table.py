"""The layers' table on a terminal: what stands on the screen after each frame."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Any

import pytest
from ansible.utils.display import Display

from plugins.plugin_utils import live_table
from plugins.plugin_utils.aws_action import Progress
from plugins.plugin_utils.live_table import LiveTable, Screen

UP = re.compile(r"\x1b\[(\d+)A\x1b\[J")


class Terminal:
    """What a person sees: the one control sequence that is used moves up and clears; also what the log keeps."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.logged: list[str] = []
        self.frames = 0

    def show(self, text: str, *, screen_only: bool = False, log_only: bool = False, **_: Any) -> None:
        """As `Display.display` is called."""
        if log_only:
            self.logged.append(text)
            return
        self.frames += 1
        if not screen_only:
            self.logged.append(text)
        if found := UP.match(text):
            text = text[found.end() :]
            del self.lines[-int(found.group(1)) :]
        self.lines += text.split("\n")


class Stage:
    """A table on a terminal, and its clock."""

    def __init__(self, lines: int = 40, columns: int = 80) -> None:
        self.now = 100.0
        self.terminal = Terminal()
        self.table = LiveTable(self.terminal.show, Screen(columns, lines), lambda: self.now)

    def after(self, seconds: float) -> list[str]:
        """The screen that many seconds later."""
        self.now += seconds
        self.table.flush()
        return [" ".join(line.split()) for line in self.terminal.lines]


@pytest.fixture
def stage() -> Stage:
    """A wide and high terminal."""
    return Stage()


def test_a_row_is_drawn_over_where_it_stands(stage: Stage) -> None:
    stage.table.starts("network")
    stage.table.waits("cluster", "waits for network")
    assert stage.after(2) == ["2s network started", "cluster waits for network"]
    stage.table.say("network", "CREATE_IN_PROGRESS   Vpc")
    assert stage.after(3) == ["5s network CREATE_IN_PROGRESS Vpc", "cluster waits for network"]
    stage.table.say("network", "CREATE_COMPLETE      Vpc", "green")
    assert stage.after(0) == ["5s network CREATE_IN_PROGRESS Vpc", "cluster waits for network"]
    assert stage.after(1) == ["6s network CREATE_COMPLETE Vpc", "cluster waits for network"]
    stage.table.ends("network", "changed", "yellow")
    stage.table.starts("cluster")
    assert stage.after(4) == ["6s network changed", "4s cluster started"]


def test_what_matters_stays_above_the_rows_and_in_the_log(stage: Stage) -> None:
    stage.table.starts("certificate")
    stage.after(2)
    stage.table.say("certificate", "make this record:\n  _x CNAME y", "yellow")
    stage.table.say("layers", "Ctrl-C is safe")
    seen = stage.after(1)
    assert seen[-1] == "3s certificate started"
    assert [line.split(" ", 1)[1] for line in seen[:-1]] == [
        "certificate make this record:", "certificate _x CNAME y", "layers Ctrl-C is safe",
    ]  # fmt: skip
    assert len(stage.terminal.logged) == 3
    stage.after(1)
    assert len(stage.after(1)) == 4


def test_a_failure_is_said_whole_above_and_in_one_word_in_the_row(stage: Stage) -> None:
    stage.table.starts("service.web")
    stage.after(2)
    stage.table.ends("service.web", "FAILED web: exit code 3", "red")
    assert stage.after(1) == ["2.0s service.web FAILED web: exit code 3", "2s service.web FAILED"]


def test_what_is_said_after_the_end_does_not_hide_how_it_ended(stage: Stage) -> None:
    stage.table.starts("network")
    stage.table.ends("network", "ok", "green")
    stage.table.say("network", "termination protection on")
    assert stage.after(2)[-1] == "0s network ok"


def test_a_run_that_changes_nothing_draws_once(stage: Stage) -> None:
    for name in ("network", "cluster"):
        stage.table.starts(name)
        stage.table.ends(name, "ok", "green")
        stage.after(0.2)
    assert stage.terminal.frames == 0
    stage.table.close()
    assert stage.terminal.frames == 1
    assert [line.split() for line in stage.terminal.lines] == [["0s", "network", "ok"], ["0s", "cluster", "ok"]]


def test_nothing_is_drawn_while_nothing_moves(stage: Stage) -> None:
    stage.table.waits("cluster", "waits for network")
    stage.after(2)
    stage.after(2)
    assert stage.terminal.frames == 1


def test_more_rows_than_the_screen_has_hide_what_is_done() -> None:
    stage = Stage(lines=12)
    for number in range(10):
        stage.table.starts(f"bucket.b{number}")
    for number in range(4):
        stage.table.ends(f"bucket.b{number}", "ok", "green")
    seen = stage.after(2)
    assert seen[0] == "3 more are done"
    assert len(seen) == 8
    assert seen[-1] == "2s bucket.b9 started"


def test_no_line_is_longer_than_the_screen_is_wide() -> None:
    stage = Stage(columns=60)
    stage.table.starts("network")
    stage.table.say("network", "x" * 200)
    stage.after(2)
    assert max(map(len, stage.terminal.lines)) == 59


class Tty(io.StringIO):
    """An output that claims to be a terminal."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("output", "environment", "size", "found"),
    [
        (Tty(), {"TERM": "xterm"}, (80, 24), Screen(80, 24)),
        (Tty(), {"TERM": "dumb"}, (80, 24), None),
        (Tty(), {}, (80, 24), None),
        (Tty(), {"TERM": "xterm", "CI": "true"}, (80, 24), None),
        (Tty(), {"TERM": "xterm"}, (59, 24), None),
        (Tty(), {"TERM": "xterm"}, (80, 11), None),
        (io.StringIO(), {"TERM": "xterm"}, (80, 24), None),
    ],
)
def test_only_a_terminal_on_which_one_can_draw_gets_a_table(
    monkeypatch: pytest.MonkeyPatch, output: Any, environment: dict[str, str], size: tuple[int, int], found: Any
) -> None:
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size(size))
    assert live_table.screen(environment) == found


@pytest.mark.parametrize(
    ("screen", "verbosity", "kind"),
    [(Screen(80, 24), 0, LiveTable), (Screen(80, 24), 1, Progress), (None, 0, Progress)],
)
def test_lines_are_shown_in_ci_and_to_who_asks_for_more(
    monkeypatch: pytest.MonkeyPatch, screen: Screen | None, verbosity: int, kind: type
) -> None:
    monkeypatch.setattr(live_table, "SCREEN", screen)
    monkeypatch.setattr(Display(), "verbosity", verbosity)
    assert type(live_table.progress()) is kind


def test_a_row_tells_how_long_it_will_take_while_it_does(stage: Stage) -> None:
    stage.table.expects({"database": 180.0})
    stage.table.starts("database")
    stage.table.starts("network")
    assert stage.after(130) == ["2:10 of about 3:00 database started", "130s network started"]
    columns = {line.index(name) for line, name in zip(stage.terminal.lines, ("database", "network"), strict=True)}
    assert len(columns) == 1, "the names stand below each other"
    assert stage.after(60)[0].startswith("3:10 of about 3:00 database")
    stage.table.ends("database", "changed", "yellow")
    assert stage.after(2)[0] == "190s database changed"


def test_lines_tell_it_once_at_the_begin() -> None:
    said: list[str] = []
    plain = Progress(lambda text, **_: said.append(" ".join(text.split())))
    plain.expects({"database": 180.0})
    plain.starts("database")
    plain.starts("network")
    plain.flush()
    assert said == ["0.0s database takes about 3:00, as in the runs before"]

"""Steps are typed, judged and ended; the site is taken down whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak.people import Response, Site, Uploader
from scripts.acceptance import __main__ as program
from scripts.acceptance import run, throwaway
from scripts.acceptance.report import report
from scripts.acceptance.run import Result, Runner
from scripts.acceptance.steps import LATER, STEPS, Step, command
from scripts.acceptance.throwaway import Throwaway
from tests.unit.variables_support import PROJECT, load

PLACES = {"folder": "/f", "compose": "/c", "made": "/m"}
REPORTS = PROJECT / ".cache/acceptance-test"
"""In the project, as a run says where in it the report is."""
SITE = Throwaway("inventories/there", "there", "try.example.org")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Programs of Python in place of verbs: the next one typed is the first of the list."""
    programs: list[str] = []
    monkeypatch.setattr(run, "command", lambda *_: [sys.executable, "-c", programs.pop(0)])
    yield programs
    assert programs == []


def runner(seconds: float = 60, **other: Any) -> Runner:
    site = Site("try.example.org")
    uploader = Uploader(site, lambda: ("admin", "x"), b"image")
    return Runner(SITE, dict(os.environ), PLACES, time.monotonic() + seconds, site, uploader, **other)


def test_each_verb_is_typed_once_at_least() -> None:
    verbs = {path.stem for path in PROJECT.glob("*.yml") if "import_playbook" in path.read_text()}
    assert {step.verb for step in STEPS if step.verb} | set(LATER) == verbs


def test_each_step_takes_what_its_verb_is_told() -> None:
    known = load("playbooks/vars/arguments.yml")["verb_arguments"]
    variables = {"alarms_subscribers", "site_backups", "host_volume_gb"}
    for step in STEPS:
        names = {each.partition("=")[0] for each in step.given}
        assert names <= set(known.get(step.verb, {})) | variables, step.name


def test_a_command_is_what_a_person_would_type() -> None:
    assert command(Step("init", ("compose={compose}",)), "there", PLACES) == [
        "ansible-playbook", "init.yml", "-e", "compose=/c",
    ]  # fmt: skip
    *typed, everywhere = command(Step("release", ("release=x",)), "there", PLACES)
    assert typed == ["ansible-playbook", "release.yml", "-i", "there", "-e", "release=x", "-e"]
    assert json.loads(everywhere).keys() == {"alarms_subscribers", "site_backups"}


def test_a_step_is_well_if_it_ends_as_it_is_to(typed: list[str]) -> None:
    typed += ["print('fine')", "raise SystemExit(1)", "raise SystemExit(1)"]
    assert runner().do(Step("site")).trouble == ""
    assert runner().do(Step("status", ends=1)).trouble == ""
    failed = runner().do(Step("site"))
    assert failed.trouble == "ended with 1, and 0 is right"


def test_a_second_run_may_change_nothing(typed: list[str]) -> None:
    typed += [f"print('localhost  : ok=20   changed={number}    unreachable=0')" for number in (0, 3)]
    assert runner().do(Step("site", unchanged=True)).trouble == ""
    assert runner().do(Step("site", unchanged=True)).trouble == "changed 3, and nothing was to change"


def test_when_the_time_is_over_the_verb_is_interrupted_and_may_tidy_up(typed: list[str]) -> None:
    tidy = "except KeyboardInterrupt:\n  print('tidied', flush=True); raise SystemExit(2)"
    typed += ["import time\ntry:\n  time.sleep(60)\n" + tidy]
    ended = runner(1.5).do(Step("site"))
    assert ended.trouble == "the time was over, and it was interrupted"
    assert "tidied" in ended.output


def test_ctrl_c_ends_the_verb_and_does_not_end_a_teardown(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    typed += ["import time; time.sleep(60)", "import time; time.sleep(1.5)"]
    _pressed(0.7)
    with pytest.raises(KeyboardInterrupt):
        runner().do(Step("site"))
    _pressed(0.7)
    assert runner().remove().trouble == ""
    assert "this ends by itself" in capsys.readouterr().err


def _pressed(seconds: float) -> None:
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)).start()


def test_a_look_waits_and_then_says_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [503, 200]
    monkeypatch.setattr(Site, "ask", lambda *_: Response(answers.pop(0), None, b""))  # type: ignore[arg-type]
    assert runner().do(Step(look="answers")).trouble == ""
    answers += [503] * 3
    assert runner(0.5).do(Step(look="answers")).trouble == "try.example.org answers with 503"


def made(tmp_path: Path) -> Throwaway:
    return throwaway.made("try.example.org", "Z1", "eu-west-1", tmp_path)


def test_an_inventory_is_whole_and_is_found_again(tmp_path: Path) -> None:
    site = made(tmp_path)
    assert throwaway.left(tmp_path) == [site]
    assert (
        Path(site.inventory, "environment.yml").read_text().endswith("site_name: acceptance\naws_region: eu-west-1\n")
    )
    assert (site.environment, site.domain) == (Path(site.inventory).name, "try.example.org")
    site.forget()
    assert throwaway.left(tmp_path) == []


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of steps that a run does, each well, in place of verbs; a plan for 73 dollars a month."""
    done: list[str] = []

    def do(_: Runner, step: Step) -> Result:
        done.append(step.verb or step.look)
        if step.verb == "plan" and "format=json" in step.given:
            place = next(each.partition("=")[2] for each in step.given if each.startswith("output="))
            Path(place).write_text(json.dumps({"cost": {"after": "73.00"}}))
        if step.verb == "restart":
            raise KeyboardInterrupt
        return Result(step)

    def remove(_: Runner) -> Result:
        done.append("teardown")
        return Result(Step("teardown"))

    monkeypatch.setattr(Runner, "do", do)
    monkeypatch.setattr(Runner, "remove", remove)
    monkeypatch.setattr(program, "KEPT", REPORTS)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: None)
    return done


def test_a_run_that_is_through_is_accepted(steps: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(program, "STEPS", [step for step in STEPS if step.verb != "restart"])
    assert program.accepted(made(tmp_path), 150, Decimal(1)) == 0
    assert steps[-1] == "teardown"


def test_an_interrupted_run_takes_its_site_down_and_forgets_it(steps: list[str], tmp_path: Path) -> None:
    site = made(tmp_path)
    assert program.accepted(site, 150, Decimal(1)) == 1, "what was not tried is not accepted"
    assert steps[-2:] == ["restart", "teardown"]
    assert "| `the other steps` | 0 | interrupted before them |" in (REPORTS / "aws.md").read_text()
    assert throwaway.left(tmp_path) == []


def test_what_costs_more_than_it_may_is_not_made(steps: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"more than \$0.20, so nothing is made: --usd 1"):
        program.accepted(made(tmp_path), 150, Decimal("0.20"))
    assert steps == ["plan"], "and nothing is taken down"
    assert throwaway.left(tmp_path) == []


def test_a_site_that_a_killed_run_has_left_is_taken_down_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = made(tmp_path)
    monkeypatch.setattr(program, "left", lambda: [site])
    with pytest.raises(SystemExit):
        program.main(["--domain", "try.example.org", "--zone", "Z1"])
    assert "Take it down first: python -m scripts.acceptance --remove" in capsys.readouterr().err
    assert program.main.__doc__


def test_the_report_says_what_was_wrong_and_what_differed() -> None:
    results = [Result(Step("site"), 61.2), Result(Step("status"), 3, "ended with 1, and 0 is right", "fatal: it")]
    text = report(
        results, ["ecs ListTasks: called on aws alone"], "on AWS", "Compared with embedded.jsonl, call by call."
    )
    assert "2 steps, 1 not as they are to be." in text
    assert "| `site.yml` | 61 | as it is to be |" in text
    assert "## status.yml\n\nended with 1, and 0 is right\n\n```\nfatal: it\n```" in text
    assert text.endswith("- ecs ListTasks: called on aws alone\n")

"""The steps of a throw-away site one after the other, with a time limit, and its teardown whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.soak.people import Site, Uploader
from local_aws.config import PROJECT
from scripts.acceptance.steps import Step, command
from scripts.acceptance.throwaway import Throwaway

RECAP = re.compile(r"^localhost\s+:\s+ok=\d+\s+changed=(\d+)", re.MULTILINE)
GRACE_SECONDS = 60
"""For which an interrupted verb may tidy up."""
TEARDOWN_MINUTES = 60
ANSWER_SECONDS = 120.0
TAIL = 4000
"""Characters of a failed step's output that the report shows."""


@dataclass
class Result:
    """How a step went.

    Attributes:
        step: which.
        seconds: that it took.
        trouble: what was not as it is to be; empty if all was.
        output: the end of what it printed, where something was not.
    """

    step: Step
    seconds: float = 0.0
    trouble: str = ""
    output: str = ""


@dataclass
class Runner:
    """Types verbs for one site.

    Attributes:
        site: whose.
        environment: of the shell, with what records.
        places: what the words in braces of a step stand for.
        deadline: after which no step is begun and the one that runs is ended (monotonic seconds).
        reached: where the site answers.
        uploader: the person who uploads.
        clock: tells the time.
    """

    site: Throwaway
    environment: Mapping[str, str]
    places: Mapping[str, str]
    deadline: float
    reached: Site
    uploader: Uploader
    clock: Callable[[], float] = time.monotonic

    def do(self, step: Step) -> Result:
        """Do one step; what is wrong with it is in the result."""
        begin = self.clock()
        result = self._type(step) if step.verb else Result(step, trouble=self._look(step.look))
        result.seconds = self.clock() - begin
        return result

    def remove(self) -> Result:
        """Take the site down with its data. Ctrl-C does not end it."""
        given = (
            f"confirm={self.site.environment}",
            "teardown_data=true",
            "teardown_keep_snapshot=false",
            "lock_wait=20m",
        )
        step, begin = Step("teardown", given), self.clock()
        with _uninterrupted():
            self.deadline = begin + TEARDOWN_MINUTES * 60
            result = self._type(step)
        result.seconds = self.clock() - begin
        return result

    def _type(self, step: Step) -> Result:
        process = subprocess.Popen(
            command(step, self.site.inventory, self.places), cwd=PROJECT, text=True, start_new_session=True,
            env={**self.environment, "BERTH_VERB": f"{step.verb}.yml"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=max(1.0, self.deadline - self.clock()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt) as why:
            output = _ended(process)
            if isinstance(why, KeyboardInterrupt):
                raise
            return Result(step, trouble="the time was over, and it was interrupted", output=output[-TAIL:])
        trouble, recap = "", RECAP.search(output)
        if process.returncode != step.ends:
            trouble = f"ended with {process.returncode}, and {step.ends} is right"
        elif step.unchanged and (recap is None or recap[1] != "0"):
            trouble = f"changed {recap[1] if recap else 'something'}, and nothing was to change"
        return Result(step, trouble=trouble, output=output[-TAIL:] if trouble else "")

    def _look(self, what: str) -> str:
        looks = {"answers": self._answers, "upload": self._upload, "find": self._find}
        end, said = min(self.clock() + ANSWER_SECONDS, self.deadline), ""
        while True:
            try:
                said = looks[what]()
            except (OSError, http.client.HTTPException) as error:
                said = f"{self.reached.name}: {error or type(error).__name__}"
            if not said or self.clock() > end:
                return said
            time.sleep(1)

    def _answers(self) -> str:
        status = self.reached.ask("/", 20).status
        return "" if status == http.HTTPStatus.OK else f"{self.reached.name} answers with {status}"

    def _upload(self) -> str:
        if not self.uploader.confirmed:
            self.uploader.upload()
        return (
            "" if self.uploader.confirmed and self.uploader.finds_all() else "an image was not taken, or is not shown"
        )

    def _find(self) -> str:
        return (
            "" if self.uploader.confirmed and not self.uploader.lost() else "the uploaded image is not there any more"
        )


def _ended(process: subprocess.Popen[str]) -> str:
    """Interrupt a verb as Ctrl-C does, then kill it; what it printed."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=GRACE_SECONDS)[0]
    return ""


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Neither Ctrl-C nor a SIGTERM ends what runs in the block."""

    def told(*_: object) -> None:
        print("the site is being taken down; this ends by itself", file=sys.stderr, flush=True)

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def recorder(path: Path) -> dict[str, str]:
    """Variables by which each process of a run writes its calls of AWS into a file."""
    return {"PYTHONPATH": str(PROJECT / "tests/recorder"), "BERTH_RECORDING": str(path)}

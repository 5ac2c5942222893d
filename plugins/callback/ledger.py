"""Keeps the lock of an environment while a run lives, and ends the run's entry in its ledger, however the run ends."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.callback.troubleshooting import said
from plugins.plugin_utils.ledger import ENTRY_VARIABLE, FAILED, GOOD, RUN_VARIABLE, Place, new_run
from plugins.plugin_utils.troubleshooting import see

DOCUMENTATION = """
name: ledger
type: aggregate
short_description: Keeps an environment's lock, and ends a run's entry in the ledger
description:
  - When a task of C(environment_lock) has taken the lock, it starts plugins/plugin_utils/lock_keeper.py, which renews
    it while the run lives. At the end of the run, be it a failure or an interrupt, the keeper is told how it ended,
    writes that into the run's entry and lets the lock go.
  - Gives the run its id (E(BERTH_RUN)). What the run starts inherits it, and with it the lock.
"""

ACTION = "environment_lock"
KEEPER = PROJECT / "plugins/plugin_utils/lock_keeper.py"
END_SECONDS = 60.0
"""How long the end of a run may wait for the entry to be written: boto3 repeats what is throttled."""
REASON_LENGTH = 300


class CallbackModule(CallbackBase):
    """See `DOCUMENTATION`. All of it is in the process of ansible-playbook; workers are forks of it."""

    def __init__(self) -> None:
        super().__init__()
        self._pid = os.getpid()
        self._keeper: subprocess.Popen[str] | None = None
        self._prefix = self._reason = ""
        self._given = os.environ.get(RUN_VARIABLE, "")
        atexit.register(self._interrupted)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """A run begins; one that another has started is part of that."""
        os.environ[RUN_VARIABLE] = self._given or new_run()
        self._reason = ""

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """The next task: not without the lock."""
        if self._keeper and self._keeper.poll() is not None:
            os.kill(os.getpid(), signal.SIGINT)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task went well; that of the lock begins or ends what this is for."""
        if result.task.action == ACTION:
            said = result.result
            if said.get("taken") and not self._keeper:
                self._keep(said["kept"])
            elif said.get("there") and not said.get("held") and said.get("changed"):
                self._finish(GOOD, "")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task has failed; the first is the reason."""
        if not ignore_errors:
            self._reason = self._reason or reason(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host cannot be reached."""
        if not result.task.ignore_unreachable:
            self._reason = self._reason or reason(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is through."""
        failed = bool(stats.failures or stats.dark)
        self._finish(FAILED if failed else GOOD, self._reason if failed else "")

    def _interrupted(self) -> None:
        """The process ends without having been through."""
        if os.getpid() == self._pid:
            self._finish(FAILED, self._reason or "the run was interrupted")

    def _keep(self, kept: dict[str, Any]) -> None:
        self._prefix = kept["prefix"]
        # A session of its own: Ctrl-C is sent to all of the terminal's group. Workers inherit the pipe, so that the
        # keeper sees the end of the last of them.
        self._keeper = subprocess.Popen(
            [sys.executable, str(KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        # Told, not asked for: a keeper that is slow to start would take whoever adopts it for its parent.
        self._tell(kept | {"parent": os.getpid()})
        os.environ[ENTRY_VARIABLE] = str(Place(kept["prefix"], kept["bucket"], kept["holder"]["entry"]))

    def _tell(self, line: dict[str, Any]) -> None:
        if self._keeper and self._keeper.stdin:
            with contextlib.suppress(BrokenPipeError):  # it is over, which is seen at the end
                self._keeper.stdin.write(json.dumps(line) + "\n")
                self._keeper.stdin.flush()

    def _finish(self, outcome: str, why: str) -> None:
        """Have the entry written and the lock let go, and say what came of it if it is not well."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        os.environ.pop(ENTRY_VARIABLE, None)
        self._keeper = keeper
        self._tell({"outcome": outcome, "reason": why})
        self._keeper = None
        try:
            answers, _ = keeper.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            keeper.kill()
            answers, _ = keeper.communicate()
        answer = json.loads((answers.splitlines() or ['{"warning": "what keeps it has ended"}'])[0])
        if "lost" in answer:
            self._show(f"{answer['lost']} The run was ended, as another may be at the environment now. Type it again.")
        elif "warning" in answer:
            self._show(
                f"The lock of {self._prefix} may not have been let go ({answer['warning']}). Then it is free by itself "
                "after at most 5 minutes, and the ledger shows this run as interrupted."
            )
        if "noise" in answer:
            self._display.warning(
                f"Alarms may have rung for what this run did, as they were not silent: {answer['noise']}"
            )

    def _show(self, message: str) -> None:
        self._display.error(message)
        self._display.display(see(message), color=constants.COLOR_ERROR, stderr=True)


def reason(result: Any) -> str:
    """Why a task has failed, in one line; nothing of a task whose result is hidden."""
    given = result.result
    if "censored" in given:  # what Ansible puts in place of the result of a task with no_log
        return f"{result.task.get_name().strip()}: failed, and its result is hidden"
    text = " ".join(said(given)).strip() or result.task.get_name().strip()
    line = text.splitlines()[0].strip()
    return line if len(line) <= REASON_LENGTH else f"{line[: REASON_LENGTH - 1]}…"

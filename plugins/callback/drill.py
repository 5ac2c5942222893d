"""Removes what a drill of a restore has made when that is interrupted, so that nobody has to think of it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: drill
type: aggregate
short_description: Removes what a drill has made when it is interrupted
description:
  - Ctrl-C ends Ansible without C(always) of a block. Where C(drill.yml) is ended so once it has the lock, the same
    command is run with C(-e remove=true) before C(ansible-playbook) ends. A drill that is killed is cleaned up after by
    the next one.
"""

VERB, LOCK = "drill.yml", "environment_lock"
REMOVING = "remove=true"


class CallbackModule(CallbackBase):
    """See `DOCUMENTATION`."""

    CALLBACK_NAME = "drill"

    def __init__(self) -> None:
        super().__init__()
        self._pid, self._begun = os.getpid(), False
        atexit.register(self._interrupted)

    def v2_runner_on_ok(self, result: Any) -> None:
        """With the lock a drill may begin to make something."""
        if result.task.action == LOCK and result.result.get("taken") and _is_drill():
            self._begun = True

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is through, and its playbook has removed all that it could."""
        self._begun = False

    def _interrupted(self) -> None:
        """The process ends without having been through."""
        if self._begun and os.getpid() == self._pid:
            self._begun = False
            self._display.display("The drill was interrupted: what it has made is being removed.", color="yellow")
            # Ctrl-C at a terminal is sent to its whole group; a second one ends this as well. Where the output goes is
            # said, as Ansible lets nothing that it starts inherit that.
            command = [sys.executable, *sys.argv, "-e", REMOVING]
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=1, stderr=2, check=False)


def _is_drill() -> bool:
    """Whether a drill was typed that makes something."""
    options = context.CLIARGS
    typed = [str(each) for each in options.get("extra_vars") or ()]
    names = [Path(each).name for each in options.get("args") or ()]
    return names == [VERB] and REMOVING not in typed and not options.get("check")

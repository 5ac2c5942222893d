"""The exit code of a run that went well and has something to say by it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: verdict
type: aggregate
short_description: The exit code that a run asks for
description:
  - Ansible ends with 0, with 2 if a task failed, and with 4 if a host could not be reached; a play cannot ask for
    another code. A verb whose answer is a code (C(plan), 3) says it by C(ansible.builtin.set_stats), as C(exit_code) of
    the run, and here the process ends with it.
  - A run that failed keeps Ansible's code, whatever it has asked for before.
"""
ASKED = "exit_code"


class CallbackModule(CallbackBase):
    """See `DOCUMENTATION`.

    Callbacks are told of a run's end in the order of their files' names, and this is the last of them, so that all
    others have heard of it. Ansible cleans up behind it (`finally` in PlaybookExecutor.run), as after an interrupt.
    """

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is over.

        Raises:
            SystemExit: with the code that it has asked for.
        """
        code = int(stats.custom.get("_run", {}).get(ASKED, 0))
        if code and not stats.failures and not stats.dark:
            raise SystemExit(code)

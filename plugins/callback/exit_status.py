"""A verb that answers a question ends with a status of its own, and not with that of any failure."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: exit_status
type: aggregate
short_description: The exit status that a task asks for
description:
  - Where a task fails that has a variable C(exit_status), C(ansible-playbook) ends with that status instead of 2. A
    failure of any other task keeps its own.
"""


class CallbackModule(CallbackBase):
    """See `DOCUMENTATION`."""

    CALLBACK_NAME = "exit_status"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._asked: set[int] = set()
        self._is_other = False

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task has failed."""
        if ignore_errors:
            return
        status = result.task.vars.get("exit_status")
        if isinstance(status, int):
            self._asked.add(status)
        else:
            self._is_other = True

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host cannot be reached."""
        self._is_other = self._is_other or not result.task.ignore_unreachable

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is over.

        Raises:
            SystemExit: with the status that was asked for; nothing but the process's end comes after it.
        """
        if self._asked and not self._is_other:
            raise SystemExit(max(self._asked))

"""What a run shows: its tasks, and of them what is new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as Default

DOCUMENTATION = """
name: concise
type: stdout
short_description: Ansible's own output without what says nothing
description:
  - As Ansible's C(default), but a task is one line as long as nothing has changed, so that a run without a change
    fits on a screen. What was changed, what failed, warnings and messages are shown as ever.
  - With C(-v) it is C(default), or by C(ANSIBLE_STDOUT_CALLBACK=default).
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""


class CallbackModule(Default):
    """See `DOCUMENTATION`."""

    CALLBACK_NAME = "concise"

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task went well."""
        if self._says_nothing(result):
            self._handle_warnings_and_exception(result)
        else:
            super().v2_runner_on_ok(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """A task of a loop did."""
        if self._says_nothing(result):
            self._handle_warnings_and_exception(result)
        else:
            super().v2_runner_item_on_ok(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task had nothing to do."""
        if self._display.verbosity:
            super().v2_runner_on_skipped(result)
        else:
            self._handle_warnings_and_exception(result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """A task of a loop had."""
        if self._display.verbosity:
            super().v2_runner_item_on_skipped(result)
        else:
            self._handle_warnings_and_exception(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task has failed; what it would have changed is seen as of any other."""
        if result.task.diff:
            self.v2_on_file_diff(result)
        super().v2_runner_on_failed(result, ignore_errors)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """A task of a loop has failed. Which one, its line says; all that an entry says would hide the reason."""
        if not self._display.verbosity and isinstance(result.result.get("item"), Mapping):
            del result.result["item"]
        super().v2_runner_item_on_failed(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """The tasks of a file come next."""
        if self._display.verbosity:
            super().v2_playbook_on_include(included_file)

    def _says_nothing(self, result: Any) -> bool:
        changed = result.result.get("changed", False)
        return not (changed or self._run_is_verbose(result) or isinstance(result.task, TaskInclude))

    def _print_task_banner(self, task: Any) -> None:
        """The line of a task; without the empty one before it, of which there would be as many."""
        if self._display.verbosity or constants.DISPLAY_ARGS_TO_STDOUT:
            super()._print_task_banner(task)
            return
        name = self._last_task_name or task.get_name().strip()
        self._display.display(f"{self._task_type_cache.get(task._uuid, 'TASK')} [{name}]")
        self._last_task_banner = task._uuid

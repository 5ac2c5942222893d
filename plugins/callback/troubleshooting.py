"""Where the message that a task ends with is explained, whatever message it is: ours, a module's or Ansible's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.troubleshooting import see

DOCUMENTATION = """
name: troubleshooting
type: aggregate
short_description: Where a failure's message is explained
description:
  - Behind each task that fails, or whose host cannot be reached, the address of the entry of
    C(docs/troubleshooting.md) that explains its message.
"""

SAID = ("msg", "stderr")
"""Keys of a result in which a module says why it failed."""


class CallbackModule(CallbackBase):
    """See `DOCUMENTATION`. It is called after the callback that shows the failure itself."""

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task has failed."""
        if not ignore_errors:
            self._tell(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host cannot be reached."""
        if not result.task.ignore_unreachable:
            self._tell(result)

    def _tell(self, result: Any) -> None:
        # What another callback prints (json, junit) may be read by a program.
        by_others = constants.DEFAULT_STDOUT_CALLBACK not in ("concise", "default")
        self._display.display(see("\n".join(said(result.result))), color=constants.COLOR_ERROR, stderr=by_others)


def said(result: Mapping[str, Any]) -> Iterator[str]:
    """What a failed result says, of a loop that of its failed items."""
    failed = [each for each in result.get("results") or () if isinstance(each, Mapping) and each.get("failed")]
    if failed:
        for each in failed:
            yield from said(each)
    else:
        yield from (str(result[key]) for key in SAID if result.get(key))

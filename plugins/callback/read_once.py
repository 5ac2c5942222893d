"""What Ansible, or each task, would read anew is read once, by the process of ansible-playbook."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.callback import CallbackBase

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

DOCUMENTATION = """
name: read_once
type: aggregate
short_description: Files of variables and of roles are read once in a run
description:
  - Ansible reads the C(vars_files) of a play anew for each of its tasks, and more often. What its loader has kept of a
    file it takes instead; so all of them are read when a run begins, and a run sees each as it was then.
  - Several tasks read what all roles say as data (M(check_variables) is the first of them). Each is done by a fork of
    C(ansible-playbook), so what that has read none of them reads again.
  - A file that cannot be read, or whose name is a template, is left to whoever needs it.
"""

FIRST = "check_variables"
"""The action of the first task that reads what all roles say; those that judge, ask and deploy layers come after it."""


class CallbackModule(CallbackBase):
    """See `DOCUMENTATION`."""

    CALLBACK_NAME = "read_once"

    def __init__(self) -> None:
        super().__init__()
        self._roles_read = False

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """A run begins."""
        for play in playbook.get_plays():
            for named in play.get_vars_files():
                if isinstance(named, str):
                    self._read(play, named)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """The next task; its process does not exist yet."""
        if task.action == FIRST and not self._roles_read:
            from plugins.plugin_utils.roles import Roles  # a play that needs no roles need not wait for it

            self._roles_read = True
            try:
                Roles(task.get_loader(), None, {}).read_all()
            except (AnsibleError, OSError):
                return  # the task says which file is wrong

    @staticmethod
    def _read(play: Any, named: str) -> None:
        """Have the loader keep a file, read in the same way as it is looked for later."""
        loader = play.get_loader()
        try:
            path = loader.path_dwim_relative_stack(play.get_search_path(), "vars", named)
            loader.load_from_file(path, cache="all", unsafe=True, trusted_as_template=True)
        except AnsibleError:
            return  # Ansible says what is wrong with it, where it says so of any other

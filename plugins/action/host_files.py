"""Install the files of a host role: their templates are rendered here, one call on the host does the rest."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader


class ActionModule(ActionBase):
    """See plugins/modules/host_files.py for its arguments and results."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Render, then run the module.

        Raises:
            AnsibleActionFail: an item lacks its path, its mode, or what makes its content.
        """
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        files = []
        for item in self._task.args.get("files") or []:
            if not {"path", "mode"} <= set(item) or len({"template", "content"} & set(item)) != 1:
                raise AnsibleActionFail(f"A file needs path, mode, and template or content: {dict(item)}")
            content = item["content"] if "content" in item else self._render(item["template"], variables)
            files.append({"path": item["path"], "mode": item["mode"], "content": content})
        result.update(self._execute_module(module_args={"files": files}, task_vars=variables))
        return result

    def _render(self, name: str, variables: dict[str, Any]) -> str:
        # By the lookup, as user data is (tasks/files.yml): both must be equal to the byte.
        lookup = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        rendered: str = lookup.run([name], variables)[0]
        return rendered

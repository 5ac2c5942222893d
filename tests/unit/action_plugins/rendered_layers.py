"""What `cloudformation_stacks` would deploy of these roles' layers; for tests, which call no API."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from plugins.plugin_utils.roles import PROJECT, Roles


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """Argument: `layers`, names of roles."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Layer → its options, the template rendered."""
        super().run(tmp, task_vars)
        roles = Roles(self._loader, self._templar, task_vars or {})
        nouns = self._task.args["layers"]
        return {
            "layers": {name: each for noun in nouns for name, each in roles.layers(noun, PROJECT / "cloudformation")}
        }

"""What roles ask an account, and how they judge its answers: `account.yml` beside a role's rules.

The file holds variables, which those of the other roles may read (two zones must do for the hosts and for every
database). Of them four are read here, each named after its role:

- `<role>_account_questions`: arguments of `aws_account_info`;
- `<role>_account_unasked`: question → what follows where the account did not answer it;
- `<role>_account_rules`: as in `rules.yml`;
- `<role>_account_warnings`: texts that are said, and no reason to stop; an empty one says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plugins.plugin_utils.roles import Roles


class Rooms:
    """The `account.yml` of some roles, in their order.

    Args:
        roles: reads and renders them.
        names: of the roles; one without the file asks nothing and judges nothing.

    Attributes:
        variables: what their rules and texts may read: what is known inside each of the roles, and all the files hold.
    """

    def __init__(self, roles: Roles, names: Sequence[str]) -> None:
        self._roles, self._names = roles, names
        files = [roles.account(name) for name in names]
        self.variables: dict[str, Any] = {}
        for known in (*map(roles.variables, names), *files):
            self.variables |= known

    def questions(self) -> dict[str, Any]:
        """Arguments of `aws_account_info`; lists and mappings of several roles are put together.

        Raises:
            ValueError: two roles ask the same question otherwise.
            AnsibleError: a question cannot be rendered.
        """
        found: dict[str, Any] = {}
        for name in self._names:
            for question, value in self._part(name, "questions", {}).items():
                before = found.get(question)
                if isinstance(value, Mapping):
                    found[question] = {**(before or {}), **value}
                elif isinstance(value, (list, tuple)):
                    found[question] = [*(before or []), *value]
                elif question in found and value != before:
                    raise ValueError(f"{name} asks {question}: {value}, and another role {question}: {before}")
                else:
                    found[question] = value
        return found

    def rules(self) -> Iterator[Mapping[str, Any]]:
        """The rules of all; not rendered, as a rule that is not said may read what does not exist."""
        for name in self._names:
            yield from self._roles.account(name).get(f"{name}_account_rules", [])

    def notes(self, unasked: Mapping[str, str]) -> list[str]:
        """Lines to say: what was not answered and what follows, then the warnings.

        Args:
            unasked: question → why, as `aws_account_info` returns it.

        Raises:
            KeyError: nobody says what follows.
            AnsibleError: a text cannot be rendered.
        """
        means: dict[str, str] = {}
        warnings: list[str] = []
        for name in self._names:
            if unasked:
                means |= self._part(name, "unasked", {})
            warnings += self._part(name, "warnings", [])
        lines = [f"Could not ask for {each}: {why.removesuffix('.')}. {means[each]}" for each, why in unasked.items()]
        return [line for text in (*sorted(lines), *warnings) if (line := " ".join(text.split()))]

    def _part(self, name: str, part: str, default: Any) -> Any:
        written = self._roles.account(name).get(f"{name}_account_{part}", default)
        return self._roles.value(written, self.variables) if written else written

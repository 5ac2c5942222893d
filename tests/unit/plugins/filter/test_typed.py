"""Commands as they are typed behind `-e command=`: the shell has taken the quotes away."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.parsing.splitter import parse_kv
from ansible.utils.context_objects import CLIArgs

from plugins.filter.typed import typed


@pytest.mark.parametrize(
    ("argument", "wanted"),
    [
        ("command=python manage.py check", "python manage.py check"),
        ('command=python -c "a=1; print(a)"', 'python -c "a=1; print(a)"'),
        ("command=id container=nginx", "id"),
        ("command='id -u' container=nginx", "id -u"),
        ("command=id", "id"),
    ],
)
def test_all_words_of_a_command_arrive(monkeypatch: pytest.MonkeyPatch, argument: str, wanted: str) -> None:
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"extra_vars": (argument,)}))
    assert typed(parse_kv(argument)["command"], "command", ["container"]) == wanted


def test_a_value_from_elsewhere_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"extra_vars": ("@file.yml", '{"command": "id -u"}')}))
    assert typed("id -u", "command", ["container"]) == "id -u"

"""Commands as they are typed behind `-e command=`: the shell has taken the quotes away."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.parsing.splitter import parse_kv
from ansible.utils.context_objects import CLIArgs

from plugins.filter.typed import typed, variables_typed


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


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {}),
        ("{}", {}),
        ('{"A": "b c", "_N1": 5, "ON": true, "F": 1.5}', {"A": "b c", "_N1": "5", "ON": "true", "F": "1.5"}),
        ({"A": "b"}, {"A": "b"}),
    ],
)
def test_variables_come_as_json_or_as_they_are(given: object, wanted: dict[str, str]) -> None:
    assert variables_typed(given, "env") == wanted


@pytest.mark.parametrize(
    "given", ["", "A=b", '{"A": "b"', "[1]", '{"A": {"B": "c"}}', '{"A": null}', '{"a b": "c"}', '{"": "c"}', ["A"], 5]
)
def test_what_is_none_is_refused_with_what_to_type(given: object) -> None:
    with pytest.raises(AnsibleFilterError, match=r'env holds no variables .* -e .\{"env": \{"LOG_LEVEL": "debug"\}\}'):
        variables_typed(given, "env")

"""Every key of a site's description has refused something, and every complaint of the model has been made.

That every key is given a right value too is counted where that goes through the real preflight
(tests/unit/roles/test_preflight_inventories.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from plugins.plugin_utils.site.place import Step
from tests.unit.plugins.plugin_utils.site import counted
from tests.unit.plugins.plugin_utils.site.counted import Watch
from tests.unit.plugins.plugin_utils.site.support import small, variables
from tests.unit.plugins.plugin_utils.site.test_site_bad_input import CASES
from tests.unit.plugins.plugin_utils.site.test_site_odd_values import put


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    """What was seen in the wrong cases, and in a site that has everything."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = Watch(monkeypatch)
        for each in CASES.values():
            made.read(small(each.wrong))
        assert made.read(variables("every_key")).problems == []
        yield made


def misplaced(watch: Watch, label: str) -> dict[tuple[Step, ...], str]:
    """Place → what is said of the words that people bring to a schema's things, all of them brought at once."""
    words = counted.schemas()[label].elsewhere
    given = put(variables("every_key"), watch.seen.places[label], dict.fromkeys(words, "x"))
    return {problem.path: problem.sentence for problem in watch.read(given).problems}


@pytest.mark.parametrize("label", counted.schemas())
def test_a_word_that_belongs_elsewhere_is_told_what_to_write(label: str, watch: Watch) -> None:
    schema, said = counted.schemas()[label], misplaced(watch, label)
    for word, instead in schema.elsewhere.items():
        assert said[*watch.seen.places[label], word] == f"is no key of {schema.what}: {instead}"


def test_every_key_has_refused_something(watch: Watch) -> None:
    assert watch.seen.without_wrong_value() == []


def test_every_complaint_has_been_made(watch: Watch) -> None:
    for label in counted.schemas():
        misplaced(watch, label)
    assert watch.seen.unmade(counted.of_the_model()) == []


def test_every_schema_is_counted() -> None:
    calls = [node for file in counted.MODEL for node in ast.walk(ast.parse(file.read_text())) if _makes_schema(node)]
    assert len(calls) == len(counted.schemas()), "one that is made in a function is not found by its name"


def _makes_schema(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Schema"


MODULE = '''
"""What is said here is no complaint."""
HINT = "Write one."
def kind(value, at):
    """Neither is this."""
    at.wrong("is none.")
    at.wrong(sentence(value))
    raise NoImage("Nor is this one.")
def sentence(value):
    return f"is {value}, {'and has a part. ' if value else 'x'}which ends so."
'''


def test_complaints_are_calls_of_wrong_and_sentences_and_nothing_else() -> None:
    found = counted.complaints("module.py", MODULE)
    assert sorted((each.first, each.says) for each in found) == [
        (3, r"Write\ one\."),
        (6, ""),
        (6, r"is\ none\."),
        (7, ""),
        (10, r"and\ has\ a\ part\."),
        (10, r"is\ .*,\ .*which\ ends\ so\."),
    ]


def test_what_nobody_said_is_named() -> None:
    known = counted.complaints("module.py", MODULE)
    seen = counted.Seen(
        said={("module.py", 6): {"is none."}, ("module.py", 7): {"is 5, and has a part. which ends so."}}
    )
    assert seen.unmade(known) == [r"module.py:3: Write\ one\."]
    assert seen.without_wrong_value() == sorted(counted.keys())

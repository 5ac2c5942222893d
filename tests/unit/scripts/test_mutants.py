"""scripts/mutants.py finds what no test notices, and leaves nothing of it behind."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.tests.until import until
from scripts import mutants, mutations
from scripts.changed import UNIT_TESTS

PROJECT = Path(__file__).resolve().parents[3]
MODULE = '''"""A module."""

LEAST = 3


def enough(count: int) -> bool:
    return count > LEAST


def countdown(count: int) -> int:
    while count:
        count -= 1
    return count


def nobody_asks(count: int) -> int:
    return count
'''
TESTS = """import small


def test_enough():
    assert small.enough(5)
    assert not small.enough(1)


def test_countdown():
    assert small.countdown(3) == 0
"""
RUN = """
import sys
from pathlib import Path
from scripts import mutants, mutations
mutants.PROJECT, mutants.EQUAL = Path.cwd(), Path("equal.txt")
mutants.SUBJECTS = {("small.py",): ("test_small.py",)}
mutants.FROM_THE_START, mutants.SECONDS = (), float(sys.argv.pop(1))
sys.exit(mutants.main(sys.argv[1:]))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One module and its tests, which notice some of its changes."""
    files = {
        "small.py": MODULE,
        "tests/unit/test_small.py": TESTS,
        "equal.txt": "",
        "pytest.ini": "[pytest]\npythonpath = .\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / "tmp").mkdir()
    (tmp_path / ".gitignore").write_text("tmp\n")
    return tmp_path


def started(project: Path, *arguments: str, seconds: float = 1.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(seconds), *arguments],
        cwd=project, env=os.environ | {"PYTHONPATH": str(PROJECT), "TMPDIR": str(project / "tmp")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def tried(project: Path, *arguments: str) -> tuple[int, str]:
    run = started(project, *arguments)
    output, _ = run.communicate(timeout=120)
    return run.returncode, output


def test_what_no_test_notices_is_shown_and_fails_the_run(project: Path) -> None:
    code, said = tried(project, "--all")
    assert code == 1
    assert "2 tests of 1 files ran" in said
    assert "survived: small.py:7 enough\n- return count > LEAST\n+ return count >= LEAST\n" in said
    assert "run by no test: small.py:17 nobody_asks\n- return count\n+ return\n" in said
    assert "+ return count <= LEAST" not in said  # noticed
    assert "+ count += 1" not in said  # endless
    assert " by time; 12 in all" in said
    assert (project / "small.py").read_text() == MODULE
    assert not list((project / "tmp").iterdir())


def test_a_module_whose_changes_are_all_noticed_or_known_to_be_none_passes(project: Path) -> None:
    with (project / "tests/unit/test_small.py").open("a") as tests:
        tests.write("    assert (small.enough(3), small.enough(4)) == (False, True)\n")
    (project / "equal.txt").write_text(
        "# About.\n\n# Nobody asks it.\nsmall.py nobody_asks\n- return count\n+ return\n"
    )
    code, said = tried(project, "--all", "small.py")
    assert code == 0, said
    assert "survived" not in said
    assert "100 %" in said


def test_a_sample_is_the_same_each_time() -> None:
    found = mutations.mutants("small.py", MODULE)
    chosen = mutants.some(found, 4, "1")
    assert chosen == mutants.some(found[::-1], 4, "1")
    assert chosen != mutants.some(found, 4, "2")
    others = [each for each in found if each is not chosen[1]]
    assert mutants.some(others, 4, "1")[:3] == [chosen[0], *chosen[2:]]


def test_an_entry_that_is_no_change_any_more_ends_the_run(project: Path) -> None:
    (project / "equal.txt").write_text("# It was so.\nsmall.py enough\n- return count > MOST\n+ return count >= MOST\n")
    code, said = tried(project)
    assert code == 1
    assert "No change any more, take it out of mutants_equal.txt:\nsmall.py enough\n- return count > MOST" in said


def test_an_entry_needs_its_reason() -> None:
    entry = "small.py enough\n- a\n+ b\n"
    assert mutants.equal(f"# About this file.\n\n# Why.\n{entry}") == {("small.py enough", "- a\n+ b"): "Why."}
    with pytest.raises(ValueError, match="needs a line with a reason"):
        mutants.equal(entry)


def test_the_entries_of_this_project_are_changes_of_its_modules() -> None:
    modules, files = mutants.subjects([])
    assert mutants.population(modules, mutants.equal(mutants.EQUAL.read_text())).keys() == set(modules)
    assert {"local_aws/ecs/scheduler.py", "plugins/filter/typed.py", "plugins/plugin_utils/stack.py"} <= set(modules)
    for patterns, tests in mutants.SUBJECTS.items():
        assert all(list(PROJECT.glob(pattern)) for pattern in patterns)
        assert all(any(list((PROJECT / top).rglob(pattern)) for top in UNIT_TESTS) for pattern in tests)
    assert "local_aws/tests/unit/test_ecs_scheduler.py" in files


def test_tests_that_fail_anyway_try_nothing(project: Path) -> None:
    (project / "small.py").write_text(MODULE.replace("count > LEAST", "True"))
    code, said = tried(project)
    assert code == 1
    assert said.startswith("The tests fail without any change:")
    assert "test_enough" in said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_the_tree_as_it_was(project: Path, how: signal.Signals) -> None:
    run = started(project, "--all", "--jobs", "1", seconds=60.0)
    assert run.stdout is not None
    assert "tests of 1 files" in run.stdout.readline()
    until(
        lambda: any("count += 1" in each.read_text() for each in (project / "tmp").rglob("small.py")), "the endless one"
    )
    run.send_signal(how)
    run.wait(timeout=30)
    assert (project / "small.py").read_text() == MODULE
    if how is not signal.SIGKILL:
        assert not list((project / "tmp").iterdir())


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a == b", {"a != b"}),
        ("a in b", {"a not in b"}),
        ("a and b", {"a or b", "a", "b"}),
        ("not a", {"a"}),
        ("a + b", {"a - b"}),
        ("a if b else c", {"a", "c"}),
        ("5", {"6", "4"}),
        ("True", {"False"}),
        ("'RUNNING'", {"'RUNNING-mutant'"}),
        ("'It runs.'", set()),
        ("f'{a} runs'", set()),
        ("f(a, key=b)", {"f(a)"}),
        ("{'a b': c}", {"{}"}),
        ("[a for a in b if c]", {"[a for a in b]"}),
        ("(90, 70, 50)", set()),
    ],
)
def test_what_may_stand_for_an_expression(code: str, changes: set[str]) -> None:
    found = mutations.mutants("m.py", f"def f() -> int:\n    x: int = {code}\n")
    assert {each.diff.partition("+ x: int = ")[2] for each in found} == changes


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("if a:\n    b", {"if True:", "if False:", "pass"}),
        ("while a:\n    b", {"while False:", "pass"}),
        ("for a in b:\n    continue", {"for a in ():", "pass", "break"}),
        ("return a", {"return"}),
        ("return", set()),
        ("a.b = c", {"pass"}),
        ("a = c", set()),
        ("a += c", {"pass", "a -= c"}),
        ("raise a", {"pass"}),
        ("import a", set()),
        ("'A docstring'", set()),
    ],
)
def test_what_may_stand_for_a_statement(code: str, changes: set[str]) -> None:
    indented = "\n".join(f"    {line}" for line in code.splitlines())
    found = mutations.mutants("m.py", f"def f():\n    a\n{indented}\n")
    assert {each.diff.rpartition("+ ")[2] for each in found if each.lines[0] > 2} == changes


def test_a_mutant_is_the_module_with_one_change() -> None:
    (least, *_) = [each for each in mutations.mutants("small.py", MODULE) if "LEAST = 4" in each.diff]
    assert (least.where, least.lines, least.imported) == ("", (3, 3), True)
    assert ast.dump(ast.parse(mutations.applied(MODULE, least))) == ast.dump(ast.parse(MODULE.replace("= 3", "= 4")))

"""What `make check` has to look at: the files that differ from the branch main, and the unit tests that they concern.

    python scripts/changed.py ansible-lint|unit

The first line says how many of how many; after `these:` comes what to look at, and without it there is nothing. Where
nothing differs from main, as on main itself, it is what the last commit changed. Where git cannot tell what differs, or
what differs may concern all of it, all tests are concerned, and ansible-lint, which takes minutes for all files, is
left to `make lint`.

A unit test is concerned by a module that it imports, directly or not. It is concerned by another file if it, or a
module that it imports, has the word for it in a string: of a file of Python its name, as it may be run or loaded by
that; of any other the folder at the project's root in which it lies (`roles`, `cloudformation`). That takes too many
rather than too few, the nearest first: `make check` begins no more of them when its time is up. `make test` and
`make unit` run all.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MAIN = ("main", "origin/main")
SETTINGS = (
    r"pyproject\.toml|ansible\.cfg|requirements.*|constraints\.txt|Makefile|\.\w.*|scripts/(check|changed|setup)\.\w+"
)
"""Settings and tools, which may concern everything."""
STANDS_ON = r"(tests/unit|local_aws/tests)/(conftest|fixtures|\w+_support)\.py|scripts/within\.py"
"""What all tests stand on."""
LOADED = re.compile(r"plugins/(action|callback|filter|inventory|lookup|modules|test)/")
"""Plugins: Ansible finds them by their folder, so that nobody need import them."""
UNIT_TESTS = ["tests/unit", "local_aws/tests/unit"]
NOT_LINTED = ("cloudformation/", "examples/", ".ci/", "tests/unit/recipes/")
"""As `exclude_paths` in .ansible-lint."""


def git(*arguments: str) -> list[str]:
    """Lines of git's answer.

    Raises:
        subprocess.CalledProcessError: it has none.
        OSError: there is no git.
    """
    done = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.split("\0" if "-z" in arguments else "\n") if line]


def changed() -> tuple[str, set[str]] | None:
    """From what they differ, and the paths that do, untracked ones included; None if git cannot tell.

    It is where this branch left main; on main the commit before the last, once nothing is left to commit.
    """
    bases = [(branch, ("merge-base", "HEAD", branch)) for branch in MAIN]
    known = False
    for said, question in [*bases, ("the commit before", ("rev-parse", "--verify", "--quiet", "HEAD~1"))]:
        try:
            (base,) = git(*question)
        except (subprocess.CalledProcessError, OSError):
            continue
        known = known or said in MAIN
        differing = {*git("diff", "--name-only", "-z", base), *git("ls-files", "-z", "--others", "--exclude-standard")}
        if differing and known:
            return said, differing
    return None


@functools.cache
def imported(path: Path) -> frozenset[Path]:
    """The project's modules that a module imports, anywhere in it."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            found |= set(_modules(name))
    return frozenset(found - {path})


def _modules(name: str) -> Iterable[Path]:
    """The files of a module: its own, those of the packages that it lies in, and of a package all that are in it."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        place = PROJECT.joinpath(*parts[:length])
        if place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
            if length == len(parts) and "iter_modules" in (place / "__init__.py").read_text():
                yield from place.glob("*.py")


@functools.cache
def reached(path: Path) -> frozenset[Path]:
    """A module and all of the project's that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting += imported(here)
    return frozenset(found)


@functools.cache
def words(path: Path) -> frozenset[str]:
    """The words in a module's strings, less its docstrings and addresses."""
    tree = ast.parse(path.read_text())
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told)
    strings = (re.sub(r"https?://\S+", "", text) for text in texts if isinstance(text, str))
    return frozenset(found for text in strings for found in re.findall(r"[A-Za-z_]\w*", text))


def concerned(test: Path, differing: Iterable[str]) -> bool:
    """Whether a test has to do with a file that differs."""
    modules = reached(test)
    known: set[str] = set().union(*map(words, modules))
    return any(PROJECT / name in modules or word(name) in known for name in differing)


def word(name: str) -> str:
    """The word by which a file is known to whoever does not import it."""
    path = Path(name)
    if path.suffix == ".py" and not LOADED.match(name):
        return path.parent.name if path.stem in ("__init__", "__main__") else path.stem
    return path.parts[0].partition(".")[0]


def unit(differing: set[str]) -> tuple[list[str], int]:
    """The test files to run, those first that differ or import what differs, and how many there are."""
    tests = sorted(path for folder in UNIT_TESTS for path in (PROJECT / folder).rglob("test_*.py"))
    tests = [path for path in tests if "recipes" not in path.parts]
    there = {PROJECT / name for name in differing}
    chosen = [test for test in tests if concerned(test, differing)]
    chosen.sort(key=lambda test: 0 if test in there else 1 if imported(test) & there else 2)
    return [str(test.relative_to(PROJECT)) for test in chosen], len(tests)


def playbooks(differing: set[str]) -> tuple[list[str], int]:
    """The files of Ansible that differ, and how many there are."""
    every = {*git("ls-files", "-z"), *git("ls-files", "-z", "--others", "--exclude-standard")}
    there = {name for name in every if name.endswith((".yml", ".yaml")) and not name.startswith(NOT_LINTED)}
    there = {name for name in there if (PROJECT / name).is_file() and not (PROJECT / name).is_symlink()}
    return sorted(there & differing), len(there)


KINDS: dict[str, tuple[Callable[[set[str]], tuple[list[str], int]], re.Pattern[str], list[str] | None]] = {
    "unit": (unit, re.compile(f"{SETTINGS}|{STANDS_ON}"), UNIT_TESTS),
    "ansible-lint": (playbooks, re.compile(SETTINGS), None),
}
"""What looks → how it chooses, what concerns everything, and its arguments for that."""


def chosen(kind: str) -> tuple[str, list[str] | None]:
    """What is looked at in words, and as arguments; None for nothing."""
    choose, of_all, everything = KINDS[kind]
    words = "all" if everything else "left to make lint"
    found = changed()
    if found is None:
        return f"{words}, as there is no main to compare with, or nothing before it", everything
    base, differing = found
    if concerning := sorted(name for name in differing if of_all.fullmatch(name)):
        return f"{words}, as {concerning[0]} differs from {base}", everything
    files, count = choose(differing)
    return f"{len(files)} of {count} files, as {len(differing)} differ from {base}", files or None


if __name__ == "__main__":
    said, arguments = chosen(sys.argv[1])
    print(said if arguments is None else "\n".join([said, "these:", *arguments]))

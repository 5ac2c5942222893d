"""What `make check` has to look at: the files that differ from the branch main, and the unit tests that they concern.

    python scripts/changed.py ansible-lint|cfn-lint|docs|unit

The first line says how many of how many; after `these:` comes what to look at (all, if nothing comes), and without it
there is nothing. Where nothing differs from main, as on main itself, it is what the last commit changed. Where git
cannot tell what differs, or what differs may concern all of it, all tests are concerned, and ansible-lint, which takes
minutes for all files, is left to `make lint`; so are files that differ beyond the first `MOST_LINTED`, and to
`make unit` tests beyond the nearest `MOST_TESTS`.

A unit test is concerned by a module that it imports, directly or not. It is concerned by another file if it, or a
module that it imports, has the word for it in a string: of a file of Python its name, as it may be run or loaded by
that; of any other the folder at the project's root in which it lies (`roles`, `cloudformation`). That takes too many
rather than too few, the nearest first: `make check` begins no more of them when its time is up. `make test` and
`make unit` run all.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
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
MOST_LINTED = 25
"""How many files ansible-lint looks at in a check: half a second each."""
MOST_TESTS = 80
"""How many test files are begun with: to collect all of them takes each worker 11 seconds of its 30, without a test."""
PAGE = re.compile(
    r".*\.md|docs/.*|scripts/(docs.*|pages/.*)|roles/[^/]+/(meta/argument_specs|defaults/main)\.yml|group_vars/all/site\.yml"
)
"""What the documentation is made of (scripts/docs_pages.py), less the Makefile, which is among the settings."""
MEMORY = ".cache/changed.json"
ADDRESS, WORD = re.compile(r"https?://\S+"), re.compile(r"[A-Za-z_]\w*")
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


class Remembered:
    """What was read of each module in an earlier run: to read all of them takes longer than many a test.

    Attributes:
        known: path → when it was changed and how long it is, the names that it imports, and the words in its strings.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[list[int], list[str], list[str]]] = {}
        self._new = False

    def load(self) -> None:
        """Take what is there; what cannot be read is read anew."""
        with contextlib.suppress(OSError, ValueError):
            self.known = json.loads((PROJECT / MEMORY).read_text())

    def save(self) -> None:
        """Leave it to the next run, of the modules that there are."""
        if not self._new:
            return
        path = PROJECT / MEMORY
        path.parent.mkdir(exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")  # unit tests and linters are chosen at the same time
        beside.write_text(json.dumps({name: each for name, each in self.known.items() if Path(name).exists()}))
        beside.replace(path)

    def read(self, path: Path) -> tuple[list[str], list[str]]:
        """The names that a module imports, anywhere in it, and the words in its strings.

        Docstrings and addresses are left out.
        """
        stamp = [path.stat().st_mtime_ns, path.stat().st_size]
        if (found := self.known.get(str(path))) and found[0] == stamp:
            return found[1], found[2]
        self._new = True
        self.known[str(path)] = stamp, *_read(path.read_text())
        return self.known[str(path)][1:]


REMEMBERED = Remembered()


def _read(source: str) -> tuple[list[str], list[str]]:
    names, texts, told = set[str](), list[str](), set[int]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Expr):
            told.add(id(node.value))  # is walked before what is in it
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            texts.append(ADDRESS.sub("", node.value))
    return sorted(names), sorted({word for text in texts for word in WORD.findall(text)})


@functools.cache
def imported(path: Path) -> frozenset[Path]:
    """The project's modules that a module imports, anywhere in it."""
    return frozenset(module for name in REMEMBERED.read(path)[0] for module in _modules(PROJECT, name)) - {path}


@functools.cache
def _modules(project: Path, name: str) -> tuple[Path, ...]:
    """The files of a module: its own, those of the packages that it lies in, and of a package all that are in it."""
    return tuple(_modules_of(project, name))


def _modules_of(project: Path, name: str) -> Iterable[Path]:
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        place = project.joinpath(*parts[:length])
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
    return frozenset(REMEMBERED.read(path)[1])


def concerned(test: Path, differing: Iterable[str]) -> bool:
    """Whether a test has to do with a file that differs."""
    modules = reached(test)
    wanted = {word(name) for name in differing}
    return any(PROJECT / name in modules for name in differing) or any(wanted & words(each) for each in modules)


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


def templates(differing: set[str]) -> tuple[list[str], int]:
    """The templates of CloudFormation that differ, and how many there are."""
    there = {str(path.relative_to(PROJECT)) for path in (PROJECT / "cloudformation").glob("*.yml")}
    return sorted(there & differing), len(there)


def pages(differing: set[str]) -> tuple[list[str], int]:
    """What differs and is in the documentation, or is there no longer, as a page may lead to it; and of how many."""
    every = {*git("ls-files", "-z"), *git("ls-files", "-z", "--others", "--exclude-standard")}
    gone = {name for name in differing if not (PROJECT / name).exists()}
    return sorted({name for name in differing if PAGE.fullmatch(name)} | gone), sum(
        bool(PAGE.fullmatch(name)) for name in every
    )


KINDS: dict[str, tuple[Callable[[set[str]], tuple[list[str], int]], re.Pattern[str], list[str] | None]] = {
    "unit": (unit, re.compile(f"{SETTINGS}|{STANDS_ON}"), UNIT_TESTS),
    "ansible-lint": (playbooks, re.compile(SETTINGS), None),
    "cfn-lint": (templates, re.compile(SETTINGS), []),
    "docs": (pages, re.compile(SETTINGS), []),
}
"""What looks → how it chooses, what concerns everything, and its arguments for that."""
WHOLE = ("cfn-lint", "docs")
"""Who looks at everything if one of its files differs, as that takes seconds."""
MOST = {
    "ansible-lint": (MOST_LINTED, "that differ are left to make lint"),
    "unit": (MOST_TESTS, "that it concerns are left to make unit"),
}
"""Who looks at so many files at most, and what is said of the others."""


def chosen(kind: str) -> tuple[str, list[str] | None]:
    """What is looked at in words, and as arguments; None for nothing."""
    choose, of_all, everything = KINDS[kind]
    words = "left to make lint" if everything is None else "all"
    found = changed()
    if found is None:
        return f"{words}, as there is no main to compare with, or nothing before it", everything
    base, differing = found
    if concerning := sorted(name for name in differing if of_all.fullmatch(name)):
        return f"{words}, as {concerning[0]} differs from {base}", everything
    files, count = choose(differing)
    if kind in WHOLE and files:
        return f"all {count} files, as {len(files)} of them differ from {base}", []
    most, rest = MOST.get(kind, (len(files), ""))
    left = f" ({len(files) - most} more {rest})" if len(files) > most else ""
    looked = files[:most]
    return f"{len(looked)} of {count} files{left}, as {len(differing)} differ from {base}", looked or None


if __name__ == "__main__":
    REMEMBERED.load()
    said, arguments = chosen(sys.argv[1])
    REMEMBERED.save()
    print(said if arguments is None else "\n".join([said, "these:", *arguments]))

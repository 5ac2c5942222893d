"""Whether the tests notice when a module is changed: small changes, one at a time, each of which has to fail a test.

    python -m scripts.mutants [--all] [--sample 30] [--seed 1] [--jobs 2] [module or folder …]

The changes are made of each module's syntax tree (scripts/mutations.py), so that nobody picks them; of each module
`--sample` are tried, the same ones each time until `--seed` is another. A change that no test fails on has survived,
and is shown. Of a module LEAST percent have to be noticed, or the exit code is 1. What makes no difference that a test
could see stands with its reason in scripts/mutants_equal.txt and is not tried; an entry there that is no change any
more ends the run.

It is all done in copies of the tree in a temporary folder, so that a run that is killed leaves nothing behind. The
tests that stand for the modules (SUBJECTS) run once first, to see which lines of the modules each of them runs;
thereafter a change costs only the tests that run its line, the quickest first, in a process forked after what is
imported from elsewhere is there. One that takes too long (an endless loop, mostly) is noticed.

Why not mutmut, which is kept well: version 3 changes nothing outside of functions (here the tables of states and the
constants), leaves out no statement, and has no sample; it wants a section of pyproject.toml, a list of tests for all
modules at once and a folder `mutants` in the tree, and finds modules by their import, which Ansible's plugins have not.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import hashlib
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from scripts.changed import UNIT_TESTS
from scripts.mutations import Mutant, applied, mutants

PROJECT = Path(__file__).resolve().parent.parent
EQUAL = PROJECT / "scripts/mutants_equal.txt"
LEAST = 90
"""Percent of a module's changes that tests have to notice."""
SUBJECTS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("local_aws/agent/ecs_agent/dependencies.py",): ("test_ecs_agent_dependencies.py",),
    ("local_aws/ecs/scheduler.py", "local_aws/ecs/placement.py", "local_aws/ecs/deployments.py"): (
        "test_ecs_*.py",
        "test_many_hosts.py",
    ),
    ("local_aws/cloudformation/engine.py", "local_aws/cloudformation/stacks.py"): ("test_cloudformation_*.py",),
    ("plugins/plugin_utils/stack*.py",): ("test_plugin_stack*.py", "test_stack_*.py", "test_data_losses.py"),
    ("plugins/filter/*.py",): (
        "test_filters.py",
        "test_function_code.py",
        "test_host_names.py",
        "test_noun_service_templates.py",
        "test_sizes.py",
        "test_ssh_keys.py",
        "test_static_files.py",
        "test_typed.py",
        "test_user_data.py",
    ),
}
"""Modules → the files of unit tests that stand for them."""
LEFT_OUT = "not playbook and not docker and not long"
"""Tests that take seconds each and run what they test in other processes."""
FROM_THE_START = ("moto.moto_server.werkzeug_app", "boto3", "docker", "ansible.plugins.loader", "ansible.template")
"""What the tests import that is slow, and not of this project."""
ENDED_BADLY = 70
"""Exit code of what was to go on."""
SECONDS, TIMES = 20.0, 10.0
"""How long the tests of one change may take: so long, and so many times what they took before."""


@dataclasses.dataclass
class Ran:
    """What the tests did with the modules as they are.

    Attributes:
        lines: module → line → tests (ids of pytest) that run it.
        seconds: test → how long it took.
    """

    lines: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that can notice it, the quickest first; of what is run by the import all that need the module."""
        lines = self.lines.get(mutant.path, {})
        first, last = mutant.lines
        chosen = (found for line, found in lines.items() if mutant.imported or first <= line <= last)
        return sorted(set[str]().union(*chosen), key=lambda test: (self.seconds.get(test, 0.0), test))


class Look:
    """Plugin of pytest that sees which test runs which line; also in threads that it starts."""

    def __init__(self, copy: Path, modules: Iterable[str]) -> None:
        self._modules = {str(copy / module): module for module in modules}
        self.lines: dict[str, dict[int, set[str]]] = {module: defaultdict(set) for module in modules}
        self.seconds: dict[str, float] = defaultdict(float)
        self._test = ""

    def pytest_sessionstart(self) -> None:
        threading.settrace(self._frame)
        sys.settrace(self._frame)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = nodeid
        sys.settrace(self._frame)  # a test may have had one of its own

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        sys.settrace(None)
        threading.settrace(None)

    def _frame(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        module = self._modules.get(frame.f_code.co_filename)
        if module is None:
            return None
        lines = self.lines[module]

        def line(frame: FrameType, _event: str, _argument: Any) -> Any:
            if self._test:
                lines[frame.f_lineno].add(self._test)
            return line

        return line(frame, "", None)


class Chosen:
    """Plugin of pytest that leaves only certain tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (each for each in items if each.nodeid in self._order), key=lambda each: self._order[each.nodeid]
        )


def copied(to: Path) -> Path:
    """A copy of what git knows of the tree, or would if it were told."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split("\0"):
        source, target = PROJECT / name, to / name
        if name and (source.is_symlink() or source.is_file()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return to


def forked(work: Callable[[], int]) -> int:
    """Do `work` in a process and a process group of its own, which ends with what it returns; the process's id."""
    sys.stdout.flush()
    if pid := os.fork():
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # whichever of the two comes first
        return pid
    code = ENDED_BADLY
    try:
        os.setpgid(0, 0)
        code = work()
    except BaseException:  # whatever it is, it must not go on in what the parent does next
        traceback.print_exc()
    finally:
        os._exit(code)


def waited(pid: int, seconds: float) -> int | None:
    """The exit code of a process; None if it had to be killed, after so many seconds. Its group is gone in any case."""
    deadline = time.monotonic() + seconds
    ended = 0
    try:
        while not ended and time.monotonic() < deadline:
            ended, status = os.waitpid(pid, os.WNOHANG)
            time.sleep(0.0 if ended else 0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    if not ended:
        os.waitpid(pid, 0)
        return None
    return os.waitstatus_to_exitcode(status)


def at_home(copy: Path) -> None:
    """Make a process ready for tests in a copy of the tree."""
    os.chdir(copy)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for name in FROM_THE_START:
        importlib.import_module(name)


def tested(copy: Path, files: Iterable[str], plugin: object) -> int:
    """Run tests in this process, in a copy of the tree; pytest's exit code."""
    with (copy.parent / f"{copy.name}.log").open("w") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    sys.path[:] = [str(copy), *(each for each in sys.path if Path(each).resolve() != PROJECT)]
    for name in [each for each in sys.modules if each.partition(".")[0] == "scripts"]:
        del sys.modules[name]  # the tests' own
    quiet = ["--exitfirst", "--quiet", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", LEFT_OUT]
    return int(pytest.main([*quiet, f"--basetemp={copy}.tmp", *files], plugins=[plugin]))


def looked(copy: Path, modules: Iterable[str], files: Iterable[str]) -> Ran:
    """Run the tests on the modules as they are.

    Raises:
        SystemExit: one of them fails.
    """
    kept = copy.parent / "ran"

    def work() -> int:
        at_home(copy)
        look = Look(copy, modules)
        code = tested(copy, files, look)
        kept.write_text(json.dumps([look.lines, look.seconds], default=list))
        return code

    sys.dont_write_bytecode = False  # what is compiled now serves all
    if waited(forked(work), float("inf")) != 0:
        raise SystemExit(f"The tests fail without any change:\n{(copy.parent / f'{copy.name}.log').read_text()}")
    by_module, seconds = json.loads(kept.read_text())
    lines = {name: {int(line): set(tests) for line, tests in each.items()} for name, each in by_module.items()}
    return Ran(lines, seconds)


def tried(copy: Path, share: Sequence[tuple[int, Mutant]], ran: Ran, told: int) -> int:
    """Try mutants one after the other in a copy of the tree, and tell of each.

    Args:
        copy: of the tree, of nobody else.
        share: the mutants, each with what it is called.
        ran: see `looked`.
        told: file to write a line of JSON to for each: what it is called, and how it ended.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED_BADLY))
    at_home(copy)
    sys.dont_write_bytecode = True
    for name, mutant in share:
        how = outcome(copy, mutant, ran)
        os.write(told, f"{json.dumps([name, how])}\n".encode())
    return 0


def outcome(copy: Path, mutant: Mutant, ran: Ran) -> str:
    """How a mutant ends: `noticed`, `noticed by time`, `survived` or `run by no test`."""
    tests = ran.tests(mutant)
    if not tests:
        return "run by no test"
    module = copy / mutant.path
    source = module.read_text()
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    seconds = SECONDS + TIMES * sum(ran.seconds[test] for test in tests)
    module.write_text(applied(source, mutant))
    try:
        code = waited(forked(lambda: tested(copy, files, Chosen(tests))), seconds)
    finally:
        module.write_text(source)
    if code is None:
        return "noticed by time"
    # 5: not one of the tests has its name any more, as its parameters are made of what was changed.
    return "survived" if code in (0, 5) else "noticed"


def equal(text: str) -> dict[tuple[str, str], str]:
    """Module with function, and diff → why no test can see the difference.

    Raises:
        ValueError: an entry has no reason, or is none.
    """
    found = {}
    for block in re.split(r"\n\s*\n", text.strip()):
        why = [line.removeprefix("#").strip() for line in block.splitlines() if line.startswith("#")]
        rest = [line for line in block.splitlines() if not line.startswith("#")]
        if not rest:
            continue  # about the file
        if not why or len(rest) < 2:
            raise ValueError(
                f"An entry needs a line with a reason after #, one with module and function, a diff:\n{block}"
            )
        found[rest[0].strip(), "\n".join(rest[1:])] = " ".join(why)
    return found


def name_of(mutant: Mutant) -> tuple[str, str]:
    """What an entry of mutants_equal.txt says for it."""
    return f"{mutant.path} {mutant.where}".strip(), mutant.diff


def population(modules: Iterable[str], without: Mapping[tuple[str, str], str]) -> dict[str, list[Mutant]]:
    """Module → its mutants, less those that are known to be no difference.

    Raises:
        SystemExit: one of those is no mutant of its module.
    """
    every = {module: mutants(module, (PROJECT / module).read_text()) for module in modules}
    names = {name_of(mutant) for each in every.values() for mutant in each}
    if gone := [name for name in without if name[0].split()[0] in every and name not in names]:
        raise SystemExit("No change any more, take it out of mutants_equal.txt:\n" + "\n".join(map("\n".join, gone)))
    return {module: [each for each in found if name_of(each) not in without] for module, found in every.items()}


def some(found: Sequence[Mutant], count: int, seed: str) -> list[Mutant]:
    """So many, chosen by what they are: one more or less of the others leaves the choice as it is."""

    def draw(mutant: Mutant) -> str:
        return hashlib.sha256("\n".join((seed, *name_of(mutant))).encode()).hexdigest()

    return sorted(found, key=draw)[:count]


def subjects(wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """Modules, all or those below the paths that are wanted, and the test files that stand for them."""
    modules: list[str] = []
    files: dict[str, None] = {}
    for patterns, tests in SUBJECTS.items():
        paths = [path for pattern in patterns for path in sorted(PROJECT.glob(pattern))]
        here = [str(path.relative_to(PROJECT)) for path in paths if path.name != "__init__.py"]
        here = [each for each in here if not wanted or any(Path(each).is_relative_to(place) for place in wanted)]
        if here:
            modules += here
            there = (path for pattern in tests for top in UNIT_TESTS for path in sorted((PROJECT / top).rglob(pattern)))
            files |= dict.fromkeys(str(path.relative_to(PROJECT)) for path in there if "recipes" not in path.parts)
    return modules, list(files)


def outcomes(folder: Path, chosen: Sequence[Mutant], ran: Ran, jobs: int) -> Iterator[tuple[Mutant, str]]:
    """Each mutant with how it ended, as they end; tried in as many copies of the tree as there are jobs."""
    copies = [folder / str(number) for number in range(jobs)]
    for copy in copies[1:]:
        shutil.copytree(copies[0], copy, symlinks=True)
    listening, telling = os.pipe()
    numbered = list(enumerate(chosen))
    slots = []
    try:
        for number, copy in enumerate(copies):
            share = numbered[number::jobs]
            slots.append(forked(functools.partial(tried, copy, share, ran, telling)))
        os.close(telling)
        left = dict(numbered)
        with os.fdopen(listening) as lines:
            for line in lines:
                name, how = json.loads(line)
                yield left.pop(name), how
        if left:
            raise SystemExit(f"{len(left)} changes were not tried, as a process of this run has ended.")
    finally:
        for pid in slots:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


def row(module: str, ends: Sequence[str], every: int) -> tuple[str, bool]:
    """A line about a module, and whether enough was noticed."""
    noticed = sum(how.startswith("noticed") for how in ends)
    late = ends.count("noticed by time")
    share = 100 * noticed // len(ends) if ends else 100
    said = f"{module:<45} {share:3} %  {noticed} of {len(ends)} noticed"
    return f"{said}{f', {late} by time' if late else ''}; {every} in all", share >= LEAST


def main(arguments: Sequence[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description="Small changes of modules, each of which has to fail a test.")
    parser.add_argument("modules", nargs="*", help="modules or folders; by default all that have tests named here")
    parser.add_argument("--all", action="store_true", help="every change, not a sample")
    parser.add_argument("--sample", type=int, default=30, help="how many of a module (%(default)s)")
    parser.add_argument("--seed", default="1", help="which ones (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many at a time (%(default)s)")
    given = parser.parse_args(arguments)
    modules, files = subjects(given.modules)
    if not modules:
        parser.error("no module is there. SUBJECTS in scripts/mutants.py names them.")
    every = population(modules, equal(EQUAL.read_text()))
    chosen = [
        each for found in every.values() for each in some(found, len(found) if given.all else given.sample, given.seed)
    ]
    ends: dict[str, list[str]] = {module: [] for module in modules}
    for number in (signal.SIGTERM, signal.SIGINT):  # the latter is ignored in what a shell runs in the background
        signal.signal(number, lambda *_: sys.exit(ENDED_BADLY))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        first = copied(Path(folder).resolve() / "0")
        started = time.monotonic()
        ran = looked(first, modules, files)
        print(f"{len(ran.seconds)} tests of {len(files)} files ran in {time.monotonic() - started:.0f} s.", flush=True)
        for mutant, how in outcomes(first.parent, chosen, ran, given.jobs):
            ends[mutant.path].append(how)
            if not how.startswith("noticed"):
                print(f"\n{how}: {mutant}", flush=True)
    rows = [row(module, ends[module], len(every[module])) for module in modules]
    print("", *(said for said, _ in rows), sep="\n")
    return 0 if all(enough for _, enough in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

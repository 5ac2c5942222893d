"""`make check` looks at what differs from main: never at too little, and it says of how many."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import changed

PROJECT = Path(__file__).resolve().parents[3]
FILES = {
    "README.md": "",
    "pyproject.toml": "",
    "roles/web/tasks/main.yml": "",
    "roles/web/README.md": "",
    "cloudformation/web.yml": "",
    "plugins/__init__.py": "",
    "plugins/filter/names.py": "",
    "plugins/plugin_utils/__init__.py": "",
    "plugins/plugin_utils/roles.py": 'FOLDER = "roles"\n',
    "plugins/plugin_utils/sizes.py": "",
    "handlers/__init__.py": "import pkgutil\nfor each in pkgutil.iter_modules(__path__): pass\n",
    "handlers/sns.py": "",
    "tests/unit/test_roles.py": "from plugins.plugin_utils.roles import FOLDER\n",
    "tests/unit/test_sizes.py": "def test() -> None:\n    from plugins.plugin_utils import sizes\n",
    "tests/unit/test_handlers.py": "import handlers\n",
    "tests/unit/test_filters.py": 'PLACE = "plugins"\n',
    "tests/unit/test_scripts.py": 'RUN = ["python", "scripts/hello.py"], ["python", "-m", "tool"]\n',
    "tests/unit/test_links.py": '"""See roles/."""\nPAGE = "https://roles.example.org/cloudformation"\n',
    "tests/unit/test_pages.py": 'PAGES = ["README"]\n',
}


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project on a branch of its own, nothing of which differs from main yet."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "All")
    git(tmp_path, "switch", "--quiet", "--create", "other")
    monkeypatch.setattr(changed, "PROJECT", tmp_path)
    for cached in (changed.imported, changed.reached, changed.words):
        cached.cache_clear()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("plugins/plugin_utils/roles.py", ["roles"]),
        ("plugins/plugin_utils/sizes.py", ["sizes"]),
        ("plugins/__init__.py", ["filters", "roles", "sizes"]),
        ("handlers/sns.py", ["handlers"]),
        ("scripts/hello.py", ["scripts"]),
        ("tool/__main__.py", ["scripts"]),
        ("handlers/new.py", ["handlers"]),
        ("roles/web/tasks/main.yml", ["roles"]),
        ("roles/web/templates/new.j2", ["roles"]),
        ("plugins/filter/names.py", ["filters"]),
        ("README.md", ["pages"]),
        ("tests/unit/test_sizes.py", ["sizes"]),
        ("cloudformation/web.yml", []),
    ],
)
def test_the_tests_that_have_to_do_with_a_file_are_chosen(project: Path, name: str, tests: list[str]) -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    with (project / name).open("a") as file:
        file.write("# more\n")
    said, files = changed.chosen("unit")
    assert sorted(files or []) == [f"tests/unit/test_{each}.py" for each in tests]
    assert said == f"{len(tests)} of 7 files, as 1 differ from main"


def test_the_nearest_tests_come_first(project: Path) -> None:
    for name in ("plugins/plugin_utils/roles.py", "tests/unit/test_links.py", "README.md"):
        (project / name).write_text(FILES[name] + "# more\n")
    chosen = changed.chosen("unit")[1]
    assert chosen == [f"tests/unit/test_{each}.py" for each in ("links", "roles", "pages")]


@pytest.mark.parametrize(("within", "counted"), [("0", "2 skipped"), ("60", "2 passed")])
def test_no_more_tests_are_begun_than_the_time_is_for(tmp_path: Path, within: str, counted: str) -> None:
    (tmp_path / "test_two.py").write_text("def test_one():\n    pass\n\n\ndef test_two():\n    pass\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "-p",
        "scripts.within",
        "--within",
        within,
        "-p",
        "no:cacheprovider",
        str(tmp_path),
    ]
    done = subprocess.run(
        command, cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert counted in done.stdout, done.stdout + done.stderr


def test_committed_staged_and_untracked_files_count(project: Path) -> None:
    (project / "roles/web/tasks/one.yml").write_text("")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "One")
    (project / "roles/web/tasks/main.yml").write_text("- name: A\n")
    git(project, "add", ".")
    (project / "roles/web/tasks/new.yml").write_text("")
    (project / "cloudformation/web.yml").write_text("a: b\n")
    said, files = changed.chosen("ansible-lint")
    assert files == [f"roles/web/tasks/{name}.yml" for name in ("main", "new", "one")]
    assert said == "3 of 3 files, as 4 differ from main"


def test_on_main_it_is_what_the_last_commit_changed(project: Path) -> None:
    git(project, "switch", "--quiet", "main")
    for name in ("plugins/plugin_utils/sizes.py", "plugins/plugin_utils/roles.py"):
        (project / name).write_text("FOLDER = 'x'\n")
        git(project, "commit", "--quiet", "--all", "--message", name)
    assert changed.chosen("unit") == ("1 of 7 files, as 1 differ from the commit before", ["tests/unit/test_roles.py"])
    (project / "README.md").write_text("more")
    assert changed.chosen("unit") == ("1 of 7 files, as 1 differ from main", ["tests/unit/test_pages.py"])


def test_a_file_that_went_is_not_looked_for_and_concerns_tests(project: Path) -> None:
    (project / "roles/web/tasks/main.yml").unlink()
    assert changed.chosen("ansible-lint") == ("0 of 0 files, as 1 differ from main", None)
    assert changed.chosen("unit")[1] == ["tests/unit/test_roles.py"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _: None, "all, as there is no main to compare with, or nothing before it"),
        (lambda folder: git(folder, "branch", "--delete", "--force", "main"), "all, as there is no main"),
        (lambda folder: shutil.rmtree(folder / ".git"), "all, as there is no main"),
        (lambda folder: (folder / "pyproject.toml").write_text("x"), "all, as pyproject.toml differs from main"),
    ],
    ids=["the first commit", "no main", "no repository", "settings"],
)
def test_all_is_looked_at_where_a_choice_would_be_a_guess(
    project: Path, spoil: Callable[[Path], object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    spoil(project)
    assert changed.chosen("ansible-lint") == (changed.chosen("unit")[0].replace("all,", "left to make lint,"), None)
    said, files = changed.chosen("unit")
    assert said.startswith(why)
    assert files == ["tests/unit", "local_aws/tests/unit"]


STUB = """#!/bin/bash
echo "$(basename "$0") $*" >>"$LOG"
[[ $(basename "$0") == "${SLOW:-}" ]] && sleep 60
[[ $(basename "$0") != "${FAILING:-}" ]]
"""


def check(folder: Path, part: str, **variables: str) -> tuple[int, str, list[str]]:
    """Exit code and output of scripts/check.sh in a folder where every tool is a stub, and what was called."""
    (folder / "scripts").mkdir(exist_ok=True)
    for name in ("check.sh", "changed.py", "docs.sh"):
        shutil.copy(PROJECT / "scripts" / name, folder / "scripts")
    (folder / "bin").mkdir(exist_ok=True)
    for name in ("ruff", "mypy", "yamllint", "ansible-lint", "cfn-lint", "pytest", "sphinx-build"):
        (folder / "bin" / name).write_text(STUB)
        (folder / "bin" / name).chmod(0o755)
    log = folder / "calls"
    log.write_text("")
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "LOG": str(log), **variables}
    arguments = [str(folder / "scripts/check.sh"), *([part] if part else [])]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()


def called(calls: list[str], tool: str) -> list[str]:
    return [call for call in calls if call.startswith(f"{tool} ")]


def test_check_runs_what_was_chosen_and_says_how_much_that_is(project: Path) -> None:
    (project / ".git/info/exclude").write_text("/scripts\n/bin\n/calls\n/.cache\n")
    (project / "roles/web/tasks/main.yml").write_text("- name: A\n")
    code, said, calls = check(project, "changed")
    assert code == 0, said
    assert called(calls, "ansible-lint") == ["ansible-lint --offline --strict roles/web/tasks/main.yml"]
    (tests,) = called(calls, "pytest")
    assert tests.endswith("--quiet -p scripts.within --within 30 tests/unit/test_roles.py")
    assert "s): 1 of 7 files, as 1 differ from main" in said
    assert called(calls, "mypy")
    assert called(calls, "yamllint") == ["yamllint --strict ."]


def test_check_says_where_there_is_nothing_to_look_at(project: Path) -> None:
    (project / ".git/info/exclude").write_text("/scripts\n/bin\n/calls\n/.cache\n")
    (project / "README.md").write_text("more")
    code, said, calls = check(project, "changed")
    assert code == 0
    assert "ansible-lint (nothing to look at): 0 of 1 files, as 1 differ from main" in said
    assert called(calls, "ansible-lint") == []


@pytest.mark.parametrize("part", ["", "unit"])
def test_without_a_word_everything_runs_whatever_differs(project: Path, part: str) -> None:
    (project / "README.md").write_text("more")
    _, _, calls = check(project, part)
    (tests,) = called(calls, "pytest")
    assert tests.endswith("--quiet tests/unit local_aws/tests/unit")
    assert called(calls, "ansible-lint") == ([] if part else ["ansible-lint --offline --strict"])


def test_ansible_lint_looks_at_no_more_files_than_it_has_time_for(project: Path) -> None:
    names = [f"roles/web/tasks/t{number:02}.yml" for number in range(changed.MOST_LINTED + 3)]
    for name in names[:-3]:
        (project / name).write_text("- name: A\n")
    assert changed.chosen("ansible-lint")[1] == names[:-3], "as many as fit are all of them"
    for name in names[-3:]:
        (project / name).write_text("- name: A\n")
    said, files = changed.chosen("ansible-lint")
    assert files == names[:-3]
    assert said == (
        f"{changed.MOST_LINTED} of {len(names) + 1} files (3 more that differ are left to make lint), "
        f"as {len(names)} differ from main"
    )


def test_no_more_tests_are_collected_than_can_be_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(changed.MOST, "unit", (2, "that it concerns are left to make unit"))
    for name in ("plugins/plugin_utils/roles.py", "tests/unit/test_links.py"):
        (project / name).write_text(FILES[name] + "# more\n")
    assert changed.chosen("unit")[1] == [f"tests/unit/test_{each}.py" for each in ("links", "roles")]
    (project / "README.md").write_text("more")
    assert changed.chosen("unit") == (
        "2 of 7 files (1 more that it concerns are left to make unit), as 3 differ from main",
        ["tests/unit/test_links.py", "tests/unit/test_roles.py"],
    )


@pytest.mark.parametrize(
    ("name", "kind", "looked"),
    [
        ("cloudformation/web.yml", "cfn-lint", "all 1 files, as 1 of them differ from main"),
        ("roles/web/tasks/main.yml", "cfn-lint", ""),
        ("README.md", "docs", "all 2 files, as 1 of them differ from main"),
        ("docs/prices.yml", "docs", "all 3 files, as 1 of them differ from main"),
        ("plugins/filter/names.py", "docs", ""),
        ("pyproject.toml", "cfn-lint", "all, as pyproject.toml differs from main"),
        ("pyproject.toml", "docs", "all, as pyproject.toml differs from main"),
    ],
)
def test_what_looks_at_everything_does_so_if_one_of_its_files_differs(
    project: Path, name: str, kind: str, looked: str
) -> None:
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text("more")
    said, files = changed.chosen(kind)
    assert files == ([] if looked else None)
    assert said == looked or (not looked and said.startswith("0 of "))


def test_a_page_may_lead_to_what_is_there_no_longer(project: Path) -> None:
    (project / "plugins/filter/names.py").unlink()
    assert changed.chosen("docs")[1] == []


def test_check_ends_what_is_not_through_in_time_and_names_it(project: Path) -> None:
    (project / ".git/info/exclude").write_text("/scripts\n/bin\n/calls\n/.cache\n")
    (project / "README.md").write_text("more")
    code, said, calls = check(project, "changed", SLOW="mypy", CHECK_SECONDS="5")
    assert code == 0, said
    assert re.search(r"LEFT    mypy \(ended after \d s, not through: make lint\)", said)
    assert "Not through in 5 s, and so not seen: mypy." in said
    assert "ok      docs" in said
    assert called(calls, "mypy")
    code, said, _ = check(project, "changed", FAILING="mypy", CHECK_SECONDS="5")
    assert (code, "LEFT" in said, "not seen" in said) == (1, False, False), "what fails in time fails"


def test_what_was_read_of_a_module_is_remembered_until_it_changes(project: Path) -> None:
    module = project / "plugins/plugin_utils/roles.py"
    first = changed.Remembered()
    assert first.read(module) == ([], ["roles"])
    first.save()
    second = changed.Remembered()
    second.load()
    second.known[str(module)][2].append("kept")
    assert second.read(module)[1] == ["roles", "kept"], "it was not read again"
    module.write_text('import os\nFOLDER = "other"\n')
    assert second.read(module) == (["os"], ["other"])
    (project / changed.MEMORY).write_text("{")
    third = changed.Remembered()
    third.load()
    assert third.known == {}, "what cannot be read is read anew"


def test_a_link_of_the_documentation_that_leads_nowhere_is_a_failure(project: Path) -> None:
    code, said, calls = check(project, "lint", FAILING="sphinx-build")
    assert "--fail-on-warning" in " ".join(called(calls, "sphinx-build"))
    assert (code, "FAILED  docs" in said) == (1, True)


@pytest.mark.parametrize("failing", ["pytest", "ansible-lint", "mypy"])
def test_a_failure_is_one(project: Path, failing: str) -> None:
    code, said, _ = check(project, "lint" if failing == "ansible-lint" else "changed", FAILING=failing)
    assert code == 1
    assert f"FAILED  {'unit' if failing == 'pytest' else failing}" in said


def test_a_choice_that_fails_is_a_failure(project: Path) -> None:
    code, said, _ = check(project, "changed", PYTHONHOME="/nonexistent")
    assert code == 1
    assert "FAILED  unit: scripts/changed.py does not say what to look at" in said


def test_every_test_of_this_project_is_concerned_by_itself_and_some_by_a_role() -> None:
    for cached in (changed.imported, changed.reached, changed.words):
        cached.cache_clear()
    files, count = changed.unit({"roles/database/rules.yml"})
    assert 10 < len(files) < count
    assert "tests/unit/roles/test_roles_layout.py" in files
    assert "local_aws/tests/unit/test_ca.py" not in files
    assert changed.unit({"local_aws/tests/unit/test_ca.py"})[0] == [
        "local_aws/tests/unit/test_ca.py",
        "tests/unit/scripts/test_changed.py",
    ]

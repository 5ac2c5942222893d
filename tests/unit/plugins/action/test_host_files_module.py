"""The module host_files: the files of a role, installed in one call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.modules.host_files import install

PROJECT = Path(__file__).resolve().parents[4]
ME = (os.getuid(), os.getgid())


def wanted(path: Path, content: str = "new\n", mode: str = "0640") -> dict[str, Any]:
    return {"path": str(path), "content": content, "mode": mode}


def test_what_is_missing_is_made_with_its_folders_and_then_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    assert list(install([wanted(path)], check=False, owner=ME)) == [str(path)]
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert path.parent.stat().st_mode & 0o7777 == 0o755
    before = path.stat()
    assert install([wanted(path)], check=False, owner=ME) == {}
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_check_mode_tells_and_changes_nothing(tmp_path: Path) -> None:
    there, missing = tmp_path / "there", tmp_path / "folder" / "missing"
    there.write_text("old\n")
    found = install([wanted(there), wanted(missing)], check=True, owner=ME)
    assert (found[str(there)]["before"], found[str(there)]["after"]) == ("old\n", "new\n")
    assert there.read_text() == "old\n"
    assert not missing.parent.exists()


def test_a_mode_alone_is_a_difference_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("new\n")
    path.chmod(0o600)
    found = install([wanted(path)], check=False, owner=ME)
    assert found[str(path)]["before"].startswith("0600 ")
    assert path.stat().st_mode & 0o7777 == 0o640


def test_what_is_no_file_is_refused_before_any_file_is_touched(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    with pytest.raises(ValueError, match="second is no plain file"):
        install([wanted(first), wanted(second)], check=False, owner=ME)
    assert not first.exists()


@pytest.mark.playbook
@pytest.mark.skipif(os.getuid() != 0, reason="files belong to root")
def test_templates_are_rendered_as_the_lookup_does(tmp_path: Path) -> None:
    role = tmp_path / "roles" / "thing"
    (role / "templates").mkdir(parents=True)
    (role / "tasks").mkdir()
    (role / "templates" / "file.j2").write_text(
        "#jinja2: trim_blocks:False\n{% if true %}\nü {{ word }}{% endif %}\n\n"
    )
    target = tmp_path / "out" / "file"
    files = [{"path": str(target), "template": "file.j2", "mode": "0644"}]
    shown = {
        "content": "{{ lookup('ansible.builtin.template', 'file.j2') }}",
        "dest": f"{target}.lookup",
        "mode": "0644",
    }
    tasks = [
        {"name": "Install", "host_files": {"files": files}},
        {"name": "Write what the lookup gives", "ansible.builtin.copy": shown},
        {"name": "Install again", "host_files": {"files": files}, "register": "again"},
        {"name": "Expect no change", "ansible.builtin.assert": {"that": "again is not changed"}},
        {"name": "Leave out the mode", "host_files": {"files": [{"path": "/x", "content": ""}]}},
    ]
    (role / "tasks" / "main.yml").write_text(yaml.safe_dump(tasks))
    play = {"name": "Try", "hosts": "localhost", "gather_facts": False, "vars": {"word": "so"}, "roles": ["thing"]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    run = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-c", "local", "play.yml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_ROLES_PATH": "roles"},
    )  # fmt: skip
    assert "A file needs path, mode, and template or content" in run.stdout + run.stderr
    assert "ok=4 " in run.stdout, run.stdout + run.stderr
    assert target.read_bytes() == Path(f"{target}.lookup").read_bytes()
    assert target.read_text().startswith("\nü so")

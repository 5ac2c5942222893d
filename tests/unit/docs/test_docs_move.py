"""docs/move.md: its names are those of nouns and verbs; its commands bring files over, with ssh and docker stood in."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from plugins.plugin_utils.arguments import arguments
from plugins.plugin_utils.site.nouns import NOUNS
from scripts.docs_pages import PROJECT
from scripts.pages.markdown import section
from tests.unit.docs.test_docs_costs import defaults

PAGE = (PROJECT / "docs/move.md").read_text()
FILES = section(PAGE, "without-room-on-this-machine")[1]
SSH = """#!/bin/sh
echo "ssh $*" >> "$LOG"
while [ $# -gt 1 ]; do shift; done
exec sh -c "$1"
"""
DOCKER = """#!/bin/sh
echo "docker $*" >> "$LOG"
[ "$1" = ps ] && { printf '4f1c\\n9a2b\\n'; exit; }
shift
while [ "$1" != 4f1c ]; do
  [ "$1" = -w ] && cd "$2"
  shift
done
shift
exec "$@"
"""


def commands(text: str) -> str:
    """What is to be typed, each command without its prompt."""
    blocks = re.findall(r"^```console\n(.+?)^```", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"^\$ ", "", "".join(blocks), flags=re.MULTILINE)


@pytest.fixture
def machines(tmp_path: Path) -> Path:
    """An old server with uploads, a container's folder, and both programs that lead there."""
    for name, script in {"ssh": SSH, "docker": DOCKER}.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "media").mkdir()
    old = tmp_path / "shop/media/2013 été"
    old.mkdir(parents=True)
    (old / "harbour's.png").write_bytes(b"\x89PNG")
    (tmp_path / "shop/media/notes.txt").write_text("kept")
    return tmp_path


def copied(machines: Path) -> subprocess.CompletedProcess[str]:
    """Type the page's commands, with the folders of the two machines in place of its own."""
    typed = re.sub(r"/srv((?:/shop)?/media)", rf"{machines}\1", commands(FILES))
    shell = os.environ | {"PATH": f"{machines}/bin:{os.environ['PATH']}", "LOG": f"{machines}/log"}
    return subprocess.run(["bash", "-c", typed], cwd=machines, env=shell, capture_output=True, text=True, check=False)


def test_files_are_brought_over_and_compared(machines: Path) -> None:
    done = copied(machines)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (machines / "media/2013 été/harbour's.png").read_bytes() == b"\x89PNG"
    assert len((machines / "new.sums").read_text().splitlines()) == 2
    log = (machines / "log").read_text()
    assert "docker exec -i 4f1c tar" in log, "one container, where a host runs two"
    assert "ssh -F ssh.live.cfg host-a docker exec" in log


def test_a_file_that_is_not_the_same_is_shown(machines: Path) -> None:
    (machines / "media/stray.txt").write_text("tried out")
    done = copied(machines)
    assert done.returncode == 1
    assert re.findall(r"^[<>].*", done.stdout, re.MULTILINE) == [done.stdout.splitlines()[1]]
    assert done.stdout.splitlines()[1].startswith(">")


def test_the_container_is_found_by_the_labels_that_exec_looks_for() -> None:
    played = (PROJECT / "playbooks/exec.yml").read_text()
    assert "exec_label: label=com.amazonaws.ecs\n" in played
    assert "ecs=label=com.amazonaws.ecs\n" in FILES
    for label, value in {"task-definition-family": "shop-live-service-web", "container-name": "django"}.items():
        assert f"--filter={{{{ exec_label }}}}.{label}=" in played
        assert f"--filter $ecs.{label}={value}" in FILES
    assert "{{ site_prefix }}-service-{{" in played


def test_names_are_those_of_the_nouns() -> None:
    assert NOUNS["database"].schema.keys["name"].default == "site"
    assert "ALTER DATABASE site RENAME" in PAGE
    assert "`site` is the default for the name" in PAGE


def test_the_verb_is_told_what_it_takes_and_the_environment_s_name() -> None:
    typed = re.findall(r"import_data\.yml -i live((?: -e \S+)+)", PAGE)
    assert len(typed) >= 2
    for name, value in re.findall(r"-e (\w+)=(\S+)", " ".join(typed)):
        assert name in arguments("import_data.yml")
        assert name != "confirm" or value == "live"


def test_the_way_in_is_made_of_variables_that_there_are() -> None:
    (block,) = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert yaml.safe_load(block).keys() <= defaults().keys()


def test_nothing_is_given_up_by_what_the_page_says_to_type() -> None:
    assert not re.search(r"\b(DROP|dropdb|--clean|--delete|rm|teardown)\b", commands(PAGE))

"""The script that moves restored files into a volume, run here: whole folders and single paths, killed at each step."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from tests.unit.variables_support import PROJECT

SCRIPT = (PROJECT / "playbooks/files/restore-volume.sh").read_text()
TRICKY = [
    "plain.png",
    "with space.png",
    "-rf",
    "umlaut-ä.png",
    "line\nbreak.png",
    "back\\slash.png",
    "$(id)'*.png",
    ".h",
]


class FileSystem:
    """A file system: what the site sees of it is the folder `data`."""

    def __init__(self, root: Path) -> None:
        self.root, self.data = root, root / "data"
        (self.data / "album").mkdir(parents=True)
        for name in TRICKY:
            (self.data / name).write_text(f"now {name}")
        (self.data / "album/same.png").write_text("same")
        (self.data / "came since").write_text("new")

    def restored(self, folder: str = "aws-backup-restore_2026Z", only: str = "") -> Path:
        """What AWS Backup does."""
        then = self.root / folder / "data"
        (then / "album/old").mkdir(parents=True)
        (self.root / folder / "else").mkdir()
        files = {name: f"then {name}" for name in TRICKY} | {"album/same.png": "same", "album/old/gone.png": "gone"}
        for name, content in files.items():
            if name.startswith(only):
                (then / name).write_text(content)
        (then / "album/old").chmod(0o755)
        return then

    def run(self, *words: str, code: int = 0, script: str = SCRIPT, patience: int = 0) -> str:
        """What the script says."""
        done = subprocess.run(
            ["sh", "-c", script, "restore-volume", *words], capture_output=True, text=True, check=False,
            env={**os.environ, "RESTORE_PATIENCE": str(patience), "RESTORE_ROOT": str(self.root)},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def files(self, folder: str = "data") -> dict[str, str]:
        at = self.root / folder
        return {str(path.relative_to(at)): path.read_text() for path in at.rglob("*") if path.is_file()}

    def kept(self) -> list[list[tuple[str, str]]]:
        """What was put aside, in its order; a folder that a killed run has made and not used is empty."""
        folders = sorted(self.root.glob("berth-restore/kept/*/files"))
        found = [sorted(self.files(str(each.relative_to(self.root))).items()) for each in folders]
        return [each for each in found if each]


THEN = {name: f"then {name}" for name in TRICKY} | {"album/same.png": "same", "album/old/gone.png": "gone"}


@pytest.fixture
def system(tmp_path: Path) -> FileSystem:
    return FileSystem(tmp_path)


def test_it_lies_beside_then_is_switched_to_and_back(system: FileSystem) -> None:
    (system.root / "aws-backup-restore_old").mkdir()
    now, inode = system.files(), system.data.stat().st_ino
    system.run("begin", "one")
    system.restored()
    said = system.run("settle", "one")
    number = len(TRICKY)
    assert f"{number + 2} files were read: 1 are as they are now, {number} have another content now, 1 are not" in said
    assert "1 of now are not among them" in said
    assert system.files() == now, "the volume is as it was"
    assert [each.name for each in system.root.glob("aws-*")] == ["aws-backup-restore_old"], "somebody else's stays"
    assert f"{number + 2} of {number + 2} files are in the volume" in system.run("switch", "one")
    assert system.files() == THEN
    assert system.data.stat().st_ino == inode, "who has it mounted sees it"
    assert system.files("berth-restore/kept/1/files") == now
    assert "already" in system.run("switch", "one")
    (system.data / "upload.png").write_text("since")
    system.run("back", "one")
    assert system.files() == now
    assert system.files("berth-restore/kept/2/files") == THEN | {"upload.png": "since"}
    assert "already" in system.run("back", "one")
    assert system.files() == now


def test_a_single_path_comes_back_with_the_folders_above_it(system: FileSystem) -> None:
    (system.data / "album/same.png").unlink()
    (system.data / "album").rmdir()
    now = system.files()
    system.run("begin", "one")
    system.restored(only="album/old")
    assert "1 files were read: 0 are as they are now" in system.run("settle", "one", "album/old")
    system.run("switch", "one", "album/old")
    assert system.files() == now | {"album/old/gone.png": "gone"}
    assert (system.data / "album").stat().st_mode & 0o777 == (0o777 & ~0o022), "as it was then, so the site reads it"
    system.run("back", "one")
    assert system.files() == now
    assert system.files("berth-restore/kept/2/files") == {"album/old/gone.png": "gone"}


def test_a_path_that_is_there_gives_way_and_the_rest_stays(system: FileSystem) -> None:
    now = system.files()
    system.run("begin", "one")
    system.restored()
    system.run("settle", "one", "plain.png")
    system.run("switch", "one", "plain.png")
    assert system.files() == now | {"plain.png": "then plain.png"}
    assert system.files("berth-restore/kept/1/files") == {"plain.png": "now plain.png"}
    system.run("back", "one")
    assert system.files() == now


def test_a_folder_that_a_client_of_nfs_shows_late_is_waited_for(system: FileSystem) -> None:
    system.run("begin", "one")
    late = threading.Timer(1, system.restored)
    late.start()
    assert "files were read" in system.run("settle", "one", patience=20)
    late.join()


def test_what_aws_backup_has_not_made_is_told(system: FileSystem) -> None:
    system.run("begin", "one")
    assert "has made no folder" in system.run("settle", "one", code=1)
    (system.root / "aws-backup-restore_1/other").mkdir(parents=True)
    (system.root / "aws-backup-restore_2").mkdir()
    assert "have both come" in system.run("settle", "one", code=1)
    (system.root / "aws-backup-restore_2").rmdir()
    assert "has no folder data" in system.run("settle", "one", code=1)
    (system.root / "aws-backup-restore_1/data").mkdir()
    assert "there is no file in what was restored" in system.run("settle", "one", code=1)
    assert "there is nothing to go back to" in system.run("back", "one", code=1)


@pytest.mark.parametrize("step", ["", "begin", "settle"])
@pytest.mark.parametrize("action", ["remove", "remove-restored"])
def test_what_a_drill_has_restored_is_removed_however_far_it_came(system: FileSystem, step: str, action: str) -> None:
    """Though AWS Backup was through, `remove` takes nothing away that nobody has looked at: it may be somebody's."""
    (system.root / "aws-backup-restore_old").mkdir()
    now = system.files()
    if step:
        system.run("begin", "one")
        system.run("begin", "two")
        system.restored()
    if step == "settle":
        system.run("settle", "one")
    for _ in range(2):
        assert "nothing of what was restored is in the file system" in system.run(action, "one")
    left = {"aws-backup-restore_old"} | (
        {"aws-backup-restore_2026Z"} if (step, action) == ("begin", "remove") else set()
    )
    assert {each.name for each in system.root.glob("aws-*")} == left
    assert [each.name for each in system.root.glob("berth-restore/beside/*")] == (["two"] if step else [])
    assert system.files() == now
    system.run(action, "", code=2)


def test_of_two_that_have_come_none_is_removed(system: FileSystem) -> None:
    system.run("begin", "one")
    system.restored()
    system.restored("aws-backup-restore_else")
    assert "have both come" in system.run("remove-restored", "one", code=1)
    assert len(list(system.root.glob("aws-*"))) == 2


def killing(number: int) -> str:
    """The script, killed right before its n-th command that changes something."""
    found = list(re.finditer(r"^( *)((?:mv|mkdir|rm|write|move_all|sums) )", SCRIPT, re.MULTILINE))
    at = found[number].start()
    return SCRIPT[:at] + "kill -9 $$\n" + SCRIPT[at:]


@pytest.mark.parametrize("number", range(len(re.findall(r"^ *(?:mv|mkdir|rm|write|move_all|sums) ", SCRIPT, re.M))))
@pytest.mark.parametrize("path", ["", "album", "plain.png"])
def test_each_step_is_finished_by_the_same_command(tmp_path: Path, number: int, path: str) -> None:
    """Whatever command it was killed before; most of them are of another step, and then nothing is killed."""
    system, whole = FileSystem(tmp_path / "killed"), FileSystem(tmp_path / "whole")
    for step in ("begin", "settle", "switch", "back"):
        subprocess.run(
            ["sh", "-c", killing(number), "restore-volume", step, "one", path], check=False, capture_output=True,
            env={**os.environ, "RESTORE_PATIENCE": "0", "RESTORE_ROOT": str(system.root)},
        )  # fmt: skip
        system.run(step, "one", path)
        whole.run(step, "one", path)
        assert system.files() == whole.files(), step
        if step == "begin":
            system.restored()
            whole.restored()
    assert system.kept() == whole.kept()

"""The script that proves a move of the media volume: two folders stand in for what two drivers show."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "roles/move_volume/files/move_volume.sh"
TRICKY = ["plain.png", "with space.png", "-rf", "umlaut-ä.png", "line\nbreak.png", "back\\slash.png"]


def script(action: str, folder: Path, sentinel: str = "s1") -> subprocess.CompletedProcess[str]:
    """Run it as the task does, in Debian's sh."""
    command = ["sh", "-c", SCRIPT.read_text(), "move_volume", action, str(folder), sentinel]
    return subprocess.run(command, text=True, capture_output=True, check=False)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A remembered volume with files in folders."""
    folder = tmp_path / "volume"
    for place in (folder, folder / "filer" / "a b"):
        place.mkdir(parents=True)
        for name in TRICKY:
            (place / name).write_text(f"{place}{name}")
    done = script("remember", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 of" in done.stdout
    return folder


def test_the_list_is_for_its_writer_only(volume: Path) -> None:
    hidden = volume / ".move-volume-s1"
    assert hidden.stat().st_mode & 0o077 == 0
    assert len((hidden / "checksums").read_text().splitlines()) == 2 * len(TRICKY)


def test_the_same_files_and_new_ones_are_no_loss_and_nothing_stays_behind(volume: Path) -> None:
    (volume / "uploaded-meanwhile.png").write_text("new")
    done = script("compare", volume)
    assert done.returncode == 0, done.stdout
    assert "12 of 12 files are the same" in done.stdout
    assert not list(volume.glob(".move-volume-*"))
    assert (volume / "uploaded-meanwhile.png").exists()


@pytest.mark.parametrize("name", TRICKY)
def test_a_missing_and_a_changed_file_are_named_and_the_list_stays(volume: Path, name: str) -> None:
    (volume / name).unlink()
    (volume / "filer" / "a b" / name).write_text("other")
    done = script("compare", volume)
    assert done.returncode == 1
    assert done.stdout.count("differs or is missing: ") == 2
    assert "10 of 12 files are the same" in done.stdout
    assert (volume / ".move-volume-s1" / "checksums").exists()


def test_another_file_system_is_not_taken_for_the_same(volume: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert script("compare", empty).returncode == 1
    script("remember", empty, "s2")
    assert "another file system" in script("compare", empty).stdout
    assert script("compare", volume).returncode == 0


def test_an_interrupted_move_is_compared_later_without_knowing_the_sentinel(volume: Path) -> None:
    (volume / "plain.png").write_text("other")
    assert script("compare", volume, "").returncode == 1
    (volume / "plain.png").write_text(f"{volume}plain.png")
    assert script("compare", volume, "").returncode == 0
    nothing = script("compare", volume, "")
    assert (nothing.returncode, nothing.stdout) == (0, "No sentinel: nothing is being moved\n")


def test_a_list_that_was_not_finished_is_made_again(volume: Path) -> None:
    (volume / ".move-volume-s1" / "checksums").rename(volume / ".move-volume-s1" / "unfinished")
    assert script("compare", volume, "s1").returncode == 1
    assert script("remember", volume, "s2").returncode == 0
    assert [path.name for path in volume.glob(".move-volume-*")] == [".move-volume-s2"]
    assert script("compare", volume, "s2").returncode == 0


def test_an_empty_volume_and_a_large_one(tmp_path: Path) -> None:
    assert script("remember", tmp_path).returncode == 0
    assert "0 of 0 files are the same" in script("compare", tmp_path).stdout
    for number in range(1100):
        (tmp_path / f"{number}.png").write_text(str(number))
    assert "500 of 1100 files read" in script("remember", tmp_path).stdout
    shown = script("compare", tmp_path).stdout
    assert "1000 files are the same" in shown
    assert "1100 of 1100 files are the same" in shown


def test_a_file_that_cannot_be_read_fails_before_anything_is_moved(tmp_path: Path) -> None:
    """Root reads everything, so a file that goes away while it is listed stands in."""
    (tmp_path / "file.png").write_text("x")
    broken = SCRIPT.read_text().replace('sha256sum "$@"', 'sha256sum "$@" gone.png')
    command = ["sh", "-c", broken, "move_volume", "remember", str(tmp_path), "s1"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode != 0
    assert not list(tmp_path.glob(".move-volume-*/checksums"))

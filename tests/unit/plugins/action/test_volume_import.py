"""Files come to a volume whole or not at all, and go on after an interrupt; ssh and docker are stood in for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_aws.tests.until import until
from plugins.action import volume_import
from plugins.plugin_utils.importing import folder as folders
from plugins.plugin_utils.importing import remote
from tests.unit.plugin_support import PROJECT, run_action

SCRIPT = (PROJECT / "playbooks/files/import-volume.sh").read_text()
SSH = """#!/bin/sh
echo "ssh $*" >>"$LOG"
[ -n "${REFUSED:-}" ] && { echo "ssh: connect to host 10.0.0.5 port 22: Connection refused" >&2; exit 255; }
while [ $# -gt 1 ]; do shift; done
exec sh -c "$1"
"""
DOCKER = """#!/bin/sh
[ "$1" = ps ] && { [ -n "${NOTHING:-}" ] || printf '4f1c\\n9a2b\\n'; exit; }
while [ "$1" != 4f1c ]; do shift; done
shift
exec "$@"
"""
SLOW = """#!/bin/sh
dd bs=1024 count=${SLOW_KIB:-64} status=none
sleep 60
"""
HOST = {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user"}
TRICKY = ["plain.png", "with space.png", "-rf", "umlaut-ä.png", "line\nbreak.png", "back\\slash.png", "$(id)'\"*.png"]


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files, an empty volume, and the programs that lead there."""
    (tmp_path / "bin").mkdir()
    for name, script in {"ssh": SSH, "docker": DOCKER}.items():
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    for place in (tmp_path / "old", tmp_path / "old/2013 été", tmp_path / "volume"):
        place.mkdir()
    for number, name in enumerate(TRICKY):
        (tmp_path / "old" / name).write_text(f"root {number}")
        (tmp_path / "old/2013 été" / name).write_text(f"folder {number}")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path


def arguments(machines: Path, **given: Any) -> dict[str, Any]:
    writers = [{"task": "web", "container": "web.app", "path": str(machines / "volume")}]
    return {
        "volume": "uploads", "folder": str(machines / "old"), "prefix": "shop-prod", "writers": writers,
        "hosts": [HOST], "script": SCRIPT, **given,
    }  # fmt: skip


Bring = Callable[..., tuple[dict[str, Any], str]]


@pytest.fixture
def bring(machines: Path) -> Bring:
    """The result of the action, and what was shown."""

    def go(check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        shown = list[str]()
        result = run_action(
            volume_import, arguments(machines, **given), check, say=lambda _, text, _color=None: shown.append(text)
        )
        return result, "\n".join(shown)

    return go


def content(folder: Path) -> dict[str, bytes]:
    """Path → content of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_each_file_comes_over_whatever_its_name(machines: Path, bring: Bring) -> None:
    (machines / "old/2013 été/script").write_text("#!/bin/sh")
    (machines / "old/2013 été/script").chmod(0o700)
    os.utime(machines / "old/plain.png", (1, 1_000_000))
    result, shown = bring()
    assert result == {
        "changed": True, "files": 15, "bytes": sum(map(len, content(machines / "old").values())), "sent": 15,
        "replaced": 0, "beside": 0,
    }, result  # fmt: skip
    assert content(machines / "volume") == content(machines / "old")
    assert (machines / "volume/plain.png").stat().st_mtime == 1_000_000
    assert (machines / "volume/plain.png").stat().st_mode & 0o777 == 0o644
    assert (machines / "volume/2013 été/script").stat().st_mode & 0o777 == 0o755, "who serves the volume can read it"
    assert (machines / "volume/2013 été").stat().st_mode & 0o777 == 0o755
    assert not (machines / "volume/.import_data").exists()
    assert "through web.app on i-0a" in shown
    assert "15 files (" in shown
    log = (machines / "log").read_text()
    assert "task-definition-family=shop-prod-service-web" in log
    assert "BatchMode=yes" in log


def test_a_second_run_is_a_comparison_and_sends_nothing(machines: Path, bring: Bring) -> None:
    bring()
    (machines / "volume/tried-out.png").write_text("new")
    result, shown = bring()
    assert (result["changed"], result["sent"], result["beside"]) == (False, 0, 1)
    assert "there already 14, not there 0, there with another content 0, on the volume only 1" in shown
    assert (machines / "volume/tried-out.png").read_text() == "new"
    assert "import-volume take" not in (machines / "log").read_text().rpartition("import-volume list")[2]


def test_another_content_is_overwritten_only_if_that_is_said(machines: Path, bring: Bring) -> None:
    (machines / "volume/plain.png").write_text("of the new site")
    result, _ = bring()
    assert result["failed"]
    assert result["msg"].startswith(
        "1 file of the volume uploads would be overwritten by another content: plain.png. No"
    )
    assert "-e overwrite=true" in result["msg"]
    assert content(machines / "volume") == {"plain.png": b"of the new site"}
    result, _ = bring(overwrite=True)
    assert (result["sent"], result["replaced"]) == (14, 1)
    assert content(machines / "volume") == content(machines / "old")


def test_a_check_run_compares_and_changes_nothing(machines: Path, bring: Bring) -> None:
    result, shown = bring(check=True)
    assert (result["changed"], result["sent"]) == (True, 14)
    assert list((machines / "volume").iterdir()) == []
    assert "not there 14" in shown
    assert "came over" not in shown


def test_large_files_go_by_themselves_and_go_on_in_the_middle(
    machines: Path, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "PIECE_BYTES", 1000)
    monkeypatch.setattr("plugins.plugin_utils.importing.sending.PIECE_BYTES", 1000)
    film = bytes(range(256)) * 40
    (machines / "old/2013 été/a film's.mp4").write_bytes(film)
    files, _ = folders.files(machines / "old")
    sums = folders.checksums(machines / "old", files, lambda _files, _size: None)
    (machines / "volume/.import_data").mkdir()
    (machines / "volume/.import_data" / sums["2013 été/a film's.mp4"]).write_bytes(film[:5000])
    result, _ = bring()
    assert result["sent"] == 15, result
    assert content(machines / "volume") == content(machines / "old")
    assert "import-volume append" in (machines / "log").read_text()
    (machines / "old/2013 été/a film's.mp4").write_bytes(film + b"other")
    files, _ = folders.files(machines / "old")
    sums = folders.checksums(machines / "old", files, lambda _files, _size: None)
    (machines / "volume/.import_data").mkdir()
    (machines / "volume/.import_data" / sums["2013 été/a film's.mp4"]).write_bytes(b"not its beginning")
    result, _ = bring(overwrite=True)
    assert "2013 été/a film's.mp4 has another checksum there" in result["msg"]
    assert (machines / "volume/2013 été/a film's.mp4").read_bytes() == film, "what is wrong takes nobody's place"
    assert not bring(overwrite=True)[0].get("failed")
    assert content(machines / "volume") == content(machines / "old")


def test_after_a_kill_at_any_point_the_same_command_goes_on(machines: Path, bring: Bring) -> None:
    """The container's tar is slow once, and this process is killed meanwhile."""
    (machines / "bin/tar").write_text(SLOW)
    (machines / "bin/tar").chmod(0o755)
    (machines / "given.json").write_text(json.dumps(arguments(machines)))
    code = textwrap.dedent(f"""
        import json
        from plugins.action import volume_import
        from tests.unit.plugin_support import run_action
        run_action(volume_import, json.load(open({str(machines / "given.json")!r})), say=lambda *said: None)
    """)
    run = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT)
    try:
        until(lambda: (machines / "volume/.import_data/piece").exists(), "a piece on its way", 30, lambda: "")
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert [path.name for path in (machines / "volume").iterdir()] == [".import_data"], "no half of a file is seen"
    (machines / "bin/tar").unlink()
    result, _ = bring()
    assert result["sent"] == 14, result
    assert content(machines / "volume") == content(machines / "old")


def test_a_piece_that_arrives_broken_leaves_nothing(machines: Path, bring: Bring) -> None:
    real = shutil.which("tar", path="/usr/bin:/bin")
    (machines / "bin/tar").write_text(f'#!/bin/sh\n{real} "$@" && echo broken >"$2/files/plain.png"\n')
    (machines / "bin/tar").chmod(0o755)
    result, _ = bring()
    assert result["failed"]
    assert result["msg"].startswith("The container gave up while the files were brought to the volume uploads: ")
    assert "./plain.png: FAILED" in result["msg"]
    assert [path.name for path in (machines / "volume").iterdir()] == [".import_data"]


def test_a_file_that_comes_to_the_volume_meanwhile_stays(machines: Path, bring: Bring) -> None:
    real = shutil.which("tar", path="/usr/bin:/bin")
    (machines / "bin/tar").write_text(f'#!/bin/sh\necho theirs >plain.png\nexec {real} "$@"\n')
    (machines / "bin/tar").chmod(0o755)
    result, _ = bring()
    assert "plain.png has come to the volume meanwhile" in result["msg"]
    assert (machines / "volume/plain.png").read_text() == "theirs\n"


def test_a_folder_in_the_place_of_a_file_is_said(machines: Path, bring: Bring) -> None:
    (machines / "volume/plain.png").mkdir()
    assert "plain.png is a folder on the volume, and a file here" in bring()[0]["msg"]


def test_links_are_not_left_behind_unseen(machines: Path, bring: Bring) -> None:
    (machines / "old/linked").symlink_to(machines / "volume")
    (machines / "old/also.png").symlink_to("plain.png")
    result, _ = bring()
    assert "has links, or what is neither file nor folder: also.png, linked. They would be left behind" in result["msg"]
    assert list((machines / "volume").iterdir()) == []


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        (
            {"NOTHING": "1"},
            "No container runs that has the volume uploads to write to it (web.app). Is the service up?",
        ),
        (
            {"REFUSED": "1"},
            "No host can be reached by ssh, so nothing can be brought to the volume uploads. i-0a: ssh: connect to "
            "host 10.0.0.5 port 22: Connection refused. Port 22",
        ),
    ],
)
def test_without_a_way_there_it_is_said(
    bring: Bring, monkeypatch: pytest.MonkeyPatch, shell: dict[str, str], said: str
) -> None:
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    assert bring()[0]["msg"].startswith(said)


def test_what_cannot_be_read_here_is_said(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "/nowhere is no folder of this machine. Type: ansible-playbook" in bring(folder="/nowhere")[0]["msg"]

    def refused(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied", "/old/secret.png")

    monkeypatch.setattr(folders, "checksums", refused)
    assert ": Permission denied (/old/secret.png)" in bring()[0]["msg"]


def test_a_file_that_shrinks_while_it_is_read_is_said(
    machines: Path, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = folders.checksums

    def shrunk(*given: Any) -> Any:
        found = taken(*given)
        (machines / "old/plain.png").write_text("")
        return found

    monkeypatch.setattr(folders, "checksums", shrunk)
    message = bring()[0]["msg"]
    assert message.startswith("plain.png in ")
    assert "was changed while it was read" in message
    assert content(machines / "volume").keys() <= {".import_data/piece/sums", ".import_data/verdict"}


def test_what_hangs_is_ended(machines: Path, bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    (machines / "bin/tar").write_text("#!/bin/sh\nexec sleep 60\n")
    (machines / "bin/tar").chmod(0o755)
    monkeypatch.setattr(remote, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(remote, "LOOK_SECONDS", 0.1)
    assert "nothing has moved for 0 s" in bring()[0]["msg"]

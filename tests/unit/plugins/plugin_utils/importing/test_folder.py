"""Lines of checksums, what differs, and pieces."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from plugins.plugin_utils.importing import folder
from plugins.plugin_utils.importing.folder import File, difference, line, pieces, read

SUM = "a" * 64
NAMES = ["plain", "two words", "line\nbreak", "back\\slash", "\\n", "\\\\n", "latin-\udce9", "-rf"]


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_those_of_sha256sum(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(name.encode(errors="replace").decode())
    told = subprocess.run(["sha256sum", "--", f"./{name}"], cwd=tmp_path, capture_output=True, check=True).stdout
    path, checksum = read(told)
    assert path == name
    assert line(f"./{name}", checksum) == told
    files, _ = folder.files(tmp_path)
    assert folder.checksums(tmp_path, files, lambda _files, _size: None) == {name: checksum}


@pytest.mark.parametrize("wrong", [b"sha256sum: x: Permission denied", b"", b"abc  x"])
def test_other_lines_are_none(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="is no line of sha256sum"):
        read(wrong)


def a_file(path: str, size: int = 1) -> File:
    return File(path, size, 0o644, 0)


def test_what_differs() -> None:
    here = [a_file("new"), a_file("same"), a_file("other")]
    found = difference(here, dict.fromkeys(("new", "same", "other"), SUM), {"same": SUM, "other": "b", "beside": "c"})
    assert found == folder.Difference([here[0]], [here[2]], 1, ["beside"])


def test_pieces_are_bounded_and_large_files_are_pieces_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PIECE_BYTES", 10)
    monkeypatch.setattr(folder, "PIECE_FILES", 3)
    sizes = [4, 6, 1, 99, 1, 1, 1, 1]
    found = [[each.size for each in piece] for piece in pieces([a_file(str(n), size) for n, size in enumerate(sizes)])]
    assert found == [[4, 6], [1], [99], [1, 1, 1], [1]]
    assert list(pieces([])) == []

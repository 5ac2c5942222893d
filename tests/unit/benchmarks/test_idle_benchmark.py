"""What `make bench` says an embedded AWS costs while nothing is asked of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import idle


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout whose embedded AWS `local` is this process."""
    folder = tmp_path / ".local_aws" / "local"
    folder.mkdir(parents=True)
    (folder / "pid").write_text(f"{os.getpid()}\n")
    return tmp_path


def test_usage_is_read_whatever_the_command_is_called(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    numbers = ["S", *("0" for _ in range(10)), "150", "50", *("0" for _ in range(8)), "1024", "0"]
    (tmp_path / "7" / "stat").write_text(f"7 (a ) (b) {' '.join(numbers)}\n")
    seconds, resident = idle.usage(7, tmp_path)
    assert seconds == 200 / os.sysconf("SC_CLK_TCK")
    assert resident == 1024 * os.sysconf("SC_PAGE_SIZE")


def test_it_says_what_this_process_takes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, resident = idle.usage(os.getpid())
    idle.main(["--seconds", "0.1"], project)
    percent, megabytes = capsys.readouterr().out.splitlines()
    assert percent.endswith("of a core (at most 3)")
    assert float(megabytes.split()[0]) == pytest.approx(resident / 2**20, rel=0.2)


@pytest.mark.parametrize(("megabytes", "status"), [(10**6, 0), (1, 1)])
def test_more_than_it_may_take_is_a_failure(
    project: Path, monkeypatch: pytest.MonkeyPatch, megabytes: float, status: int
) -> None:
    monkeypatch.setattr(idle, "MEGABYTES", megabytes)
    monkeypatch.setattr(idle, "PERCENT", 1000)
    assert idle.main(["--seconds", "0"], project) == status


def test_a_busy_one_is_a_failure(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "MEGABYTES", 10**6)
    monkeypatch.setattr("time.sleep", lambda _seconds: sum(range(3_000_000)))
    assert idle.main([], project) == 1


@pytest.mark.parametrize("pid", [None, "", str(2**22 + 1)])
def test_what_does_not_run_is_said(tmp_path: Path, pid: str | None) -> None:
    (tmp_path / ".local_aws" / "local").mkdir(parents=True)
    if pid is not None:
        (tmp_path / ".local_aws" / "local" / "pid").write_text(pid)
    with pytest.raises(SystemExit, match="Type: python -m local_aws up --name local"):
        idle.main([], tmp_path)

"""What an embedded AWS costs while nobody asks it for anything.

    python benchmarks/idle.py [--name local] [--seconds 30]

It must be up (`python -m local_aws up`), best with a site, and left alone meanwhile. Prints the share of one core that
its process took, and the memory that is resident at the end. Its containers are not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PERCENT, MEGABYTES = 3.0, 400.0
"""What it may take at most."""


def usage(pid: int, proc: Path = Path("/proc")) -> tuple[float, int]:
    """Seconds of a core that a process has taken so far, and its resident memory in bytes.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

    Raises:
        FileNotFoundError: there is no such process.
    """
    # The second word is the command's name in brackets, which may hold blanks and brackets itself.
    words = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    user, system, resident = int(words[11]), int(words[12]), int(words[21])
    return (user + system) / os.sysconf("SC_CLK_TCK"), resident * os.sysconf("SC_PAGE_SIZE")


def process(name: str, project: Path = PROJECT) -> int:
    """The process id of an embedded AWS.

    Raises:
        SystemExit: it is not up; the message says what to type.
    """
    try:
        pid = int((project / ".local_aws" / name / "pid").read_text())
        usage(pid)
    except (FileNotFoundError, ValueError):
        raise SystemExit(
            f"The embedded AWS {name!r} does not run. Type: python -m local_aws up --name {name}"
        ) from None
    return pid


def main(arguments: Sequence[str] | None = None, project: Path = PROJECT) -> int:
    """Measure and print; 1 where it takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="local", help="which embedded AWS")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch it")
    given = parser.parse_args(arguments)
    pid = process(given.name, project)
    before, begin = usage(pid)[0], time.monotonic()
    time.sleep(given.seconds)
    after, resident = usage(pid)
    percent, megabytes = 100 * (after - before) / (time.monotonic() - begin), resident / 2**20
    print(f"{percent:7.1f} %   of a core (at most {PERCENT:.0f})")
    print(f"{megabytes:7.0f} MB  resident (at most {MEGABYTES:.0f})")
    return int(percent > PERCENT or megabytes > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())

"""How long a `site` takes that has nothing to do, beside a play that does nothing.

    python benchmarks/noop_site.py -i local [--runs 3]

The site must be up (`python -m local_aws up`, `ansible-playbook site.yml -i local`). Prints the ratio of the two, the
number of tasks, and the time of each. The whole process counts, from the command to its end: that is what a person
waits for.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
EMPTY = "- hosts: localhost\n  gather_facts: false\n"
TASKS, RATIO = 20, 4.0
"""What it may take at most."""


def run(playbook: Path, inventory: str, *options: str) -> tuple[float, dict[str, Any]]:
    """Seconds of the whole process, and what the JSON callback says.

    Raises:
        SystemExit: the play failed.
    """
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-i", inventory, *options]
    environment = {
        # The plugins' bytecode is kept, as it is on a person's machine; that of Ansible is kept anyway.
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_CONFIG": f"{PROJECT}/ansible.cfg",
    }
    begin = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begin
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    content: dict[str, Any] = json.loads(done.stdout[done.stdout.index("\n{") if "\n{" in done.stdout else 0 :])
    return seconds, content


def steps(content: Mapping[str, Any]) -> list[tuple[str, float, bool]]:
    """Name, seconds, and whether it was skipped, of each task."""
    found = []
    for play in content["plays"]:
        for task in play["tasks"]:
            begin, end = (datetime.fromisoformat(task["task"]["duration"][key]) for key in ("start", "end"))
            skipped = all(host.get("skipped") for host in task["hosts"].values())
            found.append((task["task"]["name"], (end - begin).total_seconds(), skipped))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where it takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-i", "--inventory", default="local", help="the environment")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run; the median counts")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "empty.yml").write_text(EMPTY)
        empty = statistics.median(run(Path(folder) / "empty.yml", given.inventory)[0] for _ in range(given.runs))
    measured = [run(PROJECT / "site.yml", given.inventory) for _ in range(given.runs)]
    changed = measured[-1][1]["stats"]["localhost"]["changed"]
    site, content = statistics.median(seconds for seconds, _ in measured), measured[-1][1]
    listed = steps(content)
    for name, seconds, skipped in listed:
        print(f"{seconds:7.2f} s  {name}{'  (skipped)' if skipped else ''}")
    print(f"\n{site:7.2f} s  site without a change, {len(listed)} tasks (at most {TASKS}), changed={changed}")
    print(f"{empty:7.2f} s  an empty play\n{site / empty:7.2f} times  (at most {RATIO:.0f})")
    return int(len(listed) > TASKS or site / empty > RATIO or bool(changed))


if __name__ == "__main__":
    sys.exit(main())

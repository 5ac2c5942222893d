"""Runs of verbs in the background, which a test can interrupt."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
from typing import Any, ClassVar

from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.tests.until import until
from tests.e2e.conftest import environment

NO_ZONE = {"hosted_zone_id": "", "lock_wait": "5m"}
"""No zone of the site's own; and the next run waits until the lock of one that was killed has expired."""
RUN_SECONDS = 420
ZONE = "Z0BERTHLOCALZONE"
RECORD = re.compile(r"(?P<name>_[0-9a-f]{32}\.\S+\.)  CNAME  (?P<value>_\S+\.acm-validations\.aws\.)")


class Typed:
    """A verb in the background, its output read as it comes.

    Args:
        verb: its name.
        given: variables, besides `NO_ZONE`.

    Attributes:
        running: all that were started; what a failed test has left is ended after it.
        output: of this run, up to now.
    """

    running: ClassVar[list[subprocess.Popen[str]]] = []

    def __init__(self, verb: str, **given: Any) -> None:
        self.output = ""
        self._process = subprocess.Popen(
            ["ansible-playbook", f"{verb}.yml", "-i", "test", "-e", json.dumps(NO_ZONE | given)],
            cwd=PROJECT, env=environment(f"{verb}.yml"), start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.running.append(self._process)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.output += line

    @classmethod
    def end_all(cls) -> None:
        """End what is still running of them, with all that it has started."""
        for process in cls.running:
            if process.poll() is None:
                for each in [process.pid, *descendants(process.pid)]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)
        cls.running.clear()

    def reaches(self, text: str) -> None:
        """Wait until it shows `text`."""
        until(lambda: text in self.output or self._process.poll() is not None, text, RUN_SECONDS, lambda: self.output)
        assert text in self.output, self.output

    def ends(self, number: signal.Signals, workers: bool = True) -> None:
        """Send it a signal, and wait until it is over.

        Args:
            number: SIGINT goes to its process group, as Ctrl-C does.
            workers: whether a SIGKILL takes Ansible's workers too (a machine that goes down) or leaves them to go on
                alone: each is a session of its own (`kill -9` on the command).
        """
        assert self._process.poll() is None, "it was through before it could be interrupted"
        children = descendants(self._process.pid) if number == signal.SIGKILL and workers else []
        os.killpg(self._process.pid, number)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
        if number == signal.SIGINT:
            # Python loses an interrupt that comes while it forks, as what runs behind a fork cannot raise (logging's
            # _releaseLock), and Ansible forks for each task. Who sees the run go on presses Ctrl-C again.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
        assert self._process.wait(60) != 0, self.output

    @property
    def goes_on(self) -> bool:
        """Whether it is not through yet."""
        return self._process.poll() is None

    def succeeds(self) -> str:
        """Wait until it is through; its output without line breaks, which stand anywhere in long sentences."""
        return self._is_over(failed=False)

    def fails(self) -> str:
        """Wait until it has ended with a failure; its output as of `succeeds`."""
        return self._is_over(failed=True)

    def is_over(self) -> tuple[int, str]:
        """Wait until it has ended somehow; its exit status, and its output as of `succeeds`."""
        status = self._process.wait(RUN_SECONDS)
        self._reader.join(10)
        return status, " ".join(self.output.split())

    def _is_over(self, failed: bool) -> str:
        status, said = self.is_over()
        assert (status != 0) is failed, self.output
        return said


class Site(Typed):
    """`site`, in the background."""

    def __init__(self, **given: Any) -> None:
        super().__init__("site", **given)


def write_record(cloud: Cloud, run: Typed) -> None:
    """Make the record that a run shows, as a person would at their DNS provider; its zone stands in for that."""
    record = RECORD.search(run.output)
    assert record, run.output
    values = {"Name": record["name"], "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": record["value"]}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": values}]}
    cloud.client("route53").change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)


def descendants(parent: int) -> list[int]:
    """Ids of a process's children, and of theirs."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], text=True, capture_output=True, check=True).stdout
    parents = {int(child): int(of) for child, of in (line.split() for line in listed.splitlines())}
    found = [parent]
    for one in found:
        found += [child for child, of in parents.items() if of == one]
    return found[1:]

"""Keeps an environment's lock while a run of a verb lives: a process of its own beside ansible-playbook.

No thread of it: Ansible forks for each task, and a fork has the locks of boto3 and logging as they were, but not the
thread that holds them. What it needs to know it is told as lines of JSON by its standard input, which it reads until
the end:

1. what it keeps (`Kept`);
2. how the run has ended, as facts for its entry. It writes them, lets the lock go, and is over.

Where the input ends without the second line the run was killed, and nothing of it lives any more, as its workers have
the pipe as well; then it says so in the entry and lets go. Where only ansible-playbook was killed and a worker goes on
alone, it renews no longer, and the lock expires. Killed itself, or with its machine, the lock expires too.

Beside the lock it keeps alarms silent, if it is told so (`silence.py`).

It answers with one line of JSON, `{}`, or with `warning` where something of the end failed and `noise` where alarms
were not silent; or `{"lost": …}` as soon as the lock is somebody else's; then it interrupts ansible-playbook as Ctrl-C
does: to go on without the lock is worse than to end.

Credentials are those of its environment, which is that of ansible-playbook, so they are renewed as there.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # run by its path; what it shares is a package of the project

from plugins.plugin_utils.ledger import FAILED, Ledger  # noqa: E402 - the path comes first
from plugins.plugin_utils.lock import Held, Holder, Lost  # noqa: E402 - as above
from plugins.plugin_utils.silence import Silence  # noqa: E402 - as above

TICK_SECONDS = 1.0
"""How often it looks whether ansible-playbook lives."""
AGAIN_SECONDS = 5.0
"""How soon it tries again where a renewal did not get through."""
INSIST_SECONDS = 10.0
"""After how long it interrupts once more: Python loses an interrupt that comes while it forks."""
KILLED = "the run was killed"
SOON = Config(connect_timeout=3, read_timeout=7, retries={"max_attempts": 2, "mode": "standard"})
"""For calls that the lock must not wait for."""


@dataclass(frozen=True)
class Kept:
    """What is kept.

    Attributes:
        prefix: of the environment's stacks.
        bucket: of its ledger.
        region: of the calls; None for that of the environment.
        etag: of the lock's object.
        holder: the lock's fields (`Holder`).
        parent: process id of ansible-playbook.
        silence: whether alarms are to be silent meanwhile.
    """

    prefix: str
    bucket: str
    region: str | None
    etag: str
    holder: dict[str, Any]
    parent: int
    silence: bool = False


class Lines:
    """Lines of a pipe, as they come.

    Args:
        number: its file descriptor.
    """

    def __init__(self, number: int) -> None:
        self._number, self._read, self.ended = number, b"", False

    def next(self, seconds: float) -> str | None:
        """The next line; None if none came in time, or none will (`ended`)."""
        while b"\n" not in self._read:
            if self.ended or not select.select([self._number], [], [], seconds)[0]:
                return None
            part = os.read(self._number, 65536)
            self.ended = not part
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()


class Keeper:
    """Keeps one lock.

    Args:
        ledger: it is of.
        held: the lock as it was taken.
        prefix: of the environment's stacks.
        parent: process id of ansible-playbook.
        answer: tells it something.
        silence: that of the alarms; None if they may ring.
        clock: seconds, replaced by tests.
    """

    def __init__(
        self,
        ledger: Ledger,
        held: Held,
        prefix: str,
        parent: int,
        answer: Callable[[Mapping[str, str]], None],
        silence: Silence | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._held, self._prefix, self._parent = ledger, held, prefix, parent
        self._answer, self._silence, self._clock = answer, silence, clock
        self._begin = self._renewed = clock()
        self._next = self._begin + held.holder.renew_seconds
        self._lost = self._interrupt = 0.0

    def keep(self, lines: Lines) -> None:
        """Until the run is over."""
        if self._silence:
            self._silence.renew()
        while True:
            line = lines.next(TICK_SECONDS)
            if line is not None:
                self._finish(json.loads(line))
                return
            if lines.ended:
                self._finish({"outcome": FAILED, "reason": KILLED})
                return
            if os.getppid() != self._parent:
                if self._clock() - self._renewed > self._held.holder.ttl:
                    return
            elif self._lost:
                self._insist()
            elif self._clock() >= self._next:
                self._renew()

    def _renew(self) -> None:
        asked = self._clock()
        try:
            self._held = self._ledger.lock.renew(self._held)
        except Lost as error:
            self._lose(str(error))
        except (BotoCoreError, ClientError) as error:
            self._next = self._clock() + min(AGAIN_SECONDS, self._held.holder.renew_seconds)
            if self._clock() - self._renewed > self._held.holder.ttl:
                self._lose(f"it could not be renewed in time ({error})")
        else:
            self._renewed, self._next = asked, asked + self._held.holder.renew_seconds
            if self._silence:
                self._silence.renew()

    def _lose(self, reason: str) -> None:
        self._lost = self._clock()
        self._answer({"lost": f"The lock of {self._prefix} was lost: {reason}."})
        self._insist()

    def _insist(self) -> None:
        if self._clock() >= self._interrupt and os.getppid() == self._parent:
            self._interrupt = self._clock() + INSIST_SECONDS
            os.kill(self._parent, signal.SIGINT)

    def _finish(self, facts: Mapping[str, Any]) -> None:
        """Write how the run has ended, and let go; both are tried."""
        if self._silence and not self._lost:
            self._silence.over()
        troubles = []
        seconds = round(self._clock() - self._begin, 1)
        ended = datetime.fromisoformat(self._held.holder.started) + timedelta(seconds=seconds)
        written = {**facts, "seconds": seconds, "ended": ended.isoformat(timespec="seconds")}
        for work in (
            lambda: self._ledger.update(self._held.holder.entry, written),
            lambda: self._lost or self._ledger.lock.let_go(self._held),
        ):
            try:
                work()
            except (BotoCoreError, ClientError, TimeoutError) as error:
                troubles.append(str(error))
        if not self._lost:
            noise = self._silence.trouble if self._silence else ""
            told = {"warning": "; ".join(troubles), "noise": noise}
            self._answer({name: text for name, text in told.items() if text})


def main() -> None:
    """Keep what the first line names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for ansible-playbook, which says how it ended
    lines = Lines(sys.stdin.fileno())
    kept = Kept(**json.loads(lines.next(60) or "{}"))
    # Without boto3, of which nothing is needed here: while this starts, the run goes on beside it.
    session = botocore.session.get_session()
    ledger = Ledger(session.create_client("s3", kept.region), kept.bucket)
    held = Held(Holder(**kept.holder), kept.etag)
    silence = None
    if kept.silence:
        cloudwatch = session.create_client("cloudwatch", kept.region, config=SOON)
        silence = Silence(cloudwatch, kept.prefix, held.holder.verb, held.holder.ttl)

    def answer(said: Mapping[str, str]) -> None:
        print(json.dumps(said), flush=True)

    Keeper(ledger, held, kept.prefix, kept.parent, answer, silence).keep(lines)


if __name__ == "__main__":
    main()

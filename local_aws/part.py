"""The shape of everything real in an embedded AWS: a loop that makes containers match what the APIs say."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from local_aws.cloud import Cloud


@dataclass(frozen=True)
class Health:
    """One line of `local_aws status`.

    Attributes:
        name: what it is, for example `host i-0abc` or `database legacy-local`.
        ok: whether it works now.
        detail: one short sentence: where it is, or what is wrong with it.
    """

    name: str
    ok: bool
    detail: str


class Part:
    """One kind of real thing. Subclasses override `prepare`, `reconcile`, `health` and, if need be, `close`."""

    name = "part"
    interval = 1.0
    """Seconds between two reconciliations."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.log = cloud.log(self.name)
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._error = ""

    def prepare(self) -> None:
        """Build images and start what must be there before the first API call.

        Called once by `up`: the network's first, then all others' side by side, before any loop begins.
        """

    def reconcile(self) -> None:
        """Compare what the APIs say with what runs and mend the difference. Must not block for long.

        An exception is logged and shown by `status`; the next round tries again.
        """

    def health(self) -> list[Health]:
        """A line for each real thing of this part."""
        return []

    def close(self) -> None:
        """Stop threads and sockets of the part's own. Containers are removed by `down`, by label."""

    def wake(self) -> None:
        """Reconcile now rather than at the next interval."""
        self._wake.set()

    def start(self) -> None:
        """Run `reconcile` in a thread until `stop`."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the loop and close the part."""
        self._stop.set()
        self._wake.set()
        if self._thread:
            self._thread.join(30)
        self.close()

    def report(self) -> list[Health]:
        """`health`, and the loop's own error if its last round failed."""
        lines = self.health()
        if self._error:
            lines.append(Health(self.name, False, self._error))
        return lines

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self.reconcile()
                self._error = ""
            except Exception as error:  # a part must outlive one bad round; the error shows in `status` and the log
                if str(error) != self._error:
                    self.log.exception("round failed")
                self._error = f"{type(error).__name__}: {error}"
            self._wake.wait(self.interval)

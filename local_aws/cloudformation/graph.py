"""Work on the nodes of a graph side by side, each as soon as those that it needs are done."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping

WORKERS = 24
TICK_SECONDS = 0.5


def run(
    needs: Mapping[str, set[str]],
    work: Callable[[str], None],
    *,
    keep_going: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    failing: Callable[[], None] = lambda: None,
) -> dict[str, Exception]:
    """Run `work` for every node and wait until all that was started has ended.

    Args:
        needs: node → nodes that have to be done first; names that are no nodes are ignored.
        work: called in threads; an exception fails the node, and nodes that need it are not started.
        keep_going: after a failure go on with nodes that do not need the failed one.
        stopped: polled; once true nothing more is started.
        failing: called at each failure, before the others have ended.

    Returns:
        The failed nodes with their exceptions.
    """
    waiting = {name: needed & set(needs) for name, needed in needs.items()}
    ended: queue.Queue[tuple[str, Exception | None]] = queue.Queue()
    running: set[str] = set()
    done: set[str] = set()
    failed: dict[str, Exception] = {}

    def attempt(name: str) -> None:
        try:
            work(name)
        except Exception as error:  # handed to the caller, who tells of it
            ended.put((name, error))
        else:
            ended.put((name, None))

    while True:
        if not stopped() and (keep_going or not failed):
            for name in [name for name, needed in waiting.items() if needed <= done][: WORKERS - len(running)]:
                del waiting[name]
                running.add(name)
                # a daemon: a handler that waits for hours must not keep the process from ending
                threading.Thread(target=attempt, args=(name,), name=f"resource-{name}", daemon=True).start()
        if not running:
            return failed
        try:
            name, error = ended.get(timeout=TICK_SECONDS)
        except queue.Empty:
            continue
        running.remove(name)
        if error is None:
            done.add(name)
        else:
            failed[name] = error
            failing()


def reverse(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same graph the other way round: node → nodes that need it."""
    turned: dict[str, set[str]] = {name: set() for name in needs}
    for name, needed in needs.items():
        for other in needed & set(needs):
            turned[other].add(name)
    return turned

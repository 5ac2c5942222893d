"""What holds for all tests of the product."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let Ctrl-C end what tests start, as where a person types.

    A shell that starts something with `&` has it ignore SIGINT, which is inherited by all that it starts; a test that
    interrupts a run would wait for it in vain (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html,
    2.11).
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

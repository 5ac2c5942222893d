"""https://docs.gunicorn.org/en/stable/settings.html: one process that owns the data, with threads."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from lock import InUse, take

bind = f"0.0.0.0:{os.environ.get('PORT', '8080')}"
workers = 1
worker_class = "gthread"
threads = 8
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat must not wait for a disk
keepalive = 75  # longer than the load balancer's idle timeout of 60 s, or else it meets connections that just closed
graceful_timeout = 50  # less than stop_grace_period: an upload that is under way is to end
control_socket_disable = True  # its socket would be a file beside the code, which the user may not write
accesslog = "-"
access_log_format = '%({X-Forwarded-For}i)s "%(r)s" %(s)s %(b)s %(L)s'
held = []


def on_starting(_: object) -> None:
    """Take the data before anything is served; the workers are forked with it."""
    # Gunicorn's own handlers come later, and a container's first process ends of no signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Told to stop before it had the data."))
    try:
        held.append(take(Path(os.environ.get("DATA", "/data")), float(os.environ.get("LOCK_SECONDS", "90"))))
    except InUse as error:
        sys.exit(str(error))

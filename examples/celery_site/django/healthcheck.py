"""python3 healthcheck.py web|worker|beat: exit 0 if that process of this container works; its health check."""

import os
import socket
import sys
import time
from urllib.request import urlopen

PATIENCE = 30
"""Seconds; the scheduler has something to do every five."""


def web() -> str:
    try:
        urlopen(f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz", timeout=4).close()
    except OSError as error:
        return f"/healthz: {error}"
    return ""


def worker() -> str:
    """Through redis, as tasks reach it."""
    from celery_site.celery import app

    name = f"celery@{socket.gethostname()}"
    return "" if app.control.ping(destination=[name], timeout=4) else f"{name} does not answer"


def beat() -> str:
    from celery_site.celery import BEAT_ALIVE

    age = time.time() - BEAT_ALIVE.stat().st_mtime if BEAT_ALIVE.exists() else None
    return "" if age is not None and age < PATIENCE else f"the last task was sent {age or 'never'} s ago"


if __name__ == "__main__":
    sys.exit({"web": web, "worker": worker, "beat": beat}[sys.argv[1]]() or 0)

"""Celery's application, and the file by which the scheduler shows that it is alive."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, before_task_publish

BEAT_ALIVE = Path("/tmp/beat-alive")  # noqa: S108 - in a container of its own
"""Touched by the scheduler whenever something is due, which is every few seconds."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "celery_site.settings")
app = Celery("celery_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def touch(**_: object) -> None:
    """A task is due."""
    BEAT_ALIVE.touch()


@beat_init.connect
def watch(**_: object) -> None:
    """Called in the scheduler's process alone."""
    before_task_publish.connect(touch, weak=False)

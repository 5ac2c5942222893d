"""What workers do."""

from __future__ import annotations

import socket
from datetime import timedelta

from celery import shared_task
from django.db.models import F
from django.utils import timezone

from factors.models import Heartbeat, Number

PATIENCE = timedelta(seconds=30)
"""After which an unfinished number counts as lost with the queue. It may only be late: then it is done twice."""


def prime_factors(value: int) -> list[int]:
    """`12` is `[2, 2, 3]`."""
    found, divisor = [], 2
    while divisor * divisor <= value:
        while value % divisor == 0:
            found.append(divisor)
            value //= divisor
        divisor += 1 if divisor == 2 else 2
    return [*found, value] if value > 1 else found


@shared_task
def factorise(number: int) -> None:
    """Write the factors of a number into the database, unless they are there."""
    asked = Number.objects.filter(pk=number, finished_at=None).first()
    if asked:
        asked.factors = prime_factors(asked.value)
        asked.finished_at = timezone.now()
        asked.worker = socket.gethostname()
        asked.save()


@shared_task
def heartbeat(beat: str) -> None:
    """The scheduler `beat` runs."""
    Heartbeat.objects.update_or_create(beat=beat, defaults={"at": timezone.now()})
    Heartbeat.objects.filter(beat=beat).update(count=F("count") + 1)


@shared_task
def queue_again() -> None:
    """Queue what got lost: redis keeps the queue in its memory only."""
    for number in Number.objects.filter(finished_at=None, asked_at__lt=timezone.now() - PATIENCE):
        factorise.delay(number.pk)

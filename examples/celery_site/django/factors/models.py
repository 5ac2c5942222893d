from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone


class Number(models.Model):
    """A number that somebody asked about. Where a queue is lost, what is unfinished here is queued again."""

    LARGEST = 10**14

    value = models.BigIntegerField()
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    factors = models.JSONField(null=True)
    worker = models.CharField(max_length=200, default="")

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return f"{self.value} = {' x '.join(map(str, self.factors))}" if self.factors else f"{self.value}: queued"


class Heartbeat(models.Model):
    """When a scheduler last sent its heartbeat."""

    LATE = timedelta(seconds=15)

    beat = models.CharField(max_length=200, primary_key=True)
    at = models.DateTimeField()
    count = models.IntegerField(default=0)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.beat}: {self.count}"

    @classmethod
    def now(cls) -> models.QuerySet[Heartbeat]:
        """The schedulers that run; one, if all is well."""
        return cls.objects.filter(at__gt=timezone.now() - cls.LATE)


class Report(models.Model):
    """What a day was like; the job `report` makes one."""

    at = models.DateTimeField(auto_now_add=True)
    asked = models.IntegerField()
    finished = models.IntegerField()

    class Meta:
        get_latest_by = "at"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {self.asked} asked, {self.finished} finished"

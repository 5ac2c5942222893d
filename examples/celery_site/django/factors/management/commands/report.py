from datetime import timedelta

from django.core.management.base import BaseCommand
from django.utils import timezone

from factors.models import Number, Report


class Command(BaseCommand):
    """By the clock: what was asked in the last 24 hours."""

    help = "Write a report on the last 24 hours into the database, where the page shows it."

    def handle(self, *_: object, **__: object) -> None:
        """Print it too."""
        asked = Number.objects.filter(asked_at__gt=timezone.now() - timedelta(days=1))
        report = Report.objects.create(asked=asked.count(), finished=asked.exclude(finished_at=None).count())
        self.stdout.write(str(report))

from django.core.management.base import BaseCommand

from gallery.administrator import ensure_administrator


class Command(BaseCommand):
    help = "Make the administrator ADMIN_USER with ADMIN_PASSWORD unless it is there; `migrate` does the same."

    def handle(self, *args, **options):
        ensure_administrator()

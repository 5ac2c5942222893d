"""A list of what is to be bought; and the first administrator, who is made as soon as there is a table for users."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from items.administrator import ensure_administrator


class ItemsConfig(AppConfig):
    """Django's entry to the application."""

    name = "items"

    def ready(self) -> None:
        post_migrate.connect(
            ensure_administrator, sender=apps.get_app_config("auth"), dispatch_uid="first administrator"
        )

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


def after_migrate(**_):
    from gallery.administrator import ensure_administrator

    ensure_administrator()


class GalleryConfig(AppConfig):
    """The public front page; and the first administrator, who is made as soon as there is a table for users."""

    name = "gallery"

    def ready(self):
        post_migrate.connect(after_migrate, sender=apps.get_app_config("auth"), dispatch_uid="first administrator")

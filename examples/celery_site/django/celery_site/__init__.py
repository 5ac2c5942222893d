"""The site; Celery's application is made with it, so that tasks find it: https://docs.celeryq.dev/en/stable/django/"""

from celery_site.celery import app as celery_app

__all__ = ("celery_app",)

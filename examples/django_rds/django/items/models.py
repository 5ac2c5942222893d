from django.conf import settings
from django.db import models


class Item(models.Model):
    """Something to buy."""

    text = models.CharField(max_length=200)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    added_at = models.DateTimeField(auto_now_add=True)
    done = models.BooleanField(default=False)

    class Meta:
        ordering = ("done", "-added_at")

    def __str__(self) -> str:
        return self.text

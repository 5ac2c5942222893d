from django.contrib import admin

from items.models import Item

admin.site.register(Item, list_display=("text", "added_by", "added_at", "done"))

"""The list, for everyone who is logged in."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from items.models import Item


class ItemForm(forms.ModelForm):
    """A new item."""

    class Meta:
        model = Item
        fields = ("text",)


@login_required
def items(request: HttpRequest) -> HttpResponse:
    """Show the list; a form that is sent here adds to it."""
    form = ItemForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.added_by = request.user
        form.save()
        return redirect("items")
    shown = {"form": form, "items": Item.objects.select_related("added_by")}
    return render(request, "items/items.html", shown, status=400 if form.errors else 200)


@login_required
@require_POST
def done(request: HttpRequest, item: int) -> HttpResponse:  # noqa: ARG001 - every view has it
    """Tick an item off, or take that back."""
    found = get_object_or_404(Item, pk=item)
    found.done = not found.done
    found.save(update_fields=["done"])
    return redirect("items")

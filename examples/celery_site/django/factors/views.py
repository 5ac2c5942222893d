"""One page: ask for a number's factors, see what came of it, and whether the scheduler runs."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from kombu.exceptions import OperationalError

from factors.models import Heartbeat, Number, Report
from factors.tasks import factorise

LOG = logging.getLogger(__name__)
SHOWN = 20


class NumberForm(forms.Form):
    """A number to ask about."""

    value = forms.IntegerField(min_value=2, max_value=Number.LARGEST)


def page(request: HttpRequest) -> HttpResponse:
    """The numbers of this browser; a form that is sent here queues one more."""
    form = NumberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = Number.objects.create(value=form.cleaned_data["value"])
        request.session["numbers"] = [number.pk, *request.session.get("numbers", [])][:SHOWN]
        try:
            factorise.delay(number.pk)
        except OperationalError as error:
            LOG.warning("the queue is away, number %s waits in the database: %s", number.pk, error)
        return redirect("page")
    shown = {"form": form, "largest": Number.LARGEST, **facts(request)}
    return render(request, "factors/page.html", shown, status=400 if form.errors else 200)


def status(request: HttpRequest) -> JsonResponse:
    """The same for programs."""
    found = facts(request)
    return JsonResponse(
        {
            "numbers": [
                {"value": number.value, "factors": number.factors, "worker": number.worker}
                for number in found["numbers"]
            ],
            "beats": [{"beat": beat.beat, "count": beat.count, "at": beat.at} for beat in found["beats"]],
            "report": str(found["report"] or ""),
        }
    )


def facts(request: HttpRequest) -> dict[str, Any]:
    """What the page shows."""
    numbers = list(Number.objects.filter(pk__in=request.session.get("numbers", [])))
    return {
        "numbers": numbers,
        "waiting": any(number.finished_at is None for number in numbers),
        "beats": list(Heartbeat.now()),
        "report": Report.objects.order_by("at").last(),
    }


def health(_: HttpRequest) -> HttpResponse:
    """200 if the database answers, 503 if not. Without redis the page still works, so it is not asked."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        LOG.error("the database does not answer: %s", error)
        connection.close()  # a connection that broke would be tried again until it is too old
        return HttpResponse("database does not answer\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")

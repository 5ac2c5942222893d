from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

LOG = logging.getLogger(__name__)
PATH = "/healthz"


class HealthMiddleware:
    """Answers /healthz: 200 if the database answers, 503 if not.

    As a middleware, not a view: the load balancer asks by the host's address, and every view is behind the check of
    the Host header (ALLOWED_HOSTS).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return health() if request.path == PATH else self.get_response(request)


def health() -> HttpResponse:
    """Whether the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        LOG.error("the database does not answer: %s", error)
        connection.close()  # a connection that broke would be tried again until it is too old
        return HttpResponse("database does not answer\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")

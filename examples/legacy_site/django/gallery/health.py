import logging

from django.db import DatabaseError, connection
from django.http import HttpResponse

LOG = logging.getLogger(__name__)
PATH = "/healthz"


class HealthMiddleware(object):
    """Answers /healthz: 200 if the database answers, 503 if not.

    As a middleware, not a view: the load balancer asks by address, and every view is behind the check of the Host
    header (ALLOWED_HOSTS).
    """

    def process_request(self, request):
        if request.path != PATH:
            return None
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DatabaseError as error:
            LOG.error("the database does not answer: %s", error)
            connection.close()  # a connection that broke would be tried again until it is too old
            return HttpResponse("database does not answer\n", content_type="text/plain", status=503)
        return HttpResponse("ok\n", content_type="text/plain")

import logging

from django.db import DatabaseError, connection
from django.http import HttpResponse

from legacy_site.environment import optional

LOG = logging.getLogger(__name__)
PATH = "/healthz"


class HealthMiddleware(object):
    """Answers /healthz: 200 if the database answers, with the release that does, 503 if not.

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
        answer = HttpResponse("ok\n", content_type="text/plain")
        answer["X-Release"] = optional("RELEASE", "none")
        return answer

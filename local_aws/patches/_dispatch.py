"""moto's server looks up the service of a request; for each one anew it lists its folder and tries 200 patterns."""

from __future__ import annotations

import functools

from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from local_aws.patches._moto import instead

HOSTS = 500
"""How many are remembered; a host stands for a service and a region."""

instead(DomainDispatcherApplication, "get_backend_for_host")(
    functools.lru_cache(HOSTS)(DomainDispatcherApplication.get_backend_for_host)
)

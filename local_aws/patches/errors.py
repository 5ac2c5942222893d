"""An action that moto has not got is an AWS error, not an HTML page; so is a bug in one that it has."""

from __future__ import annotations

import json
import logging
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from local_aws.patches._moto import AwsError, around

log = logging.getLogger("local_aws.patches")


@around(BaseResponse, "call_action")
def _call_action(call_action: Any, self: Any) -> Any:
    try:
        return call_action(self)
    except NotImplementedError as error:
        service = self.service_name or type(self).__name__
        message = f"{self._get_action()} of {service} is not in the embedded AWS. ({error})"
        return _answer(self, AwsError("NotImplemented", message))
    except Exception as error:  # whatever it is, the client must be able to read it; the log has the trace
        log.exception("%s of %s failed", self._get_action(), self.service_name)
        return _answer(self, AwsError("InternalFailure", f"{type(error).__name__}: {error}"))


def _answer(response: Any, error: AwsError) -> Any:
    status, headers, body = response.serialized(ActionResult(error))
    headers["status"] = status
    headers, body = response._enrich_response(headers, body)
    return status, headers, body


@around(DomainDispatcherApplication, "get_application")
def _get_application(get_application: Any, self: Any, environ: dict[str, Any]) -> Any:
    application = get_application(self, environ)
    if not getattr(application, "answers_unknown_paths", False):
        application.answers_unknown_paths = True
        application.register_error_handler(404, _unknown_path)
    return application


def _unknown_path(_error: Exception) -> tuple[str, int, dict[str, str]]:
    """Services whose actions are paths: moto's Flask application has no such one."""
    from flask import request

    message = f"{request.method} {request.path} is not in the embedded AWS."
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "NotImplemented"}
    return json.dumps({"__type": "NotImplemented", "message": message}), 501, headers

"""API Gateway's HTTP APIs: requests whose Host is an API's go to the function of their route."""

from __future__ import annotations

import fnmatch
import json
import logging
import re
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.cloudformation.calls import boolean
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.functions import events, responses, routes
from local_aws.functions.environments import CONCURRENCY, NotRunError
from local_aws.functions.responses import Response
from local_aws.patches import awslambda

SERVICE = "apigatewayv2"
HERE = "localhost"
"""Behind an API's id and `.execute-api`, in place of AWS's domain: browsers and curl look for such names here."""
HOST = re.compile(rf"([a-z0-9]+)\.execute-api\.(?:{HERE}|{re.escape(REGION)}\.amazonaws\.com)(?::\d+)?", re.IGNORECASE)
FUNCTION = re.compile(r"arn:[\w-]+:lambda:[^/]+")
TIMED_OUT = "Sandbox.Timedout"
INTEGRATION_SECONDS = 30.0
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

log = logging.getLogger("local_aws.functions")


class Gateway:
    """All HTTP APIs of an embedded AWS.

    Args:
        cloud: it.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._pool = ThreadPoolExecutor(2 * CONCURRENCY, thread_name_prefix="function")

    def answer(self, api: str, environ: dict[str, Any]) -> Response:
        """What a request to an API is answered.

        Args:
            api: its id.
            environ: see PEP 3333.
        """
        request = events.read(environ, self._cloud.config.resolver)
        keys = self._routes(api)
        match = routes.choose(keys, request.method, request.path)
        if match is None:
            return responses.NOT_FOUND
        request_id = str(uuid.uuid4())
        event = events.event(request, match, api, request_id, time.time())
        arn, seconds = self._integration(api, keys[match.key])
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{api}/{events.STAGE}/{_resource(match.key)}"
        if not self._allowed(arn, source):
            log.warning("%s may not call %s: it has no such permission", source, arn or "a function")
            return responses.INTERNAL_SERVER_ERROR
        future = self._pool.submit(self._call, arn, json.dumps(event).encode())
        try:
            return future.result(seconds)
        except FutureTimeoutError:
            return responses.SERVICE_UNAVAILABLE

    def _call(self, arn: str, event: bytes) -> Response:
        try:
            outcome = awslambda.run(awslambda.functions()[_name(arn)], event)
        except NotRunError as error:
            log.warning("%s was not called: %s", arn, error)
            return responses.INTERNAL_SERVER_ERROR
        if outcome.error:
            timed_out = outcome.error == TIMED_OUT
            return responses.SERVICE_UNAVAILABLE if timed_out else responses.INTERNAL_SERVER_ERROR
        try:
            return responses.response(outcome.payload)
        except responses.MalformedError as error:
            log.warning("the answer of %s is none for an HTTP API: %s", arn, error)
            return responses.INTERNAL_SERVER_ERROR

    def _routes(self, api: str) -> dict[str, str]:
        """RouteKey → Target of an API's routes; none if there is no such API, or it is not deployed."""
        try:
            stages = self._cloud.look(SERVICE, "get_stages", ApiId=api)["Items"]
            found = self._cloud.look(SERVICE, "get_routes", ApiId=api)["Items"]
        except ClientError:
            return {}
        if not any(stage["StageName"] == events.STAGE and boolean(stage.get("AutoDeploy")) for stage in stages):
            return {}
        return {route["RouteKey"]: route.get("Target", "") for route in found}

    def _integration(self, api: str, target: str) -> tuple[str, float]:
        """The function's ARN, and for how many seconds the API waits for it."""
        found = self._cloud.look(SERVICE, "get_integrations", ApiId=api)["Items"]
        for each in found:
            if target == f"integrations/{each['IntegrationId']}" and (arn := FUNCTION.search(each["IntegrationUri"])):
                return arn[0], float(each.get("TimeoutInMillis") or INTEGRATION_SECONDS * 1000) / 1000
        return "", 0.0

    def _allowed(self, arn: str, source: str) -> bool:
        """Whether the function's policy lets the API call it.

        https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html#apigateway-permissions
        """
        if not arn:
            return False
        try:
            policy = json.loads(self._cloud.look("lambda", "get_policy", FunctionName=_name(arn))["Policy"])
        except ClientError:
            return False
        return any(_allows(statement, source) for statement in policy["Statement"])


def middleware(gateway: Gateway, application: Any) -> Any:
    """Put this before the APIs: requests by the name of an HTTP API are the gateway's."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        host = HOST.fullmatch(environ.get("HTTP_HOST", ""))
        if host is None:
            served: Iterable[bytes] = application(environ, start_response)
            return served
        answer = gateway.answer(host[1].lower(), environ)
        status = HTTPStatus(answer.status) if answer.status in list(HTTPStatus) else None
        headers = [*answer.headers, ("apigw-requestid", uuid.uuid4().hex[:16])]
        if answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            headers.append(("content-length", str(len(answer.body))))
        start_response(f"{answer.status} {status.phrase if status else 'Unknown'}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    return serve


def url(api: str, port: int) -> str:
    """Where this machine reaches an HTTP API."""
    return f"http://{api}.execute-api.{HERE}:{port}"


def _name(arn: str) -> str:
    """Of a function."""
    return arn.split(":")[6]


def _resource(key: str) -> str:
    """A route as the end of an ARN has it: `GET/items/{id}`, `$default`."""
    method, _, path = key.partition(" ")
    return f"{'*' if method == routes.ANY else method}{path}"


def _allows(statement: dict[str, Any], source: str) -> bool:
    if statement.get("Effect") != "Allow" or statement.get("Action") not in ("lambda:InvokeFunction", "lambda:*"):
        return False
    principal = statement.get("Principal")
    if principal not in ("*", {"Service": "apigateway.amazonaws.com"}):
        return False
    wanted = (statement.get("Condition") or {}).get("ArnLike", {}).get("AWS:SourceArn")
    return wanted is None or fnmatch.fnmatchcase(source, wanted)

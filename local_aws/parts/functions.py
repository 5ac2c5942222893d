"""Lambda's real half: containers with Debian's Python in which functions run, made when a call needs one."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
import uuid
from dataclasses import dataclass

import docker
from botocore.exceptions import ClientError
from docker.models.containers import Container

from local_aws import images
from local_aws.access import roles
from local_aws.ca import authority
from local_aws.cloud import Cloud
from local_aws.config import REGION
from local_aws.functions import code, gateway
from local_aws.functions.environments import Environments, NotRunError, Outcome, Settings, call, refusal, wait
from local_aws.part import Health, Part
from local_aws.patches import awslambda

NAME_LABEL = "berth.local-aws.function"
PORT = 8080
TASK_ROOT = "/var/task"
TRUSTED_FOLDER, TRUSTED_NAME = "/run/local-aws", "ca.pem"
SELF_MEMORY = 24
"""MiB for the container's first process, which on AWS is not within the function's own."""
START_SECONDS = 30.0
"""For an environment's init phase, which ends after ten; the rest is Docker's and the machine's."""


@dataclass
class Home:
    """A container as the place of an environment.

    Attributes:
        container: it.
        url: where its first process is called.
        log_stream: of the function's log group.
    """

    container: Container
    log_stream: str
    url: str = ""

    def remove(self) -> None:
        """End it and take it away."""
        try:
            self.container.remove(force=True, v=True)
        except docker.errors.NotFound:
            return  # `down` was first


class Functions(Part):
    """Runs functions of Python when they are called, by their HTTP API or by Invoke.

    A call that finds no idle environment starts one (a cold start); it waits some minutes for the next call and goes
    when the function's code or configuration is another one.
    """

    name = "functions"
    interval = 2.0

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._environments = Environments(self._start_environment)
        self._last: dict[str, str] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        images.ensure("function")
        awslambda.runner = self.run

    def reconcile(self) -> None:
        """Take away what is too old; nothing is started before somebody calls."""
        self._environments.tidy(awslambda.functions())

    def health(self) -> list[Health]:
        lines = []
        apis = self._apis()
        for name, settings in sorted(awslambda.functions().items()):
            there, busy = self._environments.count(name)
            state = f"{there} warm, {busy} of them in a call" if there else "cold"
            where = ", ".join(gateway.url(api, self.cloud.config.api_port) for api in apis.get(settings.arn, []))
            trouble = self._last.get(name, "")
            lines.append(Health(f"function {name}", not trouble, trouble or ", ".join(filter(None, [where, state]))))
        return lines

    def close(self) -> None:
        awslambda.runner = None

    def run(self, settings: Settings, event: bytes) -> Outcome:
        """Run a function once.

        Raises:
            NotRunError: it was not run.
        """
        if said := refusal(settings.runtime):
            raise NotRunError(said)
        request_id = str(uuid.uuid4())
        root = f"{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
        try:
            with self._environments.lent(settings) as environment:
                outcome = call(environment, event, request_id, f"Root=1-{root};Sampled=0")
                self._log(settings, environment.place.log_stream, outcome.log)
        except NotRunError:
            raise
        except Exception as error:  # Docker's, the network's: what went wrong is ours, not the function's
            self.log.exception("function %s", settings.name)
            with self._lock:
                self._last[settings.name] = f"does not run: {error}"
            raise NotRunError(f"The function {settings.name} does not run: {error}") from error
        with self._lock:
            self._last.pop(settings.name, None)
        return outcome

    def _start_environment(self, settings: Settings) -> Home:
        """A container that has gone through its init phase."""
        began = time.monotonic()
        today = datetime.datetime.now(datetime.UTC).strftime("%Y/%m/%d")
        stream = f"{today}/[$LATEST]{uuid.uuid4().hex}"
        container = self.cloud.docker.containers.create(
            images.ensure("function"),
            command=["--timeout", str(settings.timeout), "--arn", settings.arn],
            name=self.cloud.config.container(f"function-{settings.name}-{stream[-8:]}"),
            labels={**self.cloud.labels, NAME_LABEL: settings.name},
            environment=environment(settings, stream, self._credentials(settings)),
            network=self.cloud.config.network_name,
            dns=[self.cloud.config.resolver],
            mem_limit=f"{settings.memory + SELF_MEMORY}m",
            memswap_limit=f"{settings.memory + SELF_MEMORY}m",
        )
        home = Home(container, stream)
        try:
            container.put_archive(TASK_ROOT, code.archive(awslambda.code(settings.name)))
            trusted = authority(self.cloud).certificate_path.read_text(encoding="ascii")
            container.put_archive(TRUSTED_FOLDER, code.file(TRUSTED_NAME, trusted))
            container.start()
            container.reload()
            networks = container.attrs["NetworkSettings"]["Networks"]
            home.url = f"http://{networks[self.cloud.config.network_name]['IPAddress']}:{PORT}"
            wait(home.url, START_SECONDS, lambda: self._runs(container))
        except Exception as error:
            said = container.logs(tail=5).decode(errors="replace").strip()
            home.remove()
            raise RuntimeError(f"its container did not come up: {error}. {said}".strip()) from error
        self.log.info("function %s: cold start in %.1f s", settings.name, time.monotonic() - began)
        return home

    def _runs(self, container: Container) -> bool:
        container.reload()
        return bool(container.status == "running")

    def _credentials(self, settings: Settings) -> dict[str, str]:
        """Of the function's role."""
        found = roles.assume(self.cloud, settings.role, settings.name, roles.LAMBDA, settings.arn)
        return {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }

    def _log(self, settings: Settings, stream: str, lines: list[tuple[int, str]]) -> None:
        """Write down what a call logged, with the rights of the function's role.

        Where that is not possible it is lost, as on AWS, and the function runs.
        """
        logs, group = self.cloud.client("logs"), settings.log_group
        named = {"logGroupName": group, "logStreamName": stream}
        for operation in ("CreateLogStream", "PutLogEvents"):
            call = ("logs", operation)
            if said := roles.refusal(self.cloud, settings.role, settings.name, call, REGION, **named):
                self.log.warning("the log of %s is lost: %s", group, said)
                return
        events = [{"timestamp": when, "message": line} for when, line in sorted(lines, key=lambda each: each[0])]
        try:
            with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):  # made by an earlier call
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except ClientError as error:
            self.log.warning("the log of %s is lost: %s", group, error)

    def _apis(self) -> dict[str, list[str]]:
        """ARN of a function → ids of the APIs before it."""
        found: dict[str, list[str]] = {}
        for api in self.cloud.look("apigatewayv2", "get_apis")["Items"]:
            for each in self.cloud.look("apigatewayv2", "get_integrations", ApiId=api["ApiId"])["Items"]:
                found.setdefault(each.get("IntegrationUri", ""), []).append(api["ApiId"])
        return found


def environment(settings: Settings, log_stream: str, credentials: dict[str, str]) -> dict[str, str]:
    """Environment variables of a function.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime; and the
    authority of the embedded AWS's endpoints, for its SDK.
    """
    return {
        "AWS_CA_BUNDLE": f"{TRUSTED_FOLDER}/{TRUSTED_NAME}",
        **dict(settings.variables),
        **credentials,
        "_HANDLER": settings.handler,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{settings.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": settings.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "LAMBDA_TASK_ROOT": TASK_ROOT,
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
    }

"""What tests are given of the embedded AWS: moto's APIs with our CloudFormation in front, in a thread of the process.

No Docker, no network. A plugin of pytest: `-p local_aws.tests.fixtures`.
"""

from __future__ import annotations

import copy
import dataclasses
import ipaddress
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from local_aws.access.denials import Denials
from local_aws.cloud import Cloud
from local_aws.config import Config, Iam
from local_aws.tests.access_support import Guarded
from local_aws.tests.late_support import LateAws
from local_aws.tests.stack_support import Stacks, Thing
from local_aws.tests.watched_support import Watched


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts the embedded APIs: `make check` leaves these to `make test`."""
    for item in items:
        if "aws_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.embedded)


@pytest.fixture(scope="session")
def apis() -> Any:
    """moto's WSGI application."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)


@pytest.fixture(scope="session")
def aws_server(apis: Any) -> Iterator[Cloud]:
    """One embedded AWS for all tests of the process, without its parts."""
    from local_aws import patches
    from local_aws.access.front import Guard
    from local_aws.cloudformation import api

    network = ipaddress.IPv4Network("10.79.0.0/16")
    cloud = Cloud(Config("unit", 0, 0, 0, 0, 0, network))
    log = os.environ.get("BERTH_IAM_LOG")
    door = Guard(cloud, Iam(os.environ.get("BERTH_IAM", "record")), Denials(Path(log) if log else None))
    cloud.guard = door
    server = make_server("127.0.0.1", 0, door.before(apis), threaded=True)
    cloud.config = dataclasses.replace(cloud.config, api_port=server.server_port)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    patches.apply(cloud)
    patches.cloudfront.recorded = True
    api.install(cloud)
    threading.Thread(target=server.serve_forever, name="unit-api", daemon=True).start()
    _remember_managed_policies()
    yield cloud
    server.shutdown()


@pytest.fixture
def aws(aws_server: Cloud) -> Cloud:
    """An embedded AWS as empty as on its first day. `aws.client("ec2")`, `aws.client("s3", "eu-west-1")`."""
    from moto.core.base_backend import BackendDict, backend_lock

    from local_aws.cloudformation import api

    api.reset()
    with backend_lock:  # BackendDict.reset() would make every backend anew before it throws it away
        for backends in BackendDict._instances:
            backends.clear()
        BackendDict._instances.clear()
    return aws_server


@pytest.fixture
def late_aws(aws: Cloud, apis: Any) -> Iterator[Callable[..., LateAws]]:
    """Start late fronts before `aws`, with our ECS: `late_aws(seed=1, faults=0)`; what is not given does not happen."""
    from local_aws import ecs

    vars(aws).pop("_ecs", None)
    made: list[LateAws] = []

    def start(**settings: Any) -> LateAws:
        made.append(LateAws(ecs.middleware(aws, apis), **settings))
        return made[-1]

    yield start
    for each in made:
        each.stop()


@pytest.fixture
def guard(aws: Cloud, apis: Any) -> Iterator[Callable[..., Guarded]]:
    """Start APIs that ask IAM: `guard()`, or with what `Guarded` takes. Stacks act with the rights of who made them."""
    vars(aws).pop("_ecs", None)
    made: list[Guarded] = []
    port = aws.config.api_port

    def start(*arguments: Any, **options: Any) -> Guarded:
        made.append(Guarded(aws, apis, *arguments, **options))
        # What acts for a caller comes by the same door.
        aws.config = dataclasses.replace(aws.config, api_port=made[-1].server.server_port)
        aws._clients.clear()
        return made[-1]

    yield start
    aws.config = dataclasses.replace(aws.config, api_port=port)
    aws._clients.clear()
    for each in made:
        each.stop()


@pytest.fixture
def watch(aws: Cloud, apis: Any) -> Iterator[Callable[..., Watched]]:
    """Start an embedded AWS whose loops keep answers: `watch(front)`; by default nothing stands before its APIs."""
    made: list[Watched] = []

    def start(front: Callable[[Any], Any] = lambda application: application) -> Watched:
        made.append(Watched(aws, apis, front))
        return made[-1]

    yield start
    for each in made:
        each.server.shutdown()


@pytest.fixture
def watched(watch: Callable[..., Watched]) -> Watched:
    """One with nothing before it."""
    return watch()


def _remember_managed_policies() -> None:
    """Parse AWS's managed policies once: for every test and partition it would take moto a third of a second."""
    from moto.iam.models import IAMBackend

    parse: Callable[[IAMBackend], list[Any]] = IAMBackend._init_aws_policies
    parsed: list[Any] = []

    def copies(backend: IAMBackend) -> list[Any]:
        if backend.region_name != "aws":
            return []  # China's and the others: nobody looks there
        if not parsed:
            parsed.extend(parse(backend))
        return [copy.copy(policy) for policy in parsed]

    IAMBackend._init_aws_policies = copies


@pytest.fixture
def stacks(aws: Cloud) -> Iterator[Stacks]:
    """CloudFormation in us-east-1, and no `Thing` left from another test."""
    Thing.reset()
    yield Stacks(aws)
    for gate in Thing.gates.values():
        gate.set()

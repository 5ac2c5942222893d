"""moto's APIs with our CloudFormation in front, in a thread of the test process: no Docker, no network."""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from local_aws.cloud import Cloud
from local_aws.config import Config


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Cloud]:
    """One embedded AWS for all tests of the process, without its parts."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from local_aws import patches
    from local_aws.cloudformation import api

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    network = ipaddress.IPv4Network("10.79.0.0/16")
    cloud = Cloud(dataclasses.replace(Config("unit", 0, 0, 0, 0, 0, network), api_port=server.server_port))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    patches.apply(cloud)
    api.install(cloud)
    threading.Thread(target=server.serve_forever, name="unit-api", daemon=True).start()
    yield cloud
    server.shutdown()


@pytest.fixture
def aws(aws_server: Cloud) -> Cloud:
    """An embedded AWS as empty as on its first day. `aws.client("ec2")`, `aws.client("s3", "eu-west-1")`."""
    from moto.core.base_backend import BackendDict

    from local_aws.cloudformation import api

    api.reset()
    BackendDict.reset()
    return aws_server

"""An embedded AWS whose loops keep answers, and how often they ask."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config as BotoConfig
from werkzeug.serving import make_server

from local_aws.cloud import ACCESS_KEY, SECRET_KEY, Cloud


class Watched:
    """An embedded AWS put together as by `server.Server`, without its parts; and the requests that moto got.

    Args:
        aws: the one whose state it shows.
        apis: moto's WSGI application.
        front: what stands before it.
    """

    def __init__(self, aws: Cloud, apis: Any, front: Callable[[Any], Any]) -> None:
        from local_aws import ecs

        self.requests = 0

        def counted(environ: dict[str, Any], start_response: Any) -> Any:
            self.requests += 1
            return apis(environ, start_response)

        self.server = make_server("127.0.0.1", 0, apis, threaded=True)
        self.cloud = Cloud(dataclasses.replace(aws.config, api_port=self.server.server_port))
        self.server.app = front(ecs.middleware(self.cloud, self.cloud.changes.watch(counted)))
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def asked(self, loop: Callable[[], object]) -> int:
        """How many requests it takes to run a loop once."""
        before = self.requests
        loop()
        return self.requests - before


def client(endpoint: str, service: str) -> Any:
    """A client of somebody else."""
    session = boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name="us-east-1")
    return session.client(service, endpoint_url=endpoint, config=BotoConfig(proxies={}))


def outside(watched: Watched, service: str) -> Any:
    """The same, of this embedded AWS."""
    return client(watched.cloud.config.endpoint, service)


def vpcs(watched: Watched) -> list[str]:
    """What a loop sees: the ranges of all VPCs."""
    return sorted(vpc["CidrBlock"] for vpc in watched.cloud.look("ec2", "describe_vpcs")["Vpcs"])

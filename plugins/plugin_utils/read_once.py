"""What the process of each task would read anew is read here, once for all of them.

The controller imports an action plugin, and with it this file, before it starts the worker of the first task that uses
it; workers are forks of the controller. Each client of boto3 reads a tenth of a second's worth of botocore's data, each
worker half of that of Ansible's filters and tests, and a run of `site` has twenty (`make bench`).

Filters and tests are read at once, as the first worker needs them. Botocore's data is read while the first workers
work, as the controller has nothing else to do then.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import time

import boto3
import botocore.session
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from botocore.exceptions import DataNotFoundError
from botocore.loaders import create_loader

FOR_ALL = ("endpoints", "partitions", "sdk-default-configuration", "_retry")
"""Botocore's data for a client of any service."""
SERVICES = (
    "cloudformation", "ecs", "s3", "sts", "ec2", "rds", "route53", "efs", "ssm", "autoscaling", "secretsmanager",
    "logs", "service-quotas", "acm", "elbv2",
)  # fmt: skip
"""boto3's names of the services that a run of `site` asks where nothing is to be done, the first needed first."""
KINDS = ("service-2", "endpoint-rule-set-1", "paginators-1")
"""Botocore's data of one service."""
AHEAD_SECONDS = 0.15
"""For how long the controller reads ahead behind a fork: no longer than a worker works. The next goes on with it."""


def session() -> boto3.Session:
    """A boto3 session, with credentials and settings of its own, that reads no data that was read before."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _DATA)
    return boto3.Session(botocore_session=core)


def read_ahead(seconds: float = AHEAD_SECONDS) -> None:
    """Read the data of the services that a run will ask, for at most so long, where the workers are forked."""
    until = time.monotonic() + seconds
    if not _left or os.getpid() != _PROCESS:
        return
    while _left and time.monotonic() < until:
        service = _left.pop(0)
        wanted = [functools.partial(_DATA.load_data, name) for name in FOR_ALL if service == SERVICES[0]]
        # Asked for as botocore does, which keeps it by that.
        wanted += [functools.partial(_DATA.load_service_model, service, kind, api_version=None) for kind in KINDS]
        for load in wanted:
            with contextlib.suppress(DataNotFoundError):  # not every service has pages
                load()
    gc.freeze()  # as below


_PROCESS = os.getpid()
_DATA = create_loader()
_left = list(SERVICES)
for _loader in (filter_loader, test_loader):
    list(_loader.all())
lookup_loader.get("site", class_only=True)

# Each worker would look through all of this for garbage again and again, and so copy the pages that it shares with the
# controller: about a seventh of a run's time (`make bench` with and without). https://docs.python.org/3/library/gc.html#gc.freeze
gc.freeze()
os.register_at_fork(after_in_parent=read_ahead)

"""What the process of each task would read anew is read here, once for all of them.

The controller imports an action plugin, and with it this file, before it starts the worker of the first task that uses
it; workers are forks of the controller. Each client of boto3 reads a tenth of a second's worth of botocore's data, each
worker half of that of Ansible's filters and tests, and a run of `site` has twenty (`make bench`).
"""

from __future__ import annotations

import contextlib
import gc

import boto3
import botocore.session
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader

FOR_MOST_TASKS = ("cloudformation", "ecs")
"""boto3's names of the services that several tasks of a run ask."""


def session() -> boto3.Session:
    """A boto3 session, with credentials and settings of its own, that reads no data that was read before."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _DATA)
    return boto3.Session(botocore_session=core)


_DATA = create_loader()
# A profile that is not there, a file of settings that cannot be read: whoever asks AWS in earnest is told of it then.
with contextlib.suppress(BotoCoreError):
    for _service in FOR_MOST_TASKS:
        session().client(_service, "us-east-1", aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106 - none
for _loader in (filter_loader, test_loader):
    list(_loader.all())
lookup_loader.get("site", class_only=True)

# Each worker would look through all of this for garbage again and again, and so copy the pages that it shares with the
# controller: about a seventh of a run's time (`make bench` with and without). https://docs.python.org/3/library/gc.html#gc.freeze
gc.freeze()

"""Jobs that run on a schedule: when they last wrote something, and how their last runs ended.

Asks ListTasks, DescribeTasks, DescribeLogStreams, GetLogEvents.
"""

from __future__ import annotations

import datetime
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.status import stopped
from plugins.plugin_utils.status.part import Client, Part
from plugins.plugin_utils.status.words import ago, iso


def look(client: Client, site: Site, now: datetime.datetime) -> Part:
    """Ask for the last runs, and judge.

    Args:
        client: gives a boto3 client.
        site: whose jobs.
        now: with its time zone.
    """
    part, prefix = Part([]), site.identity.prefix
    for name, job in site.jobs.items():
        if not job.schedule:
            continue
        about, group = f"job.{name}", f"{_root(site)}/job/{name}"
        wrote = part.ask(about, "logs", _newest, client("logs"), group)
        arns = part.ask(about, "ecs", stopped.of_family, client, prefix, f"{prefix}-job-{name}")
        past = stopped.look(client, prefix, arns or [], about, {}, now)
        part.unasked += past.unasked
        part.facts.append(
            {
                "name": name,
                "schedule": job.schedule,
                "zone": job.zone,
                "last_wrote": iso(wrote / 1000) if wrote else "",
                "stopped": past.facts,
            }
        )
        last = next(iter(past.facts), None)
        if last and last["failed"]:
            typed = verb("logs.yml") + f" -e job={name}"
            part.is_wrong(about, f"its last run failed {ago(last['age_seconds'] or 0)}: {last['reason']}", typed)
    return part


def _root(site: Site) -> str:
    """What the names of the site's log groups begin with."""
    return f"/{site.identity.site_name}/{site.identity.environment_name}"


def _newest(logs: Any, group: str) -> int:
    """When something was last written into a log group, in milliseconds since 1970; 0 for never."""
    try:
        # one page: the newest alone
        found = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=1)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return 0
        raise
    return int(next((each.get("lastEventTimestamp", 0) for each in found["logStreams"]), 0))

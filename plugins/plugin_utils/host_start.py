"""Why a host that is to start has not joined its cluster: what its group says."""

from __future__ import annotations

import datetime
from typing import Any

from plugins.plugin_utils.known_reasons import explained

RECENT = datetime.timedelta(minutes=15)
"""Scaling activities older than this when a wait begins belong to something else."""


def failed_launches(autoscaling: Any, group: str, since: datetime.datetime) -> list[str]:
    """Why an Auto Scaling group could not launch or terminate what it was to; a sentence a reason.

    Args:
        autoscaling: a boto3 client.
        group: its name.
        since: older activities are left out.
    """
    # one page: the newest come first, and the next round asks again
    activities = autoscaling.describe_scaling_activities(AutoScalingGroupName=group, MaxRecords=20)
    failed = [
        activity
        for activity in activities["Activities"]
        if activity["StatusCode"] in ("Failed", "Cancelled") and activity["StartTime"] >= since
    ]
    sentences = [
        f"{group}: {explained(activity.get('StatusMessage') or activity['StatusCode'])}" for activity in failed
    ]
    return list(dict.fromkeys(sentences))

"""Alarms of what a run changes tell nobody while it holds the lock: a mute rule of CloudWatch.

A deployment makes services have less tasks, or less healthy ones, for a while, and somebody watches it. The rule has an
end of its own, a little behind that of the lock, and is renewed with it. So the silence of a run that was killed ends
by itself, and that of one that is through gives alarms those minutes to see that all is well again; what rings even
then is told then. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules-behaviour.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.lock import answered

LAYERS = ("cluster", "service")
"""Whose alarms are silent: of tasks, targets, hosts and the load balancer. A full database is told of anyhow."""
MOST = 100
"""Alarms of a rule. Those beyond, of more than twenty services, ring."""
MARGIN_MINUTES = 1
"""A rule begins with the minute that has begun already."""


def rule(prefix: str) -> str:
    """The name of an environment's mute rule.

    Args:
        prefix: of its stacks.
    """
    return f"{prefix}-lock"


def end(cloudwatch: Any, prefix: str) -> None:
    """Let alarms tell again; where no rule is, nothing happens."""
    cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName=rule(prefix))


class Silence:
    """The silence of one environment, as long as its lock is renewed.

    Args:
        cloudwatch: client of botocore.
        prefix: of the environment's stacks.
        verb: what is under way, for whoever sees the rule.
        seconds: for which the lock holds from its last renewal.
    """

    def __init__(self, cloudwatch: Any, prefix: str, verb: str, seconds: float) -> None:
        self._cloudwatch, self._prefix, self._verb = cloudwatch, prefix, verb
        self._minutes = math.ceil(seconds / 60) + MARGIN_MINUTES
        self.trouble = ""
        """Why it did not come about, the first time; empty if it did."""

    def renew(self) -> None:
        """Be silent from now on, also those that were made meanwhile."""
        self._try(self._renew)

    def over(self) -> None:
        """The run is through. After a teardown nobody would take the rule away any more."""
        if self._verb == "teardown":
            self._try(lambda: end(self._cloudwatch, self._prefix))

    def _renew(self) -> None:
        names, now = self._alarms()
        if names:
            self._cloudwatch.put_alarm_mute_rule(
                Name=rule(self._prefix),
                Description=f"{self._verb} is under way",
                Rule={"Schedule": {"Expression": f"at({now:%Y-%m-%dT%H:%M})", "Duration": f"PT{self._minutes}M"}},
                MuteTargets={"AlarmNames": names[:MOST]},
            )

    def _alarms(self) -> tuple[list[str], datetime]:
        """Names of those that are to be silent, and the time as CloudWatch has it."""
        begins = tuple(f"{self._prefix}-{layer}-" for layer in LAYERS)
        pages = list(self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{self._prefix}-"))
        found = [each["AlarmName"] for page in pages for each in page["MetricAlarms"]]
        return sorted(name for name in found if name.startswith(begins)), answered(pages[-1])

    def _try(self, work: Callable[[], None]) -> None:
        """It is for peace alone: no run is to end because of it."""
        try:
            work()
        except (BotoCoreError, ClientError) as error:
            self.trouble = self.trouble or str(error)

"""Why a host that is to start has not joined its cluster: what its group and its console say."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.aws_action import reason
from plugins.plugin_utils.known_reasons import explained

RECENT = datetime.timedelta(minutes=15)
"""Scaling activities older than this when a wait begins belong to something else."""
CONSOLE_SECONDS = 15.0
"""Between two looks at a console: the API is throttled, and the answer is up to 64 KB."""
CONSOLES = 10
"""How many consoles are looked at in a round: a call each, and what ails one host ails the others of its group."""
SAID = re.compile(r"\becs-boot-report(?:\[\d+\])?: ([^\r\n]*)")
"""A line of the host role ecs_agent's report, as journald forwards it to the console."""


def boot_report(console: str) -> list[str]:
    """What a host last said of why it has not joined; nothing if it has, or has not said anything yet.

    Args:
        console: everything on its console, of several boots perhaps.
    """
    report: list[str] = []
    complete = False
    for text in SAID.findall(console):
        if text.startswith(("BEGIN report", "joined ")):
            report, complete = [], False
        if text.startswith("END report"):
            complete = True
        elif not text.startswith("joined "):
            report.append(text.removeprefix("BEGIN report: "))
    return report if complete else []


class Consoles:
    """The boot reports of hosts, from their consoles.

    Args:
        client: gives EC2's client.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._looked = -CONSOLE_SECONDS
        self._reports: list[str] = []
        self._refused = ""
        self._latest = True

    def reports(self, names: list[str], elapsed: float | None = None) -> list[str]:
        """A text a host that has said why it did not join.

        Args:
            names: instance ids.
            elapsed: seconds of the wait, to look now and then only; None to look now.
        """
        if elapsed is None or elapsed - self._looked >= CONSOLE_SECONDS:
            self._looked = elapsed or 0.0
            found = {name: boot_report(self._console(name)) for name in names[:CONSOLES]}
            self._reports = [
                f"host {name} did not join: " + "\n    ".join(lines) for name, lines in found.items() if lines
            ]
        return self._reports

    def silence(self, names: list[str]) -> list[str]:
        """What to type where no console had a report."""
        if not names:
            return []
        refused = f" ({self._refused})" if self._refused else ""
        return [
            f"No console has a report of the host{refused}. Look again in some minutes, older types show theirs late: "
            f"aws ec2 get-console-output --output text --instance-id {names[0]}"
        ]

    def _console(self, name: str) -> str:
        """Everything that EC2 has of a console.

        The latest is to be had of Nitro types only; of others it is what they wrote up to some minutes ago.
        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
        """
        try:
            if self._latest:
                try:
                    return str(self._client().get_console_output(InstanceId=name, Latest=True).get("Output") or "")
                except ClientError as error:
                    if error.response["Error"]["Code"] != "UnsupportedOperation":
                        raise
                    self._latest = False
            return str(self._client().get_console_output(InstanceId=name).get("Output") or "")
        except ClientError as error:  # an instance that has just gone, or no right to look: the wait goes on
            self._refused = reason(error)
            return ""


def failed_launches(autoscaling: Any, group: str, since: datetime.datetime) -> list[str]:
    """Why an Auto Scaling group could not launch or terminate what it was to; a sentence a reason.

    Args:
        autoscaling: a boto3 client.
        group: its name; empty for none.
        since: older activities are left out.
    """
    if not group:
        return []
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

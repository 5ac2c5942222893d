"""Make an alarm ring, and say what has to arrive where."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.alarm_test import DOCUMENTATION
from plugins.plugin_utils import arrival
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.places import nearest, verb
from plugins.plugin_utils.silence import end
from plugins.plugin_utils.status import alarms, stacks

REASON = "A test, by alarms_test.yml: nothing is wrong."
SEEN_SECONDS = 30
"""How long CloudWatch may take to show the state that it was given."""


class ActionModule(AwsAction):
    """See plugins/modules/alarm_test.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Choose an alarm, and make it ring.

        Raises:
            Failed: nobody would hear it, there is no such alarm, or it rings already.
        """
        prefix = self.arguments["prefix"]
        found = stacks.described(self.client("cloudformation"), prefix, self.arguments["layers"])
        topic = stacks.outputs(found.get("alarms", {})).get("AlarmTopicArn", "")
        told, deaf = self._ears(topic)
        cloudwatch, names = self.client("cloudwatch"), stacks.names(found)
        known = {
            f"{layer}.{alarms.called(each['AlarmName'], names[layer])}": each
            for layer, each in alarms.alarms(cloudwatch, prefix, names)
        }
        word = self._chosen(known)
        name, before = known[word]["AlarmName"], known[word]["StateValue"]
        arrived: dict[str, int] = {}
        if self.check_mode:
            self.say(word, f"would ring for {', '.join(told)}", "yellow")
        else:
            begun = datetime.datetime.now(datetime.UTC)
            end(cloudwatch, prefix)  # that of the run before, of which this has the lock now
            self._ring(cloudwatch, word, name, before)
            over = ", and that it is over" if before == "OK" else ""
            for each in told:
                self.say(each, f'has to get ALARM: "{name}"{over}, within a minute; it says: {REASON}')
            messages = len(told) * (2 if over else 1)
            arrived = self._arrived(cloudwatch, topic, messages, begun)
        for each in deaf:
            self.say(each, "gets nothing", "red")
        return {"changed": True, "alarm": name, "told": told, "deaf": deaf, "arrived": arrived}

    def _ring(self, cloudwatch: Any, word: str, name: str, before: str) -> None:
        """Let an alarm ring, and be as it was: until the next look at its metric, a day for some, it would ring on.

        Two states within a moment might be one change, so the first is seen before the second is set.
        """
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason=REASON)
        wait = Wait(SEEN_SECONDS, self.say, word)
        while _state(cloudwatch, name) != "ALARM" and wait.pause("CloudWatch to show that it rings"):
            pass
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=before, StateReason=REASON)
        self.say(word, f"has rung: {name}", "yellow")

    def _arrived(self, cloudwatch: Any, topic: str, messages: int, begun: datetime.datetime) -> dict[str, int]:
        """What SNS says became of the messages, as far as it does before `arrival_timeout`; empty if that is 0."""
        seconds = self.arguments["arrival_timeout"]
        if not seconds:
            return {}
        wait = Wait(seconds, self.say, "messages")
        while True:
            delivered, failed = arrival.told(cloudwatch, topic, begun)
            if delivered + failed >= messages or not wait.pause(
                f"SNS to tell what became of {messages - delivered - failed} of {messages} messages"
            ):
                return {"expected": messages, "delivered": delivered, "failed": failed}

    def _ears(self, topic: str) -> tuple[list[str], list[str]]:
        """Who is told, and who of those that are to be is not.

        Raises:
            Failed: nobody is.
        """
        if not topic:
            raise Failed(f"There is no topic by which anybody could be told yet. Type: {verb('site.yml')}")
        states = alarms.subscriptions(self.client("sns"), topic)
        told = [name for name, state in states.items() if state == alarms.CONFIRMED]
        deaf = [name for name in self.arguments["subscribers"] if name not in told]
        if not told:
            raise Failed(
                f"Nobody has confirmed to be told, so nothing would arrive: {', '.join(deaf)}. AWS has sent each a "
                f"link (docs/alarms.md#who-is-not-told). What is missing says: {verb('status.yml')}"
            )
        return told, deaf

    def _chosen(self, known: Mapping[str, Mapping[str, Any]]) -> str:
        """The alarm that was typed, or the first that can ring.

        Raises:
            Failed: there is none.
        """
        typed = self.arguments["alarm"]
        if typed and typed not in known:
            near = nearest(typed, known)
            raise Failed(f"No alarm is called {typed}. Type for example: {verb('alarms_test.yml')} -e alarm={near}")
        can = [word for word, each in known.items() if _can_ring(each) and typed in ("", word)]
        if not can:
            what = typed or "Each alarm of the site"
            raise Failed(
                f"{what} rings already or is muted, and of that nobody would be told anew. What rings says: "
                f"{verb('status.yml')}"
            )
        return min(can, key=lambda word: known[word]["StateValue"] != "OK")


def _state(cloudwatch: Any, name: str) -> str:
    found = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]  # one page: one alarm
    return str(found[0]["StateValue"]) if found else ""


def _can_ring(alarm: Mapping[str, Any]) -> bool:
    return alarm["StateValue"] != "ALARM" and bool(alarm.get("ActionsEnabled", True))

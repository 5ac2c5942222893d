"""Answer for a site with a maintenance page, at its load balancer."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.filter.durations import go_seconds
from plugins.modules.alb_maintenance import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.maintenance_switch import NAME, Switch, Wanted, is_over, till

LONGEST = 30 * 86400


class ActionModule(AwsAction):
    """See plugins/modules/alb_maintenance.py for its arguments and results.

    amazon.aws.elb_application_lb manages a load balancer with all rules of its listeners, and takes away those that it
    is not told of; no module of a collection has one rule.
    """

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Switch it on or off, or look.

        Raises:
            Failed: the site is not up, or something was given that a load balancer does not take.
        """
        given = self.arguments
        until = f"{_until(given['for_time']):%Y-%m-%dT%H:%MZ}" if given["for_time"] else ""
        switch = Switch(self.client, self.say, given["prefix"], given["tags"], self.check_mode)
        was = switch.rules
        match given["state"]:
            case "on":
                wanted = Wanted(given["page"], given["beside"], until, given["allowed_cidrs"], given["by"])
                changed = switch.on(wanted)
                if self.check_mode or not changed:
                    return _result(changed, was.on, was.until, was.verb)
                return _result(True, True, until, given["by"])
            case "off" if switch.listener:
                changed = switch.off()
                return _result(changed, was.on and self.check_mode, "")
            case "settled":
                changed = switch.settle(given["sure"])
                stays = was.on and (self.check_mode or not was.verb or not changed)
                return _result(changed, stays, was.until if stays else "", was.verb if stays else "")
            case "followed":
                return _result(switch.follow(), was.on, was.until, was.verb)
            case "released":
                return _result(switch.release(given["targets"]), was.on, was.until, was.verb)
        self._say_status(switch)
        return _result(False, was.on, was.until, was.verb) | {"there": bool(switch.listener)}

    def _say_status(self, switch: Switch) -> None:
        """Who answers, said in words."""
        rules = switch.rules
        if not switch.listener:
            self.say(NAME, "is off: there is no load balancer")
        elif not rules.on:
            half = f"; {len(rules.ours)} rules of it are left, which maintenance=off takes away" if rules.ours else ""
            self.say(NAME, f"is off{half}", "yellow" if half else "green")
        else:
            since = f", since {rules.since}" if rules.since else ""
            by = f", as long as {rules.verb} runs" if rules.verb else ""
            late = ", which is over" if is_over(rules.until) else ""
            self.say(NAME, f"is on{till(rules.until)}{late}{since}{by}", "yellow")
            some = "the cookie" if rules.token else "nobody"
            self.say(NAME, f"let through: {', '.join([some, *rules.cidrs])}")


def _result(changed: bool, on: bool, until: str, by: str = "") -> dict[str, Any]:
    return {"changed": changed, "on": on, "until": until, "by": by}


def _until(text: str) -> datetime.datetime:
    seconds = go_seconds(text)
    if not 60 <= seconds <= LONGEST:
        raise Failed(f"-e for={text} is no time of a minute to 30 days. Write for example -e for=2h, or -e for=90m.")
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)

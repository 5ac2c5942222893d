"""Show what was found of a site, and fail if something is wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.verify_report import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.verify import last_good, targets
from plugins.plugin_utils.verify.databases import judge
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG, Finding, count, lines, plain

OF_WHAT_RAN = (("way in", targets.ANSWERS), (last_good.SUBJECT, last_good.WHAT))
"""Check and what of the findings that say nothing about what is to run."""


class ActionModule(AwsAction):
    """See plugins/modules/verify_report.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Show the table.

        Raises:
            Failed: something is wrong.
        """
        found = [Finding(**each) for each in self.arguments["findings"]]
        found += judge(self.arguments["databases"], self.arguments["answers"], self.arguments["host"])
        numbers = {"ok": count(found, OK), "wrong": count(found, WRONG), "not_asked": count(found, NOT_ASKED)}
        if self.arguments["format"] == "json":
            said = {"site": self.arguments["prefix"], **numbers, "findings": plain(found)}
            Display().display(json.dumps(said, indent=2, ensure_ascii=False))
        else:
            for line, color in lines(found):
                Display().display(line, color=color)
            sums = f"{numbers['ok']} OK, {numbers['wrong']} WRONG, {numbers['not_asked']} NOT ASKED"
            Display().display(sums, color="red" if numbers["wrong"] else "green")
        wrong = [each for each in found if each.state == WRONG]
        passed = [each for each in wrong if self.arguments["replaced"] and (each.check, each.what) in OF_WHAT_RAN]
        if stopping := [each for each in wrong if each not in passed]:
            things = "thing that the site needs is" if len(stopping) == 1 else "things that the site needs are"
            subjects = ", ".join(dict.fromkeys(each.subject for each in stopping))
            raise Failed(f"{len(stopping)} {things} wrong: {subjects}. The lines WRONG above say why.", **numbers)
        told = [f"{each.subject} ({each.what}): {each.reason}. That is of what is replaced now." for each in passed]
        return {"changed": False, **numbers} | ({"warnings": told} if told else {})

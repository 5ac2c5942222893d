"""A plan for programs."""

from __future__ import annotations

import json

from plugins.plugin_utils.plan.model import SitePlan, told
from plugins.plugin_utils.plan.saying import LISTS

VERSION = 1
"""Of the form; a reader may go on if it knows it, as keys are only added."""


def text(plan: SitePlan) -> str:
    """The plan as one JSON object, with a line's end."""
    made = {
        "version": VERSION,
        "site": plan.site,
        "environment": plan.environment,
        "summary": plan.summary,
        "changes": plan.changes,
        "exit_code": plan.exit_code,
        "losses": plan.losses,
        "stacks": [told(each) for each in plan.stacks],
        **{name: getattr(plan, name) for name, _ in LISTS},
        "cost": plan.cost,
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"

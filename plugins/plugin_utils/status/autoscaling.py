"""The autoscaling of the services: whether something of it is suspended, and by whom.

Asks DescribeScalableTargets, ListTagsForResource.
"""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.places import verb
from plugins.plugin_utils.scaling import STATES, Scaling, Target
from plugins.plugin_utils.status.part import Client, Part

ABOUT = "autoscaling"
WORDS = dict(zip(STATES, ("scaling in", "scaling out", "scaling by the clock"), strict=True))


def look(client: Client, cluster: str) -> Part:
    """Ask for it.

    Args:
        client: gives a boto3 client.
        cluster: name.
    """
    part = Part([])
    scaling = Scaling(client, cluster)
    found = part.ask(ABOUT, "application-autoscaling", lambda: list(scaling.targets()))
    part.facts = [_facts(each, cluster) for each in found or ()]
    return part


def _facts(target: Target, cluster: str) -> dict[str, Any]:
    # CloudFormation has named it after its stack.
    entry = target.service.removeprefix(f"{cluster}-service-").rpartition("-Service-")[0]
    return {
        "service": entry or target.service,
        "suspended": [WORDS[name] for name, suspended in target.suspended.items() if suspended],
        "held": target.held is not None,
        "run": target.held or "",
    }


def judge(part: Part, ledger: Part) -> None:
    """Judge it; a run holds it as long as it runs.

    Args:
        part: of `look`.
        ledger: of ledger.py, which knows what runs.
    """
    lock = ledger.facts["lock"] or {}
    for each in part.facts:
        if not each["suspended"]:
            continue
        what = f"{' and '.join(each['suspended'])} of {each['service']} is suspended"
        if not each["held"]:
            part.note(ABOUT, f"{what}, by somebody's hand")
        elif lock.get("run") == each["run"]:
            part.note(ABOUT, f"{what} while {lock['verb']} runs")
        else:
            part.note(ABOUT, f"{what}, as a run that runs no more has left it", verb("site.yml"))

"""Say what a run of `site` would change."""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.plan_report import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ecs import container_instances
from plugins.plugin_utils.maintenance import Rules
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.plan import as_json, costs, gathering, markdown, terminal
from plugins.plugin_utils.plan.model import SitePlan, StackChange, read
from plugins.plugin_utils.site.kept import site_of
from plugins.plugin_utils.stack_pointing import TASK_DEFINITION
from plugins.plugin_utils.status.costs import known


class ActionModule(AwsAction):
    """See plugins/modules/plan_report.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Show the plan.

        Raises:
            Failed: the file cannot be written.
        """
        plan = self._plan()
        lines = list(self._lines(plan))
        for text, color in lines:
            Display().display(text, color=color)
        if self.arguments["output"]:
            self._write("".join(f"{text}\n" for text, _ in lines))
        return {"changed": False, "exit_code": plan.exit_code, "changes": plan.changes, "summary": plan.summary}

    def _lines(self, plan: SitePlan) -> list[terminal.Line]:
        """What is shown, and each line's color."""
        kind = self.arguments["format"]
        if kind == "text":
            return list(terminal.lines(plan))
        said = as_json.text(plan) if kind == "json" else markdown.text(plan, verb("plan.yml"))
        return [(line, None) for line in said.splitlines()]

    def _write(self, text: str) -> None:
        path = Path(self.arguments["output"]).expanduser()
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failed(
                f"The plan cannot be written to {path}: {error.strerror}. Name another file: -e output=…"
            ) from None

    def _plan(self) -> SitePlan:
        given, stacks, images = self.arguments, self.arguments["stacks"], self.arguments["images"]
        changes = [read(each) for each in stacks["changes"]]
        by_layer = {each.layer: each for each in changes}
        named = set(given["remove"])
        plan = SitePlan(given["site"], given["environment"], changes)
        plan.losses = [{**each, "named": each["physical_id"] in named} for each in stacks["losses"]]
        wanted = list(images.get("wanted") or [])
        plan.images = list(gathering.images(wanted, images.get("live") or {}, images.get("contents") or {}))
        site = site_of(self.task_vars, self._templar.template)
        closing = {name for name, job in site.jobs.items() if job.maintenance}
        plan.jobs = list(gathering.jobs(given["jobs"], closing, by_layer, bool(wanted)))
        plan.gaps = list(stacks["gaps"])
        plan.domain, staying = gathering.domain(given["domain_fates"], given["domain_elsewhere"])
        plan.foreign = list(gathering.foreign(site, given["given"]))
        drift = gathering.drifted(given["services"], self._deployed(changes))
        plan.cost = self._cost(stacks.get("billed") or {})
        plan.notes = [
            *self._maintenance(), *self._hosts(changes), *drift, *self._unchanged_images(images), *staying,
            *_uncompared(site),
        ]  # fmt: skip
        return plan

    def _cost(self, billed: dict[str, Any]) -> dict[str, Any] | None:
        if not billed:
            return None
        region = self.arguments["region"] or os.environ.get("AWS_REGION", "")
        return costs.difference(billed["before"], billed["after"], region, known())

    def _maintenance(self) -> list[str]:
        """That visitors see a page of no stack, which no run takes away."""
        listener = (self.arguments["stacks"].get("outputs") or {}).get("HttpsListenerArn", "")
        rules = Rules(self.client("elbv2"), listener) if listener else None
        if not rules or not rules.on:
            return []
        since = f" since {rules.since}" if rules.since else ""
        return [
            f"The site is in maintenance{since}: visitors are answered 503, before and after. To end it: "
            f"{verb('maintenance.yml')} -e maintenance=off"
        ]

    def _hosts(self, changes: list[StackChange]) -> list[str]:
        group = None
        if name := self.arguments["host_group"]:
            client = self.client("autoscaling")
            found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
            group = found[0] if found else None
        today = datetime.datetime.now(datetime.UTC).date()
        ages = gathering.ami_age(self.arguments["ami_live"], self.arguments["ami_newest"], today)
        return [*gathering.behind(group, changes), *(ages if group else []), *gathering.engines(self._joined())]

    def _joined(self) -> list[dict[str, Any]]:
        """The hosts as ECS has them; none where there is no cluster, or who plans may not look."""
        cluster = (self.arguments["stacks"].get("outputs") or {}).get("ClusterName", "")
        try:
            return container_instances(self.client("ecs"), cluster) if cluster else []
        except ClientError:
            return []

    def _deployed(self, changes: list[StackChange]) -> dict[str, str]:
        """Service → ARN of the task definition of its stack, whether that would change or not."""
        outputs = self.arguments["stacks"].get("outputs") or {}
        ends = ("service.", ".TaskDefinitionArn")
        found = {
            name.removeprefix(ends[0]).removesuffix(ends[1]): str(value)
            for name, value in outputs.items()
            if name.startswith(ends[0]) and name.endswith(ends[1])
        }
        for change in changes:
            for each in change.resources:
                if change.layer.startswith(ends[0]) and each.type == TASK_DEFINITION and each.physical_id:
                    found[change.layer.removeprefix(ends[0])] = each.physical_id
        return found

    def _unchanged_images(self, images: dict[str, Any]) -> list[str]:
        live = images.get("live") or {}
        return [
            f"{image}: this machine's differs from what is live ({live.get(image, '')}), which stays; "
            "-e publish_select=local takes this machine's"
            for image in images.get("differ") or []
        ]


def _uncompared(site: Any) -> list[str]:
    """What no plan can tell."""
    files = [f"static.{name}" for name in site.entries.get("static", {})]
    return [f"The files of {', '.join(files)} are compared only by a run"] if files else []

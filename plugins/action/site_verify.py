"""Ask the account whether a site can run what its inventory describes, by doing it."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.site_verify import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.verify import databases, live
from plugins.plugin_utils.verify.asking import Asking, Site
from plugins.plugin_utils.verify.finding import plain
from plugins.plugin_utils.verify.starts import Starts
from plugins.plugin_utils.verify.subjects import Task, World, task

NAME = "verify"


class ActionModule(AwsAction):
    """See plugins/modules/site_verify.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask everything.

        Raises:
            Failed: the site is not up.
        """
        prefix, ecs = str(self.arguments["prefix"]), self.client("ecs")
        found = ecs.describe_clusters(clusters=[prefix])["clusters"]
        if not any(each["status"] == "ACTIVE" for each in found):
            raise Failed(f"There is no cluster {prefix}, so there is nothing to verify yet. Type: {verb('site.yml')}")
        outputs = live.outputs(self.client("cloudformation"), prefix, self._entries())
        site = Site(
            prefix,
            self._tasks(prefix, outputs),
            {name: entry["driver"] for name, entry in self.arguments["volumes"].items()},
            outputs,
            self.arguments["platform"],
            uuid.uuid4().hex,
            self.arguments["scan_threshold"],
            self.arguments["entries"],
            self.check_mode,
        )
        starts = Starts(self.client, prefix, ecs.meta.region_name, self._wait)
        findings = Asking(self.client, site, starts.outcomes).findings()
        return {
            "changed": False,
            "findings": plain(findings),
            "databases": databases.addresses(self.arguments["databases"], outputs),
        }

    def _entries(self) -> list[str]:
        """The entries whose outputs are wanted: those that containers take, volumes and databases, and the code's."""
        tasks = [*self.arguments["services"].values(), *self.arguments["jobs"].values()]
        taken = {source.rpartition(".")[0] for each in tasks for source in each["takes"].values()}
        named = {f"{noun}.{name}" for noun in ("volume", "database") for name in self.arguments[f"{noun}s"]}
        code = {"code"} if any(each.get("code") for each in self.arguments["entries"] or []) else set[str]()
        return sorted(taken | named | code)

    def _tasks(self, prefix: str, outputs: Mapping[str, str]) -> tuple[Task, ...]:
        ecs, log_prefix = self.client("ecs"), self.arguments["log_prefix"]
        there = live.services(ecs, prefix) | live.jobs(ecs, prefix, self.arguments["jobs"])
        arn = self.client("sts").get_caller_identity()["Arn"].split(":")
        pseudo = {
            "AWS::Partition": arn[1],
            "AWS::AccountId": arn[4],
            "AWS::Region": ecs.meta.region_name,
        }
        world = World(outputs, pseudo, live.images(there) | self.arguments["images"])
        described = {
            f"{noun}.{name}": entry for noun in ("service", "job") for name, entry in self.arguments[f"{noun}s"].items()
        }
        return tuple(
            task(key, entry, world, f"{log_prefix}/{key.replace('.', '/')}", there.get(key, {}))
            for key, entry in described.items()
        )

    def _wait(self) -> Wait:
        return Wait(self.arguments["timeout"], self.say, NAME)

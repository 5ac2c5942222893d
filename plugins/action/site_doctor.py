"""Say what ails a site, why, and what to type."""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.site_doctor import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.doctor import evidence, logins, machines, message, sessions
from plugins.plugin_utils.doctor.asking import Asking, told_by
from plugins.plugin_utils.doctor.judging import plain, recognised, unexplained
from plugins.plugin_utils.doctor.judging import told_by as signature_of
from plugins.plugin_utils.doctor.showing import rendered
from plugins.plugin_utils.doctor.signature import DONE, RIGHT, TRIED, Evidence
from plugins.plugin_utils.ecs import container_instances, some
from plugins.plugin_utils.places import not_right, verb
from plugins.plugin_utils.site import logins as site_logins
from plugins.plugin_utils.site.kept import site_of
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.status import hosts, stacks
from plugins.plugin_utils.status.model import gather
from plugins.plugin_utils.status.part import Part
from plugins.plugin_utils.verify.databases import judge
from plugins.plugin_utils.verify.finding import plain as plain_findings

INSTANCE = re.compile(r"i-[0-9a-f]{8}([0-9a-f]{9})?")
VERIFY = "verify"
"""What a line is about that tells why nothing could be tried: mostly that the site is not up, of which others tell."""
SETTINGS = {"volume_gb": 30, "nat": False, "zones": 0}
"""For the estimate of the costs, which nobody looks at here."""


class ActionModule(AwsAction):
    """See plugins/modules/site_doctor.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Gather, recognise, and show.

        Raises:
            Failed: the description of the site is wrong, or it has no such host.
            ConnectionError: AWS cannot be reached.
        """
        site, host = site_of(self.task_vars, self._templar.template), str(self.arguments["host"])
        if site.problems:
            raise Failed(not_right(site.problems))
        if host and not INSTANCE.fullmatch(host):
            raise Failed(f"{host} is no instance id. Type: {verb('doctor.yml')} -e host=i-0123456789abcdef0")
        now = datetime.datetime.now(datetime.UTC)
        self._unseen: list[str] = []
        prefix, part = site.identity.prefix, Part()
        found = part.ask(
            "stacks",
            "cloudformation",
            stacks.described,
            self.client("cloudformation"),
            prefix,
            self.arguments["layers"],
        )
        told = told_by(found or {})
        lines, wrong = self._of_host(site, told, host, now) if host else self._of_site(site, told, now)
        for each in part.unasked if host else ():
            lines.append(Evidence(RIGHT, each["about"], each["why"]))
        findings = recognised(lines)
        left = unexplained(wrong, findings) + self._unproven(lines)
        model = {
            "site": prefix,
            "host": host,
            "well": not findings and not left,
            "asked": len(lines),
            "not_looked_at": self._unseen,
            "done": self._done(site, host),
            "findings": [plain(each) for each in findings],
            "unexplained": left,
        }
        self._show(model)
        ails = [f"{each.about} ({each.signature})" for each in findings] + [each["about"] for each in left]
        kept = ("well", "findings", "done", "unexplained")
        return {"changed": False, "ails": list(dict.fromkeys(ails)), **{key: model[key] for key in kept}}

    def _of_site(
        self, site: Site, told: Mapping[str, Mapping[str, str]], now: datetime.datetime
    ) -> tuple[list[Evidence], list[dict[str, str]]]:
        """All lines about a site, and what its status calls wrong."""
        region, prefix = self.client("cloudformation").meta.region_name, site.identity.prefix
        settings = SETTINGS | {"subscribers": self.arguments["subscribers"]}
        model = gather(self.client, site, self.arguments["layers"], region, settings, now)
        lines = [*evidence.of_status(model), *Asking(self.client, model, told, prefix, now).evidence()]
        lines += evidence.of_findings(self._tried())
        lines += [*logins.evidence(self.arguments["logins"]), *message.evidence(self.arguments["message"])]
        if self.arguments["failed"]:
            lines.append(Evidence(TRIED, VERIFY, str(self.arguments["failed"])))
        known = {each["instance"]: each for each in model["hosts"] or ()}
        due = [each for each in known.values() if not _is_new(each)]
        lines += self._of_machines(due, told, prefix)
        return lines, model["wrong"]

    def _of_host(
        self, site: Site, told: Mapping[str, Mapping[str, str]], host: str, now: datetime.datetime
    ) -> tuple[list[Evidence], list[dict[str, str]]]:
        """The same about one host.

        Raises:
            Failed: it is none of the site's.
        """
        prefix = site.identity.prefix
        group = told.get("cluster", {}).get("HostGroupName", "")
        part, _ = hosts.look(self.client, prefix, group, now)
        there = [each for each in part.facts if each["instance"] == host]
        mine = {"Site": site.identity.site_name, "Environment": site.identity.environment_name}
        asked = part.ask("hosts", "ec2", hosts.described, self.client("ec2"), [host])
        instance = (asked or {}).get(host, {})
        tags = {each["Key"]: each["Value"] for each in instance.get("Tags", [])}
        if asked is not None and not there and not mine.items() <= tags.items():
            names = some(sorted(each["instance"] for each in part.facts)) or "none"
            raise Failed(
                f"{prefix} has no host {host}; its hosts are: {names}. Type: {verb('doctor.yml')} -e host=<one of them>"
            )
        launched = instance.get("LaunchTime")
        age = int((now - launched).total_seconds()) if launched else None
        never = {"instance": host, "state": "not joined", "usable": False, "age_seconds": age}
        lines = self._of_machines(there or [never], told, prefix)
        for each in part.unasked:
            missing = f" (the right {each['action']} is missing)" if each["action"] else ""
            lines.append(Evidence(RIGHT, each["about"], f"{each['why']}{missing}"))
        return lines, [each for each in part.wrong if each["about"] == f"host {host}"]

    def _of_machines(
        self, known: list[dict[str, Any]], told: Mapping[str, Mapping[str, str]], prefix: str
    ) -> list[Evidence]:
        """What hosts say, and what is said of them."""
        part = Part()
        names = [each["instance"] for each in known]
        instances = part.ask("hosts", "ec2", hosts.described, self.client("ec2"), names) or {}
        joined = None
        if "ClusterName" in told.get("cluster", {}):
            joined = part.ask("hosts", "ecs", container_instances, self.client("ecs"), prefix)
        providers = {
            str(each.get("ec2InstanceId")): str(each.get("capacityProviderName") or "") for each in joined or []
        }
        answers = {str(each.get("item")): each for each in self.arguments["hosts"]}
        lines: list[Evidence] = []
        silent: list[str] = []
        for each in known:
            name, usable = each["instance"], bool(each["usable"])
            if name in instances:
                lines += machines.of_instance(instances[name])
            lines += machines.of_status(each, providers.get(name))
            answer = answers.get(name, {})
            if not (usable and answer.get("unreachable")):  # that it takes tasks is what matters
                lines += evidence.of_host(name, answer, usable)
            if not answer or answer.get("unreachable"):
                self._unseen.append(name)
                if each["state"] == "not joined":
                    silent.append(name)
        if self.arguments["session_manager"]:
            lines += sessions.missing()
            shut = [name for name in names if answers.get(name, {}).get("unreachable")]
            lines += part.ask("sessions", "ssm", lambda: [*sessions.of_hosts(self.client, instances, shut)]) or []
        if silent:
            consoles = part.ask("hosts", "ec2", lambda: list(machines.of_consoles(self.client("ec2"), silent)))
            lines += consoles or []
        for each in part.unasked:
            missing = f" (the right {each['action']} is missing)" if each["action"] else ""
            lines.append(Evidence(RIGHT, each["about"], f"{each['why']}{missing}"))
        return lines

    def _tried(self) -> list[dict[str, Any]]:
        """What `verify` has found, with what the databases answered."""
        given = self.arguments
        return [*given["findings"], *plain_findings(judge(given["databases"], given["answers"], given["asker"]))]

    def _done(self, site: Site, host: str) -> list[dict[str, str]]:
        """What was done on hosts or sent, well or not."""
        given = self.arguments
        found = [*sessions.done(given["hosts"], given["session_manager"])]
        if not host:
            found += logins.done(site_logins.logins(site), given["logins"])
        return [*found, *message.done(given["message"])]

    @staticmethod
    def _unproven(lines: list[Evidence]) -> list[dict[str, str]]:
        """What was done and went wrong in words that no signature knows: each is a proof by itself."""
        return [
            {"about": each.about, "what": each.text, "type": verb("verify.yml" if each.kind == TRIED else "status.yml")}
            for each in lines
            if each.kind in DONE and each.about != VERIFY and signature_of(each) is None
        ]

    def _show(self, model: dict[str, Any]) -> None:
        if self.arguments["format"] == "json":
            Display().display(json.dumps(model, indent=1, ensure_ascii=False))
            return
        for line, color in [("", None), *rendered(model)]:
            Display().display(line, color=color)


def _is_new(host: Mapping[str, Any]) -> bool:
    """Whether a host has not had the time to join."""
    return bool(host["state"] == "not joined" and (host["age_seconds"] or 0) < hosts.JOIN_SECONDS)

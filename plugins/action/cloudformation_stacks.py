"""Deploy the layers of a site side by side, each as soon as those whose outputs it takes are ready."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.utils.display import Display
from botocore.exceptions import BotoCoreError, ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.cloudformation_stacks import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Progress, Wait, reason
from plugins.plugin_utils.ecs_service_watch import EcsServiceWatch
from plugins.plugin_utils.expected import learned, name_of, remember
from plugins.plugin_utils.known_reasons import explained
from plugins.plugin_utils.layers import Layer, LayersWrong, aliases, read_layers
from plugins.plugin_utils.live_table import progress
from plugins.plugin_utils.plan.billed import Quantities, together
from plugins.plugin_utils.plan.model import DELETE, StackChange, told
from plugins.plugin_utils.roles import Roles
from plugins.plugin_utils.stack import RACES, Busy, Outcome, Stack
from plugins.plugin_utils.stack_events import Records, WatcherFactory
from plugins.plugin_utils.stack_plan import (
    LEADING,
    STATEFUL_TYPES,
    Loss,
    Plan,
    billed_now,
    built,
    concerns_data,
    holding,
    refusal,
    resources_of,
)
from plugins.plugin_utils.stack_routes import gaps

INTERRUPT_SECONDS = 20
"""After how long a person may want to know what an interrupt would do."""
TELLING_LENGTH = 8
"""Characters from which on an output's value is that of nothing else: a name, an id, an ARN; no port, no `true`."""
POLL_SECONDS = 0.1
"""How often lines of progress are shown; no API call hangs on it."""
WATCHERS: Mapping[str, WatcherFactory] = {"AWS::ECS::Service": EcsServiceWatch}
"""Resource type → what explains it while it is in progress; CloudFormation itself only says that it is."""


class ActionModule(AwsAction):
    """See plugins/modules/cloudformation_stacks.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.described: dict[str, Mapping[str, Any]] = {}

    def make_progress(self) -> Progress:
        """A table of the layers on a terminal, lines elsewhere."""
        return progress()

    def perform(self) -> dict[str, Any]:
        """Deploy, plan or delete.

        Raises:
            Failed: the layers are wrong as given; nothing was done.
        """
        self.directory = Path(self.arguments["directory"] or PROJECT / "cloudformation")
        self.roles = Roles(self._loader, self._templar, self.task_vars)
        self.named = self._named("stacks", "layers")
        later = {name: each for name, each in self._named("later", "later_layers").items() if name not in self.named}
        present = self.arguments["state"] == "present"
        try:
            self.layers = read_layers(
                {**self.named, **later},
                prefix=self.arguments["prefix"],
                directory=self.directory,
                tags=self.arguments["tags"],
                outputs=self.arguments["outputs"],
                region=self.arguments["region"],
                deleting=self.arguments["state"] == "absent",
            )
        except LayersWrong as error:
            raise Failed(
                "The layers cannot be deployed as given; nothing was done.\n" + _bullets(error.errors)
            ) from None
        self.same = aliases(self.layers, self.arguments["region"])
        self.known = dict(self.layers)
        self.others = set() if self.check_mode else set(later)
        for name, layer in self.layers.items():
            if name not in self.others and (after := layer.needs & self.others):
                raise Failed(f"{name} takes from {', '.join(sorted(after))}, which {name} does not come after.")
        records = Records()
        self.stacks = {
            name: self._stack(layer, records) for name, layer in self.layers.items() if self.same[name] == name
        }
        self._at_once = 1
        self.results: dict[str, dict[str, Any]] = {}
        self.plans: dict[str, Plan] = {}
        self.complete = False
        self.details: dict[str, StackChange] = {}
        self.gaps: list[str] = []
        self.billed: dict[str, Quantities] = {}
        whole = present and not self.arguments["only"]  # of a part nobody can tell what is no longer wanted
        self.removed = removed(self._no_longer_wanted(), self.layers) if whole else {}
        self.removed_losses = self._lost_with(self.removed)
        if self.arguments["state"] == "absent":
            not_started = self._run(self._deletion_order(), self._delete)
        else:
            needs = {name: {self.same[n] for n in self.layers[name].needs} for name in self.stacks}
            self._look(needs)
            self._tell_kept(name for name in self.stacks if name not in self.others)
            if self.check_mode:
                self._tell_gaps()
                not_started = self._run(needs, self._plan)
                self._plan_removals()
                if whole:
                    self._count_what_is_billed()
            else:
                if refused := refusal(self._losses, self.arguments["remove"]):
                    raise Failed(refused, losses=[dataclasses.asdict(loss) for loss in self._losses])
                late = {name: (self.layers.pop(name), self.stacks.pop(name, None)) for name in self.others}
                self._tell_gaps()
                self._expect()
                not_started = self._run({name: needs[name] for name in self.stacks}, self._deploy)
                self.complete = bool(late) and self._needs_nothing(late)
                if self.complete:
                    self._tell_kept(late)
                    self.layers |= {name: layer for name, (layer, _) in late.items()}
                    self.stacks |= {name: stack for name, (_, stack) in late.items() if stack}
                    not_started = self._run({name: needs[name] for name in late if name in self.stacks}, self._deploy)
                self._remember()
                if self.arguments["gone"] and all(map(self._done, self.stacks)):
                    not_started += self._let_go()
        for name, original in self.same.items():
            if name != original and original in self.results:
                self.results[name] = self.results[original]
        return self._result(not_started)

    def _stack(self, layer: Layer, records: Records) -> Stack:
        stack = Stack(
            layer,
            self.client("cloudformation", layer.region),
            self.progress.say,
            records,
            functools.partial(self.client, region=layer.region),
            functools.partial(Wait, beside=lambda: self._at_once),
            watchers=WATCHERS,
        )
        stack.expects(lambda: self.progress.expected(layer.name))
        return stack

    # The layers as given

    def _named(self, given: str, of_roles: str) -> dict[str, Any]:
        """The layers of two arguments: options as they stand, and names of the roles that describe theirs.

        Raises:
            Failed: a role describes no layer, or in a way that cannot be rendered; all of them are named.
        """
        deleting = self.arguments["state"] == "absent"
        named: dict[str, Any] = dict(self.arguments[given])
        wrong: list[str] = []
        for noun in self.arguments[of_roles]:
            if deleting:
                named |= self._deployed(noun) or ({} if self.roles.has_entries(noun) else {noun: {}})
                continue
            try:
                named |= self.roles.layers(noun, self.directory)
            except (AnsibleError, LookupError, OSError) as error:
                wrong.append(f"{noun}: {' '.join(str(error).split())}")
        for name, options in named.items():
            if not deleting and (options or {}).get("template") and "template_body" not in options:
                path = self.directory / str(options["template"])
                if path.exists():  # read_layers says what is missing
                    named[name] = {**options, "template_body": self.roles.text(path, self.task_vars)}
        if wrong:
            raise Failed("The layers cannot be deployed as given; nothing was done.\n" + _bullets(wrong))
        only = self.arguments["only"]
        return {name: options for name, options in named.items() if not only or name in only}

    def _deployed(self, noun: str) -> dict[str, Any]:
        """The stacks that there are of a noun: what is deleted need not be in the inventory any more."""
        own = f"{self.arguments['prefix']}-{noun.replace('_', '-')}"
        region = self._region_of(noun)
        options = {"region": region} if region else {}
        found: dict[str, Any] = {}
        for name in self._stacks_of_this_site(region):
            if name == own:
                found[noun] = dict(options)
            elif name.startswith(f"{own}-"):
                found[f"{noun}.{name.removeprefix(f'{own}-')}"] = dict(options)
        return found

    def _region_of(self, name: str) -> str | None:
        """The region of a layer's stack, where it is not that of the site."""
        return self.roles.region(name.partition(".")[0])

    def _stacks_of_this_site(self, region: str | None = None) -> Iterator[str]:
        """Names of the stacks that are not, by their tags, of another site or environment.

        A name alone does not tell: `shop-prod-volume-live-network` is an entry of the volumes of `shop` in `prod`, or
        the network of `shop-prod-volume` in `live`.
        """
        ours = self.arguments["tags"]
        for page in self._pages_of_stacks(region):
            for stack in page["Stacks"]:
                borne = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
                if all(borne.get(key, value) == value for key, value in ours.items()):
                    self.described[stack["StackName"]] = stack
                    yield stack["StackName"]

    def _pages_of_stacks(self, region: str | None) -> Iterator[dict[str, Any]]:
        """DescribeStacks; nothing of another region than the site's in which the operator may do nothing.

        An organisation may deny regions, and then nothing of the site is there.
        """
        try:
            yield from self.client("cloudformation", region).get_paginator("describe_stacks").paginate()
        except ClientError as error:
            if not region or "AccessDenied" not in error.response["Error"]["Code"]:
                raise

    # What the inventory has no longer

    def _no_longer_wanted(self) -> dict[str, str]:
        """Name → stack, of what there is of this call's nouns: all entries (`volume.uploads`), and absent layers."""
        nouns = [*self.arguments["layers"], *self.arguments["later_layers"]]
        begins = {noun: f"{self.arguments['prefix']}-{noun.replace('_', '-')}" for noun in nouns}
        of_entries = [noun for noun in nouns if self.roles.has_entries(noun)]
        gone = [noun for noun in nouns if noun not in of_entries and self.roles.is_absent(noun)]
        absent = {begins[noun]: noun for noun in gone if not self.roles.region(noun)}
        found: dict[str, str] = {}
        for noun in gone:
            if (region := self.roles.region(noun)) and begins[noun] in self._stacks_of_this_site(region):
                found[noun] = begins[noun]
        if not of_entries and not absent:
            return found
        for name in self._stacks_of_this_site():
            if name in absent:
                found[absent[name]] = name
            for noun in of_entries:
                if name.startswith(f"{begins[noun]}-"):
                    found[f"{noun}.{name.removeprefix(f'{begins[noun]}-')}"] = name
        return found

    def _lost_with(self, stacks: Mapping[str, str]) -> list[Loss]:
        """What holds data, or leads to it, in stacks that the inventory has no entry for any more, or no use."""
        losses = []
        for name, stack in stacks.items():
            made = [each for each in self._resources(name, stack) if each.get("PhysicalResourceId")]
            holds = [each for each in made if each["ResourceType"] in STATEFUL_TYPES]
            if holds and (body := self._template(name, stack)) is not None:
                rebuilt = built(resources_of(body))
                holds = [each for each in holds if each["LogicalResourceId"] not in rebuilt]
            # An adopted file system is none of the stack's, and is seen by its access point only.
            for resource in holds or [each for each in made if each["ResourceType"] in LEADING]:
                found = resource["PhysicalResourceId"] + ("" if holds else ", and what it leads to,")
                how = f"{found} would go out of sight, as the inventory has no {name} any more"
                losses.append(Loss(name, resource["LogicalResourceId"], resource["ResourceType"], name, how))
        return losses

    def _resources(self, name: str, stack: str) -> list[dict[str, Any]]:
        """The resources of a layer's stack; none if it has just gone, which DescribeStacks need not show yet."""
        client = self.client("cloudformation", self._region_of(name))
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
        try:
            return [each for page in pages for each in page["StackResourceSummaries"]]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return []

    def _let_go(self) -> list[str]:
        """Delete the stacks of `gone`; the names of those never started."""
        regions = {name: self._region_of(name) for name in self.arguments["gone"]}
        names: dict[str, Any] = {name: {"region": region} if region else {} for name, region in regions.items()}
        layers = read_layers(
            names, prefix=self.arguments["prefix"], directory=self.directory, tags={}, outputs={}, deleting=True
        )
        records, deployed = Records(), self.stacks
        self.layers |= layers
        self.same |= {name: name for name in layers}
        self.stacks = {name: self._stack(layer, records) for name, layer in layers.items()}
        try:
            return self._run(self._deletion_order(), self._delete)
        finally:
            self.stacks = deployed | self.stacks

    def _template(self, name: str, stack: str) -> Any:
        """The template of a layer's stack; None if it has just gone."""
        client = self.client("cloudformation", self._region_of(name))
        try:
            return client.get_template(StackName=stack)["TemplateBody"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return None

    def _plan_removals(self) -> None:
        for name, stack in self.removed.items():
            row = f"- stack {stack}"
            self.results[name] = {"ok": True, "changed": True, "outputs": {}, "plan": [row], "kept": [], "seconds": 0.0}
            self.details[name] = StackChange(name, stack, DELETE, notes=["the inventory has it no longer"])
            self.progress.say(name, "would be deleted: the inventory has it no longer", "yellow")

    # The look before anything is changed

    def _look(self, needs: Mapping[str, set[str]]) -> None:
        """Find out what would change in all stacks, and what the site would lose.

        Raises:
            Failed: a stack cannot be looked at, so nothing was changed.
        """
        with concurrent.futures.ThreadPoolExecutor(max(1, len(self.stacks))) as pool:
            self._together(pool, self._read, list(self.stacks))
            left = dict(needs)
            while left:
                ready = [name for name, first in left.items() if not first & left.keys()]
                self._together(pool, self._look_at, ready)
                for name in ready:
                    del left[name]

    def _together(self, pool: concurrent.futures.Executor, work: Callable[[str], None], names: list[str]) -> None:
        running = {pool.submit(work, name): name for name in names}
        failures: dict[str, str] = {}
        while running:
            done, _ = concurrent.futures.wait(running, POLL_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                if failure := _failure(future):
                    failures[name] = failure
            self.progress.flush()
        if failures:
            sentences = [f"{name}: {failures[name]}" for name in names if name in failures]
            raise Failed("\n".join([*sentences, "Nothing was changed."]))

    def _read(self, name: str) -> None:
        self.stacks[name].read()
        # The others are waited for in their turn: a certificate may wait for its record for days, a service for hosts.
        if not self.check_mode and concerns_data(self.layers[name], self.layers):
            self.stacks[name].settle()

    def _look_at(self, name: str) -> None:
        taken, uncertain = {}, set()
        for parameter, (giver, output) in self.layers[name].takes.items():
            given = self.plans[self.same[giver]].outputs
            if output in given:
                taken[parameter] = given[output]
            else:
                uncertain.add(parameter)
        self.plans[name] = self._look_closely(name, taken, frozenset(uncertain))

    def _look_closely(self, name: str, taken: dict[str, str], uncertain: frozenset[str] = frozenset()) -> Plan:
        stack, wait = self.stacks[name], Wait(self.layers[name].timeout, self.progress.say, name)
        for _ in range(RACES):
            try:
                return stack.look(taken, uncertain, self.known, thoroughly=self.check_mode)
            except Busy:
                if self.check_mode or not wait.pause("another run"):
                    break
                stack.read()
                stack.settle()
        raise Failed(str(Busy()))

    def _needs_nothing(self, later: Iterable[str]) -> bool:
        """Whether all is as it should be, also the layers of a `later` call: then that call has nothing to do."""
        settled = [self._done(name) and not self.results[name]["changed"] for name in self.stacks]
        return all(settled) and not self.removed and not any(self.plans[self.same[name]].changed for name in later)

    @property
    def _losses(self) -> list[Loss]:
        return [loss for plan in self.plans.values() for loss in plan.losses] + self.removed_losses

    def _tell_kept(self, names: Iterable[str]) -> None:
        """Say what stays otherwise than the inventory says."""
        for name in names:
            for note in self.plans[self.same[name]].notes:
                self.progress.say(name, note, "yellow")

    def _tell_gaps(self) -> None:
        """Say which routes would answer 503 for a while, before they do."""
        changing = {name: stack for name, stack in self.stacks.items() if self.plans[name].changed}
        before = {name: stack.body for name, stack in changing.items()}
        self.bodies = {name: self._template(name, stack) for name, stack in self.removed.items()}
        before |= self.bodies
        after = {name: self.layers[name].template.resources for name in changing}
        for name, sentence in gaps(before, after):
            self.gaps.append(f"{name}: {sentence}")
            self.progress.say(name, sentence, "yellow")
        self.progress.flush()

    def _count_what_is_billed(self) -> None:
        """What the site is billed for as it is, and as the inventory says: of what has been read already."""
        each = [stack.billed() for stack in self.stacks.values()]
        gone = [billed_now(self.described.get(stack), self.bodies[name]) for name, stack in self.removed.items()]
        self.billed = {
            "before": together(*(before for before, _ in each), *gone),
            "after": together(*(after for _, after in each)),
        }

    # How long it takes

    def _expect(self) -> None:
        """Learn from the ledger how long those stacks will take that change."""
        changing = [name for name in self.stacks if self.plans[name].changed]
        known = learned(self.client, self.arguments["prefix"]) if changing else {}
        names = {name: name_of(name, not self.plans[name].exists) for name in changing}
        self.progress.expects({name: known[key] for name, key in names.items() if key in known})

    def _remember(self) -> None:
        """Write down how long those stacks took that have changed."""
        took = {
            name_of(name, not self.plans[name].exists): result["seconds"]
            for name, result in self.results.items()
            if name in self.plans and result["ok"] and result["changed"]
        }
        remember(self.client, self.arguments["prefix"], took)

    # The graph

    def _run(self, before: Mapping[str, set[str]], work: Callable[[str], Outcome]) -> list[str]:
        """Do `work` for every stack, each after those in `before`; the names of those never started."""
        waiting, running = dict(before), dict[concurrent.futures.Future[Outcome], tuple[str, float]]()
        begin, told = time.monotonic(), self.check_mode
        with concurrent.futures.ThreadPoolExecutor(max(1, len(before))) as pool:
            while waiting or running:
                for name in [n for n, first in waiting.items() if all(self._done(other) for other in first)]:
                    del waiting[name]
                    self.progress.starts(name)
                    running[pool.submit(work, name)] = name, time.monotonic()
                self._at_once = len(running)
                for name, first in waiting.items():
                    self.progress.waits(name, f"waits for {', '.join(n for n in first if not self._done(n))}")
                if not running:
                    break  # what is left needs a stack that failed
                done, _ = concurrent.futures.wait(running, POLL_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    name, start = running.pop(future)
                    self._finish(name, future, time.monotonic() - start)
                if not told and time.monotonic() - begin > INTERRUPT_SECONDS:
                    # Said beforehand, as an interrupted task cannot say anything: its process has no terminal.
                    told = True
                    self.progress.say(
                        "layers", "Ctrl-C is safe: CloudFormation goes on, and the same command waits for it again."
                    )
                self.progress.flush()
        return list(waiting)

    def _done(self, name: str) -> bool:
        return bool(self.results.get(name, {}).get("ok"))

    def _finish(self, name: str, future: concurrent.futures.Future[Outcome], seconds: float) -> None:
        outcome, failure = self.stacks[name].outcome, _failure(future)
        self.results[name] = {
            "ok": not failure,
            "changed": outcome.changed,
            "outputs": outcome.outputs,
            "plan": outcome.plan,
            "kept": outcome.kept,
            "seconds": round(seconds, 1),
        } | ({"reason": failure} if failure else {})
        if failure:
            self.progress.ends(name, f"FAILED {failure}", "red")
        else:
            said = ("changed", "yellow") if outcome.changed else ("ok", "green")
            self.progress.ends(name, *said, news=outcome.changed or len(self.stacks) == 1)

    # One stack

    def _plan(self, name: str) -> Outcome:
        plan, outcome = self.plans[name], self.stacks[name].outcome
        outcome.changed, outcome.plan, outcome.outputs = plan.changed, plan.rows, plan.outputs
        if plan.detail:
            self.details[name] = plan.detail
        return outcome

    def _deploy(self, name: str) -> Outcome:
        layer, stack = self.layers[name], self.stacks[name]
        taken = {}
        for parameter, (giver, output) in layer.takes.items():
            given = self.results[self.same[giver]]["outputs"]
            if output in given:
                taken[parameter] = given[output]
            elif "Default" not in layer.template.parameters[parameter]:
                raise Failed(f"needs {parameter}, but {giver} gives no output {output} (its condition does not hold).")
        if self.plans[name].exists and taken != self.plans[name].taken and holding(layer.template):
            # Something came out otherwise than could be known before the first change.
            self._look_again(name, taken)
        return stack.deploy(taken, functools.partial(self._look_again, name, taken))

    def _look_again(self, name: str, taken: dict[str, str]) -> None:
        """Look at a stack that is another than it was when all were looked at.

        Raises:
            Failed: the site would lose something.
        """
        self.stacks[name].read()
        if refused := refusal(self._look_closely(name, taken).losses, self.arguments["remove"]):
            raise Failed(refused)

    def _delete(self, name: str) -> Outcome:
        if self.check_mode:
            return self.stacks[name].plan_deletion()
        return self.stacks[name].delete(self.arguments["unprotect"] or name in self.arguments["gone"])

    def _deletion_order(self) -> dict[str, set[str]]:
        """Stack → the stacks that must be gone before it: those that take from it.

        A template may have changed since, so the deployed stacks count too: a parameter with the name and the value of
        another stack's output was taken from there. What is taken from an entry has a name of its own, so there the
        value alone tells; one that would close a circle, or that is short, is equal by chance.
        """
        found = {name: stack.describe() for name, stack in self.stacks.items()}
        before: dict[str, set[str]] = {name: set() for name in self.stacks}
        for taker, layer in self._of_stacks():
            parameters = {
                (parameter["ParameterKey"], parameter.get("ParameterValue"))
                for parameter in (found.get(self.same[taker]) or {}).get("Parameters", [])
            }
            for giver, _ in self._of_stacks():
                outputs = _given(self.layers[giver], found.get(self.same[giver]))
                if self.same[giver] != self.same[taker] and (giver in layer.needs or outputs & parameters):
                    before[self.same[giver]].add(self.same[taker])
        for taker, giver in self._taken_by_value(found):
            if taker not in _after(giver, before):
                before[giver].add(taker)
        if any(before.values()):
            return before
        order = list(self.stacks) if self.arguments["gone"] else [name for name in self.named if name in self.stacks]
        return {name: set(order[position + 1 : position + 2]) for position, name in enumerate(order)}

    def _of_stacks(self) -> Iterator[tuple[str, Layer]]:
        return ((name, layer) for name, layer in self.layers.items() if self.same[name] in self.stacks)

    def _taken_by_value(self, found: Mapping[str, Mapping[str, Any] | None]) -> Iterator[tuple[str, str]]:
        """Pairs of stacks of which the first has, as a parameter, the value of an output of the second, an entry."""
        for giver in (name for name in self.stacks if self.layers[name].is_entry):
            values = {
                value for _, value in _given(self.layers[giver], found.get(giver)) if len(value) >= TELLING_LENGTH
            }
            for taker in self.stacks:
                parameters = (found.get(taker) or {}).get("Parameters", [])
                if taker != giver and values & {parameter.get("ParameterValue") for parameter in parameters}:
                    yield taker, giver

    # The answer

    def _result(self, not_started: list[str]) -> dict[str, Any]:
        failures = {n: r["reason"] for n, r in self.results.items() if not r["ok"] and self.same[n] == n}
        outputs = {
            given: self.results[name]["outputs"][output]
            for name, layer in self.layers.items()
            if name in self.results
            for given, output in layer.gives.items()
            if output in self.results[name]["outputs"]
        }
        outcomes = [stack.outcome for stack in self.stacks.values()]
        records = [record for outcome in outcomes for record in outcome.records]
        result: dict[str, Any] = {
            "changed": any(outcome.changed for outcome in outcomes) or (self.check_mode and bool(self.removed)),
            "stacks": self.results,
            "outputs": outputs,
            "records": [record for position, record in enumerate(records) if record not in records[:position]],
            "diff": [{"prepared": "\n".join(plan) + "\n"} for plan in self._shown(outcomes) if plan],
            "removed": list(self.removed),
            "complete": self.complete,
        }
        if self.arguments["state"] == "present":
            result["losses"] = [dataclasses.asdict(loss) for loss in self._losses]
            result["refusal"] = refusal(self._losses, self.arguments["remove"]) if self.check_mode else ""
            if self.check_mode:
                result["changes"] = [told(self.details[n]) for n in [*self.layers, *self.removed] if n in self.details]
                result["gaps"] = self.gaps
                result["billed"] = self.billed
            if not self.arguments["refuse"]:
                for line in result["refusal"].splitlines():
                    self.progress.say("layers", line.replace("Nothing was changed", "A run would be refused", 1), "red")
        if len(self.stacks) > 1:
            words = [f"{n} {self._word(n)}" for n in self.stacks]
            self.progress.say("layers", ", ".join(words), "red" if failures else None)
        if failures:
            sentences = [f"{name}: {failure}" for name, failure in failures.items()]
            if not_started:
                sentences.append(f"not started: {', '.join(not_started)}")
            result |= {"failed": True, "msg": "\n".join(sentences)}
            # A failed task's whole result is shown; what worked would bury the reason.
            shown = ("ok", "changed", "reason")
            result["stacks"] = {n: {k: r[k] for k in shown if k in r} for n, r in self.results.items()}
        elif self.arguments["refuse"] and (refused := result.get("refusal")):
            kept = ("changed", "diff", "losses", "refusal")
            return {"failed": True, "msg": refused} | {key: result[key] for key in kept}
        return result

    def _shown(self, outcomes: list[Outcome]) -> list[list[str]]:
        removals = [self.results[name]["plan"] for name in self.removed if name in self.results]
        return [*(outcome.plan for outcome in outcomes), *removals]

    def _word(self, name: str) -> str:
        outcome = self.results.get(name)
        if outcome is None:
            return "not started"
        took = f" ({outcome['seconds']:.0f} s)" if outcome["seconds"] >= 1 else ""
        return ("FAILED" if not outcome["ok"] else "changed" if outcome["changed"] else "ok") + took


def removed(deployed: Mapping[str, str], layers: Mapping[str, Layer]) -> dict[str, str]:
    """Of the entries and absent layers that there are stacks of, those that are none of the layers any more.

    A stack's name is the site's, the noun's and the entry's with hyphens between, and an entry may have hyphens itself;
    so what is a layer's stack is never another noun's entry (`job-x` of `service.job-x`).
    """
    wanted = {layer.stack for layer in layers.values()}
    return {name: stack for name, stack in deployed.items() if stack not in wanted}


def _after(name: str, before: Mapping[str, set[str]]) -> set[str]:
    """The stacks that go after `name` goes, whatever lies between."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        here = waiting.pop()
        later = {other for other, first in before.items() if here in first} - found
        found |= later
        waiting += later
    return found


def _given(layer: Layer, found: Mapping[str, Any] | None) -> set[tuple[str, str]]:
    """The outputs of a deployed stack under the names by which the layer gives them on."""
    names = {output: given for given, output in layer.gives.items()}
    outputs = (found or {}).get("Outputs", [])
    return {(names.get(output["OutputKey"], output["OutputKey"]), output["OutputValue"]) for output in outputs}


def _failure(future: concurrent.futures.Future[Any]) -> str:
    """Why a stack failed; empty if it did not."""
    try:
        future.result()
    except Failed as error:
        return explained(str(error))
    except (BotoCoreError, ClientError) as error:
        return explained(reason(error))
    except Exception as error:  # whatever it is, the other stacks are to be finished first
        Display().vv("".join(traceback.format_exception(error)))
        return f"{type(error).__name__}: {error}"
    return ""


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"  {sentence}" for sentence in sentences)

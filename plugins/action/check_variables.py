"""Everything that is wrong with the variables of a run, in one answer, before anything is done."""

from __future__ import annotations

import datetime
import functools
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.check_variables import DOCUMENTATION
from plugins.plugin_utils.account.rooms import Rooms
from plugins.plugin_utils.arguments import OWN_PREFIXES, arguments
from plugins.plugin_utils.aws_action import specification
from plugins.plugin_utils.identity import SITE_GROUP, environment_files
from plugins.plugin_utils.layers import suggestion
from plugins.plugin_utils.misreadings import with_misread
from plugins.plugin_utils.places import TEMPLATE, origin, origin_within, shown
from plugins.plugin_utils.roles import Roles
from plugins.plugin_utils.site.kept import keeping
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.place import Problem
from plugins.plugin_utils.site.reading import ALSO_READ, VARIABLES, read_site
from plugins.plugin_utils.site_templates import template_problems

VARS_SUFFIXES = ("", ".yml", ".yaml", ".json")
"""Endings of files that Ansible reads variables from (YAML_FILENAME_EXTENSIONS); it passes over others in silence."""
GROUP_KEYS = ("hosts", "vars", "children")

STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")
"""A step of a place as a person writes it: `domain_aliases[1].name`."""
UNDEFINED = re.compile(r"'(\w+)' is undefined")


@dataclass(frozen=True)
class Wrong:
    """One complaint, and where the thing was written (if that is known)."""

    subject: str
    sentence: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}: " if self.line else f"{self.path}: " if self.path else ""
        return f"{where}{self.subject}: {self.sentence}"


class ActionModule(ActionBase):
    """See plugins/modules/check_variables.py for its arguments and results."""

    _supports_check_mode = True
    _requires_connection = False

    @keeping()
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check everything; failed with the list of what is wrong."""
        super().run(tmp, task_vars)
        validated = ArgumentSpecValidator(specification(DOCUMENTATION)).validate(dict(self._task.args))
        if validated.error_messages:
            raise AnsibleActionFail("; ".join(validated.error_messages), obj=self._task.args)
        self.arguments: dict[str, Any] = validated.validated_parameters
        self.vars: dict[str, Any] = task_vars or {}
        directory = Path(self.arguments["roles_directory"] or PROJECT / "roles")
        self.roles = Roles(self._loader, self._templar, self.vars, directory)
        self.account = Rooms(self.roles, self.arguments["account_of"])
        self.wrong: list[Wrong] = []
        self.defects: list[str] = []
        self.refused_by: list[int] = []
        self.written: dict[str, tuple[str, int]] = {}
        self._consequences: set[str] = set()
        self.inventories = Path(self.arguments["inventories_directory"] or PROJECT / "inventories")
        self.group_vars = Path(self.arguments["group_vars"] or PROJECT / "group_vars")
        environment = self._environment()
        if isinstance(environment, Wrong):
            # Everything else would be a consequence of this one.
            self.wrong = [environment]
            return self._answer()
        folder = next(iter(self._sources()), self.inventories / environment)
        group = folder / "group_vars" / SITE_GROUP
        self.own_file = shown(group / "main.yml" if group.is_dir() else group.with_suffix(".yml"))

        options, known = self._specifications()
        self._read_identity()
        if self.arguments["site"]:
            known |= set(VARIABLES)
        self._check_files(known)
        self._check_shapes(options)
        self._check_removed()
        self._check_identity()
        if self.arguments["site"]:
            self._check_site()
        passed_over = {wrong.subject for wrong in self.wrong} | self._consequences
        before = 0
        for rules, variables in self._rules(passed_over):
            places = {id(rule): place for place, rule in enumerate(rules, start=before)}
            judged = [rule for rule in rules if not passed_over or not passed_over & _read_by(rule)]
            for rule in self.roles.doubtful(judged, variables):
                self._check_rule(places[id(rule)], rule, variables, passed_over)
            before += len(rules)
        for note in self.account.notes(self._unasked()) if self.arguments["account_of"] else ():
            self._display.display(f"  {note}", color="yellow")
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        found: dict[str, Any] = {"changed": False}
        if self._display.verbosity:
            found["refused_by"] = self.refused_by
        parts = []
        if self.wrong:
            ordered = sorted(set(self.wrong), key=lambda each: (each.path, each.line, each.subject, each.sentence))
            many = f"{len(ordered)} things are wrong with this inventory"
            count = many if len(ordered) > 1 else "1 thing is wrong with this inventory"
            parts += [f"{count}; nothing was done.", *(f"  {each}" for each in ordered)]
        if self.defects:
            parts += [
                "A rule of Berth itself is broken; nothing was done.",
                *(f"  {defect}" for defect in self.defects),
                "  This is a defect of Berth, not of your inventory: report it, with these lines.",
            ]
        return found | {"failed": True, "msg": "\n".join(parts)} if parts else found

    # Which environment

    def _environment(self) -> str | Wrong:
        """Name of the environment that the run is about."""
        environments: list[str] = sorted(path.name for path in self.inventories.glob("*") if path.is_dir())
        mine = sorted({folder.resolve().name for folder in self._sources()} & set(environments))
        if len(mine) > 1:
            return Wrong(
                "-i",
                f"{' and '.join(mine)} at once: {self.vars.get('inventory_hostname')} would act on whichever was read "
                f"last. Name one: {self._typed(mine[0])}",
            )
        missing = [name for name in self.arguments["identity"] if name not in self.vars]
        if missing and self._sources():
            return Wrong(
                "-i",
                f"nothing says {', '.join(missing)}: the inventory needs a file of the inventory plugin environment, "
                "as inventories/new/environment.yml is one.",
            )
        if mine:
            return mine[0]
        if "environment_name" in self.vars:
            return str(self.vars["environment_name"])  # of an inventory that lies elsewhere
        choices = [name for name in environments if name != TEMPLATE]
        return Wrong("-i", f"no environment was named ({' or '.join(choices)}). Type: {self._typed(choices[0])}")

    @staticmethod
    def _typed(inventory: str) -> str:
        playbooks = context.CLIARGS.get("args") or ["site.yml"]
        return f"ansible-playbook {' '.join(map(shlex.quote, playbooks))} -i {inventory}"

    # Shapes

    def _specifications(self) -> tuple[dict[str, dict[str, Any]], set[str]]:
        """The options to check, name → specification; and every name that may be set."""
        directory = Path(self.arguments["roles_directory"] or PROJECT / "roles")
        options: dict[str, dict[str, Any]] = {}
        known = {*self.arguments["also_known"], *self.arguments["removed"]}
        for path in sorted(directory.glob("*/meta/argument_specs.yml")):
            for entry in (yaml_load(path.read_text()) or {}).get("argument_specs", {}).values():
                found = entry.get("options") or {}
                known |= set(found)
                if self.arguments["roles"] is None or path.parents[1].name in self.arguments["roles"]:
                    for name, option in found.items():
                        # One variable may be read by several roles: it is required if one of them requires it.
                        required = bool(option.get("required") or options.get(name, {}).get("required"))
                        options[name] = {**options.get(name, {}), **option, "required": required}
        return options, known

    def _check_shapes(self, options: Mapping[str, dict[str, Any]]) -> None:
        broken: dict[str, AnsibleError] = {}
        for name, option in options.items():
            given: dict[str, Any] = {}
            if name in self.vars:
                try:
                    given[name] = self._templar.template(self.vars[name])
                except AnsibleError as error:
                    broken[name] = error
                    continue
            if option["required"] and given.get(name) in (None, "", [], {}):
                self._complain(name, f"{_missing(option)} Set {name}: … in {self.own_file}.")
                continue
            if given.get(name, "") is None:
                self._complain(name, f"is empty. Give it a value, or take the line out{_default(option)}.")
                continue
            if name in given:
                for sentence in shape_problems(name, option, given[name]):
                    self._complain(name, sentence)
        subjects = {wrong.subject for wrong in self.wrong}
        for name, failure in broken.items():
            causes = set(UNDEFINED.findall(failure.message)) & (subjects | set(broken))
            causes |= self._behind({name}, self.vars) & subjects
            if causes - {name}:
                # A consequence of a variable that is complained about itself; the rules pass over it.
                self._consequences.add(name)
            else:
                self._complain(name, f"cannot be evaluated: {_one_line(failure.message)}")

    # Files

    def _check_files(self, known: set[str]) -> None:
        groups, hosts = set(self.vars.get("groups", {})), set(self.vars.get("hostvars", {}))
        for folder in self._sources():
            self._check_folder(folder / "group_vars", groups, "group", known)
            self._check_folder(folder / "host_vars", hosts, "host", known)
            for path in sorted(folder.glob("*.y*ml")):
                content = self._load(path)
                if isinstance(content, Mapping) and "plugin" not in content:
                    self._check_groups(content, path, known)
        self._check_folder(self.group_vars, groups, "group", known)
        told = known.union(*(arguments(Path(name).name) for name in context.CLIARGS.get("args") or ()))
        for name in load_extra_vars(self._loader):
            if not _is_known(name, told):
                self.wrong.append(Wrong(name, _unknown(name, told), "-e"))

    def _sources(self) -> list[Path]:
        """The folders of the run's inventory sources."""
        paths = [Path(source) for source in self._given_sources()]
        return [path if path.is_dir() else path.parent for path in paths if path.exists()]

    def _given_sources(self) -> list[str]:
        sources = self.arguments["sources"]
        return list(self.vars.get("ansible_inventory_sources") or [] if sources is None else sources)

    def _check_folder(self, folder: Path, owners: set[str], kind: str, known: set[str]) -> None:
        for top in sorted(folder.glob("*")):
            if top.name.startswith(".") or top.name.upper().startswith("README"):
                continue
            owner = top.name if top.is_dir() else top.stem
            if owner not in owners:
                sentence = f"belongs to no {kind} of this inventory, so nobody reads it.{suggestion(owner, owners)}"
                self.wrong.append(Wrong(owner, sentence, shown(top)))
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                if path.is_dir() or path.name.startswith(".") or path.name.endswith("~"):
                    continue
                if path.suffix not in VARS_SUFFIXES:
                    sentence = "is no file that Ansible reads variables from; its name must end in .yml."
                    self.wrong.append(Wrong(path.name, sentence, shown(path)))
                    continue
                self._check_names(self._load(path), path, known)

    def _check_groups(self, groups: Mapping[str, Any], path: Path, known: set[str]) -> None:
        for group, content in groups.items():
            if not isinstance(content, Mapping):
                continue
            for key in content:
                if key not in GROUP_KEYS:
                    line = origin(key)[1]
                    sentence = f"is no key of group {group}; it may have {', '.join(GROUP_KEYS)}."
                    self.wrong.append(Wrong(str(key), sentence + suggestion(str(key), GROUP_KEYS), shown(path), line))
            self._check_names(content.get("vars"), path, known)
            for variables in (content.get("hosts") or {}).values() if isinstance(content.get("hosts"), Mapping) else ():
                self._check_names(variables, path, known)
            if isinstance(content.get("children"), Mapping):
                self._check_groups(content["children"], path, known)

    def _check_names(self, variables: Any, path: Path, known: set[str]) -> None:
        if not isinstance(variables, Mapping):
            return
        for name in variables:
            if str(name) in self.identity:
                sentence = f"is said by {self.identity[str(name)]} alone. Take this line out, or change it there."
                self.wrong.append(Wrong(str(name), sentence, shown(path), origin(name)[1]))
                continue
            self.written[str(name)] = shown(path), origin(name)[1]
            if not _is_known(str(name), known):
                self.wrong.append(Wrong(str(name), _unknown(str(name), known), *self.written[str(name)]))

    def _load(self, path: Path) -> Any:
        """The content of a vars file, decrypted if need be; None if it cannot be read (which is complained about)."""
        try:
            return self._loader.load_from_file(str(path), cache="all", unsafe=True)  # only looked at
        except AnsibleError as error:
            self.wrong.append(Wrong(path.name, f"cannot be read: {_one_line(error.message)}", shown(path)))
            return None

    def _check_removed(self) -> None:
        for name, instead in self.arguments["removed"].items():
            if name in self.vars:
                self._complain(name, f"is not read. {instead}")

    def _read_identity(self) -> None:
        """See where the identity stands; nothing else may say it."""
        self.identity: dict[str, str] = {}
        for path, content in environment_files(map(Path, self._given_sources()), self._load):
            for name in self.arguments["identity"]:
                self.identity[name] = shown(path)
                line = next((origin(key)[1] for key in content if key == name), 0)
                self.written[name] = shown(path), line

    def _check_identity(self) -> None:
        for name in load_extra_vars(self._loader):
            if name in self.identity:
                sentence = f"is said by {self.identity[name]}, by which the hosts were looked for. Change it there."
                self.wrong.append(Wrong(name, sentence, "-e"))

    # The site

    def _check_site(self) -> None:
        """What is wrong with the site's nouns; rules pass over a variable in which something is."""
        given: dict[str, Any] = {}
        known_wrong = {wrong.subject for wrong in self.wrong} | self._consequences
        for name in (*VARIABLES, *ALSO_READ):
            if name not in self.vars or name in known_wrong:
                continue
            try:
                given[name] = self._templar.template(self.vars[name])
            except AnsibleError as error:
                self._consequences.add(name)
                if name in VARIABLES and not known_wrong & self._behind({name}, self.vars):
                    self._complain(name, f"cannot be evaluated: {_one_line(error.message)}")
        if self._consequences & set(VARIABLES) or known_wrong & set(VARIABLES):
            return  # without one of its nouns the others' references would lead nowhere
        given = with_misread(given, functools.cache(self._loader.get_text_file_contents))
        site = read_site(given)
        for problem in site.problems or self._template_problems(site):
            variable, *inner = problem.path
            path, line = origin_within(self.vars.get(str(variable)), inner)
            if not path:
                path, line = self.written.get(str(variable), ("", 0))
            if Path(path).resolve().is_relative_to(self.group_vars.resolve()):
                path, line = self.own_file, 0  # what is missing is not to be written where its default stands
            self.wrong.append(Wrong(problem.subject, problem.sentence, path, line))
            self._consequences.add(str(variable))

    def _template_problems(self, site: Site) -> list[Problem]:
        try:
            return list(template_problems(self.roles, site, PROJECT / "cloudformation"))
        except AnsibleError as error:
            if not self.wrong:  # else it may well be made of what is wrong
                self.defects.append(f"templates of the site: {_one_line(error.message)}")
            return []

    # Relations

    def _rules(self, passed_over: set[str]) -> Iterator[tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]]:
        """The rules, and what they may read. Nothing is rendered yet: only a rule that is said needs what it reads."""
        rules = list(self.arguments["rules"])
        for name in self.arguments["rules_in"]:
            if name not in self.vars:
                raise AnsibleActionFail(f"rules_in names {name}, which is no variable.", obj=self._task.args)
            rules += self.vars[name]
        yield rules, self.vars
        for role in self._roles_with_rules(passed_over):
            yield self.roles.rules(role), self.roles.variables(role)
        yield list(self.account.rules()), self.account.variables

    def _unasked(self) -> dict[str, str]:
        """Question → why the account did not answer it."""
        return dict(self._templar.template(self.vars["preflight_asked"])["unasked"])

    def _roles_with_rules(self, passed_over: set[str]) -> Iterator[str]:
        for name in self.arguments["rules_of"]:
            if name not in self.vars:
                yield name
            elif name not in passed_over:
                yield from self._templar.template(self.vars[name])

    def _check_rule(
        self, place: int, rule: Mapping[str, Any], variables: Mapping[str, Any], passed_over: set[str]
    ) -> None:
        try:
            refused = list(self.roles.refusals(rule, variables))
        except AnsibleError as error:
            # Made of a variable that is complained about itself, the rule tells nothing; otherwise nobody but its
            # author can mend it.
            if not passed_over & self._behind(_read_by(rule) | set(_reads_of(rule["say"])), variables):
                self.defects.append(
                    f"rule on {rule['variable']} ({_one_line(str(rule['that']))}): {_one_line(error.message)}"
                )
            return
        self.refused_by += [place] if refused else []
        for variable, sentence in refused:
            self._complain(variable, sentence.removeprefix(f"{variable} "))

    def _behind(self, names: set[str], variables: Mapping[str, Any]) -> set[str]:
        """These variables, and those that their values are made of."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += _reads_of(variables.get(name))
        return found

    def _complain(self, name: str, sentence: str) -> None:
        """Complain about a variable, or about a part of it (`site_databases.main.class`)."""
        variable, *inner = (int(place) if place else key for place, key in STEP.findall(name))
        path, line = origin_within(self.vars[variable], inner) if variable in self.vars else ("", 0)
        if not path:
            path, line = self.written.get(str(variable), ("", 0))
        self.wrong.append(Wrong(name, sentence, path, line))


def shape_problems(name: str, option: Mapping[str, Any], value: Any) -> list[str]:
    """What is wrong with the shape of a variable's value, a sentence each.

    Args:
        name: of the variable.
        option: its entry in an argument specification.
        value: as given. Ansible's own validation takes a text for a list or a mapping and converts a copy of it; what
            reads the variable gets the text, and would take its letters for the list.
    """
    containers: dict[str, tuple[type, ...]] = {"list": (list, tuple), "dict": (Mapping,)}
    wanted = str(option.get("type", "str"))
    if isinstance(value, (str, int, float, datetime.date)) and wanted in containers and not option.get("no_log"):
        written = f" Write {name}: [{value}]." if wanted == "list" and value != "" else ""
        shown_value = str(value) if isinstance(value, datetime.date) else repr(value)
        return [f"is {shown_value}, must be of type {wanted}.{written}"]
    if isinstance(value, (list, tuple)) and option.get("elements") == "str":
        # Ansible's validation makes texts of these, in a copy; what reads the list would get them as they are.
        inner = [place for place, item in enumerate(value) if isinstance(item, (Mapping, list, tuple))]
        if inner:
            return [
                f"has at place {inner[0] + 1} what is no text. Write {name}: [<text>, …], each a word or in quotes."
            ]
    messages = ArgumentSpecValidator({name: _without_requirement(option)}).validate(
        {name: value}, validate_role_argument_spec=True
    )
    return [_friendly(name, option, value, message) for message in messages.error_messages]


def _one_line(message: str) -> str:
    return " ".join(message.split())


def _is_known(name: str, known: set[str]) -> bool:
    return name in known or name.startswith(OWN_PREFIXES)


def _unknown(name: str, known: set[str]) -> str:
    return f"is not a variable of this project.{suggestion(name, sorted(known))}"


def _reads(conditional: Any) -> Iterator[str]:
    """Names of the variables that a conditional reads; none where it is not Jinja (evaluating it will tell)."""
    conditionals = conditional if isinstance(conditional, (list, tuple)) else [conditional]
    for each in conditionals:
        if isinstance(each, str):
            try:
                yield from jinja2.meta.find_undeclared_variables(_PARSER.parse("{{ " + each + " }}"))
            except jinja2.TemplateSyntaxError:
                continue


def _read_by(rule: Mapping[str, Any]) -> set[str]:
    """The variable that a rule is about, and those that judging it reads."""
    return {rule["variable"], *_reads(rule["that"]), *_reads_of(rule.get("each"))}


def _reads_of(value: Any) -> Iterator[str]:
    """Names of the variables that a value's templates read."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _reads_of(item)
    elif isinstance(value, str) and ("{{" in value or "{%" in value):
        try:
            yield from jinja2.meta.find_undeclared_variables(_PARSER.parse(value))
        except jinja2.TemplateSyntaxError:
            return


class _Anything(dict[str, Any]):
    """Filters or tests of which each is known: Jinja refuses to look into a template with one that it does not know."""

    def get(self, name: str, default: Any = None) -> Any:
        """A stand-in, as nothing is evaluated."""
        return super().get(name, default or str)


_PARSER = jinja2.Environment(autoescape=True)  # parses only
_PARSER.filters, _PARSER.tests = _Anything(_PARSER.filters), _Anything(_PARSER.tests)


def _missing(option: Mapping[str, Any]) -> str:
    description = option.get("description", "")
    described = " ".join(description) if isinstance(description, (list, tuple)) else str(description)
    return f"is missing. It is: {described.rstrip('.')}." if described else "is missing."


def _default(option: Mapping[str, Any]) -> str:
    return f" (the default is {option['default']!r})" if "default" in option else ""


def _without_requirement(option: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in option.items() if key not in ("required", "default")}


def _friendly(name: str, option: Mapping[str, Any], value: Any, message: str) -> str:
    """The validator's message as a sentence about the variable, without the value where that is secret."""
    if option.get("no_log"):
        return f"is not what it should be ({option.get('type', 'str')}). Its value is not shown."
    choices = [str(choice) for choice in option.get("choices") or ()]
    if choices and str(value) not in choices and not isinstance(value, (list, Mapping)):
        return f"is {value!r}, must be one of {', '.join(choices)}.{suggestion(str(value), choices)}"
    if isinstance(value, (str, int, float, bool, list, Mapping)) and "unable to convert" in message:
        return f"is {value!r}, must be of type {option.get('type', 'str')}."
    return _one_line(message).replace(f"argument '{name}' ", "")

"""What roles say as data: layers (`vars/main.yml`: how variables become parameters), host files, rules.

It is read here rather than by a play that lists the roles: a play would check, include and skip for each role what one
task can do for all of them.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible.template import is_trusted_as_template, trust_as_template

from plugins.plugin_utils.layers import parsed
from plugins.plugin_utils.settled import Settled
from plugins.plugin_utils.site.patch import patched

PROJECT = Path(__file__).resolve().parents[2]
DYNAMIC_REFERENCE = "{{resolve:"
"""What CloudFormation resolves, and Jinja would take for its own.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""
BOUNDARY = "site_permissions_boundary"
"""The variable that names a policy which bounds every role of the site."""
ROLE = "AWS::IAM::Role"
JINJA = re.compile(r"\{[{%#]")
OTHERS = re.compile(r"\{%[-+]?\s*(?:extends|from|import|include)\b")
"""A template that reads others, which lie beside it."""
EXPRESSION = re.compile(r"\s*\{\{((?:(?!\}\}|\{\{).)+)\}\}\s*", re.DOTALL)
"""A template of one expression and nothing else (`fullmatch`)."""


class Roles:
    """The roles' variables and templates, as a task sees them.

    Args:
        loader: Ansible's DataLoader.
        templar: the task's.
        variables: the task's.
        directory: where the roles lie.
    """

    def __init__(
        self, loader: Any, templar: Any, variables: Mapping[str, Any], directory: Path = PROJECT / "roles"
    ) -> None:
        self._loader, self._templar, self._variables, self.directory = loader, templar, variables, directory
        self._templars: dict[Path | None, Any] = {}
        self._settled = Settled(lambda written, known: self._seeing(known).template(written))

    def variables(self, role: str, **more: Any) -> dict[str, Any]:
        """What is known inside a role: its defaults, what the task knows, its own variables; the last one holds."""
        defaults, own = ({**self._read(role, folder)} for folder in ("defaults", "vars"))
        return {**defaults, **self._variables, **own, **more}

    def value(self, expression: Any, variables: Mapping[str, Any]) -> Any:
        """A value, its templates rendered.

        Raises:
            AnsibleError: one cannot be rendered.
        """
        return self._seeing(self._settled.behind(expression, variables)).template(expression)

    def text(self, path: Path, variables: Mapping[str, Any]) -> str:
        """A file, rendered where it holds Jinja; CloudFormation's dynamic references are none.

        Raises:
            AnsibleError: it cannot be rendered.
            OSError: it cannot be read.
        """
        body = path.read_text()
        if not JINJA.search(body.replace(DYNAMIC_REFERENCE, "")):
            return body
        body = body.replace(DYNAMIC_REFERENCE, "{{ '{{' }}resolve:")
        folder = path.parent if OTHERS.search(body) else None
        templar = self._seeing(self._settled.behind(body, variables), folder)
        return str(templar.template(trust_as_template(body), escape_backslashes=False))

    def rules(self, role: str) -> list[dict[str, Any]]:
        """The rules beside a role (`rules.yml`), how its inputs relate; none if it has none."""
        path = self.directory / role / "rules.yml"
        return self._load(path) or [] if path.exists() else []

    def account(self, role: str) -> dict[str, Any]:
        """The variables beside a role about the account (`account.yml`, see account/rooms.py); none if it has none."""
        path = self.directory / role / "account.yml"
        return self._load(path) or {} if path.exists() else {}

    def refusals(self, rule: Mapping[str, Any], variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Variable and sentence, for each item of `each` (or once) where a rule does not hold.

        Raises:
            AnsibleError: the rule cannot be judged.
        """
        for item in self.value(rule["each"], variables) if "each" in rule else [None]:
            scope = {**variables, "item": item} if "each" in rule else dict(variables)
            templar = self._seeing(scope)
            if not all(templar.evaluate_conditional(condition) for condition in _conditions(rule)):
                yield str(templar.template(rule["variable"])), str(templar.template(rule["say"]))

    def doubtful(self, rules: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The rules that do not hold, or cannot be judged: `refusals` has to tell.

        Almost always they all hold. That is seen in one template: most of the time of a rule is that of compiling it.
        """
        told, left = [], set()
        for place, rule in enumerate(rules):
            try:
                told.append(_judging(place, rule))
            except ValueError:
                left.add(place)
        try:
            # The text before them makes it one, also if none of them says anything.
            said = self.value(trust_as_template(f"broken: {''.join(told)}"), variables)
        except AnsibleError:
            return list(rules)
        left |= {int(place) for place in str(said).split()[1:]}
        return [rule for place, rule in enumerate(rules) if place in left]

    def has_entries(self, noun: str) -> bool:
        """Whether a site may have several of a noun."""
        return f"{noun}_entries" in self._read(noun, "vars")

    def is_absent(self, noun: str) -> bool:
        """Whether a layer that a site has one of is not wanted (`state: absent`), so that a stack of it is to go.

        Raises:
            LookupError: `state` is something else.
            AnsibleError: it cannot be rendered.
        """
        known = self.variables(noun)
        state = self.value(known.get(f"{noun}_layer", {}).get("state", "present"), known)
        if state not in ("present", "absent"):
            raise LookupError(f"{noun}_layer has state: {state}; it is present or absent.")
        return bool(state == "absent")

    def region(self, noun: str) -> str | None:
        """The region in which a layer lies that is not in the site's; None for one that is.

        Raises:
            AnsibleError: it cannot be rendered.
        """
        known = self.variables(noun)
        given = known.get(f"{noun}_layer", {}).get("region")
        return str(self.value(given, known)) if given else None

    def wanted(self, noun: str) -> list[str]:
        """The names of the layers of a noun that the site has; known without what they take from outside.

        Raises:
            LookupError: the role describes no layer.
            AnsibleError: a variable cannot be rendered.
        """
        known = self.variables(noun)
        if f"{noun}_layer" not in known:
            raise LookupError(f"there is no {noun}_layer in roles/{noun}/vars/main.yml")
        condition = known[f"{noun}_layer"].get("when", True)
        if f"{noun}_entries" in known:
            scopes = self._scopes(noun, known)
            return [f"{noun}.{name}" for name, scope in scopes.items() if self.value(condition, scope)]
        return [noun] if not self.is_absent(noun) and self.value(condition, known) else []

    def layers(self, noun: str, templates: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """The layers of a noun, name → options: one, or one for each entry that the site has of it.

        Args:
            noun: name of the role.
            templates: where the templates lie.

        Raises:
            LookupError: the role describes no layer, or a patch leads nowhere in its template.
            AnsibleError: a variable cannot be rendered.
            OSError: the template cannot be read.
        """
        known = self.variables(noun)
        if not self.has_entries(noun) and self.is_absent(noun):
            return
        if f"{noun}_layer" not in known:
            raise LookupError(f"there is no {noun}_layer in roles/{noun}/vars/main.yml")
        if f"{noun}_entries" not in known:
            scopes = {noun: known}
        else:
            scopes = {f"{noun}.{name}": scope for name, scope in self._scopes(noun, known).items()}
        for name, scope in scopes.items():
            written = {name: value for name, value in known[f"{noun}_layer"].items() if name != "state"}
            options = dict(self.value(written, scope))
            if options.pop("when", True):
                path = templates / str(options.get("template") or f"{noun}.yml")
                body = bounded(self.text(path, scope), str(self.value(scope.get(BOUNDARY, ""), scope) or ""))
                if patches := (scope.get("entry") or {}).get("patch"):
                    body = _patched(body, patches, name)
                yield name, {"template": path.name, **options, "template_body": body}

    def bodies(self, noun: str, templates: Path, entries: Collection[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Name, template and patches of some entries of a noun that has entries.

        They read nothing but the entry, so they are known without what the layer's parameters take from outside.

        Args:
            noun: name of the role.
            templates: where the templates lie.
            entries: names of entries.

        Raises:
            AnsibleError: a variable cannot be rendered.
            OSError: the template cannot be read.
        """
        known = self.variables(noun)
        for name, scope in self._scopes(noun, known).items():
            if name in entries:
                yield name, self.text(templates / f"{noun}.yml", scope), scope["entry"]["patch"]

    def _seeing(self, variables: Mapping[str, Any], folder: Path | None = None) -> Any:
        """The templar that sees these variables until it is asked for again; it finds other templates in a folder.

        A new one would look for each filter and test anew: about a tenth of what rendering takes.
        """
        if folder not in self._templars:
            where = {"searchpath": [str(folder)]} if folder else {}
            self._templars[folder] = self._templar.copy_with_new_env(**where)
        templar = self._templars[folder]
        templar.available_variables = dict(variables)
        return templar

    def _scopes(self, noun: str, known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Entry → what is known where its layer is described."""
        entries = self.value(known[f"{noun}_entries"], known) or {}
        return {name: {**known, "entry_name": name, "entry": copy.deepcopy(entry)} for name, entry in entries.items()}

    def _read(self, role: str, folder: str) -> dict[str, Any]:
        top = self.directory / role / folder
        files = [top / "main.yml", *sorted((top / "main").glob("*.yml"))]
        found: dict[str, Any] = {}
        for file in files:
            if file.exists():
                found |= self._load(file) or {}
        return found

    def read_all(self) -> None:
        """Read the files of all roles, so that whoever has this loader, or is a fork of who has it, need not."""
        for role in sorted(path.name for path in self.directory.iterdir() if path.is_dir()):
            for folder in ("defaults", "vars"):
                self._read(role, folder)
            self.rules(role)
            self.account(role)

    def _load(self, path: Path) -> Any:
        # As it is: a copy of what nobody changes would take longer than reading it.
        return self._loader.load_from_file(str(path), cache="all", unsafe=True, trusted_as_template=True)


def _conditions(rule: Mapping[str, Any]) -> Sequence[Any]:
    return rule["that"] if isinstance(rule["that"], (list, tuple)) else [rule["that"]]


def _judging(place: int, rule: Mapping[str, Any]) -> str:
    """A piece of a template that says `place` where a rule does not hold.

    Raises:
        ValueError: a condition is no text, or comes from where nobody may write templates; the items are no expression.
    """
    conditions, items = _conditions(rule), rule.get("each", "")
    if not all(isinstance(text, str) and is_trusted_as_template(text) for text in conditions):
        raise ValueError(f"rule on {rule['variable']}")
    # `refusals` takes nothing but a boolean either.
    wanted = " and ".join(f"(({condition}) is sameas true)" for condition in conditions)
    piece = f"{{% if not ({wanted}) %}}{place} {{% endif %}}"
    if "each" not in rule:
        return piece
    expression = EXPRESSION.fullmatch(items) if isinstance(items, str) and is_trusted_as_template(items) else None
    if not expression:
        raise ValueError(f"items of the rule on {rule['variable']}")
    return f"{{% for item in ({expression[1]}) %}}{piece}{{% endfor %}}"


def cannot_work(role: str, sentences: Iterable[str]) -> str:
    """What the rules of a host role have against its settings, as one message."""
    return "\n".join([f"The settings of the role {role} cannot work:", *(f"  {sentence}" for sentence in sentences)])


def _patched(body: str, patches: Mapping[str, Any], name: str) -> str:
    """The text of an entry's template with its patches applied."""
    body, resources, lost = patch_by_patch(body, patches)
    if lost:
        raise LookupError(f"its patch {lost[0]} {nowhere(name, resources)}")
    return body


def bounded(body: str, boundary: str) -> str:
    """A template with a permissions boundary on each of its roles; as it is without one, or without a role.

    Here and not in the templates: so no role of a layer to come is forgotten.

    Args:
        body: the template.
        boundary: ARN of a policy; empty for none.
    """
    if not boundary or ROLE not in body:
        return body
    template = parsed(body)
    for resource in template["Resources"].values():
        if resource["Type"] == ROLE:
            resource["Properties"]["PermissionsBoundary"] = boundary
    return yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=4096)


def patch_by_patch(body: str, patches: Mapping[str, Any]) -> tuple[str, list[str], list[str]]:
    """Lay patches over a template.

    Returns:
        Its text with those applied that lead somewhere; its resources; the paths of the others.
    """
    template, lost = parsed(body), []
    for path, value in patches.items():
        try:
            template["Resources"] = patched(template["Resources"], {path: value})
        except KeyError:
            lost.append(path)
    made = yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=4096)
    return made, list(template["Resources"]), lost


def nowhere(name: str, resources: Iterable[str]) -> str:
    """What is said of a patch of `name` (`service.web`) that leads nowhere."""
    return f"leads nowhere in the template of {name}; it has the resources {', '.join(resources)}."

"""Read the layers that a play names: their templates, their inputs, and who takes which output from whom.

Everything that can be wrong before the first API call is found here, all of it at once.
"""

from __future__ import annotations

import difflib
import graphlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

BODY_BYTES = 51_200
"""Largest template that an API call can carry, in bytes. Larger ones would have to lie in S3, which nothing here needs.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""
PARAMETER_BYTES = 4_096
"""Largest value of a parameter, in bytes; same page."""
TIMEOUT_SECONDS = 3_600

LAYER_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_-]*)?")
"""A layer there is one of (`network`), or one entry of a noun (`database.main`)."""
STACK_NAME = re.compile(r"[A-Za-z][-A-Za-z0-9]{0,127}")

OPTIONS: dict[str, type | tuple[type, ...]] = {
    "template": str,
    "template_body": str,
    "stack": str,
    "region": str,
    "parameters": Mapping,
    "takes": Mapping,
    "keep": (list, tuple),
    "keep_while": Mapping,
    "keep_because": str,
    "first": Mapping,
    "outputs": Mapping,
    "protect": bool,
    "timeout": (int, float),
    "tags": Mapping,
}
"""What may be said about a layer (documented in plugins/modules/cloudformation_stacks.py)."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # libyaml reads ten times as fast
    """Reads a template; a short tag (!Ref, !Sub) becomes its long form."""

    def short(self, name: str, node: yaml.Node) -> dict[str, Any]:
        """`!Ref X` as `{Ref: X}`, `!Sub X` as `{Fn::Sub: X}`, `!GetAtt X.Arn` as `{Fn::GetAtt: [X, Arn]}`.

        The long form of GetAtt has no dot:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getatt.html
        """
        value: Any
        if isinstance(node, yaml.ScalarNode):
            value = self.construct_scalar(node)
            if name == "GetAtt":
                value = value.split(".", 1)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            value = self.construct_mapping(node, deep=True)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _Loader.short)


def parsed(body: str) -> Any:
    """The content of a template, short tags in their long form.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(body, _Loader)  # a SafeLoader


@dataclass(frozen=True)
class Template:
    """A template's text and what it declares.

    Attributes:
        body: the text that CloudFormation gets.
        parameters: name → declaration.
        outputs: names.
        resources: logical id → declaration.
        conditions: name → expression.
    """

    body: str
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, body: str) -> Template:
        """Parse `body`.

        Raises:
            ValueError: it is no template.
        """
        try:
            content = parsed(body)
        except yaml.YAMLError as error:
            raise ValueError(f"is not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict) or not isinstance(content.get("Resources"), dict):
            raise ValueError("has no Resources")
        return cls(
            body,
            {name: declared or {} for name, declared in (content.get("Parameters") or {}).items()},
            content.get("Outputs") or {},
            {name: declared or {} for name, declared in content["Resources"].items()},
            content.get("Conditions") or {},
        )

    def sources(self, output: str) -> set[str]:
        """Logical ids and parameters on which the value of an output depends."""
        return self._mentioned(self.outputs.get(output))

    def reach(self, output: str) -> set[str]:
        """As `sources`, and what these depend on in turn."""
        found, left = set[str](), self.sources(output)
        while left:
            found.add(name := left.pop())
            left |= self._mentioned(self.resources.get(name)) - found
        return found

    def _mentioned(self, value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(self._mentioned, value))
        if not isinstance(value, dict):
            return set()
        found: set[str] = set()
        for key, inner in value.items():
            if key == "Ref":
                found.add(str(inner))
            elif key == "Fn::GetAtt":
                found.add(str(inner[0] if isinstance(inner, list) else inner).partition(".")[0])
            elif key == "Fn::Sub":
                pattern = inner[0] if isinstance(inner, list) else inner
                found |= {name.partition(".")[0] for name in re.findall(r"\$\{([^!}][^}]*)\}", str(pattern))}
            elif key == "Condition":
                found |= self._mentioned(self.conditions.get(str(inner)))
            elif key == "Fn::If":
                found |= self._mentioned(self.conditions.get(str(inner[0])))
            found |= self._mentioned(inner)
        return found

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body.encode())


@dataclass(frozen=True)
class Layer:
    """One layer of a site: a stack to be, and where its inputs come from.

    Attributes:
        name: as the play names it.
        stack: name of the CloudFormation stack.
        region: AWS region, or None for the run's.
        template: what is deployed.
        parameters: values that the play gives.
        wired: parameter → the `layer.Output` that the play says it is taken from.
        takes: parameter → (layer, output) it is taken from.
        gives: name under which an output is given on → its name in the template.
        keep: parameters of which an existing stack keeps its present value.
        keep_while: parameter → values of other parameters with which an existing stack keeps its present value.
        keep_because: what to say where such a value is kept that is not the given one.
        first: values used for the very first create only.
        protect: whether termination protection is to be on; None leaves it as it is.
        timeout: seconds that a wait may take.
        tags: the stack's tags.
    """

    name: str
    stack: str
    region: str | None
    template: Template
    parameters: dict[str, str] = field(default_factory=dict)
    wired: dict[str, str] = field(default_factory=dict)
    takes: dict[str, tuple[str, str]] = field(default_factory=dict)
    gives: dict[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    keep_while: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keep_because: str = ""
    first: dict[str, str] = field(default_factory=dict)
    protect: bool | None = None
    timeout: float = TIMEOUT_SECONDS
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_entry(self) -> bool:
        """Whether it is one of several of its noun, whose outputs have no name without it."""
        return "." in self.name

    @property
    def needs(self) -> set[str]:
        """Names of the layers that must be there first."""
        return {layer for layer, _ in self.takes.values()}

    @property
    def hidden(self) -> set[str]:
        """Parameters whose values must not be shown."""
        return {
            name
            for name, declared in self.template.parameters.items()
            if str(declared.get("NoEcho", False)).lower() == "true"
        }


class LayersWrong(Exception):
    """The layers cannot be deployed as given.

    Attributes:
        errors: one sentence each, all of them.
    """

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def text(value: Any) -> str:
    """A parameter value as CloudFormation takes it: booleans in lower case, lists with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(text(item) for item in value)
    return str(value)


def suggestion(name: str, known: Any) -> str:
    """` Did you mean …?` where something in `known` looks like `name`, else nothing."""
    near = difflib.get_close_matches(name, [str(item) for item in known], 1)
    return f" Did you mean {near[0]}?" if near else ""


def read_layers(
    stacks: Mapping[str, Any],
    *,
    prefix: str,
    directory: Path,
    tags: Mapping[str, Any],
    outputs: Mapping[str, Any],
    region: str | None = None,
    deleting: bool = False,
) -> dict[str, Layer]:
    """The layers in an order in which each comes after those it takes from.

    Args:
        stacks: layer name → options, as in the task. A name is a word, or noun and entry (`database.main`).
        prefix: of the stack names.
        directory: where templates lie.
        tags: tags of every stack.
        outputs: outputs of layers outside this call; those of an entry as `database.main.SecretArn`.
        region: the run's region, to tell when two layers are one stack.
        deleting: whether only names and relations matter: values may be missing, and a template may have gone or
            not be rendered.

    Raises:
        LayersWrong: with every fault of every layer.
    """
    errors: list[str] = []
    layers: dict[str, Layer] = {}
    for name, options in stacks.items():
        layer = _read_layer(name, options or {}, prefix, directory, tags, errors, deleting)
        if layer:
            layers[name] = layer
    if errors:
        raise LayersWrong(errors)
    givers = _givers(layers, region, errors, deleting)
    known = {name: text(value) for name, value in outputs.items()}
    missing: list[str] = []
    connected = {name: _connect(layer, layers, givers, known, missing) for name, layer in layers.items()}
    if not deleting:
        errors += missing
    if errors:
        raise LayersWrong(errors)
    try:
        order = tuple(graphlib.TopologicalSorter({n: sorted(la.needs) for n, la in connected.items()}).static_order())
    except graphlib.CycleError as error:
        raise LayersWrong(
            [f"the layers take outputs from each other in a circle: {' → '.join(error.args[1])}"]
        ) from None
    return {name: connected[name] for name in order}


def aliases(layers: Mapping[str, Layer], region: str | None) -> dict[str, str]:
    """Layer name → name of the layer that is deployed for it: itself, or the first one of the same stack."""
    first: dict[tuple[str, str | None], str] = {}
    return {name: first.setdefault((layer.stack, layer.region or region), name) for name, layer in layers.items()}


def _read_layer(
    name: str,
    options: Mapping[str, Any],
    prefix: str,
    directory: Path,
    tags: Mapping[str, Any],
    errors: list[str],
    deleting: bool,
) -> Layer | None:
    before = len(errors)

    def wrong(sentence: str) -> None:
        errors.append(f"{name}: {sentence}")

    stack = f"{prefix}-{options.get('stack') or name.replace('_', '-').replace('.', '-')}"
    _check_words(name, options, stack, wrong)
    path = directory / str(options.get("template") or f"{name.partition('.')[0]}.yml")
    # What is deleted need not be rendered: where the template does not tell, the deployed stacks do.
    tell = (lambda _: None) if deleting else wrong
    template = _read_template(options, path, tell) or (Template("") if deleting else None)
    if len(errors) > before or not template:
        return None
    parameters = _values(options.get("parameters"), "parameters", template, wrong)
    first = _values(options.get("first"), "first", template, wrong)
    wired = {str(parameter): str(source) for parameter, source in (options.get("takes") or {}).items()}
    for parameter in wired:
        if parameter in parameters:
            wrong(f"{parameter} is in parameters and in takes. Give it in one of them.")
        elif not deleting:
            _check_declared([parameter], template, "takes gives", wrong)
    _check_declared(options.get("keep") or (), template, "keep names", wrong)
    keep_while = {
        str(parameter): {str(other): text(value) for other, value in values.items()}
        for parameter, values in (options.get("keep_while") or {}).items()
    }
    compared = (other for values in keep_while.values() for other in values)
    _check_declared({*keep_while, *compared}, template, "keep_while names", wrong)
    qualified = f"{name}." if "." in name else ""
    renamed = {str(key): str(value) for key, value in (options.get("outputs") or {}).items()}
    for output in renamed:
        if output not in template.outputs:
            wrong(f"outputs names {output}, which is no output of the template.{suggestion(output, template.outputs)}")
    all_tags = {str(key): text(value) for key, value in {**tags, **(options.get("tags") or {})}.items()}
    _check_tags(all_tags, wrong)
    if len(errors) > before:
        return None
    return Layer(
        name,
        stack,
        options.get("region"),
        template,
        parameters,
        wired,
        gives={renamed.get(output, qualified + output): output for output in template.outputs},
        keep=tuple(options.get("keep") or ()),
        keep_while=keep_while,
        keep_because=str(options.get("keep_because") or ""),
        first=first,
        protect=options.get("protect"),
        timeout=float(options.get("timeout", TIMEOUT_SECONDS)),
        tags=all_tags,
    )


def _check_words(name: str, options: Mapping[str, Any], stack: str, wrong: Callable[[str], None]) -> None:
    for option, value in options.items():
        if option not in OPTIONS:
            wrong(f"{option} is not an option of a layer.{suggestion(option, OPTIONS)}")
        elif not isinstance(value, OPTIONS[option]):
            wrong(f"{option} is {value!r}, which is of the wrong type.")
    if not LAYER_NAME.fullmatch(name):
        wrong("is no name of a layer: small letters, digits and _, and for an entry its noun, a dot and its name.")
    if not STACK_NAME.fullmatch(stack):
        wrong(f"{stack!r} cannot be a stack's name (a letter, then letters, digits and hyphens; at most 128).")


def _check_declared(named: Iterable[str], template: Template, what: str, wrong: Callable[[str], None]) -> None:
    for parameter in named:
        if parameter not in template.parameters:
            like = suggestion(parameter, template.parameters)
            wrong(f"{what} {parameter}, which the template does not declare.{like}")


def _check_tags(tags: Iterable[str], wrong: Callable[[str], None]) -> None:
    for key in tags:
        if key.lower() in ("release", "version", "commit"):
            # Stack tags spread to every resource: each release would change all of them, and no run were a no-op.
            wrong(f"{key} must not be a stack tag: it would change every resource with every release.")


def _read_template(options: Mapping[str, Any], path: Path, wrong: Any) -> Template | None:
    body, what = options.get("template_body"), "template_body"
    if body is not None and options.get("template"):
        what = path.name  # rendered
    if body is None:
        what = str(path)
        try:
            body = path.read_text()
        except OSError as error:
            wrong(f"its template cannot be read: {error}")
            return None
    try:
        template = Template.read(str(body))
    except ValueError as error:
        wrong(f"{what} {error}")
        return None
    if template.size > BODY_BYTES:
        wrong(
            f"its template has {template.size:,} bytes; an API call carries {BODY_BYTES:,}. Make it shorter: what is "
            "rendered into it is the usual cause (containers in service and job, the hosts' files in cluster)."
        )
    return template


def _values(given: Mapping[str, Any] | None, what: str, template: Template, wrong: Any) -> dict[str, str]:
    values = {}
    for name, value in (given or {}).items():
        if name not in template.parameters:
            wrong(f"{what} gives {name}, which the template does not declare.{suggestion(name, template.parameters)}")
            continue
        if value is None:
            wrong(f"{what} gives no value for {name} (null). Leave it out, or give one.")
            continue
        values[name] = text(value)
        size = len(values[name].encode())
        if size > PARAMETER_BYTES:
            wrong(f"{name} has {size:,} bytes; a parameter takes {PARAMETER_BYTES:,}. Render it into the template.")
    return values


def _givers(
    layers: Mapping[str, Layer], region: str | None, errors: list[str], deleting: bool
) -> dict[str, tuple[str, str]]:
    """Name of an output → the layer that gives it on under that name, and the output's own name.

    Of what is deleted nobody is told how it calls its outputs: two of one name are no fault then.
    """
    same = aliases(layers, region)
    givers: dict[str, tuple[str, str]] = {}
    for name, layer in layers.items():
        twin = layers[same[name]]
        if twin is not layer and (twin.template.body, twin.parameters, twin.wired) != (
            layer.template.body,
            layer.parameters,
            layer.wired,
        ):
            errors.append(f"{name}: is the same stack as {twin.name} ({layer.stack}), but differs from it.")
        elif twin is not layer and (twin.is_entry or layer.is_entry):
            # `database.main_1` and `database.main-1`: two databases that somebody wants, not one under two names.
            errors.append(f"{name}: would be the same stack as {twin.name} ({layer.stack}). Rename one.")
        for given, output in layer.gives.items():
            other, original = givers.setdefault(given, (name, output))
            if not deleting and (same[other] != same[name] or original != output):
                errors.append(
                    f"{name}: gives the output {given}, which {other} gives too. "
                    f"Rename one (outputs: {{{output}: …}} in the layer)."
                )
    return givers


def _connect(
    layer: Layer,
    layers: Mapping[str, Layer],
    givers: Mapping[str, tuple[str, str]],
    known: Mapping[str, str],
    missing: list[str],
) -> Layer:
    parameters, takes = dict(layer.parameters), dict[str, tuple[str, str]]()
    for name, declared in layer.template.parameters.items():
        giver = givers.get(name)
        if name in parameters:
            continue
        if name in layer.wired:
            source = _source(layer.wired[name], layers, known)
            if isinstance(source, tuple):
                takes[name] = source
            elif source is not None:
                parameters[name] = source
            else:
                missing.append(
                    f"{layer.name}: takes {name} from {layer.wired[name]}, {_nearest(layer, name, layers, known)}"
                )
        elif giver and giver[0] != layer.name:
            takes[name] = giver
        elif name in known:
            parameters[name] = known[name]
        elif "Default" not in declared and name not in layer.keep:
            missing.append(
                f"{layer.name}: {name} has no value: it is not given, has no default, and no layer gives it."
            )
    return Layer(**{**layer.__dict__, "parameters": parameters, "takes": takes})


def _source(wanted: str, layers: Mapping[str, Layer], known: Mapping[str, str]) -> tuple[str, str] | str | None:
    """What `database.main.SecretArn` is: a layer and its output, a value of an earlier call, or nothing."""
    name, _, output = wanted.rpartition(".")
    if name in layers:
        return (name, output) if output in layers[name].template.outputs else None
    # An earlier call has given on the outputs of a layer that there is one of without its name.
    return known.get(wanted if "." in name else output)


def _nearest(layer: Layer, parameter: str, layers: Mapping[str, Layer], known: Mapping[str, str]) -> str:
    """Why the source of a parameter is none, and what was perhaps meant."""
    wanted = layer.wired[parameter]
    name, _, output = wanted.rpartition(".")
    there = sorted({f"{each.name}.{given}" for each in layers.values() for given in each.template.outputs} | set(known))
    if name in layers:
        return f"but {name} gives no output {output}.{suggestion(wanted, there)}"
    if wanted in layers:
        given = [f"{wanted}.{each}" for each in layers[wanted].template.outputs]
        return f"but it names a layer without an output. Write {' or '.join(given)}."
    if not name:
        like = [each for each in there if each.endswith(f".{output}")] or ["network.VpcId"]
        return f"but there is no layer {wanted}. Write <layer>.<Output>, for example {like[0]}."
    return f"but there is no layer {name}.{suggestion(wanted, there) or suggestion(name, layers)}"

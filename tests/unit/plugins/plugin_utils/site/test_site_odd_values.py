"""Whatever stands anywhere in an inventory, reading it answers; it never raises."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jinja2.filters import do_indent

from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.reading import ALSO_READ, VARIABLES, read_site
from tests.unit.plugins.plugin_utils.site.support import read, rendered, small, variables

CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)
ODD: list[Any] = [
    None, True, 0, -1, 10**400, 1.5, float("nan"), "", "\0", "ü💐", "a" * 5000, "${x}", b"x",
    [], [None], [[]], [{}], {}, {"": ""}, {None: 1}, {"from": {}}, set(), datetime.date(2026, 11, 25), CIRCULAR,
    "web.web", "database.main.host", "service.web.url", "/a", "8000:80", "256m",
]  # fmt: skip
KEYS: list[Any] = [None, 1, True, "", "a b", "ü", ("a", 1), "from", "like", "<<", "web"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a value, from above to below."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from places(item, (*path, step))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The value with something else at a place; what is not on the way there is shared."""
    if not path:
        return odd
    made = copy.copy(value)
    made[path[0]] = put(value[path[0]], path[1:], odd) if len(path) > 1 else odd
    return made


WHOLE = small(
    """
    domain_aliases: [acme.io, {name: acme.de, hosted_zone_id: Z1}]
    hosted_zone_id: Z2
    site_hosts: {min: 1, max: 9}
    site_buckets: {up: {expire_days: 9, cors_origins: ["*"]}, old: {name: acme-old}}
    site_tables:
      items:
        partition_key: id
        sort_key: {name: at, type: number}
        global_secondary_indexes: {by_owner: {partition_key: owner, projection: [title]}}
        ttl: gone
      old: {name: acme-old}
    site_functions:
      api:
        code: api
        handler: app.handler
        runtime: python3.13
        routes: [GET /, "ANY /{proxy+}"]
        timeout: 5s
        environment: {TABLE: {from: table.items.name}}
        secrets: {KEY: secret.key.k}
        uses: {table.items: read}
    site_static:
      front: {folder: dist, cache_control: {"*.pdf": max-age=60}, keep_days: 9}
      docs: {image: shop/web, path: /srv/docs}
    site_volumes: {media: {uid: 5, mode: "0755"}, cache: {driver: task}}
    site_secrets: {key: {generate: [k], values: {a: b}}, old: {parameter: /shop/key}}
    site_databases: {old: {endpoint: db.acme.io}}
    site_services:
      web:
        containers:
          web:
            command: [a, b]
            environment: {A: b, C: {from: database.main.host}}
            secrets: {D: secret.key.k, E: /shop/e}
            volumes: ["media:/m", {source: cache, target: /c}]
            healthcheck: {test: [CMD, "true"], interval: 30s}
            ulimits: {nofile: {soft: 1, hard: 2}}
            tmpfs: ["/run:size=1m"]
            extra_hosts: {mail: 10.0.0.1}
            labels: {a: b}
            links: []
            depends_on: {}
          side: {like: web.web, ports: ["81"], depends_on: {web: {condition: service_healthy}}, links: ["web:app"]}
        routes: [{to: web, host: [acme.io], path: ["/a"], health: /x, priority: 144}]
        expose: {to: "web:8000", port: 80, scheme: http}
        deploy: {update_config: {order: stop-first}}
        scale: {min: 1, max: 2, cpu: 50}
        uses: {bucket.up: [read]}
        patch: {Service.PropagateTags: NONE}
    site_jobs: {j: {like: web.web, command: x, schedule: "0 3 * * *", uses: {secret.key: [read]}}}
    """
)


def test_the_whole_site_is_right_so_that_only_what_is_odd_is_wrong() -> None:
    assert [str(problem) for problem in read_site(WHOLE).problems] == []


def some(values: list[Any], of: int, turn: int) -> list[Any]:
    """So many of the values, others at each turn: all of them in every place would take half a minute."""
    return [values[(turn * of + each) % len(values)] for each in range(of)]


def test_odd_values_in_every_place_are_answered() -> None:
    for turn, path in enumerate([*places(WHOLE)][1:]):
        for odd in some(ODD, 6, turn):
            for problem in read_site(put(WHOLE, path, odd)).problems:
                assert problem.path
                assert len(problem.sentence) <= 600, (path, odd)
                assert str(problem)


@pytest.mark.parametrize("character", ["\0", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud83d", "\uffff"])
@pytest.mark.parametrize("path", ["environment.A", "labels.a", "command.1", "patch"])
def test_a_character_that_no_template_carries_is_refused_where_it_stands(character: str, path: str) -> None:
    at: tuple[Any, ...] = ("site_services", "web", "containers", "web", *path.split("."))
    at = (*at[:-1], 1) if path == "command.1" else at
    at = ("site_services", "web", "patch", "Service.PropagateTags") if path == "patch" else at
    ((where, sentence),) = {
        each.path: each.sentence for each in read_site(put(WHOLE, at, f"a{character}b")).problems
    }.items()
    assert where == at
    assert f"U+{ord(character):04X}" in sentence
    assert ("blank" in sentence) == (character in "\x85\u2028\u2029")


@pytest.mark.parametrize("character", ["\t", "\n", "\x1b", "\xa0", "\u200b", "é", "💐", "\ufeff", "\ufffd"])
def test_any_other_character_comes_through_the_template_as_it_is(character: str) -> None:
    at = ("site_services", "web", "containers", "web", "environment", "A")
    made = rendered(read(put(WHOLE, at, f"a{character}b")), "service.web").containers
    written = do_indent(json.dumps(made, indent=2, ensure_ascii=False), 8)
    (first, *_) = yaml.safe_load(f"containers:\n        {written}")["containers"]
    assert {"Name": "A", "Value": f"a{character}b"} in first["Environment"]


def test_odd_keys_in_every_mapping_are_answered() -> None:
    value: Any
    for turn, path in enumerate(filter(_is_mapping, places(WHOLE))):
        for odd in some(KEYS, 5, turn):
            for value in (None, "x"):
                for problem in read_site(put(WHOLE, (*path, odd), value)).problems:
                    assert problem.sentence


def _is_mapping(path: tuple[Any, ...]) -> bool:
    where: Any = WHOLE
    for step in path:
        where = where[step]
    return isinstance(where, dict)


def test_what_is_missing_anywhere_is_answered() -> None:
    for path in places(WHOLE):
        if path:
            made = copy.deepcopy(WHOLE)
            where: Any = made
            for step in path[:-1]:
                where = where[step]
            del where[path[-1]]
            read_site(made)


@pytest.mark.parametrize("name", ["seed0", "workers"])
def test_a_seed_s_site_cut_off_anywhere_is_answered(name: str) -> None:
    whole = variables(name)
    odd: Any
    for path in [*places(whole)][1:]:
        for odd in (None, {}):
            read_site(put(whole, path, odd))


@pytest.mark.parametrize("variable", [*VARIABLES, *ALSO_READ])
def test_every_odd_value_of_a_variable_is_answered(variable: str) -> None:
    for odd in ODD:
        read_site({variable: odd})
    read_site({})


def test_every_noun_s_entries_have_the_fields_that_its_keys_say() -> None:
    whole = read_site(WHOLE)
    for word, noun in NOUNS.items():
        for entry in whole.entries[word].values():
            if word not in ("service", "job"):
                fields = {name.rstrip("_") for name in vars(entry)}
                assert fields == {"entry", *noun.schema.keys}, word

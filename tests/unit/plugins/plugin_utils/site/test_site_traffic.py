"""What two routes or two services claim, what may stand side by side, and what is told once."""

from __future__ import annotations

import pytest

from plugins.plugin_utils.site.reading import read_site
from tests.unit.plugins.plugin_utils.site.support import read, small

SIDE = "side: {image: shop/side, mem_limit: 64m, ports: ['8000', '9000']}"


def told(text: str) -> dict[str, str]:
    """Subject → sentence of each problem."""
    return {problem.subject: problem.sentence for problem in read_site(small(text)).problems}


@pytest.mark.parametrize(
    ("route", "what"),
    [
        ("", "every request"),
        ("path: /api/*", "/api/*"),
        ("host: www.acme.io", "www.acme.io/*"),
        ("host: www.acme.io, path: /api", "www.acme.io/api"),
        ("path: [/a, /b]", "/b"),
        ("path: /*", "every request"),
    ],
)
def test_what_two_routes_take_is_told_as_an_address(route: str, what: str) -> None:
    first = route.replace("/a, ", "")
    text = f"site_services: {{web: {{containers: {{{SIDE}}}, routes: [{{to: web, {first}}}, {{to: side, port: 9000, "
    ((subject, sentence),) = told(f"{text}{route}}}]}}}}").items()
    assert (subject, sentence.partition(". ")[0]) == ("site_services.web.routes[1]", f"takes {what}, as web.web does")


@pytest.mark.parametrize(
    ("first", "second"), [("", ", path: /*"), (", host: www.acme.io", ", host: www.acme.io, path: /*")]
)
def test_a_route_without_a_path_is_for_every_path(first: str, second: str) -> None:
    routes = f"[{{to: web{first}}}, {{to: side, port: 9000{second}}}]"
    text = f"site_services: {{web: {{containers: {{{SIDE}}}, routes: {routes}}}}}"
    assert list(told(text)) == ["site_services.web.routes[1]"]
    assert list(told(text.replace("path: /*", "path: /x/*"))) == []


@pytest.mark.parametrize(
    "routes",
    [
        "[{to: web, health: /a}, {to: side, port: 8000, path: /side/*, health: /b}]",
        "[{to: side, port: 8000, health: /a}, {to: side, port: 9000, path: /side/*, health: /b}]",
        "[{to: web, health: /a}, {to: web, path: /api/*, health: /a}]",
    ],
    ids=["two containers", "two ports", "one, twice"],
)
def test_each_port_of_each_container_is_asked_for_a_path_of_its_own(routes: str) -> None:
    other = "other: {containers: {web: {image: shop/web, mem_limit: 64m, ports: ['8000']}}, "
    other += "routes: [{to: web, path: /other/*, health: /c}]}"
    read(small(f"site_services: {{web: {{containers: {{{SIDE}}}, routes: {routes}}}, {other}}}"))


@pytest.mark.parametrize(("first", "second"), [("/", "/b"), ("/b", "/"), ("/b", "/a")])
def test_of_two_health_paths_the_one_that_somebody_wrote_is_advised(first: str, second: str) -> None:
    text = (
        f"site_services: {{web: {{routes: [{{to: web, health: {first}}}, {{to: web, path: /api, health: {second}}}]}}}}"
    )
    ((subject, sentence),) = told(text).items()
    assert subject == "site_services.web.routes[1]"
    assert f"asked for {second}, another route for {first};" in sentence
    assert sentence.endswith("Write health: /b in both.")


@pytest.mark.parametrize(
    ("ports", "free"), [((80, 80), 81), ((80, 81, 80), 82), ((65535, 65535), 1024), ((65534, 65534), 65535)]
)
def test_a_free_port_of_the_internal_balancer_is_advised(ports: tuple[int, ...], free: int) -> None:
    container = "containers: {c: {image: shop/c, mem_limit: 9m, ports: ['7000']}}"
    services = ", ".join(
        f"s{number}: {{{container}, expose: {{to: c, port: {port}}}}}" for number, port in enumerate(ports)
    )
    ((subject, sentence),) = told(f"site_services: {{{services}}}").items()
    assert subject == f"site_services.s{len(ports) - 1}.expose"
    assert f"has port {ports[-1]} of the site's internal balancer, as s0 has" in sentence
    assert sentence.endswith(f"expose: {{to: c:7000, port: {free}}}.")


def test_an_exposed_port_is_the_container_s_unless_it_is_said_otherwise() -> None:
    made = read(small("site_services: {web: {expose: web:8000}}")).services["web"].expose
    assert made
    assert (made.port, made.container_port, made.scheme) == (8000, 8000, "http")
    given = "{to: web, port: 80, scheme: redis}"
    made = read(small(f"site_services: {{web: {{expose: {given}}}}}")).services["web"].expose
    assert made
    assert (made.port, made.container_port, made.scheme) == (80, 8000, "redis")


def test_ports_that_are_asked_are_told_in_their_order() -> None:
    ports = [8005, 8000, 8003, 8001, 8004, 8002]
    routes = ", ".join(f"{{to: web, port: {port}, path: /{port}}}" for port in ports)
    (sentence,) = told(
        f"site_services: {{web: {{containers: {{web: {{ports: {ports}}}}}, routes: [{routes}]}}}}"
    ).values()
    assert "(web:8000, web:8001, web:8002, web:8003, web:8004, web:8005)" in sentence


def test_a_host_is_judged_only_where_the_site_has_a_name() -> None:
    routes = "site_services: {web: {routes: [{to: web, host: api.other.io}]}}"
    assert "site_services.web.routes[0].host" in told(routes)
    unnamed = small(routes) | {"domain_name": ""}
    assert [problem.path for problem in read_site(unnamed).problems if "routes" in problem.path] == []


def test_what_leads_to_no_container_claims_nothing() -> None:
    routes = "routes: [{to: wbe}, {to: web}], expose: wbe"
    other = "other: {containers: {c: {image: shop/c, mem_limit: 9m}}, expose: c}"
    assert set(told(f"site_services: {{web: {{{routes}}}, {other}}}")) == {
        "site_services.web.routes[0].to", "site_services.web.expose", "site_services.other.expose",
    }  # fmt: skip


def test_a_container_that_ends_is_not_told_that_it_has_no_port() -> None:
    waits = "web: {depends_on: {once: {condition: service_completed_successfully}}}"
    once = "once: {image: shop/once, mem_limit: 9m}"
    (sentence,) = told(f"site_services: {{web: {{containers: {{{waits}, {once}}}, routes: [{{to: once}}]}}}}").values()
    assert "waits for to end" in sentence


def test_places_of_routes_stay_where_one_leads_nowhere() -> None:
    routes = "routes: [{to: wbe, path: /wbe}, {to: web}, {to: web}]"
    assert list(told(f"site_services: {{web: {{{routes}}}}}")) == [
        "site_services.web.routes[0].to", "site_services.web.routes[2]",
    ]  # fmt: skip


def test_what_leads_nowhere_is_no_target_group() -> None:
    ports = [8000, 8001, 8002, 8003, 8004]
    routes = ", ".join(f"{{to: web, port: {port}, path: /{port}}}" for port in ports)
    text = f"site_services: {{web: {{containers: {{web: {{ports: {ports}}}}}, routes: [{routes}, {{to: wbe}}]}}}}"
    assert list(told(text)) == ["site_services.web.routes[5].to"]


@pytest.mark.parametrize("letters", [1, 2, 30, 31, 32, 60, 124])
def test_of_two_paths_the_longer_is_asked_first_however_long_both_are(letters: int) -> None:
    start = f"/{'a' * (letters - 1)}"
    for turn in range(9):  # numbers are made of what is said, so a wrong order shows in every other pair
        routes = f"[{{to: web, path: '{start}*'}}, {{to: web, path: '{start}{turn}/*'}}]"
        short, long = read(small(f"site_services: {{web: {{routes: {routes}}}}}")).services["web"].routes
        assert long.priority < short.priority


def test_a_single_path_is_asked_before_a_pattern_that_takes_it_too() -> None:
    start = f"/{'a' * 40}"
    routes = f"[{{to: web, path: '{start}*'}}, {{to: web, path: '{start}b'}}, {{to: web, path: '{start}bc/*'}}]"
    pattern, single, longer = read(small(f"site_services: {{web: {{routes: {routes}}}}}")).services["web"].routes
    assert single.priority < longer.priority < pattern.priority

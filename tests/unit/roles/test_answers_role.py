"""What is asked over HTTPS in the end, and of whom nothing can be asked."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.action.https_answer import Answer, problem_of
from tests.unit.variables_support import evaluate, holds, tasks_of, variables

(TASK,) = tasks_of("roles/answers/tasks/main.yml").values()
WEB = {"containers": {"web": {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}}}


@pytest.mark.parametrize(
    ("services", "asked"),
    [({"web": {**WEB, "routes": [{"to": "web"}]}}, True), ({"web": WEB}, False)],
    ids=["a site with a route", "a site without one"],
)
def test_only_a_site_with_routes_is_asked_and_another_is_told_so(services: dict[str, object], asked: bool) -> None:
    known = variables("roles/answers/vars/main.yml", site_services=services, ansible_check_mode=False)
    assert holds(TASK["when"], known) is asked
    said = evaluate(TASK["name"], known)
    assert said.startswith("See that the site answers over HTTPS")
    assert ("no service has routes" in said) is not asked, "what is skipped says why"


def test_the_path_is_the_sites_own_front_page_unless_it_is_said() -> None:
    task = TASK["https_answer"]
    assert asked()["www.shop.test"]["path"] == "/"
    assert asked(answers_path="/login")["www.shop.test"]["path"] == "/login"
    assert evaluate(task["address"], variables(answers_address="lb.aws")) == "lb.aws"
    assert (
        evaluate(task["address"], variables(answers_address="lb.aws", site_connect_address="127.0.0.1")) == "127.0.0.1"
    )


def asked(*routes: dict[str, Any], **given: Any) -> dict[str, dict[str, Any]]:
    """Name → what the task asks it for."""
    services = {"web": {**WEB, "routes": [{"to": "web"}, *routes]}}
    known = variables("roles/answers/vars/main.yml", site_services=services, **given)
    task = {key: TASK["https_answer"][key] for key in ("name", "path", "below", "redirected_to")}
    items = evaluate(TASK["loop"], known)
    return {item["name"]: evaluate(task, {**known, "item": item}) for item in items}


def evaluated(status: int, location: str = "", **wanted: Any) -> str:
    asks = {"below": 400, "redirected_to": "", "path": "/", "shows": [], "header": "", **wanted}
    return problem_of(Answer(status, location), asks)


def test_each_other_name_must_lead_to_the_first_or_answer_where_a_route_is_for_it() -> None:
    aliases = ["shop.test", "api.shop.test", "*.shop.test"]
    found = asked({"to": "web", "host": "api.shop.test", "path": "/v1/*"}, domain_aliases=aliases)
    assert list(found) == ["www.shop.test", "shop.test", "api.shop.test"], "nobody is called *.shop.test"
    assert [each["redirected_to"] for each in found.values()] == ["", "www.shop.test", ""]
    assert [each["path"] for each in found.values()] == ["/", "/", "/v1/"]
    assert [each["below"] for each in found.values()] == [400, 500, 500]


@pytest.mark.parametrize(
    "location",
    ["", "https://shop.test/", "http://www.shop.test/", "https://www.shop.test/other", "https://[www.shop.test/"],
)
def test_a_name_that_leads_elsewhere_is_no_good_answer(location: str) -> None:
    problem = evaluated(301, location, redirected_to="www.shop.test")
    assert problem.endswith(f"leads to {location or 'nowhere'}, not to https://www.shop.test/")


@pytest.mark.parametrize("port", ["", ":443", ":8443"])
def test_the_port_may_stand_for_another(port: str) -> None:
    assert evaluated(301, f"https://www.shop.test{port}/", redirected_to="www.shop.test") == ""


def test_what_is_below_is_a_good_answer() -> None:
    assert evaluated(302, "https://elsewhere.test/") == ""
    assert evaluated(404) == "it answers with status 404"
    assert evaluated(404, below=500) == ""
    assert evaluated(503, below=500) == "it answers with status 503"

"""What is asked over HTTPS in the end, and of whom nothing can be asked."""

from __future__ import annotations

import pytest

from tests.unit.variables_support import evaluate, holds, tasks_of, variables

(TASK,) = tasks_of("roles/verify/tasks/main.yml").values()
WEB = {"containers": {"web": {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}}}


@pytest.mark.parametrize(
    ("services", "asked"),
    [({"web": {**WEB, "routes": [{"to": "web"}]}}, True), ({"web": WEB}, False)],
    ids=["a site with a route", "a site without one"],
)
def test_only_a_site_with_routes_is_asked_and_another_is_told_so(services: dict[str, object], asked: bool) -> None:
    known = variables("roles/verify/vars/main.yml", site_services=services, ansible_check_mode=False)
    assert holds(TASK["when"], known) is asked
    said = evaluate(TASK["name"], known)
    assert said.startswith("See that the site answers over HTTPS")
    assert ("no service has routes" in said) is not asked, "what is skipped says why"


def test_the_path_is_the_sites_own_front_page_unless_it_is_said() -> None:
    task = TASK["https_answer"]
    assert evaluate(task["path"], variables()) == "/"
    assert evaluate(task["path"], variables(verify_path="/login")) == "/login"
    assert evaluate(task["address"], variables(verify_address="lb.aws")) == "lb.aws"
    assert (
        evaluate(task["address"], variables(verify_address="lb.aws", site_connect_address="127.0.0.1")) == "127.0.0.1"
    )

"""What is wrong with a site's nouns, at the file and line of the very key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_check_variables import VARS, Site

pytestmark = pytest.mark.playbook

RIGHT = """\
host_instance_type: t3.medium
site_services:
  web:
    containers:
      web:
        image: shop/web
        mem_limit: "{{ limit }}"
        ports: ["8000"]
        secrets:
          DB_PASSWORD: database.main.password
    routes:
      - to: web
      - {to: web, path: /api}
site_databases:
  main: {}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.task |= {"site": True, "also_known": ["limit", "host_instance_type", "base"]}
    made.write("group_vars/all/limits.yml", 'limit: 256m\nbase: "{{ nobody }}"\n')
    return made


def test_a_right_site_passes(site: Site) -> None:
    site.prod(RIGHT)
    assert site.check() == [], site.output


def test_each_key_that_is_wrong_is_told_with_its_line_among_the_other_complaints(site: Site) -> None:
    site.prod(
        RIGHT.replace("image: shop/web", "imgae: shop/web")
        .replace("main.password", "mian.password")
        .replace("path: /api", "path: api")
        .replace("main: {}", "main: {engine: mysql}")
        + "network_nat: gatway\n"
    )
    assert site.check() == [
        f"{VARS}:7: site_services.web.containers.web.imgae: is no key of a container. Did you mean image?",
        f"{VARS}:11: site_services.web.containers.web.secrets.DB_PASSWORD: names database.mian, which is no entry of "
        "site_databases. Did you mean main?",
        f"{VARS}:14: site_services.web.routes[1].path: is 'api', no pattern of a path. Write for example /api.",
        f"{VARS}:16: site_databases.main.engine: is mysql: Berth makes PostgreSQL. A mysql that exists is named by "
        "endpoint, port and secret_arn.",
        f"{VARS}:17: network_nat: is 'gatway', must be one of none, gateway. Did you mean gateway?",
    ]


def test_what_a_template_gives_is_told_where_the_template_stands(site: Site) -> None:
    site.prod(RIGHT)
    site.write("group_vars/all/limits.yml", "limit: 256\n")
    (complaint,) = site.check()
    assert complaint.startswith(f"{VARS}:8: site_services.web.containers.web.mem_limit: is ")
    assert "256m" in complaint


def test_a_noun_that_cannot_be_evaluated_is_told_once_and_nothing_that_follows_from_it(site: Site) -> None:
    site.prod(RIGHT.replace("  main: {}", '  main: "{{ nobody }}"'))
    (complaint,) = site.check()
    assert "site_databases: cannot be evaluated: 'nobody' is undefined" in complaint


def test_a_noun_of_a_wrong_shape_is_told_once_though_a_role_s_specification_has_it_too(site: Site) -> None:
    specification = {"site_databases": {"type": "dict", "description": "Databases."}}
    site.write("roles/database/meta/argument_specs.yml", {"argument_specs": {"main": {"options": specification}}})
    site.prod(RIGHT)
    assert site.check() == [], site.output
    site.prod(RIGHT.replace("site_databases:\n  main: {}", "site_databases: [main]"))
    assert site.check() == [f"{VARS}:15: site_databases: is ['main'], must be of type dict."]


def test_what_is_missing_is_told_of_the_file_to_write_it_in(site: Site) -> None:
    site.write("group_vars/all/service.yml", "site_services: {}\n")
    site.prod("host_instance_type: t3.medium\n")
    (complaint,) = site.check()
    assert complaint.startswith(f"{VARS}: site_services: is missing: a site runs something. Write site_services: ")
    site.prod("site_services: {}\n")
    assert site.check()[0].startswith(f"{VARS}:2: site_services: is missing")


def test_a_removed_variable_is_told_beside_what_the_model_says(site: Site) -> None:
    site.task["removed"] = {"host_count": "Write site_hosts: {min: 2}."}
    site.prod(RIGHT + "host_count: 2\n")
    assert site.check() == [f"{VARS}:17: host_count: is not read. Write site_hosts: {{min: 2}}."]
    site.prod(RIGHT + "site_hosts: {min: 2, maxx: 3}\n")
    assert site.check() == [f"{VARS}:17: site_hosts.maxx: is no key of site_hosts. Did you mean max?"]
    site.prod(RIGHT + "site_hosts: {min: 2, max: 3}\n")
    assert site.check() == [], site.output


def test_rules_pass_over_a_noun_that_is_wrong_and_hold_for_one_that_is_right(site: Site) -> None:
    rule = {"variable": "site_services", "that": "site_services | length > 1", "say": "One service is not enough."}
    site.task["rules"] = [rule]
    site.prod(RIGHT)
    assert site.check() == [f"{VARS}:4: site_services: One service is not enough."]
    site.prod(RIGHT.replace("ports:", "port:"))
    assert "One service" not in "\n".join(site.check())


def test_a_rule_about_a_key_of_each_entry_is_told_at_the_line_of_that_key(site: Site) -> None:
    rule = {
        "each": "{{ site_databases | dict2items }}",
        "variable": "site_databases.{{ item.key }}.class",
        "that": "item.value.class | default('db.t3.micro') is not match('db[.]t3')",
        "say": "is not on offer. Write class: {{ item.value.class | default('nothing') }}.",
    }
    site.write("group_vars/all/rules.yml", {"the_rules": [rule]})
    site.task |= {"rules_in": ["the_rules"], "also_known": [*site.task["also_known"], "the_rules"]}
    databases = ["main: {}", "stats: {class: db.m7g.large}", "more:", "  class: db.t3.small"]
    site.prod(RIGHT.replace("main: {}", "\n  ".join(databases)))
    assert site.check() == [
        f"{VARS}:16: site_databases.main.class: is not on offer. Write class: nothing.",
        f"{VARS}:19: site_databases.more.class: is not on offer. Write class: db.t3.small.",
    ]


def test_without_the_option_the_nouns_are_no_variables(site: Site) -> None:
    site.prod(RIGHT)
    site.task["site"] = False
    assert [complaint.split(": ")[1] for complaint in site.check()] == ["site_services", "site_databases"]

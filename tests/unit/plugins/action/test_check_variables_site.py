"""What is wrong with a site's nouns, at the file and line of the very key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.plugins.action.test_check_variables import PROJECT, VARS, Site

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


def test_a_number_that_yaml_misreads_is_told_where_it_stands_with_its_letters(site: Site) -> None:
    """Also one that a template gives, that has an anchor, and that stands in a list."""
    site.task["also_known"] += ["mode"]
    site.write("group_vars/all/mode.yml", "mode: 0644\n")
    given = "environment: {A: &a 0755, B: '{{ mode }}', C: 12:30:45, D: *a, E: 0x1F, F: 1_000}"
    site.prod(RIGHT.replace("image:", f"{given}\n        image:"))
    at = f"{VARS}:7: site_services.web.containers.web.environment"
    assert site.check() == [
        f'{at}.A: is 0755, which YAML reads as 493. Write "0755", in quotes.',
        f'{at}.B: is 0644, which YAML reads as 420. Write "0644", in quotes.',
        f'{at}.C: is 12:30:45, which YAML reads as 45045. Write "12:30:45", in quotes.',
        f'{at}.D: is 0755, which YAML reads as 493. Write "0755", in quotes.',
        f'{at}.E: is 0x1F, which YAML reads as 31. Write "0x1F", in quotes.',
        f'{at}.F: is 1_000, which YAML reads as 1000. Write "1_000", in quotes.',
    ], site.output


def test_a_flag_that_was_a_word_is_told_where_it_stands_with_its_letters(site: Site) -> None:
    """Also with an anchor, on a line of its own, under a name in quotes, and where a mapping is taken over."""
    lines = ["base: &base {G: Yes}", *RIGHT.rstrip().splitlines()]
    given = [
        "        environment:",
        "          COUNTRY: NO",
        "          'B': on # so",
        "          C: &c off",
        "          D:",
        "            True",
        "          E: {from: database.main.host}",
        "          F: true",
        "          <<: *base",
    ]
    place = next(number for number, line in enumerate(lines) if "image:" in line)
    site.task["also_known"] += ["base"]
    site.prod("\n".join([*lines[:place], *given, *lines[place:]]) + "\n")
    at = f"{VARS}:{{}}: site_services.web.containers.web.environment"
    first = place + 3  # behind a line of the fixture's own, and the key
    assert site.check() == [
        f'{at.format(2)}.G: is Yes, which YAML reads as true. Write "Yes", in quotes.',
        f'{at.format(first)}.COUNTRY: is NO, which YAML reads as false. Write "NO", in quotes.',
        f'{at.format(first + 1)}.B: is on, which YAML reads as true. Write "on", in quotes.',
        f'{at.format(first + 2)}.C: is off, which YAML reads as false. Write "off", in quotes.',
        f'{at.format(first + 3)}.D: is True, which YAML reads as true. Write "True", in quotes.',
    ], site.output


def test_a_flag_that_is_meant_passes(site: Site) -> None:
    """So does one that a template gives, or whose tag says so; and where no text is wanted, any spelling does."""
    site.task["also_known"] += ["debug"]
    site.write("group_vars/all/debug.yml", "debug: yes\n")
    given = "environment: {A: true, B: false, C: '{{ debug }}', D: !!bool yes, E: 'yes'}"
    site.prod(RIGHT.replace("image:", f"{given}\n        read_only: yes\n        image:"))
    assert site.check() == [], site.output


def test_a_number_that_is_written_as_it_is_read_passes(site: Site) -> None:
    """So does one that is no text, that a template calculates, or whose tag says that it is meant."""
    given = "environment: {A: '0755', B: 755, C: -1, D: 0, E: '{{ 0x1F }}', F: !!int '010'}"
    site.prod(RIGHT.replace("image:", f"{given}\n        cpu_shares: 0x100\n        image:"))
    assert site.check() == [], site.output


PATCHED = """\
host_instance_type: t3.medium
site_services:
  web:
    containers: {web: {image: shop/web, mem_limit: 128m, volumes: ["media:/srv"]}}
    patch: {TaskDefinition.PidMode: host}
site_jobs:
  nightly:
    image: shop/web
    mem_limit: 128m
    run: by_hand
    command: serve
    patch: {TaskDefinition.PidMode: host}
site_volumes:
  media:
    patch: {FileSystem.ThroughputMode: elastic}
site_databases:
  main:
    patch: {Database.MonitoringInterval: 0}
site_buckets:
  uploads:
    patch: {Bucket.ObjectLockEnabled: false}
site_secrets:
  key:
    generate: [a]
    patch: {Secret.KmsKeyId: alias/mine}
site_tables:
  items:
    partition_key: id
    patch: {Table.TableClass: STANDARD}
site_functions:
  hello:
    code: functions/hello
    handler: app.handler
    runtime: python3.13
    routes: $default
    patch: {Function.Architectures: [arm64]}
site_static:
  front:
    folder: front/dist
    patch: {Files.ObjectLockEnabled: false}
"""
"""A patch of an entry of each noun."""
PATCHES = [number for number, line in enumerate(PATCHED.splitlines(), start=2) if "patch:" in line]


@pytest.fixture
def templates(site: Site) -> Site:
    """With the roles of the project, whose templates are looked at, but not their other variables."""
    site.task |= {"roles_directory": str(PROJECT / "roles"), "roles": [], "rules": []}
    site.task["also_known"] += ["site_url"]
    identity = {"site_name": "shop", "environment_name": "prod", "domain_name": "www.acme.io"}
    shared = {"aws_region": "eu-west-1", "log_mode": "blocking", "alarms_subscribers": []}
    site.write("group_vars/all/identity.yml", identity | shared)
    return site


def test_a_patch_that_leads_nowhere_is_told_with_the_resources_that_there_are(templates: Site) -> None:
    templates.prod(PATCHED)
    assert templates.check() == [], templates.output
    templates.prod(PATCHED.replace("patch: {", "patch: {Nope.X: 1, "))
    told = templates.check()
    assert [complaint.split(": ")[0] for complaint in told] == [f"{VARS}:{line}" for line in PATCHES], told
    assert told[0].startswith(
        f"{VARS}:6: site_services.web.patch.Nope.X: leads nowhere in the template of service.web; it has the resources "
        "LogGroup, "
    )
    for complaint in told:
        assert ".patch.Nope.X: leads nowhere in the template of " in complaint


def test_a_patch_that_leads_to_no_container_is_told_beside_another_that_leads_nowhere(templates: Site) -> None:
    wrong = "patch: {TaskDefinition.ContainerDefinitions.wbe.StartTimeout: 60, Sevice.X: 1"
    templates.prod(PATCHED.replace("patch: {TaskDefinition.PidMode: host", wrong, 1))
    assert [complaint.split(": ")[1] for complaint in templates.check()] == [
        "site_services.web.patch.Sevice.X",
        "site_services.web.patch.TaskDefinition.ContainerDefinitions.wbe.StartTimeout",
    ], templates.output


WEB = "mem_limit: 128m, "
WEB_PATCH = "    patch: {TaskDefinition.PidMode: host}\n"
MANY = ", ".join(f"A{each}: {each}" for each in range(1_000))


@pytest.mark.parametrize(
    ("variables", "patch"), [(MANY, ""), (f"A: {'b' * 48_000}", WEB_PATCH)], ids=["by many words", "patched"]
)
def test_a_template_that_no_call_can_carry_is_told_of_its_entry(templates: Site, variables: str, patch: str) -> None:
    right = PATCHED.replace(WEB_PATCH, patch, 1)
    templates.prod(right.replace(WEB, f"{WEB}environment: {{{variables}}}, ", 1))
    (complaint,) = templates.check()
    assert complaint.startswith(f"{VARS}:4: site_services.web: makes a template of "), complaint
    assert "bytes, and CloudFormation takes 51200. Put what is long" in complaint
    templates.prod(right.replace(WEB, f"{WEB}environment: {{{variables[:2000]}}}, ", 1))
    assert templates.check() == [], templates.output


def test_no_template_is_rendered_where_none_can_be_wrong(templates: Site) -> None:
    """It would be told that one cannot be."""
    templates.write("group_vars/all/log.yml", 'log_buffer_size: "{{ nobody }}"\nlog_mode: non-blocking\n')
    templates.prod(PATCHED.replace("    patch:", "    #"))
    assert templates.check() == [], templates.output
    templates.prod(PATCHED)
    templates.run()
    assert "templates of the site: " in templates.output
    assert "'nobody' is undefined" in templates.output

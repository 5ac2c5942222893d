"""Everything that is wrong with an inventory, in one answer, each with its place and what to type."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.action.check_variables import shape_problems

pytestmark = pytest.mark.playbook

PROJECT = Path(__file__).resolve().parents[4]

SPECIFICATION = {
    "network_nat": {"type": "str", "choices": ["none", "gateway"], "description": "NAT."},
    "network_cidr": {"type": "str", "required": True, "description": "Addresses of the VPC."},
    "host_volume_gb": {"type": "int", "description": "Disk."},
    "host_instance_type": {"type": "str", "description": "Type."},
    "host_launch_source": {
        "type": "str",
        "choices": ["launch_configuration", "launch_template"],
        "description": "Source.",
    },
    "host_admin_cidrs": {"type": "list", "elements": "str", "description": "Networks."},
    "admin_password": {"type": "int", "no_log": True, "description": "Secret."},
    "site_url": {"type": "str", "description": "Address."},
}
DEFAULTS = {
    "network_nat": "none",
    "host_volume_gb": 1,
    "host_instance_type": "m7i.large",
    "host_launch_source": "launch_template",
    "site_url": "https://example.org",
}
RULES = [
    {
        "variable": "host_launch_source",
        "that": "host_launch_source != 'launch_configuration' or host_instance_type != 'm7i.large'",
        "say": "knows no such type. Set host_launch_source: launch_template, or an older type.",
    },
    {
        "variable": "host_volume_gb",
        "that": "host_volume_gb | int >= 1",
        "say": "A disk has room. Set host_volume_gb: 1.",
    },
    {"variable": "site_url", "that": "site_url is match('^https://')", "say": "Set site_url: https://<name>."},
]


class Site:
    """A small project: one role, defaults for all, two environments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.task: dict[str, Any] = {"rules": RULES, "removed": {"host_type": "Set host_instance_type."}}
        self.write("roles/network/meta/argument_specs.yml", {"argument_specs": {"main": {"options": SPECIFICATION}}})
        self.write("group_vars/all/site.yml", DEFAULTS)
        for name in ("prod", "local"):
            local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
            hosts = {"site": {"hosts": {"localhost": local}, "children": {"ecs_hosts": {}}}}
            self.write(f"inventories/{name}/hosts.yml", hosts)
            self.write(f"inventories/{name}/group_vars/site.yml", {"network_cidr": "10.0.0.0/16"})

    def write(self, path: str, content: Any) -> None:
        """Write a file of the project, as YAML unless it is text."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))

    def prod(self, text: str) -> None:
        """Write the variables of prod, below its network_cidr."""
        self.write("inventories/prod/group_vars/site.yml", f"network_cidr: 10.0.0.0/16\n{text}")

    def run(self, *options: str) -> int:
        """Run the check with `-i prod` (or other options), keep what it printed, return its exit code."""
        folders = {"roles_directory": "roles", "inventories_directory": "inventories", "group_vars": "group_vars"}
        task = {name: str(self.folder / folder) for name, folder in folders.items()} | self.task
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"check_variables": task}]}
        self.write("site.yml", [play])
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "ansible-playbook"),
                "site.yml",
                *(options or ("-i", "inventories/prod")),
            ],
            env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    def check(self, *options: str) -> list[str]:
        """The complaints about `-i prod` (or other options); none if the run went through."""
        if self.run(*options) == 0:
            return []
        *shown, explained = self.output.split("msg: |-\n")[1].split("\n\n")[0].splitlines()
        assert explained.startswith("See docs/troubleshooting.md#"), self.output
        lines = [line.strip() for line in shown]
        assert lines[0].endswith("wrong with this inventory; nothing was done."), self.output
        return lines[1:]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


VARS = "inventories/prod/group_vars/site.yml"


def test_a_right_inventory_passes(site: Site) -> None:
    assert site.check() == [], site.output


def test_everything_is_said_at_once_sorted_with_place_and_cure(site: Site) -> None:
    site.prod(
        "network_nat: gatway\n"
        "host_launch_source: launch_configuration\n"
        "host_volumes_gb: 3\n"
        "host_type: t2.micro\n"
        "host_admin_cidrs: {a: b}\n"
        "site_url: http://example.org\n"
    )
    site.write("inventories/prod/group_vars/siet.yml", {"host_volume_gb": 2})
    assert site.check("-i", "inventories/prod", "-e", "relaese=3") == [
        "-e: relaese: is not a variable of this project.",
        "inventories/prod/group_vars/siet.yml: siet: belongs to no group of this inventory, so nobody reads it. "
        "Did you mean site?",
        f"{VARS}:2: network_nat: is 'gatway', must be one of none, gateway. Did you mean gateway?",
        f"{VARS}:3: host_launch_source: knows no such type. Set host_launch_source: launch_template, or an older type.",
        f"{VARS}:4: host_volumes_gb: is not a variable of this project. Did you mean host_volume_gb?",
        f"{VARS}:5: host_type: is not read. Set host_instance_type.",
        f"{VARS}:6: host_admin_cidrs: is {{'a': 'b'}}, must be of type list.",
        f"{VARS}:7: site_url: Set site_url: https://<name>.",
    ]


@pytest.mark.parametrize("value", ["''", "null", "[]"])
def test_required_but_empty_is_missing(site: Site, value: str) -> None:
    site.write(VARS, f"network_cidr: {value}\n")
    assert site.check()[0].endswith(
        f"network_cidr: is missing. It is: Addresses of the VPC. Set network_cidr: … in {VARS}."
    )


def test_missing_says_where_to_set_it_and_its_consequences_are_not_said(site: Site) -> None:
    site.write(VARS, 'site_url: "https://{{ network_cidr }}"\n')
    site.task["rules"] = [*RULES, {"variable": "host_volume_gb", "that": "network_cidr != ''", "say": "Not said."}]
    assert site.check() == [f"network_cidr: is missing. It is: Addresses of the VPC. Set network_cidr: … in {VARS}."], (
        site.output
    )


def test_a_default_made_of_what_has_a_wrong_shape_is_not_told_too(site: Site) -> None:
    """Also by way of another, and through a filter of Ansible's own."""
    made = {"site_url": "https://{{ made }}", "made": "{{ host_admin_cidrs | map('upper') | first | hash('sha1') }}"}
    site.write("group_vars/all/made.yml", made)
    site.task["also_known"] = ["made"]
    site.prod("host_admin_cidrs: [a]\n")
    assert site.check() == [], site.output
    site.prod("host_admin_cidrs: 5\n")
    assert site.check() == [f"{VARS}:2: host_admin_cidrs: is 5, must be of type list. Write host_admin_cidrs: [5]."], (
        site.output
    )


@pytest.mark.parametrize(
    ("option", "wrong", "says", "right"),
    [
        ({"type": "list", "elements": "str"}, [{"role": "a"}], "x: has at place 1 what is no text", ["a"]),
        ({"type": "list", "elements": "str"}, ["a", ["b"]], "x: has at place 2 what is no text", ["a", 5]),
        ({"type": "list", "elements": "dict"}, date(2026, 1, 2), "x: is 2026-01-02, must be of type list", [{"a": 1}]),
        ({"type": "dict"}, date(2026, 1, 2), "x: is 2026-01-02, must be of type dict", {"a": 1}),
    ],
)
def test_what_ansible_would_convert_or_end_at_is_told(
    option: dict[str, Any], wrong: object, says: str, right: object
) -> None:
    (sentence,) = shape_problems("x", option, wrong)
    assert f"x: {sentence}".startswith(says)
    assert shape_problems("x", option, right) == []


def test_what_cannot_be_evaluated_is_said_once(site: Site) -> None:
    site.prod('site_url: "https://{{ nobody }}"\n')
    (complaint,) = site.check()
    assert complaint.startswith(f"{VARS}:2: site_url: cannot be evaluated: ")
    assert "'nobody' is undefined" in complaint


BROKEN = [
    ({"that": "not_there > 1", "say": "Not said."}, "'not_there' is undefined"),
    (
        {"that": "[host_volume_gb] | reject('is_network') | length == 0", "say": "Not said."},
        "No test named 'is_network'",
    ),
    ({"that": "host_volume_gb is", "say": "Not said."}, "Syntax error"),
    ({"that": "host_volume_gb > 1", "say": "Set {{ not_there }}."}, "'not_there' is undefined"),
]
"""A rule's condition or sentence that cannot be evaluated, and a part of the reason."""


@pytest.mark.parametrize(("rule", "reason"), BROKEN, ids=["undefined", "no test", "syntax", "sentence"])
def test_a_rule_that_cannot_be_judged_is_a_defect_of_berth(site: Site, rule: dict[str, str], reason: str) -> None:
    site.task |= {"rules_in": "the_rules", "also_known": ["the_rules"]}
    site.write("group_vars/all/rules.yml", {"the_rules": [{"variable": "host_volume_gb", **rule}]})
    site.run()
    assert "A rule of Berth itself is broken; nothing was done." in site.output
    assert "rule on host_volume_gb (" in site.output
    assert reason in site.output
    assert "This is a defect of Berth, not of your inventory: report it" in site.output
    assert "wrong with this inventory" not in site.output
    assert "Not said." not in site.output


def test_a_defect_does_not_hide_what_is_wrong_with_the_inventory(site: Site) -> None:
    site.prod("site_url: http://example.org\n")
    site.task["rules"] = [*RULES, {"variable": "host_volume_gb", "that": "not_there > 1", "say": "Not said."}]
    site.run()
    assert "1 thing is wrong with this inventory; nothing was done." in site.output
    assert f"{VARS}:2: site_url: Set site_url: https://<name>." in site.output
    assert "rule on host_volume_gb (not_there > 1): " in site.output
    assert "'not_there' is undefined" in site.output


def test_a_rule_over_what_a_wrong_variable_makes_is_no_defect(site: Site) -> None:
    """`made` is nobody's option; its value cannot be evaluated because of network_cidr's."""
    site.write(VARS, 'network_cidr: "{{ nobody }}"\n')
    site.write("group_vars/all/made.yml", 'made: "{{ {1: network_cidr} }}"\n')
    site.task["also_known"] = ["made"]
    site.task["rules"] = [*RULES, {"variable": "host_volume_gb", "that": "made | length == 1", "say": "Not said."}]
    (complaint,) = site.check()
    assert "network_cidr: cannot be evaluated: 'nobody' is undefined" in complaint


def test_a_sentence_is_rendered_only_where_it_is_said(site: Site) -> None:
    rule = {
        "variable": "host_volume_gb",
        "that": "host_volume_gb == 1",
        "say": "Not {{ not_there }}, but {{ host_volume_gb }}.",
    }
    site.write("group_vars/all/rules.yml", {"the_rules": [rule]})
    site.task |= {"rules_in": "the_rules", "also_known": ["the_rules"]}
    assert site.check() == [], site.output
    rule["say"] = "One GiB, not {{ host_volume_gb }}."
    site.write("group_vars/all/rules.yml", {"the_rules": [rule]})
    site.prod("host_volume_gb: 2\n")
    assert site.check() == [f"{VARS}:2: host_volume_gb: One GiB, not 2."]


def test_a_secret_is_not_shown(site: Site) -> None:
    site.prod("admin_password: geheim\n")
    (complaint,) = site.check()
    assert "admin_password: is not what it should be (int). Its value is not shown." in complaint
    assert "geheim" not in site.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "no environment was named (local or prod). Type: ansible-playbook site.yml -i local"),
        (("-i", "inventories/prod", "-i", "inventories/local"), "local and prod at once"),
    ],
)
def test_exactly_one_environment(site: Site, options: tuple[str, ...], sentence: str) -> None:
    site.write(VARS, "network_nat: wrong\n")
    (complaint,) = site.check(*(options or ("--check",)))
    assert sentence in complaint


def test_what_environments_are_copied_from_is_none_to_choose(site: Site) -> None:
    site.write("inventories/new/group_vars/new.yml", {"network_cidr": "10.0.0.0/16"})
    (complaint,) = site.check("--check")
    assert "no environment was named (local or prod). Type: ansible-playbook site.yml -i local" in complaint


def test_misspelt_keys_of_the_hosts_file(site: Site) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    site.write("inventories/prod/hosts.yml", {"site": {"hosts": {"localhost": local}, "chidren": {"ecs_hosts": {}}}})
    (complaint,) = site.check()
    assert "hosts.yml:2: chidren: is no key of group site" in complaint
    assert "Did you mean children?" in complaint


def test_files_that_ansible_passes_over(site: Site) -> None:
    site.write("inventories/prod/group_vars/prod/more.yaml.txt", "host_volume_gb: 0")
    site.write("inventories/prod/host_vars/lokalhost.yml", {"host_volume_gb": 0})
    text = "\n".join(site.check())
    assert "more.yaml.txt: is no file that Ansible reads variables from" in text
    assert "lokalhost: belongs to no host of this inventory, so nobody reads it. Did you mean localhost?" in text


def test_names_in_the_defaults_of_all_environments_are_checked(site: Site) -> None:
    site.write("group_vars/all/more.yml", "network_natt: none\n")
    (complaint,) = site.check()
    assert complaint == (
        "group_vars/all/more.yml:1: network_natt: is not a variable of this project. Did you mean network_nat?"
    )


def test_names_that_need_no_specification(site: Site) -> None:
    site.task["also_known"] = ["release"]
    site.prod("vault_admin_password: 1\n_helper: 1\nansible_user: x\n")
    assert site.check("-i", "inventories/prod", "-e", "release=1") == [], site.output


def test_an_inventory_that_does_not_say_which_site_it_is(site: Site) -> None:
    site.task["identity"] = ["site_name", "aws_region"]
    (complaint,) = site.check()
    assert complaint.startswith("-i: nothing says site_name, aws_region: the inventory needs a file of the inventory")
    site.prod("site_name: shop\naws_region: eu-west-1\n")
    assert "nothing says" not in "\n".join(site.check())

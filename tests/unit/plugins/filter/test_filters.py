"""Filters as templates call them, by their names, through Ansible."""

from __future__ import annotations

import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from plugins.filter import containers, domains, durations, functions, images, networks, typed
from plugins.plugin_utils import deployer, function_code

PROJECT = Path(__file__).resolve().parents[4]


CALLS: dict[str, Any] = {
    "{'web': {'containers': {'app': {}, 'nginx': {}}}} | container_names": ["web.app", "web.nginx"],
    "{'web': {'containers': {'app': {}}}, 'worker': {'containers': {'app': {}}}} | container_names('worker')": [
        "worker.app"
    ],
    "{'web': {'containers': {'app': {}}}} | container_obvious({})": "web.app",
    "'{}' | variables_typed('env')": {},
    "['web.app', 'job.app', 'app.web'] | containers_called('app')": ["web.app", "job.app"],
    "{} | volume_writers('media')": [],
    "{'web': {'containers': [{'Name': 'app'}, {'Name': 'nginx'}]}} | containers_each": {"web": ["app", "nginx"]},
    "'ap' | nearest(['web', 'app'])": "app",
    "'anonymise' | anonymise_problems({'anonymise': {'run': 'by_hand'}})": [],
    "{'site_volumes': {'media': {'file_system_id': 'fs-1'}}} | data_that_exists": ["site_volumes.media.file_system_id"],
    "'site.yml' | shown": "site.yml",
    "{'folder': ''} | static_problem": "",
    "'https://Shop.example/' | domain_suggestion": "shop.example",
    "'1h30m' | go_seconds": 5400.0,
    "'/shop/code' | code_folder('/nowhere')": "/shop/code",
    "{'code': ''} | code_problem": "",
    "{'handler': ''} | handler_problem": "",
    "{'runtime': 'python3.13'} | runtime_refusal('2026-01-01')": "",
    "{'runtime': 'python3.13'} | runtime_warning('2026-01-01')": "",
    "{'front': '0f'} | static_facts({})": {"front": {"bucket": "", "release": "0f"}},
    "{'static': {'front': {'release': '0f'}}} | static_back({'front': {}})": {"front": "0f"},
    "[] | kept_static('front', 5)": [],
    "{} | functions_code('', {}, {}, false)": {},
    "{} | functions_live('shop')": {},
    "{'function.f.FunctionCodeKey': '0a.zip', 'ClusterName': 'c'} | code_facts": {"f": "0a.zip"},
    "{'code': {'f': '0a.zip', 'gone': '0b.zip'}} | code_back({'f': {}})": {"f": "0a.zip"},
    "{} | code_left('', {})": [],
    "['i-1'] | host_labels('')": {"i-1": "a"},
    "{} | image_pushes([], {}, 'shop')": [],
    "{} | image_ports": [],
    "{} | kept_images([], 5)": [],
    "{} | services_released({})": {},
    "{'web': {'release': '1a'}} | release_name": "1a",
    "['migrate'] | jobs_due({}, {})": ["migrate"],
    "[] | jobs_ran({})": {},
    "{'job.a.TaskDefinitionArn': 'td', 'job.a.JobName': 'a'} | task_definitions": ["td"],
    "'shop' | deployer_looking": deployer.looking("shop"),
    "'shop' | deployer_releasing('prod')": deployer.releasing("shop", "prod"),
    "{'a': {}} | read_by_edge('static', {}, 'Files', 'FilesPolicy')": {"a": {}},
    "'site.yml' | verb('live')": "ansible-playbook site.yml -i live",
    "'10.0.0.0/16' | prefix_length": 16,
    "'10.0.0.0/16' | overlaps('10.0.1.0/24')": True,
    "[{'to': 'web', 'port': 80}] | route_targets": [
        {"key": "web:80", "container": "web", "port": 80, "health": "/", "id": "web"}
    ],
    "'t4g.micro' | is_arm": True,
    "'m8g.large' | is_newer_than_2022": True,
    "'ada' | access_problems": ["is no list of people."],
    "'id' | typed('command', [])": "id",
    "['echo', 'a b'] | typed('command', [])": "echo 'a b'",
    "'echo \"a b\"' | words": ["echo", "a b"],
    "{} | images_called": {},
    "{'web': ['shop/web']} | images_released({}, {}, ['web'])": ["shop/web"],
    "{'migrate': {'like': 'web.web'}} | job_owners({'web': []})": {"migrate": "web"},
    "{'web': {'name': 'a'}} | release_runs({}, {})": {"service.web": {"images": {}, "release": "a"}},
    "{'web': {'release': 'a'}} | release_facts({'web': {}}, {}, [])": {
        "web": {"task_definition": None, "release": "a", "images": None}
    },
    "[] | release_conflict('a', {}, {})": [],
    "{'services': {'web': {'release': 'a'}}} | rollback_again({'web': []})": {"web": {"images": {}, "name": "a"}},
    "[] | rollback_choice({})": {
        "entry": {},
        "refusal": "There is no older good release to go back to.",
        "left": [],
        "passed": [],
        "migrations": [],
        "code": {},
    },
    "{} | hook_problems({})": [],
    "{} | release_shown_problems": [],
    "'' | gzip_base64": "H4sIAAAAAAAC/wMAAAAAAAAAAAA=",
}
"""A call of each filter, and what it gives: in one test, as Ansible reads all files when it needs the first filter."""


def test_templates_find_each_filter_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(PROJECT)
    with warnings.catch_warnings(action="ignore"):  # another module may have done it
        init_plugin_loader()
    (tmp_path / "app.py").write_text("")
    templar = Templar(loader=DataLoader(), variables={"folder": str(tmp_path)})
    calls = {**CALLS, "folder | code_key": function_code.key(tmp_path)}
    assert {call: templar.template(trust_as_template(f"{{{{ {call} }}}}")) for call in calls} == calls


def test_each_filter_has_a_call_here() -> None:
    paths = (path for path in (PROJECT / "plugins/filter").glob("*.py") if path.name != "__init__.py")
    given = {name for path in paths for name in runpy.run_path(str(path))["FilterModule"]().filters()}
    assert given == {call.rpartition("| ")[2].partition("(")[0] for call in CALLS} | {"code_key"}


@pytest.mark.parametrize("name", ["functions", "inventories"])
def test_a_filter_finds_the_project_wherever_ansible_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible loads the file by its path; the project is on nobody's path."""
    monkeypatch.setattr(sys, "path", [each for each in sys.path if Path(each).resolve() != PROJECT])
    for _ in range(2):
        runpy.run_path(str(PROJECT / "plugins/filter" / f"{name}.py"))
        assert sys.path.count(str(PROJECT)) == 1


SERVICES: dict[str, Any] = {
    "web": {
        "containers": [
            {"Name": "app", "Image": "shop/app:1", "MountPoints": [
                {"SourceVolume": "media", "ContainerPath": "/srv/media", "ReadOnly": False},
                {"SourceVolume": "static", "ContainerPath": "/srv/static", "ReadOnly": False},
            ]},
            {"Name": "nginx", "Image": "nginx:1", "MountPoints": [
                {"SourceVolume": "media", "ContainerPath": "/usr/share/media", "ReadOnly": True},
            ]},
            {"Name": "cache", "Image": "redis:7"},
        ],
        "routes": [{"to": "nginx", "port": 80}, {"to": "nginx", "port": 80}, {"to": "app", "port": 8000}],
        "expose": {"container": "cache", "container_port": 6379},
    },
    "worker": {"containers": [{"Name": "app", "Image": "shop/app:1"}], "routes": [], "expose": None},
}  # fmt: skip


def test_who_writes_to_a_volume() -> None:
    writer = {"task": "web", "container": "web.app", "path": "/srv/media"}
    assert containers.volume_writers(SERVICES, "media") == [writer]
    assert containers.volume_writers(SERVICES, "nothing") == []


@pytest.mark.parametrize(
    ("called", "meant"),
    [("app", ["web.app", "worker.app"]), ("web.app", ["web.app"]), ("web", []), ("nginx", ["web.nginx"])],
)
def test_a_container_is_called_by_its_name_or_with_its_service_s(called: str, meant: list[str]) -> None:
    assert containers.containers_called(["web.app", "web.nginx", "worker.app"], called) == meant


def test_who_is_asked_on_which_port_is_told_once() -> None:
    assert images.image_ports(SERVICES) == [
        {"image": "nginx:1", "container": "web.nginx", "port": 80},
        {"image": "shop/app:1", "container": "web.app", "port": 8000},
        {"image": "redis:7", "container": "web.cache", "port": 6379},
    ]


def test_what_is_pushed_is_tagged_by_its_content() -> None:
    entries = {"app": {"written": ["shop/app:1", "shop/app:2", "shop/app:3", "shop/app:4"]}}
    contents = {"shop/app:1": f"sha256:{'0123456789ab' * 5}cdef", "shop/app:2": "fedcba9876543210", "shop/app:4": "ab"}
    assert images.image_pushes(entries, ["shop/app:1", "shop/app:2", "shop/app:3"], contents, "shop-live") == [
        {"image": "shop/app:1", "repository": "shop-live/app", "tag": "0123456789ab"},
        {"image": "shop/app:2", "repository": "shop-live/app", "tag": "fedcba987654"},
    ]


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [
        ("https://www.Acme.io/shop?a=b", "www.acme.io"),
        (" acme.io. ", "acme.io"),
        ("acme.io:8080", "acme.io"),
        ("größe.example", "xn--gre-6ka8i.example"),
        ("\uff41cme.io", "acme.io"),  # a letter as wide as those of Japanese
        ("acme.at", "acme.at"),
        ("a-b.c1.example", "a-b.c1.example"),
        ("acme", "www.example.org"),
        ("acme.4", "www.example.org"),
        ("-acme.io", "www.example.org"),
        ("", "www.example.org"),
        (None, "www.example.org"),
        ("http://[acme.io", "www.example.org"),
        ("a b.example", "www.example.org"),
    ],
)
def test_what_a_person_meant_by_a_domain(given: object, suggestion: str) -> None:
    assert domains.domain_suggestion(given) == suggestion


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1ns", 1e-9), ("1us", 1e-6), ("1µs", 1e-6), ("1ms", 1e-3), ("1s", 1.0), ("1m", 60.0), ("1h", 3600.0),
        ("1h1m1s", 3661.0), ("1.s", 1.0), ("1.25m", 75.0), (".", -1.0), ("s", -1.0), ("1d", -1.0), ("-1s", -1.0),
        (5, -1.0), ("", -1.0),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_go_does(text: object, seconds: float) -> None:
    assert durations.go_seconds(text) == seconds


@pytest.mark.parametrize(
    ("cidr", "length", "overlaps"),
    [
        ("10.0.0.0/16", 16, True),
        ("10.0.1.128/25", 25, True),
        ("10.0.2.0/24", 24, False),
        ("10.0.1.1/24", 0, False),  # host bits
        ("10.0.1.0", 0, False),
        ("10.0.1.0/33", 0, False),
        (None, 0, False),
    ],
)
def test_what_rules_ask_of_a_network(cidr: object, length: int, overlaps: bool) -> None:
    assert networks.prefix_length(cidr) == length
    assert networks.overlaps(cidr, "10.0.1.0/24") is overlaps


def test_the_words_of_a_command_are_the_shell_s() -> None:
    assert typed.words("sh -c 'echo $HOME'") == ["sh", "-c", "echo $HOME"]
    with pytest.raises(AnsibleFilterError, match=r"is no command: No closing quotation\. Close the quote"):
        typed.words("sh -c 'echo")


@pytest.mark.parametrize(
    ("runtime", "file", "handler", "said"),
    [
        ("python3.13", "app.py", "app.handler", ""),
        ("python3.13", "shop/app.py", "shop.app.handler", ""),
        ("python3.13", "shop/app.py", "shop/app.handler", ""),
        ("python3.13", "app.js", "app.handler", "so code has to have app.py."),
        ("python3.13", "app.py", "app.", "must be a file of code and a function in it"),
        ("python3.13", "app.py", "app", "must be a file of code and a function in it"),
        ("python3.13", "app.py", "", ""),  # the model tells
        ("nodejs22.x", "index.js", "index.handler", ""),
        ("nodejs22.x", "index.mjs", "index.handler", ""),
        ("nodejs22.x", "index.cjs", "index.handler", ""),
        ("nodejs22.x", "a/b.js", "a.b.handler", "so code has to have a.b.js or a.b.mjs or a.b.cjs."),
        ("ruby3.4", "app.rb", "app.handler", ""),
        ("java21", "app.jar", "shop.App::handle", ""),  # it names a class
    ],
)
def test_a_handler_is_a_function_in_a_file(tmp_path: Path, runtime: str, file: str, handler: str, said: str) -> None:
    (tmp_path / "code" / file).parent.mkdir(parents=True)
    (tmp_path / "code" / file).write_text("")
    problem = functions.handler_problem({"code": "code", "handler": handler, "runtime": runtime}, str(tmp_path))
    assert said in problem
    assert bool(said) == bool(problem)


def test_a_runtime_that_nobody_knows_is_warned_of_on_no_day() -> None:
    for judge in (functions.runtime_refusal, functions.runtime_warning):
        assert judge({"runtime": "provided.al2023"}) == judge({"runtime": 5}) == judge("runtime") == ""


@pytest.mark.parametrize(
    ("jobs", "service", "meant"),
    [
        ({}, "", ""),
        ({}, "one", "one.app"),
        ({"a": {"like": "web.app"}}, "", "web.app"),
        ({"a": {"like": "web.app"}, "b": {"like": "web.app"}}, "web", "web.app"),
        ({"a": {"like": "web.app"}, "b": {"like": "one.app"}}, "", ""),
        ({"a": {"like": "one.app"}, "b": {"like": "web.app", "run": "before_release"}}, "", "web.app"),
        ({"a": {"like": "one.app", "run": "before_release"}, "b": {"like": "web.proxy"}}, "web", "web.proxy"),
        ({"a": {"image": "x"}}, "", ""),
        ({"a": {"like": "gone.app"}}, "web", ""),
    ],
)
def test_a_container_is_obvious_that_everybody_would_take(jobs: Any, service: str, meant: str) -> None:
    services: Any = {"web": {"containers": {"proxy": {}, "app": {}}}, "one": {"containers": {"app": {}}}}
    assert containers.container_obvious(services, jobs, service) == meant

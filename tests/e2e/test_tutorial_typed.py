"""docs/tutorial.md, followed to the letter by somebody who has a copy of the project: each file that the page shows is
written from the page, each command is typed in bash as it stands, and what the page promises is looked at.

The page's site stands on the embedded AWS `local`, which is a person's: with one of that name about, the test fails
and says so. `make setup`, which the page begins with, has been typed before any test is run. What wants an AWS account
is left out by a mark on the page; tests/unit/docs/test_tutorial.py knows where such marks may stand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import docker
import pytest
import yaml
from botocore.config import Config as BotoConfig

from local_aws.config import CONFIGS, LABEL, PROJECT
from local_aws.tests.until import until
from tests.e2e.conftest import RECAP, engine_state
from tests.e2e.test_examples import Visitor, _localhost
from tests.tutorial import Shown, of_the_page

__all__ = ["_localhost"]  # names below localhost lead here, in this module too

pytestmark = [pytest.mark.docker, pytest.mark.long]

LOCAL = CONFIGS["local"]
TOP = (".git", ".venv", ".cache", ".local_aws", ".ansible", ".mypy_cache", ".ruff_cache", ".pytest_cache")
"""What a checkout has besides the project."""
MINUTES = 25
"""For one command: the first start of an embedded AWS builds images."""
IMAGE = re.compile(r"^(django-rds/django:\w{12}) \(\d+ MB\), also django-rds/django:latest$", re.MULTILINE)
TEMPLATE = "examples/django_rds/django/items/templates/registration/login.html"
SECOND = "<p>The second release.</p>"
"""What is new in the image that the page releases."""


@dataclass
class Person:
    """Somebody with a copy of the project.

    Attributes:
        folder: the copy.
        images: those that were built, in their order.
        typed: how often each command was typed.
    """

    folder: Path
    images: list[str] = field(default_factory=list)
    typed: dict[str, int] = field(default_factory=dict)

    def types(self, command: str) -> str:
        """Type a command in the folder; what it printed, if it went well."""
        clean = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("AWS_", "ANSIBLE_", "BERTH_", "PYTHON"))
        }
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=clean | {"PATH": f"{PROJECT}/.venv/bin:{clean['PATH']}", "NO_COLOR": "1"}, timeout=MINUTES * 60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        self.typed[command] = self.typed.get(command, 0) + 1
        return done.stdout

    def client(self, service: str) -> Any:
        """As the page says: with the endpoint and the keys that stand in the inventory."""
        settings = yaml.safe_load((self.folder / "examples/django_rds/local/environment.yml").read_text())
        given = settings["set"]
        return boto3.Session(
            given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"], region_name=settings["aws_region"]
        ).client(service, endpoint_url=given["AWS_ENDPOINT_URL"], config=BotoConfig(proxies={}))

    def visitor(self) -> Visitor:
        """With a browser that knows the local authority, at the address of the page."""
        address = re.search(r"<(https://shop\S+)/>", (self.folder / "docs/tutorial.md").read_text())
        assert address
        visitor = Visitor(address[1])
        visitor.session.verify = str(self.folder / ".local_aws/local/ca/ca.pem")
        return visitor

    def tasks(self, family: str) -> list[dict[str, Any]]:
        """The tasks of a family, also those that have ended; the oldest first."""
        ecs, cluster = self.client("ecs"), "shop-local"
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=cluster, desiredStatus=status)["taskArns"]
        ]
        found = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        mine = [each for each in found if each["taskDefinitionArn"].rsplit("/", 1)[-1].startswith(f"{family}:")]
        return sorted(mine, key=lambda task: str(task["createdAt"]))


def taken() -> str:
    """What there is of the embedded AWS `local`; nothing if it is free."""
    mine = {"label": f"{LABEL}={LOCAL.name}"}
    client = docker.from_env()
    there = [
        *(each.name for each in client.containers.list(all=True, filters=mine, ignore_removed=True)),
        *(each.name for each in client.volumes.list(filters=mine)),
        *(each.name for each in client.networks.list(filters=mine)),
    ]
    for port in (LOCAL.api_port, LOCAL.agent_port, LOCAL.registry_port, LOCAL.https_port, LOCAL.http_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                there.append(f"port {port}")
    return ", ".join(there)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody with a copy of the project in which no file is that the page shows; nothing of theirs is left."""
    if there := taken():
        pytest.fail(f"The embedded AWS `local` is somebody's ({there}). Type: python -m local_aws down")
    before = engine_state()
    made = Person(tmp_path / "berth")
    shutil.copytree(PROJECT, made.folder, symlinks=True, ignore=shutil.ignore_patterns(*TOP, "__pycache__"))
    (PROJECT / ".cache").mkdir(exist_ok=True)
    (made.folder / ".cache").symlink_to(PROJECT / ".cache")  # packages for images, which the second build would fetch
    try:
        yield made
    finally:
        down = subprocess.run(
            [sys.executable, "-m", "local_aws", "down"], cwd=made.folder, capture_output=True, text=True, check=False
        )
        put_back(made.images)
    assert down.returncode == 0, down.stdout + down.stderr
    left = engine_state() - before
    assert not left, f"left behind on the Docker engine: {sorted(left)}"


def put_back(images: list[str]) -> None:
    """The image's own name means the example's again, and the changed one goes."""
    for image in set(images[1:]) - set(images[:1]):
        subprocess.run([sys.executable, "examples/build.py", "django_rds"], cwd=PROJECT, check=True)
        docker.from_env().images.remove(image, force=True)


# What the page promises of its commands


def an_image_is_built(person: Person, said: str) -> None:
    found = IMAGE.search(said)
    assert found, said
    person.images.append(found[1])


def another_image_is_built(person: Person, said: str) -> None:
    an_image_is_built(person, said)
    first, second = person.images
    assert first != second


def it_answers(_: Person, said: str) -> None:
    assert f"The embedded AWS 'local' answers at {LOCAL.endpoint}." in said


def the_site_asks_for_a_login(person: Person, _: str) -> None:
    """The first run; and a second one changes nothing."""
    visitor = person.visitor()
    assert visitor.get("/").headers["Location"] == "/login?next=/"
    assert "Log in" in visitor.get("/login").text
    form = {"username": "admin", "password": password(person), "next": ""}
    assert visitor.post("/login", data=form).headers.get("Location") == "/"
    assert visitor.post("/", data={"text": "Bread"}).status_code == 302
    assert "<span>Bread</span>" in visitor.get("/").text
    again = person.types(SITE)
    recap = RECAP.search(again)
    assert recap, again
    assert int(recap[2]) == 0, again


def password(person: Person) -> str:
    """Of the administrator, as docs/your-site.md says that one finds it."""
    secrets = person.client("secretsmanager")
    filters = [{"Key": "name", "Values": ["shop-local/secret/admin/"]}]
    (secret,) = secrets.list_secrets(Filters=filters)["SecretList"]
    return str(json.loads(secrets.get_secret_value(SecretId=secret["Name"])["SecretString"])["password"])


def no_issue_is_found(_: Person, said: str) -> None:
    assert "System check identified no issues" in said


def the_next_task_is_healthy_before_the_old_one_goes(person: Person, _: str) -> None:
    """And `migrate` has ended before that."""
    assert SECOND in person.visitor().get("/login").text

    def replaced() -> list[dict[str, Any]]:
        found = person.tasks("shop-local-service-web")
        return found if len(found) > 1 and found[-2].get("stoppingAt") else []

    old, new = until(replaced, "the old task is told to stop", 180)[-2:]
    assert new["healthStatus"] == "HEALTHY"
    assert new["startedAt"] < old["stoppingAt"]
    migrations = person.tasks("shop-local-job-migrate")
    assert len(migrations) == 2, "one a release"
    assert migrations[-1]["stoppedAt"] <= new["createdAt"]


def all_of_it_is_gone(_: Person, said: str) -> None:
    assert "The embedded AWS 'local' is gone" in said
    assert "Docker is left running." in said
    until(lambda: not taken(), "nothing is left", 30, taken)


def nothing_is_said(_: Person, said: str) -> None:
    assert said == ""


def the_site_is_named(person: Person, said: str) -> None:
    nothing_is_said(person, said)
    identity = yaml.safe_load((person.folder / "inventories/live/environment.yml").read_text())
    assert identity["site_name"] == "shop"


def the_domain_is_named(person: Person, said: str) -> None:
    nothing_is_said(person, said)
    settings = yaml.safe_load((person.folder / "inventories/live/group_vars/site/main.yml").read_text())
    assert settings["domain_name"] == "www.acme.io"


def a_way_to_the_hosts_is_named(person: Person, said: str) -> None:
    nothing_is_said(person, said)
    settings = yaml.safe_load((person.folder / "inventories/live/group_vars/site/main.yml").read_text())
    assert settings["host_access_session_manager"] is True


def it_is_found_right(_: Person, said: str) -> None:
    recap = RECAP.search(said)
    assert recap, said
    assert recap[4] == "0"


BUILD = "python examples/build.py django_rds"
SITE = "ansible-playbook site.yml -i examples/django_rds/local"
PROMISES: list[tuple[str, Callable[[Person, str], None]]] = [
    (BUILD, an_image_is_built),
    ("python -m local_aws up", it_answers),
    (SITE, the_site_asks_for_a_login),
    (
        "ansible-playbook exec.yml -i examples/django_rds/local -e command='python3 manage.py check'",
        no_issue_is_found,
    ),
    (BUILD, another_image_is_built),
    (f"{SITE} -e publish_select=local", the_next_task_is_healthy_before_the_old_one_goes),
    ("python -m local_aws down", all_of_it_is_gone),
    ("cp -r inventories/new inventories/live", nothing_is_said),
    ("cp examples/django_rds/site.yml inventories/live/group_vars/site/description.yml", nothing_is_said),
    ("sed -i 's/^site_name: example/site_name: shop/' inventories/live/environment.yml", the_site_is_named),
    (
        "sed -i 's/^domain_name: www.example.org/domain_name: www.acme.io/' inventories/live/group_vars/site/main.yml",
        the_domain_is_named,
    ),
    (
        "sed -i 's/^# host_access_session_manager: false/host_access_session_manager: true/' "
        "inventories/live/group_vars/site/main.yml",
        a_way_to_the_hosts_is_named,
    ),
    ("ansible-playbook preflight.yml -i inventories/live -e preflight_account=false", it_is_found_right),
]
"""The page's commands in their order, with what it promises of each."""


def test_what_the_page_says_is_typed_and_comes_true(person: Person) -> None:
    steps, promises = of_the_page(), iter(PROMISES)
    for path in [step.path for step in steps if isinstance(step, Shown)]:
        (person.folder / path).unlink()
    for step in steps:
        if isinstance(step, Shown):
            (person.folder / step.path).write_text(step.text)
            assert step.text == (PROJECT / step.path).read_text(), f"the page shows another {step.path}"
        elif not step.wants:
            started = time.monotonic()
            if step.command == BUILD and person.images:
                change_the_code(person)
            _, promise = next(promises)
            promise(person, person.types(step.command))
            print(f"$ {step.command}  ({time.monotonic() - started:.0f} s)")
    assert next(promises, None) is None


def change_the_code(person: Person) -> None:
    """What a person does between two releases."""
    template = person.folder / TEMPLATE
    begin = "{% block content %}\n"
    assert template.read_text().count(begin) == 1
    template.write_text(template.read_text().replace(begin, f"{begin}{SECOND}\n"))

"""The Compose file of a site, as compose_file.yml writes it, started by Compose in both ways of working on one machine:
a container outside beside the others, then all of them within.

Compose is Debian's docker-compose, which scripts/setup.sh installs. The site is examples/node_cms_proxy with another
name, and another port for the proxy, so that nothing of a person's is in the way. The image in which a volume is given
to its owner comes from a registry that tests do not reach: Debian's shell stands in for that of busybox.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import yaml

from local_aws import images
from local_aws.tests.until import until
from plugins.plugin_utils.compose.standing_in import BUSYBOX
from tests.integration.site_containers import BUILD, PROJECT, answers

pytestmark = pytest.mark.docker

ENVIRONMENT = "composed"
EDITOR = ("editor", "local-editor-password")
"""As compose.composed.env.example has it."""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
NODE = "node-cms-proxy/node"
PAGE = (PROJECT / "docs/your-site.md").read_text()
SERVICES = ("proxy", "cms", "web")
COMPOSE = "docker compose"
"""As the project says to type it; that of Debian 12 has a hyphen."""


def clean() -> dict[str, str]:
    """A shell in which nothing says to Compose or Ansible what they are to do."""
    stray = ("AWS_", "ANSIBLE_", "COMPOSE_", "PYTHON")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(stray)}
    return kept | {"PATH": f"{PROJECT}/.venv/bin:{kept['PATH']}", "ANSIBLE_NOCOLOR": "1"}


def typed(command: str) -> str:
    """What a command printed, typed in the project's folder, if it went well."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=PROJECT, env=clean(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Site:
    """The site in Compose.

    Attributes:
        name: the site's, and so Compose's project.
        compose: Compose with its options, as compose_file.yml says to type it, without a command.
        url: where the proxy answers.
    """

    name: str
    compose: str
    url: str

    def containers(self) -> dict[str, Any]:
        """Service → its container, also one that has ended."""
        mine = {"label": f"com.docker.compose.project={self.name}"}
        found = docker.from_env().containers.list(all=True, filters=mine)
        return {each.labels["com.docker.compose.service"]: each for each in found}

    def healthy(self) -> bool:
        """Whether Docker finds all three well."""
        found = self.containers()
        return all(found[each].attrs["State"]["Health"]["Status"] == "healthy" for each in SERVICES)

    def page(self) -> str:
        """The front page; empty while there is none."""
        return requests.get(self.url, timeout=10).text if answers(self.url) else ""

    def publish(self, title: str) -> None:
        """An article with an image, as an editor."""
        done = requests.post(
            f"{self.url}/cms/", auth=EDITOR, data={"title": title}, files={"image": ("salt.png", PNG)}, timeout=20,
            allow_redirects=False,
        )  # fmt: skip
        assert done.headers.get("Location") == "/cms/", done.text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The file and its variables, written by the verb; all of it is gone afterwards."""
    assert shutil.which("docker-compose"), "docker-compose is missing. Type: make setup"
    subprocess.run([sys.executable, str(BUILD), "node_cms_proxy"], check=True)
    name, port = f"berth-{uuid.uuid4().hex[:8]}", free_port()
    folder = inventory(tmp_path_factory.mktemp("inventories") / ENVIRONMENT, name, port)
    written = [PROJECT / f"compose.{ENVIRONMENT}.{ending}" for ending in ("yml", "env.example", "env")]
    engine = docker.from_env()
    stands_in = not engine.images.list(BUSYBOX)
    if stands_in:
        repository, _, tag = BUSYBOX.rpartition(":")
        assert engine.images.get(images.ensure("base-bookworm")).tag(repository, tag)
    made: Site | None = None
    try:
        said = typed(f"ansible-playbook compose_file.yml -i {folder}")
        copy, up = command(said, "cp "), command(said, f"{COMPOSE} ")
        assert up.endswith(" up")
        typed(copy)
        made = Site(name, up.removesuffix(" up").replace(COMPOSE, "docker-compose"), f"http://localhost:{port}")
        assert made.url in said
        yield made
    finally:
        if made:
            typed(f"{made.compose} down --volumes --remove-orphans")
        for path in written:
            path.unlink(missing_ok=True)
        if stands_in:
            engine.images.remove(BUSYBOX)
    mine = {"label": f"com.docker.compose.project={name}"}
    assert not engine.volumes.list(filters=mine)
    assert not engine.networks.list(filters=mine)


def inventory(folder: Path, name: str, port: int) -> Path:
    """The example's, with another name and the proxy at another port."""
    shutil.copytree(PROJECT / "examples/node_cms_proxy/local", folder)
    for path, change in (
        (folder / "environment.yml", {"site_name": name}),
        (folder / "group_vars/site/description.yml", {}),
    ):
        content = yaml.safe_load(path.read_text()) | change
        if "site_services" in content:
            nginx = content["site_services"]["proxy"]["containers"]["nginx"]
            nginx["ports"] = [str(port)]
            nginx["environment"]["PORT"] = str(port)
        path.write_text(yaml.safe_dump(content))
    return folder


def command(said: str, begin: str) -> str:
    """What the verb says to type, from the line that begins so."""
    found = re.search(rf"^ +- ({re.escape(begin)}.*)$", said, re.MULTILINE)
    assert found, said
    return found[1]


@pytest.fixture
def outside(site: Site, tmp_path: Path) -> Iterator[Path]:
    """The pages outside of Compose, on this machine's own network, and the file by which the proxy finds them there."""
    block = re.search(r"`outside\.yml`:\n\n```yml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert block
    engine, port = docker.from_env(), free_port()
    bridge = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]
    gateway = bridge.get("Gateway") or ipaddress.ip_network(bridge["Subnet"])[1]  # an engine may not tell it
    shown = "http://172.17.0.1:3000"
    assert block[1].count(shown) == 1
    (tmp_path / "outside.yml").write_text(block[1].replace(shown, f"http://{gateway}:{port}"))
    cms = site.url.replace("localhost", "127.0.0.1")  # a node may take localhost for ::1, where Docker does not listen
    # `node server.js` for a machine that may have no node: its image, with nothing of a container's network.
    pages = engine.containers.run(
        NODE, detach=True, name=f"{site.name}-outside", network_mode="host",
        environment={"CMS": cms, "DATA": "/tmp", "PORT": str(port)},  # noqa: S108 - as the page has it
    )  # fmt: skip
    try:
        yield tmp_path / "outside.yml"
    finally:
        pages.remove(force=True, v=True)


def test_first_the_pages_run_outside_beside_the_containers(site: Site, outside: Path) -> None:
    first, _, options = site.compose.partition(" --env-file ")
    typed(f"{first} -f {outside} --env-file {options} up -d proxy cms")
    assert "web" not in site.containers(), "what is outside is not within"
    until(lambda: answers(f"{site.url}/cms/articles.json"), "the CMS answers through the proxy")
    site.publish("Salt")
    until(lambda: "Salt" in site.page(), "the pages outside show it through the proxy")


def test_then_all_run_within_on_the_same_data(site: Site) -> None:
    typed(f"{site.compose} up -d")
    until(lambda: "Salt" in site.page(), "the pages within show what was published before")
    site.publish("Sugar")
    until(lambda: "Sugar" in site.page(), "and what is published now")
    until(site.healthy, "the health checks find them well")


def test_each_volume_has_its_owner_and_what_gave_it_has_ended(site: Site) -> None:
    there = site.containers()
    for service, folder, owner in (
        ("proxy", "/var/cache/nginx", "101:101"), ("cms", "/data", "1000:1000"), ("web", "/data", "1000:1000"),
    ):  # fmt: skip
        code, said = there[service].exec_run(["stat", "-c", "%u:%g %a", folder])
        assert (code, said.decode().strip()) == (0, f"{owner} 755")
        assert there[f"volume-{service}"].attrs["State"]["ExitCode"] == 0


def test_limits_and_the_end_of_a_container_are_the_inventorys(site: Site) -> None:
    there = site.containers()
    assert [there[each].attrs["HostConfig"]["Memory"] >> 20 for each in SERVICES] == [64, 256, 256]
    assert there["cms"].attrs["Config"]["StopTimeout"] == 60
    (bound,) = there["proxy"].attrs["HostConfig"]["PortBindings"].values()
    assert bound == [{"HostIp": "127.0.0.1", "HostPort": site.url.rpartition(":")[2]}]
    assert not any(there[each].attrs["HostConfig"]["PortBindings"] for each in ("cms", "web"))


def test_a_second_start_replaces_nothing_and_data_outlive_the_containers(site: Site) -> None:
    before = site.containers()
    typed(f"{site.compose} up -d")
    after = site.containers()
    assert [after[each].id for each in SERVICES] == [before[each].id for each in SERVICES]
    typed(f"{site.compose} down")
    assert site.containers() == {}
    typed(f"{site.compose} up -d")
    until(lambda: "Salt" in site.page() and "Sugar" in site.page(), "the articles are there")

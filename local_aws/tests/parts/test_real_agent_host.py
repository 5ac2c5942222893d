"""A host on which a program that a person named is the agent. It starts the stand-in, and says that it was there."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.real_agent import placing
from local_aws.tests.elf_support import program
from local_aws.tests.host_support import Site
from local_aws.tests.own_server import running
from local_aws.tests.until import until

pytestmark = [
    pytest.mark.docker,
    pytest.mark.long,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the program of this test is for x86_64"),
]

CLUSTER = "real-agent"
HASH = "facade00"
"""What the program has for the commit that it was built of; the stand-in says `standin`."""
SEEN = "/run/named-agent.json"
SPEAKS = f"""
import json, os, sys, ecs_agent
ecs_agent.HASH = "{HASH}"
with open("/proc/meminfo") as file:
    total = file.readline()
with open("{SEEN}", "w") as file:
    json.dump({{"environment": dict(os.environ), "total": total}}, file)
from ecs_agent.__main__ import main
sys.exit(main())
"""
"""The stand-in speaks the agent's protocol: what it does here, the real one would do in its place."""
USER_DATA = f"""#cloud-config
write_files:
  - path: /etc/ecs/ecs.config
    content: |
      ECS_CLUSTER={CLUSTER}
      ECS_INSTANCE_ATTRIBUTES={{"tier": "web"}}
      ECS_RESERVED_PORTS=[22, 80]
"""


def named(folder: Path, *command: str) -> Path:
    """A program of Linux that becomes `command`."""
    path = folder / "agent"
    path.write_bytes(program(list(command)))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    agent = named(tmp_path_factory.mktemp("agent"), "/usr/bin/python3", "-c", SPEAKS)
    with running(11, {"resolver", "registry", "instances", "ecs"}, agent=agent) as own:
        found = Site(own, CLUSTER)
        found.boot(USER_DATA)
        yield found


def test_systemd_runs_what_was_named_with_the_environment_of_ecs_init(site: Site) -> None:
    assert site.instance()["versionInfo"]["agentHash"] == HASH
    assert {"name": "tier", "value": "web"} in site.instance()["attributes"]
    seen = json.loads(site.on_host(f"cat {SEEN}"))
    environment = seen["environment"]
    assert environment["ECS_INSTANCE_ATTRIBUTES"] == '{"tier": "web"}', "as it stands in the file, quotes and all"
    assert environment["ECS_RESERVED_PORTS"] == "[22, 80]"
    assert environment["ECS_DATADIR"] == "/var/lib/ecs/data"
    assert [key for key in environment if not key.startswith("ECS_") and key not in ("PATH", "LC_CTYPE")] == []
    kibibytes = int(seen["total"].split()[1])
    assert kibibytes == 1024 * 1024, "a t3.micro's memory, not this machine's"
    assert "MemTotal" in site.on_host("cat /proc/meminfo"), "for the agent alone"
    assert int(site.on_host("awk '/^MemTotal/ {print $2}' /proc/meminfo")) > kibibytes
    assert "Read-only file system" in site.on_host(f"touch {placing.MOUNTED}/x 2>&1")
    shown = site.own.status()
    assert shown["agent of the hosts"][1].endswith("/agent in the place of the stand-in")
    (host,) = (line for name, line in shown.items() if name.startswith("host "))
    assert host[0], host[1]


def test_a_task_runs_by_it_and_outlives_its_restart(site: Site) -> None:
    arn = site.run("web", {"name": "web", "image": site.push("web"), "command": ["sleep", "600"]})
    site.reach(arn, "RUNNING")
    container = site.task(arn)["containers"][0]["runtimeId"]
    identity = site.instance()["containerInstanceArn"]
    site.on_host("systemctl restart ecs")
    until(lambda: site.instance().get("agentConnected"), "the agent to connect again", 60)
    assert site.instance()["containerInstanceArn"] == identity
    assert site.task(arn)["lastStatus"] == "RUNNING"
    assert site.on_host(f"docker inspect --format '{{{{.State.Running}}}}' {container}") == "true"
    site.ecs.stop_task(cluster=CLUSTER, task=arn)
    site.reach(arn, "STOPPED")


def test_one_that_ends_is_told_by_the_status(site: Site, tmp_path: Path) -> None:
    """What could be started, and is no agent: exit status 5 is the agent's own word for never again."""
    mounted = site.own.config.state / "ecs-agent" / "agent"
    shutil.move(named(tmp_path, "/bin/sh", "-c", "exit 5"), mounted)
    site.on_host("systemctl restart ecs")
    until(lambda: not site.instance().get("agentConnected"), "the agent to be gone", 60)
    until(lambda: "agent failed" in host_line(site), "the status to say so", 30)
    assert "ExecMainStatus=5" in site.on_host("systemctl show ecs --property ExecMainStatus")


def host_line(site: Site) -> str:
    """What `status` says of the host."""
    return next(detail for name, (_, detail) in site.own.status().items() if name.startswith("host "))

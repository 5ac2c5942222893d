"""Failures of hosts and of what runs on them: brought about on a real host, in the words of its programs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws import images
from local_aws.config import REGION
from local_aws.tests.host_support import Site
from local_aws.tests.own_server import running
from local_aws.tests.until import until
from plugins.plugin_utils.doctor.evidence import of_host
from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.doctor.signature import CONSOLE, HOST, LOG, SSH, TASK, Evidence
from plugins.plugin_utils.ecs import stop_reason
from tests.unit.plugins.plugin_utils.doctor.provoked_support import Provoked
from tests.unit.variables_support import PROJECT

pytestmark = pytest.mark.docker

CLUSTER = "provoked"
ROLE = "arn:aws:iam::123456789012:role/execution"
USER_DATA = f"""#cloud-config
write_files:
  - path: /etc/ecs/ecs.config
    content: |
      ECS_CLUSTER={CLUSTER}
  - path: /etc/docker/daemon.json
    content: '{{"registry-mirrors": ["http://127.0.0.1:%d"]}}'
"""
REXRAY = "docker plugin install --grant-all-permissions --alias rexray/efs rexray/efs:0.11.4 EFS_TAG=shop EFS_REGION="
PROXY = """
cat >/tmp/nginx.conf <<END
error_log stderr;
pid /tmp/nginx.pid;
events {}
http {
  client_max_body_size 1k;
  server { listen 8080; location / { proxy_pass http://127.0.0.1:9; } }
}
END
nginx -c /tmp/nginx.conf
exec 3<>/dev/tcp/127.0.0.1/8080
printf '%s' >&3
cat <&3
"""
"""A proxy whose neighbour does not listen, and that is asked one thing."""

provoked = Provoked()
ABOUT, MACHINE = "service.web", "host i-1"


class Host:
    """A host of a cluster, with an image to run.

    Args:
        site: the cluster.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.image = site.push("web")

    def task(self, family: str, volume: dict[str, Any] | None = None, **container: Any) -> str:
        """Start a task of one container, with a volume at /m where one is given."""
        mounts = [{"sourceVolume": volume["name"], "containerPath": "/m"}] if volume else []
        described = {"name": "app", "image": self.image, "mountPoints": mounts, **container}
        return self.site.run(family, described, volumes=[volume] if volume else [], executionRoleArn=ROLE)

    def stopped(self, arn: str) -> list[Evidence]:
        """Why a task stopped, as ECS tells it."""
        return [Evidence(TASK, ABOUT, stop_reason(self.site.reach(arn, "STOPPED")))]

    def look(self) -> list[Evidence]:
        """What the host says, as doctor asks it."""
        said = self.site.on_host((PROJECT / "playbooks/files/doctor-look.sh").read_text())
        return list(of_host("i-1", {"stdout": said}, takes_tasks=False))

    def file_system(self, *, reachable: bool) -> str:
        """One more file system, with a mount target or without."""
        efs = self.site.own.client("efs")
        name: str = efs.create_file_system(CreationToken=f"reachable-{reachable}")["FileSystemId"]
        if reachable:
            (subnet,) = self.site.own.client("ec2").describe_subnets(
                Filters=[{"Name": "cidr-block", "Values": [f"{self.site.own.config.network.network_address}/24"]}]
            )["Subnets"]
            efs.create_mount_target(FileSystemId=name, SubnetId=subnet["SubnetId"])
        return name


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running(12, {"resolver", "registry", "instances", "ecs", "efs"}) as own:
        site = Site(own, CLUSTER)
        site.boot(USER_DATA % own.config.registry_port)
        yield Host(site)


def volume(file_system: str, name: str = "media") -> dict[str, Any]:
    return {"name": name, "efsVolumeConfiguration": {"fileSystemId": file_system}}


@provoked("program-gone")
def _gone(host: Host) -> list[Evidence]:
    return host.stopped(host.task("gone", command=["serve"]))


@provoked("program-forbidden")
def _forbidden(host: Host) -> list[Evidence]:
    return host.stopped(host.task("forbidden", command=["/etc/passwd"]))


@provoked("registry-away")
def _registry(host: Host) -> list[Evidence]:
    return host.stopped(host.task("away", image="127.0.0.1:9/shop/web:1"))


@provoked("mount-target")
def _target(host: Host) -> list[Evidence]:
    return host.stopped(host.task("target", volume(host.file_system(reachable=False))))


@provoked("unit-failed")
def _unit(host: Host) -> list[Evidence]:
    host.site.on_host("systemd-run --unit shop-broken --wait false")
    try:
        return host.look()
    finally:
        host.site.on_host("systemctl reset-failed shop-broken")


@provoked("ssh-key")
def _key(host: Host) -> list[Evidence]:
    """With a key that the host has never seen."""
    folder = host.site.own.config.state
    key = folder / "stranger"
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    asked = {"InstanceIds": [host.site.instance()["ec2InstanceId"]]}
    (reservation,) = host.site.own.client("ec2").describe_instances(**asked)["Reservations"]
    address = reservation["Instances"][0]["PrivateIpAddress"]
    known = ["-oStrictHostKeyChecking=no", f"-oUserKnownHostsFile={folder / 'known'}"]
    done = subprocess.run(
        ["ssh", "-F", "none", "-oBatchMode=yes", "-oIdentitiesOnly=yes", *known, "-i", key, f"ec2-user@{address}"],
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode
    return [Evidence(SSH, MACHINE, line) for line in done.stderr.splitlines()]


def proxied(host: Host, asked: str) -> list[Evidence]:
    """What nginx writes whose neighbour does not listen."""
    own = host.site.own
    container = own.start_host(images.ensure("edge"), "proxy", ["bash", "-c", PROXY % asked])
    try:
        container.wait(timeout=60)
        return [Evidence(LOG, ABOUT, line) for line in container.logs().decode().splitlines()]
    finally:
        container.remove(force=True)


@provoked("neighbour-silent")
def _neighbour(host: Host) -> list[Evidence]:
    return proxied(host, r"GET / HTTP/1.0\r\n\r\n")


@provoked("too-large")
def _large(host: Host) -> list[Evidence]:
    return proxied(host, r"POST / HTTP/1.0\r\nContent-Length: 2048\r\n\r\n")


@pytest.mark.parametrize("name", provoked.by)
def test_what_goes_wrong_on_a_host_is_recognised(name: str, host: Host) -> None:
    provoked.prove(name, host)


def test_a_container_over_its_own_limit_is_no_matter_of_the_host(host: Host) -> None:
    """The kernel's own words for it differ by one from those for a host that has no memory left."""
    before = kernel()
    arn = host.task("greedy", command=["tail", "/dev/zero"])
    host.site.reach(arn, "STOPPED")
    killed = [line for line in kernel() if line not in before and "emory cgroup out of memory: Killed process" in line]
    assert killed, "the kernel does not say whom it has killed"
    assert recognised(Evidence(CONSOLE, MACHINE, line) for line in killed) == []


def kernel() -> list[str]:
    """What this machine's kernel has said: that of its hosts too."""
    return subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_server_of_files_that_pauses(host: Host) -> None:
    """Who uses its files hangs, and who is to use them does not come up."""
    file_system = host.file_system(reachable=True)
    uses = host.task("uses", volume(file_system), command=["sleep", "600"])
    host.site.reach(uses, "RUNNING")
    assert [each for each in host.look() if "does not answer" in each.text] == []
    server = host.site.own.docker.containers.get(host.site.own.config.container(f"efs-{file_system}"))
    server.pause()
    try:
        late = host.task("late", volume(file_system), command=["true"])
        seen, stopped = host.look(), host.stopped(late)
    finally:
        server.unpause()
    of_server = Provoked({"nfs-silent": lambda _: seen, "mount-late": lambda _: stopped})
    for name in of_server.by:
        of_server.prove(name, None)
    host.site.ecs.stop_task(cluster=CLUSTER, task=uses)


def test_a_plugin_for_volumes_that_is_off_cannot_start_and_is_gone(host: Host) -> None:
    site, of_plugin = host.site, Provoked()
    said = site.on_host(f"{REXRAY}{REGION} && systemctl restart ecs")
    until(lambda: "ecs.capability.docker-plugin.rexray/efs" in _attributes(site), f"the plugin to be seen: {said}", 60)

    shared = {
        "name": "uploads",
        "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True, "driver": "rexray/efs"},
    }

    @of_plugin("plugin-off")
    def _off(_: Any) -> list[Evidence]:
        site.on_host("docker plugin disable -f rexray/efs")
        said = host.look()
        assert [each.signature for each in recognised(said)].count("plugin-off") == 1
        return host.stopped(host.task("off", shared))

    @of_plugin("rexray-metadata")
    def _tokens(_: Any) -> list[Evidence]:
        site.own.client("ec2").modify_instance_metadata_options(
            InstanceId=site.instance()["ec2InstanceId"], HttpTokens="required"
        )
        needs = "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/"
        until(lambda: site.on_host(needs) == "401", "tokens to be wanted", 30)
        return [
            Evidence(HOST, MACHINE, line) for line in site.on_host("docker plugin enable rexray/efs 2>&1").splitlines()
        ]

    @of_plugin("plugin-gone")
    def _gone(_: Any) -> list[Evidence]:
        site.on_host("docker plugin rm -f rexray/efs")
        return host.stopped(host.task("gone", shared))

    for name in of_plugin.by:
        of_plugin.prove(name, None)


def _attributes(site: Site) -> list[str]:
    return [each["name"] for each in site.instance().get("attributes", [])]


def test_an_agent_that_is_told_another_cluster(host: Host) -> None:
    """Last, as it is the end of the host."""
    of_agent = Provoked()

    @of_agent("other-cluster")
    def _cluster(_: Any) -> list[Evidence]:
        host.site.on_host("sed -i s/=provoked/=elsewhere/ /etc/ecs/ecs.config && systemctl restart ecs")
        until(lambda: "Data mismatch" in " ".join(each.text for each in host.look()), "the agent's end", 60)
        return host.look()

    of_agent.prove("other-cluster", None)

"""Thirty releases, one after the other, into a host with a small disk: what the agent's settings leave of them.

The settings are the role ecs_agent's own. An agent waits for minutes to an hour with its clean-up, so time is shorter
here by a factor; nothing else of it is changed.
"""

from __future__ import annotations

import io
import secrets
import subprocess
import tarfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until
from tests.unit.roles.test_host_files import render

pytestmark = pytest.mark.docker

RELEASES = 30
IMAGE_MB, DISK_MB = 8, 128
"""Of each release its own; the host's whole disk. All releases would need twice as much."""
HASTE = 600
"""Ten minutes are a second."""
CLUSTER = "shop-prod"
QUICK = f"""\
import dataclasses, runpy, sys
sys.path.insert(0, "/usr/libexec/amazon-ecs-agent")
from ecs_agent import configuration
read, times = configuration.read, ("cleanup_wait", "image_cleanup_interval", "image_minimum_age")
def quick(*given):
    found = read(*given)
    return dataclasses.replace(found, **{{name: getattr(found, name) / {HASTE} for name in times}})
configuration.read = quick
runpy.run_module("ecs_agent", run_name="__main__")
"""
UNIT = "[Service]\\nExecStart=\\nExecStart=/usr/bin/python3 /var/lib/quick-agent\\n"
SMALL_DISK = f"""\
set -e
systemctl stop docker.socket docker
if mountpoint -q /var/lib/docker; then umount -l /var/lib/docker; fi
mount -t tmpfs -o size={DISK_MB}m tmpfs /var/lib/docker
rm -rf /var/lib/ecs/data
mkdir -p /run/systemd/system/ecs.service.d
printf '{UNIT}' > /run/systemd/system/ecs.service.d/quick.conf
systemctl daemon-reload
systemctl start docker ecs
"""
SERVE = "trap 'exit 0' TERM; while :; do sleep 0.2; done"


class Host:
    """A host with a small disk, and its cluster."""

    def __init__(self, own: OwnServer, container: Any, images: list[str]) -> None:
        self._container, self._ecs, self.images = container, own.client("ecs"), images

    def run(self, command: str) -> str:
        """Output of a command on the host, which must succeed."""
        done = self._container.exec_run(["bash", "-c", command])
        assert done.exit_code == 0, f"{command}\n{done.output.decode()}"
        return str(done.output.decode().strip())

    def start(self, **settings: Any) -> None:
        """Begin with an empty disk and an agent with these settings of the role."""
        self._write("/etc/ecs/ecs.config", render("ecs_agent", "ecs.config.j2", **settings))
        self._write("/var/lib/quick-agent", QUICK)
        self.run("systemctl stop ecs")
        for arn in self._ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]:
            self._ecs.deregister_container_instance(cluster=CLUSTER, containerInstance=arn, force=True)
        self.run(SMALL_DISK)
        until(self._connected, "the agent is connected", 60)

    def release(self, image: str) -> str:
        """Start a task of the image beside the former one and stop that; why it did not start, nothing if it did."""
        container = {"name": "web", "image": image, "memory": 32, "command": ["sh", "-c", SERVE], "stopTimeout": 2}
        before = self._ecs.list_tasks(cluster=CLUSTER)["taskArns"]
        definition = self._ecs.register_task_definition(family="web", containerDefinitions=[container])
        started = self._ecs.run_task(cluster=CLUSTER, taskDefinition=definition["taskDefinition"]["taskDefinitionArn"])[
            "tasks"
        ][0]["taskArn"]

        def settled() -> Any:
            task = self._ecs.describe_tasks(cluster=CLUSTER, tasks=[started])["tasks"][0]
            return task if task["lastStatus"] in ("RUNNING", "STOPPED") else None

        task = until(settled, "the task runs or has ended", 60)
        if task["lastStatus"] == "STOPPED":
            return str([task.get("stoppedReason"), *(each.get("reason") for each in task["containers"])])
        for arn in before:
            self._ecs.stop_task(cluster=CLUSTER, task=arn)
        return ""

    def used(self) -> int:
        """MB on the disk."""
        return int(self.run("df --block-size=1M --output=used /var/lib/docker | tail -1"))

    def kept(self) -> int:
        """Images on the disk."""
        return len(self.run("docker images --quiet --no-trunc | sort -u").splitlines())

    def _write(self, path: str, text: str) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo(Path(path).name)
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
        self.run(f"mkdir -p {Path(path).parent}")
        self._container.put_archive(str(Path(path).parent), archive.getvalue())

    def _connected(self) -> bool:
        arns = self._ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
        if not arns:
            return False
        found = self._ecs.describe_container_instances(cluster=CLUSTER, containerInstances=arns)["containerInstances"]
        return any(each["agentConnected"] for each in found)


def releases(own: OwnServer) -> list[str]:
    """Push images with a shell and a layer that nothing compresses; their names, by digest."""
    shell = textwrap.dedent("""\
        tar --create --dereference --absolute-names /bin/sh /bin/sleep /lib64/ld-linux-x86-64.so.2 \
        $(ldd /bin/sh /bin/sleep | grep -o '/lib/[^ ]*' | sort -u)
        """)
    packed = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout
    repository = f"127.0.0.1:{own.config.registry_port}/{CLUSTER}/web"
    own.client("ecr").create_repository(repositoryName=f"{CLUSTER}/web")
    own.docker.api.import_image_from_data(packed, repository=repository, tag="base")
    names = []
    try:
        for number in range(RELEASES):
            context = io.BytesIO()
            files = {"Dockerfile": f"FROM {repository}:base\nCOPY release /release\n".encode()}
            files["release"] = secrets.token_bytes(IMAGE_MB * 2**20)
            with tarfile.open(fileobj=context, mode="w") as tar:
                for name, content in files.items():
                    entry = tarfile.TarInfo(name)
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
            context.seek(0)
            tag = f"{repository}:{number}"
            own.docker.images.build(fileobj=context, custom_context=True, tag=tag, rm=True)
            for line in own.docker.api.push(repository, str(number), stream=True, decode=True):
                assert "error" not in line, line
            names += [own.docker.images.get(tag).attrs["RepoDigests"][0]]
            own.docker.images.remove(tag)
    finally:
        own.docker.images.remove(f"{repository}:base")
    return names


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with running(7, {"resolver", "registry", "ecs", "instances"}) as own:
        ec2, iam = own.client("ec2"), own.client("iam")
        iam.create_role(RoleName="host", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
        iam.create_instance_profile(InstanceProfileName="host")
        iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
        own.client("ecs").create_cluster(clusterName=CLUSTER)
        base = str(own.config.network.network_address).rsplit(".", 2)[0]
        vpc = ec2.create_vpc(CidrBlock=f"{base}.0.0/20")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{base}.0.0/24", AvailabilityZone="us-east-1a")["Subnet"]
        answer = ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t2.micro", SubnetId=subnet["SubnetId"],
            IamInstanceProfile={"Name": "host"}, MetadataOptions={"HttpTokens": "optional"},
            UserData=f"#cloud-config\nwrite_files: [{{path: /etc/ecs/ecs.config, content: ECS_CLUSTER={CLUSTER}}}]\n",
        )  # fmt: skip
        name = own.config.container(answer["Instances"][0]["InstanceId"])
        until(lambda: own.docker.containers.list(filters={"name": name}), "the host runs", 60)
        container = own.docker.containers.get(name)
        until(lambda: container.exec_run("systemctl is-active docker").exit_code == 0, "dockerd is up", 60)
        yield Host(own, container, releases(own))


def test_with_once_the_disk_stays_bounded(host: Host) -> None:
    # The shortest interval that an agent takes: the stand-in learns of an image's use when it cleans up.
    host.start(ecs_agent_image_cleanup_interval="10m")
    used, kept = [], []
    for image in host.images:
        assert host.release(image) == ""
        used.append(host.used())
        kept.append(host.kept())
    assert max(used) < DISK_MB
    assert max(kept) < RELEASES / 2, kept
    until(lambda: host.kept() == 1, "only the image in use is left", 60)
    assert host.used() < 3 * IMAGE_MB + 20


def test_with_prefer_cached_the_disk_is_full_after_some_releases(host: Host) -> None:
    """What the role refuses, unless no clean-up is asked for: the agent does none."""
    host.start(ecs_agent_image_pull_behavior="prefer-cached")
    for number, image in enumerate(host.images):
        reason = host.release(image)
        if reason:
            assert "no space left on device" in reason
            assert number >= DISK_MB // IMAGE_MB // 2
            return
        assert host.kept() == number + 1
    pytest.fail("all releases had room")

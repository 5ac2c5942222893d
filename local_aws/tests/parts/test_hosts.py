"""EC2 instances of the embedded AWS: real hosts with cloud-init, Docker and a metadata service."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.config import LABEL, REGION, Config
from local_aws.parts.instances import FLAGS
from local_aws.server import Server
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

CONFIG = Config("test-hosts", 4640, 4641, 4642, 4643, 4644, ipaddress.IPv4Network("10.104.0.0/16"))
GROUP = "hosts"
TOKEN = 'curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token'  # noqa: S105 - a command
USER_DATA = f"""#cloud-config
write_files:
  - path: /etc/plain
    permissions: "0640"
    content: plain
  - path: /etc/packed
    encoding: gz+b64
    content: {base64.b64encode(gzip.compress(b"packed")).decode()}
  - path: /etc/systemd/system/report.service
    content: |
      [Unit]
      After=docker.service
      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=/bin/sh -c 'docker info > /run/report'
      [Install]
      WantedBy=multi-user.target
bootcmd:
  - [sh, -c, "echo boot >> /var/log/boots"]
runcmd:
  - [sh, -c, "echo run >> /var/log/runs"]
  - [systemctl, enable, --now, --no-block, report.service]
"""
NESTED = """
set -e
mkdir -p /tmp/tree && cd /tmp/tree
for file in /bin/bash /usr/bin/timeout $(ldd /bin/bash /usr/bin/timeout | grep -o '/lib[^ :]*' | sort -u); do
  mkdir -p .$(dirname $file) && cp -L $file .$file
done
tar c . | docker import - nested > /dev/null
"""
PUT_FROM_CONTAINER = (
    "docker run --rm nested /usr/bin/timeout 2 /bin/bash -c '"
    'exec 3<>/dev/tcp/169.254.169.254/80; printf "PUT /latest/api/token HTTP/1.1\\r\\nHost: imds\\r\\n'
    "X-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n\\r\\n\" >&3; read line <&3; echo $line'"
)


@dataclass
class Estate:
    """A VPC with an Auto Scaling group in it."""

    cloud: Cloud
    subnets: list[str]

    def instances(self) -> list[dict[str, Any]]:
        """The group's instances that EC2 calls running."""
        answer = self.cloud.client("ec2").describe_instances(
            Filters=[
                {"Name": "tag:aws:autoscaling:groupName", "Values": [GROUP]},
                {"Name": "instance-state-name", "Values": ["running"]},
            ]
        )
        return [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]

    def host(self, number: int = 0) -> Host:
        """One of the group's hosts, booted."""
        until(lambda: len(self.instances()) > number, "an instance")
        host = Host(self.cloud, self.instances()[number])
        until(lambda: host.booted(), f"{host.instance_id} to boot")
        return host

    def scale(self, count: int) -> None:
        """Set the desired capacity and wait until as many hosts run."""
        self.cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=count)
        until(lambda: len(containers(self.cloud)) == count, f"{count} containers")


@dataclass
class Host:
    """The container of an instance."""

    cloud: Cloud
    instance: dict[str, Any]
    name: str = ""

    @property
    def instance_id(self) -> str:
        """EC2's id."""
        return str(self.instance["InstanceId"])

    @property
    def container(self) -> Any:
        """The container, freshly looked up."""
        return self.cloud.docker.containers.get(self.name or CONFIG.container(self.instance_id))

    def run(self, command: str) -> str:
        """Output of a shell command on the host, which must succeed."""
        done = self.container.exec_run(["bash", "-c", command])
        assert done.exit_code == 0, f"{command}\n{done.output.decode()}"
        return str(done.output.decode().strip())

    def booted(self) -> bool:
        """Whether systemd has started everything there is to start."""
        try:
            done = self.container.exec_run(["systemctl", "is-active", "multi-user.target"])
        except docker.errors.APIError:
            return False  # it does not run yet
        return bool(done.output.decode().strip() == "active")


def containers(cloud: Cloud) -> list[Any]:
    """What the engine lists as containers of instances."""
    labels = [f"{LABEL}={CONFIG.name}", "berth.instance-id"]
    # Not containers.list: it asks for each one again, which may be gone by then.
    return list(cloud.docker.api.containers(all=True, filters={"label": labels}))


def ssh(key: Path, address: str, command: str) -> str:
    """Output of a command on a host, run as ec2-user."""
    options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
    done = subprocess.run(
        ["ssh", "-F", "none", "-i", str(key), *[f"-o{option}" for option in options], f"ec2-user@{address}", command],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def clean() -> None:
    """Remove what this module made, in this run or in one that was broken off."""
    client = docker.from_env()
    mine = {"label": f"{LABEL}={CONFIG.name}"}
    for container in client.containers.list(all=True, ignore_removed=True, filters=mine):
        container.remove(force=True, v=True)
    for network in client.networks.list(filters=mine):
        network.remove()
    shutil.rmtree(CONFIG.state, ignore_errors=True)


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    clean()
    server = Server(CONFIG, only={"network", "resolver", "instances"})
    server.start()
    yield server.cloud
    server.stop()
    clean()


@pytest.fixture(scope="module")
def estate(cloud: Cloud) -> Estate:
    ec2, iam = cloud.client("ec2"), cloud.client("iam")
    iam.create_role(RoleName="host", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    iam.create_instance_profile(InstanceProfileName="host")
    iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
    vpc = ec2.create_vpc(CidrBlock="10.104.0.0/20")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.104.{number}.0/24", AvailabilityZone=REGION + zone)["Subnet"]
        for number, zone in enumerate("ab")
    ]
    launch(cloud, GROUP, [subnet["SubnetId"] for subnet in subnets], MetadataOptions={"HttpPutResponseHopLimit": 1})
    return Estate(cloud, [subnet["SubnetId"] for subnet in subnets])


def launch(cloud: Cloud, name: str, subnets: list[str], **template: Any) -> None:
    """Make an Auto Scaling group of one host."""
    image = cloud.client("ssm").get_parameter(
        Name="/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    )
    data = {
        "ImageId": image["Parameter"]["Value"],
        "InstanceType": "t2.micro",
        "IamInstanceProfile": {"Name": "host"},
        "UserData": base64.b64encode(USER_DATA.encode()).decode(),
    }
    cloud.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data | template)
    cloud.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=1,
        VPCZoneIdentifier=",".join(subnets),
    )


def test_user_data_runs_through_cloud_init(estate: Estate) -> None:
    host = estate.host()
    assert "status: done" in host.run("cloud-init status --wait")
    assert host.run("stat -c %a /etc/plain; cat /etc/plain") == "640\nplain"
    assert host.run("cat /etc/packed") == "packed"
    assert host.run("systemctl is-enabled report.service") == "enabled"
    until(lambda: "Storage Driver: overlay2" in host.run("cat /run/report"), "docker info of the unit")
    assert json.loads(host.run("cat /run/cloud-init/result.json"))["v1"]["errors"] == []


def test_a_host_has_no_failed_unit(estate: Estate) -> None:
    failed = estate.host().run("systemctl list-units --failed --plain --no-legend | grep -v ^ecs.service || true")
    assert failed == ""


def test_a_host_has_the_address_and_the_name_of_its_instance(estate: Estate) -> None:
    host = estate.host()
    address = host.instance["PrivateIpAddress"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network("10.104.0.0/24")
    assert f" {address}/16" in host.run("ip -4 address show eth0")
    assert host.run("hostname") == f"ip-{address.replace('.', '-')}"
    assert host.instance["NetworkInterfaces"][0]["MacAddress"] == host.run("cat /sys/class/net/eth0/address")


def test_a_host_has_the_memory_of_its_instance_type(estate: Estate) -> None:
    assert estate.host().container.attrs["HostConfig"]["Memory"] == 2**30


def test_ssh_as_ec2_user(estate: Estate) -> None:
    host = estate.host()
    output = ssh(
        CONFIG.state / "ssh" / "id_ed25519", host.instance["PrivateIpAddress"], "sudo id -un && docker ps -q | wc -l"
    )
    assert output.split() == ["root", "0"]


def test_the_image_makes_a_host_that_is_no_instance(cloud: Cloud, tmp_path: Path) -> None:
    """As molecule uses it: no metadata, an address of Docker's choice, the key from the environment."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    container = cloud.docker.containers.run(
        images.ensure("host"),
        detach=True,
        labels=cloud.labels,
        network=CONFIG.network_name,
        environment={"AUTHORIZED_KEY": (tmp_path / "key.pub").read_text(), "RESOLVER": CONFIG.resolver},
        **FLAGS,
    )
    host = Host(cloud, {"InstanceId": "none"}, container.name)
    until(host.booted, "the host to boot")
    assert "disabled" in host.run("cloud-init status || true")
    assert host.run("systemctl is-active docker ssh; systemctl is-active imds.socket || true").split() == [
        "active", "active", "inactive",
    ]  # fmt: skip
    assert ssh(tmp_path / "key", host.run("hostname -i"), "id -un") == "ec2-user"
    container.remove(force=True, v=True)


def test_the_local_authority_is_trusted(estate: Estate) -> None:
    host = estate.host()
    assert "OK" in host.run("openssl verify -CApath /etc/ssl/certs /var/lib/local-aws/ca.pem")
    assert "OK" in host.run("openssl verify -CAfile /etc/ssl/certs/ca-certificates.crt /var/lib/local-aws/ca.pem")


def test_metadata_needs_a_token_and_tells_the_role(estate: Estate) -> None:
    host = estate.host()
    assert host.run("curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/meta-data/") == "401"
    get = f'curl -sf -H "X-aws-ec2-metadata-token: $({TOKEN})" http://169.254.169.254/latest/'
    assert host.run(f"{get}meta-data/instance-id") == host.instance_id
    assert host.run(f"{get}user-data") == USER_DATA.strip()
    credentials = json.loads(host.run(f"{get}meta-data/iam/security-credentials/host"))
    assert credentials["AccessKeyId"].startswith("ASIA")


def test_the_hop_limit_keeps_bridge_containers_from_a_token(estate: Estate) -> None:
    host = estate.host()
    host.run(NESTED)
    assert "200" not in host.container.exec_run(["bash", "-c", PUT_FROM_CONTAINER]).output.decode()
    assert "200" in host.run(PUT_FROM_CONTAINER.replace("--rm", "--rm --network host"))
    estate.cloud.client("ec2").modify_instance_metadata_options(
        InstanceId=host.instance_id, HttpTokens="required", HttpPutResponseHopLimit=2
    )
    until(
        lambda: "200" in host.container.exec_run(["bash", "-c", PUT_FROM_CONTAINER]).output.decode(),
        "the hop limit of 2 to reach the host",
    )


def test_metadata_options_of_the_image_are_recorded_on_the_instance(estate: Estate) -> None:
    assert estate.instances()[0]["MetadataOptions"]["HttpTokens"] == "required"


def test_a_reboot_keeps_the_instance_and_runs_user_data_only_once(estate: Estate) -> None:
    host = estate.host()
    started = host.container.attrs["State"]["StartedAt"]
    host.container.exec_run(["systemctl", "reboot"])
    until(lambda: host.container.attrs["State"]["StartedAt"] != started, "the reboot")
    until(lambda: host.booted(), "the host to boot again")
    assert [instance["InstanceId"] for instance in estate.instances()] == [host.instance_id]
    assert host.run("cat /var/log/boots /var/log/runs") == "boot\nboot\nrun"
    assert host.run("systemctl is-active docker") == "active"


def test_a_stopped_instance_keeps_its_disk_and_runs_a_script_once(estate: Estate) -> None:
    # Not one of a group, which would replace it.
    ec2 = estate.cloud.client("ec2")
    script = "#!/bin/sh\necho script >> /var/lib/kept\n"
    instance = ec2.run_instances(
        ImageId="ami-1", InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=estate.subnets[1], UserData=script
    )["Instances"][0]
    host = Host(estate.cloud, instance)
    until(host.booted, "a host with a script as user data to boot")
    ec2.stop_instances(InstanceIds=[host.instance_id])
    until(lambda: host.container.status == "exited", "the container to stop")
    ec2.start_instances(InstanceIds=[host.instance_id])
    until(host.booted, "the host to boot again")
    assert host.run("cat /var/lib/kept") == "script"
    ec2.terminate_instances(InstanceIds=[host.instance_id])
    until(lambda: len(containers(estate.cloud)) == 1, "the container to go")


def test_a_killed_host_is_replaced_and_leaves_nothing(estate: Estate) -> None:
    host = estate.host()
    volumes = [mount["Name"] for mount in host.container.attrs["Mounts"] if mount["Type"] == "volume"]
    assert volumes
    host.container.kill()
    until(lambda: host.instance_id not in [item["InstanceId"] for item in estate.instances()], "its end in EC2")
    replacement = estate.host()
    assert replacement.instance_id != host.instance_id
    until(lambda: len(containers(estate.cloud)) == 1, "the dead container to go")
    left = {volume.name for volume in estate.cloud.docker.volumes.list()}
    assert not left & set(volumes)
    causes = [
        activity["Cause"]
        for activity in estate.cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=GROUP)[
            "Activities"
        ]
        if activity["Description"] == f"Terminating EC2 instance: {host.instance_id}"
    ]
    assert len(causes) == 1
    assert "EC2 instance status checks failure" in causes[0]


def test_a_removed_container_is_replaced(estate: Estate) -> None:
    host = estate.host()
    host.container.remove(force=True, v=True)
    until(lambda: host.instance_id not in [item["InstanceId"] for item in estate.instances()], "its end in EC2")
    assert estate.host().instance_id != host.instance_id


def test_capacity_is_balanced_over_the_subnets(estate: Estate) -> None:
    estate.scale(2)
    assert {instance["SubnetId"] for instance in estate.instances()} == set(estate.subnets)


def test_the_status_check_passes_once_the_host_answers(estate: Estate) -> None:
    estate.scale(3)
    seen: list[str] = []

    def passed() -> bool:
        statuses = estate.cloud.client("ec2").describe_instance_status()["InstanceStatuses"]
        seen.extend(status["InstanceStatus"]["Status"] for status in statuses)
        return len(statuses) == 3 and all(status["InstanceStatus"]["Status"] == "ok" for status in statuses)

    until(passed, "all status checks")
    assert "initializing" in seen


def test_a_group_scaled_to_zero_leaves_no_container(estate: Estate) -> None:
    estate.scale(0)


def test_a_vpc_out_of_range_is_a_failed_scaling_activity(estate: Estate) -> None:
    cloud = estate.cloud
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="172.20.0.0/24")["Subnet"]["SubnetId"]
    launch(cloud, "elsewhere", [subnet])
    client = cloud.client("autoscaling")

    def failed() -> list[str]:
        activities = client.describe_scaling_activities(AutoScalingGroupName="elsewhere")["Activities"]
        return [activity["StatusMessage"] for activity in activities if activity["StatusCode"] == "Failed"]

    until(lambda: bool(failed()), "a failed scaling activity")
    assert failed()[0].startswith("The VPC range 172.20.0.0/16 lies outside 10.104.0.0/17")
    assert "Set network_cidr" in failed()[0]
    group = client.describe_auto_scaling_groups(AutoScalingGroupNames=["elsewhere"])["AutoScalingGroups"][0]
    assert group["Instances"] == []
    assert containers(cloud) == []
    client.delete_auto_scaling_group(AutoScalingGroupName="elsewhere", ForceDelete=True)

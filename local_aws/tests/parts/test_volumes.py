"""EFS and both volume drivers on two real hosts: one set of files, the drivers' refusals, a server that goes away."""

from __future__ import annotations

import json
import shlex
import tarfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from local_aws import images
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

TAG = "legacy-test"
SETTINGS = f"EFS_TAG={TAG} EFS_REGION=us-east-1 LINUX_VOLUME_FILEMODE=0755"
INSTALL = f"docker plugin install --grant-all-permissions --alias rexray/efs rexray/efs:0.11.4 {SETTINGS}"
USER_DATA = """#cloud-config
write_files:
  - path: /etc/docker/daemon.json
    content: '{"registry-mirrors": ["http://127.0.0.1:%d"]}'
"""


class Host:
    """An EC2 instance's container."""

    def __init__(self, own: OwnServer, instance: str) -> None:
        self._own = own
        self.container = own.docker.containers.get(own.config.container(instance))
        self.image = f"127.0.0.1:{own.config.registry_port}/test/base:1"

    def run(self, command: str, fails: bool = False) -> str:
        """The output of a shell command, which must succeed (or fail)."""
        code, output = self.container.exec_run(["bash", "-c", f"timeout 100 {command}"])
        text: str = output.decode(errors="replace").strip()
        assert (code != 0) == fails, f"{command}: exit {code}\n{text}"
        return text

    def task(self, volume: str, script: str, fails: bool = False) -> str:
        """The output of a shell script in a container with `volume` at /m."""
        return self.run(f"docker run --rm -v {volume}:/m {self.image} sh -c {shlex.quote(script)}", fails)


class Estate:
    """Two subnets with a mount target each of one file system, and a host in each."""

    def __init__(self, own: OwnServer) -> None:
        self.own = own
        ec2, efs, iam = own.client("ec2"), own.client("efs"), own.client("iam")
        iam.create_role(RoleName="host", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="host")
        iam.add_role_to_instance_profile(InstanceProfileName="host", RoleName="host")
        base = str(own.config.network.network_address).rsplit(".", 2)[0]
        vpc = ec2.create_vpc(CidrBlock=f"{base}.0.0/20")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"{base}.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for number, zone in enumerate(("us-east-1a", "us-east-1b"))
        ]
        self.file_system = self.make_file_system(f"{TAG}/media")
        self.targets = [self.add_mount_target(self.file_system, subnet) for subnet in self.subnets]
        self.access_point = efs.create_access_point(
            ClientToken="a",
            FileSystemId=self.file_system,
            RootDirectory={"Path": "/data", "CreationInfo": {"OwnerUid": 0, "OwnerGid": 0, "Permissions": "0755"}},
        )["AccessPointId"]
        self.hosts: list[Host] = []

    def make_file_system(self, name: str) -> str:
        tags = [{"Key": "Name", "Value": name}]
        found: str = self.own.client("efs").create_file_system(CreationToken=name, Tags=tags)["FileSystemId"]
        return found

    def add_mount_target(self, file_system: str, subnet: str) -> str:
        answer = self.own.client("efs").create_mount_target(FileSystemId=file_system, SubnetId=subnet)
        address: str = answer["IpAddress"]
        return address

    def launch(self, subnet: str, tokens: str) -> Host:
        answer = self.own.client("ec2").run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t2.micro", SubnetId=subnet,
            IamInstanceProfile={"Name": "host"}, MetadataOptions={"HttpTokens": tokens},
            UserData=USER_DATA % self.own.config.registry_port,
        )  # fmt: skip
        instance = answer["Instances"][0]["InstanceId"]

        def found() -> Host | None:
            try:
                host = Host(self.own, instance)
            except docker.errors.NotFound:
                return None
            return host if host.container.status == "running" else None

        host: Host = until(found, f"the container of {instance} runs", 30)
        until(lambda: host.container.exec_run("systemctl is-active docker").exit_code == 0, "dockerd is up", 60)
        host.run("cloud-init status --wait")
        return host

    def server(self, file_system: str) -> Any:
        return self.own.docker.containers.get(self.own.config.container(f"efs-{file_system}"))


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with running(5, {"resolver", "registry", "efs", "instances"}) as own:
        client = own.docker
        pushed = f"127.0.0.1:{own.config.registry_port}/test/base"
        client.images.get(images.ensure("base-bookworm")).tag(pushed, "1")
        for line in client.api.push(pushed, "1", stream=True, decode=True):
            assert "error" not in line, line
        client.images.remove(f"{pushed}:1")
        estate = Estate(own)
        estate.hosts = [estate.launch(subnet, "optional") for subnet in estate.subnets]
        for host in estate.hosts:
            host.run(INSTALL)
            host.run(f"docker pull --quiet {host.image}")
        yield estate


def native(estate: Estate, host: Host, name: str, options: str = "", directory: str = "") -> None:
    """Make a volume as the ECS agent does."""
    device = estate.file_system + directory
    given = f"-o type=efs -o device={device}" + (f" -o o={options}" if options else "")
    host.run(f"docker volume create -d amazon-ecs-volume-plugin {given} {name}")


def test_the_plugin_answers_to_the_name_it_was_installed_by(estate: Estate) -> None:
    listed = estate.hosts[0].run("docker plugin ls --format '{{.Name}} {{.Enabled}}'")
    assert listed == "rexray/efs:latest true"
    reference = estate.hosts[0].run("docker plugin inspect -f '{{.PluginReference}}' rexray/efs")
    assert reference == "docker.io/rexray/efs:0.11.4"
    assert "media" in estate.hosts[0].run("docker volume ls -q")


def test_a_setting_that_the_plugin_does_not_have_is_refused(estate: Estate) -> None:
    estate.hosts[0].run("docker plugin disable -f rexray/efs")
    message = estate.hosts[0].run("docker plugin set rexray/efs BOGUS=1", fails=True)
    estate.hosts[0].run("docker plugin enable rexray/efs")
    assert 'setting "BOGUS" not found in the plugin configuration' in message


def test_two_hosts_and_both_drivers_see_the_same_files(estate: Estate) -> None:
    one, two = estate.hosts
    written = "echo text > /m/file; chown 1000:1001 /m/file; chmod 640 /m/file; ln -s file /m/link; mkdir /m/folder"
    one.task("media", written)
    native(estate, two, "native", f"tls,accesspoint={estate.access_point}")
    for host, volume in ((two, "media"), (two, "native")):
        seen = host.task(volume, "stat -c '%n %u %g %a' /m/file; cat /m/link; stat -f -c %T /m")
        assert seen.splitlines() == ["/m/file 1000 1001 640", "text", "fuseblk"], volume
    two.task("native", "echo more >> /m/file; mv /m/file /m/folder/moved")
    assert one.task("media", "cat /m/folder/moved; ls /m") == "text\nmore\nfolder\nlink"
    two.run("docker volume rm native")
    assert one.task("media", "cat /m/folder/moved") == "text\nmore"  # the driver never deletes files


def test_a_host_mounts_through_its_own_subnet(estate: Estate) -> None:
    for host, address in zip(estate.hosts, estate.targets, strict=True):
        assert host.task("media", "df --output=source /m | tail -1") == f"{address}:/"


def test_a_container_without_rights_is_kept_out(estate: Estate) -> None:
    host = estate.hosts[0]
    host.task("media", "echo secret > /m/secret; chmod 600 /m/secret")
    script = "setpriv --reuid 1000 --regid 1000 --clear-groups"
    assert "Permission denied" in host.task("media", f"{script} cat /m/secret 2>&1", fails=True)
    message = host.run(f"docker run --rm -v media:/m:ro {host.image} touch /m/x", fails=True)
    assert "Read-only file system" in message


def test_storage_is_neither_made_nor_deleted_from_a_host(estate: Estate) -> None:
    host = estate.hosts[0]
    made = host.run("docker volume create -d rexray/efs typo", fails=True)
    assert "not authorized to perform: elasticfilesystem:CreateFileSystem" in made
    removed = host.run("docker volume rm media", fails=True)
    assert "not authorized to perform: elasticfilesystem:DeleteMountTarget" in removed
    assert "media" in host.run("docker volume ls -q")


def test_a_mount_target_in_another_subnet_is_no_help(estate: Estate) -> None:
    other = estate.make_file_system(f"{TAG}/other")
    estate.add_mount_target(other, estate.subnets[1])
    assert "elasticfilesystem:CreateMountTarget" in estate.hosts[0].task("other", "true", fails=True)
    estate.hosts[1].task("other", "touch /m/there")


def test_the_native_driver_refuses_a_missing_path(estate: Estate) -> None:
    host = estate.hosts[0]
    native(estate, host, "missing", directory=":/missing")
    message = host.task("missing", "true", fails=True)
    assert "failed, reason given by server: No such file or directory" in message
    host.run("docker volume rm missing")
    host.run("docker volume create -d amazon-ecs-volume-plugin -o type=efs -o device=fs-0 unknown")
    assert 'Failed to resolve "fs-0.efs.us-east-1.amazonaws.com"' in host.task("unknown", "true", fails=True)
    host.run("docker volume rm unknown")


def test_mounts_end_with_their_last_container(estate: Estate) -> None:
    host = estate.hosts[1]
    native(estate, host, "brief", "tls", ":/data")
    host.run(f"docker run -d --name holder -v brief:/m -v media:/n {host.image} sleep 300")
    host.task("brief", "true")
    assert host.run("docker exec holder sh -c 'ls /m | wc -l'") == host.run("docker exec holder sh -c 'ls /n | wc -l'")
    host.run("docker rm -f holder")
    assert host.run("sh -c 'grep -c fuse.nfs /proc/mounts; true'") == "0"
    until(lambda: "efs_client.mount" not in host.run("ps ax"), "the mount processes have ended", 5)
    host.run("docker volume rm brief")


def test_a_server_that_goes_away_is_waited_for(estate: Estate) -> None:
    """As with a hard mount: no error, only time. The part starts the server again."""
    host = estate.hosts[0]
    host.run(f"docker run -d --name writer -v media:/m {host.image} sleep 300")
    host.run("docker exec writer sh -c 'echo before > /m/log'")
    done: list[str] = []
    estate.server(estate.file_system).kill()
    writer = threading.Thread(target=lambda: done.append(host.run("docker exec writer sh -c 'echo after >> /m/log'")))
    writer.start()
    time.sleep(0.5)
    writer.join(90)
    assert done == [""], "the write did not go on"
    assert host.run("docker exec writer cat /m/log") == "before\nafter"
    host.run("docker rm -f writer")
    assert estate.hosts[1].task("media", "cat /m/log") == "before\nafter"


def test_a_restart_of_docker_brings_plugin_and_files_back(estate: Estate) -> None:
    host = estate.hosts[1]
    host.task("media", "echo kept > /m/kept")
    host.run("systemctl restart docker")
    assert host.run("docker plugin ls --format '{{.Enabled}}'") == "true"
    assert host.task("media", "cat /m/kept") == "kept"


def test_required_tokens_keep_the_plugin_from_starting(estate: Estate) -> None:
    host = estate.launch(estate.subnets[0], "required")
    message = host.run(INSTALL, fails=True)
    assert "rexray.sock" in message
    assert host.run("docker plugin ls --format '{{.Enabled}}'") == "false"
    assert "refused a version 1 request" in host.run("journalctl -u docker --no-pager")
    native(estate, host, "native", f"tls,accesspoint={estate.access_point}")  # which speaks version 2
    host.run(f"docker pull --quiet {host.image}")
    host.task("native", "ls /m")


def test_a_backup_is_an_archive_of_the_files_with_their_owners(estate: Estate) -> None:
    host, api = estate.hosts[0], estate.own.client("backup")
    host.task("media", "echo kept > /m/backed-up && chown 33:33 /m/backed-up && chmod 640 /m/backed-up")
    trust = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = estate.own.client("iam").create_role(
        RoleName="copies", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    api.create_backup_vault(BackupVaultName="vault")
    system = estate.own.client("efs").describe_file_systems(FileSystemId=estate.file_system)["FileSystems"][0]
    job = api.start_backup_job(BackupVaultName="vault", ResourceArn=system["FileSystemArn"], IamRoleArn=role)

    def state() -> str:
        return str(api.describe_backup_job(BackupJobId=job["BackupJobId"])["State"])

    until(lambda: state() != "RUNNING", "the files are copied", 30)
    assert state() == "COMPLETED"
    path = estate.own.config.state / "backups" / f"{job['RecoveryPointArn'].rpartition(':')[2]}.tar"
    with tarfile.open(path) as archive:
        (found,) = [each for each in archive.getmembers() if each.name.endswith("/backed-up")]
        content = archive.extractfile(found)
        assert content
        assert content.read() == b"kept\n"
    assert (found.uid, found.gid, found.mode & 0o777) == (33, 33, 0o640)
    api.delete_recovery_point(BackupVaultName="vault", RecoveryPointArn=job["RecoveryPointArn"])
    until(lambda: not path.exists(), "the archive goes with its recovery point", 15)


def test_status_names_each_file_system(estate: Estate) -> None:
    ok, detail = estate.own.status()[f"file system {estate.file_system} {TAG}/media"]
    assert ok
    assert all(address in detail for address in estate.targets)


def test_a_deleted_file_system_leaves_nothing(estate: Estate) -> None:
    gone = estate.make_file_system("gone")
    name = estate.own.config.container(f"efs-{gone}")
    until(
        lambda: name in [c.name for c in estate.own.docker.containers.list(ignore_removed=True)], "its server runs", 15
    )
    estate.own.client("efs").delete_file_system(FileSystemId=gone)
    until(
        lambda: name not in [c.name for c in estate.own.docker.containers.list(all=True, ignore_removed=True)],
        "its server is gone",
        15,
    )
    until(lambda: name not in [v.name for v in estate.own.docker.volumes.list()], "its volume is gone", 5)

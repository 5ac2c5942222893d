"""EC2 instances as containers: systemd, a Docker engine of their own, real cloud-init, and a metadata service.

moto keeps the record of every instance and of its Auto Scaling group; this part makes a host for each, with the
instance's private address, and tells EC2 when a host died, so that its group launches another.
"""

from __future__ import annotations

import functools
import io
import ipaddress
import json
import socket
import tarfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.exceptions
import docker
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto.ec2.models import ec2_backends

from local_aws import ca, images
from local_aws.access import roles
from local_aws.cloud import Cloud
from local_aws.config import ACCOUNT_ID, REGION
from local_aws.part import Health, Part
from local_aws.patches import autoscaling
from local_aws.patches import ec2 as ec2_patch
from local_aws.real_agent import placing

INSTANCE_LABEL = "berth.instance-id"
GIVEN = "/var/lib/local-aws"
ALIVE = frozenset({"pending", "running"})
KEPT = ALIVE | {"stopping", "stopped"}
DEAD_ROUNDS = 2
"""Rounds in a row in which a host must be found dead; a reboot passes through `exited` for a moment."""
REACHABILITY_SECONDS = 0.2
SSH_PORT = 22
SHUTDOWN_SECONDS = 10
ADDRESS_SECONDS = 2.0 * SHUTDOWN_SECONDS
RETRY_SECONDS = 30.0
"""After a failed launch an Auto Scaling group tries again, as on AWS."""
HEALTH_SECONDS = 5.0
AMAZON_LINUX_2 = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id"
IMDS_DEFAULTS = {
    "amazon-linux-2": {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1},
    "amazon-linux-2023": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
}
"""Metadata options where the launch source says nothing. Amazon Linux 2023's AMIs carry ImdsSupport=v2.0:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html"""
CONSOLE_LINES = 2000
FLAGS: dict[str, Any] = {
    "tty": True,  # /dev/console, where systemd and boot reports write; the engine's log of it is EC2's console output
    "log_config": docker.types.LogConfig(type="json-file", config={"max-size": "1m", "max-file": "2"}),
    "cgroupns": "private",
    "cap_add": ["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "devices": ["/dev/fuse"],
    "device_cgroup_rules": ["a *:* rwm"],
    "tmpfs": {"/run": "exec", "/run/lock": "", "/tmp": "exec"},  # noqa: S108 - mount points in the container
}
"""The fewest with which systemd, nested containers and managed volume plugins work without `--privileged`."""
HEALTH_COMMAND = (
    "cat /run/cloud-init/result.json 2>/dev/null || echo '{}'; echo; "
    "systemctl is-active docker ecs 2>/dev/null; test -e /etc/cloud/cloud-init.disabled && echo disabled"
)


class LaunchError(Exception):
    """A host cannot be made for an instance; the message is the reason that its scaling activity shows."""


class Instances(Part):
    """Keeps one container for each EC2 instance of region us-east-1 that is pending or running."""

    name = "instances"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._image = ""
        self._public_key = ""
        self._authority = b""
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="host")
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._launched: dict[str, dict[str, Any]] = {}  # instance id → metadata that its host has
        self._stopped: set[str] = set()
        self._dead: dict[str, int] = {}
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._health: dict[str, tuple[float, Health]] = {}
        self._memory: dict[str, int] = {}

    # The part

    def prepare(self) -> None:
        """Build the host image and import the key pair `berth-<name>`, so that a launch takes seconds."""
        self._image = images.ensure(self.cloud.host_image)
        if self.cloud.ecs_agent:
            placing.prepare(self.cloud.ecs_agent, self._agent_folder)
        self._public_key = self._key_pair()
        self._authority = ca.authority(self.cloud).certificate_path.read_bytes()
        ec2_patch.consoles[:] = [self.console]
        ec2_patch.launched[:] = [self.wake]

    @property
    def _agent_folder(self) -> Path:
        """What each host has of an agent that is not the stand-in."""
        return self.cloud.config.state / "ecs-agent"

    def console(self, instance_id: str) -> bytes:
        """What a host wrote to its console since it was made; nothing if there is none yet or any more."""
        try:
            return bytes(self._container(instance_id).logs(tail=CONSOLE_LINES))
        except docker.errors.APIError:
            return b""

    def reconcile(self) -> None:
        """Launch, remove and check hosts; what takes time is done in threads."""
        with autoscaling.launching:
            instances = {
                instance["InstanceId"]: instance
                for reservation in self.cloud.look("ec2", "describe_instances")["Reservations"]
                for instance in [reservation["Instances"][0] | {"ReservationId": reservation["ReservationId"]}]
                if instance["State"]["Name"] in KEPT
            }
        containers = self._containers()
        for instance_id in containers.keys() - instances.keys():
            self._in_thread(instance_id, functools.partial(self._remove, instance_id))
        for instance_id, instance in instances.items():
            if instance_id not in self._busy:
                self._reconcile_one(instance_id, instance, containers.get(instance_id))
        if time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            autoscaling.retry(self.cloud.changes.happening)

    def health(self) -> list[Health]:
        """A line a host; a host is asked at most every few seconds."""
        lines = []
        for instance_id, metadata in sorted(self._launched.items()):
            asked, line = self._health.get(instance_id, (0.0, None))
            if line is None or time.monotonic() - asked > HEALTH_SECONDS:
                line = self._ask(instance_id, metadata)
                self._health[instance_id] = (time.monotonic(), line)
            lines.append(line)
        return lines

    def close(self) -> None:
        """Let launches under way end, so that `down` sees their containers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    # One host

    def _reconcile_one(self, instance_id: str, instance: dict[str, Any], state: str | None) -> None:
        should_run = instance["State"]["Name"] in ALIVE
        if state is None and instance_id not in self._launched:
            if should_run:
                self._in_thread(instance_id, lambda: self._launch(instance))
            return
        if not should_run:
            if state == "running":
                self._stopped.add(instance_id)
                self._in_thread(instance_id, lambda: self._container(instance_id).stop(timeout=SHUTDOWN_SECONDS))
            return
        if instance_id in self._stopped:
            self._stopped.discard(instance_id)
            self._in_thread(instance_id, lambda: self._container(instance_id).start())
            return
        if state in ("running", "restarting", "created"):
            self._dead.pop(instance_id, None)
            self._check_reachability(instance)
            self._refresh(instance)
            return
        self._dead[instance_id] = self._dead.get(instance_id, 0) + 1
        if self._dead[instance_id] >= DEAD_ROUNDS:
            what = "has exited" if state else "is gone"
            self._in_thread(instance_id, lambda: self._replace(instance_id, what))

    def _launch(self, instance: dict[str, Any]) -> None:
        instance_id = instance["InstanceId"]
        started = time.monotonic()
        _record(instance_id).reachability = "initializing"
        try:
            self._check_address(instance)
            self._apply_metadata_options(instance)
            metadata = self._metadata(instance)
            self._start(instance, metadata)
        except Exception as error:  # whatever it is, AWS too would call it a failed launch and try again
            if not isinstance(error, LaunchError | docker.errors.APIError | botocore.exceptions.ClientError):
                self.log.exception("launching %s", instance_id)
            self._remove(instance_id)
            self._abandon(instance, str(getattr(error, "explanation", None) or error))
            return
        self._launched[instance_id] = metadata
        self.cloud.publish(metadata["hostname"], [metadata["private_ip"]])
        self.log.info(
            "host %s at %s started in %.1f s", instance_id, metadata["private_ip"], time.monotonic() - started
        )

    def _check_reachability(self, instance: dict[str, Any]) -> None:
        """Let EC2's status check pass once the host accepts connections to sshd."""
        record = _record(instance["InstanceId"])
        if getattr(record, "reachability", "passed") == "passed":
            return
        with socket.socket() as probe:
            probe.settimeout(REACHABILITY_SECONDS)
            if probe.connect_ex((instance["PrivateIpAddress"], SSH_PORT)) == 0:
                record.reachability = "passed"

    def _check_address(self, instance: dict[str, Any]) -> None:
        allowed = self.cloud.config.vpc_range
        if ipaddress.ip_address(instance["PrivateIpAddress"]) not in allowed:
            vpc = self.cloud.client("ec2").describe_vpcs(VpcIds=[instance["VpcId"]])["Vpcs"][0]["CidrBlock"]
            raise LaunchError(
                f"The VPC range {vpc} lies outside {allowed}, the range of the embedded AWS "
                f"{self.cloud.config.name!r}. Set network_cidr to a range or network_vpc_id to a VPC within {allowed}."
            )

    def _start(self, instance: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Create the container, give it what it reads at its start, and start it."""
        engine = self.cloud.docker
        network = self.cloud.config.network_name
        memory = self._memory_bytes(metadata["instance_type"])
        container = engine.containers.create(
            self._image,
            name=self.cloud.config.container(instance["InstanceId"]),
            hostname=metadata["hostname"].split(".")[0],
            labels=self.cloud.labels | {INSTANCE_LABEL: instance["InstanceId"]},
            network=network,
            networking_config={
                network: engine.api.create_endpoint_config(
                    ipv4_address=metadata["private_ip"], aliases=[metadata["hostname"]]
                )
            },
            mac_address=metadata["mac"],
            **FLAGS,
            **(placing.mounts(self._agent_folder) if self.cloud.ecs_agent else {}),
            mem_limit=memory,
            memswap_limit=memory,
            restart_policy={"Name": "unless-stopped"},  # a reboot ends the container
        )
        self._put(container, metadata)
        if self.cloud.ecs_agent:
            container.put_archive(placing.UNITS, placing.unit())
        deadline = time.monotonic() + ADDRESS_SECONDS
        while True:
            try:
                container.start()
                return
            except docker.errors.APIError as error:
                # EC2 gives an address out again at once; the host that had it may still be shutting down.
                if "Address already in use" not in str(error.explanation) or time.monotonic() > deadline:
                    raise
            time.sleep(0.5)

    def _put(self, container: Any, metadata: dict[str, Any]) -> None:
        files = {
            "metadata.json": json.dumps(metadata, indent=1).encode(),
            "ca.pem": self._authority,
            "agent.env": f"TELEMETRY_SECONDS={self.cloud.config.telemetry_seconds}\n".encode(),
        }
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(f"{GIVEN.rpartition('/')[2]}/{name}")
                entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
                tar.addfile(entry, io.BytesIO(content))
        container.put_archive(GIVEN.rpartition("/")[0], archive.getvalue())

    def _refresh(self, instance: dict[str, Any]) -> None:
        """Hand tags, security groups and metadata options that changed on the instance to its metadata service."""
        had = self._launched.get(instance["InstanceId"])
        if had is None:
            return
        now = had | self._live(instance)
        if now != had:
            self._put(self._container(instance["InstanceId"]), now)
            self._launched[instance["InstanceId"]] = now

    def _remove(self, instance_id: str) -> None:
        metadata = self._launched.pop(instance_id, None)
        self._dead.pop(instance_id, None)
        self._health.pop(instance_id, None)
        self._stopped.discard(instance_id)
        if metadata:
            self.cloud.publish(metadata["hostname"], [])
        try:
            container = self._container(instance_id)
            container.stop(timeout=SHUTDOWN_SECONDS)  # a terminated instance shuts down, it is not cut off
            container.remove(force=True, v=True)
        except docker.errors.NotFound:
            return  # removed by hand
        except docker.errors.APIError as error:
            if error.status_code != 409:  # "removal … is already in progress"
                raise

    def _abandon(self, instance: dict[str, Any], reason: str) -> None:
        """Take back an instance that could not be launched: its scaling activity fails, and its group tries again."""
        instance_id = instance["InstanceId"]
        self.log.error("instance %s could not be launched: %s", instance_id, reason)
        with self.cloud.changes.happening():
            record = _record(instance_id)
            group = getattr(record, "autoscaling_group", None)
            if group:
                # Not through the API: it would launch the next one at once, to fail again.
                group.instance_states = [state for state in group.instance_states if state.instance.id != instance_id]
                record.autoscaling_group = None
                message = f"{reason} Launching EC2 instance failed."
                _amend_activity(group, f"Launching a new EC2 instance: {instance_id}", "Failed", StatusMessage=message)
            ec2_backends[ACCOUNT_ID][REGION].terminate_instances([instance_id])

    def _replace(self, instance_id: str, what: str) -> None:
        """Terminate the instance of a dead host; its group launches another."""
        self.log.warning("host %s: its container %s; the instance is terminated", instance_id, what)
        record = _record(instance_id)
        record.reachability = "failed"
        group = getattr(record, "autoscaling_group", None)
        self.cloud.client("ec2").terminate_instances(InstanceIds=[instance_id])
        if group:
            cause = (
                f"instance {instance_id} was taken out of service in response to an EC2 instance status checks failure."
            )
            _amend_activity(group, f"Terminating EC2 instance: {instance_id}", "Successful", Cause=cause)
        self._remove(instance_id)

    # What the instance is told about itself

    def _launch_source(self, instance_id: str) -> dict[str, Any] | None:
        """The launch template data or launch configuration that an instance of a group came from."""
        client = self.cloud.client("autoscaling")
        members = client.describe_auto_scaling_instances(InstanceIds=[instance_id])["AutoScalingInstances"]
        if not members:
            return None
        found: list[dict[str, Any]]
        if "LaunchTemplate" in members[0]:
            template = members[0]["LaunchTemplate"]
            found = self.cloud.client("ec2").describe_launch_template_versions(
                LaunchTemplateId=template["LaunchTemplateId"], Versions=[template["Version"]]
            )["LaunchTemplateVersions"]
            return dict(found[0]["LaunchTemplateData"]) if found else None
        found = client.describe_launch_configurations(LaunchConfigurationNames=[members[0]["LaunchConfigurationName"]])[
            "LaunchConfigurations"
        ]
        return found[0] if found else None

    def _apply_metadata_options(self, instance: dict[str, Any]) -> None:
        """Record on the instance what its launch source and its AMI make of the metadata options.

        A single instance keeps what EC2 recorded: its call can no longer be seen.
        """
        source = self._launch_source(instance["InstanceId"])
        if source is None:
            return
        options = self._image_defaults(instance["ImageId"]) | {
            key: value for key, value in (source.get("MetadataOptions") or {}).items() if value not in (None, "")
        }
        allowed = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags")
        options = {key: value for key, value in options.items() if key in allowed}
        client = self.cloud.client("ec2")
        client.modify_instance_metadata_options(InstanceId=instance["InstanceId"], **options)
        described = client.describe_instances(InstanceIds=[instance["InstanceId"]])
        instance["MetadataOptions"] = described["Reservations"][0]["Instances"][0]["MetadataOptions"]

    def _image_defaults(self, image_id: str) -> dict[str, Any]:
        try:
            legacy = self.cloud.client("ssm").get_parameter(Name=AMAZON_LINUX_2)["Parameter"]["Value"]
        except botocore.exceptions.ClientError:
            legacy = ""  # no such public parameter any more
        return IMDS_DEFAULTS["amazon-linux-2" if image_id == legacy else "amazon-linux-2023"]

    def _live(self, instance: dict[str, Any]) -> dict[str, Any]:
        """The part of the metadata that can change while the instance runs."""
        options = instance.get("MetadataOptions") or {}
        return {
            "metadata_options": {
                "http_tokens": options.get("HttpTokens", "optional"),
                "hop_limit": int(options.get("HttpPutResponseHopLimit", 1)),
                "http_endpoint": options.get("HttpEndpoint", "enabled"),
                "instance_metadata_tags": options.get("InstanceMetadataTags", "disabled"),
            },
            "security_groups": [
                {"id": group["GroupId"], "name": group["GroupName"]} for group in instance.get("SecurityGroups", [])
            ],
            "tags": _tags(instance),
        }

    def _metadata(self, instance: dict[str, Any]) -> dict[str, Any]:
        ec2 = self.cloud.client("ec2")
        address = instance["PrivateIpAddress"]
        subnet = ec2.describe_subnets(SubnetIds=[instance["SubnetId"]])["Subnets"][0]
        vpc = ec2.describe_vpcs(VpcIds=[instance["VpcId"]])["Vpcs"][0]
        user_data = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
        mac = "02:42:" + ":".join(f"{int(byte):02x}" for byte in address.split("."))
        self._record_mac(instance["InstanceId"], mac)
        config = self.cloud.config
        return self._live(instance) | {
            "account_id": ACCOUNT_ID,
            "ami_id": instance["ImageId"],
            "architecture": instance.get("Architecture", "x86_64"),
            "availability_zone": subnet["AvailabilityZone"],
            "availability_zone_id": subnet["AvailabilityZoneId"],
            "hostname": f"ip-{address.replace('.', '-')}.ec2.internal",
            "instance_id": instance["InstanceId"],
            "instance_type": instance["InstanceType"],
            "launch_time": instance["LaunchTime"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "mac": mac,
            "network_interface_id": instance["NetworkInterfaces"][0]["NetworkInterfaceId"],
            "private_ip": address,
            "public_hostname": instance.get("PublicDnsName"),
            "public_ip": instance.get("PublicIpAddress"),
            "public_keys": self._public_keys(instance.get("KeyName")),
            "region": REGION,
            "registry": {"port": config.registry_port, "address": f"{config.registry_address}:5000"},
            "reservation_id": instance["ReservationId"],
            "resolver": config.resolver,
            "role": self._role(instance),
            "subnet_cidr": subnet["CidrBlock"],
            "subnet_id": subnet["SubnetId"],
            "user_data": user_data["UserData"].get("Value"),
            "vpc_cidr": vpc["CidrBlock"],
            "vpc_id": vpc["VpcId"],
        }

    def _record_mac(self, instance_id: str, mac: str) -> None:
        """Let EC2 report the hardware address that the host really has."""
        _record(instance_id).nics[0].mac_address = mac

    def _role(self, instance: dict[str, Any]) -> dict[str, str] | None:
        """Name and session credentials of the instance's role."""
        profile = instance.get("IamInstanceProfile", {}).get("Arn")
        if not profile:
            return None
        found = self.cloud.client("iam").get_instance_profile(InstanceProfileName=profile.rpartition("/")[2])[
            "InstanceProfile"
        ]
        if not found["Roles"]:
            return None
        role = found["Roles"][0]
        try:
            credentials = roles.assume(self.cloud, role["Arn"], instance["InstanceId"], roles.EC2)
        except roles.RoleRefused as refused:
            self.log.warning("%s has no credentials: %s", instance["InstanceId"], refused)
            return None
        return {
            "name": role["RoleName"],
            "profile_arn": found["Arn"],
            "profile_id": found["InstanceProfileId"],
            "access_key_id": credentials["AccessKeyId"],
            "secret_access_key": credentials["SecretAccessKey"],
            "session_token": credentials["SessionToken"],
        }

    def _public_keys(self, key_name: str | None) -> list[dict[str, str]]:
        """The instance's key pair, and always ours: on this machine one may look into every host."""
        ours = {"name": f"berth-{self.cloud.config.name}", "key": self._public_key}
        if not key_name or key_name == ours["name"]:
            return [ours]
        pairs = self.cloud.client("ec2").describe_key_pairs(
            Filters=[{"Name": "key-name", "Values": [key_name]}], IncludePublicKey=True
        )["KeyPairs"]
        if not pairs:
            raise LaunchError(f"The key pair '{key_name}' does not exist")
        return [{"name": key_name, "key": pairs[0]["PublicKey"]}, ours]

    def _memory_bytes(self, instance_type: str) -> int:
        if instance_type not in self._memory:
            types = self.cloud.client("ec2").describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]
            self._memory[instance_type] = types[0]["MemoryInfo"]["SizeInMiB"] * 2**20
        return self._memory[instance_type]

    # The engine

    def _containers(self) -> dict[str, str]:
        """Instance id → state of its container, as the engine calls it."""
        labels = [f"{key}={value}" for key, value in self.cloud.labels.items()] + [INSTANCE_LABEL]
        found = self.cloud.docker.api.containers(all=True, filters={"label": labels})
        return {container["Labels"][INSTANCE_LABEL]: container["State"] for container in found}

    def _container(self, instance_id: str) -> Any:
        return self.cloud.docker.containers.get(self.cloud.config.container(instance_id))

    def _in_thread(self, instance_id: str, work: Callable[[], Any]) -> None:
        """Do something with one host in a thread, one thing at a time."""
        with self._lock:
            if instance_id in self._busy:
                return
            self._busy.add(instance_id)

        def run() -> None:
            try:
                work()
            except Exception:  # the next round sees the same difference and tries again
                self.log.exception("host %s", instance_id)
            finally:
                with self._lock:
                    self._busy.discard(instance_id)

        self._pool.submit(run)

    def _ask(self, instance_id: str, metadata: dict[str, Any]) -> Health:
        name = f"host {instance_id}"
        where = f"{metadata['private_ip']} {metadata['availability_zone']}"
        try:
            container = self._container(instance_id)
            if container.status != "running":
                return Health(name, False, f"{where}: its container is {container.status}")
            lines = container.exec_run(["sh", "-c", HEALTH_COMMAND]).output.decode().strip().split("\n")
        except docker.errors.APIError as error:
            return Health(name, False, f"{where}: {error.explanation}")
        return _judge(name, where, lines)

    def _key_pair(self) -> str:
        """Make the key of `<state>/ssh` at first use and import it as the key pair `berth-<name>`."""
        path = self.cloud.config.state / "ssh" / "id_ed25519"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            key = Ed25519PrivateKey.generate()
            public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            path.with_suffix(".pub").write_bytes(public + f" berth-{self.cloud.config.name}\n".encode())
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            )
            ca.write_private(path, private.decode())
        public_key = path.with_suffix(".pub").read_text().strip()
        client = self.cloud.client("ec2")
        name = f"berth-{self.cloud.config.name}"
        if not client.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [name]}])["KeyPairs"]:
            client.import_key_pair(KeyName=name, PublicKeyMaterial=public_key.encode())
        return public_key


def _record(instance_id: str) -> Any:
    """moto's own object of an instance, for what its API cannot change."""
    return ec2_backends[ACCOUNT_ID][REGION].get_instance(instance_id)


def _amend_activity(group: Any, description: str, status: str, **fields: str) -> None:
    """Correct the scaling activity that a group recorded when it had only the API's view of it."""
    for activity in getattr(group, "scaling_activities", []):
        if activity["Description"] == description:
            activity.update(fields | {"StatusCode": status})
            return
    autoscaling.record(group, description, fields.get("Cause", ""), status, fields.get("StatusMessage", ""))


def _judge(name: str, where: str, lines: list[str]) -> Health:
    """Make a line of `status` from the output of HEALTH_COMMAND."""
    services = [line for line in lines if line in ("active", "activating", "inactive", "failed", "unknown")][-2:]
    disabled = lines[-1] == "disabled"
    text = "\n".join(lines[: len(lines) - len(services) - disabled]).strip() or "{}"
    try:
        result = json.loads(text).get("v1", {})
    except ValueError:
        return Health(name, False, f"{where}: does not answer: {text}")
    errors = result.get("errors", [])
    boot = "failed" if errors else "done" if result else "off" if disabled else "running"
    docker_state, agent_state = (*services, "unknown", "unknown")[:2]
    detail = f"{where}: cloud-init {boot}, docker {docker_state}, agent {agent_state}"
    if errors:
        detail += f" ({errors[0]})"
    return Health(name, boot in ("done", "off") and docker_state == "active" and agent_state == "active", detail)


def _tags(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}

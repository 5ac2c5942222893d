"""The site from nothing to gone, as a person would bring it up, look at it, break it and tear it down.

The tests of this file build on each other and run in the order they stand in.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page, expect

from local_aws import images
from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.tests.until import until
from plugins.plugin_utils.backups.drills import Drills, span
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.lock import TTL_VARIABLE, Holder
from plugins.plugin_utils.tunnel import answer
from scripts import operator_policy
from scripts.acceptance import steps
from scripts.rights import calls
from tests.e2e import browser, damage, leaks
from tests.e2e.conftest import CALLS, CONFIG, Run, environment, local_aws, playbook, succeed, typed

SCREEN_LINES = 50
"""What a run without a change may take of a screen."""
pytestmark = pytest.mark.docker

SITE = "legacy-test"
URL = f"https://legacy.test.berth.localhost:{CONFIG.https_port}"
AUTHORITY = CONFIG.state / "ca" / "ca.pem"
IMAGE = Path(__file__).parent / "harbour.png"
NATIVE = ["-e", json.dumps({"site_volumes": {"media": {"driver": "efs", "uid": 1000, "gid": 1000}}})]
SAFE = [*NATIVE, "-e", "host_launch_source=launch_template", "-e", "host_imds_tokens=required"]
"""What `group_vars/all` chooses where the inventory `test`, as the card, chooses otherwise."""

KEPT_SECRETS = (("database-main", "password"), ("secret-admin", "password"), ("secret-django", "secret_key"))
"""Layer and key of each secret that the site has made."""

PATIENCE = 5
"""Seconds for which a visitor waits for a page before it counts as failed."""


def secret(cloud: Cloud, layer: str) -> dict[str, str]:
    """What is in the secret of a layer's stack."""
    name = outputs(cloud, layer)["SecretArn"]
    values: dict[str, str] = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return values


def hosts(cloud: Cloud) -> list[dict[str, Any]]:
    """The cluster's connected container instances."""
    ecs = cloud.client("ecs")
    arns = ecs.list_container_instances(cluster=SITE)["containerInstanceArns"]
    if not arns:
        return []
    described = ecs.describe_container_instances(cluster=SITE, containerInstances=arns)["containerInstances"]
    return [host for host in described if host["agentConnected"] and host["status"] == "ACTIVE"]


def service(cloud: Cloud) -> dict[str, Any]:
    """The site's one service; somebody else's may be in the cluster as well."""
    ecs = cloud.client("ecs")
    (arn,) = (each for each in ecs.list_services(cluster=SITE)["serviceArns"] if f"/{SITE}-" in each)
    found: dict[str, Any] = ecs.describe_services(cluster=SITE, services=[arn])["services"][0]
    return found


def outputs(cloud: Cloud, layer: str) -> dict[str, str]:
    """Outputs of a layer's stack."""
    stack = cloud.client("cloudformation").describe_stacks(StackName=f"{SITE}-{layer}")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def served(path: str, seconds: int = 20) -> bytes:
    """What the site answers to a GET within so many seconds, nothing unless it is a 200."""
    done = subprocess.run(
        ["curl", "--silent", "--fail", "--max-time", str(seconds), "--cacert", str(AUTHORITY), f"{URL}{path}"],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else b""


@dataclass
class Visits:
    """What a visitor who asked again and again was answered.

    Attributes:
        answered: requests that got their page.
        failed: the time of day of each that did not within `PATIENCE` seconds.
    """

    answered: int = 0
    failed: list[str] = field(default_factory=list)


@contextmanager
def visited(path: str) -> Iterator[Visits]:
    """A visitor of the site who asks for `path` about five times a second while the block runs."""
    visits, over = Visits(), threading.Event()

    def visit() -> None:
        while not over.wait(0.1):
            if served(path, PATIENCE):
                visits.answered += 1
            else:
                visits.failed.append(time.strftime("%H:%M:%S"))

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        yield visits
    finally:
        over.set()
        visitor.join()


def uploaded() -> str:
    """Address of the uploaded image, as the front page shows it."""
    found = re.search(r'src="(/media/[^"]+harbour[^"]*)"', served("/").decode())
    assert found, "the front page shows no uploaded image"
    return found.group(1)


def host_container(cloud: Cloud) -> Any:
    """The container of the only host."""
    (host,) = hosts(cloud)
    return cloud.docker.containers.get(CONFIG.container(host["ec2InstanceId"]))


def on_host(cloud: Cloud, command: str) -> str:
    """Output of a shell command on the only host."""
    return in_container(host_container(cloud), command)


def in_container(container: Any, command: str) -> str:
    """Output of a shell command in a container: a host's whose agent is away is no host of the cluster.

    The command runs again, twice at most, where its output does not end as it should: under load the Docker engine now
    and then loses what a short command wrote (https://github.com/moby/moby/issues/27289), and says 0 all the same.
    """
    end = "[end of the output]"
    for _ in range(3):
        status, output = container.exec_run(["sh", "-c", f"{command} && printf '%s' '{end}'"])
        assert status == 0, output.decode()
        text: str = output.decode()
        if text.endswith(end):
            return text.removesuffix(end)
    raise AssertionError(f"Docker lost the output of {command} three times; the last was {text!r}")


def kill_host(cloud: Cloud) -> None:
    """Kill the host's container, as a machine dies, and wait until another host serves the site."""
    before = host_container(cloud)
    before.kill()
    until(
        lambda: [host for host in hosts(cloud) if host["ec2InstanceId"] not in before.name],
        "another host in the cluster",
        180,
    )
    until(lambda: served("/healthz"), "the site on the new host", 180)


def stack_statuses(cloud: Cloud) -> dict[str, str]:
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in stacks}


def test_check_mode_on_a_bare_estate_shows_a_plan_and_makes_nothing(cloud: Cloud) -> None:
    run = succeed(playbook("site.yml", "--check", "--diff"))
    assert f"+ stack {SITE}-network" in run.output
    assert stack_statuses(cloud) == {}


@pytest.mark.usefixtures("images")
def test_an_interrupted_run_is_finished_by_the_next(cloud: Cloud) -> None:
    """Interrupt while stacks are being made, as Ctrl-C does, then run again: that run also is the first full one."""
    process = subprocess.Popen(
        ["ansible-playbook", "site.yml", "-i", "test"], cwd=PROJECT, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # Not the ledger's, which comes before all others: what the run has locked it is to let go.
    in_progress = (f"{SITE}-network", "CREATE_IN_PROGRESS")
    until(lambda: in_progress in stack_statuses(cloud).items(), "the network in progress", 120)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)
    assert process.returncode != 0
    started = time.monotonic()
    succeed(playbook("site.yml"))
    print(f"site.yml from the interrupted state: {time.monotonic() - started:.0f} s")


@pytest.mark.usefixtures("cloud")
def test_the_second_run_changes_nothing_in_few_tasks() -> None:
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output
    assert run.output.count("\nTASK [") <= 20, run.output
    assert len(run.output.splitlines()) <= SCREEN_LINES, run.output


@pytest.mark.usefixtures("cloud")
def test_check_mode_on_the_built_estate_finds_nothing_to_do() -> None:
    run = succeed(playbook("site.yml", "--check", "--diff"))
    assert run.changed == 0, run.output


def the_ledger(cloud: Cloud) -> Ledger:
    found = Ledger.find(lambda service: cloud.client(service), SITE)
    assert found
    return found


def test_the_ledger_says_what_was_done_and_how_it_ended(cloud: Cloud) -> None:
    newest, first, interrupted = the_ledger(cloud).entries()
    assert (interrupted["outcome"], interrupted["reason"]) == ("failed", "the run was interrupted")
    for entry in (first, newest):
        assert (entry["verb"], entry["outcome"], entry["reason"]) == ("site", "good", ""), entry
        assert entry["services"]["web"]["task_definition"] == service(cloud)["taskDefinition"]
        assert set(entry["services"]["web"]["images"]) == {"legacy-site/django", "legacy-site/nginx"}
        assert entry["release"]
    assert (first["jobs"]["migrate"]["run"], first["jobs"]["migrate"]["exit_code"]) == (True, 0)
    assert newest["jobs"]["migrate"]["run"] is False, "it has run for this revision"
    assert the_ledger(cloud).lock.read() is None
    shown = succeed(playbook("releases.yml")).output
    # The second has released nothing new, and the one that was interrupted did not come to a release.
    (row,) = re.findall(r"^\d{4}-\d\d-\d\d \d\d:\d\d +(site.*)$", shown, re.MULTILINE)
    assert "live, good" in row
    assert " there " in row


def test_the_images_run_by_their_digests_and_no_lifecycle_rule_takes_them(cloud: Cloud) -> None:
    ecr, runs = cloud.client("ecr"), service(cloud)["taskDefinition"]
    definition = cloud.client("ecs").describe_task_definition(taskDefinition=runs)["taskDefinition"]
    assert len(definition["containerDefinitions"]) == 2
    for container in definition["containerDefinitions"]:
        name, _, digest = container["image"].partition("@")
        repository, tag = name.partition("/")[2], container["dockerLabels"]["berth.tag"]
        (found,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])["imageDetails"]
        assert sorted(found["imageTags"]) == sorted([tag, f"keep-{tag}"])
        ecr.start_lifecycle_policy_preview(repositoryName=repository)
        assert ecr.get_lifecycle_policy_preview(repositoryName=repository)["previewResults"] == []


def test_a_verb_beside_a_held_lock_refuses_and_says_who_holds_it(cloud: Cloud) -> None:
    anna = Holder(run="other", verb="site", who="anna", where="laptop", started="2026-11-27T10:02:00Z")
    held = the_ledger(cloud).lock.take(anna)
    before = service(cloud)["taskDefinition"]
    run = playbook("restart.yml")
    assert run.status != 0
    told = " ".join(run.output.split())
    assert f"{SITE} is locked: site by anna@laptop since" in told
    assert "ansible-playbook unlock.yml -i test -e confirm=anna@laptop" in told
    succeed(playbook("site.yml", "--check"))
    assert "does not hold it" in " ".join(playbook("unlock.yml", "-e", "confirm=ben@laptop").output.split())
    assert the_ledger(cloud).lock.renew(held)
    succeed(playbook("unlock.yml", "-e", "confirm=anna@laptop"))
    assert the_ledger(cloud).lock.read() is None
    assert service(cloud)["taskDefinition"] == before


def test_a_plan_says_what_would_change_and_changes_nothing(cloud: Cloud, tmp_path: Path) -> None:
    before = stack_statuses(cloud)
    run = succeed(playbook("plan.yml"))
    assert f"Plan of {SITE}: Nothing to change." in run.output
    assert run.changed == 0, run.output

    given = json.dumps(changed("nginx", stop_grace_period="47s") | databases(patch={"Database.DBName": "other"}))
    path = tmp_path / "plan.json"
    run = playbook("plan.yml", "-e", given, "-e", "format=json", "-e", f"output={path}")
    assert run.status == 3, run.output
    plan = json.loads(path.read_text())
    changing = {each["layer"]: each for each in plan["stacks"] if each["action"] != "nothing"}
    assert set(changing) == {"database.main", "service.web"}
    assert [each["resource"] for each in plan["losses"]] == ["Database"]
    (container,) = changing["service.web"]["containers"]
    assert (container["name"], [each["after"] for each in container["values"]]) == ("nginx", ["47"])
    for layer, key in KEPT_SECRETS:
        assert secret(cloud, layer)[key] not in run.output, layer

    assert stack_statuses(cloud) == before
    assert succeed(playbook("site.yml", "--check", "--diff")).changed == 0


def test_no_secret_reaches_the_output_and_no_value_is_masked(cloud: Cloud) -> None:
    run = succeed(playbook("site.yml", "-vv"))
    for layer, key in KEPT_SECRETS:
        assert secret(cloud, layer)[key] not in run.output, layer
    for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]:
        for parameter in stack.get("Parameters", []):
            assert "****" not in parameter.get("ParameterValue", ""), parameter["ParameterKey"]


def test_what_the_network_layer_made(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    made = outputs(cloud, "network")
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made["VpcId"]]}])["Subnets"]
    assert len(subnets) == 4
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    hosts_rules = rules(cloud, made["HostSecurityGroupId"])
    assert not [rule for rule in hosts_rules if rule.get("IpRanges")], "hosts are open to an address range"
    assert not [rule for rule in hosts_rules if rule["FromPort"] == 22]


def rules(cloud: Cloud, group: str) -> list[dict[str, Any]]:
    """What a security group lets in."""
    found = cloud.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    permissions: list[dict[str, Any]] = found[0]["IpPermissions"]
    return permissions


def test_what_the_database_and_the_volume_made(cloud: Cloud) -> None:
    made = outputs(cloud, "database-main")
    (database,) = cloud.client("rds").describe_db_instances(DBInstanceIdentifier=made["InstanceId"])["DBInstances"]
    assert database["StorageEncrypted"]
    assert database["DeletionProtection"], "not switched on after the first create"
    assert (database["StorageType"], database["MaxAllocatedStorage"]) == ("gp3", 50)
    assert not database["PubliclyAccessible"]
    hosts_group = outputs(cloud, "network")["HostSecurityGroupId"]
    (allowed,) = rules(cloud, made["SecurityGroupId"])
    assert allowed["FromPort"] == allowed["ToPort"] == 5432
    assert [pair["GroupId"] for pair in allowed["UserIdGroupPairs"]] == [hosts_group]
    made, efs = outputs(cloud, "volume-media"), cloud.client("efs")
    (file_system,) = efs.describe_file_systems(FileSystemId=made["FileSystemId"])["FileSystems"]
    assert file_system["Encrypted"]
    assert file_system["Name"] == f"{SITE}/media"
    targets = efs.describe_mount_targets(FileSystemId=made["FileSystemId"])["MountTargets"]
    assert {target["SubnetId"] for target in targets} == {
        outputs(cloud, "network")[name] for name in ("HostSubnetIdA", "HostSubnetIdB")
    }
    groups = {
        efs.describe_mount_target_security_groups(MountTargetId=target["MountTargetId"])["SecurityGroups"][0]
        for target in targets
    }
    (allowed,) = rules(cloud, *groups)
    assert [pair["GroupId"] for pair in allowed["UserIdGroupPairs"]] == [hosts_group]
    for repository in cloud.client("ecr").describe_repositories()["repositories"]:
        assert repository["imageTagMutability"] == "IMMUTABLE"


def test_the_site_is_not_the_master_of_its_database(cloud: Cloud) -> None:
    """From the first run on; what a task has opens neither other users nor the master's secret."""
    login = outputs(cloud, "database-main")["LoginArn"]
    versions = cloud.client("secretsmanager").describe_secret(SecretId=login)["VersionIdsToStages"]
    assert list(versions.values()) == [["AWSCURRENT"]], "it has had no other, so none that was the master's"
    container, ask = ask_of(cloud)
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert ask("site", owners) == "site_owner", "the migrations were its own"
    value = json.loads(cloud.client("secretsmanager").get_secret_value(SecretId=login)["SecretString"])
    assert value["username"] == "site_a"
    target = f"host={value['host']} hostaddr=127.0.0.1 dbname=site user=site_a sslmode=require"
    for statement, words in (("CREATE ROLE mine", "permission denied"), ("SET ROLE site", "permission denied")):
        done = container.exec_run(["psql", target, "-Atc", statement], environment={"PGPASSWORD": value["password"]})
        assert words in done.output.decode(), statement
    for role in ("ExecutionRoleArn", "TaskRoleArn"):
        definition = cloud.client("ecs").describe_task_definition(taskDefinition=service(cloud)["taskDefinition"])
        name = definition["taskDefinition"][role[0].lower() + role[1:]].rpartition("/")[2]
        found = cloud.client("iam").list_role_policies(RoleName=name)["PolicyNames"]
        policies = [cloud.client("iam").get_role_policy(RoleName=name, PolicyName=each) for each in found]
        granted = json.dumps([each["PolicyDocument"] for each in policies])
        assert outputs(cloud, "database-main")["SecretArn"] not in granted
        assert (login in granted) == (role == "ExecutionRoleArn")


def test_what_the_cluster_layer_made(cloud: Cloud) -> None:
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["LaunchConfigurationName"]
    (configuration,) = cloud.client("autoscaling").describe_launch_configurations()["LaunchConfigurations"]
    assert configuration["InstanceType"] == "t2.micro"
    assert configuration["MetadataOptions"]["HttpTokens"] == "optional"
    (host,) = hosts(cloud)
    assert host["capacityProviderName"] == outputs(cloud, "cluster")["CapacityProviderName"]
    listeners = cloud.client("elbv2").describe_listeners(
        LoadBalancerArn=cloud.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    )["Listeners"]
    assert {listener["Port"]: listener["DefaultActions"][0]["Type"] for listener in listeners} == {
        443: "fixed-response",  # services add rules of their own
        80: "redirect",
    }


def test_the_host_is_what_its_roles_describe(cloud: Cloud) -> None:
    assert f"ECS_CLUSTER={SITE}" in on_host(cloud, "cat /etc/ecs/ecs.config").splitlines()
    assert json.loads(on_host(cloud, "cat /etc/docker/daemon.json"))["live-restore"] is True
    plugin = json.loads(on_host(cloud, "docker plugin inspect rexray/efs"))[0]
    assert plugin["Enabled"]
    assert f"EFS_TAG={SITE}" in plugin["Settings"]["Env"]
    assert on_host(cloud, "cloud-init status").strip() == "status: done"
    assert on_host(cloud, "docker volume inspect --format '{{.Driver}}' media").startswith("rexray/efs")


def recap(output: str) -> tuple[int, int]:
    """The numbers ok and changed of the only host."""
    found = re.search(r"^i-\w+\s+: ok=(\d+)\s+changed=(\d+)", output, re.MULTILINE)
    assert found, output
    return int(found.group(1)), int(found.group(2))


def test_boot_and_converge_give_the_same_host() -> None:
    """User data and the roles' tasks write the same files: over ssh, as ec2-user, they find nothing to change."""
    run = succeed(playbook("hosts.yml", "--diff"))
    ok, changed = recap(run.output)
    assert ok > 15
    assert changed == 0, run.output


def test_the_only_host_is_not_drained_unless_a_gap_is_accepted(cloud: Cloud) -> None:
    """Its task has no place elsewhere, and ECS would keep it for ever: nothing is touched, and what to type is said."""
    before = service(cloud)["events"][0]["id"]
    run = playbook("hosts.yml", "-e", "docker_engine_log_max_size=5m")
    assert run.status != 0
    assert "was not drained" in run.output
    assert "-e hosts_downtime=true" in run.output
    assert "site_hosts" in run.output
    assert len(hosts(cloud)) == 1
    assert served("/healthz")
    assert service(cloud)["events"][0]["id"] == before
    assert "10m" in on_host(cloud, "cat /etc/docker/daemon.json")


def test_a_check_run_shows_what_a_drain_would_make_room_for(cloud: Cloud) -> None:
    run = succeed(playbook("hosts.yml", "--check", "--diff", "-e", "docker_engine_log_max_size=5m"))
    assert re.search(r'^\+.*"max-size": *"5m"', run.output, re.MULTILINE), run.output
    assert "10m" in on_host(cloud, "cat /etc/docker/daemon.json")
    assert len(hosts(cloud)) == 1


def test_a_person_is_let_in_without_a_drain(cloud: Cloud, tmp_path: Path) -> None:
    """On the only host, beside the running task."""
    key = tmp_path / "ada"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    before = service(cloud)["events"][0]["id"]
    people = [{"name": "ada", "keys": [key.with_suffix(".pub").read_text().strip()]}]
    run = succeed(playbook("hosts.yml", "-e", json.dumps({"host_access_people": people})))
    assert recap(run.output)[1] > 0
    assert service(cloud)["events"][0]["id"] == before
    (host,) = hosts(cloud)
    address = cloud.client("ec2").describe_instances(InstanceIds=[host["ec2InstanceId"]])["Reservations"][0][
        "Instances"
    ][0]["PrivateIpAddress"]
    shown = subprocess.run(
        [
            "ssh", "-F", "none", "-i", str(key), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
            "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={tmp_path / 'known_hosts'}",
            f"ec2-user@{address}", "id -un",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.stdout == "ec2-user\n", shown.stderr


def test_a_changed_setting_reaches_the_drained_host_and_the_site_comes_back(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    (before,) = ecs.list_tasks(cluster=SITE)["taskArns"]
    run = succeed(playbook("hosts.yml", "-e", "docker_engine_log_max_size=5m", "-e", "hosts_downtime=true"))
    assert recap(run.output)[1] > 0
    assert "drained" in run.output
    assert "5m" in on_host(cloud, "cat /etc/docker/daemon.json")
    (after,) = ecs.list_tasks(cluster=SITE)["taskArns"]
    assert after != before, "the task outlived the drain"
    until(lambda: served("/healthz"), "the site", 60)


@pytest.mark.long
def test_with_a_second_host_nothing_is_noticed_of_a_change(cloud: Cloud) -> None:
    """What the refusal above advises: another host first, then the same command; the tasks move, nobody waits."""
    with visited("/") as visits:
        succeed(playbook("site.yml", "-e", json.dumps({"site_hosts": {"min": 2}})))
        assert len(hosts(cloud)) == 2
        run = succeed(playbook("hosts.yml", "-e", "docker_engine_log_max_size=6m"))
    changed = [int(number) for number in re.findall(r"^i-\w+ .*changed=(\d+)", run.output, re.MULTILINE)]
    assert len(changed) == 2, run.output
    assert min(changed) > 0, run.output
    assert len(hosts(cloud)) == 2, "a host stayed drained"
    assert not visits.failed, f"{len(visits.failed)} requests failed, {visits.answered} did not: {visits.failed}"
    assert visits.answered > 100
    # Which host goes is the group's choice, and its draining is not emulated: the site may be away for a moment.
    succeed(playbook("site.yml"))
    until(lambda: len(hosts(cloud)) == 1, "one host again", 120)
    until(lambda: served("/healthz"), "the site on the host that is left", 120)


def test_ssh_and_docker_reach_a_host_by_the_written_configuration(cloud: Cloud, tmp_path: Path) -> None:
    """The hosts come from the dynamic inventory; docker calls ssh, which has the home folder's configuration only."""
    written = PROJECT / "ssh.test.cfg"
    written.unlink(missing_ok=True)
    succeed(playbook("ssh_config.yml"))
    assert succeed(playbook("ssh_config.yml")).changed == 0
    (host,) = hosts(cloud)
    for name in ("host-a", host["ec2InstanceId"]):
        shown = subprocess.run(
            ["ssh", "-F", written, name, "id -un"], capture_output=True, text=True, check=True
        ).stdout
        assert shown == "ec2-user\n"
    (tmp_path / "config").write_text(f"Include {written}\n")
    home = Path.home() / ".ssh"
    existed = home.is_dir()
    home.mkdir(mode=0o700, exist_ok=True)
    inside = f"mount --bind {tmp_path} {home} && docker ps --format '{{{{.Names}}}}'"
    try:
        listed = subprocess.run(
            ["unshare", "--mount", "sh", "-c", inside], env=os.environ | {"DOCKER_HOST": "ssh://test-host-a"},
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    finally:
        if not existed:
            home.rmdir()
    assert f"ecs-{SITE}-" in listed


@pytest.mark.usefixtures("cloud")
def test_a_command_runs_in_the_container_and_its_exit_code_counts() -> None:
    run = succeed(playbook("exec.yml", "-e", "command=python manage.py check"))
    assert "System check identified no issues" in run.output
    run = playbook("exec.yml", "-e", 'command=python -c "import sys; a=41; print(a + 1); sys.exit(3)"')
    assert run.status != 0
    assert "'42'" in run.output
    assert "exit code 3" in run.output
    run = playbook("exec.yml", "-e", "command=id", "-e", "container=postgres")
    assert "web.django" in run.output


@pytest.mark.usefixtures("cloud")
def test_a_job_runs_by_hand() -> None:
    run = succeed(playbook("run.yml", "-e", "job=migrate"))
    assert "No migrations to apply" in run.output
    run = playbook("run.yml", "-e", "job=report")
    assert run.status != 0
    assert "migrate" in run.output


@pytest.mark.usefixtures("cloud")
def test_a_command_runs_beside_the_service_and_its_exit_code_counts() -> None:
    run = succeed(
        playbook("run.yml", "-e", "command=sh -c 'echo beside it with $LEVEL'", "-e", '{"env": {"LEVEL": "7"}}')
    )
    assert "beside it with 7" in run.output
    assert "The command ended with exit code 0 after" in run.output
    run = succeed(playbook("logs.yml", "-e", "service=web", "-e", "grep=beside it with"))
    assert re.search(r"Z web/django/[0-9a-f]{8} .*beside it with 7", run.output), run.output
    run = playbook("run.yml", "-e", "command=sh -c 'exit 3'")
    assert run.status != 0
    assert "django ended with exit code 3" in " ".join(run.output.split())
    run = playbook("run.yml", "-e", "command=no-such-command")
    assert run.status != 0
    assert "seems to have no such command" in " ".join(run.output.split())


def test_two_migrations_at_once_are_refused_and_one_that_goes_on_is_stopped(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    run = succeed(playbook("run.yml", "-e", "job=migrate", "-e", "command=sleep 300", "-e", "detach=true"))
    (task,) = ecs.list_tasks(cluster=SITE, family=f"{SITE}-job-migrate")["taskArns"]
    name = task.rsplit("/", 1)[-1]
    run = playbook("migrate.yml")
    assert run.status != 0
    assert f"runs already: {name} started by run" in " ".join(run.output.split())
    succeed(playbook("run.yml", "-e", f"stop={name}"))
    run = succeed(playbook("migrate.yml"))
    assert "No migrations to apply" in run.output
    assert "ended with exit code 0 after" in run.output


def test_a_tunnel_leads_to_the_database(cloud: Cloud) -> None:
    password = secret(cloud, "database-main")["password"]
    command = ["ansible-playbook", "tunnel.yml", "-i", "test", "-e", "local_port=15499", "-e", "for=20s"]
    tunnel = subprocess.Popen(
        command, cwd=PROJECT, env=environment("tunnel.yml"), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        until(lambda: answer(15499) == "S", "the database behind the tunnel", 30, lambda: "")
        client = cloud.docker.containers.create(
            images.ensure("postgres"), entrypoint=["psql"], network_mode="host",
            command=["host=127.0.0.1 port=15499 dbname=site user=site sslmode=require", "-Atc", "select 40 + 2"],
            environment={"PGPASSWORD": password},
        )  # fmt: skip
        try:
            client.start()
            client.wait(timeout=30)
            assert client.logs().decode().split() == ["42"]
        finally:
            client.remove(v=True, force=True)
    finally:
        output = tunnel.communicate(timeout=60)[0]
    assert tunnel.returncode == 0, output
    assert "closed after 20s" in output
    assert password not in output


@pytest.mark.usefixtures("cloud")
def test_the_logs_show_what_a_visitor_has_just_asked_for_and_what_a_job_has_written() -> None:
    mark = f"/?asked={time.time_ns()}"
    assert served(mark)
    run = succeed(
        playbook("logs.yml", "-e", "service=web", "-e", "since=10m", "-e", f"grep=GET {mark}", "-e", "for=20s")
    )
    assert re.search(rf'Z web/nginx/[0-9a-f]{{8}} .*"GET {re.escape(mark)} HTTP/', run.output), run.output
    assert run.changed == 0
    run = succeed(playbook("logs.yml", "-e", "job=migrate"))  # its task is gone
    assert re.search(r"Z migrate/migrate/[0-9a-f]{8} .*No migrations to apply", run.output), run.output
    run = playbook("logs.yml", "-e", "service=wbe")
    assert run.status != 0
    assert "-e service=web" in run.output


def lines_of(run: Run, state: str) -> list[str]:
    """The lines of verify's table that begin with a state, their columns one space apart."""
    found = [" ".join(line.split()) for line in run.output.splitlines()]
    return [line for line in found if line.startswith(f"{state} ")]


def image_of(cloud: Cloud, container: str) -> str:
    """The image that a container of the service runs."""
    definition = cloud.client("ecs").describe_task_definition(taskDefinition=service(cloud)["taskDefinition"])
    containers = definition["taskDefinition"]["containerDefinitions"]
    return next(str(each["image"]) for each in containers if each["name"] == container)


@contextmanager
def broken(cloud: Cloud) -> Iterator[None]:
    """A site whose secret has lost its key, whose registry one image, and of whose job ECS may not take the role."""
    job = cloud.client("ecs").describe_task_definition(taskDefinition=f"{SITE}-job-migrate")["taskDefinition"]
    with (
        damage.key_lost(cloud, outputs(cloud, "secret-django")["SecretArn"]),
        damage.trust_lost(cloud, job["executionRoleArn"].rpartition("/")[2]),
        damage.image_lost(cloud, image_of(cloud, "nginx")),
    ):
        yield


def test_verify_tries_all_that_the_site_needs_and_leaves_nothing(cloud: Cloud) -> None:
    ecs, logs = cloud.client("ecs"), cloud.client("logs")
    run = succeed(playbook("verify.yml"))
    assert run.changed == 0
    assert not lines_of(run, "WRONG")
    asked = "\n".join(lines_of(run, "OK"))
    for seen in (
        "service.web/django in the registry legacy-test/legacy-site-django",
        "service.web/django a host can pull it pulled by a host's agent",
        "service.web/django DB_PASSWORD read with the execution role",
        "job.migrate ADMIN_PASSWORD read with the execution role",
        "service.web execution role",
        "service.web takes an event /legacy/test/service/web",
        "service.web/nginx:80 answers GET /healthz: 1 healthy",
        "volume.media mounts for service.web mounted on a host",
        "database.main answers a host",
        "service.web a new task fits",
    ):
        assert seen in asked or seen.replace("legacy-test/", "") in asked, f"{seen}\n{run.output}"
    assert " with TLS, asked from i-" in " ".join(run.output.split())
    assert "its platform could not be read" not in " ".join(run.output.split())
    assert secret(cloud, "secret-django")["secret_key"] not in run.output
    assert not ecs.list_task_definitions(familyPrefix=f"{SITE}-verify")["taskDefinitionArns"]
    streams = logs.describe_log_streams(logGroupName="/legacy/test/service/web")["logStreams"]
    assert not [each for each in streams if each["logStreamName"].startswith("verify/")]


def test_verify_tells_everything_that_is_wrong_at_once(cloud: Cloud) -> None:
    with broken(cloud):
        run = playbook("verify.yml")
    wrong = "\n".join(lines_of(run, "WRONG"))
    assert run.status != 0
    assert "service.web/django SECRET_KEY" in wrong, run.output
    assert "did not contain json key secret_key" in " ".join(run.output.split())
    assert "service.web/nginx in the registry the registry has no image" in wrong
    assert "job.migrate execution role" in wrong
    assert "does not trust ecs-tasks.amazonaws.com" in " ".join(run.output.split())
    assert "service.web/django DB_PASSWORD read with the execution role" in "\n".join(lines_of(run, "OK"))
    run = succeed(playbook("verify.yml", "-e", "format=json"))
    found = json.loads(run.output[run.output.index("{\n") : run.output.rindex("\n}\n") + 2])
    assert found["wrong"] == 0


def doctor(*arguments: str) -> tuple[int, dict[str, str], str]:
    """Exit status of the verb, what it is about by signature, and its output."""
    run = playbook("doctor.yml", "-e", "format=json", *arguments)
    return run.status, {each["signature"]: each["about"] for each in told(run)["findings"]}, run.output


def told(run: Run) -> dict[str, Any]:
    """What the doctor has said."""
    lines = run.output.splitlines()
    assert "{" in lines, run.output
    model: dict[str, Any] = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
    return model


def done(run: Run, what: str) -> dict[str, Any]:
    """What came of the one session, login or message."""
    (found,) = [each for each in told(run)["done"] if each["what"] == what]
    return dict(found)


def part_of(cloud: Cloud, word: str) -> Any:
    """The one container of the embedded AWS that has a word in its name."""
    names = [f"{name}={value}" for name, value in cloud.labels.items()]
    (found,) = [each for each in cloud.docker.containers.list(filters={"label": names}) if word in each.name]
    return found


@contextmanager
def paused(container: Any) -> Iterator[None]:
    """The programs of a container do nothing while the block runs, and have lost nothing afterwards.

    By their signals: of a container that Docker has paused the embedded AWS would think that it has ended.
    """
    container.kill("STOP")  # its first process, which nobody within it can stop
    in_container(container, "kill -s STOP -- -1")
    try:
        yield
    finally:
        in_container(container, "kill -s CONT -- -1")
        container.kill("CONT")


@pytest.mark.long
def test_the_doctor_knows_what_ails_a_site_and_a_host(cloud: Cloud) -> None:
    _, found, output = doctor("--check")
    assert found == {}, output
    with broken(cloud):
        status, found, output = doctor()
    assert status == 1, output
    assert found["secret-key"].startswith("service.web"), output
    (host,), machine = hosts(cloud), host_container(cloud)
    in_container(machine, "systemctl stop ecs")
    try:
        status, found, output = doctor("-e", f"host={host['ec2InstanceId']}")
    finally:
        in_container(machine, "systemctl start ecs")
    until(lambda: hosts(cloud), "the agent to be back", 60)
    assert status == 1, output
    assert found["agent-failed"] == f"host {host['ec2InstanceId']}", output


@pytest.mark.long
def test_the_doctor_opens_a_session_and_logs_in_from_inside_a_task(cloud: Cloud) -> None:
    run = playbook("doctor.yml", "-e", "format=json", "--check")
    (host,) = hosts(cloud)
    name = host["ec2InstanceId"]
    session = done(run, "session")
    assert (session["about"], session["state"], session["said"]) == (f"host {name}", "good", "ssh opens one")
    login = done(run, "login")
    assert login["state"] == "good", run.output
    assert re.search(rf"^django to database.main at \S+:5432 \(TLSv1.[23]\), inside a task on {name}$", login["said"])
    database = cloud.client("rds").describe_db_instances()["DBInstances"][0]
    with paused(part_of(cloud, database["DBInstanceIdentifier"])):
        run = playbook("doctor.yml", "-e", "format=json", "--check")
    assert done(run, "login")["state"] == "bad", run.output
    assert {each["signature"]: each["about"] for each in told(run)["findings"]}["database-away"] == "service.web"
    for layer, key in (("database-main", "password"), ("secret-django", "secret_key")):
        assert secret(cloud, layer)[key] not in run.output


@pytest.mark.long
def test_the_doctor_knows_an_agent_that_hangs_and_a_file_server_that_pauses(cloud: Cloud) -> None:
    (host,), machine = hosts(cloud), host_container(cloud)
    about = f"host {host['ec2InstanceId']}"
    in_container(machine, "systemctl kill --signal STOP ecs")
    try:
        status, found, output = doctor("-e", f"host={host['ec2InstanceId']}")
    finally:
        in_container(machine, "systemctl kill --signal CONT ecs")
    assert status == 1, output
    assert found["agent-hangs"] == about, output
    identifier = outputs(cloud, "volume-media")["FileSystemId"]
    with paused(part_of(cloud, identifier)):
        status, found, output = doctor("-e", f"host={host['ec2InstanceId']}")
    assert status == 1, output
    assert found["nfs-silent"] == about, output
    until(lambda: served("/healthz"), "the site after that", 180)
    until(lambda: hosts(cloud), "the agent to be back", 60)
    until(lambda: service(cloud)["runningCount"] == 1, "the service after that", 180)


def test_a_restart_replaces_the_tasks_while_the_site_answers(cloud: Cloud) -> None:
    ecs = cloud.client("ecs")
    before, revision = ecs.list_tasks(cluster=SITE)["taskArns"], service(cloud)["taskDefinition"]
    run = succeed(playbook("restart.yml", "--check"))
    assert "would be restarted" in run.output
    assert ecs.list_tasks(cluster=SITE)["taskArns"] == before
    with visited("/healthz") as visits:
        run = succeed(playbook("restart.yml"))
    assert run.changed == 1
    assert not visits.failed, f"{len(visits.failed)} requests failed, {visits.answered} did not: {visits.failed}"
    assert visits.answered > 10
    assert service(cloud)["taskDefinition"] == revision
    until(lambda: len(ecs.list_tasks(cluster=SITE)["taskArns"]) == len(before), "the tasks of before to be gone", 120)
    assert not set(before) & set(ecs.list_tasks(cluster=SITE)["taskArns"])


def test_the_status_of_the_site_is_well_in_each_form(cloud: Cloud, tmp_path: Path) -> None:
    run = succeed(playbook("status.yml"))
    assert re.search(rf"^{SITE.replace('-', ' ')} · us-east-1 · https://\S+ · well$", run.output, re.MULTILINE), (
        run.output
    )
    assert run.changed == 0
    succeed(playbook("status.yml", "-e", "format=json", "-e", f"output={tmp_path}/status.json", "--check"))
    model = json.loads((tmp_path / "status.json").read_text())
    definition = cloud.client("ecs").describe_task_definition(taskDefinition=service(cloud)["taskDefinition"])
    labels = definition["taskDefinition"]["containerDefinitions"][0]["dockerLabels"]
    assert [each["release"] for each in model["services"]] == [labels["berth.release"]]
    assert model["unasked"] == []
    assert [each["instance"] for each in model["hosts"]] == [each["ec2InstanceId"] for each in hosts(cloud)]
    assert {each["state"] for each in model["services"][0]["targets"]} <= {"healthy", "draining"}
    assert model["services"][0]["stopped"][0]["reason"], "of the tasks that the restart replaced"
    assert (model["databases"][0]["status"], model["volumes"][0]["status"]) == ("available", "available")
    password = secret(cloud, "database-main")["password"]
    succeed(playbook("status.yml", "-e", "format=html", "-e", f"output={tmp_path}/status.html"))
    for text in (run.output, json.dumps(model), (tmp_path / "status.html").read_text()):
        assert password not in text


BACKED_UP = ["-e", json.dumps({"site_backups": {"every": "1d", "keep": 1}})]


def backups() -> list[dict[str, Any]]:
    """What the verb shows, newest first."""
    run = succeed(playbook("backups.yml", "-e", "format=json"))
    if re.search(r"^\[\]$", run.output, re.MULTILINE):
        return []
    found: list[dict[str, Any]] = json.loads(run.output[run.output.index("[\n") : run.output.rindex("\n]\n") + 2])
    return found


@pytest.mark.long
def test_a_backup_has_all_that_the_site_has_under_one_name(cloud: Cloud) -> None:
    run = playbook("backup.yml")
    assert run.status != 0
    assert "site_backups says nothing" in " ".join(run.output.split())
    succeed(playbook("site.yml", *BACKED_UP))
    succeed(playbook("backup.yml", *BACKED_UP, "-e", "backup=first", "--check"))
    assert cloud.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"] == []
    succeed(playbook("backup.yml", *BACKED_UP, "-e", "backup=first"))
    (first,) = backups()
    assert (first["name"], first["outcome"], first["gone"]) == ("first", "good", []), first
    assert {"database.main", "volume.media"} <= set(first["parts"]), first
    again = succeed(playbook("backup.yml", *BACKED_UP, "-e", "backup=first"))
    assert again.changed == 0, again.output
    succeed(playbook("backup.yml", *BACKED_UP, "-e", "backup=second"))
    assert [each["name"] for each in backups()] == ["second"], "one is kept"
    (snapshot,) = cloud.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"] == f"{SITE}-main-second"
    run = succeed(playbook("status.yml", *BACKED_UP))
    assert "second" in run.output
    (vault,) = cloud.client("backup").list_backup_vaults()["BackupVaultList"]
    assert vault["NumberOfRecoveryPoints"] == 1
    succeed(playbook("site.yml", "-e", json.dumps({"site_remove": ["backup"]})))


@pytest.mark.long
def test_who_is_to_be_told_is_told_once_they_have_confirmed(cloud: Cloud) -> None:
    given = ["-e", json.dumps({"alarms_subscribers": ["ops@example.org"]})]
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    run = playbook("alarms_test.yml")
    assert run.status != 0
    assert "alarms_subscribers names nobody" in " ".join(run.output.split())
    succeed(playbook("site.yml", *given))
    run = playbook("status.yml", *given)
    assert run.status == 1, "nobody has confirmed"
    assert "ops@example.org" in run.output
    run = playbook("alarms_test.yml", *given)
    assert "Nobody has confirmed to be told" in " ".join(run.output.split())
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=f"{SITE}-alarms")["StackResources"]
    (arn,) = [each["PhysicalResourceId"] for each in resources if each["ResourceType"] == "AWS::SNS::Subscription"]
    topic = outputs(cloud, "alarms")["AlarmTopicArn"]
    sns.confirm_subscription(TopicArn=topic, Token=arn.rpartition(":")[2])
    queue = sqs.create_queue(QueueName="berth-e2e-ear")["QueueUrl"]
    heard = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=heard)
    try:
        succeed(playbook("status.yml", *given))
        run = succeed(playbook("alarms_test.yml", *given, "-e", "alarm=service.web.TasksMissing"))
        assert "ops@example.org" in run.output
        (message, *_) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        assert "TasksMissing" in json.loads(message["Body"])["Subject"]
        run = playbook("doctor.yml", *given, "-e", "message=true", "-e", "format=json")
        assert done(run, "message")["state"] == "good", run.output
        assert re.match(r"sent; SNS has delivered \d+ of [24] \(", done(run, "message")["said"])
        succeed(playbook("status.yml", *given))
    finally:
        sqs.delete_queue(QueueUrl=queue)
    succeed(playbook("site.yml"))
    assert f"{SITE}-alarms" not in stack_statuses(cloud)
    assert cloud.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{SITE}-service")["MetricAlarms"] == []


@contextmanager
def built(cloud: Cloud, name: str, *lines: str) -> Iterator[None]:
    """An image of this machine is another one while the block runs: what it was, and these lines of a Dockerfile."""
    before = cloud.docker.images.get(name)
    text = "\n".join([f"FROM {name}", *lines, ""])
    made, _ = cloud.docker.images.build(fileobj=io.BytesIO(text.encode()), tag=name, rm=True, forcerm=True)
    try:
        yield
    finally:
        before.tag(name)
        cloud.docker.images.remove(made.id, force=True)


def release_seen() -> str:
    """What the site says of the release that answers."""
    done = subprocess.run(
        ["curl", "-sS", "-D", "-", "-o", "/dev/null", "--cacert", str(AUTHORITY), f"{URL}/healthz"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"^x-release: (\S+)", done.stdout, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def test_a_new_image_is_released_under_a_name_that_the_site_answers_with(cloud: Cloud) -> None:
    with built(cloud, "legacy-site/nginx", "LABEL release=first"), visited("/healthz") as visits:
        run = succeed(playbook("release.yml", "-e", "release=2026.11.1"))
    assert "2026.11.1 is live." in run.output
    assert release_seen() == "2026.11.1"
    assert not visits.failed, f"{len(visits.failed)} requests failed, {visits.answered} did not: {visits.failed}"
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output
    assert release_seen() == "2026.11.1"


@pytest.mark.long
def test_an_image_that_crashes_is_no_release_and_the_old_one_goes_on(cloud: Cloud) -> None:
    broken = 'CMD ["sh", "-c", "echo it is broken; exit 3"]'
    with built(cloud, "legacy-site/django", broken), visited("/healthz") as visits:
        run = playbook("release.yml", "-e", "release=2026.11.2")
    assert run.status != 0
    message = run.output.partition("fatal: [localhost]")[2]
    assert "django ended with exit code 3" in message, run.output
    assert "it is broken" in message
    assert release_seen() == "2026.11.1"
    assert not visits.failed, visits
    run = succeed(playbook("releases.yml"))
    assert re.search(r"release +2026\.11\.2 +failed", run.output), run.output


@pytest.mark.long
@pytest.mark.usefixtures("cloud")
def test_a_rollback_goes_back_and_the_next_one_has_nothing_to_go_to() -> None:
    """What ran before the first release under a name was of none; its name is made of its images."""
    jobs = playbook("rollback.yml")
    if jobs.status:  # the crashed release's migration ran, so it asks
        assert "jobs have run that may have changed the database" in jobs.output, jobs.output
        (name,) = set(re.findall(r"-e confirm=(\S+)", jobs.output))
        with visited("/healthz") as visits:
            succeed(playbook("rollback.yml", "-e", f"release={name}", "-e", f"confirm={name}"))
        assert not visits.failed, visits
    assert release_seen() != "2026.11.1"
    assert served("/")
    run = playbook("rollback.yml")
    assert run.status != 0
    assert "There is no older good release to go back to." in run.output, run.output
    assert "2026.11.1 was left by a rollback" in run.output
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output


def asked(path: str = "/", *options: str) -> tuple[int, str, str]:
    """Status, headers in small letters and text of the site's answer to a GET."""
    done = subprocess.run(
        ["curl", "--silent", "--include", "--http1.1", "--max-time", "20", "--cacert", str(AUTHORITY), *options,
         f"{URL}{path}"],
        capture_output=True, text=True, errors="replace", check=True,
    )  # fmt: skip
    head, _, text = done.stdout.replace("\r\n", "\n").partition("\n\n")
    return int(head.split()[1]), head.lower(), text


def maintained(state: str, *arguments: str) -> Run:
    """The verb maintenance, and what the load balancer has then."""
    run = succeed(playbook("maintenance.yml", "-e", f"maintenance={state}", *arguments))
    until(lambda: (asked()[0] == 503) == (state == "on"), f"maintenance to be {state} at the load balancer", 30)
    return run


def cookie_of(run: Run) -> str:
    found = re.search(r"berth-maintenance=[0-9a-f]{32}", run.output)
    assert found, run.output
    return found[0]


def healthy(cloud: Cloud) -> set[str]:
    """The states of the targets of the site's one target group."""
    elb = cloud.client("elbv2")
    (group,) = elb.describe_target_groups()["TargetGroups"]
    found = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    return {each["TargetHealth"]["State"] for each in found}


def test_a_page_answers_for_a_site_in_maintenance_and_who_has_the_cookie_sees_the_site(cloud: Cloud) -> None:
    run = succeed(playbook("maintenance.yml", "-e", "maintenance=on", "--check"))
    assert "would be switched on" in run.output
    assert asked("/healthz")[0] == 200
    run = maintained("on", "-e", "for=2h")
    cookie = cookie_of(run)
    status, head, text = asked("/any/where")
    assert (status, "Back soon" in text, "It is to be back by" in text) == (503, True, True)
    assert "content-type: text/html" in head
    assert "retry-after" not in head, "a load balancer of AWS cannot send it"
    status, head, text = asked("/", "--header", "Accept: application/json")
    assert (status, json.loads(text)["error"]) == (503, "maintenance")
    assert "content-type: application/json" in head
    assert asked("/healthz", "--cookie", f"lang=en; {cookie}")[0] == 200
    assert asked("/healthz", "--cookie", "berth-maintenance=0")[0] == 503
    assert "healthy" in healthy(cloud)
    maintained("off")
    assert served("/healthz")
    assert asked("/healthz", "--cookie", cookie)[0] == 200, "an old cookie does no harm"


SQL_ATTACK, SCRIPT_ATTACK = "/healthz?q=1%27%20OR%20%271%27%3D%271", "/healthz?q=%3Cscript%3Ealert(1)%3C/script%3E"


def met(cloud: Cloud, metric: str, rule: str) -> float:
    """How many requests a rule of the firewall has met in the last hour, as CloudWatch says."""
    now = datetime.now(UTC)
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/WAFV2", MetricName=metric, Period=60, Statistics=["Sum"],
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
        Dimensions=[{"Name": "WebACL", "Value": f"{SITE}-waf"}, {"Name": "Rule", "Value": f"{SITE}-waf-{rule}"}],
    )  # fmt: skip
    return float(sum(point["Sum"] for point in found["Datapoints"]))


@pytest.mark.long
def test_a_firewall_counts_then_blocks_attacks_and_floods_and_no_uploads_and_goes(cloud: Cloud, tmp_path: Path) -> None:
    common, sql = "AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"

    def given(mode: str) -> list[str]:
        waf = {"mode": mode, "groups": [common, sql], "rate": 100, "log_days": 1}
        return ["-e", json.dumps({"site_waf": waf})]

    succeed(playbook("site.yml", *given("count")))
    until(lambda: (asked(SQL_ATTACK), met(cloud, "CountedRequests", sql))[1] > 0, "an attack to be counted", 30)
    assert (asked(SQL_ATTACK)[0], asked(SCRIPT_ATTACK)[0]) == (200, 200), "what counts lets pass"
    assert succeed(playbook("site.yml", *given("count"))).changed == 0

    succeed(playbook("site.yml", *given("block")))
    until(lambda: asked(SQL_ATTACK)[0] == 403, "the load balancer to have its new rules", 30)
    status, head, _ = asked(SCRIPT_ATTACK, "--cookie", "session=of-somebody")
    assert (status, "server: awselb/2.0" in head) == (403, True)
    assert asked("/healthz")[0] == 200
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(os.urandom(5_000_000))
    # The site may answer before it has read all, and close: of what it says the head is enough.
    sent = subprocess.run(
        ["curl", "--silent", "--http1.1", "--max-time", "30", "--cacert", str(AUTHORITY), "--form", f"file=@{photo}",
         "--dump-header", "-", "--output", os.devnull, f"{URL}/admin/"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert sent.stdout.startswith("HTTP/1.1"), sent
    assert "awselb" not in sent.stdout.lower(), "an upload reaches the site, whatever that says of it"
    until(lambda: met(cloud, "BlockedRequests", common) > 0, "what was blocked to be counted", 30)
    until(lambda: met(cloud, "CountedRequests", common) > 0, "the upload to be counted", 30)
    events = cloud.client("logs").filter_log_events(logGroupName=f"aws-waf-logs-{SITE}-waf")["events"]
    assert any(json.loads(each["message"])["action"] == "BLOCK" for each in events)
    assert "of-somebody" not in json.dumps(events)

    answers = [asked("/healthz")[0] for _ in range(120)]
    assert answers[-1] == 403, "a flood from one address"
    until(lambda: met(cloud, "BlockedRequests", "rate") > 0, "the flood to be counted", 30)

    succeed(playbook("site.yml"))
    assert f"{SITE}-waf" not in stack_statuses(cloud)
    until(lambda: asked(SQL_ATTACK)[0] == 200, "the load balancer to ask nobody any more", 30)
    assert served("/healthz")


@pytest.mark.long
def test_what_goes_on_in_maintenance(cloud: Cloud, tmp_path: Path) -> None:
    cookie = cookie_of(maintained("on"))
    with browser.page(AUTHORITY, tmp_path) as page:
        page.goto(URL)
        expect(page.get_by_role("heading")).to_have_text("Back soon")
        page.evaluate(f"document.cookie = '{cookie}; path=/; secure'")
        page.goto(URL)
        expect(page.get_by_text("Back soon")).to_have_count(0)
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output
    assert "is in maintenance, and asked with the cookie" in run.output
    succeed(playbook("restart.yml"))
    assert "healthy" in healthy(cloud)
    assert asked("/healthz", "--cookie", cookie)[0] == 200
    with built(cloud, "legacy-site/nginx", "LABEL release=closed"):
        run = succeed(playbook("release.yml", "-e", "release=2026.11.7"))
    assert "is in maintenance, and asked with the cookie" in run.output
    status, head, _ = asked("/healthz", "--cookie", cookie)
    assert (status, "x-release: 2026.11.7" in head, asked("/healthz")[0]) == (200, True, 503)
    run = succeed(playbook("status.yml"))
    assert "visitors are answered 503, but for who has the cookie" in run.output
    assert cookie.partition("=")[2] not in run.output
    run = succeed(playbook("verify.yml"))
    assert any("it is in maintenance since" in line for line in lines_of(run, "NOT ASKED")), run.output
    assert not lines_of(run, "WRONG"), run.output
    run = succeed(playbook("plan.yml"))
    assert "The site is in maintenance since" in run.output
    run = succeed(playbook("maintenance.yml"))
    assert "is on" in run.output
    assert cookie not in run.output
    networks = ["10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    succeed(playbook("maintenance.yml", "-e", json.dumps({"maintenance": "on", "maintenance_allowed_cidrs": networks})))
    until(lambda: served("/healthz"), "this machine to be let through by its address", 30)
    maintained("off")


def closing(command: str) -> str:
    """Variables by which the job before a release keeps visitors out, and does that."""
    jobs = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())["site_jobs"]
    jobs["migrate"] |= {"maintenance": True, "command": ["sh", "-c", command]}
    return json.dumps({"site_jobs": jobs})


@pytest.mark.long
def test_a_job_keeps_visitors_out_while_it_runs_and_lets_them_in_again_also_if_it_fails(cloud: Cloud) -> None:
    """It sleeps long enough for a visitor who asks a few times a second to meet the page."""
    before = service(cloud)["taskDefinition"]
    for command, good in (("sleep 6; exit 3", False), ("sleep 6", True)):
        with visited("/healthz") as visits:
            run = playbook("site.yml", "-e", closing(command))
        assert (run.status == 0) is good, run.output
        assert "is on as long as site runs: everybody else is answered 503" in run.output
        assert "berth-maintenance=" not in run.output
        assert visits.failed, "nobody met the page"
        assert visits.answered, "it was there before the job ran"
        until(lambda: served("/healthz"), "the load balancer to take the rules as they are now", 10)
        assert "is off" in succeed(playbook("maintenance.yml")).output
    assert service(cloud)["taskDefinition"] == before
    succeed(playbook("site.yml"))  # the job is what the inventory says again
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output


def test_more_tasks_than_the_host_holds_are_refused_with_the_numbers(cloud: Cloud) -> None:
    run = playbook("scale.yml", "-e", "service=web", "-e", "replicas=2")
    assert run.status != 0
    said = " ".join(run.output.split())
    assert (
        "web cannot have 2 tasks: 1 run, and 1 more, and one that each deployment has beside them have to have room"
        in said
    )
    assert re.search(r"a task takes 320 MiB; i-\w+ registered \d+ MiB and has \d+ MiB left", said), said
    assert service(cloud)["desiredCount"] == 1
    run = succeed(playbook("scale.yml", "-e", "service=web", "-e", "replicas=1"))
    assert run.changed == 0, run.output


@pytest.mark.usefixtures("cloud")
def test_the_banner_of_the_demo_says_what_works() -> None:
    said = subprocess.run(
        [sys.executable, "scripts/demo_banner.py", "test"], cwd=PROJECT, text=True, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stderr
    tried = re.findall(r"^    ((?:curl|docker exec) [^#\n]*)", said.stdout, re.MULTILINE)
    assert [each.split()[0] for each in tried] == ["curl", "docker"], said.stdout
    for command in tried:
        done = subprocess.run(command.split(), cwd=PROJECT, text=True, capture_output=True, check=False)
        assert (done.returncode, bool(done.stdout)) == (0, True), f"{command}: {done.stderr}"
    assert re.search(r"log in as admin with \S{12,}", said.stdout), said.stdout


def test_the_task_is_the_pair_of_the_card(cloud: Cloud) -> None:
    definition = cloud.client("ecs").describe_task_definition(taskDefinition=f"{SITE}-service-web")["taskDefinition"]
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    assert set(containers) == {"django", "nginx"}
    (volume,) = definition["volumes"]
    assert volume["dockerVolumeConfiguration"]["driver"] == "rexray/efs"
    assert volume["dockerVolumeConfiguration"]["scope"] == "shared"
    assert containers["nginx"]["dependsOn"] == [{"containerName": "django", "condition": "HEALTHY"}]
    assert containers["nginx"]["portMappings"][0]["hostPort"] == 0
    assert containers["nginx"]["mountPoints"][0]["readOnly"] is True
    secrets = {each["name"]: each["valueFrom"] for each in containers["django"]["secrets"]}
    assert secrets["DB_PASSWORD"].startswith(outputs(cloud, "database-main")["LoginArn"] + ":password")
    assert "DB_PASSWORD" not in {each["name"] for each in containers["django"]["environment"]}
    groups = cloud.client("logs").describe_log_streams(logGroupName="/legacy/test/service/web")["logStreams"]
    assert {stream["logStreamName"].split("/")[0] for stream in groups} >= {"django", "nginx"}


def test_http_is_redirected_to_https() -> None:
    url = f"http://legacy.test.berth.localhost:{CONFIG.http_port}/admin/"
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", url],
                          text=True, capture_output=True, check=True)  # fmt: skip
    assert done.stdout == f"301 {URL}/admin/"


def before_upload(cloud: Cloud, page: Page) -> None:
    """Log in to the admin, and go to where images are uploaded."""
    admin = secret(cloud, "secret-admin")
    page.goto(f"{URL}/admin/")
    page.fill("#id_username", admin["username"])
    page.fill("#id_password", admin["password"])
    page.click("input[type=submit]")
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()
    page.goto(f"{URL}/admin/filer/folder/unfiled_images/")


def upload(cloud: Cloud, folder: Path) -> None:
    """Log in to the admin, upload the image, and see it on the front page.

    Args:
        folder: an empty one, for the browser.
    """
    with browser.page(AUTHORITY, folder) as page:
        before_upload(cloud, page)
        with page.expect_response(lambda answer: "clipboard/operations/upload" in answer.url) as answer:
            page.set_input_files("#id_upload_button input[type=file]", str(IMAGE))
        assert answer.value.ok
        with page.expect_response(lambda answer: "/media/" in answer.url) as media:
            page.goto(f"{URL}/")
        assert media.value.ok
        assert media.value.header_value("server") == "nginx"
        width = page.evaluate("document.querySelector('figure img, .images img, img').naturalWidth")
        assert width == 320


def test_a_person_uploads_an_image_in_the_admin_and_nginx_serves_it(cloud: Cloud, tmp_path: Path) -> None:
    upload(cloud, tmp_path)
    assert served(uploaded()) == IMAGE.read_bytes()
    inside = f"/srv{uploaded()}"
    nginx = "docker ps --quiet --filter label=com.amazonaws.ecs.container-name=nginx"
    digest = on_host(cloud, f"docker exec $({nginx}) sha256sum {inside}").split()[0]
    assert digest == hashlib.sha256(IMAGE.read_bytes()).hexdigest()


PAUSE_SECONDS = 30
"""For which the server of the volume does nothing: half of what gunicorn, nginx and the load balancer wait for."""


@pytest.mark.long
def test_an_upload_outlives_a_server_of_its_volume_that_pauses(cloud: Cloud, tmp_path: Path) -> None:
    name = f"storm-{time.time_ns()}.png"
    content = IMAGE.read_bytes() + os.urandom(2**20)  # a reader of PNG stops before that
    (tmp_path / name).write_bytes(content)
    (tmp_path / "home").mkdir()
    server = part_of(cloud, outputs(cloud, "volume-media")["FileSystemId"])
    before = cloud.client("ecs").list_tasks(cluster=SITE, desiredStatus="RUNNING")["taskArns"]
    answered = list[str]()
    with browser.page(AUTHORITY, tmp_path / "home") as page:
        page.on("response", lambda answer: answered.append(answer.url))
        before_upload(cloud, page)
        with (
            visited("/healthz") as visits,
            page.expect_response(
                lambda answer: "clipboard/operations/upload" in answer.url, timeout=3_000 * PAUSE_SECONDS
            ) as answer,
            paused(server),
        ):
            page.set_input_files("#id_upload_button input[type=file]", str(tmp_path / name))
            page.wait_for_timeout(1_000 * PAUSE_SECONDS)
            waiting = not [url for url in answered if "clipboard/operations/upload" in url]
        assert waiting, "it was answered while nothing could be written"
        assert answer.value.ok
    assert not visits.failed, "who needs no file is answered all the time"
    assert visits.answered > PAUSE_SECONDS
    found = re.search(rf'href="(/media/[^"]*/{name})"', served("/").decode())
    assert found, "the front page does not show it"
    assert served(found.group(1)) == content
    inside = f"/srv{found.group(1)}"
    nginx = "docker ps --quiet --filter label=com.amazonaws.ecs.container-name=nginx"
    assert (
        on_host(cloud, f"docker exec $({nginx}) sha256sum {inside}").split()[0] == hashlib.sha256(content).hexdigest()
    )
    after = cloud.client("ecs").list_tasks(cluster=SITE, desiredStatus="RUNNING")["taskArns"]
    assert after == before, "no health check has taken it for dead"


IMPORT = ("-e", "in_use=false", "-e", f"confirm={SITE.partition('-')[2]}")


@pytest.mark.long
@pytest.mark.usefixtures("cloud")
def test_files_of_another_server_come_to_the_volume_though_the_run_is_killed(tmp_path: Path) -> None:
    (tmp_path / "old/été").mkdir(parents=True)
    for number in range(1500):
        (tmp_path / "old/été" / f"picture {number}.png").write_bytes(os.urandom(2000))
    folder = ("-e", f"folder={tmp_path}/old")
    run = playbook("import_data.yml", *folder)
    assert run.status != 0
    assert "Visitors may be writing to the site" in run.output
    killed = subprocess.Popen(
        ["ansible-playbook", "import_data.yml", "-i", "test", *folder, *IMPORT], cwd=PROJECT, text=True,
        env=environment("import_data.yml"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert killed.stdout
    for line in killed.stdout:
        if "on the volume only" in line:  # compared, so they are on their way
            break
    time.sleep(1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    run = succeed(playbook("import_data.yml", *folder, *IMPORT, "-e", "lock_wait=6m"))
    assert "with the same checksum" in " ".join(run.output.split())
    run = succeed(playbook("import_data.yml", *folder, *IMPORT))
    assert "there already 1,500, not there 0, there with another content 0" in run.output
    assert run.changed == 0
    for number in (0, 1499):
        content = (tmp_path / "old/été" / f"picture {number}.png").read_bytes()
        assert served(f"/media/%C3%A9t%C3%A9/picture%20{number}.png") == content
    assert served("/media/.import_data/piece/sums") == b""


def kill(process: subprocess.Popen[str]) -> None:
    """End a verb as if its machine had lost power: its workers too, each of which is in a session of its own."""
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)
    process.communicate()


def ask_of(cloud: Cloud) -> tuple[Any, Callable[[str, str], str]]:
    """The container of the site's database, and what asks it in there: the database and a statement."""
    (record,) = cloud.client("rds").describe_db_instances()["DBInstances"]
    container = cloud.docker.containers.get(CONFIG.container(f"db-{record['DBInstanceIdentifier']}"))

    def ask(database: str, statement: str) -> str:
        options = ["--username=rdsadmin", "--host=/var/run/postgresql", f"--dbname={database}"]
        status, output = container.exec_run(["psql", *options, "-Atc", statement])
        assert status == 0, output.decode()
        return str(output.decode().strip())

    return container, ask


@pytest.mark.long
def test_a_damaged_database_comes_back_out_of_a_backup_though_the_run_is_killed(cloud: Cloud) -> None:
    _, ask = ask_of(cloud)
    rds, count = cloud.client("rds"), "SELECT count(*) FROM auth_user"
    succeed(playbook("site.yml", *BACKED_UP))
    succeed(playbook("backup.yml", *BACKED_UP, "-e", "backup=whole"))
    people, password = ask("site", count), secret(cloud, "database-main")["password"]
    assert int(people) > 0
    ask("site", "TRUNCATE auth_user CASCADE")
    whole = ("-e", "backup=whole", "-e", "database=main")
    sure = ("-e", f"confirm={SITE.partition('-')[2]}", "-e", "in_use=false")
    succeed(playbook("restore.yml", *whole, "--check"))
    assert len(rds.describe_db_instances()["DBInstances"]) == 1
    killed = subprocess.Popen(
        ["ansible-playbook", "restore.yml", "-i", "test", *whole], cwd=PROJECT, text=True,
        env=environment("restore.yml"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert killed.stdout
    seen = list[str]()
    for line in killed.stdout:
        seen.append(line)
        if "to an instance beside, " in line:
            break
    until(
        lambda: len(rds.describe_db_instances()["DBInstances"]) == 2, "the instance beside", 10, lambda: "".join(seen)
    )
    kill(killed)
    run = succeed(playbook("restore.yml", *whole, "-e", "lock_wait=6m"))
    assert "each with the content of then" in run.output
    assert password not in run.output
    assert (ask("site", count), ask("site_restore", count)) == ("0", people)
    refused = playbook("restore.yml", *whole, *sure[:2])
    assert refused.status != 0
    assert "in what is put aside" in " ".join(refused.output.split())
    run = succeed(playbook("restore.yml", *whole, *sure))
    assert "site_restore is site now; what was before is site_before_1" in run.output
    assert (ask("site", count), ask("site_before_1", count)) == (people, "0")
    until(lambda: served("/healthz") and served("/"), "the site on the database of then", 30)
    assert succeed(playbook("restore.yml", *whole, *sure)).changed == 0
    succeed(playbook("restore.yml", "-e", "back=true", "-e", "database=main", *sure))
    assert (ask("site", count), ask("site_before_2", count)) == ("0", people)
    succeed(playbook("restore.yml", *whole, *sure))
    assert ask("site", count) == people

    def left() -> int:
        return len(
            [each for each in rds.describe_db_instances()["DBInstances"] if "-restore-" in each["DBInstanceIdentifier"]]
        )

    until(lambda: left() == 0, "the instances beside to be gone", 60)
    for name in ("site_before_1", "site_before_2", "site_before_3"):
        ask("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.long
def test_a_damaged_database_is_again_what_it_was_at_a_time_between_two_backups(cloud: Cloud) -> None:
    (_, ask), rds, count = ask_of(cloud), cloud.client("rds"), "SELECT count(*) FROM auth_user"
    people = ask("site", count)
    assert int(people) > 0
    time.sleep(1.1)  # RDS takes whole seconds
    then = datetime.fromisoformat(ask("site", "SELECT date_trunc('second', clock_timestamp())"))
    time.sleep(1.1)
    ask("site", "TRUNCATE auth_user CASCADE")
    sure = ("-e", f"confirm={SITE.partition('-')[2]}", "-e", "in_use=false")

    def asked(at: datetime) -> tuple[str, ...]:
        return "-e", f"time={at:%Y-%m-%dT%H:%M:%SZ}", "-e", "database=main"

    # Before there was a database: what is just too late for RDS now need not be when the run asks.
    refused = playbook("restore.yml", *asked(then - timedelta(days=1)))
    assert refused.status != 0
    assert "database.main: RDS restores it to times from" in " ".join(refused.output.split())

    def latest() -> Any:
        return rds.describe_db_instances()["DBInstances"][0].get("LatestRestorableTime", then)

    until(lambda: latest() > then, "the database can be led back to then", 90)
    run = succeed(playbook("restore.yml", *asked(then), "--check"))
    assert f"at {then:%Y-%m-%dT%H:%M:%SZ} would be restored to an instance beside" in run.output
    run = succeed(playbook("restore.yml", *asked(then)))
    assert "each with the content of then" in run.output
    assert secret(cloud, "database-main")["password"] not in run.output
    assert (ask("site", count), ask("site_restore", count)) == ("0", people)
    run = succeed(playbook("restore.yml", *asked(then), *sure))
    assert "site_restore is site now; what was before is site_before_1" in run.output
    assert (ask("site", count), ask("site_before_1", count)) == (people, "0")
    until(lambda: served("/healthz") and served("/"), "the site on the database of then", 30)
    assert succeed(playbook("restore.yml", *asked(then), *sure)).changed == 0
    succeed(playbook("restore.yml", "-e", "back=true", "-e", "database=main", *sure))
    assert (ask("site", count), ask("site_before_2", count)) == ("0", people)
    succeed(playbook("restore.yml", *asked(then), *sure))
    assert ask("site", count) == people
    until(lambda: len(rds.describe_db_instances()["DBInstances"]) == 1, "the instance beside to be gone", 60)
    assert "time-" not in playbook("backups.yml").output, "it is no backup"
    for name in ("site_before_1", "site_before_2", "site_before_3"):
        ask("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.long
def test_files_that_were_lost_come_back_out_of_a_backup_though_the_run_is_killed(cloud: Cloud) -> None:
    def in_volume(command: str) -> str:
        django = "docker ps --quiet --filter label=com.amazonaws.ecs.container-name=django"
        return on_host(cloud, f"docker exec $({django}) sh -c {shlex.quote(f'cd /srv/media && {command}')}")

    def files() -> list[str]:
        return in_volume("find . -type f -exec sha256sum {} + | sort -k 2").splitlines()

    in_volume("mkdir -p 2013/été && for n in 1 2 3; do echo picture $n >2013/été/$n.png; done")
    succeed(playbook("site.yml", *BACKED_UP))
    succeed(playbook("backup.yml", *BACKED_UP, "-e", "backup=files"))
    then = files()
    in_volume("rm -r 2013/été && echo other >2013/1.png")
    lost = files()
    assert lost != then
    whole = (*BACKED_UP, "-e", "backup=files", "-e", "volume=media")
    sure = ("-e", f"confirm={SITE.partition('-')[2]}", "-e", "in_use=false")
    succeed(playbook("restore.yml", *whole, "--check"))
    killed = subprocess.Popen(
        ["ansible-playbook", "restore.yml", "-i", "test", *whole], cwd=PROJECT, text=True,
        env=environment("restore.yml"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert killed.stdout
    for line in killed.stdout:
        if "AWS Backup restores it, job" in line:
            break
    kill(killed)
    run = succeed(playbook("restore.yml", *whole, "-e", "lock_wait=6m"))
    told = f"{len(then)} files were read: {len(then) - 3} are as they are now, 0 have another content now, 3 are not"
    assert told in " ".join(run.output.split())
    assert files() == lost, "the volume is as it was"

    def has(wanted: list[str]) -> None:  # a client of NFS may show what it knew for a while
        until(lambda: sorted(files()) == sorted(wanted), "the files", 90)

    one = succeed(playbook("restore.yml", *whole, *sure, "-e", "path=2013/été/2.png"))
    assert "1 of 1 files are in the volume" in one.output
    has([*lost, *(line for line in then if line.endswith("/2.png"))])
    assert in_volume("cat 2013/été/2.png; stat -c %u 2013/été").split() == ["picture", "2", in_volume("id -u").strip()]
    succeed(playbook("restore.yml", *BACKED_UP, "-e", "back=true", "-e", "volume=media", *sure))
    has(lost)
    run = succeed(playbook("restore.yml", *whole, *sure))
    assert f"{len(then)} of {len(then)} files are in the volume, with the content" in " ".join(run.output.split())
    has(then)
    assert succeed(playbook("restore.yml", *whole, *sure)).changed == 0
    succeed(playbook("restore.yml", *BACKED_UP, "-e", "back=true", "-e", "volume=media", *sure))
    has(lost)
    succeed(playbook("site.yml", "-e", json.dumps({"site_remove": ["backup"]})))


PLANNED = {"every": "1d", "keep": 14, "at": "04:00", "copy_to": "eu-west-1"}


def begun_soon(cloud: Cloud) -> str:
    """Have the plan of AWS Backup begin within two minutes, and not at four in the morning; the name of the backup."""
    api, plan = cloud.client("backup"), outputs(cloud, "backup")["PlanId"]
    told = api.get_backup_plan(BackupPlanId=plan)["BackupPlan"]
    soon = datetime.now(UTC) + timedelta(minutes=2)
    (rule,) = told["Rules"]
    rules = [{**rule, "ScheduleExpression": f"cron({soon.minute} {soon.hour} * * ? *)"}]
    del rules[0]["RuleId"]
    api.update_backup_plan(BackupPlanId=plan, BackupPlan={**told, "Rules": rules})
    return f"plan-{soon:%Y-%m-%d-%H%M}"


@pytest.mark.long
def test_a_backup_that_aws_backup_begins_by_itself_is_as_good_and_lies_in_another_region_too(cloud: Cloud) -> None:
    _, ask = ask_of(cloud)
    away, count = cloud.client("backup", "eu-west-1"), "SELECT count(*) FROM auth_user"
    planned = ["-e", json.dumps({"site_backups": PLANNED})]
    succeed(playbook("site.yml", *planned))
    uploaded()  # of a volume without a file nothing is restored
    people = ask("site", count)
    assert int(people) > 0
    name = begun_soon(cloud)

    def outcome() -> str:
        return next((str(each["outcome"]) for each in backups() if each["name"] == name), "none")

    until(lambda: outcome() == "good", f"{name} to be whole", 240)
    (found,) = [each for each in backups() if each["name"] == name]
    assert (set(found["parts"]), found["gone"]) == ({"database.main", "volume.media"}, []), found
    assert all(part["bytes"] > 0 for part in found["parts"].values())
    assert name in succeed(playbook("status.yml", *planned)).output
    (vault,) = [each["BackupVaultName"] for each in away.list_backup_vaults()["BackupVaultList"]]

    def copies() -> list[dict[str, Any]]:
        return list(away.list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"])

    until(lambda: {each["ResourceType"] for each in copies()} == {"EFS", "RDS"}, "both to be copied", 60)
    ask("site", "TRUNCATE auth_user CASCADE")
    meant = (*planned, "-e", f"backup={name}")
    sure = ("-e", f"confirm={SITE.partition('-')[2]}", "-e", "in_use=false")
    run = succeed(playbook("restore.yml", *meant, "-e", "database=main", *sure))
    assert "each with the content of then" in run.output
    assert ask("site", count) == people
    run = succeed(playbook("restore.yml", *meant, "-e", "volume=media"))
    assert "The volume is as it was." in " ".join(run.output.split())
    ask("postgres", "DROP DATABASE IF EXISTS site_before_1 WITH (FORCE)")
    for each in copies():
        away.delete_recovery_point(BackupVaultName=vault, RecoveryPointArn=each["RecoveryPointArn"])
    succeed(playbook("site.yml", "-e", json.dumps({"site_remove": ["backup"]})))
    stack = {"StackName": f"{SITE}-backup-copy"}
    stacks = cloud.client("cloudformation", "eu-west-1")
    stacks.update_termination_protection(**stack, EnableTerminationProtection=False)
    stacks.delete_stack(**stack)
    stacks.get_waiter("stack_delete_complete").wait(**stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    away.delete_backup_vault(BackupVaultName=vault)


DRIFTING = """
SET ROLE {owner};
CREATE FUNCTION drifting() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (random() * 1e9)::int; END';
CREATE TABLE drifting (a int, b int GENERATED ALWAYS AS (drifting()) STORED);
INSERT INTO drifting VALUES (1);
"""
"""A table that is another one each time it is restored, as its rows have what nobody has written down."""


@pytest.mark.long
def test_a_backup_is_drilled_and_nothing_of_that_is_left_though_it_is_killed_or_fails(cloud: Cloud) -> None:
    kept = ["-e", json.dumps({"site_backups": {"every": "1d", "keep": 9}})]
    rds, ecs, cluster = cloud.client("rds"), cloud.client("ecs"), SITE
    _, ask = ask_of(cloud)

    def made() -> list[str]:
        """What drills have made, and is there."""
        found = [each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]]
        tasks = ecs.list_tasks(cluster=cluster, startedBy="drill")["taskArns"]
        families = ecs.list_task_definition_families(familyPrefix=f"{cluster}-drill-", status="ACTIVE")["families"]
        return [*(each for each in found if "-drill-" in each), *tasks, *families]

    def last() -> dict[str, Any]:
        return Drills(the_ledger(cloud)).last() or {}

    django = "docker ps --quiet --filter label=com.amazonaws.ecs.container-name=django"
    on_host(cloud, f"docker exec $({django}) sh -c 'echo harbour >/srv/media/drilled.png'")
    password = secret(cloud, "database-main")["password"]
    succeed(playbook("site.yml", *kept))
    succeed(playbook("backup.yml", *kept, "-e", "backup=drilled"))
    succeed(playbook("drill.yml", *kept, "--check"))
    assert made() == []
    killed = subprocess.Popen(
        ["ansible-playbook", "drill.yml", "-i", "test", *kept], cwd=PROJECT, text=True,
        env=environment("drill.yml") | {TTL_VARIABLE: "30"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    assert killed.stdout
    for line in killed.stdout:
        if "AWS Backup restores it, job" in line:
            break
    kill(killed)
    assert len(made()) == 1, "its instance"
    until(lambda: last()["outcome"] == "interrupted", "the lock of the dead run to expire", 60)
    assert "of drilled: interrupted" in playbook("backups.yml").output
    run = succeed(playbook("drill.yml", *kept, "-e", "lock_wait=1m"))
    said = " ".join(run.output.split())
    assert "each with the content of then" in said
    assert "files were read" in said
    assert "answers on what was restored: /healthz with 200, / with " in said
    assert password not in said
    assert made() == []
    assert (last()["backup"], last()["outcome"]) == ("drilled", "good")
    assert last()["recovery_seconds"] > 0
    assert f"of drilled: good · data {span(last()['point_seconds'])} old" in playbook("backups.yml").output
    assert served("/media/drilled.png") == b"harbour\n", "the site is as it was"

    owner = ask("site", "SELECT tableowner FROM pg_tables WHERE tablename = 'auth_user'")
    ask("site", DRIFTING.format(owner=owner))
    succeed(playbook("backup.yml", *kept, "-e", "backup=drifting"))
    bad = playbook("drill.yml", *kept)
    assert bad.status == 2, bad.output
    assert "What was copied is not what the backup has: public.drifting has 1 rows, sum " in " ".join(
        bad.output.split()
    )
    assert made() == []
    assert (last()["backup"], last()["outcome"], last()["recovery_seconds"]) == ("drifting", "failed", None)
    assert "the last drill of a restore failed" in " ".join(playbook("status.yml", *kept).output.split())
    ask("site", "DROP TABLE drifting; DROP FUNCTION drifting")
    succeed(playbook("drill.yml", *kept, "-e", "backup=drilled", "-e", "answers=false"))
    succeed(playbook("site.yml", "-e", json.dumps({"site_remove": ["backup"]})))


@pytest.mark.long
def test_a_dump_becomes_the_database_and_what_was_there_is_kept(cloud: Cloud, tmp_path: Path) -> None:
    address, password = uploaded(), secret(cloud, "database-main")["password"]
    (record,) = cloud.client("rds").describe_db_instances()["DBInstances"]
    container, ask = ask_of(cloud)
    dumping = ["pg_dump", "--username=rdsadmin", "--host=/var/run/postgresql", "--format=custom", "site"]
    (tmp_path / "old.dump").write_bytes(container.exec_run(dumping, stderr=False).output)
    people = ask("site", "SELECT count(*) FROM auth_user")
    dump = ("-e", f"dump={tmp_path}/old.dump")
    run = playbook("import_data.yml", *dump, "-e", "in_use=false")
    assert run.status != 0
    assert "It would be called site_before_1 then, and stay." in " ".join(run.output.split())
    run = succeed(playbook("import_data.yml", *dump, *IMPORT))
    assert "as many as the dump has" in run.output
    assert "what was site before is site_before_1" in run.output
    assert password not in run.output
    assert (
        ask("site", "SELECT count(*) FROM auth_user")
        == people
        == ask("site_before_1", "SELECT count(*) FROM auth_user")
    )
    owners = ask("site", "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == f"{record['MasterUsername']}_owner"
    until(lambda: served("/healthz") and served("/"), "the site on the new database", 30)
    assert uploaded() == address
    run = succeed(playbook("import_data.yml", *dump, *IMPORT))
    assert "the database site is this dump already" in run.output
    assert run.changed == 0


@pytest.mark.long
def test_the_login_of_the_database_is_changed_twice_and_no_visitor_notices(cloud: Cloud) -> None:
    """The second time the run is killed when tasks that start have the new one, and those that run the old one."""
    login, vault = outputs(cloud, "database-main")["LoginArn"], cloud.client("secretsmanager")
    (record,) = cloud.client("rds").describe_db_instances()["DBInstances"]
    container = cloud.docker.containers.get(CONFIG.container(f"db-{record['DBInstanceIdentifier']}"))

    def known() -> dict[str, str]:
        return dict(json.loads(vault.get_secret_value(SecretId=login)["SecretString"]))

    def let_in(value: dict[str, str]) -> bool:
        target = f"host={value['host']} hostaddr=127.0.0.1 dbname=site user={value['username']} sslmode=require"
        asked = ["psql", target, "-Atc", "SELECT count(*) FROM auth_user"]
        return int(container.exec_run(asked, environment={"PGPASSWORD": value["password"]}).exit_code) == 0

    logins, master, rotate = [known()], secret(cloud, "database-main"), "rotate_secrets.yml"
    assert let_in(logins[0])
    assert let_in(master), "no task has ever had it"
    run = succeed(playbook(rotate, "--check"))
    assert "the site would log in as site_b, no longer as site_a" in run.output
    assert known() == logins[0]
    with visited("/") as visits:
        outputs_of = [succeed(playbook(rotate)).output]
        logins.append(known())
        killed = subprocess.Popen(
            ["ansible-playbook", rotate, "-i", "test"], cwd=PROJECT, text=True, env=environment(rotate),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        assert killed.stdout
        for line in killed.stdout:
            if "from now on" in line:
                break
        os.killpg(killed.pid, signal.SIGKILL)
        outputs_of.append(killed.communicate()[0])
        outputs_of.append(succeed(playbook(rotate, "-e", "lock_wait=6m")).output)
    logins.append(known())
    assert not visits.failed, f"{len(visits.failed)} requests failed, {visits.answered} did not: {visits.failed}"
    assert visits.answered > 50
    assert [each["username"] for each in logins] == ["site_a", "site_b", "site_a"]
    assert [let_in(each) for each in [master, *logins]] == [False, False, False, True]
    assert let_in(secret(cloud, "database-main")), "RDS's master has another password, which its own secret has"
    said = "".join(outputs_of)
    assert "a rotation goes on: tasks that start log in as site_a already" in said
    assert not [each for each in logins if each["password"] in said]
    last = the_ledger(cloud).entries()[0]
    assert last["rotation"]["version"] == vault.get_secret_value(SecretId=login)["VersionId"]
    assert last["rotation"]["retired"]
    run = succeed(playbook("site.yml"))
    assert run.changed == 0, run.output
    succeed(playbook("migrate.yml"))
    assert served("/")


@pytest.mark.long
def test_no_verb_shows_a_secret_however_much_it_is_asked_to_say(cloud: Cloud, tmp_path: Path) -> None:
    """All verbs with -vvv: what they print, the processes meanwhile, what is kept in the account and on the hosts."""
    secrets, places = leaks.Secrets(), steps.places(tmp_path)
    leaked, ended = dict[str, list[str]](), dict[str, int]()
    with leaks.process_list() as processes, built(cloud, "legacy-site/nginx", "LABEL release=said"):
        for step in steps.STEPS:
            if step.verb:
                run = typed([*steps.command(step, "test", places), "-vvv"], step.verb)
                secrets.learn(cloud)
                leaked[step.name] = secrets.seen(run.output)
                if run.status != step.ends:
                    ended[step.name] = run.status
                    print(run.output)
    assert ended == {}
    known = {name.split(":")[0].rpartition("/")[0] for name in secrets.values}
    assert known >= {f"{SITE}/database", f"{SITE}/secret/admin", f"{SITE}/secret/django"}
    leaked["the process list"] = secrets.seen("\n".join(processes))
    places_seen = 0
    for place, text in leaks.kept(cloud):
        places_seen += 1
        leaked[place] = secrets.seen(text)
    assert {place: names for place, names in leaked.items() if names} == {}
    assert any("ansible-playbook release.yml" in line for line in processes), "nobody looked at the processes"
    assert places_seen > 50
    assert secrets.seen(json.dumps([*secrets.values.values()])), "a secret that is there would not be seen"
    succeed(playbook("site.yml", "-e", json.dumps({"site_remove": ["backup"]})))


def test_the_image_outlives_a_reboot(cloud: Cloud) -> None:
    """The task that ran is gone, as on EC2; the service starts another on the same host, with the same volume."""
    address = uploaded()
    (host,) = hosts(cloud)
    ecs = cloud.client("ecs")
    (before,) = ecs.list_tasks(cluster=SITE)["taskArns"]
    host_container(cloud).exec_run(["systemctl", "reboot"])
    until(lambda: not served("/healthz"), "the reboot", 60)
    until(lambda: served("/healthz"), "the site on the rebooted host", 180)
    (rebooted,) = hosts(cloud)
    assert rebooted["ec2InstanceId"] == host["ec2InstanceId"]
    assert before not in ecs.list_tasks(cluster=SITE)["taskArns"]
    assert served(address) == IMAGE.read_bytes()


def test_the_image_outlives_its_host(cloud: Cloud) -> None:
    address = uploaded()
    kill_host(cloud)
    assert served(address) == IMAGE.read_bytes()


def test_the_site_moves_to_the_native_driver_with_the_same_files(cloud: Cloud) -> None:
    """Checksums of every file before and after; nothing of the proof stays in the volume."""
    address = uploaded()
    secrets = leaks.Secrets()
    secrets.learn(cloud)
    run = succeed(playbook("move_volume.yml", "-e", "volume=media", "-vvv"))
    assert secrets.seen(run.output) == []
    remembered = re.search(r"(\d+) files to read", run.output)
    assert remembered, run.output
    assert int(remembered.group(1)) >= 1
    assert f"{remembered.group(1)} of {remembered.group(1)} files are the same" in run.output
    assert "driver: efs" in run.output
    (volume,) = cloud.client("ecs").describe_task_definition(taskDefinition=service(cloud)["taskDefinition"])[
        "taskDefinition"
    ]["volumes"]
    assert volume["efsVolumeConfiguration"]["fileSystemId"] == outputs(cloud, "volume-media")["FileSystemId"]
    assert served(address) == IMAGE.read_bytes()
    nginx = "docker ps --quiet --filter label=com.amazonaws.ecs.container-name=nginx | head -n 1"
    assert ".move-volume" not in on_host(cloud, f"docker exec $({nginx}) ls -A /srv/media")


def changed(container: str, **keys: Any) -> dict[str, Any]:
    """Variables that change keys of one of the containers of the service `web`."""
    services = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())["site_services"]
    services["web"]["containers"][container] |= keys
    return {"site_services": services}


def databases(**keys: Any) -> dict[str, Any]:
    """Variables that change keys of the site's database."""
    found = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())["site_databases"]
    found["main"] |= keys
    return {"site_databases": found}


def test_a_command_that_cannot_be_executed_is_told_at_once_with_its_exit_code_and_log(cloud: Cloud) -> None:
    """The release fails, the site that is live goes on, and what ECS knew is on the screen before the end.

    On the site as move_volume.yml left it; the next test brings it back to what its inventory says.
    """
    before = service(cloud)["taskDefinition"]
    with visited("/healthz") as visits:
        given = changed("django", command=["gunicornx", "site.wsgi"])
        run = playbook("site.yml", "-e", json.dumps(given), *NATIVE)
    assert run.status != 0
    reason, line = "django ended with exit code 127", "exec gunicornx failed: No such file or directory"
    while_it_waits, _, message = run.output.partition("UPDATE_FAILED")
    assert reason in while_it_waits, run.output
    assert line in while_it_waits
    message = message.partition("fatal: [localhost]")[2]
    assert reason in message
    assert line in message
    assert service(cloud)["taskDefinition"] == before
    assert not visits.failed, visits


@pytest.mark.usefixtures("cloud")
def test_the_status_shows_the_tasks_that_ended_by_themselves(tmp_path: Path) -> None:
    """Those of the release of the test before; while ECS takes it back, the site may not be called well."""
    run = playbook("status.yml", "-e", "format=json", "-e", f"output={tmp_path}/status.json")
    assert run.status in (0, 1), run.output
    ended = json.loads((tmp_path / "status.json").read_text())["services"][0]["stopped"]
    (task, *_) = [each for each in ended if each["failed"]]
    assert "django ended with exit code 127" in task["reason"], ended
    (django,) = [each for each in task["containers"] if each["name"] == "django"]
    assert django["exit_code"] == 127
    assert any("exec gunicornx failed: No such file or directory" in line for line in django["log"]), django


@pytest.mark.long
def test_the_safe_choices_take_over_the_same_site_and_the_same_files(cloud: Cloud) -> None:
    """A launch template and required tokens besides, on the running site; then a host of that template."""
    address = uploaded()
    succeed(playbook("site.yml", *SAFE))
    assert served(address) == IMAGE.read_bytes()
    kill_host(cloud)
    assert served(address) == IMAGE.read_bytes()
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert group["Instances"][0]["LaunchTemplate"]
    assert "rexray" not in on_host(cloud, "docker plugin ls")
    run = succeed(playbook("site.yml", *SAFE))
    assert run.changed == 0, run.output


def test_status_shows_every_part_well() -> None:
    assert "BAD" not in local_aws("status")


# What runs from here on has another version in its inventory: RDS takes none back.
NEWER = ["-e", json.dumps({"site_databases": {"main": {"engine": "postgres", "version": "16"}}})]


@pytest.mark.long
def test_the_database_gets_another_major_version_on_a_copy_first_though_runs_are_killed(cloud: Cloud) -> None:
    """A rehearsal and the upgrade itself, each killed once; what is there before and after is asked in the server."""
    rds, verb_, sure = cloud.client("rds"), "upgrade_database.yml", ("-e", f"confirm={SITE.partition('-')[2]}")
    (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    newer = [*(SAFE if group["Instances"][0].get("LaunchTemplate") else []), *NEWER]  # as the test before has left it
    (record,) = rds.describe_db_instances()["DBInstances"]
    own, count = record["DBInstanceIdentifier"], "SELECT count(*) FROM auth_user"
    people = ask_of(cloud)[1]("site", count)

    def instances() -> dict[str, str]:
        found = rds.describe_db_instances()["DBInstances"]
        return {each["DBInstanceIdentifier"]: each["EngineVersion"] for each in found}

    def killed_at(words: str, *arguments: str) -> None:
        process = subprocess.Popen(
            ["ansible-playbook", verb_, "-i", "test", *arguments], cwd=PROJECT, text=True, env=environment(verb_),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        assert process.stdout
        seen = list[str]()
        for line in process.stdout:
            seen.append(line)
            if words in line:
                break
        else:
            raise AssertionError("".join(seen))
        kill(process)

    refused = playbook("plan.yml", *newer)
    assert (refused.status, "this run does not change its major version" in " ".join(refused.output.split())) == (
        2,
        True,
    )
    succeed(playbook(verb_, "-e", "version=16", "--check"))
    killed_at("the copy is being upgraded", "-e", "version=16")
    run = succeed(playbook(verb_, "-e", "version=16", "-e", "lock_wait=6m"))
    assert "each with the same content as before" in run.output
    until(lambda: set(instances()) == {own}, "the copy to be gone", 60)
    assert instances()[own].startswith("15.")
    refused = playbook(verb_, "-e", "version=16", *sure, "-e", "in_use=false")
    assert 'Write version: "16"' in " ".join(refused.output.split())
    refused = playbook(verb_, *newer, *sure)
    assert "visitors would see errors" in " ".join(refused.output.split())
    killed_at("meanwhile nobody is answered", *newer, *sure, "-e", "in_use=false")
    run = succeed(playbook(verb_, *newer, *sure, "-e", "in_use=false", "-e", "lock_wait=6m"))
    assert instances()[own].startswith("16."), run.output
    assert ask_of(cloud)[1]("site", count) == people
    until(lambda: served("/"), "the site on the newer server", 60)
    snapshots = [each["DBSnapshotIdentifier"] for each in rds.describe_db_snapshots()["DBSnapshots"]]
    assert any("-before-16-" in each for each in snapshots), snapshots
    assert not any("-rehearsal-" in each for each in snapshots), snapshots
    run = succeed(playbook("site.yml", *newer))
    assert run.changed == 0, run.output
    assert "Nothing to change." in succeed(playbook("plan.yml", *newer)).output
    assert succeed(playbook(verb_, *newer, *sure, "-e", "in_use=false")).changed == 0


def test_teardown_refuses_without_the_name(cloud: Cloud) -> None:
    run = playbook("teardown.yml", "-e", "confirm=prod")
    assert run.status != 0
    assert "Nothing was deleted" in run.output
    assert f"{SITE}-network" in stack_statuses(cloud)


def test_teardown_leaves_the_data_and_nothing_else(cloud: Cloud) -> None:
    secrets = leaks.Secrets()
    secrets.learn(cloud)
    run = succeed(playbook("teardown.yml", "-e", f"confirm={SITE.partition('-')[2]}", "-vvv"))
    assert secrets.seen(run.output) == []
    assert "Nothing is left but what was to stay" in run.output
    assert stack_statuses(cloud) == {}
    assert len(cloud.client("efs").describe_file_systems()["FileSystems"]) == 1
    assert cloud.client("rds").describe_db_snapshots()["DBSnapshots"]
    kept = [each["Name"] for each in cloud.client("secretsmanager").list_secrets()["SecretList"]]
    assert sorted(name.rpartition("/")[0] for name in kept) == [f"{SITE}/secret/admin", f"{SITE}/secret/django"]
    for name in (
        "volume media; to use it again, write file_system_id: fs-", "secret django; to use it again",
        f"write ledger_bucket: {SITE}-ledger-history-",
    ):  # fmt: skip
        assert name in " ".join(run.output.split())
    (ledger,) = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"] if "-ledger-" in each["Name"]]
    kept_ledger = Ledger(cloud.client("s3"), ledger)
    newest = kept_ledger.entries(1)[0]
    assert (newest["verb"], newest["outcome"]) == ("teardown", "good")
    assert kept_ledger.lock.read() is None

    def parts() -> list[str]:
        found = cloud.docker.containers.list(ignore_removed=True, filters={"label": f"berth.local-aws={CONFIG.name}"})
        return [each.name for each in found if re.search("-(i|db|elb)-", each.name)]

    # What the API has let go of is removed by the loop of its kind, a moment later.
    until(lambda: not parts(), "the containers of hosts, database and load balancer to be gone", 30)


def test_teardown_of_the_data_leaves_nothing(cloud: Cloud) -> None:
    arguments = ["-e", f"confirm={SITE.partition('-')[2]}", "-e", "teardown_data=true"]
    succeed(playbook("teardown.yml", *arguments, "-e", "teardown_keep_snapshot=false"))
    until(lambda: not cloud.client("efs").describe_file_systems()["FileSystems"], "no file system", 60)
    assert cloud.client("secretsmanager").list_secrets()["SecretList"] == []
    assert [each for each in cloud.client("s3").list_buckets()["Buckets"] if "-ledger-" in each["Name"]] == []


def test_the_operator_policies_allow_every_call_that_was_made() -> None:
    """`python scripts/operator_policy.py --recorded .local_aws/calls` takes them over."""
    made = calls.recorded(calls.summary(CALLS.read_text().splitlines()))
    verbs = {"site", "hosts", "exec", "run", "logs", "restart", "ssh_config", "move_volume", "teardown"}
    verbs |= {"maintenance", "releases", "scale", "unlock"}
    assert {f"{verb}.yml" for verb in verbs} <= set(made)
    assert not operator_policy.refused(made)

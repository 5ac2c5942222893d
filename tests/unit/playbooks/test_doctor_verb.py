"""The verb doctor, through ansible-playbook on the embedded APIs: failures are brought about, and recognised."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.ecs.control_plane import of
from local_aws.patches import ec2
from local_aws.tests.late_support import LateAws
from local_aws.tests.until import until
from tests.unit.plugin_support import environment, shell
from tests.unit.plugins.plugin_utils.doctor.console_support import console
from tests.unit.postgres_support import PASSWORD, postgres
from tests.unit.variables_support import IDENTITY, PROJECT, evaluate, tasks_of

CONTAINER = {"image": "shop/web", "mem_limit": "64m"}
SITE = {
    "domain_name": "www.shop.test",
    "hosted_zone_id": "",
    "site_services": {"web": {"containers": {"app": CONTAINER}}},
}
HOST = "i-0aaaaaaaaaaaaaaa1"
LOST = "i-0bbbbbbbbbbbbbbb2"
OUTPUTS = {"ClusterName": "shop-prod", "HostGroupName": "shop-prod-hosts"}


FAR = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_user": "nobody"}
"""A host at which nobody listens."""


class Silent:
    """An agent's connection that nobody listens at."""

    def send(self, kind: str, message: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Typed:
    """The verb on a site of its own, and what it said.

    Args:
        folder: for the inventory.
        variables: of the environment.
    """

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder, self._variables = folder, variables
        (folder / "group_vars").mkdir()
        self.site()
        self.hosts()

    def site(self, **more: Any) -> None:
        """Write the site's variables, with others than `SITE` has."""
        (self.folder / "group_vars/prod.yml").write_text(yaml.safe_dump(SITE | more, sort_keys=False))

    def has(self, program: str, text: str) -> None:
        """Give the hosts, which are this machine, a program of the test's own before any other of its name."""
        (self.folder / "bin").mkdir(exist_ok=True)
        path = self.folder / "bin" / program
        path.write_text(text)
        path.chmod(0o755)
        self._variables["PATH"] = f"{path.parent}:{shell({})['PATH']}"

    def hosts(self, **hosts: dict[str, Any]) -> None:
        """Write the inventory, with hosts of the site."""
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        there = {
            name: {"aws_launch_time": "2026-11-27T08:00:00+00:00", "ansible_become": False} | local | more
            for name, more in hosts.items()
        }
        prod = {"hosts": {"localhost": local}, "children": {"ecs_hosts": {"hosts": there}}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"prod": prod}))

    def __call__(self, *options: str) -> tuple[int, str]:
        """Exit status and output."""
        program = str(Path(sys.executable).parent / "ansible-playbook")
        command = [program, "doctor.yml", "-i", str(self.folder / "hosts.yml"), "-e", json.dumps(IDENTITY), *options]
        done = subprocess.run(
            command, cwd=PROJECT, env=shell(self._variables), capture_output=True, text=True, check=False, timeout=170
        )
        return done.returncode, done.stdout + done.stderr

    def model(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Exit status and the JSON."""
        code, said = self("-e", "format=json", *options)
        return code, self.read(said)

    @staticmethod
    def read(said: str) -> dict[str, Any]:
        """The JSON of an output."""
        lines = said.splitlines()
        assert "{" in lines, said
        found: dict[str, Any] = json.loads("\n".join(lines[lines.index("{") : lines.index("}") + 1]))
        return found


def named(model: dict[str, Any]) -> dict[str, str]:
    """Signature → what it is about."""
    return {each["signature"]: each["about"] for each in model["findings"]}


def a_stack(aws: Cloud, layer: str, **outputs: str) -> None:
    body = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    aws.client("cloudformation").create_stack(StackName=f"shop-prod-{layer}", TemplateBody=json.dumps(body))


def a_service(late: LateAws) -> str:
    """A cluster with a service; the ARN of what it runs."""
    ecs = late.client("ecs")
    ecs.create_cluster(clusterName="shop-prod")
    container = {"name": "app", "image": "shop/web:1", "memory": 64}
    made = ecs.register_task_definition(family="shop-prod-service-web", containerDefinitions=[container])
    arn: str = made["taskDefinition"]["taskDefinitionArn"]
    ecs.create_service(cluster="shop-prod", serviceName="web", taskDefinition=arn, desiredCount=1)
    return arn


def a_host(aws: Cloud, name: str) -> None:
    """A host whose agent takes what it is sent, and does nothing."""
    resources = [{"name": each, "type": "INTEGER", "integerValue": 2048} for each in ("CPU", "MEMORY")]
    document = {"instanceId": name, "region": "us-east-1", "availabilityZone": "us-east-1a"}
    worker = of(aws).regional("us-east-1")
    worker.api.call(
        "RegisterContainerInstance",
        {
            "cluster": "shop-prod",
            "instanceIdentityDocument": json.dumps(document),
            "totalResources": [*resources, {"name": "PORTS", "type": "STRINGSET", "stringSetValue": []}],
            "attributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
        },
    )
    for instance in of(aws).state.region("us-east-1").instances.values():
        instance.channel = Silent()


def an_instance(aws: Cloud, **more: Any) -> str:
    """One that has the site's tags, and that ECS has never heard of."""
    tags = [{"Key": "Site", "Value": "shop"}, {"Key": "Environment", "Value": "prod"}]
    image = aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    (made,) = aws.client("ec2").run_instances(
        ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=[{"ResourceType": "instance", "Tags": tags}], **more
    )["Instances"]
    name: str = made["InstanceId"]
    return name


def end(aws: Cloud, **container: Any) -> None:
    """The agent says that the task of the service ended so."""
    worker = of(aws).regional("us-east-1")

    def started() -> list[str]:
        worker.scheduler.round()  # a service that has just been made may be left to the next round
        return list(worker.api.call("ListTasks", {"cluster": "shop-prod"})["taskArns"])

    (arn,) = until(started, "the service's task", 20)
    ended = {"containerName": "app", "status": "STOPPED", **container}
    given = {"cluster": "shop-prod", "task": arn, "status": "STOPPED", "containers": [ended]}
    worker.api.call("SubmitTaskStateChange", given)


@pytest.fixture
def typed(late_aws: Callable[..., LateAws], aws: Cloud, tmp_path: Path) -> tuple[LateAws, Typed]:
    late = late_aws()
    return late, Typed(tmp_path, {**environment(aws), "AWS_ENDPOINT_URL": late.endpoint})


@pytest.mark.playbook
def test_a_site_that_is_not_up_has_that_and_the_rights_of_docs_are_enough(aws: Cloud, tmp_path: Path) -> None:
    code, said = Typed(tmp_path, environment(aws))()
    assert code == 1, said
    assert "site: is not up: it has no stack here" in said
    assert "ansible-playbook site.yml -i " in said
    assert "shop-prod has something that ails it: site." in " ".join(said.split())
    assert "docs/troubleshooting.md#has-something-that-ails-it" in said


@pytest.mark.playbook
def test_a_service_without_hosts_and_a_container_that_took_too_much(typed: tuple[LateAws, Typed], aws: Cloud) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    a_service(late)
    of(aws).regional("us-east-1").scheduler.round()
    code, model = doctor.model()
    assert code == 1
    assert named(model)["no-hosts"] == "service.web", model
    assert not model["well"]

    a_host(aws, HOST)
    end(aws, exitCode=137, reason="OutOfMemoryError: Container killed due to memory usage")
    code, said = doctor("--check")
    assert code == 1
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "service.web: memory" in lines, said
    assert "cause The container took more than its mem_limit, and was killed." in lines
    assert any(line.startswith("type ansible-playbook site.yml -i ") for line in lines)
    assert any("OutOfMemoryError: Container killed due to memory usage" in line for line in lines)
    assert f"Not looked at by ssh: {HOST}." in lines


@pytest.mark.playbook
def test_who_is_to_be_told_and_has_not_confirmed_ails_a_site_as_its_status_says(
    typed: tuple[LateAws, Typed], aws: Cloud
) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    a_service(late)
    told = ("-e", json.dumps({"alarms_subscribers": ["ops@example.org"]}))
    assert "ops@example.org" in json.dumps(doctor.model(*told)[1]["unexplained"])
    assert "ops@example.org" not in json.dumps(doctor.model()[1]["unexplained"])


@pytest.mark.playbook
def test_an_image_that_is_not_there(typed: tuple[LateAws, Typed], aws: Cloud) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    a_service(late)
    a_host(aws, HOST)
    reason = "CannotPullContainerError: Error response from daemon: manifest for shop/web:1 not found: manifest unknown"
    end(aws, reason=reason)
    code, model = doctor.model("--check")
    assert code == 1
    (found,) = [each for each in model["findings"] if each["signature"] == "image-gone"]
    assert found["about"] == "service.web"
    assert found["type"].startswith("ansible-playbook publish.yml -i ")
    assert reason in found["evidence"][0]["line"]
    assert "program-failed" not in named(model)


@pytest.mark.playbook
def test_a_host_that_never_joined_is_looked_at_by_ssh_or_else_by_its_console(
    typed: tuple[LateAws, Typed], aws: Cloud
) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    late.client("ecs").create_cluster(clusterName="shop-prod")
    name = an_instance(aws)
    doctor.has(
        "docker", "#!/bin/sh\necho Cannot connect to the Docker daemon at unix:///var/run/docker.sock. >&2\nexit 1\n"
    )
    doctor.hosts(**{name: {}})
    code, model = doctor.model("-e", f"host={name}")
    assert code == 1
    assert model["done"] == [{"about": f"host {name}", "what": "session", "state": "good", "said": "ssh opens one"}]
    found = named(model)
    assert found["docker-down"] == found["host-role"] == f"host {name}", model

    doctor.hosts(**{name: FAR})
    code, said = doctor("-e", f"host={name}")
    assert code == 1
    assert f"host {name}: ssh-refused" in said, said
    assert f"session host {name}: failed: ssh does not open one: " in " ".join(said.split())
    assert f"{name} has something that ails it" in " ".join(said.split())


@pytest.mark.playbook
def test_a_host_that_lets_nobody_in_says_on_its_console_why_it_never_joined(
    typed: tuple[LateAws, Typed], aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    late.client("ecs").create_cluster(clusterName="shop-prod")
    aws.client("iam").create_instance_profile(InstanceProfileName="shop-prod-host")
    name = an_instance(aws, IamInstanceProfile={"Name": "shop-prod-host"})
    doctor.hosts(**{name: FAR})
    for why in ("boot-failed", "other-cluster"):
        monkeypatch.setattr(ec2, "consoles", [lambda _, why=why: console(why).encode()])
        code, model = doctor.model("-e", f"host={name}")
        assert code == 1
        found = {each["signature"]: each for each in model["findings"]}
        assert found.keys() == {why, "ssh-refused"}, (why, model)
        assert found[why]["evidence"][0]["where"] == "console"
        assert found[why]["about"] == f"host {name}"


@pytest.mark.playbook
def test_a_task_s_own_login_is_tried_and_its_refusal_explained(typed: tuple[LateAws, Typed], aws: Cloud) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    a_service(late)
    a_host(aws, HOST)
    taken = {"DB_USER": "database.main.username", "DB_PASSWORD": "database.main.password"}
    container = CONTAINER | {"secrets": taken, "environment": {"DB_HOST": {"from": "database.main.host"}}}
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:main-AbCdEf"
    with postgres() as server:
        doctor.site(
            site_services={"web": {"containers": {"app": container}}},
            site_databases={
                "main": {"endpoint": "db.shop.test", "port": server.port, "name": "postgres", "secret_arn": arn}
            },
        )
        code, model = doctor.model("--check")
        untried = "app to database.main: no host that was asked has a task of it"
        assert {"about": "service.web", "what": "login", "state": "untried", "said": untried} in model["done"]
        doctor.hosts(**{HOST: {}})
        for password, state in ((PASSWORD, "good"), ("retired-last-night", "bad")):
            there = [{
                "Id": "0123", "State": {"Running": True, "Pid": os.getpid()}, "HostsPath": str(doctor.folder / "hosts"),
                "Config": {"Env": ["DB_HOST=db.shop.test", "DB_USER=clerk", f"DB_PASSWORD={password}"]},
            }]  # fmt: skip
            (doctor.folder / "hosts").write_text("127.0.0.1 db.shop.test\n")
            (doctor.folder / "there").write_text(json.dumps(there))
            doctor.has(
                "docker",
                f'#!/bin/sh\ncase "$1" in ps) echo 0123 ;; inspect) cat {doctor.folder}/there ;; *) exit 1 ;; esac\n',
            )
            code, said = doctor("--check", "-e", "format=json", "-vvv")
            assert password not in said
            assert json.dumps(password)[1:-1] not in said
            model = doctor.read(said)
            (login,) = [each for each in model["done"] if each["what"] == "login"]
            assert login["state"] == state, login
            assert f"inside a task on {HOST}" in login["said"]
            assert ("database-password" in named(model)) is (state == "bad")
        assert code == 1
        assert named(model)["database-password"] == "service.web"


@pytest.mark.playbook
def test_a_message_is_sent_where_it_is_asked_for_alone(typed: tuple[LateAws, Typed], aws: Cloud) -> None:
    late, doctor = typed
    a_stack(aws, "cluster", **OUTPUTS)
    a_service(late)
    told = ("-e", json.dumps({"alarms_subscribers": ["ops@example.org"]}))
    assert [each for each in doctor.model("--check", *told)[1]["done"] if each["what"] == "message"] == []
    code, model = doctor.model("--check", *told, "-e", "message=true")
    assert code == 1
    (message,) = [each for each in model["done"] if each["what"] == "message"]
    assert message["state"] == "bad"
    assert message["said"].startswith("There is no topic by which anybody could be told yet.")


@pytest.mark.playbook
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("message=maybe",), "message is maybe, and it is true or false: ansible-playbook doctor.yml -i "),
        (
            ("message=true", f"host={LOST}"),
            f"A message is sent for the whole site, so leave out -e host={LOST}: ansible-playbook doctor.yml -i ",
        ),
    ],
)
def test_a_message_that_cannot_be_meant_is_refused(
    aws: Cloud, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    code, said = Typed(tmp_path, environment(aws))(*(word for each in options for word in ("-e", each)))
    assert code == 2, said
    assert sentence in " ".join(said.split())


@pytest.mark.playbook
@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("host=web-1", "web-1 is no instance id. Type: "),
        (f"host={LOST}", f"shop-prod has no host {LOST}; its hosts are: none"),
    ],
)
def test_a_host_that_is_none_of_the_site_s_is_refused(typed: tuple[LateAws, Typed], option: str, sentence: str) -> None:
    late, doctor = typed
    late.client("ecs").create_cluster(clusterName="shop-prod")
    code, said = doctor("-e", option)
    assert code == 2, said
    assert sentence in " ".join(said.split())


@pytest.mark.playbook
def test_a_format_that_there_is_not_is_refused(aws: Cloud, tmp_path: Path) -> None:
    code, said = Typed(tmp_path, environment(aws))("-e", "format=html")
    assert code == 2
    assert "format is html, and it is text or json: ansible-playbook doctor.yml -i " in " ".join(said.split())


def test_the_newest_hosts_are_looked_at_or_the_one_that_is_named() -> None:
    (play,) = yaml.safe_load((PROJECT / "playbooks/doctor.yml").read_text())
    names = [f"i-{number:02}" for number in range(12)]
    known = {
        "groups": {"ecs_hosts": names},
        "hostvars": {
            name: {"inventory_hostname": name, "aws_launch_time": f"2026-11-27T{name[2:]}:00:00"} for name in names
        },
    }

    def chosen(host: str) -> Any:
        newest = evaluate(play["vars"]["doctor_newest"], known)
        return evaluate(play["vars"]["doctor_hosts"], {**known, "doctor_newest": newest, "doctor_host": host})

    assert chosen("") == names[:1:-1]
    assert chosen("i-03") == ["i-03"]
    assert chosen("i-gone") == []


def test_what_verify_finds_does_not_end_the_run_here() -> None:
    given = tasks_of("playbooks/doctor.yml")["Try what the site needs"]
    assert given["vars"] == {"verify_judged": False}
    tasks = tasks_of("playbooks/tasks/verify.yml")
    for name in ("Try all that the site needs", "Show what was found"):
        said = tasks[name].get("failed_when", tasks[name].get("when"))
        assert "verify_judged | default(true)" in str(said)

"""Compose's words become ECS's, all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.definitions import NoImage, Run
from plugins.plugin_utils.site.images import by_digest, digest_of, release, tag_of, with_tag
from plugins.plugin_utils.site.rendering import entry, plain, render
from tests.unit.plugins.plugin_utils.site.support import read, rendered, small

ONE = "site_services: {{web: {{containers: {{web: {{{}}}}}}}}}"


def made(text: str, key: str = "service.web", name: str = "web", **more: Any) -> dict[str, Any]:
    """The definition of the small site's container with these keys."""
    site = read(small(ONE.format(text)) | more)
    return next(each for each in rendered(site, key).containers if each["Name"] == name)


WORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "command": ("command: 'gunicorn --bind 0:80 \"a b\"'", {"Command": ["gunicorn", "--bind", "0:80", "a b"]}),
    "entrypoint": ("entrypoint: [/start.sh, 5]", {"EntryPoint": ["/start.sh", "5"]}),
    "mem_limit": ("mem_limit: 1g", {"Memory": 1024}),
    "mem_reservation": ("mem_reservation: 128m", {"MemoryReservation": 128}),
    "cpu_shares": ("cpu_shares: 256", {"Cpu": 256}),
    "ports": (
        "ports: [80, 53/udp, {target: 90, protocol: udp}]",
        {
            "PortMappings": [
                {"ContainerPort": 80, "HostPort": 0, "Protocol": "tcp"},
                {"ContainerPort": 53, "HostPort": 0, "Protocol": "udp"},
                {"ContainerPort": 90, "HostPort": 0, "Protocol": "udp"},
            ]
        },
    ),
    "healthcheck": (
        "healthcheck: {test: curl -f localhost || exit 1}",
        {
            "HealthCheck": {
                "Command": ["CMD-SHELL", "curl -f localhost || exit 1"],
                "Interval": 30,
                "Timeout": 30,
                "Retries": 3,
                "StartPeriod": 0,
            }
        },
    ),
    "stop_grace_period": ("stop_grace_period: 1m30s", {"StopTimeout": 90}),
    "user": ("user: 1000", {"User": "1000"}),
    "working_dir": ("working_dir: /app", {"WorkingDirectory": "/app"}),
    "hostname": ("hostname: shop", {"Hostname": "shop"}),
    "read_only": ("read_only: true", {"ReadonlyRootFilesystem": True}),
    "privileged": ("privileged: true", {"Privileged": True}),
    "tty": ("tty: true", {"PseudoTerminal": True}),
    "stdin_open": ("stdin_open: true", {"Interactive": True}),
    "security_opt": ("security_opt: ['no-new-privileges:true']", {"DockerSecurityOptions": ["no-new-privileges"]}),
    "dns": ("dns: 10.0.0.2", {"DnsServers": ["10.0.0.2"]}),
    "dns_search": ("dns_search: [shop.internal]", {"DnsSearchDomains": ["shop.internal"]}),
    "extra_hosts": ("extra_hosts: ['mail:10.0.0.5']", {"ExtraHosts": [{"Hostname": "mail", "IpAddress": "10.0.0.5"}]}),
    "ulimits": (
        "ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}",
        {
            "Ulimits": [
                {"Name": "nofile", "SoftLimit": 1, "HardLimit": 2},
                {"Name": "nproc", "SoftLimit": 5, "HardLimit": 5},
            ]
        },
    ),
    "sysctls": (
        "sysctls: {net.core.somaxconn: 1024}",
        {"SystemControls": [{"Namespace": "net.core.somaxconn", "Value": "1024"}]},
    ),
    "labels": ("labels: [a=b]", {"DockerLabels": {"a": "b", "berth.release": "r1", "berth.image": "shop/web"}}),
    "init": ("init: false", {"LinuxParameters": {"InitProcessEnabled": False}}),
    "shm_size": ("shm_size: 64m", {"LinuxParameters": {"InitProcessEnabled": True, "SharedMemorySize": 64}}),
    "tmpfs": (
        "tmpfs: ['/run:size=64m,noexec']",
        {
            "LinuxParameters": {
                "InitProcessEnabled": True,
                "Tmpfs": [{"ContainerPath": "/run", "Size": 64, "MountOptions": ["noexec"]}],
            }
        },
    ),
    "cap_add": (
        "cap_add: [CAP_NET_ADMIN]",
        {"LinuxParameters": {"InitProcessEnabled": True, "Capabilities": {"Add": ["NET_ADMIN"]}}},
    ),
    "cap_drop": (
        "cap_drop: [all]",
        {"LinuxParameters": {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}}},
    ),
    "devices": (
        "devices: ['/dev/fuse:/dev/fuse:rw']",
        {
            "LinuxParameters": {
                "InitProcessEnabled": True,
                "Devices": [{"HostPath": "/dev/fuse", "ContainerPath": "/dev/fuse", "Permissions": ["read", "write"]}],
            }
        },
    ),
    "memswap_limit": ("memswap_limit: 512m", {"LinuxParameters": {"InitProcessEnabled": True, "MaxSwap": 256}}),
    "mem_swappiness": (
        "mem_swappiness: 0",
        {"LinuxParameters": {"InitProcessEnabled": True, "MaxSwap": 256, "Swappiness": 0}},
    ),
    "environment": (
        "environment: {A: , B: true, C: 5, D: 'x'}",
        {
            "Environment": [
                {"Name": "A", "Value": ""},
                {"Name": "B", "Value": "true"},
                {"Name": "C", "Value": "5"},
                {"Name": "D", "Value": "x"},
                {"Name": "RELEASE", "Value": "r1"},
            ]
        },
    ),
    "image": ("image: 'shop/web:2'", {"Image": "registry/shop/web:2"}),
}
ELSEWHERE = {"like", "volumes", "links", "depends_on", "secrets"}
"""Words that need more than one container; they have tests of their own."""


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_compose_becomes_what_ecs_calls_it(word: str) -> None:
    text, wanted = WORDS[word]
    definition = made(text)
    assert {name: definition.get(name) for name in wanted} == wanted


def test_the_release_is_that_of_the_task_s_own_images_and_the_image_is_told_as_it_was_written() -> None:
    text = "image: 'shop/web:2'}, b: {image: 'shop/back:7', mem_limit: 9m}, c: {like: web.b, command: x"
    labels = {name: made(text, name=name)["DockerLabels"] for name in ("web", "b", "c")}
    assert {each["berth.release"] for each in labels.values()} == {"2-7"}
    assert {name: each["berth.image"] for name, each in labels.items()} == {
        "web": "shop/web:2", "b": "shop/back:7", "c": "shop/back:7",
    }  # fmt: skip


DIGEST = f"sha256:{'ab' * 32}"
BOTH, BARE = f"registry:5000/shop/web:2@{DIGEST}", f"registry:5000/shop/web@{DIGEST}"


def test_an_image_of_this_machine_is_named_by_its_digest_and_its_tag_stays_readable() -> None:
    site = read(small(ONE.format("image: 'shop/web:9'")))
    run = Run({"shop/web:9": BOTH}, "us-east-1")
    (container,) = entry(site, "service.web", run)["containers"]
    assert container["Image"] == f"registry:5000/shop/web@{DIGEST}"
    assert container["DockerLabels"] == {"berth.release": "2", "berth.image": "shop/web:9", "berth.tag": "2"}
    assert {"Name": "RELEASE", "Value": "2"} in container["Environment"]
    kept = with_tag(container["Image"], container["DockerLabels"]["berth.tag"])
    assert entry(site, "service.web", Run({"shop/web:9": kept}, "us-east-1"))["containers"] == [container], (
        "what is live stays to the letter"
    )


def test_what_runs_by_its_tag_keeps_it_and_so_does_an_image_from_elsewhere() -> None:
    (container,) = entry(
        read(small(ONE.format("image: 'shop/web:9'"))), "service.web", Run({"shop/web:9": "registry/shop/web:2"}, "r")
    )["containers"]
    assert (container["Image"], "berth.tag" in container["DockerLabels"]) == ("registry/shop/web:2", False)
    elsewhere = f"ghcr.io/shop/web:2@{DIGEST}"
    (container,) = entry(read(small(ONE.format(f"image: '{elsewhere}'"))), "service.web", Run({}, "r"))["containers"]
    assert (container["Image"], "berth.tag" in container["DockerLabels"]) == (elsewhere, False)


@pytest.mark.parametrize(
    ("image", "tag", "digest", "named", "both"),
    [
        (BOTH, "2", DIGEST, BARE, BOTH),
        (BARE, "", DIGEST, BARE, f"registry:5000/shop/web:x@{DIGEST}"),
        ("registry:5000/shop/web:2", "2", "", "registry:5000/shop/web:2", "registry:5000/shop/web:2"),
        ("registry:5000/shop/web", "", "", "registry:5000/shop/web", "registry:5000/shop/web"),
    ],
)  # fmt: skip
def test_an_image_s_tag_and_digest(image: str, tag: str, digest: str, named: str, both: str) -> None:
    assert (tag_of(image), digest_of(image), by_digest(image)) == (tag, digest, named)
    assert with_tag(image, "x") == both
    assert with_tag(named, "") == named


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["registry:5000/shop/web:2"], "2"),
        ([BOTH, "shop/back:2"], "2"),
        (["registry:5000/shop/web"], "latest"),
        (["shop/web:2", "shop/back:7"], "2-7"),
        (["shop/web:2", "shop/back:2"], "2"),
        ([f"shop/web@sha256:{'ab' * 32}"], "abababababab"),
        ([f"shop/web:3@sha256:{'ab' * 32}"], "3"),
    ],
)
def test_a_release_is_made_of_tags(names: list[str], wanted: str) -> None:
    assert release(names) == wanted


def test_there_is_a_test_of_every_word() -> None:
    assert set(WORDS) | ELSEWHERE == set(CONTAINER.keys)


def test_what_nobody_asked_for_is_not_there() -> None:
    assert set(made("init: true")) == {
        "Name", "Image", "Essential", "Memory", "Environment", "PortMappings", "DockerLabels", "LinuxParameters",
        "LogConfiguration",
    }  # fmt: skip


def test_one_that_another_waits_for_to_end_is_not_essential() -> None:
    text = "depends_on: {{setup: {{condition: {}}}}}}}, setup: {{image: shop/setup, mem_limit: 64m"
    setup = made(text.format("service_completed_successfully"), name="setup")
    assert setup["Essential"] is False
    assert made(text.format("service_completed_successfully"))["DependsOn"] == [
        {"ContainerName": "setup", "Condition": "SUCCESS"}
    ]
    assert made(text.format("service_started"), name="setup")["Essential"] is True


def test_links_may_have_another_name() -> None:
    text = "links: ['b:back', c]}, b: {image: a/b, mem_limit: 9m}, c: {image: a/b, mem_limit: 9m"
    assert made(text)["Links"] == ["b:back", "c"]


def test_a_volume_of_the_task_is_empty_and_no_stack() -> None:
    site = read(small(ONE.format("volumes: ['run:/run/shop']") + "\nsite_volumes: {run: {driver: task}}"))
    parts = rendered(site, "service.web")
    assert parts.volumes == [{"Name": "run"}]
    assert parts.task_statements == []
    assert {entry for entry, _ in parts.takes.values()} == {"image.shop-web"}


def test_who_only_reads_may_only_read() -> None:
    given = small(ONE.format("volumes: ['media:/m:ro']") + "\nsite_volumes: {media: {}}")
    (statement,) = rendered(read(given), "service.web").task_statements
    assert statement["Action"] == ["elasticfilesystem:ClientMount"]
    assert statement["Condition"] == {
        "StringEquals": {"elasticfilesystem:AccessPointArn": {"Ref": "VolumeMediaAccessPointArn"}}
    }


def test_an_image_that_is_not_in_the_registry_is_told_by_its_name() -> None:
    with pytest.raises(NoImage, match=r"no image for shop/web \(container web\)"):
        render(read(small()), "service.web", Run({}, "eu-west-1"))


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("eu-west-1", "dkr.ecr.eu-west-1.amazonaws.com"),
        ("eu-west-1", "dkr-ecr.eu-west-1.on.aws"),
        ("eusc-de-east-1", "dkr.ecr.eusc-de-east-1.amazonaws.eu"),
        ("cn-north-1", "dkr.ecr.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_an_image_of_a_registry_is_run_as_it_is_called_and_one_of_ecr_may_be_pulled(region: str, registry: str) -> None:
    ecr = f"123456789012.{registry}/team/web:3"
    site = read(small(ONE.format(f"image: '{ecr}'")))
    parts = rendered(site, "service.web")
    assert parts.containers[0]["Image"] == ecr
    (pull,) = parts.execution_statements
    assert pull["Resource"] == [{"Fn::Sub": f"arn:${{AWS::Partition}}:ecr:{region}:123456789012:repository/team/web"}]
    assert site.images == {}
    public = rendered(read(small(ONE.format("image: 'public.ecr.aws/docker/library/redis:7'"))), "service.web")
    assert public.execution_statements == []


def test_two_images_that_would_share_a_repository_are_refused() -> None:
    from plugins.plugin_utils.site.reading import read_site

    given = small(ONE.format("image: shop/web}, b: {image: shop-web, mem_limit: 9m"))
    (problem,) = read_site(given).problems
    assert "both would be the repository shop-web" in problem.sentence
    read(small(ONE.format("image: 'shop/web:1'}, b: {image: 'shop/web:2', mem_limit: 9m")))


def test_the_order_of_an_inventory_makes_no_new_revision() -> None:
    one = made("environment: {A: b, C: d}, labels: {e: f, g: h}")
    assert one == made("labels: {g: h, e: f}, environment: {C: d, A: b}")


def test_like_copies_all_but_the_place_and_lays_its_own_over_it() -> None:
    text = (
        "environment: {A: one, B: two}, healthcheck: {test: 'true'}, mem_reservation: 200m, "
        "secrets: {K: database.main.password}}, "
        "b: {like: web.web, environment: {B: own, K: plain}, mem_limit: 100m"
    )
    definition = made(text, name="b")
    assert {each["Name"]: each["Value"] for each in definition["Environment"]} == {
        "A": "one", "B": "own", "K": "plain", "RELEASE": "r1",
    }  # fmt: skip
    assert not {"PortMappings", "HealthCheck", "Secrets", "MemoryReservation"} & set(definition)
    assert definition["Memory"] == 100


def test_like_of_like_is_followed() -> None:
    assert made("user: app}, b: {like: web.web}, c: {like: web.b, command: x", name="c")["User"] == "app"


def test_an_entry_is_plain_lists_and_the_words_of_an_inventory() -> None:
    databases = "site_databases: {main: {class: db.t4g.micro, admin_cidrs: [10.1.0.0/16], patch: {Database.A: [1]}}}"
    database = plain(read(small(databases)).databases["main"])
    assert (database["class"], database["admin_cidrs"]) == ("db.t4g.micro", ["10.1.0.0/16"])
    assert "class_" not in database, "a keyword of Python's goes by its own name"
    assert json.loads(json.dumps(database)) == database
    assert database["patch"] == {"Database.A": [1]}
    secret = plain(
        read(small("site_secrets: {admin: {generate: password, values: {username: admin}}}")).secrets["admin"]
    )
    assert (secret["generate"], secret["values"]) == (["password"], {"username": "admin"})


def test_what_a_template_reads_is_plain_and_says_only_what_is_there() -> None:
    site = read(small("site_services: {web: {expose: web, scale: {max: 2, cpu: 60}}}"))
    run = Run({"shop/web": "registry/web:1"}, "eu-west-1")
    read_by_template = entry(site, "service.web", run)
    assert json.loads(json.dumps(read_by_template)) == read_by_template
    assert read_by_template["takes"] == {"ImageShopWebRepositoryArn": "image.shop-web.RepositoryArn"}
    assert read_by_template["scale"] == {"min": 1, "max": 2, "cpu": 60}
    assert read_by_template["expose"] == {"container": "web", "container_port": 8000, "port": 8000, "scheme": "http"}
    (route,) = read_by_template["routes"]
    assert {**route, "priority": 0} == {
        "to": "web", "port": 8000, "hosts": [], "paths": [], "health": "/", "priority": 0,
    }  # fmt: skip
    job = entry(read(small("site_jobs: {m: {like: web.web, command: x}}")), "job.m", run)
    assert (job["run"], job["schedule"], job["zone"], job["minutes"]) == ("by_hand", "", "UTC", 15)

"""Two containers, the agent and Docker within the hard limit of 1 GiB, with pages and uploads coming in."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import docker
import pytest
import requests

from local_aws import images
from local_aws.cloud import ACCESS_KEY, SECRET_KEY
from local_aws.config import LABEL
from local_aws.tests.until import until

CLOUD, ENDPOINT, REGISTRY = "molecule15", "http://127.0.0.1:4275", "127.0.0.1:4277/load"
PORT = 8000
PAGES, UPLOADS, AT_A_TIME = 300, 24, 8
MEGABYTE = 2**20
CGROUP = "/sys/fs/cgroup/memory"
DATABASE = """
set -e
cp -a /var/lib/postgresql/empty /tmp/db
printf 'local all all trust\\nhost all all all scram-sha-256\\n' > /tmp/db/pg_hba.conf
postgres -D /tmp/db -c listen_addresses='*' -c fsync=off -c unix_socket_directories=/tmp &
until psql -h /tmp -U rdsadmin postgres -c "create role site login password 'of this test'"; do sleep 0.2; done
psql -h /tmp -U rdsadmin postgres -c 'create database site owner site'
wait
"""
SETTINGS = {
    "SECRET_KEY": "of this test", "ALLOWED_HOSTS": "*", "COOKIES_SECURE": "0", "DB_SSLMODE": "disable",
    "DB_NAME": "site", "DB_USER": "site", "DB_PASSWORD": "of this test",
}  # fmt: skip
ADMIN = {"ADMIN_USER": "admin", "ADMIN_PASSWORD": "first of all"}


def photograph() -> bytes:
    """A PNG of 2000 by 1500 points: small to send, 9 MB for the process that makes its thumbnail."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2000, 1500, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(range(250)) * 24) * 1500
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Address of PostgreSQL, outside the host."""
    container = docker.from_env().containers.run(
        images.ensure("postgres"), ["bash", "-c", DATABASE], detach=True, network=f"berth-{CLOUD}",
        labels={LABEL: CLOUD},
    )  # fmt: skip
    try:
        until(lambda: b"CREATE DATABASE" in container.logs(), "the database is made")
        container.reload()
        yield container.attrs["NetworkSettings"]["Networks"][f"berth-{CLOUD}"]["IPAddress"]
    finally:
        container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def site(host: Any, database: str) -> str:
    """URL of the two containers, started by the agent with the memory that examples/legacy_site/site.yml gives them."""
    environment = {**SETTINGS, "DB_HOST": database}
    media = {"sourceVolume": "media", "containerPath": "/srv/media"}
    django = {
        "name": "django", "image": f"{REGISTRY}/django", "memory": 256, "essential": True, "mountPoints": [media],
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
    }  # fmt: skip
    nginx = {
        "name": "nginx", "image": f"{REGISTRY}/nginx", "memory": 64, "essential": True, "links": ["django"],
        "mountPoints": [{**media, "readOnly": True}], "portMappings": [{"containerPort": 80, "hostPort": PORT}],
        "dependsOn": [{"containerName": "django", "condition": "START"}],
    }  # fmt: skip
    ecs = boto3.client(
        "ecs", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )  # fmt: skip
    until(lambda: ecs.list_container_instances(cluster="legacy-molecule")["containerInstanceArns"], "the host is there")
    volume = {"scope": "shared", "autoprovision": True, "driver": "local"}
    ecs.register_task_definition(
        family="load", networkMode="bridge", containerDefinitions=[django, nginx],
        volumes=[{"name": "media", "dockerVolumeConfiguration": volume}],
    )  # fmt: skip
    begun = ecs.run_task(cluster="legacy-molecule", taskDefinition="load")
    assert not begun["failures"], begun["failures"]
    address = host.check_output("ip -4 -o address show eth0").split()[3].partition("/")[0]
    url = f"http://{address}:{PORT}"
    until(lambda: answers(f"{url}/healthz"), "/healthz answers 200")
    given = " ".join(f"-e {name}='{value}'" for name, value in (environment | ADMIN).items())
    host.check_output(f"docker run --rm --memory 256m {given} {REGISTRY}/django python manage.py migrate --noinput")
    return url


def browse(url: str, path: str) -> int:
    return requests.get(url + path, timeout=60).status_code


def upload(url: str, cookies: dict[str, str], number: int) -> int:
    name = f"photograph-{number}.png"
    answer = requests.post(
        f"{url}/admin/filer/clipboard/operations/upload/?filename={name}", cookies=cookies, timeout=60,
        files={"Filedata": (name, photograph(), "image/png")},
        data={"Filename": name, "csrfmiddlewaretoken": cookies["csrftoken"]},
    )  # fmt: skip
    return answer.status_code if answer.json().get("label") == name else 0


def sign_in(url: str) -> dict[str, str]:
    browser = requests.Session()
    page = browser.get(f"{url}/admin/login/", timeout=20).text
    token = re.search(r"name='csrfmiddlewaretoken' value='([^']+)'", page)
    assert token, page
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": "admin",
        "password": ADMIN["ADMIN_PASSWORD"],
        "next": "/admin/",
    }
    browser.post(f"{url}/admin/login/", data=form, timeout=20)
    assert "sessionid" in browser.cookies
    return dict(browser.cookies)


def test_nothing_is_killed_for_want_of_memory(host: Any, site: str, capsys: pytest.CaptureFixture[str]) -> None:
    with host.sudo():
        limit = int(host.check_output(f"cat {CGROUP}/memory.limit_in_bytes"))
        assert limit == 1024 * MEGABYTE
        # What processes hold; the rest of the cgroup's memory are cached files, which the kernel gives up.
        sample = f'while sleep 0.3; do grep "^total_rss " {CGROUP}/memory.stat >> /run/load; done'
        host.check_output(f"systemd-run --quiet --unit load-sample sh -c '{sample}'")
    cookies = sign_in(site)
    # The first alone: filer makes a person's clipboard then, and two at once would make two, which it never forgives.
    assert upload(site, cookies, UPLOADS) == 200
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        paths = ["/", "/admin/login/", "/static/admin/css/base.css"]
        pages = [pool.submit(browse, site, paths[number % 3]) for number in range(PAGES)]
        uploads = [pool.submit(upload, site, cookies, number) for number in range(UPLOADS)]
        assert {one.result() for one in pages} == {200}
        assert {one.result() for one in uploads} == {200}

    with host.sudo():
        host.check_output("systemctl stop load-sample")
        held = max(int(line.split()[1]) for line in host.file("/run/load").content_string.splitlines())
        peak = int(host.check_output(f"cat {CGROUP}/memory.max_usage_in_bytes"))
        kills = host.check_output(f"find {CGROUP} -name memory.oom_control -exec sed -n 's/^oom_kill //p' {{}} +")
        rows = []
        for name in host.check_output("docker ps --format '{{.Names}}'").split():
            inspected = host.check_output(f"docker inspect -f '{{{{.State.OOMKilled}}}} {{{{.Id}}}}' {name}")
            killed, number = inspected.split()
            most = "-exec cat {}/memory.max_usage_in_bytes ';'"
            found = host.check_output(f"find {CGROUP} -type d -name '{number}' {most}")
            assert killed == "false", name
            rows.append((name, int(found)))
    with capsys.disabled():
        print(
            f"\nhost: processes held {held // MEGABYTE} MiB at most; with cached files {peak // MEGABYTE} MiB of 1024"
        )
        for name, most in rows:
            print(f"{name}: {most // MEGABYTE} MiB at most, with cached files")
    assert len(rows) == 2
    assert set(kills.split()) == {"0"}
    # The agent keeps 256 MiB from the scheduler for everything but tasks (ecs_agent_reserved_memory).
    assert held < (1024 - 256) * MEGABYTE

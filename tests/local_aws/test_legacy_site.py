"""The example site's two images with a real database: health, log in, upload, read back through nginx."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from local_aws import ca, images

pytestmark = pytest.mark.docker

BUILD = Path(__file__).parents[2] / "examples" / "legacy_site" / "build.py"
HOST = "legacy.example.test:8443"
DATABASE = """
set -e
cp -a /var/lib/postgresql/empty /tmp/db
printf '%s' "$CERTIFICATE" > /tmp/db/server.crt; (umask 077; printf '%s' "$KEY" > /tmp/db/server.key)
printf 'local all all trust\\nhostssl all all all scram-sha-256\\n' > /tmp/db/pg_hba.conf
postgres -D /tmp/db -c ssl=on -c listen_addresses='*' -c fsync=off -c unix_socket_directories=/run/database &
sql() { psql -h /run/database -U rdsadmin postgres -c "$1"; }
until sql "create role site login password 'from-the-secret'"; do sleep 0.2; done
sql 'create database site owner site'
wait
"""
ENVIRONMENT = {
    "SECRET_KEY": "of this test", "ALLOWED_HOSTS": HOST.partition(":")[0], "DB_HOST": "database", "DB_NAME": "site",
    "DB_USER": "site", "DB_PASSWORD": "from-the-secret",
}  # fmt: skip
ADMIN = {"ADMIN_USER": "admin", "ADMIN_PASSWORD": "first of all"}


def png() -> bytes:
    """A red square of 320 by 200 points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xc8\x1e\x1e" * 320) * 200
    header = struct.pack(">IIBBBBB", 320, 200, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNG = png()


@dataclass
class Site:
    """The running pair."""

    url: str
    database: Any
    django: Any
    nginx: Any
    network: str
    volume: str

    def browser(self) -> requests.Session:
        """A client that is seen as coming through the load balancer over HTTPS."""
        session = requests.Session()
        session.headers.update({"Host": HOST, "X-Forwarded-Proto": "https"})
        return session

    def sql(self, statement: str) -> None:
        """Run a statement as the database's superuser."""
        command = ["psql", "-h", "/run/database", "-U", "rdsadmin", "postgres", "-c", statement]
        code, output = self.database.exec_run(command)
        assert code == 0, output

    def get(self, session: requests.Session, path: str) -> requests.Response:
        """requests does not send Secure cookies over http, so they are sent by hand."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
        return session.get(self.url + path, headers={"Cookie": cookies}, timeout=20, allow_redirects=False)

    def post(self, session: requests.Session, path: str, **arguments: Any) -> requests.Response:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
        headers = {"Cookie": cookies, "Referer": f"https://{HOST}{path}"}
        return session.post(self.url + path, headers=headers, timeout=20, allow_redirects=False, **arguments)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    subprocess.run([sys.executable, str(BUILD)], check=True)
    client = docker.from_env()
    name = f"berth-test-site-{uuid.uuid4().hex[:8]}"
    certificate, key = ca.Authority(tmp_path_factory.mktemp("ca")).issue(["database"])
    network = client.networks.create(name)
    made: list[Any] = []

    def run(image: str, alias: str, **arguments: Any) -> Any:
        config = {name: client.api.create_endpoint_config(aliases=[alias])}
        container = client.containers.create(image, network=name, networking_config=config, **arguments)
        made.append(container)
        container.start()
        return container

    try:
        database = run(
            images.ensure("postgres"), "database", command=["bash", "-c", DATABASE],
            environment={"CERTIFICATE": certificate, "KEY": key}, tmpfs={"/run/database": "mode=1777"},
        )  # fmt: skip
        media = {name: {"bind": "/srv/media", "mode": "rw"}}
        until(lambda: "CREATE DATABASE" in database.logs().decode(), "the database is made", database)
        django = run("legacy-site/django", "django", environment=ENVIRONMENT, volumes=media, mem_limit="256m")
        nginx = run(
            "legacy-site/nginx", "nginx", volumes={name: {"bind": "/srv/media", "mode": "ro"}}, mem_limit="64m",
            ports={"80/tcp": ("127.0.0.1", None)},
        )  # fmt: skip
        nginx.reload()
        port = nginx.ports["80/tcp"][0]["HostPort"]
        pair = Site(f"http://127.0.0.1:{port}", database, django, nginx, name, name)
        until(lambda: answers(f"{pair.url}/healthz"), "/healthz answers 200", django)
        yield pair
    finally:
        for container in reversed(made):
            container.remove(force=True, v=True)
        network.remove()
        for volume in client.volumes.list(filters={"name": name}):
            volume.remove()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def until(done: Any, what: str, container: Any, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not after {seconds} s: {what}\n{container.logs(tail=20).decode()}"
        time.sleep(0.2)


def one_off(site: Site, command: list[str], environment: dict[str, str]) -> str:
    """What a one-off task prints; it must succeed."""
    output: bytes = docker.from_env().containers.run(
        "legacy-site/django", command, network=site.network, environment=environment, remove=True, stderr=True
    )
    return output.decode()


def test_health_needs_no_allowed_host_but_pages_do(site: Site) -> None:
    assert requests.get(f"{site.url}/healthz", headers={"Host": "10.0.0.1"}, timeout=5).text == "ok\n"
    assert requests.get(f"{site.url}/nginx-healthz", timeout=5).text == "ok\n"
    assert requests.get(f"{site.url}/admin/", headers={"Host": "10.0.0.1"}, timeout=5).status_code == 400


def test_the_containers_own_health_check(site: Site) -> None:
    assert site.django.exec_run(["python", "/app/healthcheck.py"]).exit_code == 0


def test_migrate_twice_makes_one_administrator(site: Site) -> None:
    first = one_off(site, ["python", "manage.py", "migrate", "--noinput"], ENVIRONMENT | ADMIN)
    assert "made the administrator admin" in first
    second = one_off(site, ["python", "manage.py", "migrate", "--noinput"], ENVIRONMENT | ADMIN)
    assert "the administrator admin is there already" in second


def test_an_uploaded_image_is_served_by_nginx(site: Site) -> None:
    browser = site.browser()
    login = site.get(browser, "/admin/login/?next=/admin/")
    assert login.status_code == 200, login.text
    token = re.search(r"name='csrfmiddlewaretoken' value='([^']+)'", login.text)
    assert token
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": "admin",
        "password": ADMIN["ADMIN_PASSWORD"],
        "next": "/admin/",
    }
    done = site.post(browser, "/admin/login/?next=/admin/", data=form)
    assert done.status_code == 302, done.text
    assert "secure" in done.headers["Set-Cookie"].lower()
    assert done.headers["Location"] == f"https://{HOST}/admin/"

    uploaded = site.post(
        browser, "/admin/filer/clipboard/operations/upload/?filename=pixel.png",
        files={"Filedata": ("pixel.png", PNG, "image/png")},
        data={"Filename": "pixel.png", "csrfmiddlewaretoken": browser.cookies["csrftoken"]},
    )  # fmt: skip
    assert uploaded.status_code == 200, site.django.logs(tail=40).decode()
    assert uploaded.json()["label"] == "pixel.png"

    front = site.get(browser, "/")
    path = re.search(r'<img src="(/media/[^"]+)"', front.text)
    assert path, front.text
    image = site.get(browser, path[1])
    assert (image.status_code, image.headers["Content-Type"], image.content) == (200, "image/png", PNG)
    assert "pixel.png" in site.nginx.logs().decode()
    owner = site.django.exec_run(["stat", "-c", "%u %a", "/srv/media" + path[1].removeprefix("/media")]).output.decode()
    assert owner.split() == ["1000", "644"]


def test_an_empty_volume_stays_djangos_when_nginx_mounts_it(site: Site) -> None:
    """Docker gives an empty volume the owner that its mount point has in the image of whoever mounts it."""
    client = docker.from_env()
    name = f"{site.volume}-empty"
    mounted = {name: {"bind": "/srv/media", "mode": "ro"}}
    try:
        for image in ("legacy-site/django", "legacy-site/nginx"):
            client.containers.run(image, ["true"], volumes=mounted, remove=True)
        found = client.containers.run(
            "legacy-site/django", ["stat", "-c", "%u", "/srv/media"], volumes=mounted, remove=True
        )
        assert found == b"1000\n"
    finally:
        client.volumes.get(name).remove()


def test_static_files_are_in_nginx(site: Site) -> None:
    assert requests.get(f"{site.url}/static/admin/css/base.css", timeout=5).status_code == 200
    assert requests.get(f"{site.url}/static/filer/js/fileuploader.js", timeout=5).status_code == 200


def test_a_form_from_another_site_is_refused(site: Site) -> None:
    browser = site.browser()
    site.get(browser, "/admin/login/")
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "username": "admin", "password": "x"}
    cookies = f"csrftoken={browser.cookies['csrftoken']}"
    headers = {"Cookie": cookies, "Referer": "https://elsewhere.example.test/"}
    answer = browser.post(f"{site.url}/admin/login/", data=form, headers=headers, timeout=5)
    assert answer.status_code == 403


def test_a_missing_setting_is_named(site: Site) -> None:
    with pytest.raises(docker.errors.ContainerError) as failed:
        one_off(site, ["python", "manage.py", "check"], {"SECRET_KEY": "x"})
    assert b"Set the environment variable DB_NAME." in failed.value.stderr


def test_health_fails_with_the_database_and_recovers(site: Site) -> None:
    site.sql("alter role site nologin")
    kill = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'site'"
    site.sql(kill)
    assert requests.get(f"{site.url}/healthz", timeout=10).status_code == 503
    site.sql("alter role site login")
    until(lambda: answers(f"{site.url}/healthz"), "/healthz answers 200 again", site.django, 10)


def test_the_image_is_small_and_runs_as_a_user(site: Site) -> None:
    image = docker.from_env().images.get("legacy-site/django")
    assert image.attrs["Size"] < 250 * 10**6
    assert image.attrs["Config"]["User"] == "site"
    assert site.django.exec_run(["id", "-u"]).output == b"1000\n"
    assert site.django.exec_run(["python", "-m", "pip"]).exit_code != 0


@pytest.mark.usefixtures("site")
def test_an_unchanged_build_builds_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    subprocess.run([sys.executable, str(BUILD)], check=True)
    assert "building" not in capfd.readouterr().out
    assert time.monotonic() - started < 10

"""The example site's two images with a real database: health, log in, upload, read back through nginx."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest
import requests

from local_aws.tests.until import until
from tests.integration.site_containers import (
    DATABASE_ENVIRONMENT,
    PROJECT,
    Browser,
    Stage,
    answers,
    confined,
    last_lines,
    powers,
    sql,
    stage,
    url,
)

pytestmark = pytest.mark.docker

BUILD = PROJECT / "examples" / "legacy_site" / "build.py"
HOST = "legacy.example.test:8443"
ENVIRONMENT = DATABASE_ENVIRONMENT | {"SECRET_KEY": "of this test", "ALLOWED_HOSTS": HOST.partition(":")[0]}
MIGRATE = ["python", "manage.py", "migrate", "--noinput"]
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

    stage: Stage
    database: Any
    django: Any
    nginx: Any

    @property
    def url(self) -> str:
        return url(self.nginx, 80)

    def once(self, command: list[str], environment: dict[str, str]) -> str:
        """What a one-off task prints; it must succeed."""
        return self.stage.once("legacy-site/django", command, environment=environment)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with stage("legacy_site") as made:
        database = made.database(tmp_path_factory.mktemp("ca"))
        media = made.mount("media", "/srv/media")
        django = made.run(
            "legacy-site/django", "django", environment=ENVIRONMENT, volumes=media, mem_limit="256m",
            **confined("legacy_site", "web", "django"),
        )  # fmt: skip
        read_only = {volume: mount | {"mode": "ro"} for volume, mount in media.items()}
        limits = confined("legacy_site", "web", "nginx")
        nginx = made.run("legacy-site/nginx", "nginx", port=80, volumes=read_only, mem_limit="64m", **limits)
        pair = Site(made, database, django, nginx)
        until(lambda: answers(f"{pair.url}/healthz"), "/healthz answers 200", also=last_lines(django))
        yield pair


def test_health_needs_no_allowed_host_but_pages_do(site: Site) -> None:
    assert requests.get(f"{site.url}/healthz", headers={"Host": "10.0.0.1"}, timeout=5).text == "ok\n"
    assert requests.get(f"{site.url}/nginx-healthz", timeout=5).text == "ok\n"
    assert requests.get(f"{site.url}/admin/", headers={"Host": "10.0.0.1"}, timeout=5).status_code == 400


def test_neither_can_get_more_power_and_django_has_none(site: Site) -> None:
    django, nginx = powers(site.django), powers(site.nginx)
    assert (django["user"], django["capabilities"]) == (1000, 0)
    assert not django["may_get_more"]
    assert not nginx["may_get_more"]


def test_the_containers_own_health_check(site: Site) -> None:
    assert site.django.exec_run(["python", "/app/healthcheck.py"]).exit_code == 0


def test_migrate_twice_makes_one_administrator(site: Site) -> None:
    first = site.once(MIGRATE, ENVIRONMENT | ADMIN)
    assert "made the administrator admin" in first
    second = site.once(MIGRATE, ENVIRONMENT | ADMIN)
    assert "the administrator admin is there already" in second


def test_an_uploaded_image_is_served_by_nginx(site: Site) -> None:
    browser = Browser(site.url, HOST)
    login = browser.get("/admin/login/?next=/admin/")
    assert login.status_code == 200, login.text
    token = re.search(r"name='csrfmiddlewaretoken' value='([^']+)'", login.text)
    assert token
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": "admin",
        "password": ADMIN["ADMIN_PASSWORD"],
        "next": "/admin/",
    }
    done = browser.post("/admin/login/?next=/admin/", data=form)
    assert done.status_code == 302, done.text
    assert "secure" in done.headers["Set-Cookie"].lower()
    assert done.headers["Location"] == f"https://{HOST}/admin/"

    uploaded = browser.post(
        "/admin/filer/clipboard/operations/upload/?filename=pixel.png",
        files={"Filedata": ("pixel.png", PNG, "image/png")},
        data={"Filename": "pixel.png"},
    )  # fmt: skip
    assert uploaded.status_code == 200, site.django.logs(tail=40).decode()
    assert uploaded.json()["label"] == "pixel.png"

    front = browser.get("/")
    path = re.search(r'<img src="(/media/[^"]+)"', front.text)
    assert path, front.text
    image = browser.get(path[1])
    assert (image.status_code, image.headers["Content-Type"], image.content) == (200, "image/png", PNG)
    assert "pixel.png" in site.nginx.logs().decode()
    owner = site.django.exec_run(["stat", "-c", "%u %a", "/srv/media" + path[1].removeprefix("/media")]).output.decode()
    assert owner.split() == ["1000", "644"]


def test_an_empty_volume_stays_djangos_when_nginx_mounts_it(site: Site) -> None:
    """Docker gives an empty volume the owner that its mount point has in the image of whoever mounts it."""
    client = docker.from_env()
    name = f"{site.stage.name}-empty"
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
    browser = Browser(site.url, HOST)
    browser.get("/admin/login/")
    token = browser.session.cookies["csrftoken"]
    form = {"csrfmiddlewaretoken": token, "username": "admin", "password": "x"}
    headers = {"Cookie": f"csrftoken={token}", "Referer": "https://elsewhere.example.test/"}
    answer = browser.session.post(f"{site.url}/admin/login/", data=form, headers=headers, timeout=5)
    assert answer.status_code == 403


def test_a_missing_setting_is_named(site: Site) -> None:
    with pytest.raises(docker.errors.ContainerError) as failed:
        site.once(["python", "manage.py", "check"], {"SECRET_KEY": "x"})
    assert b"Set the environment variable DB_NAME." in failed.value.stderr


def test_health_fails_with_the_database_and_recovers(site: Site) -> None:
    sql(site.database, "alter role site nologin")
    sql(site.database, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'site'")
    assert requests.get(f"{site.url}/healthz", timeout=10).status_code == 503
    sql(site.database, "alter role site login")
    until(lambda: answers(f"{site.url}/healthz"), "/healthz answers 200 again", 10, last_lines(site.django))


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

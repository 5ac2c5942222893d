"""The Django example with a real database: migrate, log in, add and tick off items, static files without nginx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest
import requests

from local_aws.tests.until import until
from tests.integration.site_containers import (
    DATABASE_ENVIRONMENT,
    Browser,
    Stage,
    answers,
    confined,
    last_lines,
    sql,
    stage,
    stop,
    url,
)

pytestmark = pytest.mark.docker

IMAGE = "django-rds/django"
HOST = "shop.example.test:8443"
ENVIRONMENT = DATABASE_ENVIRONMENT | {"SECRET_KEY": "of this test", "ALLOWED_HOSTS": "shop.example.test"}
MIGRATE = ["python3", "manage.py", "migrate", "--no-input"]
ADMIN = {"ADMIN_USER": "admin", "ADMIN_PASSWORD": "first of all"}


@dataclass
class Site:
    """The running container and its database."""

    stage: Stage
    database: Any
    django: Any

    @property
    def url(self) -> str:
        return url(self.django, 80)

    def logged_in(self) -> Browser:
        browser = Browser(self.url, HOST)
        assert browser.get("/login").status_code == 200
        form = {"username": "admin", "password": ADMIN["ADMIN_PASSWORD"], "next": ""}
        answer = browser.post("/login", data=form)
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/"), answer.text
        return browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with stage("django_rds") as made:
        database = made.database(tmp_path_factory.mktemp("ca"))
        assert "made the administrator admin" in made.once(IMAGE, MIGRATE, environment=ENVIRONMENT | ADMIN)
        limits = confined("django_rds", "web", "django")
        django = made.run(IMAGE, "django", port=80, environment=ENVIRONMENT, mem_limit="256m", **limits)
        running = Site(made, database, django)
        until(lambda: answers(f"{running.url}/healthz"), "/healthz answers 200", also=last_lines(django))
        yield running


def test_migrate_again_leaves_the_administrator_alone(site: Site) -> None:
    output = site.stage.once(IMAGE, MIGRATE, environment=ENVIRONMENT | ADMIN | {"ADMIN_PASSWORD": "another"})
    assert "the administrator admin is there already" in output
    assert "No migrations to apply" in output
    site.logged_in()


def test_the_list_is_for_those_who_log_in(site: Site) -> None:
    answer = Browser(site.url, HOST).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/")
    browser = Browser(site.url, HOST)
    browser.get("/login")
    assert "Please enter a correct username" in browser.post("/login", data={"username": "admin", "password": "x"}).text


def test_an_item_is_added_listed_and_ticked_off(site: Site) -> None:
    browser = site.logged_in()
    assert "Nothing." in browser.get("/").text
    assert browser.post("/", data={"text": ""}).status_code == 400
    assert browser.post("/", data={"text": "Bread & butter"}).status_code == 302
    page = browser.get("/").text
    assert "<span>Bread &amp; butter</span>" in page
    found = re.search(r'action="(/\d+/done)"', page)
    assert found
    assert browser.get(found[1]).status_code == 405
    assert browser.post(found[1]).status_code == 302
    assert '<li class="done">' in browser.get("/").text
    assert sql(site.database, "select text, done from items_item", "site") == "Bread & butter|t"
    assert browser.post("/logout").status_code == 302
    assert browser.get("/").headers["Location"] == "/login?next=/"


def test_the_admin_knows_items(site: Site) -> None:
    assert "Items" in site.logged_in().get("/admin/").text


def test_cookies_are_for_https_and_a_form_from_elsewhere_is_refused(site: Site) -> None:
    browser = site.logged_in()
    assert {cookie.secure for cookie in browser.session.cookies} == {True}
    browser.session.headers["Origin"] = "https://elsewhere.example.test"
    assert browser.post("/", data={"text": "from elsewhere"}).status_code == 403


def test_static_files_are_kept_for_ever_by_the_name_of_their_content(site: Site) -> None:
    found = re.search(r'href="(/static/items/shop\.[0-9a-f]{12}\.css)"', Browser(site.url, HOST).get("/login").text)
    assert found
    style = requests.get(site.url + found[1], headers={"Host": HOST}, timeout=5)
    assert "max-width" in style.text
    assert style.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert style.headers["Content-Encoding"] == "gzip"


def test_health_needs_no_allowed_host_but_pages_do(site: Site) -> None:
    assert requests.get(f"{site.url}/healthz", headers={"Host": "10.0.0.1"}, timeout=5).text == "ok\n"
    assert requests.get(f"{site.url}/login", headers={"Host": "10.0.0.1"}, timeout=5).status_code == 400
    assert site.django.exec_run(["python3", "/app/healthcheck.py"]).exit_code == 0


def test_health_fails_with_the_database_and_recovers(site: Site) -> None:
    sql(site.database, "alter role site nologin")
    sql(site.database, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'site'")
    assert requests.get(f"{site.url}/healthz", timeout=10).status_code == 503
    assert site.django.exec_run(["python3", "/app/healthcheck.py"]).exit_code == 1
    sql(site.database, "alter role site login")
    until(lambda: answers(f"{site.url}/healthz"), "/healthz answers 200 again", 10, last_lines(site.django))


def test_a_missing_setting_is_named(site: Site) -> None:
    with pytest.raises(docker.errors.ContainerError) as failed:
        site.stage.once(IMAGE, ["python3", "manage.py", "check"], environment={"SECRET_KEY": "x"})
    assert b"Set the environment variable DB_HOST." in failed.value.stderr


def test_the_image_is_small_and_runs_as_a_user(site: Site) -> None:
    assert docker.from_env().images.get(IMAGE).attrs["Size"] < 300 * 10**6
    assert site.django.exec_run(["id", "-u"]).output == b"1000\n"


def test_items_survive_a_restart_and_it_stops_by_itself(site: Site) -> None:
    site.logged_in().post("/", data={"text": "Salt"})
    code, seconds = stop(site.django)
    assert code == 0
    assert seconds < 10
    assert '"POST / HTTP/1.1" 302' in site.django.logs().decode()
    site.django.start()
    until(lambda: answers(f"{site.url}/healthz"), "/healthz answers 200 again", also=last_lines(site.django))
    assert "<span>Salt</span>" in site.logged_in().get("/").text

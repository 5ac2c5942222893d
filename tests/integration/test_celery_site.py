"""The Celery example with PostgreSQL and redis: a number is queued and answered, the scheduler is one, jobs by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
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

IMAGE, REDIS = "celery-site/django", "celery-site/redis"
HOST = "factors.example.test:8443"
PASSWORD = {"REDIS_PASSWORD": "of/this @test"}
ENVIRONMENT = (
    DATABASE_ENVIRONMENT
    | PASSWORD
    | {"SECRET_KEY": "of this test", "ALLOWED_HOSTS": "factors.example.test", "REDIS_HOST": "redis"}
)
CELERY = ["python3", "-m", "celery", "-A", "celery_site"]
WORKER = [*CELERY, "worker", "--concurrency", "2", "--loglevel", "INFO"]
BEAT = [*CELERY, "beat", "--loglevel", "INFO", "--schedule", "/tmp/schedule", "--pidfile="]  # noqa: S108 - in a container


@dataclass
class Site:
    """The running containers."""

    stage: Stage
    database: Any
    redis: Any = field(init=False)
    web: Any = field(init=False)
    worker: Any = field(init=False)
    beat: Any = field(init=False)

    @property
    def url(self) -> str:
        return url(self.web, 8000)

    def start_redis(self) -> Any:
        limits = confined("celery_site", "redis", "redis")
        return self.stage.run(REDIS, "redis", environment=PASSWORD, mem_limit="64m", **limits)

    def start(self, name: str, command: list[str] | None = None, port: int | None = None) -> Any:
        """As ECS starts them: with an init, which hands signals on."""
        limit = "128m" if command is BEAT else "256m"
        return self.stage.run(
            IMAGE, name, port, command=command, environment=ENVIRONMENT, mem_limit=limit, init=True,
            **confined("celery_site", "web", "django"),  # the others are like it
        )  # fmt: skip

    def once(self, *command: str) -> str:
        return self.stage.once(IMAGE, ["python3", "manage.py", *command], environment=ENVIRONMENT)

    def beats(self) -> list[str]:
        """The containers whose scheduler was heard in the last seconds."""
        found = requests.get(f"{self.url}/status.json", timeout=10).json()["beats"]
        return [beat["beat"] for beat in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with stage("celery_site") as made:
        running = Site(made, made.database(tmp_path_factory.mktemp("ca")))
        assert "Applying factors.0001_initial... OK" in running.once("migrate", "--no-input")
        running.redis = running.start_redis()
        running.web = running.start("web", port=8000)
        running.worker = running.start("worker", WORKER)
        running.beat = running.start("beat", BEAT)
        until(lambda: answers(f"{running.url}/healthz"), "/healthz answers 200", also=last_lines(running.web))
        until(lambda: b"ready" in running.worker.logs(), "the worker is ready", 60, last_lines(running.worker))
        yield running


def asked(site: Site, value: int) -> Browser:
    """A browser that has asked for a number."""
    browser = Browser(site.url, HOST)
    assert browser.get("/").status_code == 200
    assert browser.post("/", data={"value": value}).status_code == 302
    return browser


def received(site: Site) -> int:
    """How many numbers the worker has been given."""
    return len(re.findall(rb"factors\.tasks\.factorise\[[^]]*\] received", site.worker.logs()))


def numbers(browser: Browser) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = browser.get("/status.json").json()["numbers"]
    return found


def test_a_number_is_queued_and_a_worker_answers(site: Site) -> None:
    browser = asked(site, 99_999_999_999_962)
    until(lambda: numbers(browser)[0]["factors"], "the worker answers", also=last_lines(site.worker))
    assert numbers(browser) == [
        {"value": 99_999_999_999_962, "factors": [2, 49_999_999_999_981], "worker": site.worker.id[:12]}
    ]
    page = browser.get("/").text
    assert "99999999999962 = 2 x 49999999999981" in page
    assert 'http-equiv="refresh"' not in page
    assert numbers(Browser(site.url, HOST)) == []


def test_what_is_no_number_is_refused(site: Site) -> None:
    browser = Browser(site.url, HOST)
    browser.get("/")
    assert browser.post("/", data={"value": 1}).status_code == 400
    assert browser.post("/", data={"value": 10**15}).status_code == 400
    assert browser.post("/", data={"value": "12<b>"}).status_code == 400
    assert numbers(browser) == []


def test_the_page_shows_the_schedulers_heartbeat(site: Site) -> None:
    until(lambda: site.beats() == [site.beat.id[:12]], "the heartbeat of this beat alone", also=last_lines(site.beat))
    assert f"Scheduler {site.beat.id[:12]}: heartbeat" in Browser(site.url, HOST).get("/").text


def test_a_second_scheduler_is_seen(site: Site) -> None:
    second = site.start("beat-2", BEAT)
    until(lambda: len(site.beats()) == 2, "both are heard", also=last_lines(second))
    assert "2 schedulers run" in Browser(site.url, HOST).get("/").text
    code, seconds = stop(second)
    assert (code, seconds < 10) == (0, True), second.logs(tail=20).decode()
    until(lambda: site.beats() == [site.beat.id[:12]], "one is left", also=last_lines(site.beat))


def test_health_checks(site: Site) -> None:
    for name in ("web", "worker", "beat"):
        code, output = getattr(site, name).exec_run(["python3", "/app/healthcheck.py", name])
        assert code == 0, f"{name}: {output.decode()}"
    assert site.web.exec_run(["python3", "/app/healthcheck.py", "beat"]).exit_code == 1
    assert site.beat.exec_run(["python3", "/app/healthcheck.py", "worker"]).exit_code == 1
    assert site.redis.exec_run(["healthcheck"]).exit_code == 0
    assert site.redis.exec_run(["env", "REDIS_PASSWORD=x", "healthcheck"]).exit_code == 1
    assert requests.get(f"{site.url}/healthz", headers={"Host": "10.0.0.1"}, timeout=5).text == "ok\n"


def test_redis_wants_the_password_and_shows_it_nowhere(site: Site) -> None:
    refused = site.redis.exec_run(["redis-cli", "ping"]).output
    assert b"NOAUTH" in refused
    assert b"of/this" not in site.redis.top()["Processes"].__repr__().encode()
    assert site.redis.exec_run(["stat", "-c", "%a", "/tmp/redis.conf"]).output == b"600\n"  # noqa: S108 - in a container


def test_jobs_by_the_clock(site: Site) -> None:
    asked(site, 12)
    said = site.once("report").strip().splitlines()[-1]
    assert "finished" in said
    assert f"Report of {said}" in Browser(site.url, HOST).get("/").text
    sql(site.database, "update django_session set expire_date = now() - interval '1 day'", "site")
    site.once("clearsessions")
    assert sql(site.database, "select count(*) from django_session", "site") == "0"


def test_a_number_waits_while_no_worker_is_there(site: Site) -> None:
    code, seconds = stop(site.worker)
    assert (code, seconds < 15) == (0, True), site.worker.logs(tail=20).decode()
    browser = asked(site, 15)
    assert 'http-equiv="refresh"' in browser.get("/").text
    assert "15: queued" in browser.get("/").text
    site.worker.start()
    until(lambda: numbers(browser)[0]["factors"] == [3, 5], "the worker answers", 60, last_lines(site.worker))


def test_a_task_under_way_is_finished_when_the_worker_stops(site: Site) -> None:
    """Its warm shutdown: about the largest prime, which takes a while."""
    before = received(site)
    browser = asked(site, 99_999_999_999_973)
    until(lambda: received(site) > before, "the worker has it", 20, last_lines(site.worker))
    code, _ = stop(site.worker, 120)
    assert code == 0
    assert numbers(browser)[0]["factors"] == [99_999_999_999_973]
    site.worker.start()


def test_a_lost_queue_is_made_good(site: Site) -> None:
    """redis is replaced, and with it goes what was queued; a number asked for meanwhile waits in the database."""
    site.redis.remove(force=True)
    site.stage.made.remove(site.redis)
    browser = asked(site, 21)
    assert numbers(browser)[0]["factors"] is None
    assert requests.get(f"{site.url}/healthz", timeout=5).status_code == 200
    site.redis = site.start_redis()
    until(lambda: numbers(browser)[0]["factors"] == [3, 7], "the scheduler queues it again", 120, last_lines(site.beat))
    until(lambda: site.beats() == [site.beat.id[:12]], "the heartbeat goes on", also=last_lines(site.beat))


def test_what_is_missing_is_named(site: Site) -> None:
    with pytest.raises(docker.errors.ContainerError) as failed:
        site.stage.once(IMAGE, ["python3", "manage.py", "check"], environment=DATABASE_ENVIRONMENT)
    assert b"Set the environment variable SECRET_KEY." in failed.value.stderr
    with pytest.raises(docker.errors.ContainerError) as failed:
        site.stage.once(REDIS, ["serve"])
    assert b"Set the environment variable REDIS_PASSWORD." in failed.value.stderr


def test_the_images_are_small_and_run_as_users(site: Site) -> None:
    sizes = [docker.from_env().images.get(name).attrs["Size"] / 10**6 for name in (IMAGE, REDIS)]
    assert sizes[0] < 300
    assert sizes[1] < 200
    assert site.web.exec_run(["id", "-u"]).output == b"1000\n"
    assert site.redis.exec_run(["id", "-un"]).output == b"redis\n"


def test_web_and_redis_stop_by_themselves(site: Site) -> None:
    for container in (site.web, site.redis):
        code, seconds = stop(container)
        assert (code, seconds < 10) == (0, True), container.logs(tail=20).decode()

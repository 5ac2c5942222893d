"""What of a Compose file is a secret, which port is the site's, what must not run twice, and how addresses change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.plugin_utils.compose import writing
from plugins.plugin_utils.compose.describing import Described
from tests.unit.plugins.plugin_utils.compose.support import NEW, described, dropped, problems, wanted, written


def services(made: Described) -> dict[str, Any]:
    found: dict[str, Any] = written(made)["site_services"]
    return found


def everything(made: Described) -> str:
    """All that is written, and all that is said."""
    return "".join(writing.folder(made, "compose.yml", NEW).values()) + "\n".join(made.report.lines())


def web(keys: str, more: str = "") -> str:
    return f"services:\n  web: {{image: 'acme/web:1', {keys}}}\n{more}"


# Secrets


@pytest.mark.parametrize("name", ["APP_KEY", "DB_PASS", "FTP_PW", "HASH_SALT", "SESSION_SECRET", "API_TOKEN"])
def test_a_name_of_a_secret_hides_its_value(tmp_path: Path, name: str) -> None:
    made = described(tmp_path, web(f"ports: ['80'], environment: {{{name}: tell-nobody}}"))
    app = services(made)["web"]["containers"]["web"]
    assert list(app["secrets"]) == [name]
    assert "environment" not in app
    assert "tell-nobody" not in everything(made)
    assert problems(made) == []


@pytest.mark.parametrize("name", ["STRIPE_PUBLISHABLE_KEY", "VAPID_PUBLIC_KEY", "RECAPTCHA_SITE_KEY", "TOKEN_TTL"])
def test_a_name_of_what_everybody_may_see_hides_nothing(tmp_path: Path, name: str) -> None:
    made = described(tmp_path, web(f"ports: ['80'], environment: {{{name}: for-all}}"))
    assert services(made)["web"]["containers"]["web"]["environment"] == {name: "for-all"}
    assert problems(made) == []


def test_a_variable_made_of_a_secret_hides_it_whatever_its_name(tmp_path: Path) -> None:
    given = "ports: ['80'], environment: {LOGIN: 'Bearer ${API_TOKEN}', GREETING: '${WORD}'}"
    made = described(tmp_path, web(given), env="API_TOKEN=tell-nobody\nWORD=hello\n")
    app = services(made)["web"]["containers"]["web"]
    assert (list(app["secrets"]), app["environment"]) == (["LOGIN"], {"GREETING": "hello"})
    assert "tell-nobody" not in everything(made)


def test_an_address_with_a_password_is_stored_whole_and_told_without_it(tmp_path: Path) -> None:
    given = "ports: ['80'], environment: {BROKER: 'amqp://app:tell-nobody@queue:5672/jobs'}"
    made = described(tmp_path, web(given, "  queue: {image: 'rabbitmq:4'}"))
    app = services(made)["web"]["containers"]["web"]
    assert (app["secrets"], "environment" in app) == ({"BROKER": "secret.broker.value"}, False)
    told = wanted(made)["web.environment.BROKER"]
    assert "amqp://…@queue.{{ site_name }}-{{ environment_name }}.internal:5672/jobs" in told
    assert "tell-nobody" not in everything(made)
    assert problems(made) == []


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("serve --api-key=tell-nobody --port 80", 'exec serve --api-key="$WEB_COMMAND_SECRET" --port 80'),
        ("serve --password tell-nobody", 'exec serve --password "$WEB_COMMAND_SECRET"'),
        ("serve amqp://app:tell-nobody@queue", 'exec serve "$WEB_COMMAND_SECRET"'),
        ("serve ${API_TOKEN}", 'exec serve "$WEB_COMMAND_SECRET"'),
        ("serve --token $$TOKEN --token=$$TOKEN", ""),
    ],
)
def test_a_secret_in_a_command_is_written_nowhere(tmp_path: Path, command: str, becomes: str) -> None:
    text = web(f"ports: ['80'], command: {command.split()}")
    made = described(tmp_path, text, env="API_TOKEN=tell-nobody\n")
    app = services(made)["web"]["containers"]["web"]
    assert app["command"] == (["sh", "-c", becomes] if becomes else command.replace("$$", "$").split())
    assert set(app.get("secrets", {})) == ({"WEB_COMMAND_SECRET"} if becomes else set())
    assert "tell-nobody" not in everything(made)


def test_a_key_of_aws_is_left_out_under_any_name(tmp_path: Path) -> None:
    key = "AKIA" + "B" * 16
    made = described(tmp_path, web(f"ports: ['80'], environment: {{UPLOADER: {key}}}"))
    app = services(made)["web"]["containers"]["web"]
    assert "web.environment.UPLOADER" in dropped(made)
    assert not app.keys() & {"environment", "secrets"}
    assert key not in everything(made)


# Ports


@pytest.mark.parametrize(
    "other",
    [
        "'127.0.0.1:80:80'",
        "{target: 80, published: '80', host_ip: 127.0.0.1}",
        "'443:443'",
        "'22:22'",
        "'9229:9229'",
        "'80:80/udp'",
        "{target: 80, published: 80, protocol: udp}",
    ],
)
def test_what_no_visitor_is_to_reach_has_no_route(tmp_path: Path, other: str) -> None:
    made = described(tmp_path, web(f"ports: [{other}]"))
    assert "routes" not in services(made)["web"]
    assert "no service publishes a port" in wanted(made)["site_services.<service>.routes"]


@pytest.mark.parametrize(
    "keys",
    [
        "ports: ['4321:4321']",
        "ports: [{target: 4321, published: 80}]",
        "environment: {VIRTUAL_PORT: 4321}",
        "labels: {traefik.http.services.web.loadbalancer.server.port: 4321}",
        "labels: [traefik.http.services.web.loadbalancer.server.port=4321]",
    ],
)
def test_a_port_that_is_published_or_told_to_a_proxy_is_the_site_s(tmp_path: Path, keys: str) -> None:
    made = described(tmp_path, web(keys))
    assert services(made)["web"]["routes"] == [{"to": "web"}]
    assert services(made)["web"]["containers"]["web"]["ports"] == ["4321"]
    assert problems(made) == []


def test_what_people_look_in_with_comes_after_the_site_and_a_proxy_before_it(tmp_path: Path) -> None:
    others = "  adminer: {image: adminer, ports: ['80:8080']}\n  api: {image: acme/api, ports: ['81:81']}\n"
    made = described(tmp_path, web("ports: ['4321:4321']", others))
    assert [name for name, each in services(made).items() if "routes" in each] == ["web"]
    front = tmp_path / "front"
    front.mkdir()
    more = f"{others}  proxy: {{image: nginx, ports: ['8888:8888']}}\n"
    made = described(front, web("ports: ['80:80']", more))
    assert [name for name, each in services(made).items() if "routes" in each] == ["proxy"]


# Never twice


@pytest.mark.parametrize(
    ("service", "twice"),
    [
        ("beat: {image: acme/web, command: celery -A shop beat}", False),
        ("worker: {image: acme/web, command: celery -A shop beat -l info}", False),
        ("task-scheduler: {image: acme/web}", False),
        ("cron: {image: acme/web}", False),
        ("cache: {image: redis}", False),
        ("cache: {image: 'redis:7', deploy: {update_config: {order: start-first}}}", False),
        ("heartbeat: {image: acme/web}", True),
        ("worker: {image: acme/web, command: celery -A shop worker}", True),
    ],
)
def test_what_is_not_to_run_twice_is_stopped_first(tmp_path: Path, service: str, twice: bool) -> None:
    made = described(tmp_path, web("ports: ['80:80']", f"  {service}"))
    deploy = services(made)[service.partition(":")[0]].get("deploy", {})
    assert deploy == ({} if twice else {"update_config": {"order": "stop-first"}})
    assert problems(made) == []


# Addresses

HOST = "two.{{ site_name }}-{{ environment_name }}.internal"


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ("redis://two:6379/1", f"redis://{HOST}:6380/1"),
        ("redis://two/1", f"redis://{HOST}:6380/1"),
        ("redis://two:6379/1,redis://two:6379/2", f"redis://{HOST}:6380/1,redis://{HOST}:6380/2"),
        ("two:6379", f"{HOST}:6380"),
        ("redis://two:6379", {"from": "service.two.url"}),
        ("redis://two", {"from": "service.two.url"}),
        ("redis://two-b:6379/1", "redis://two-b:6379/1"),
        ("redis://two.acme.io:6379/1", "redis://two.acme.io:6379/1"),
        ("redis://number-two:6379/1", "redis://number-two:6379/1"),
        ("number-two:6379", "number-two:6379"),
        ("https://acme.io/two:6379", "https://acme.io/two:6379"),
        ("two", {"from": "service.two.host"}),
        ("two or three", "two or three"),
    ],
)
def test_the_address_of_a_service_changes_and_what_only_looks_like_it_stays(
    tmp_path: Path, given: str, becomes: Any
) -> None:
    stores = "  one: {image: redis}\n  two: {image: redis}"
    made = described(tmp_path, web(f"ports: ['80'], environment: {{A: 'redis://one:6379', B_URL: '{given}'}}", stores))
    environment = services(made)["web"]["containers"]["web"]["environment"]
    assert environment == {"A": {"from": "service.one.url"}, "B_URL": becomes}
    assert problems(made) == []


def test_a_word_that_is_the_name_of_an_application_is_an_address_only_where_one_is_wanted(tmp_path: Path) -> None:
    more = "  api: {image: acme/api, expose: ['9000']}\n  worker: {image: acme/api}"
    given = "ports: ['80'], environment: {API_HOST: api, MODE: api, API: 'http://api:9000'}"
    made = described(tmp_path, web(given, more))
    assert services(made)["web"]["containers"]["web"]["environment"] == {
        "API_HOST": {"from": "service.api.host"}, "MODE": "api", "API": {"from": "service.api.url"},
    }  # fmt: skip


def test_the_port_of_an_address_is_the_one_that_is_exposed(tmp_path: Path) -> None:
    more = "  api: {image: acme/api, ports: ['8000', '9000']}\n  worker: {image: acme/api}"
    made = described(tmp_path, web("ports: ['80'], environment: {API: 'http://api:9000/v1'}", more))
    assert services(made)["api"]["expose"] == "api:9000"
    assert problems(made) == []


def test_within_a_task_names_stay(tmp_path: Path) -> None:
    given = "services:\n  nginx: {image: nginx, ports: ['80:80'], environment: {UPSTREAM: 'http://api:8000'}}\n"
    made = described(tmp_path, f"{given}  api: {{image: acme/api, expose: ['8000']}}")
    (service,) = services(made).values()
    assert service["containers"]["nginx"]["environment"] == {"UPSTREAM": "http://api:8000"}
    assert "expose" not in service
    assert "web.depends_on.api" not in dropped(made)
    assert problems(made) == []

"""A site as a Compose file: valid by the specification's schema, with nothing of AWS in it, and read back right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from plugins.plugin_utils.compose.rendering import Local, render
from plugins.plugin_utils.compose.writing import dumped
from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.reading import read_site
from tests.unit.plugins.plugin_utils.compose.support import PROJECT, described, problems
from tests.unit.plugins.plugin_utils.site.support import SITES

SCHEMA = json.loads((Path(__file__).parent / "specification/compose-spec.json").read_text())
EXAMPLES = {path.parent.name: path for path in sorted((PROJECT / "examples").glob("*/site.yml"))}
EVERY_KEY = SITES / "every_key.yml"
IDENTITY = {"site_name": "shop", "environment_name": "local", "domain_name": "www.acme.io"}


def rendered(text: str) -> Local:
    """The Compose file of a description; `{{ domain_name }}` is filled in."""
    site = read_site({**IDENTITY, **yaml.safe_load(text.replace("{{ domain_name }}", "www.acme.io"))})
    assert [str(each) for each in site.problems] == []
    return render(site)


def services(text: str) -> dict[str, Any]:
    found: dict[str, Any] = rendered(text).compose["services"]
    return found


@pytest.mark.parametrize("path", [*EXAMPLES.values(), EVERY_KEY], ids=lambda path: path.parent.name)
def test_a_site_is_a_valid_compose_file(path: Path) -> None:
    compose = yaml.safe_load(dumped(rendered(path.read_text()).compose))
    jsonschema.validate(compose, SCHEMA)
    for name, service in compose["services"].items():
        for other in service.get("depends_on", {}):
            assert "profiles" not in compose["services"][other], f"{name} waits for what does not start by itself"
        named = {mount.partition(":")[0] for mount in service.get("volumes", [])}
        assert named <= set(compose.get("volumes", {}))


@pytest.mark.parametrize("path", [*EXAMPLES.values(), EVERY_KEY], ids=lambda path: path.parent.name)
def test_debians_compose_knows_every_key(path: Path) -> None:
    """docker-compose 1.29 refuses others: `name` above all, which stands in the file of variables."""
    assert set(rendered(path.read_text()).compose) <= {"services", "volumes"}


def test_the_schema_refuses_what_is_no_compose_file() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"services": {"web": {"image": "a", "routes": []}}}, SCHEMA)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_written_can_be_read_back(name: str, tmp_path: Path) -> None:
    local = rendered(EXAMPLES[name].read_text())
    values = "".join(f"{variable}={value or 'x'}\n" for variable, value in local.variables.items())
    made = described(tmp_path, dumped(local.compose), env=f"{values}COMPOSE_PROJECT_NAME=goods\n")
    assert problems(made) == []
    assert made.site_name == "goods"
    assert list(made.variables["site_databases"]) == ["main"] if "site_databases" in yaml.safe_load(
        EXAMPLES[name].read_text()) else True  # fmt: skip


def test_every_key_of_a_container_comes_along() -> None:
    app = services(EVERY_KEY.read_text())["web-app"]
    elsewhere = {"like", "secrets", "links", "ports"}
    assert set(CONTAINER.keys) - elsewhere <= set(app) | {"init"}
    assert app["environment"]["STRIPE_KEY"].startswith("${SECRET_STRIPE_API_KEY:?")
    assert app["tmpfs"] == ["/run:size=64m,noexec"]
    assert app["devices"] == ["/dev/fuse:/dev/fuse:rw"]


def test_references_come_to_what_stands_in() -> None:
    found = services(EXAMPLES["celery_site"].read_text())
    environment = found["web"]["environment"]
    assert environment["DB_HOST"] == "database-main"
    assert [environment["DB_PASSWORD"]] == ["${DATABASE_MAIN_PASSWORD:-local}"]
    assert (environment["REDIS_HOST"], environment["REDIS_PORT"]) == ("redis", "6379")
    assert environment["REDIS_PASSWORD"] == found["redis"]["environment"]["REDIS_PASSWORD"]
    assert environment["ALLOWED_HOSTS"] == "localhost"
    assert found["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert found["web"]["pull_policy"] == "never"
    assert found["web"]["depends_on"] == {
        "database-main": {"condition": "service_healthy"},
        "job-migrate": {"condition": "service_completed_successfully"},
    }
    assert "profiles" not in found["job-migrate"]
    assert found["job-report"]["profiles"] == ["jobs"]
    assert found["database-main"]["environment"]["POSTGRES_PASSWORD"] == environment["DB_PASSWORD"]


def test_a_task_of_two_keeps_its_names_and_a_volume_its_owner() -> None:
    local = rendered(EXAMPLES["legacy_site"].read_text())
    found = local.compose["services"]
    assert found["web-nginx"]["links"] == ["web-django:django"]
    assert found["web-nginx"]["depends_on"]["web-django"] == {"condition": "service_healthy"}
    assert found["web-nginx"]["volumes"] == ["media:/srv/media:ro"]
    assert found["web-nginx"]["ports"] == ["127.0.0.1:8080:80"]
    assert local.addresses == {"web-nginx": "http://localhost:8080"}
    assert "chown 1000:1000 /volume && chmod 0755 /volume" in found["volume-media"]["command"]
    assert found["web-django"]["depends_on"]["volume-media"] == {"condition": "service_completed_successfully"}


def test_a_dollar_of_a_site_is_no_variable_of_compose() -> None:
    text = 'site_services: {web: {containers: {app: {image: a/b, mem_limit: 64m, command: [sh, -c, "echo $HOME"]}}}}'
    assert services(text)["web"]["command"] == ["sh", "-c", "echo $$HOME"]


def test_a_database_that_exists_is_given_by_variables() -> None:
    local = rendered("""
site_databases:
  main:
    endpoint: db.acme.internal
    secret_arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
site_services:
  web:
    containers:
      app:
        image: a/b
        mem_limit: 64m
        environment: {DB_HOST: {from: database.main.host}}
        secrets: {DB_PASSWORD: database.main.password}
""")
    assert "database-main" not in local.compose["services"]
    assert local.variables == {"DATABASE_MAIN_HOST": "", "DATABASE_MAIN_PASSWORD": ""}
    assert "db.acme.internal" not in dumped(local.compose)


TWO_ROUTES = """
domain_aliases: [other.acme.io]
site_services:
  web:
    containers: {app: {image: a/b, mem_limit: 64m, ports: ["80", "9000", "8080"]}}
    routes: [{to: app, port: 9000, path: /admin/*}, {to: app, port: 80}, {to: app, port: 8080, path: /x/*}]
  other:
    containers: {app: {image: a/b, mem_limit: 64m, ports: ["80"]}}
    routes: [{to: app, host: other.acme.io}]
"""


def test_two_ports_of_one_container_are_two_of_this_machine() -> None:
    local = rendered(TWO_ROUTES)
    assert local.compose["services"]["web"]["ports"] == [
        "127.0.0.1:9000:9000", "127.0.0.1:8080:80", "127.0.0.1:8081:8080",
    ]  # fmt: skip
    assert local.compose["services"]["other"]["ports"] == ["127.0.0.1:8082:80"]
    assert local.addresses == {"web": "http://localhost:9000", "other": "http://localhost:8082"}


def test_jobs_before_a_release_run_one_after_the_other_and_all_are_waited_for() -> None:
    found = services("""
site_services: {web: {containers: {app: {image: a/b, mem_limit: 64m}}}}
site_jobs:
  migrate: {image: a/b, mem_limit: 64m, command: [migrate], run: before_release}
  tell: {image: a/other, mem_limit: 64m, command: [tell], run: before_release}
  report: {image: a/b, mem_limit: 64m, command: [report], run: by_hand}
  collect: {image: a/b, mem_limit: 64m, command: [collect], run: before_release}
""")
    ended = {"condition": "service_completed_successfully"}
    assert found["web"]["depends_on"] == {"job-migrate": ended, "job-collect": ended}
    assert "depends_on" not in found["job-migrate"]
    assert found["job-tell"]["depends_on"] == {"job-migrate": ended}
    assert found["job-collect"]["depends_on"] == {"job-tell": ended}
    assert "depends_on" not in found["job-report"]

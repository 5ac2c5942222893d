"""A Compose file becomes a description in the same words; what is dropped is named with its reason."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from plugins.plugin_utils.compose import writing
from plugins.plugin_utils.compose.describing import Described
from plugins.plugin_utils.compose.loading import ComposeError
from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.container_kinds import HEALTH
from plugins.plugin_utils.site.container_words import OF_COMPOSE
from plugins.plugin_utils.site.nouns.service import CONTAINERS_MOST
from tests.unit.plugins.plugin_utils.compose.support import NEW, chosen, described, dropped, problems, wanted, written

SHOP = """
services:
  web:
    build: {context: app, target: run}
    command: gunicorn shop.wsgi --bind 0.0.0.0:8000
    restart: always
    networks: [back]
    ports: ["8000:8000"]
    depends_on: [db, cache]
    environment:
      DB_HOST: db
      DB_USER: owner
      DB_NAME: goods
      DB_PASSWORD: tell-nobody-1
      SECRET_KEY: tell-nobody-2
      SMTP_PASSWORD: tell-nobody-3
      CACHE_URL: redis://cache:6379/0
      CACHE_HOST: cache
      LEVEL: 1.10
      FORMAT: "{{.Level}}"
    volumes: ["uploads:/srv/uploads", "./app:/app", "./data:/data:z,ro"]
    healthcheck: {test: "curl -f http://localhost:8000/alive || exit 1", interval: 1s, start_interval: 1s}
    deploy: {replicas: 2, resources: {limits: {memory: 300M, cpus: "0.25"}}, restart_policy: {condition: any}}
  db:
    image: postgres:16-alpine
    environment: {POSTGRES_USER: owner, POSTGRES_DB: goods, POSTGRES_PASSWORD: tell-nobody-1}
    volumes: ["pg:/var/lib/postgresql/data"]
  cache:
    image: redis:7
volumes: {uploads: , pg: }
networks: {back: }
"""


def test_a_whole_site_is_right_and_says_no_secret(tmp_path: Path) -> None:
    made = described(tmp_path, SHOP)
    assert problems(made) == []
    web = written(made)["site_services"]["web"]
    app = web["containers"]["web"]
    assert app["image"] == "shop/web"
    assert "docker build -t shop/web --target run app" in wanted(made)["web.build"]
    assert app["command"] == ["gunicorn", "shop.wsgi", "--bind", "0.0.0.0:8000"]
    assert (app["mem_limit"], app["cpu_shares"], app["ports"]) == ("300m", 256, ["8000"])
    assert app["environment"] == {
        "DB_HOST": {"from": "database.main.host"},
        "DB_NAME": {"from": "database.main.dbname"},
        "CACHE_URL": "redis://cache.{{ site_name }}-{{ environment_name }}.internal:6379/0",
        "CACHE_HOST": {"from": "service.cache.host"},
        "LEVEL": "1.10",
        "FORMAT": "{% raw %}{{.Level}}{% endraw %}",
    }
    assert app["secrets"] == {
        "DB_USER": "database.main.username",
        "DB_PASSWORD": "database.main.password",
        "SECRET_KEY": "secret.secret-key.secret_key",
        "SMTP_PASSWORD": "secret.smtp-password.value",
    }
    assert app["volumes"] == ["uploads:/srv/uploads", "web-data:/data:ro"]
    assert app["healthcheck"]["interval"] == "5s"
    assert web["routes"] == [{"to": "web", "health": "/alive"}]
    assert web["deploy"] == {"replicas": 2}
    assert written(made)["site_databases"] == {
        "main": {"engine": "postgres", "version": "16", "name": "goods", "username": "owner"}
    }
    assert written(made)["site_secrets"] == {
        "secret-key": {"generate": ["secret_key"]}, "smtp-password": {"parameter": "/shop/smtp-password"},
    }  # fmt: skip
    assert written(made)["site_volumes"] == {"uploads": {"uid": 1000}, "web-data": {"uid": 1000}}
    assert written(made)["site_services"]["cache"]["expose"] == {"to": "cache:6379", "scheme": "redis"}
    everything = "".join(writing.folder(made, "compose.yml", NEW).values()) + "\n".join(made.report.lines())
    assert "tell-nobody" not in everything


def test_each_dropped_key_has_the_reason_that_the_model_gives(tmp_path: Path) -> None:
    told = dropped(described(tmp_path, SHOP))
    assert told["web.restart"] == OF_COMPOSE["restart"]
    assert told["web.networks"] == told["networks"] == OF_COMPOSE["networks"]
    assert "a folder of the machine it is typed on" in told["web.volumes"]
    assert "behind the path may stand ro or rw" in told["web.volumes../data:z"]
    assert told["web.healthcheck.start_interval"].startswith("is no key of a healthcheck: ECS asks at one interval")
    assert told["web.deploy.restart_policy"] == "ECS replaces a task whose container ends; take the line out."
    assert told["db.volumes"] == "site_databases.main takes the place of the container."
    assert "only containers of one task" in told["web.depends_on.db"]


def one(keys: str, more: str = "") -> str:
    return f"services:\n  web:\n    image: acme/web:1\n    ports: ['80:80']\n{keys}\n{more}"


@pytest.mark.parametrize(("key", "value"), [(key, "x") for key in OF_COMPOSE if key not in (
    "build", "env_file", "expose", "deploy", "scale", "extends", "cpus", "profiles")])  # fmt: skip
def test_a_key_that_is_no_word_here_is_named_with_what_to_write(tmp_path: Path, key: str, value: str) -> None:
    made = described(tmp_path, one(f"    {key}: {value}"))
    assert dropped(made)[f"web.{key}"] == OF_COMPOSE[key]
    assert problems(made) == []


@pytest.mark.parametrize(
    ("image", "named"),
    [
        ("nginx:1.27", "public.ecr.aws/docker/library/nginx:1.27"),
        ("docker.io/library/nginx", "public.ecr.aws/docker/library/nginx"),
        ("library/nginx", "public.ecr.aws/docker/library/nginx"),
        ("index.docker.io/nginx", "public.ecr.aws/docker/library/nginx"),
        ("acme/web:1", "docker.io/acme/web:1"),
        ("docker.io/acme/web:1", "docker.io/acme/web:1"),
        ("index.docker.io/acme/web:1", "docker.io/acme/web:1"),
        ("ghcr.io/acme/web:1", "ghcr.io/acme/web:1"),
        ("acme/web:${VERSION:-2}", "docker.io/acme/web:2"),
    ],
)
def test_an_image_is_pulled_from_where_compose_pulls_it(tmp_path: Path, image: str, named: str) -> None:
    made = described(tmp_path, f"services:\n  web:\n    image: {image}\n    ports: ['80']")
    assert written(made)["site_services"]["web"]["containers"]["web"]["image"] == named


def test_one_build_is_one_image(tmp_path: Path) -> None:
    made = described(tmp_path, "services:\n  web: {build: ., ports: ['80:80']}\n  worker: {build: ., command: work}")
    images = {each["image"] for one in written(made)["site_services"].values() for each in one["containers"].values()}
    assert images == {"shop/web"}


def test_a_proxy_and_those_behind_it_are_one_task(tmp_path: Path) -> None:
    made = described(
        tmp_path,
        """
services:
  nginx: {build: nginx, ports: ['80:80'], depends_on: {api: {condition: service_healthy}}}
  api: {build: api, expose: ['8000']}
""",
    )
    (service,) = written(made)["site_services"].values()
    nginx = service["containers"]["nginx"]
    assert list(service["containers"]) == ["api", "nginx"]
    assert (nginx["links"], nginx["depends_on"]) == (["api"], {"api": {"condition": "service_started"}})
    assert service["routes"] == [{"to": "nginx"}]
    assert "no healthcheck" in chosen(made)["nginx.depends_on.api"]
    assert problems(made) == []


def test_a_database_s_whole_address_is_put_together_by_a_shell(tmp_path: Path) -> None:
    database = "  db: {image: postgres, environment: {POSTGRES_PASSWORD: tell-nobody}}"
    with_command = (
        "    command: [serve, now]\n    environment: {DATABASE_URL: 'postgres://postgres:tell-nobody@db/postgres'}"
    )
    made = described(tmp_path, one(with_command, database))
    app = written(made)["site_services"]["web"]["containers"]["web"]
    assert app["command"][:2] == ["sh", "-c"]
    assert app["command"][3:] == ["serve", "now"]
    assert (
        app["command"][2]
        == 'export DATABASE_URL="postgres://$DATABASE_MAIN_USERNAME:$DATABASE_MAIN_PASSWORD@$DATABASE_MAIN_HOST:5432/'
        '$DATABASE_MAIN_NAME?sslmode=require"; exec "$0" "$@"'
    )
    assert app["secrets"] == {
        "DATABASE_MAIN_PASSWORD": "database.main.password",
        "DATABASE_MAIN_USERNAME": "database.main.username",
    }
    assert problems(made) == []


def test_a_database_s_address_without_a_command_is_to_be_typed(tmp_path: Path) -> None:
    database = "  db: {image: 'postgres:9.4'}"
    made = described(
        tmp_path, one("    environment: {DATABASE_URL: 'postgres://postgres:tell-nobody@db/postgres'}", database)
    )
    assert "export DATABASE_URL=" in wanted(made)["web.command"]
    assert "names none that RDS has" in chosen(made)["site_databases.main.version"]


def test_mysql_is_one_that_exists_and_what_of_it_is_to_be_typed(tmp_path: Path) -> None:
    made = described(tmp_path, one(
        "    environment: {DB_HOST: 'db:3306', DB_USER: me, DB_PASSWORD: nobody}",
        "  db: {image: 'mariadb:10', environment: {MYSQL_USER: me, MYSQL_PASSWORD: nobody, MYSQL_DATABASE: goods}}",
    ))  # fmt: skip
    main = written(made)["site_databases"]["main"]
    assert main == {"endpoint": "", "port": 3306, "name": "goods", "secret_arn": ""}
    assert {"site_databases.main.endpoint", "site_databases.main.secret_arn"} <= set(wanted(made))
    app = written(made)["site_services"]["web"]["containers"]["web"]
    assert app["secrets"] == {"DB_USER": "database.main.username", "DB_PASSWORD": "database.main.password"}
    assert "form of its own" in wanted(made)["environment.DB_HOST"]
    assert problems(made) == []


def test_secrets_of_files_and_of_variables_are_references(tmp_path: Path) -> None:
    made = described(tmp_path, one(
        "    secrets: [token, pepper]\n    env_file: .settings\n"
        "    environment: [API_TOKEN_FILE=/run/secrets/token, \"A_KEY=$HIDDEN_KEY\", AWS_SECRET_ACCESS_KEY=x, PASSED]",
        "secrets: {token: {file: t}, pepper: {file: p}}",
    ), settings="export LEVEL='2' \n# comment\nADMIN_PASSWORD=tell-nobody-1 # now\n",
        env="HIDDEN_KEY=tell-nobody-2\n")  # fmt: skip
    app = written(made)["site_services"]["web"]["containers"]["web"]
    assert app["secrets"] == {
        "API_TOKEN": "secret.api-token.value",
        "ADMIN_PASSWORD": "secret.admin-password.admin_password",
        "A_KEY": "secret.a-key.a_key",
        "PEPPER": "secret.pepper.pepper",
    }
    assert app["environment"] == {"LEVEL": "2", "PASSED": ""}
    assert "uses: {bucket.uploads: [read]}" in dropped(made)["web.environment.AWS_SECRET_ACCESS_KEY"]
    assert "set nowhere" in wanted(made)["web.environment.PASSED"]
    assert "tell-nobody" not in str(written(made)) + str(made.report)
    assert problems(made) == []


def test_a_secret_in_a_command_becomes_a_variable(tmp_path: Path) -> None:
    made = described(
        tmp_path, one("", "  cache: {image: redis, command: redis-server --requirepass tell-nobody --save 1}")
    )
    cache = written(made)["site_services"]["cache"]["containers"]["cache"]
    assert cache["command"] == ["sh", "-c", 'exec redis-server --requirepass "$CACHE_COMMAND_SECRET" --save 1']
    assert set(cache["secrets"]) == {"CACHE_COMMAND_SECRET"}


@pytest.mark.parametrize(
    ("how", "run"),
    [("restart: 'no'", "by_hand"), ("profiles: [tools]", "by_hand"), ("command: migrate", "before_release")],
)
def test_what_ends_is_a_job(tmp_path: Path, how: str, run: str) -> None:
    waits = "    depends_on: {once: {condition: service_completed_successfully}}" if run == "before_release" else ""
    made = described(tmp_path, one(waits, f"  once: {{image: acme/web, {how}, mem_limit: 64m}}"))
    assert written(made)["site_jobs"]["once"]["run"] == run
    assert problems(made) == []


@pytest.mark.parametrize("image", ["traefik:3", "certbot/certbot", "containrrr/watchtower", "acme/any"])
def test_what_berth_does_itself_is_left_out(tmp_path: Path, image: str) -> None:
    socket = "volumes: ['/var/run/docker.sock:/var/run/docker.sock']" if image == "acme/any" else "tty: true"
    made = described(tmp_path, one("", f"  other: {{image: {image}, {socket}}}"))
    assert "services.other" in dropped(made)
    assert list(written(made)["site_services"]) == ["web"]


def test_two_stores_of_one_port_get_two_addresses(tmp_path: Path) -> None:
    made = described(tmp_path, one(
        "    environment: {A_HOST: one, B: 'redis://two:6379'}", "  one: {image: redis}\n  two: {image: acme/valkey}"
    ))  # fmt: skip
    assert written(made)["site_services"]["two"]["expose"] == {"to": "two:6379", "port": 6380, "scheme": "redis"}
    assert written(made)["site_services"]["web"]["containers"]["web"]["environment"]["B"] == {"from": "service.two.url"}
    assert problems(made) == []


def test_one_that_waits_and_names_nobody_is_told_where_the_other_is(tmp_path: Path) -> None:
    made = described(tmp_path, one("    depends_on: [cache]", "  cache: {image: redis}"))
    assert "{from: service.cache.url}, no longer cache:6379" in wanted(made)["web.environment"]


def test_the_route_is_the_likeliest_port_and_others_are_named(tmp_path: Path) -> None:
    made = described(
        tmp_path,
        """
services:
  adminer: {image: adminer, ports: ['80:8080']}
  api: {build: ., ports: ['9000:9000', '127.0.0.1:9229:9229', '53:53/udp']}
  site: {build: web, ports: ['3000:3000', '443:443']}
""",
    )
    services = written(made)["site_services"]
    assert [name for name, each in services.items() if "routes" in each] == ["site"]
    assert services["site"]["routes"] == [{"to": "site", "port": 3000}]
    assert {"site_services.api", "site_services.adminer"} <= set(chosen(made))
    assert services["api"]["containers"]["api"]["ports"] == ["9000", "9229", "53/udp"]
    assert problems(made) == []


def test_the_hosts_are_the_least_that_all_of_it_fits(tmp_path: Path) -> None:
    assert described(tmp_path, one("    mem_limit: 64m")).host_instance_type == "t3.micro"
    large = tmp_path / "large"
    large.mkdir()
    made = described(large, one("    mem_limit: 3g"))
    assert (made.host_instance_type, "host_instance_type" in chosen(made)) == ("t3.medium", True)
    assert problems(made) == []
    assert "host_instance_type: t3.medium #" in writing.folder(made, "x", NEW)[writing.SETTINGS]


def test_numbers_times_and_merged_keys_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    made = described(
        tmp_path,
        """
x-all: &all {image: acme/web, mem_limit: 1gb, mem_swappiness: 10, tmpfs: /run, ulimits: {nofile: 1024}}
services:
  web: {<<: *all, ports: [22:22, 8022:80], stop_grace_period: 1m30s, labels: [a=b, traefik.enable=true], tty: yes}
""",
    )
    app = written(made)["site_services"]["web"]["containers"]["web"]
    assert (app["mem_limit"], app["mem_swappiness"], app["tmpfs"]) == ("1024m", 10, ["/run:size=64m"])
    assert (app["ports"], app["stop_grace_period"], app["labels"]) == (["22", "80"], "90s", {"a": "b"})
    assert app["ulimits"] == {"nofile": 1024}
    assert {"x-all", "web.labels.traefik.enable", "web.tty"} <= set(dropped(made))
    assert problems(made) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services: {web: {extends: {file: a.yml, service: b}}}", "config --no-interpolate"),
        ("include: [a.yml]\nservices: {web: {image: a}}", "config --no-interpolate"),
        ("site_name: x", "no services"),
        ("services: [a", "no YAML"),
        ("services: {web: [a]}", "services.web is no mapping"),
        ("services: {db: {image: postgres}}", "nothing that a site would run"),
    ],
)
def test_what_is_no_compose_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ComposeError, match=says):
        described(tmp_path, text)


def test_a_proxy_with_more_behind_it_than_a_task_has_leaves_the_rest_as_services(tmp_path: Path) -> None:
    behind = [f"app{number}" for number in range(CONTAINERS_MOST + 1)]
    made = described(tmp_path, "\n".join([
        f"services:\n  nginx: {{image: nginx, mem_limit: 16m, ports: ['80:80'], depends_on: [{', '.join(behind)}]}}",
        *(f"  {name}: {{image: acme/web, mem_limit: 16m, expose: ['8000']}}" for name in behind),
    ]))  # fmt: skip
    services = written(made)["site_services"]
    assert list(services["nginx"]["containers"]) == [*behind[: CONTAINERS_MOST - 1], "nginx"]
    assert list(services) == ["nginx", *behind[CONTAINERS_MOST - 1 :]]
    assert "only containers of one task wait" in dropped(made)[f"nginx.depends_on.{behind[-1]}"]
    assert problems(made) == []


IN_CLEAR = (
    '["sh", "-c", "redis-server --requirepass tell-nobody"]',
    "sh -c 'redis-server --requirepass tell-nobody'",
    "sh -c 'redis-server --requirepass=\"tell-nobody\"'",
    '["sh", "-c", "serve --dsn postgres://u:tell-nobody@h/x"]',
    "sh -c 'serve --dsn=postgres://u:tell-nobody@h/x'",
    "sh -c 'PGPASSWORD=tell-nobody exec psql'",
    "sh -c 'REDISCLI_AUTH=tell-nobody redis-cli ping'",
    "sh -c 'API_TOKEN=tell-nobody;export API_TOKEN'",
    "sh -c 'redis-cli -a ${CACHE_PASSWORD}'",
    '["redis-cli", "-a", "tell-nobody", "ping"]',
    "curl -u elastic:tell-nobody http://localhost:9200",
    "mysqladmin ping -uroot -ptell-nobody",
)
"""Commands with a secret that no variable can be put in the place of."""
AS_A_WORD = {
    "serve --dsn postgres://u:tell-nobody@h/x": "serve --dsn ",
    "serve --dsn=postgres://u:tell-nobody@h/x": "serve --dsn=",
    "env PGPASSWORD=tell-nobody psql": "env PGPASSWORD=",
    "[serve, --salt, '${CACHE_PASSWORD}']": "serve --salt ",
    "serve --salt=${CACHE_PASSWORD}": "serve --salt=",
}
"""Commands with a secret that is a word or ends one → what stands before the variable."""


def all_of_it(made: Described) -> str:
    return "".join(writing.folder(made, "compose.yml", NEW).values()) + "\n".join(made.report.lines())


@pytest.mark.parametrize("key", ["command", "entrypoint"])
@pytest.mark.parametrize("text", IN_CLEAR)
def test_a_secret_within_a_line_of_a_command_is_written_nowhere(tmp_path: Path, key: str, text: str) -> None:
    made = described(tmp_path, one(f"    {key}: {text}"), env="CACHE_PASSWORD=tell-nobody\n")
    assert "tell-nobody" not in all_of_it(made)
    assert key not in written(made)["site_services"]["web"]["containers"]["web"]
    assert "has a secret in clear. Let it read a variable" in dropped(made)[f"web.{key}"]
    assert problems(made) == []


@pytest.mark.parametrize("text", [*IN_CLEAR, *AS_A_WORD])
def test_a_secret_in_a_health_check_is_written_nowhere(tmp_path: Path, text: str) -> None:
    made = described(tmp_path, one(f"    healthcheck:\n      test: {text}"), env="CACHE_PASSWORD=tell-nobody\n")
    assert "tell-nobody" not in all_of_it(made)
    assert "has a secret in clear. Let it read a variable" in dropped(made)["web.healthcheck.test"]


@pytest.mark.parametrize("text", AS_A_WORD)
def test_a_secret_that_ends_a_word_becomes_a_variable(tmp_path: Path, text: str) -> None:
    made = described(tmp_path, one(f"    command: {text}"), env="CACHE_PASSWORD=tell-nobody\n")
    app = written(made)["site_services"]["web"]["containers"]["web"]
    assert "tell-nobody" not in all_of_it(made)
    assert app["command"][2].startswith(f'exec {AS_A_WORD[text]}"$WEB_COMMAND_SECRET"')
    assert list(app["secrets"]) == ["WEB_COMMAND_SECRET"]
    assert problems(made) == []


@pytest.mark.parametrize(
    "text",
    [
        "sh -c 'redis-server --requirepass \"$$CACHE_PASSWORD\"'",
        "sh -c 'PGPASSWORD=$$DB_PASSWORD exec psql --port=1'",
        'redis-cli -a "$$CACHE_PASSWORD" ping',
        "mysqladmin ping -P3306 -p$$MYSQL_PASSWORD",
        "serve --token-file /run/token --dsn http://h/x -a b",
    ],
)
def test_a_command_that_reads_a_variable_stays(tmp_path: Path, text: str) -> None:
    made = described(tmp_path, one(f"    command: {text}\n    healthcheck:\n      test: {text}"))
    app = written(made)["site_services"]["web"]["containers"]["web"]
    assert app["command"] == shlex.split(text.replace("$$", "$"))
    assert app["healthcheck"]["test"] == text.replace("$$", "$")


@pytest.mark.parametrize(
    "labels",
    [
        "{dsn: 'redis://:tell-nobody@h/0', other: b}",
        "[dsn=redis://:tell-nobody@h/0, other=b]",
        "{dsn: 'see redis://:tell-nobody@h/0', other: b}",
        "{io.acme.api_token: tell-nobody, other: b}",
        "['dsn=${CACHE_PASSWORD}', other=b]",
    ],
)
def test_a_secret_in_a_label_is_written_nowhere(tmp_path: Path, labels: str) -> None:
    made = described(tmp_path, one(f"    labels: {labels}"), env="CACHE_PASSWORD=tell-nobody\n")
    assert "tell-nobody" not in all_of_it(made)
    assert written(made)["site_services"]["web"]["containers"]["web"]["labels"] == {"other": "b"}
    (told,) = (sentence for subject, sentence in dropped(made).items() if subject.startswith("web.labels."))
    assert "has a secret in clear" in told


@pytest.mark.parametrize(
    ("command", "order"),
    [
        ("celery -A shop beat", "stop-first"),
        ("[celery, -A, shop, beat]", "stop-first"),
        ("['sh', '-c', 'exec celery -A shop beat -l info']", "stop-first"),
        ("['sh', '-c', \"sleep 1\\nexec celery beat\\n\"]", "stop-first"),
        ("celery -A shop worker", ""),
        ("[celery, -A, heartbeat, worker]", ""),
    ],
)
def test_what_must_not_run_twice_is_stopped_first(tmp_path: Path, command: str, order: str) -> None:
    made = described(tmp_path, one("", f"  tasks: {{image: acme/web, command: {command}}}"))
    deploy = written(made)["site_services"]["tasks"].get("deploy", {})
    assert deploy == ({"update_config": {"order": order}} if order else {})


@pytest.mark.parametrize("key", ["interval", "timeout", "start_period", "retries"])
def test_a_health_check_is_moved_into_the_bounds_of_the_model_and_that_is_told(tmp_path: Path, key: str) -> None:
    kind: Any = HEALTH.keys[key].kind
    unit = "" if key == "retries" else "s"
    most, more = f"{kind.high}{unit}", f"{kind.high + 1}{unit}"
    made = described(tmp_path, one(f"    healthcheck: {{test: check, {key}: {more}}}"))
    assert str(written(made)["site_services"]["web"]["containers"]["web"]["healthcheck"][key]) == most
    assert chosen(made)[f"web.healthcheck.{key}"] == f"{most} in place of {more}: ECS takes no other."
    assert problems(made) == []


def test_memory_is_at_least_what_the_model_asks_of_that_key(tmp_path: Path) -> None:
    made = described(tmp_path, one("    mem_limit: 2m\n    shm_size: 2m\n    stop_grace_period: 2h"))
    app = written(made)["site_services"]["web"]["containers"]["web"]
    kind: Any = CONTAINER.keys["mem_limit"].kind
    grace: Any = CONTAINER.keys["stop_grace_period"].kind
    assert (app["mem_limit"], app["shm_size"], app["stop_grace_period"]) == (f"{kind.low}m", "2m", f"{grace.high}s")
    assert problems(made) == []


def test_a_name_that_begins_with_a_digit_becomes_one_of_a_variable(tmp_path: Path) -> None:
    made = described(tmp_path, one(
        "    secrets: [2fa-key]",
        "  2nd: {image: acme/web, command: serve --token tell-nobody}\nsecrets: {2fa-key: {file: f}}",
    ))  # fmt: skip
    services = written(made)["site_services"]
    assert services["web"]["containers"]["web"]["secrets"] == {"_2FA_KEY": "secret.x-2fa-key._2fa_key"}
    assert list(services["x-2nd"]["containers"]["x-2nd"]["secrets"]) == ["_2ND_COMMAND_SECRET"]
    assert problems(made) == []


def test_keys_without_a_word_and_extensions_are_told_wherever_they_stand(tmp_path: Path) -> None:
    made = described(tmp_path, one("    x-mine: 1\n    unheard: 1\n    deploy: {x-mine: 1, unheard: 1}", "x-mine: 1"))
    extension, unheard = "an extension, which nothing here reads.", "it has no word here."
    for at in ("", "web.", "web.deploy."):
        assert dropped(made)[f"{at}x-mine"] == extension
    for at in ("web.", "web.deploy."):
        assert dropped(made)[f"{at}unheard"] == unheard

"""Two users of a database take turns; PostgreSQL and Secrets Manager are real, ssh, RDS and ECS are stood in for."""

from __future__ import annotations

import datetime
import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import database_rotate
from plugins.plugin_utils.importing.postgres import Server, literal
from plugins.plugin_utils.rotation import versions
from plugins.plugin_utils.rotation.versions import Versions
from tests.unit.plugin_support import heard, run_action
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, reach_by_ssh, shell

HOST = {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user"}
MASTER = {"username": "clerk", "password": PASSWORD}
WEB, OTHER, OLD = "web:1", "other:1", "old:1"


class Killed(BaseException):
    """The run ends here, as by SIGKILL: nothing of it goes on."""


@dataclass
class Ecs:
    """A cluster whose tasks have read the secret when they were made.

    Attributes:
        read: what the secret has now.
        secrets: task definition → places that it names.
        held: task → what it has read.
        tasks: task → as ECS describes it.
    """

    read: Callable[[], dict[str, Any]]
    secrets: dict[str, list[str]]
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start(self, name: str, definition: str = WEB, service: str = "web", late: int = 0, **more: Any) -> None:
        self.held[name] = self.read()
        created = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=late)
        self.tasks[name] = {
            "taskArn": f"arn:aws:ecs:us-east-1:1:task/shop-prod/{name}", "taskDefinitionArn": definition,
            "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "createdAt": created,
            "group": f"service:{service}" if service else "family:job", **more,
        }  # fmt: skip

    def restart(self, service: str, late: int = 2) -> None:
        """As a deployment does: the new task is there before the old one goes; two seconds after what was before."""
        old = [name for name, task in self.tasks.items() if task["group"] == f"service:{service}"]
        self.start(f"{service}{next(self.numbers)}", service=service, late=late)
        for name in old:
            self.end(name)

    def end(self, name: str) -> None:
        del self.tasks[name], self.held[name]

    def get_paginator(self, _operation: str) -> Any:
        def pages(desiredStatus: str, **_: Any) -> list[dict[str, Any]]:
            return [{"taskArns": [name for name, each in self.tasks.items() if each["desiredStatus"] == desiredStatus]}]

        return SimpleNamespace(paginate=pages)

    def describe_tasks(self, tasks: list[str], **_: Any) -> dict[str, Any]:
        return {"tasks": [self.tasks[name] for name in tasks]}

    def describe_task_definition(self, taskDefinition: str) -> dict[str, Any]:
        secrets = [{"name": "S", "valueFrom": f"{arn}:password::"} for arn in self.secrets[taskDefinition]]
        return {"taskDefinition": {"containerDefinitions": [{"name": "app", "secrets": secrets}]}}


@dataclass
class Site:
    """A database of a site, whose services log in to it.

    Attributes:
        kill: name of what the next run is killed before; empty: nothing.
    """

    server: Postgres
    aws: Cloud
    login: str
    master: str
    ecs: Ecs
    kill: str = ""
    done: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        if service == "ecs":
            return self.ecs
        if service == "cloudformation":
            outputs = {
                "Endpoint": "127.0.0.1", "Port": str(self.server.port), "SecretArn": self.master,
                "LoginArn": self.login, "InstanceId": "db-1",
            }  # fmt: skip
            listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items() if value]
            return SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [{"Outputs": listed}]})  # noqa: ARG005
        if service == "rds":
            return SimpleNamespace(modify_db_instance=self.modify)
        real = self.aws.client(service)

        def put(**given: Any) -> Any:
            self.step(f"put {self.whose(given)}")
            return real.put_secret_value(**given)

        def move(**given: Any) -> Any:
            how = "move" if "MoveToVersionId" in given else "drop"
            self.step(f"{how} {self.whose(given)} {given['VersionStage']}")
            return real.update_secret_version_stage(**given)

        return SimpleNamespace(
            describe_secret=real.describe_secret, get_secret_value=real.get_secret_value, put_secret_value=put,
            update_secret_version_stage=move,
        )  # fmt: skip

    def whose(self, given: dict[str, Any]) -> str:
        return {self.login: "login", self.master: "master"}[given["SecretId"]]

    def modify(self, DBInstanceIdentifier: str, ApplyImmediately: bool, MasterUserPassword: str) -> None:
        assert (DBInstanceIdentifier, ApplyImmediately) == ("db-1", True)
        self.step("modify")
        self.server.sql(f"ALTER ROLE clerk PASSWORD '{MasterUserPassword}'")

    def step(self, name: str) -> None:
        """Something that changes what is there is about to be done."""
        if self.kill == name:
            raise Killed
        self.done.append(name)

    def value(self, which: str = "login", stage: str = "AWSCURRENT") -> dict[str, Any]:
        arn = self.login if which == "login" else self.master
        told = self.aws.client("secretsmanager").get_secret_value(SecretId=arn, VersionStage=stage)
        return dict(json.loads(told["SecretString"]))

    def may(self, value: dict[str, Any], statement: str = "INSERT INTO visits VALUES (1)") -> bool:
        """Whether a task with this login works."""
        done = subprocess.run(
            ["psql", "--no-psqlrc", "-At", "--set=ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.server.port),
             "-U", value["username"], "-d", "site", "-c", statement],
            env=shell() | {"PGPASSWORD": value["password"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1, 2), done.stderr
        return done.returncode == 0

    def go(self, state: str, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        arguments = {
            "state": state, "cluster": "shop-prod", "database": "main", "stack": "shop-prod-database-main",
            "dbname": "site", "hosts": [HOST], "region": "us-east-1", "timeout": 1, **given,
        }  # fmt: skip
        result, shown = heard(database_rotate, arguments, check, client=self.client)
        known = [self.value(which)["password"] for which in ("login", "master")]
        assert not [each for each in known if each in str(result) + shown]
        return result, shown

    def rotate(self) -> dict[str, Any]:
        """What the verb does."""
        result, said = self.go("switched")
        assert not result.get("failed"), (result, said)
        for service in result["services"]:
            self.step(f"restart {service}")
            self.ecs.restart(service)
        result, said = self.go("retired")
        assert not result.get("failed"), (result, said)
        for task in self.ecs.tasks.values():  # the next rotation is another day's
            task["createdAt"] -= datetime.timedelta(hours=1)
        return result


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def site(server: Postgres, aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    reach_by_ssh(tmp_path, monkeypatch)
    monkeypatch.setattr(versions, "SETTLE_SECONDS", 0)
    server.sql("SET ROLE clerk; CREATE DATABASE site;")
    server.sql("SET ROLE clerk; CREATE TABLE visits (id int); CREATE VIEW seen AS TABLE visits;", "site")
    server.sql("ALTER ROLE clerk SET timezone TO 'UTC'; ALTER ROLE clerk SET search_path TO \"$user\", public")
    vault = aws.client("secretsmanager")
    place = {"host": "main.rds.test", "port": 5432, "dbname": "site"}
    login, master = (
        str(vault.create_secret(Name=name, SecretString=json.dumps(MASTER | place))["ARN"])
        for name in ("shop-prod/database/main/login", "shop-prod/database/main")
    )
    made = Site(server, aws, login, master, Ecs(dict, {WEB: [login], OTHER: [], OLD: [master]}))
    made.ecs.read = made.value
    asked = Server.ask

    def ask(own: Server, statements: str, database: str = "postgres") -> list[list[str]]:
        words = {"CREATE ROLE": "make", "REASSIGN": "hand over", "NOLOGIN PASSWORD NULL": "retire"}
        for word, name in words.items():
            if word in statements:
                made.step(name)
                break
        return asked(own, statements, database)

    monkeypatch.setattr(Server, "ask", ask)
    made.ecs.start("first")
    yield made
    for name in server.sql("SELECT datname FROM pg_database WHERE datname LIKE 'site%'").split():
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.sql(f"ALTER DATABASE postgres OWNER TO clerk; ALTER ROLE clerk PASSWORD {literal(PASSWORD)}")
    for role in ("clerk_a", "clerk_b", "clerk_owner"):
        server.sql(f"DROP ROLE IF EXISTS {role}")
    server.sql("ALTER ROLE clerk RESET ALL")


def finished(site: Site, before: dict[str, Any]) -> None:
    """Nothing is under way; what tasks have works, and what they had does not."""
    now = site.value()
    assert now["username"] != before["username"]
    assert now["password"] != before["password"]
    assert (now["host"], now["port"], now["dbname"]) == ("main.rds.test", 5432, "site"), "the rest stays"
    assert all(site.may(each) for each in site.ecs.held.values())
    assert list(site.ecs.held.values()) == [now]
    assert not site.may(before)
    assert site.may(site.value("master")), "the master is let in with what its secret has"
    assert site.value("master")["username"] == "clerk"
    assert not site.may(MASTER), "which no task knows"
    for arn in (site.login, site.master):
        assert "AWSPENDING" not in Versions(site.aws.client("secretsmanager"), arn).ids()
    able = site.server.sql("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'clerk%'").split()
    assert set(able) == {"clerk", now["username"]}
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert site.server.sql(owners, "site") == "clerk_owner"


def test_users_take_turns_and_whatever_either_makes_is_the_owner_s(site: Site) -> None:
    site.rotate()
    first = site.value()
    finished(site, MASTER)
    assert first["username"] == "clerk_a"
    assert site.may(first, "CREATE TABLE made_by_a (id int); ALTER TABLE visits ADD COLUMN more text")
    checks = (
        "session_user = 'clerk_a'", "current_setting('timezone') = 'UTC'",
        """current_setting('search_path') = '"$user", public'""",
        "NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole))",
    )  # fmt: skip
    for check in checks:
        assert site.may(first, f"DO $$ BEGIN ASSERT {check}; END $$"), check
    assert not site.may(first, "SET ROLE clerk"), "it cannot become the master"
    assert not site.may(first, "ALTER ROLE clerk PASSWORD 'mine'")

    site.rotate()
    finished(site, first)
    second = site.value()
    assert second["username"] == "clerk_b"
    assert site.may(second, "ALTER TABLE made_by_a ADD COLUMN more text; DROP TABLE made_by_a")
    site.rotate()
    finished(site, second)
    assert site.value()["username"] == "clerk_a"
    assert site.value()["password"] != first["password"]


STEPS = [
    "put login", "make", "hand over", "move login AWSCURRENT", "restart web", "retire", "put master", "modify",
    "move master AWSCURRENT", "drop master AWSPENDING", "drop login AWSPENDING",
]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "later"),
    [
        ("restart web", False),
        # The others take a minute together.
        *(pytest.param(step, False, marks=pytest.mark.long) for step in STEPS if step != "restart web"),
        *(pytest.param(step, True, marks=pytest.mark.long) for step in ("make", "restart web", "modify")),
    ],
)
def test_a_rotation_that_was_killed_is_finished_by_the_same_command(site: Site, step: str, later: bool) -> None:
    if later:
        site.rotate()
    before = site.value()
    site.kill = step
    with pytest.raises(Killed):
        site.rotate()
    assert all(site.may(each) for each in site.ecs.held.values()), "no task is shut out"
    assert site.may(site.value()), "nor one that starts now"
    site.kill = ""
    site.rotate()
    finished(site, before)


def test_these_are_all_the_steps(site: Site) -> None:
    site.rotate()
    assert list(dict.fromkeys(site.done)) == STEPS


def test_a_task_that_still_has_the_login_of_before_keeps_it(site: Site) -> None:
    site.ecs.start("export", service="")
    site.ecs.start("unconcerned", OTHER, "")
    result, _ = site.go("switched")
    assert result["services"] == ["web"]
    site.ecs.restart("web")
    result, _ = site.go("retired")
    assert "was not retired: after 1 s tasks still have it: export (of no service)." in result["msg"]
    assert "run.yml" in result["msg"]
    assert "-e stop=export" in result["msg"]
    assert site.may(MASTER)
    site.ecs.tasks["export"] |= {"desiredStatus": "STOPPED", "lastStatus": "DEACTIVATING"}
    assert "export (of no service, ending)" in site.go("retired")[0]["msg"], "it still works off requests"
    site.ecs.end("export")
    assert site.go("retired")[0]["changed"]
    assert not site.may(MASTER)


def test_a_service_whose_tasks_are_new_already_is_not_restarted_again(site: Site) -> None:
    site.go("switched")
    site.ecs.restart("web")
    result, said = site.go("switched")
    assert (result["services"], result["changed"]) == ([], False)
    assert "a rotation goes on" in said
    assert site.go("retired")[0]["changed"]
    assert not site.go("retired")[0]["changed"], "nothing is under way any more"


def test_check_mode_says_what_would_be_done_and_changes_nothing(site: Site) -> None:
    result, said = site.go("switched", check=True)
    assert (result["changed"], result["services"], result["version"]) == (True, ["web"], "")
    assert "the site would log in as clerk_a, no longer as clerk, and clerk would get another password" in said
    assert site.go("retired", check=True)[0]["changed"]
    assert (site.done, site.value()["username"]) == ([], "clerk")
    assert site.server.sql("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'clerk_%'") == "0"


def test_a_site_whose_tasks_have_the_master_s_own_secret_is_brought_up_to_date_first(site: Site) -> None:
    site.ecs.start("old", OLD, "worker")
    result, _ = site.go("switched")
    assert "Tasks read the login of RDS's master user, which is about to change: old (of worker)" in result["msg"]
    assert "site.yml" in result["msg"]
    site.ecs.end("old")
    site.login = ""
    login, site.login = site.login, ""
    result = run_action(
        database_rotate,
        {"state": "switched", "cluster": "c", "database": "main", "stack": "s", "dbname": "site", "hosts": [HOST],
         "region": "us-east-1"},
        client=site.client, say=lambda *_: None,
    )  # fmt: skip
    assert "The stack s has no secret of its own yet for what the site logs in with." in result["msg"]
    site.login = login


def test_a_site_whose_first_run_was_interrupted_has_nothing_to_rotate(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Site, "value", lambda *_: {"password": PASSWORD})
    site.login = str(site.aws.client("secretsmanager").create_secret(Name="empty")["ARN"])
    result, _ = site.go("switched")
    assert "The site has no login of its database main yet: the run that was to make it was interr" in result["msg"]
    assert "site.yml" in result["msg"]


def test_what_the_new_user_may_not_use_is_told_before_any_task_has_it(site: Site) -> None:
    site.server.sql("CREATE TABLE foreign_one (id int); GRANT SELECT ON foreign_one TO clerk", "site")
    result, _ = site.go("switched")
    assert "The user clerk_a of the database main may not use all that clerk may: public.foreign_one." in result["msg"]
    assert site.value()["username"] == "clerk"
    site.server.sql("GRANT SELECT ON foreign_one TO clerk_owner", "site")
    site.rotate()
    finished_now = site.value()
    assert finished_now["username"] == "clerk_a"


@pytest.mark.parametrize("labelled", [True, False])
def test_a_user_that_tasks_may_have_gets_no_other_password(site: Site, labelled: bool) -> None:
    """Somebody has written the master's login over a rotation: CloudFormation, say."""
    site.go("switched")
    site.ecs.restart("web")
    held = dict(site.ecs.held)
    vault = site.aws.client("secretsmanager")
    vault.put_secret_value(SecretId=site.login, SecretString=json.dumps(site.value("master")))
    if not labelled:
        vault.update_secret_version_stage(
            SecretId=site.login, VersionStage="AWSPENDING",
            RemoveFromVersionId=Versions(vault, site.login).ids()["AWSPENDING"],
        )  # fmt: skip
    site.go("switched")
    assert site.value()["username"] == ("clerk_a" if labelled else "clerk_b")
    assert all(site.may(each) for each in held.values())
    site.ecs.restart("web")
    assert site.go("retired")[0]["changed"]
    finished(site, MASTER)


def test_who_of_the_two_tasks_have_is_not_guessed(site: Site) -> None:
    site.server.sql("CREATE ROLE clerk_a LOGIN; CREATE ROLE clerk_b LOGIN")
    result, _ = site.go("switched")
    assert "The users clerk_a and clerk_b of the database main may both log in, and nobody has written" in result["msg"]
    assert (site.done, site.value()["username"]) == ([], "clerk")


def test_what_holds_a_table_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.plugin_utils.rotation.users.LOCKED_SECONDS", 0.5)
    monkeypatch.setattr("plugins.plugin_utils.rotation.logins.LOCK_SECONDS", 1)
    place = ["--host", str(site.server.folder), "--port", str(site.server.port), "--username", "rdsadmin"]
    holder = subprocess.Popen(["psql", *place, "-d", "site"], stdin=subprocess.PIPE, env=shell(), text=True,
                              stdout=subprocess.DEVNULL)  # fmt: skip
    assert holder.stdin is not None
    holder.stdin.write("BEGIN; LOCK TABLE visits IN ACCESS SHARE MODE; \\! true\nSELECT 1;\n")
    holder.stdin.flush()
    held = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'visits'"
    while site.server.sql(held, "site") == "0":
        pass
    result, _ = site.go("switched")
    assert (
        "The server of the database main did not do what it was told: ERROR:  canceling statement due to lock"
        in (result["msg"])
    )
    holder.stdin.close()
    holder.wait(10)
    site.rotate()
    finished(site, MASTER)


def test_a_master_that_is_refused_is_told(site: Site) -> None:
    site.server.sql("ALTER ROLE clerk PASSWORD 'somebody-has-typed-another'")
    result, _ = site.go("switched")
    assert "The master user of the database main is refused with the password in its secret" in result["msg"]
    assert "aws rds modify-db-instance --db-instance-identifier db-1" in result["msg"]

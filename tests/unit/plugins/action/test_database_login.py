"""A site's first login of its database; PostgreSQL and Secrets Manager are real, ssh is stood in for."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.cloud import Cloud
from plugins.action import database_login
from plugins.plugin_utils.aws_action import Wait
from plugins.plugin_utils.importing.postgres import Server
from tests.unit.plugin_support import heard
from tests.unit.postgres_support import PASSWORD, Postgres, postgres, reach_by_ssh, shell

HOST = {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user"}
MASTER = {"username": "clerk", "password": PASSWORD}
TRUSTED, UNTRUSTED = "pg_trgm", "pg_stat_statements"
"""Extensions of PostgreSQL's own package; the words `trusted` in their control files differ."""


class Killed(BaseException):
    """The run ends here, as by SIGKILL: nothing of it goes on."""


@dataclass
class Site:
    """A database that CloudFormation has just made.

    Attributes:
        outputs: of its stack; none if it is not there.
        kill: name of what the next run is killed before; empty: nothing.
        done: what was done that changes something.
    """

    server: Postgres
    aws: Cloud
    login: str
    outputs: dict[str, str]
    kill: str = ""
    done: list[str] = field(default_factory=list)

    def client(self, service: str) -> Any:
        if service == "cloudformation":
            listed = [{"OutputKey": key, "OutputValue": value} for key, value in self.outputs.items()]
            return SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [{"Outputs": listed}]})  # noqa: ARG005
        real = self.aws.client(service)

        def put(**given: Any) -> Any:
            assert given["SecretId"] == self.login, "the master's secret is only read"
            self.step("put")
            return real.put_secret_value(**given)

        return SimpleNamespace(
            describe_secret=real.describe_secret, get_secret_value=real.get_secret_value, put_secret_value=put
        )

    def step(self, name: str) -> None:
        """Something that changes what is there is about to be done."""
        if self.kill == name:
            raise Killed
        self.done.append(name)

    def value(self) -> dict[str, Any]:
        told = self.aws.client("secretsmanager").get_secret_value(SecretId=self.login)
        return dict(json.loads(told["SecretString"]))

    def said(self, statement: str, value: dict[str, Any] | None = None) -> tuple[int, str]:
        """What a task is answered: psql's exit code, and what it wrote."""
        value = value or self.value()
        done = subprocess.run(
            ["psql", "--no-psqlrc", "-At", "--set=ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.server.port),
             "-U", value["username"], "-d", "site", "-c", statement],
            env=shell() | {"PGPASSWORD": value["password"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.strip() + done.stderr.strip()

    def go(self, check: bool = False, **given: Any) -> tuple[dict[str, Any], str]:
        arguments = {
            "databases": {"main": {"stack": "shop-prod-database-main", "dbname": "site", "username": "clerk"}},
            "hosts": [HOST], "region": "us-east-1", **given,
        }  # fmt: skip
        result, shown = heard(database_login, arguments, check, client=self.client)
        assert PASSWORD not in str(result) + shown
        return result, shown


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def site(server: Postgres, aws: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    reach_by_ssh(tmp_path, monkeypatch)
    server.sql("SET ROLE clerk; CREATE DATABASE site;")
    vault = aws.client("secretsmanager")
    login = str(vault.create_secret(Name="shop-prod/database/main/login")["ARN"])
    master = str(vault.create_secret(Name="shop-prod/database/main", SecretString=json.dumps(MASTER))["ARN"])
    outputs = {
        "Endpoint": "127.0.0.1", "Port": str(server.port), "SecretArn": master, "LoginArn": login, "InstanceId": "db-1",
    }  # fmt: skip
    made = Site(server, aws, login, outputs)
    asked = Server.ask

    def ask(own: Server, statements: str, database: str = "postgres") -> list[list[str]]:
        words = {"CREATE ROLE": "make", "REASSIGN": "hand over", "current_user": "prove"}
        for word, name in words.items():
            if word in statements:
                made.step(name)
        return asked(own, statements, database)

    monkeypatch.setattr(Server, "ask", ask)
    yield made
    server.sql("DROP DATABASE IF EXISTS site WITH (FORCE)")
    server.sql("ALTER DATABASE postgres OWNER TO clerk")
    for role in ("clerk_a", "clerk_b", "clerk_owner"):
        server.sql(f"DROP ROLE IF EXISTS {role}")


def finished(site: Site, user: str = "clerk_a") -> None:
    """Tasks have a login that does what a site does, and is nobody but the owner."""
    now = site.value()
    assert (now["username"], now["host"], now["dbname"]) == (user, "127.0.0.1", "site")
    assert (now["port"], now["engine"], now["dbInstanceIdentifier"]) == (site.server.port, "postgres", "db-1")
    assert now["password"] != PASSWORD
    assert site.said("CREATE TABLE IF NOT EXISTS visits (id int)")[0] == 0
    assert site.server.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'visits'", "site") == "clerk_owner"


def test_the_site_has_a_login_of_its_own_before_anything_can_read_one(site: Site) -> None:
    result, said = site.go()
    assert (result["changed"], result["missing"], result["masters"]) == (True, ["main"], [])
    assert "clerk_a logs in, and acts as clerk_owner" in said
    assert "tasks log in as clerk_a from now on, not as RDS's master" in said
    finished(site)
    assert site.said("SELECT 1", MASTER) == (0, "1"), "RDS's master keeps its password, which no task has known"


STEPS = ["make", "hand over", "prove", "put"]


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_was_killed_is_finished_by_the_same_command(site: Site, step: str) -> None:
    site.kill = step
    with pytest.raises(Killed):
        site.go()
    with pytest.raises(Exception, match="can't find the specified secret value"):
        site.value()
    site.kill = ""
    assert site.go()[0]["changed"]
    finished(site)


def test_these_are_all_the_steps_and_the_second_run_takes_none(site: Site) -> None:
    site.go()
    assert list(dict.fromkeys(site.done)) == STEPS
    before = site.value()
    site.done.clear()
    result, said = site.go()
    assert (result, said, site.done) == ({"changed": False, "missing": [], "masters": []}, "", [])
    assert site.value() == before


def test_what_a_task_has_gives_no_power_over_the_server(site: Site) -> None:
    """The guard of docs/security.md: whoever breaks into a container has the site's data, and not its server."""
    site.go()
    refused = {
        "CREATE ROLE mine": "permission denied to create role",
        "ALTER ROLE clerk PASSWORD 'mine'": "permission denied",
        "SET ROLE clerk": 'permission denied to set role "clerk"',
        "GRANT rds_superuser TO clerk_a": "must have admin option",
        "SELECT pg_read_file('/etc/passwd')": "permission denied for function pg_read_file",
        f"CREATE EXTENSION {UNTRUSTED}": "permission denied to create extension",
    }
    for statement, words in refused.items():
        code, text = site.said(statement)
        assert code != 0, statement
        assert words in text, statement
    assert site.said("SELECT rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls FROM pg_roles WHERE "
                     "rolname = current_user")[1] == "f"  # fmt: skip
    for statement in (*refused, "RESET ROLE; CREATE ROLE mine"):
        if "EXTENSION" not in statement:
            assert site.said(f"RESET ROLE; {statement}")[0] != 0, "nor as the user itself"
    assert site.said("CREATE SCHEMA more; DROP SCHEMA more")[0] == 0, "what a site does is let through"


def test_an_extension_that_postgresql_trusts_is_the_site_s_to_make(site: Site) -> None:
    site.go()
    assert site.said(f"CREATE EXTENSION {TRUSTED}")[0] == 0
    site.server.sql(f"CREATE EXTENSION {UNTRUSTED}", "site")
    assert site.said(f"CREATE EXTENSION IF NOT EXISTS {UNTRUSTED}")[0] == 0, "one that the master has made is there"


def test_check_mode_and_a_look_say_what_is_missing_and_make_nothing(site: Site) -> None:
    result, said = site.go(check=True)
    assert (result["changed"], result["missing"]) == (True, ["main"])
    assert said == "the site has no login yet: clerk_a would be made there"
    result, said = site.go(hosts=[])
    assert (result["changed"], result["missing"], said) == (False, ["main"], "")
    there, site.outputs = site.outputs, {}
    assert site.go(check=True)[0]["missing"] == ["main"], "on a bare estate, too"
    site.outputs = there
    assert site.done == []
    site.go()
    assert not site.go(check=True)[0]["changed"]


def test_a_site_that_logs_in_as_the_master_goes_on_and_is_told_what_to_type(site: Site) -> None:
    """As a Berth of before has made it: tasks have that login, so it is changed by rotate_secrets, with new tasks."""
    place = {"host": "127.0.0.1", "port": str(site.server.port), "dbname": "site"}
    vault = site.aws.client("secretsmanager")
    vault.put_secret_value(SecretId=site.login, SecretString=json.dumps(MASTER | place))
    for check in (True, False):
        result, said = site.go(check=check)
        assert (result["changed"], result["missing"], result["masters"]) == (False, [], ["main"])
        assert said.startswith(
            "the site logs in as clerk, which is RDS's master, and goes on so. To give it users of its"
        )
        assert said.endswith("rotate_secrets.yml -i <inventory> -e database=main")
    assert site.done == []
    assert site.value()["username"] == "clerk"


@pytest.mark.parametrize("user", ["clerk_a", "clerk_b"])
def test_a_database_that_was_replaced_gets_the_same_user(site: Site, user: str) -> None:
    """One that the site was told to give up: it is empty, and so are its users."""
    value = {"username": user, "password": "of-before", "host": "gone.rds.test", "port": 5432, "dbname": "site"}
    site.aws.client("secretsmanager").put_secret_value(SecretId=site.login, SecretString=json.dumps(value))
    assert site.go(check=True)[1] == f"is another database now: {user} would be made there"
    assert site.go()[0]["changed"]
    finished(site, user)
    assert site.value()["password"] == "of-before", "which its tasks have"  # noqa: S105 # of this test
    assert not site.go()[0]["changed"]


def test_a_host_that_has_just_joined_may_not_let_this_machine_through_yet(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = list[str]()

    paused = Wait.pause

    def pause(own: Wait, what: str) -> bool:
        if what != "a host to lead to the database":
            return paused(own, what)
        refused.append(what)
        monkeypatch.delenv("REFUSED")
        return True

    monkeypatch.setenv("REFUSED", "1")
    monkeypatch.setattr(Wait, "pause", pause)
    assert site.go()[0]["changed"]
    assert refused == ["a host to lead to the database"]
    finished(site)


def test_two_databases_have_a_login_each(site: Site) -> None:
    databases = {
        name: {"stack": f"shop-prod-database-{name}", "dbname": "site", "username": "clerk"}
        for name in ("main", "more")
    }
    result, _ = site.go(databases=databases)
    assert result["missing"] == ["main"], "the other one's secret is the same here, and has it by then"
    assert site.go(databases={})[0] == {"changed": False, "missing": [], "masters": []}


def test_what_is_wrong_is_told_and_nothing_has_a_login(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    vault, master = site.aws.client("secretsmanager"), site.outputs["SecretArn"]
    vault.put_secret_value(SecretId=master, SecretString=json.dumps(MASTER | {"password": "another"}))
    assert "The master user of the database main is refused with the password in its secret" in site.go()[0]["msg"]
    vault.put_secret_value(SecretId=master, SecretString=json.dumps(MASTER))
    site.server.sql("CREATE TABLE foreign_one (id int); GRANT SELECT ON foreign_one TO clerk", "site")
    said = site.go()[0]["msg"]
    assert (
        "The user clerk_a of the database main may not use all that clerk may: public.foreign_one. No task has" in said
    )
    site.server.sql("DROP TABLE foreign_one", "site")
    with monkeypatch.context() as context:
        context.setattr("plugins.plugin_utils.rotation.logins.made", lambda *_: "SELECT nonsense;\n")
        said = site.go()[0]["msg"]
    assert 'The server of the database main did not make the site\'s user: ERROR:  column "nonsense"' in said
    assert said.endswith("No task has its login yet. When that is mended, type the same command again.")
    monkeypatch.setattr(database_login, "NEW_HOST_SECONDS", 0.2)
    monkeypatch.setenv("REFUSED", "1")
    assert "No host leads to the database main at 127.0.0.1" in site.go()[0]["msg"]
    assert "put" not in site.done
    with monkeypatch.context() as context:
        context.setenv("PATH", os.environ["PATH"].split(":")[0])
        assert "This machine has no ssh" not in site.go()[0]["msg"]
        assert "This machine has no psql, by which a database is asked." in site.go()[0]["msg"]

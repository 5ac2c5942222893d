"""Who logs in where is what containers take of databases by reference."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.site.logins import logins
from plugins.plugin_utils.site.reading import read_site

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:reports-AbCdEf"  # noqa: S105 # a name of one
TAKEN = {"DB_USER": "database.main.username", "DB_PASSWORD": "database.main.password"}


def of(container: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    given = {"image": "shop/app", "mem_limit": "96m", **container}
    site = read_site({
        "site_name": "shop", "environment_name": "prod", "domain_name": "www.shop.test",
        "site_services": {"web": {"containers": {"app": given, **more}}},
        "site_databases": {
            "main": {"name": "orders"},
            "reports": {"endpoint": "reports.test", "port": 6543, "name": "numbers", "secret_arn": SECRET},
        },
    })  # fmt: skip
    assert not site.problems, [str(each) for each in site.problems]
    return logins(site)


@pytest.mark.parametrize("where", ["environment", "secrets"])
def test_each_variable_by_which_a_container_knows_a_database(where: str) -> None:
    host = {"DB_HOST": {"from": "database.main.host"}} if where == "environment" else {}
    taken = TAKEN | ({} if host else {"DB_HOST": "database.main.host"})
    (found,) = of({"environment": host, "secrets": taken})
    assert found == {
        "service": "web", "container": "app", "database": "main", "known": {"dbname": "orders"},
        "variables": {"host": "DB_HOST", "username": "DB_USER", "password": "DB_PASSWORD"},
    }  # fmt: skip


def test_of_a_database_elsewhere_the_inventory_knows_the_address() -> None:
    taken = {"USER": "database.reports.username", "PASSWORD": "database.reports.password"}
    (found,) = of({"secrets": {f"R_{name}": value for name, value in taken.items()}})
    assert found["known"] == {"host": "reports.test", "port": "6543", "dbname": "numbers"}


def test_who_takes_no_password_does_not_log_in_by_reference() -> None:
    assert of({"environment": {"DB_HOST": {"from": "database.main.host"}}}) == []


def test_a_copy_logs_in_too() -> None:
    found = of({"secrets": TAKEN}, worker={"like": "web.app", "command": ["work"]})
    assert [each["container"] for each in found] == ["app", "worker"]

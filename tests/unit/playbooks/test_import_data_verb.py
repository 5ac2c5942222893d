"""The verb import_data: what is meant, what is refused before anything is done, and what it leaves in the ledger."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.ledger_support import a_host, a_ledger
from tests.unit.plugin_support import environment, shell
from tests.unit.plugins.action.test_volume_import import DOCKER, SSH
from tests.unit.variables_support import PROJECT, evaluate, refusal, tasks_of, variables

TASKS = tasks_of("playbooks/import_data.yml")
CONTAINER = {"image": "shop/web", "mem_limit": "64m", "ports": ["8000"]}
SITE: dict[str, Any] = {
    "site_services": {
        "web": {
            "containers": {
                "app": CONTAINER | {"volumes": ["uploads:/srv/uploads"]},
                "proxy": CONTAINER | {"volumes": ["uploads:/srv/uploads:ro"]},
            },
            "routes": [{"to": "app", "health": "/"}],
        }
    },
    "site_volumes": {"uploads": {}},
    "site_databases": {"main": {}},
}
MORE = CONTAINER | {"volumes": ["seen:/srv/seen:ro", "scratch:/tmp/scratch"]}
TWO: dict[str, Any] = {
    "site_services": SITE["site_services"] | {"worker": {"containers": {"more": MORE}}},
    "site_volumes": {"uploads": {}, "seen": {}, "scratch": {"driver": "task"}},
}


def known(site: dict[str, Any] = SITE, **typed: Any) -> dict[str, Any]:
    files = ("playbooks/vars/tunnel.yml", "playbooks/vars/import_data.yml")
    return variables(*files, **site) | {"site_prefix": "shop-prod"} | typed


def refused(task: str, site: dict[str, Any] = SITE, **typed: Any) -> str:
    """What an assert says; empty where it holds."""
    return refusal(TASKS[task], known(site, **typed))


NONE = {"site_services": {"web": {"containers": {"app": CONTAINER}}}}
VOLUME = "Refuse a volume that the site has not, or that no service writes to"


def test_the_only_volume_is_meant_and_the_containers_that_write_to_it() -> None:
    assert evaluate("{{ import_data_volume }}", known(folder="old")) == "uploads"
    assert evaluate("{{ import_data_writers }}", known(folder="old")) == [
        {"task": "web", "container": "web.app", "path": "/srv/uploads"}
    ]
    assert refused(VOLUME, folder="old") == ""
    assert refused(VOLUME, TWO, folder="old", volume="uploads") == ""


@pytest.mark.parametrize(
    ("site", "typed", "said"),
    [
        (
            NONE,
            {},
            "This site has no volume: site_volumes is empty",
        ),
        (TWO, {}, "Name the volume (uploads, seen): ansible-playbook import_data.yml"),
        (
            SITE,
            {"volume": "uplaods"},
            "There is no volume uplaods in site_volumes (uploads): ansible-playbook import_data.yml",
        ),
        (TWO, {"volume": "seen"}, "No container of a service mounts the volume seen to write to it, so nothing leads"),
        (TWO, {"volume": "scratch"}, "There is no volume scratch in site_volumes (uploads, seen)"),
    ],
)
def test_a_volume_that_is_not_meant_is_refused(site: dict[str, Any], typed: dict[str, str], said: str) -> None:
    assert refused(VOLUME, site, folder="old", **typed).startswith(said)


def test_who_names_nothing_is_told_what_to_name() -> None:
    task = "Refuse a run that is told nothing to bring over"
    assert "-e folder=<folder with uploads> -e volume=uploads" in refused(task)
    assert refused(task, folder="old") == ""


@pytest.mark.parametrize(
    ("site", "typed", "said"),
    [
        (NONE, {}, "This site has no database: site_databases is empty."),
        (SITE | {"site_databases": {"main": {}, "more": {}}}, {}, "Name the database (main, more): ansible-playbook"),
        (SITE, {"database": "mian"}, "The site has no database mian (main): ansible-playbook import_data.yml"),
    ],
)
def test_a_database_that_is_not_meant_is_refused(site: dict[str, Any], typed: dict[str, str], said: str) -> None:
    task = "Refuse a database that the site has not"
    assert refused(task, site, dump="old.dump", **typed).startswith(said)
    assert refused(task, site, folder="old", **typed) == "", "it is not asked for"
    assert refused(task, dump="old.dump") == ""


def test_hosts_that_let_no_port_through_are_told_where_a_database_is_meant() -> None:
    task = "Refuse hosts that let no port through"
    assert "host_access_forwarding is none" in refused(task, dump="old.dump", host_access_forwarding="none")
    assert refused(task, folder="old", host_access_forwarding="none") == ""
    assert refused(task, dump="old.dump", host_access_forwarding="none", host_access_session_manager=True) == ""
    assert refused(task, dump="old.dump") == ""


def test_the_database_is_asked_for_as_the_inventory_has_it() -> None:
    task = tasks_of("playbooks/tasks/import_database.yml")["Restore the dump beside the database, and switch"]
    there = known(SITE | {"site_databases": {"main": {"name": "shop"}}}, dump="old.dump", confirm="prod")
    there |= {"groups": {"ecs_hosts": ["i-0a"]}, "hostvars": {"i-0a": {"inventory_hostname": "i-0a"}}}
    assert {name: evaluate(value, there) for name, value in task["database_import"].items()} == {
        "database": "main", "dump": "old.dump", "confirm": "prod", "wanted": "prod", "overwrite": False,
        "stack": "shop-prod-database-main", "address": "", "to_port": 5432, "secret": "", "dbname": "shop",
        "hosts": [{"name": "i-0a", "address": "i-0a", "user": "ec2-user", "key_file": "", "options": ""}],
        "session_manager": False, "region": "us-east-1",
    }  # fmt: skip


def test_a_site_in_use_is_refused_unless_its_visitors_are_kept_out() -> None:
    task = "Refuse a site that may be in use"
    assert refused(task, import_data_page={"on": True}) == ""
    assert refused(task, in_use="false", import_data_page={"skipped": True}) == ""
    said = refused(task, import_data_page={"on": False})
    assert "maintenance.yml" in said
    assert "-e in_use=false" in said


class Site:
    """A site with a host and a ledger, and this machine in the place of the host."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.prefix, self.ledger = a_ledger(cloud)
        self.folder, self._cloud = folder, cloud
        self._inventory = folder / self.prefix.removeprefix("shop-")
        a_host(cloud, self.prefix)
        (self._inventory / "group_vars/site").mkdir(parents=True)
        (self._inventory / "environment.yml").write_text(
            yaml.safe_dump({
                "plugin": "environment", "site_name": "shop", "aws_region": "us-east-1", "set": environment(cloud),
            })
        )  # fmt: skip
        volume = str(folder / "volume")
        told = yaml.safe_dump(SITE | {"domain_name": "shop.test", "hosted_zone_id": ""}).replace("/srv/uploads", volume)
        (self._inventory / "group_vars/site/main.yml").write_text(told)
        (folder / "bin").mkdir()
        for name, script in {"ssh": SSH, "docker": DOCKER}.items():
            (folder / "bin" / name).write_text(script)
            (folder / "bin" / name).chmod(0o755)
        (folder / "volume").mkdir()
        (folder / "old").mkdir()

    def type(self, *options: str) -> tuple[int, str]:
        """Exit code, and what was shown in one line."""
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        program = str(Path(sys.executable).parent / "ansible-playbook")
        done = subprocess.run(
            [program, "import_data.yml", "-i", str(self._inventory), *options],
            cwd=PROJECT, env=shell(environment(self._cloud) | {"PATH": path, "LOG": str(self.folder / "log")}),
            capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture
def site(aws: Cloud, tmp_path: Path) -> Site:
    return Site(aws, tmp_path)


@pytest.mark.playbook
def test_files_come_over_and_the_ledger_says_so(site: Site) -> None:
    (site.folder / "old/harbour.png").write_text("PNG")
    typed = ("-e", f"folder={site.folder}/old")
    code, shown = site.type(*typed)
    assert code == 2, shown
    assert "Nothing was brought over. Keep them out" in shown
    code, shown = site.type(*typed, "-e", "in_use=false", "--check")
    assert code == 0, shown
    assert "not brought over in check mode: 1 of 1 files would come to the volume uploads." in shown
    assert list((site.folder / "volume").iterdir()) == []
    code, shown = site.type(*typed, "-e", "in_use=false")
    assert code == 0, shown
    assert "1 of 1 files came to the volume uploads; each of the folder is there, with the same checksum." in shown
    assert (site.folder / "volume/harbour.png").read_text() == "PNG"
    entries = site.ledger.entries()
    assert [(entry["verb"], entry["outcome"]) for entry in entries] == [
        ("import_data", "good"),
        ("import_data", "failed"),
    ]
    assert entries[0]["files"] == {"volume": "uploads", "files": 1, "bytes": 3, "sent": 1, "replaced": 0}
    assert site.ledger.lock.read() is None

"""Which names an inventory brings up an environment of, and what of the inventory is not theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.filter.previews import anonymise_problems, data_that_exists
from plugins.plugin_utils.places import PREVIEW_VARIABLE, verb
from plugins.plugin_utils.previews import of_folders, refusal, take, tell, variables
from plugins.plugin_utils.ways import refusal as refusal_of_way

FILE = Path("inventories/test/environment.yml")
OTHERS = {"prod": Path("inventories/prod")}


def refused(name: str, allowed: bool = True) -> str:
    return refusal(name, "test", allowed, FILE, OTHERS)


@pytest.mark.parametrize("name", ["pr7", "a", "abcdefghij12"])
def test_a_name_that_fits_passes_where_it_is_allowed(name: str) -> None:
    assert refused(name) == ""
    assert "inventories/test/environment.yml is of the environment test alone." in refused(name, allowed=False)
    assert refused(name, allowed=False).endswith("write there: preview_environments: true")


@pytest.mark.parametrize(
    ("name", "better"),
    [("PR-7", "pr7"), ("feature/login-page", "featureloginp"[:12]), ("7", "pr7"), ("", "pr7"), ("pr7\n", "pr7"),
     ("abcdefghij123", "abcdefghij12"), ("pr_7", "pr7")],
)  # fmt: skip
def test_a_name_that_does_not_is_refused_with_one_that_does(name: str, better: str) -> None:
    assert refused(name).endswith(f" Type for example -e environment={better}")
    assert refused(better) == ""


def test_the_inventorys_own_name_is_no_other_environment() -> None:
    assert refused("test", allowed=False) == ""


def test_an_environment_with_an_inventory_of_its_own_is_refused() -> None:
    assert refused("prod") == (
        "-e environment=prod: prod has an inventory of its own, and test's must not change what is made from that. "
        "Type the verb with -i inventories/prod"
    )


def test_environments_of_the_same_site_are_found_where_their_inventories_lie(tmp_path: Path) -> None:
    for folder, given in {
        "live": {"site_name": "shop"},
        "blue": {"site_name": "shop", "environment_name": "green"},
        "other": {"site_name": "mill"},
    }.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "environment.yml").write_text(yaml.safe_dump({"plugin": "environment", **given}))
    (tmp_path / "live/hosts.yml").write_text("all: {}\n")
    found = of_folders([tmp_path], "shop", lambda path: yaml.safe_load(Path(path).read_text()))
    assert found == {"live": tmp_path / "live", "green": tmp_path / "blue"}


def test_the_argument_is_taken_out_of_what_ansible_warns_of_and_found_again() -> None:
    typed: dict[str, Any] = {"environment": 7, "confirm": "x"}
    assert take(typed) == "7"
    assert "environment" not in typed
    assert take(typed) == "7"
    assert take({"confirm": "x"}) is None


def test_names_get_the_environments_in_front_unless_it_is_written_into_them() -> None:
    aliases = ["static.acme.io", {"name": "acme.dev", "hosted_zone_id": "Z1"}, "*.acme.io", 5]
    made = variables("pr7", {"domain_name": "test.acme.io", "domain_aliases": aliases})
    assert made["domain_name"] == "pr7.test.acme.io"
    assert made["domain_aliases"] == [
        "pr7.static.acme.io", {"name": "pr7.acme.dev", "hosted_zone_id": "Z1"}, "*.pr7.acme.io", 5,
    ]  # fmt: skip
    for own in ("{{ environment_name }}.acme.io", "{{ site_prefix }}.acme.io"):
        assert variables("pr7", {"domain_name": own})["domain_name"] == own
    assert "domain_name" not in variables("pr7", {})
    kept = variables("pr7", {"ledger_bucket": "acme-ledger"})
    assert (kept["ledger_bucket"], kept["preview_of_ledger_bucket"]) == ("", "acme-ledger"), "its backups are read"
    assert variables("pr7", {})["preview_of_ledger_bucket"] == ""
    assert variables("pr7", {})["ledger_bucket"] == ""


def test_what_is_to_be_typed_names_the_environment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible.context.CLIARGS", {"inventory": ["inventories/test"]})
    monkeypatch.setenv(PREVIEW_VARIABLE, "stray")
    tell("")
    assert verb("status.yml").endswith("status.yml -i inventories/test")
    tell("pr7")
    try:
        assert verb("status.yml").endswith("status.yml -i inventories/test -e environment=pr7")
    finally:
        tell("")


def test_what_is_to_be_typed_in_the_place_of_half_a_verb_names_it_too() -> None:
    options = {"args": ["site.yml"], "inventory": ["inventories/test"], "tags": ["x"]}
    assert refusal_of_way(options, ["roles"]).endswith("site.yml -i inventories/test")
    typed = {**options, "extra_vars": ["confirm=x environment=pr7"]}
    assert refusal_of_way(typed, ["roles"]).endswith("site.yml -i inventories/test -e environment=pr7")


def test_data_that_a_site_names_and_does_not_make_is_found() -> None:
    nouns = {
        "site_volumes": {"media": {"file_system_id": "fs-0123456789abcdef0"}, "own": {"uid": 5}, "odd": 5},
        "site_databases": {"main": {"endpoint": "db.acme.io"}, "own": {"name": "shop"}},
        "site_buckets": {"papers": {"name": "acme-papers"}, "own": {}},
        "site_tables": 5,
    }
    assert data_that_exists(nouns) == [
        "site_volumes.media.file_system_id", "site_databases.main.endpoint", "site_buckets.papers.name",
    ]  # fmt: skip


JOBS = {"anonymise": {"run": "by_hand"}, "clean": {"schedule": "0 3 * * *"}, "migrate": {"run": "before_release"}}


@pytest.mark.parametrize(
    ("name", "jobs", "said"),
    [
        ("", JOBS, ""),
        ("anonymise", JOBS, ""),
        ("anonymise", 5, ""),
        ("anonymize", JOBS, "is anonymize, and site_jobs has no such job; did you mean anonymise? Write it there"),
        ("anonymise", {}, "is anonymise, and site_jobs has no such job. Write it there, or take the line out."),
        ("clean", JOBS, "is clean, which is not of those that run by hand: it would also run by itself in the"),
        ("migrate", JOBS, "Write run: by_hand into site_jobs.migrate."),
        ("bare", {"bare": {}}, "Write run: by_hand into site_jobs.bare."),
    ],
)
def test_the_job_that_anonymises_is_one_that_runs_by_hand(name: str, jobs: Any, said: str) -> None:
    problems = anonymise_problems(name, jobs)
    assert bool(problems) == bool(said)
    assert said in " ".join(problems)

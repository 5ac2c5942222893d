"""The lookup `site`: what templates are told of a noun, and what is said of a description that is wrong."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.template import Templar, trust_as_template

from plugins.action import check_variables
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.site import kept
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.reading import read_site
from tests.unit.docs.test_noun_readmes import described
from tests.unit.noun_support import plugins_known
from tests.unit.plugin_support import run_action

IMAGES = {"shop/web": "registry.test/shop-web:5"}
GIVEN: dict[str, Any] = {
    "site_name": "shop",
    "environment_name": "unit",
    "domain_name": "www.shop.test",
    "site_services": {
        "web": {
            "containers": {
                "web": {
                    "image": "shop/web",
                    "mem_limit": "256m",
                    "ports": ["8000"],
                    "volumes": ["media:/srv/media"],
                    "secrets": {"KEY": "secret.app.key", "DB_PASSWORD": "database.main.password"},
                }
            },
            "routes": [{"to": "web", "health": "/healthz"}],
            "uses": {"bucket.uploads": ["read"]},
        }
    },
    "site_jobs": {"migrate": {"like": "web.web", "command": "migrate", "run": "before_release", "mem_limit": "64m"}},
    "site_volumes": {"media": {"uid": 7}},
    "site_databases": {"main": None},
    "site_buckets": {"uploads": {}},
    "site_secrets": {"app": {"generate": ["key"]}},
    "site_static": {"front": {"folder": "front/dist"}, "docs": {"image": "shop/web", "path": "/srv/docs"}},
    "site_functions": {
        "hello": {
            "code": "functions/hello", "handler": "app.handler", "runtime": "python3.13", "routes": "$default",
            "environment": {"BUCKET": {"from": "bucket.uploads.name"}}, "secrets": {"KEY": "secret.app.key"},
        }
    },
}  # fmt: skip
GIVEN |= {each.variable: described(noun) for noun, each in NOUNS.items() if each.variable not in GIVEN}
ARGUMENTS = "images=images, region='eu-west-1', log_options={'mode': 'blocking'}"


def asked(terms: str, **more: Any) -> Any:
    """What `lookup('site', …)` is in a template."""
    plugins_known()
    templar = Templar(None, {"images": IMAGES, **GIVEN, **more})
    return templar.template(trust_as_template(f"{{{{ lookup('site', {terms}) }}}}"))


@pytest.mark.parametrize("noun", NOUNS)
def test_each_noun_has_its_entries_which_a_template_can_read(noun: str) -> None:
    entries = asked(f"'{noun}', {ARGUMENTS}")
    assert list(entries) == list(GIVEN[NOUNS[noun].variable])
    assert json.loads(json.dumps(entries)) == entries


def test_what_holds_data_says_what_is_left_out() -> None:
    assert asked("'database'")["main"]["class"] == "db.t3.micro"
    assert asked("'volume'")["media"] == {
        "entry": "media", "driver": "efs", "uid": 7, "gid": 7, "mode": "0755", "file_system_id": "", "patch": {},
        "kms_key_arn": "", "tls_only": False,
    }  # fmt: skip
    assert asked("'bucket'")["uploads"]["old_versions_days"] == 90
    assert asked("'secret'")["app"]["generate"] == ["key"]


def test_a_task_is_told_of_its_images_region_and_logs() -> None:
    service, job = asked(f"'service', {ARGUMENTS}")["web"], asked(f"'job', {ARGUMENTS}")["migrate"]
    for found, stream in ((service, "web"), (job, "migrate")):
        (container,) = found["containers"]
        assert container["Image"] == "registry.test/shop-web:5"
        assert container["LogConfiguration"]["Options"] == {
            "awslogs-group": {"Ref": "LogGroup"}, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": stream,
            "mode": "blocking",
        }  # fmt: skip
        assert found["takes"]["DatabaseMainSecretArn"] == "database.main.SecretArn"
    assert (service["memory"], job["memory"]) == (256, 64)
    assert (job["run"], service["routes"][0]["health"]) == ("before_release", "/healthz")


def test_an_image_that_is_not_published_is_run_as_it_is_called() -> None:
    """As a site that is taken down, or only looked at, knows no registry."""
    (container,) = asked("'service'")["web"]["containers"]
    assert container["Image"] == "shop/web"


def test_images_and_memory_are_told_too() -> None:
    assert asked("'image'") == {"shop-web": {"name": "shop/web", "written": ["shop/web"]}}
    assert asked("'memory'") == [256, 256]


def test_several_nouns_at_once() -> None:
    plugins_known()
    templar = Templar(None, GIVEN)
    found = templar.template(trust_as_template("{{ query('site', 'volume', 'bucket') }}"))
    assert [list(each) for each in found] == [["media"], ["uploads"]]


def test_values_that_are_templates_are_rendered_first() -> None:
    volumes = {"media": {"uid": trust_as_template("{{ owner }}")}}
    assert asked("'volume'", owner=33, site_volumes=volumes)["media"]["uid"] == 33


def test_a_wrong_description_is_refused_with_all_that_is_wrong() -> None:
    wrong = {"site_volumes": {"media": {"uuid": 7}}, "site_databases": {"main": {"engine": "mysql"}}}
    with pytest.raises(AnsibleError) as caught:
        asked("'bucket'", **wrong)
    said = str(caught.value)
    assert "The site is not described right." in said
    assert "site_volumes.media" in said
    assert "uid" in said
    assert "site_databases.main.engine" in said
    assert "preflight.yml" in said
    assert asked("'bucket'")


def test_a_noun_that_is_none_is_told_which_there_are() -> None:
    with pytest.raises(
        AnsibleError,
        match=r"cache is no noun of a site; there are .*service.*, image, edge, waf, domain, memory, entries\.",
    ):
        asked("'cache'")


ALIASES = ["shop.test", "api.shop.test", "*.shop.test", {"name": "shop.example", "hosted_zone_id": "Z2"}]


def domains(**more: Any) -> Any:
    return asked("'domain'", **{"domain_aliases": ALIASES, "hosted_zone_id": "Z1", **more})


def routed(*hosts: str) -> dict[str, Any]:
    """A site with a route for these hosts beside the one for all."""
    web = GIVEN["site_services"]["web"]
    routes = [{"to": "web", "host": host, "health": "/healthz"} for host in hosts]
    return {"site_services": {"web": web | {"routes": web["routes"] + routes}}}


def test_the_names_are_told_the_first_before_the_others_each_with_its_zone() -> None:
    found = domains()
    assert {name: each["hosted_zone_id"] for name, each in found.items()} == {
        "www.shop.test": "Z1", "shop.test": "Z1", "api.shop.test": "Z1", "*.shop.test": "Z1", "shop.example": "Z2",
    }  # fmt: skip
    assert next(iter(found)) == "www.shop.test"
    assert [(each["key"], each["zone_key"]) for each in found.values()][-2:] == [
        ("domain_aliases[2]", "hosted_zone_id"), ("domain_aliases[3]", "domain_aliases[3].hosted_zone_id"),
    ]  # fmt: skip
    assert list(domains(domain_aliases=[])) == ["www.shop.test"]


def redirected(**more: Any) -> list[str]:
    return [name for name, each in domains(**more).items() if each["redirected"]]


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        ([], ["shop.test", "api.shop.test", "shop.example"]),
        (["www.shop.test"], ["shop.test", "api.shop.test", "shop.example"]),
        (["api.shop.test"], ["shop.test", "shop.example"]),
        (["*.shop.test"], ["shop.test", "shop.example"]),
    ],
)
def test_a_name_leads_to_the_first_unless_a_route_takes_it(hosts: list[str], names: list[str]) -> None:
    assert redirected(**routed(*hosts)) == names


def test_a_wildcard_shares_the_record_of_the_name_below_which_it_is() -> None:
    assert [name for name, each in domains().items() if each["shares_record"]] == ["*.shop.test"]
    assert not domains(domain_aliases=["*.shop.test"])["*.shop.test"]["shares_record"]


def test_a_name_keeps_its_logical_id_and_no_two_have_one() -> None:
    alike = ["a-b.test", "ab.test", "a.b.test", "*.b.test", "any.b.test"]
    ids = {name: each["logical_id"] for name, each in domains(domain_aliases=alike).items()}
    assert len(set(ids.values())) == 6
    assert all(each.isalnum() for each in ids.values())
    less = domains(domain_name="a.b.test", domain_aliases=["any.b.test", "www.shop.test"])
    assert {name: each["logical_id"] for name, each in less.items()}.items() <= ids.items()


def test_names_are_told_where_no_service_is_known_yet_and_not_where_something_is_wrong() -> None:
    nothing: dict[str, Any] = {name: {} for name in ("site_services", "site_jobs", "site_volumes")}
    assert list(domains(**nothing))[:2] == ["www.shop.test", "shop.test"]
    with pytest.raises(AnsibleError, match=r"domain_aliases\[0\]: is 'shop', no host name"):
        domains(domain_aliases=["shop"])
    with pytest.raises(AnsibleError, match="a site runs something"):
        asked("'service'", **nothing)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the site was read of, each time."""
    found: list[Any] = []

    def counted(given: Any) -> Any:
        found.append(given)
        return read_site(given)

    monkeypatch.setattr("plugins.plugin_utils.site.kept.read_site", counted)
    return found


def test_a_site_is_read_once_while_it_is_kept_and_other_variables_are_another_site(read: list[Any]) -> None:
    with kept.keeping():
        assert asked("'volume'") == asked("'volume'")
        assert len(read) == 1
        assert asked("'volume'", site_name="other")
        assert [given["site_name"] for given in read] == ["shop", "other"]
    asked("'volume'")
    asked("'volume'")
    assert len(read) == 4, "outside of a task nobody knows what changes"


def test_a_template_reads_it_once_and_sees_any_variable_that_is_another(read: list[Any]) -> None:
    plugins_known()
    twice = trust_as_template("{{ [lookup('site', 'bucket'), lookup('site', 'bucket')] }}")
    known: dict[str, Any] = {**GIVEN, "twice": twice}
    templar = Templar(None, known)

    def names(template: str = "{{ twice + twice }}") -> list[list[str]]:
        return [list(each) for each in templar.template(trust_as_template(template))]

    assert names() == [["uploads"]] * 4
    assert len(read) == 1
    known["site_buckets"] = {"photos": {}, "uploads": {}}
    assert names() == [["photos", "uploads"]] * 4
    assert len(read) == 2
    known["site_buckets"] = trust_as_template("{{ {item: {}, 'uploads': {}} }}")
    for item in ("one", "two"):
        known["item"] = item
        assert names() == [[item, "uploads"]] * 4, "as in a loop"
    assert len(read) == 4
    del known["item"]
    known["things"] = "three"
    with pytest.raises(AnsibleError, match="'item' is undefined"):
        names()
    templar.available_variables = {**known, "item": "one"}
    assert names() == [["one", "uploads"]] * 4
    assert len(read) == 5, "another task's"


class Twice(AwsAction):
    """A task that looks the site up twice."""

    DOCUMENTATION = "options: {}"

    def perform(self) -> dict[str, Any]:
        asked("'volume'")
        asked("'volume'")
        return {"changed": False}


class CheckedTwice(check_variables.ActionModule):
    """The same of the task that checks the variables."""

    def _environment(self) -> check_variables.Wrong:
        asked("'volume'")
        asked("'volume'")
        return check_variables.Wrong("-i", "no more is wanted.")


@pytest.mark.parametrize("action", [Twice, CheckedTwice])
def test_a_task_keeps_the_site_while_it_runs(read: list[Any], action: type) -> None:
    run_action(SimpleNamespace(ActionModule=action), {})
    assert len(read) == 1
    run_action(SimpleNamespace(ActionModule=action), {})
    assert len(read) == 2

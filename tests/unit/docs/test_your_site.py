"""docs/your-site.md says what is true: its examples are right sites, its names and numbers are the templates'."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.reading import VARIABLES, read_site

PROJECT = Path(__file__).resolve().parents[3]
PAGE = (PROJECT / "docs/your-site.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
(NAMES,) = [block for block in EXAMPLES if block.startswith("domain_name:")]
BLOCKS = [block for block in EXAMPLES if block != NAMES]
IDENTITY = {
    "site_name": "shop", "environment_name": "prod", "domain_name": "www.acme.io", "host_instance_type": "t3.micro",
}  # fmt: skip


def site(place: int) -> Site:
    return read_site(IDENTITY | yaml.safe_load(BLOCKS[place]))


@pytest.mark.parametrize("place", range(len(BLOCKS)), ids=lambda place: BLOCKS[place].split(":")[0] + str(place))
def test_each_example_is_a_whole_site_that_is_right(place: int) -> None:
    assert [str(problem) for problem in site(place).problems] == []


def test_every_noun_is_in_the_list_and_in_an_example() -> None:
    listed = set(re.findall(r"^\| `(site_\w+)` \|", PAGE, re.MULTILINE))
    assert (
        listed
        == {*(noun.variable for noun in NOUNS.values()), "site_hosts", "site_edge", "site_backups", "site_waf"}
        <= set(VARIABLES)
    )
    assert listed == {name for block in BLOCKS for name in yaml.safe_load(block)}


def test_the_names_are_right_and_lead_to_the_first_but_for_the_one_that_has_a_route() -> None:
    given = IDENTITY | yaml.safe_load(BLOCKS[0]) | yaml.safe_load(NAMES)
    given["site_services"]["web"]["routes"].append({"to": "proxy", "health": "/healthz", "host": "api.acme.io"})
    made = read_site(given)
    assert [str(problem) for problem in made.problems] == []
    assert [name for name, each in made.domains.items() if each["redirected"]] == ["acme.io", "acme.de"]
    assert made.domains["acme.de"]["hosted_zone_id"] == "Z0ACMEDE"


def test_an_image_with_a_registry_is_not_published() -> None:
    assert set(site(0).images) == {"shop-app"}


def test_what_references_can_ask_for_is_what_entries_have() -> None:
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.+) \|$", PAGE, re.MULTILINE))

    def told(entry: str) -> set[str]:
        return set(re.findall(r"`(\w+)`", rows[entry])) - {"secrets", "expose"}

    read = {f"{noun}.{entry}": set(made.attributes(noun, entry)) for made, noun, entry in (
        (site(0), "database", "main"), (site(3), "bucket", "uploads"), (site(5), "service", "redis"),
        (site(6), "table", "items"), (site(7), "function", "hello"), (site(8), "static", "front"),
    )}  # fmt: skip
    assert {entry: told(entry) for entry in read} == read
    assert site(2).attributes("secret", "smtp").keys() == told("secret.app") == {"value"}


@pytest.mark.parametrize(
    ("key", "more"),
    [("build", "."), ("restart", "always"), ("networks", ["x"]), ("env_file", ".env")],
)
def test_what_is_said_not_to_be_there_is_refused_with_what_to_write(key: str, more: Any) -> None:
    given = yaml.safe_load(BLOCKS[0])
    given["site_services"]["web"]["containers"]["app"][key] = more
    (problem,) = read_site(IDENTITY | given).problems
    assert problem.subject == f"site_services.web.containers.app.{key}"
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"DB_PASSWORD": "geheim"}},
        {"volumes": ["/srv/uploads:/srv/uploads"]},
        {"mem_limit": None},
        {"healthcheck": None},
    ],
    ids=["a password in clear", "a folder of the host", "no mem_limit", "the image's own health check"],
)
def test_what_the_page_says_is_needed_is_needed(change: dict[str, Any]) -> None:
    given = yaml.safe_load(BLOCKS[0])
    app = given["site_services"]["web"]["containers"]["app"]
    for name, value in change.items():
        app.pop(name) if value is None else app.update({name: value})
    assert read_site(IDENTITY | given).problems != []


def test_a_line_of_a_crontab_and_of_a_server_s_routes_can_be_said() -> None:
    given = yaml.safe_load(BLOCKS[0])
    (line,) = re.findall(r"`(routes: .+?)`", PAGE[PAGE.index("hand-kept") :])
    given["site_services"]["web"] |= yaml.safe_load(line)
    read = read_site(IDENTITY | given)
    assert [str(problem) for problem in read.problems] == []
    everything, api = read.services["web"].routes
    assert api.priority < everything.priority, "which says more is asked first"
    assert site(5).jobs["clearsessions"].schedule == "cron(0 3 * * ? *)"


def test_a_job_takes_from_its_container_what_the_page_says() -> None:
    read = site(0)
    given = yaml.safe_load(BLOCKS[0]) | {"site_jobs": {"check": {"like": "web.app", "command": ["true"]}}}
    job, app = read_site(IDENTITY | given).jobs["check"].container, read.services["web"].containers["app"]
    for name in ("image", "mem_limit", "environment", "secrets", "volumes"):
        assert getattr(job, name) == getattr(app, name)
    assert (job.ports, job.links, job.depends_on, job.healthcheck) == ((), (), {}, None)


def test_names_and_numbers_are_those_of_the_templates() -> None:
    service = (PROJECT / "cloudformation/service.yml").read_text()
    assert "HealthCheckIntervalSeconds: 10" in service
    assert 'Matcher: {HttpCode: "200"}' in service
    assert "every 10 seconds" in PAGE
    for noun in ("service", "job"):
        group = f"/${{SiteName}}/${{EnvironmentName}}/{noun}/${{EntryName}}"
        assert f'LogGroupName: !Sub "{group}"' in (PROJECT / f"cloudformation/{noun}.yml").read_text()
        assert f"`/<site_name>/<environment_name>/{noun}/<{noun}>`" in PAGE
    assert '"${SiteName}-${EnvironmentName}/secret/${EntryName}/' in (PROJECT / "cloudformation/secret.yml").read_text()
    assert "Values=<site_name>-<environment_name>/secret/admin/" in PAGE
    assert site(2).entries["secret"]["app"].length == 50
    assert "50 letters and digits" in PAGE
    assert site(1).services["web"].routes[0].health == "/healthz"
    assert site(2).services["web"].routes[0].health == "/"
    assert site(5).attributes("service", "redis")["url"].plain == "redis://redis.shop-prod.internal:6379"


def test_every_file_that_it_names_is_there() -> None:
    for target in re.findall(r"\]\(((?!https:)[^)#]+)\)", PAGE):
        assert (PROJECT / "docs" / target).exists(), target

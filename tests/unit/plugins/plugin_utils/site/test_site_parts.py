"""The parts of the model that stand alone: schedules, rules' numbers, room, order, names, patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.site.cron import NoSchedule, schedule
from plugins.plugin_utils.site.images import entry_of, is_local, name_of
from plugins.plugin_utils.site.names import word
from plugins.plugin_utils.site.patch import patched
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.site.room import at_once, hosts_for, without_place
from plugins.plugin_utils.site.routes import KEPT_MOST, Route, numbered
from tests.unit.plugins.plugin_utils.site.support import read, small
from tests.unit.variables_support import LOADER


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("*/15 * * * *", "cron(0,15,30,45 * * * ? *)"),
        ("30 8-10 * * 1-5", "cron(30 8,9,10 ? * MON,TUE,WED,THU,FRI *)"),
        ("0 0 * * 0", "cron(0 0 ? * SUN *)"),
        ("0 0 * * 7", "cron(0 0 ? * SUN *)"),
        ("0 0 * * sat,Sun", "cron(0 0 ? * SUN,SAT *)"),
        ("5 4 1,15 jan-mar *", "cron(5 4 1,15 1,2,3 ? *)"),
        ("0 0 29 2 *", "cron(0 0 29 2 ? *)"),
        ("*/1 */1 */1 */1 0-7", "cron(* * ? * * *)".replace("? * *", "* * ?")),
        ("@daily", "cron(0 0 * * ? *)"),
        ("rate(5 minutes)", "rate(5 minutes)"),
        ("rate(1 day)", "rate(1 day)"),
    ],
)
def test_cron_as_aws_writes_it(line: str, expression: str) -> None:
    assert schedule(line) == expression


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 3 * *", "five|minute, hour"),
        ("@reboot", "no moment at which a host starts"),
        ("0 24 * * *", "hour is '24'; it may be 0 to 23"),
        ("0 0 31 2,4 *", "never run"),
        ("0 0 30-1 * *", "ends before it begins"),
        ("*/0 * * * *", "1 or more"),
        ("0 0 * * mo", "day of the week"),
        ("rate(1 minutes)", r"rate\(1 minute\)"),
        ("rate(2 hour)", r"rate\(2 hours\)"),
        ("rate(0 minutes)", "no rate"),
        ("at(2026-11-25T00:00:00)", "five fields"),
    ],
)
def test_what_is_no_schedule_says_why(line: str, reason: str) -> None:
    with pytest.raises(NoSchedule, match=reason):
        schedule(line)


def route(*paths: str, host: str = "", priority: int = 0) -> Route:
    return Route("web", 80, (host,) if host else (), paths, "/", priority)


def test_the_more_a_route_says_the_earlier_it_is_asked() -> None:
    said = [
        route("/api/v1", host="a.io"),
        route("/api/*", host="a.io"),
        route(host="a.io"),
        route(host="*.a.io"),
        route("/api/v1"),
        route("/api/v1*"),
        route("/api/*"),
        route("/*"),
        route(),
    ]
    numbers = numbered([("web", each) for each in said])
    order = sorted(said, key=lambda each: numbers["web", each])
    assert order == said
    assert len(set(numbers.values())) == len(said)
    assert all(KEPT_MOST < number < 50_000 for number in numbers.values())


def test_a_route_that_comes_changes_no_other_s_number_and_a_given_one_is_kept() -> None:
    before = numbered([("web", route("/api/*")), ("web", route())])
    after = numbered([("api", route("/other/*", priority=170)), ("web", route()), ("web", route("/api/*"))])
    assert {key: after[key] for key in before} == before
    assert after["api", route("/other/*", priority=170)] == 170


def test_many_routes_of_one_kind_have_a_number_each() -> None:
    numbers = numbered([(f"s{i}", route(f"/{i:04}/*")) for i in range(600)])
    assert len(set(numbers.values())) == 600


def test_routes_for_everything_go_round_behind_the_numbers_of_the_redirects() -> None:
    numbers = set(numbered([(f"s{i}", route()) for i in range(600)]).values())
    assert len(numbers) == 600
    assert min(numbers) == KEPT_MOST + 1, "more than the last numbers hold"


def test_a_route_may_name_any_host_of_the_site() -> None:
    given = small("domain_aliases: [acme.io, '*.shop.io']")
    given["site_services"]["web"]["routes"] = [{"to": "web"}] + [
        {"to": "web", "host": host} for host in ("www.acme.io", "acme.io", "a.shop.io", "*.shop.io")
    ]
    assert len({each.priority for each in read(given).services["web"].routes}) == 5


@pytest.mark.parametrize(
    ("tasks", "hosts"),
    [([], 0), ([0], 0), ([100], 1), ([60, 40, 50, 50], 2), ([51, 51], 2), ([100, 1], 2), ([30] * 7, 3)],
)
def test_how_many_hosts_hold_what(tasks: list[int], hosts: int) -> None:
    assert hosts_for(tasks, 100) == hosts


@pytest.mark.parametrize(
    ("tasks", "hosts", "left"),
    [
        ([256, 256], [700], []),
        ([256, 512, 256], [700, 512], []),  # the largest first: 512 goes where it leaves least
        ([300, 300, 300], [700], [300]),
        ([900], [700, 700], [900]),
        ([0], [], []),
        ([256], [], [256]),
    ],
)
def test_tasks_that_find_no_place_are_left(tasks: list[int], hosts: list[int], left: list[int]) -> None:
    assert without_place(tasks, hosts) == left


def test_what_is_placed_is_taken_off() -> None:
    free = [700, 400]
    assert without_place([300, 200], free) == []
    assert free == [500, 100]


def test_what_may_stand_at_once_is_every_task_and_the_largest_that_comes_beside() -> None:
    sized = "{web: {image: shop/web, mem_limit: %s}}"
    replicas = f"deploy: {{replicas: 2}}, containers: {sized % '256m'}"
    beat = f"deploy: {{update_config: {{order: stop-first}}}}, containers: {sized % '512m'}"
    job = "site_jobs: {m: {image: shop/web, command: x, mem_limit: %s}}"
    services = f"site_services: {{web: {{{replicas}}}, beat: {{{beat}}}}}"

    def asked(text: str) -> list[int]:
        site = read(small(text))
        return at_once(site.services, site.jobs)

    assert asked(services) == [512, 256, 256, 256], "a singleton's new task comes when the old one has gone"
    assert asked(f"{services}\n{job % '300m'}") == [512, 300, 256, 256], "a job runs beside all of them"
    assert asked(f"{services}\n{job % '100m'}") == [512, 256, 256, 256], "one at a time"
    due = "{image: shop/web, command: x, mem_limit: %s, schedule: '%s'}"
    night = f"a: {due % ('200m', '0 3 * * *')}, b: {due % ('50m', '0 3 * * *')}"
    jobs = f"site_jobs: {{{night}, c: {due % ('240m', '0 4 * * *')}}}"
    assert asked(f"{services}\n{jobs}") == [512, 256, 256, 256, 200, 50], "at three two jobs are due, beside a new task"
    scaled = f"site_services: {{web: {{scale: {{max: 3, cpu: 60}}, containers: {sized % '128m'}}}}}"
    assert asked(scaled) == [128] * 2, "at its least"


def test_a_singleton_needs_no_room_beside_itself_and_a_reservation_counts() -> None:
    big = "site_services: {{web: {{containers: {{web: {{mem_limit: 3g{}}}}}{}}}}}\nsite_hosts: {{max: 1}}"
    read(small(big.format("", ", deploy: {update_config: {order: stop-first}}")))
    read(small(big.format(", mem_reservation: 1g", "")))
    (problem,) = read_site(small(big.format("", ""))).problems
    assert "a new task of web beside the old takes 3072m" in problem.sentence


def test_what_is_due_at_once_has_room_beside_a_new_task_as_a_run_without_is_lost() -> None:
    site = (
        "site_services: {web: {containers: {web: {mem_limit: 1g}}}}\nsite_hosts: {max: 1}\n"
        "site_jobs: {a: {image: shop/web, command: x, mem_limit: %s, schedule: '0 3 * * *'}}"
    )
    read(small(site % "1g"))
    (problem,) = read_site(small(site % "2g")).problems
    assert "web beside the old takes 1024m, and what is due at cron(0 3 * * ? *) (a) takes 2048m" in problem.sentence


@pytest.mark.parametrize(("protocol", "taken"), [("udp", False), ("tcp", True)])
def test_a_port_of_the_host_is_another_where_its_protocol_is(protocol: str, taken: bool) -> None:
    """And so is the same port of another container than the one that the load balancer asks."""
    fixed = (
        "site_services:\n  web:\n    deploy: {update_config: {order: stop-first}}\n"
        "    containers: {side: {image: shop/side, mem_limit: 64m, ports: ['53:8000']}}\n"
        "  dns:\n    deploy: {update_config: {order: stop-first}}\n"
        f"    containers: {{dns: {{image: shop/dns, mem_limit: 64m, ports: ['53:53/{protocol}']}}}}"
    )
    told = [problem.sentence for problem in read_site(small(fixed)).problems]
    assert [sentence.partition(". ")[0] for sentence in told] == (
        ["takes port 53 of the host, as web.side does"] if taken else []
    )


def test_the_same_hour_of_two_zones_is_not_at_once() -> None:
    site = (
        "site_services: {web: {containers: {web: {mem_limit: 1g}}}}\nsite_hosts: {max: 1}\n"
        "site_jobs: {a: {image: shop/web, command: x, mem_limit: 1g, schedule: '0 3 * * *'}, "
        "b: {image: shop/web, command: x, mem_limit: 1g, schedule: '0 3 * * *', zone: %s}}"
    )
    read(small(site % "Asia/Tokyo"))
    (problem,) = read_site(small(site % "UTC")).problems
    assert "what is due at cron(0 3 * * ? *) (a, b) takes 2048m" in problem.sentence


def test_a_job_that_fits_to_the_last_mebibyte_passes() -> None:
    site = (
        "site_services: {web: {containers: {web: {mem_limit: 1g}}}}\nsite_hosts: {max: 1}\n"
        "site_jobs: {a: {image: shop/web, command: x, mem_limit: %sm, schedule: '0 3 * * *'}}"
    )
    left = MEMORY - 2 * 1024
    read(small(site % left))
    assert [problem.path for problem in read_site(small(site % (left + 1))).problems] == [("site_hosts",)]


STOPPED = "deploy: {update_config: {order: stop-first}}"
MEMORY = read(small()).hosts.memory


@pytest.mark.parametrize(
    ("containers", "path"),
    [
        ("web: {mem_limit: %sm}", "web.mem_limit"),
        ("web: {mem_limit: 900g, mem_reservation: %sm}", "web.mem_reservation"),
        ("web: {mem_limit: 64m}, side: {image: shop/side, mem_limit: %sm}", ""),
    ],
    ids=["a limit", "a reservation", "two together"],
)
def test_a_task_that_fills_a_host_to_the_last_mebibyte_passes(containers: str, path: str) -> None:
    site = f"site_services: {{web: {{{STOPPED}, containers: {{{containers}}}}}}}\nsite_hosts: {{max: 1}}"
    fits = MEMORY if path else MEMORY - 64
    read(small(site % fits))
    (problem,) = read_site(small(site % (fits + 1))).problems
    assert problem.subject == f"site_services.web.containers.{path}".rstrip(".")
    assert f"about {MEMORY}m for tasks" in problem.sentence


def test_a_type_of_hosts_that_nobody_knows_is_not_judged() -> None:
    given = small("host_instance_type: x9.enormous")
    given["site_services"]["web"]["containers"]["web"]["mem_limit"] = "900g"
    assert read(given).hosts.memory == 0


@pytest.mark.parametrize(
    ("image", "local", "name", "entry"),
    [
        ("legacy/django", True, "legacy/django", "legacy-django"),
        ("shop/web_app:1.2", True, "shop/web_app", "shop-web-app"),
        (f"flask@sha256:{'a' * 64}", True, "flask", "flask"),
        ("7zip", True, "7zip", "image-7zip"),
        ("localhost:5000/a:1", False, "localhost:5000/a", "localhost-5000-a"),
        ("docker.io/library/nginx:1.27", False, "docker.io/library/nginx", "docker-io-library-nginx"),
    ],
)
def test_what_an_image_is_called(image: str, local: bool, name: str, entry: str) -> None:
    assert (is_local(image), name_of(image), entry_of(image)) == (local, name, entry)


def test_the_begin_of_a_parameter() -> None:
    assert word("database.shop-db") == "DatabaseShopDb"


def test_a_patch_goes_into_properties_and_into_a_container_by_its_name() -> None:
    resources: dict[str, Any] = {
        "TaskDefinition": {"Properties": {"ContainerDefinitions": [{"Name": "web"}, {"Name": "side"}]}},
        "Schedule": {"Type": "X"},
    }
    made = patched(
        resources,
        {
            "TaskDefinition.PidMode": "host",
            "TaskDefinition.ContainerDefinitions.side.StartTimeout": 60,
            "Schedule.Target.RetryPolicy": {"MaximumRetryAttempts": 0},
        },
    )
    assert made["TaskDefinition"]["Properties"] == {
        "ContainerDefinitions": [{"Name": "web"}, {"Name": "side", "StartTimeout": 60}],
        "PidMode": "host",
    }
    assert made["Schedule"]["Properties"] == {"Target": {"RetryPolicy": {"MaximumRetryAttempts": 0}}}
    assert "PidMode" not in resources["TaskDefinition"]["Properties"]
    for path in ("Nothing.A", "TaskDefinition.ContainerDefinitions.none.A", "TaskDefinition.ContainerDefinitions.A"):
        with pytest.raises(KeyError) as raised:
            patched(resources, {path: 1})
        assert raised.value.args == (path,)


def test_a_patch_is_made_of_what_yaml_can_write(tmp_path: Path) -> None:
    (tmp_path / "patch.yml").write_text(
        "Role.Policy: {Version: 2012-10-17, At: 2026-01-01T10:00:00Z, 1: yes, n: 7, f: 1.5, s: x, l: [a, {b: null}]}\n"
    )
    given = LOADER.load_from_file(str(tmp_path / "patch.yml"), cache="none")
    made = patched({"Role": {}}, given)["Role"]["Properties"]["Policy"]
    assert yaml.safe_load(yaml.safe_dump(made)) == made == {
        "Version": "2012-10-17", "At": "2026-01-01T10:00:00+00:00", "1": True, "n": 7, "f": 1.5, "s": "x",
        "l": ["a", {"b": None}],
    }  # fmt: skip
    assert [type(each) for each in made.values()] == [str, str, bool, int, float, str, list]

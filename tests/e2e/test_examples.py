"""The example sites from nothing to gone, by inventory alone, each used over HTTPS as its visitors would.

The founding one has a file of its own, test_site.py. The tests of a site build on each other.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.parts.functions import NAME_LABEL
from local_aws.tests.until import until
from tests.e2e import browser
from tests.e2e.conftest import CONFIG, Run, playbook, succeed

pytestmark = pytest.mark.docker

AUTHORITY = CONFIG.state / "ca" / "ca.pem"
PHOTO = PROJECT / "tests/e2e/harbour.png"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


@dataclass(frozen=True)
class Site:
    """One example, on the embedded AWS `test`.

    Attributes:
        example: name of its folder.
        name: the site's.
        inventory: made of the example's own, for `test` in place of `local`.
        cloud: where it is.
    """

    example: str
    name: str
    inventory: Path
    cloud: Cloud

    @property
    def prefix(self) -> str:
        """Begin of its stacks' names."""
        return f"{self.name}-test"

    @property
    def url(self) -> str:
        """As a visitor types it."""
        return f"https://{self.name}.berth.localhost:{CONFIG.https_port}"

    def run(self, verb: str, *arguments: str) -> Run:
        """A verb on this site."""
        return playbook(verb, *arguments, inventory=str(self.inventory))

    def visitor(self) -> Visitor:
        """Somebody with a browser."""
        return Visitor(self.url)

    def secret(self, entry: str) -> dict[str, str]:
        """What is in one of its generated secrets."""
        stack = self.cloud.client("cloudformation").describe_stacks(StackName=f"{self.prefix}-secret-{entry}")
        (output,) = stack["Stacks"][0]["Outputs"]
        text = self.cloud.client("secretsmanager").get_secret_value(SecretId=output["OutputValue"])["SecretString"]
        values: dict[str, str] = json.loads(text)
        return values

    def ages(self, service: str) -> list[tuple[Any, Any]]:
        """When the tasks of a service, also those that have ended, were made and told to stop; the oldest first."""
        ecs = self.cloud.client("ecs")
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=self.prefix, desiredStatus=status)["taskArns"]
        ]
        found = ecs.describe_tasks(cluster=self.prefix, tasks=arns)["tasks"]
        mine = [each for each in found if each["group"].startswith(f"service:{self.prefix}-service-{service}-")]
        return sorted((each["createdAt"], each.get("stoppingAt")) for each in mine)

    def tasks(self) -> dict[str, list[str]]:
        """Family → tasks that run."""
        ecs, found = self.cloud.client("ecs"), dict[str, list[str]]()
        arns = ecs.list_tasks(cluster=self.prefix)["taskArns"]
        for task in ecs.describe_tasks(cluster=self.prefix, tasks=arns)["tasks"] if arns else []:
            family = task["group"].partition(":")[2] if task["group"].startswith("family:") else task["group"]
            found.setdefault(family, []).append(task["taskArn"])
        return found


class Visitor:
    """Keeps cookies, and sends the token that Django's forms carry."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()
        self.session.verify = str(AUTHORITY)
        self.session.trust_env = False  # a CA bundle or a proxy of the shell

    def get(self, path: str, **more: Any) -> requests.Response:
        """A GET; redirects are shown, not followed."""
        return self.session.get(self.url + path, timeout=20, allow_redirects=False, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        """A POST of a form."""
        if token := self.session.cookies.get("csrftoken"):
            more["data"] = {"csrfmiddlewaretoken": token} | more.get("data", {})
        headers = {"Referer": self.url + path}
        return self.session.post(self.url + path, headers=headers, timeout=20, allow_redirects=False, **more)


@pytest.fixture(scope="module", autouse=True)
def _localhost() -> Iterator[None]:
    """Browsers and curl know where names below localhost lead (RFC 6761); the C library may not."""
    asked = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        return asked("127.0.0.1" if str(host).endswith(".localhost") else host, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


def inventory(example: str, folder: Path) -> tuple[str, Path]:
    """The site's name, and the example's own inventory with the embedded AWS `test` in place of `local`."""
    made = folder / example / "test"
    shutil.copytree(PROJECT / "examples" / example / "local", made)
    theirs, ours, settings = (
        yaml.safe_load((each / "environment.yml").read_text())
        for each in (PROJECT / "inventories/local", PROJECT / "inventories/test", made)
    )
    assert settings == theirs | {"site_name": settings["site_name"]}
    (made / "environment.yml").write_text(yaml.safe_dump(ours | {"site_name": settings["site_name"]}))
    main = made / "group_vars/site/main.yml"
    values = yaml.safe_load(main.read_text()) | {
        key: value
        for key, value in yaml.safe_load((PROJECT / "inventories/test/group_vars/site/main.yml").read_text()).items()
        if key in ("network_cidr", "docker_engine_registry_mirrors", "service_deregistration_seconds", "site_url_port")
    }
    main.write_text(yaml.safe_dump(values | {"site_ca_file": str(AUTHORITY)}))
    if example == "celery_site":
        description = made / "group_vars/site/description.yml"
        site = yaml.safe_load(description.read_text())
        site["site_jobs"]["report"] |= {"schedule": "* * * * *", "overlap": "allowed"}
        description.write_text(yaml.safe_dump(site))
    reached = (PROJECT / "inventories/test/group_vars/ecs_hosts.yml").read_text()
    folder_of_keys = "{{ inventory_dir }}/../../.local_aws/test"
    assert folder_of_keys in reached
    (made / "group_vars/ecs_hosts.yml").write_text(reached.replace(folder_of_keys, str(CONFIG.state)))
    return settings["site_name"], made


ROLLED = {"flask_spa": "api"}
"""The service whose roll is looked at, if it is not `web`."""
EXAMPLES = [
    "flask_plain",
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in ("django_rds", "node_cms_proxy", "celery_site", "flask_dynamodb", "flask_spa")
    ),
]


@pytest.fixture(scope="module", params=EXAMPLES)
def site(request: pytest.FixtureRequest, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An example whose images are built, and of which nothing is there yet."""
    example = request.param
    subprocess.run([sys.executable, "examples/build.py", example], cwd=PROJECT, check=True)
    name, folder = inventory(example, tmp_path_factory.mktemp("inventories"))
    return Site(example, name, folder, cloud)


def test_a_check_run_on_nothing_shows_a_plan_and_makes_nothing(site: Site) -> None:
    run = succeed(site.run("site.yml", "--check", "--diff"))
    assert f"+ stack {site.prefix}-service-{ROLLED.get(site.example, 'web')}" in run.output
    assert site.cloud.client("cloudformation").describe_stacks()["Stacks"] == []


def test_it_comes_up(site: Site) -> None:
    succeed(site.run("site.yml"))


def test_a_second_run_and_a_check_run_change_nothing(site: Site) -> None:
    for arguments in ((), ("--check", "--diff")):
        run = succeed(site.run("site.yml", *arguments))
        assert run.changed == 0, run.output


def colours_are_graded(site: Site) -> None:
    """flask_plain: a page, and an API."""
    answer = site.visitor().get("/api/contrast", params={"text": "#000", "background": "#fff"})
    assert (answer.status_code, answer.json()["ratio"]) == (200, 21)
    assert "Can it be read?" in site.visitor().get("/").text
    # Its other name has a certificate, and leads to the same place of the first.
    answer = Visitor(site.url.replace("//", "//www.")).get(
        "/api/contrast", params={"text": "#000", "background": "#fff"}
    )
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{site.url}/api/contrast?text=%23000&background=%23fff"


def items_are_listed(site: Site) -> None:
    """django_rds: log in, add one, see it listed."""
    visitor = site.visitor()
    assert visitor.get("/").headers["Location"] == "/login?next=/"
    visitor.get("/login")
    form = {"username": "admin", "password": site.secret("admin")["password"], "next": ""}
    assert visitor.post("/login", data=form).headers.get("Location") == "/"
    assert visitor.post("/", data={"text": "Bread & butter"}).status_code == 302
    assert "<span>Bread &amp; butter</span>" in visitor.get("/").text


def articles_are_published(site: Site) -> None:
    """node_cms_proxy: an editor publishes an article with an image, a reader sees both."""
    visitor, editor = site.visitor(), ("editor", site.secret("editor")["password"])
    until(lambda: visitor.get("/").status_code == 200, "the pages through the proxy", 60)
    published = visitor.post("/cms/", auth=editor, data={"title": "Salt"}, files={"image": ("salt.png", PNG)})
    assert published.headers.get("Location") == "/cms/", published.text
    until(lambda: "Salt" in visitor.get("/").text, "the article on the front page", 60)
    link = re.search(r'<a href="(/articles/[^"]+)">Salt</a>', visitor.get("/").text)
    assert link
    image = re.search(r'<img src="(/cms/files/[^"]+)"', visitor.get(link[1]).text)
    assert image
    assert visitor.get(image[1]).content == PNG


def numbers_are_factorised(site: Site) -> None:
    """celery_site: a number is queued, and a worker answers."""
    visitor = site.visitor()
    assert visitor.get("/").status_code == 200
    assert visitor.post("/", data={"value": 99_999_999_999_962}).status_code == 302
    (number,) = until(
        lambda: [each for each in visitor.get("/status.json").json()["numbers"] if each["factors"]],
        "the worker's answer",
        60,
    )
    assert number["factors"] == [2, 49_999_999_999_981]
    schedules = site.cloud.client("scheduler").list_schedules()["Schedules"]
    assert {each["Name"].rpartition("-Schedule-")[0] for each in schedules} == {
        f"{site.prefix}-job-clearsessions", f"{site.prefix}-job-report",
    }  # fmt: skip
    # By the clock, which this test has at every minute.
    until(lambda: visitor.get("/status.json").json()["report"], "the report of a scheduled job", 150)


def notes_are_kept(site: Site) -> None:
    """flask_dynamodb: a note is written by one container, read by both, and by a function, which writes too."""
    visitor = site.visitor()
    assert visitor.post("/", data={"text": "Bread & butter"}).status_code == 303
    written = visitor.post("/api/notes", json={"text": "Salt"})
    assert (written.status_code, written.json()["text"]) == (201, "Salt")
    for _ in range(6):  # the load balancer asks one task after the other
        notes = [note["text"] for note in visitor.get("/api/notes").json()["notes"]]
        assert notes == ["Salt", "Bread & butter"]
    assert "<span>Bread &amp; butter</span>" in visitor.get("/").text
    assert visitor.post("/api/notes", json={"text": " "}).json() == {"error": "A note has to say something."}
    assert visitor.post("/api/notes", json={"text": "x" * 141}).status_code == 400
    # The function, at its API's own address.
    gateway = site.cloud.client("apigatewayv2")
    (api,) = gateway.get_apis()["Items"]
    programs = f"http://{api['ApiId']}.execute-api.localhost:{CONFIG.api_port}/notes"
    assert [note["text"] for note in requests.get(programs, timeout=60).json()["notes"]] == notes
    pepper = requests.post(programs, json={"text": "Pepper"}, timeout=60)
    assert (pepper.status_code, pepper.json()["text"]) == (201, "Pepper")
    assert requests.post(programs, json={"text": ""}, timeout=60).json() == {"error": "A note has to say something."}
    assert visitor.get("/api/notes").json()["notes"][0] == pepper.json()
    logs = site.cloud.client("logs")
    (group,) = logs.describe_log_groups(logGroupNamePrefix=f"/{site.name}/test/function/notes")["logGroups"]
    events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    assert sum(event["message"].startswith("REPORT") for event in events) == 3


def photos_are_kept(site: Site) -> None:
    """flask_spa: a photo goes right to the bucket, is listed and read, and a task that ends takes nothing along."""
    visitor = site.visitor()
    page = visitor.get("/")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-cache")
    assert '<script src="/app.js" defer>' in page.text
    assert "javascript" in visitor.get("/app.js").headers["Content-Type"]
    assert visitor.get("/my/ears").text == page.text, "a path of the front end's own"
    assert visitor.get("/missing.js").status_code in (403, 404), "S3 says 403 to who may not list"
    assert visitor.get("/api/missing").headers["Server"] == "gunicorn"
    until(lambda: len(running(site, "api")) == 2, "autoscaling's least", 120)

    place = visitor.post("/api/photos", json={"type": "image/png"})
    assert place.status_code == 201, place.text
    form, direct = place.json(), requests.Session()
    direct.trust_env = False
    direct.headers["Origin"] = site.url
    assert form["url"].startswith(f"{CONFIG.endpoint}/{site.prefix}-bucket-photos-")
    sent = direct.post(form["url"], data=form["fields"], files={"file": ("ear.png", PNG)}, timeout=20)
    assert (sent.status_code, sent.headers.get("Access-Control-Allow-Origin")) == (204, site.url), sent.text
    asked = {"Access-Control-Request-Method": "POST"}
    assert direct.options(form["url"], headers=asked, timeout=20).status_code == 200
    stranger = {"Origin": "https://elsewhere.berth.localhost"} | asked
    assert direct.options(form["url"], headers=stranger, timeout=20).status_code == 403

    def is_there() -> None:
        for _ in range(6):  # the load balancer asks one task after the other
            (photo,) = visitor.get("/api/photos").json()["photos"]
            assert (photo["name"], photo["bytes"]) == (form["name"], len(PNG))
            read = direct.get(photo["url"], timeout=20)
            assert (read.content, read.headers["Content-Type"]) == (PNG, "image/png")
            advice = visitor.get(f"/api/photos/{photo['name']}/advice")
            assert advice.json() == {"advice": "in-ear, with long tips"}, "by its bytes, which the API has read"

    is_there()
    assert site.visitor().get("/api/photos").json() == {"photos": []}, "somebody else's are not shown"
    stopped = min(running(site, "api"))
    site.cloud.client("ecs").stop_task(cluster=site.prefix, task=stopped)
    until(lambda: len(running(site, "api") - {stopped}) == 2, "another task in its place", 120)
    until(lambda: all(visitor.get("/api/photos").ok for _ in range(6)), "both tasks answer", 60)
    is_there()

    (target,) = site.cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 20)
    s3 = site.cloud.client("s3")
    bucket = form["url"].rpartition("/")[2]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["Expiration"]["Days"] for rule in rules if "Expiration" in rule] == [90]
    hosts_are_private(site)
    a_browser_sends_a_photo(site)


def a_browser_sends_a_photo(site: Site) -> None:
    """The front end's own code, held to the bucket's CORS rules as a page of another origin is."""
    with tempfile.TemporaryDirectory() as home, browser.page(AUTHORITY, Path(home)) as page:
        page.goto(f"{site.url}/")
        page.set_input_files("input", str(PHOTO))
        page.click("form button")
        page.wait_for_function("document.querySelector('li img')?.naturalWidth == 320")
        page.click("text=What fits?")
        page.wait_for_function("document.querySelector('output').textContent == 'over-ear'")
        page.click("text=Delete")
        page.wait_for_function("!document.querySelector('li')")


def hosts_are_private(site: Site) -> None:
    """Hosts stand in private subnets, whose route table leads to S3 by a gateway endpoint."""
    ec2 = site.cloud.client("ec2")
    wanted = {"tag:Site": site.name, "instance-state-name": "running"}
    found = ec2.describe_instances(Filters=[{"Name": name, "Values": [value]} for name, value in wanted.items()])
    subnets = {host["SubnetId"] for group in found["Reservations"] for host in group["Instances"]}
    names = {
        tag["Value"]
        for subnet in ec2.describe_subnets(SubnetIds=sorted(subnets))["Subnets"]
        for tag in subnet["Tags"]
        if tag["Key"] == "Name"
    }
    assert names == {f"{site.prefix}-network-private-a", f"{site.prefix}-network-private-b"}
    of_hosts = [{"Name": "association.subnet-id", "Values": sorted(subnets)}]
    (table,) = {each["RouteTableId"] for each in ec2.describe_route_tables(Filters=of_hosts)["RouteTables"]}
    gateways = {
        each["ServiceName"]
        for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]
        if each["VpcEndpointType"] == "Gateway" and table in each["RouteTableIds"]
    }
    assert gateways == {"com.amazonaws.us-east-1.s3"}


def running(site: Site, service: str) -> set[str]:
    """The tasks of a service."""
    begin = f"service:{site.prefix}-service-{service}-"
    return {task for group, tasks in site.tasks().items() if group.startswith(begin) for task in tasks}


USED: dict[str, Callable[[Site], None]] = {
    "flask_plain": colours_are_graded,
    "django_rds": items_are_listed,
    "node_cms_proxy": articles_are_published,
    "celery_site": numbers_are_factorised,
    "flask_dynamodb": notes_are_kept,
    "flask_spa": photos_are_kept,
}


def test_its_visitors_can_use_it(site: Site) -> None:
    USED[site.example](site)


def is_stop_first(service: dict[str, Any]) -> bool:
    """Whether its old task is told to stop before the new one is made."""
    return bool(service.get("deploy", {}).get("update_config", {}).get("order") == "stop-first")


def test_one_service_is_rolled_while_the_others_keep_their_tasks(site: Site) -> None:
    """A changed variable of its first container, as a person would try it out."""
    description = yaml.safe_load((PROJECT / "examples" / site.example / "site.yml").read_text())
    services = description["site_services"]
    rolled = ROLLED.get(site.example, "web")
    container = next(iter(services[rolled]["containers"].values()))
    container.setdefault("environment", {})["TRIED"] = "it"
    like = {
        f"service:{name}"
        for name, service in services.items()
        for each in service["containers"].values()
        if str(each.get("like", "")).startswith(f"{rolled}.")
    }
    before = site.tasks()
    succeed(site.run("site.yml", "-e", json.dumps({"site_services": services})))
    after = site.tasks()
    assert len(before) == len(after) == len(services)
    changed = [group for group in before if before[group] != after.get(group)]
    assert len(changed) == 1 + len(like), (before, after)
    single = [name for name in services if f"service:{name}" in like and is_stop_first(services[name])]
    assert single == {"celery_site": ["beat"]}.get(site.example, [])
    for name in single:
        (_, told_to_stop), (made, _) = site.ages(name)[-2:]
        assert told_to_stop <= made


BARRED = {"celery_site": ["worker", "beat"]}
"""Examples with services behind those with routes that a change of theirs changes too."""


def test_what_is_behind_pages_that_do_not_come_up_stays(site: Site) -> None:
    """Then the inventory as it was brings all back to what it said."""
    behind = BARRED.get(site.example, [])
    if not behind:
        pytest.skip("nothing of it is behind what is rolled")
    description = yaml.safe_load((PROJECT / "examples" / site.example / "site.yml").read_text())
    services = description["site_services"]
    container = next(iter(services["web"]["containers"].values()))
    container["environment"]["TRIED"] = "in vain"
    container["healthcheck"] = {"test": ["CMD", "false"], "interval": "5s", "timeout": "2s", "retries": 1}
    before = {name: running(site, name) for name in [*behind, "redis"]}
    given = {"site_services": services, "service_wait_minutes": 4}
    run = site.run("site.yml", "-e", json.dumps(given))
    assert run.status == 2, run.output
    assert "service.web" in run.output
    assert {name: running(site, name) for name in before} == before, run.output
    succeed(site.run("site.yml"))
    assert len(running(site, "web")) == 1


def test_teardown_leaves_nothing(site: Site) -> None:
    succeed(
        site.run("teardown.yml", "-e", "confirm=test", "-e", "teardown_data=true", "-e", "teardown_keep_snapshot=false")
    )
    assert site.cloud.client("cloudformation").describe_stacks()["Stacks"] == []
    until(lambda: not site.cloud.client("efs").describe_file_systems()["FileSystems"], "no file system", 60)
    assert site.cloud.client("secretsmanager").list_secrets()["SecretList"] == []
    assert site.cloud.client("rds").describe_db_snapshots()["DBSnapshots"] == []
    assert site.cloud.client("dynamodb").list_tables()["TableNames"] == []
    assert site.cloud.client("ecs").list_clusters()["clusterArns"] == []
    buckets = site.cloud.client("s3").list_buckets()["Buckets"]
    assert [each["Name"] for each in buckets if each["Name"].startswith(f"{site.prefix}-")] == []
    assert site.cloud.client("ec2").describe_addresses()["Addresses"] == []
    until(lambda: not site.cloud.docker.containers.list(filters={"label": NAME_LABEL}), "a function is left", 30)
    records = site.cloud.client("route53").list_resource_record_sets(HostedZoneId="Z0BERTHLOCALZONE")
    assert {record["Type"] for record in records["ResourceRecordSets"]} == {"NS", "SOA", "CNAME"}

"""Application load balancers are real: each test talks to one as a browser would, its targets being small servers."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local_aws import images
from local_aws.config import Config
from local_aws.tests.own_server import OwnServer, running
from local_aws.tests.until import until

pytestmark = pytest.mark.docker

DOMAIN = "site.berth.localhost"
TARGET = """
import http.server, json, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(3)
        status = 200
        if self.path == "/healthz":
            try:
                status = int(open("/tmp/status").read())
            except OSError:
                pass
        said = {"target": sys.argv[2], "headers": {k.lower(): v for k, v in self.headers.items()}, "path": self.path}
        body = json.dumps(said).encode()
        if self.path == "/healthz":
            open("/tmp/checks", "a").write(json.dumps(said) + chr(10))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a):
        pass
http.server.ThreadingHTTPServer(("", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with running(1, {"resolver", "elb"}) as own:
        yield own


@dataclass
class Site:
    """A load balancer with one target group of three possible targets, two of which are registered."""

    server: OwnServer
    arn: str
    dns_name: str
    group: str
    https: str
    http: str
    certificate: str

    @property
    def config(self) -> Config:
        return self.server.config

    @property
    def elb(self) -> Any:
        return self.server.client("elbv2")

    def states(self, group: str = "") -> dict[tuple[str, int], tuple[str, str | None]]:
        found = self.elb.describe_target_health(TargetGroupArn=group or self.group)["TargetHealthDescriptions"]
        return {
            (item["Target"]["Id"], item["Target"]["Port"]): (
                item["TargetHealth"]["State"],
                item["TargetHealth"].get("Reason"),
            )
            for item in found
        }

    def register(self, *targets: tuple[str, int]) -> None:
        described = [{"Id": address, "Port": port} for address, port in targets]
        self.elb.register_targets(TargetGroupArn=self.group, Targets=described)

    def deregister(self, *targets: tuple[str, int]) -> None:
        described = [{"Id": address, "Port": port} for address, port in targets]
        self.elb.deregister_targets(TargetGroupArn=self.group, Targets=described)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.body)
        return result


def connection(site: Site, scheme: str = "https", timeout: float = 20) -> http.client.HTTPConnection:
    """A connection to the published port that verifies the certificate for DOMAIN."""
    if scheme == "http":
        return http.client.HTTPConnection("127.0.0.1", site.config.http_port, timeout=timeout)
    context = ssl.create_default_context(cafile=str(site.config.state / "ca" / "ca.pem"))
    secure = http.client.HTTPSConnection(DOMAIN, site.config.https_port, timeout=timeout, context=context)
    raw = socket.create_connection(("127.0.0.1", site.config.https_port), timeout)
    secure.sock = context.wrap_socket(raw, server_hostname=DOMAIN)
    return secure


def get(site: Site, path: str, scheme: str = "https", timeout: float = 20, **headers: str) -> Answer:
    with contextlib.closing(connection(site, scheme, timeout)) as link:
        port = site.config.https_port if scheme == "https" else site.config.http_port
        given = {"Host": f"{DOMAIN}:{port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        link.request("GET", path, headers=given)
        answer = link.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


TARGETS = {"one": 8001, "two": 8002, "three": 8003}


@pytest.fixture(scope="module")
def targets(server: OwnServer) -> dict[str, Any]:
    image = images.ensure("host")  # it has Python
    return {
        name: server.start_host(
            image, name, ["python3", "-c", TARGET, str(port), name], str(server.config.vpc_range[256 + number])
        )
        for number, (name, port) in enumerate(TARGETS.items(), start=1)
    }


def where(targets: dict[str, Any], name: str) -> tuple[str, int]:
    container = targets[name]
    container.reload()
    (network,) = container.attrs["NetworkSettings"]["Networks"].values()
    return network["IPAddress"] or network["IPAMConfig"]["IPv4Address"], TARGETS[name]


@pytest.fixture(scope="module")
def site(server: OwnServer) -> Site:
    ec2, elb, acm = (server.client(service) for service in ("ec2", "elbv2", "acm"))
    vpc = ec2.create_vpc(CidrBlock=str(next(server.config.vpc_range.subnets(3))))["Vpc"]
    subnets = [
        ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=str(block), AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for zone, block in zip("ab", server.config.vpc_range.subnets(8), strict=False)
    ]
    balancer = elb.create_load_balancer(Name="site", Subnets=[subnet["SubnetId"] for subnet in subnets])
    arn, dns_name = (balancer["LoadBalancers"][0][key] for key in ("LoadBalancerArn", "DNSName"))
    group = elb.create_target_group(
        Name="site-web", Protocol="HTTP", Port=80, VpcId=vpc["VpcId"], TargetType="ip", HealthCheckPath="/healthz",
        HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2,
        Matcher={"HttpCode": "200-204"},
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "6"}
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    certificate = acm.request_certificate(DomainName=DOMAIN, SubjectAlternativeNames=[f"*.{DOMAIN}"])["CertificateArn"]
    https = elb.create_listener(
        LoadBalancerArn=arn, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": certificate}],
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    redirect = {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
    plain = elb.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "redirect", "RedirectConfig": {**redirect, "StatusCode": "HTTP_301"}}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    made = Site(server, arn, dns_name, group, https, plain, certificate)
    assert made.states() == {}
    until(lambda: _answers(made), "the load balancer answers", 60)
    return made


def _answers(site: Site) -> bool:
    try:
        get(site, "/")
    except OSError:
        return False
    return True


def _has_status(site: Site, path: str, status: int) -> bool:
    return get(site, path).status == status


@pytest.fixture
def serving(site: Site, targets: dict[str, Any]) -> Site:
    """Targets one and two registered and healthy, three not."""
    wanted = {where(targets, name) for name in ("one", "two")}
    site.register(*wanted)
    extra = [key for key, (state, _) in site.states().items() if key not in wanted and state != "draining"]
    if extra:
        site.deregister(*extra)
    for container in targets.values():
        container.exec_run(["rm", "-f", "/tmp/status"])  # noqa: S108 - in a container of the test
    healthy = dict.fromkeys(wanted, ("healthy", None))
    until(lambda: site.states() == healthy, "targets one and two are healthy, nothing drains", 40)
    return site


def test_without_targets_it_says_503(site: Site) -> None:
    answer = get(site, "/")
    assert (answer.status, answer.headers["server"]) == (503, "awselb/2.0")
    assert b"503 Service Temporarily Unavailable" in answer.body


def test_forwards_over_tls_with_the_forwarded_headers(serving: Site) -> None:
    answer = get(serving, "/a%20b?c=d", X_Forwarded_For="192.0.2.7")
    headers = answer.said["headers"]
    assert answer.said["path"] == "/a%20b?c=d"
    assert headers["host"] == f"{DOMAIN}:{serving.config.https_port}"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-port"] == "443"
    assert headers["x-forwarded-for"].startswith("192.0.2.7, ")
    assert {get(serving, "/").said["target"] for _ in range(8)} == {"one", "two"}


def test_old_tls_is_refused(serving: Site) -> None:
    context = ssl.create_default_context(cafile=str(serving.config.state / "ca" / "ca.pem"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    raw = socket.create_connection(("127.0.0.1", serving.config.https_port), 5)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw, server_hostname=DOMAIN)
    raw.close()


def test_http_is_sent_to_the_published_https_port(serving: Site) -> None:
    answer = get(serving, "/x/y?z=1", scheme="http")
    assert answer.status == 301
    assert answer.headers["location"] == f"https://{DOMAIN}:{serving.config.https_port}/x/y?z=1"
    bare = get(serving, "/", scheme="http", Host=DOMAIN)
    assert bare.headers["location"] == f"https://{DOMAIN}:443/"


@pytest.mark.usefixtures("serving")
def test_health_check_is_as_the_target_group_says(targets: dict[str, Any]) -> None:
    last = targets["one"].exec_run(["tail", "-1", "/tmp/checks"]).output.decode()  # noqa: S108 - in a container
    check = json.loads(last)
    address, port = where(targets, "one")
    assert check["headers"]["host"] == f"{address}:{port}"
    assert check["headers"]["user-agent"] == "ELB-HealthChecker/2.0"


def test_failing_check_is_told_with_its_reason(serving: Site, targets: dict[str, Any]) -> None:
    key = where(targets, "one")
    targets["one"].exec_run(["sh", "-c", "echo 404 > /tmp/status"])
    expected = ("unhealthy", "Target.ResponseCodeMismatch")
    until(lambda: serving.states()[key] == expected, "target one is unhealthy", 30)
    assert {get(serving, "/").said["target"] for _ in range(6)} == {"two"}
    described = serving.elb.describe_target_health(
        TargetGroupArn=serving.group, Targets=[{"Id": key[0], "Port": key[1]}]
    )
    health = described["TargetHealthDescriptions"][0]["TargetHealth"]
    assert health["Description"] == "Health checks failed with these codes: [404]"


def test_new_target_is_initial_until_its_first_check(serving: Site, targets: dict[str, Any]) -> None:
    key = where(targets, "three")
    targets["three"].exec_run(["sh", "-c", "echo 500 > /tmp/status"])
    serving.register(key)
    assert serving.states()[key][0] == "initial"
    until(lambda: serving.states()[key] == ("initial", "Elb.InitialHealthChecking"), "it is being checked", 5)
    assert {get(serving, "/").said["target"] for _ in range(6)} == {"one", "two"}
    until(lambda: serving.states()[key][0] == "unhealthy", "it is unhealthy after two failures", 30)
    targets["three"].exec_run(["rm", "/tmp/status"])  # noqa: S108 - in a container of the test
    until(lambda: serving.states()[key] == ("healthy", None), "it is healthy", 30)


def test_dead_and_hanging_targets(serving: Site, targets: dict[str, Any]) -> None:
    address, _ = where(targets, "one")
    serving.register((address, 9), ("10.91.60.1", 80))
    refused = ("unhealthy", "Target.FailedHealthChecks")
    until(lambda: serving.states()[address, 9] == refused, "a refused connection is a failed check", 40)
    until(lambda: serving.states()["10.91.60.1", 80][0] == "unhealthy", "no host, no health", 40)
    assert {get(serving, "/").said["target"] for _ in range(6)} == {"one", "two"}


def test_deregistered_target_drains(serving: Site, targets: dict[str, Any]) -> None:
    """What it is working on is finished; nothing new is sent to it; it stays `draining` for the delay."""
    one, two = where(targets, "one"), where(targets, "two")
    serving.deregister(two)
    until(lambda: two not in serving.states(), "two is gone", 15)
    answers: list[Any] = []
    slow = threading.Thread(target=lambda: answers.append(get(serving, "/slow")))
    slow.start()
    time.sleep(0.5)  # the request is on its way
    started = time.monotonic()
    serving.register(two)
    serving.deregister(one)
    draining = ("draining", "Target.DeregistrationInProgress")
    until(lambda: serving.states().get(one) == draining, "one drains", 5)
    until(lambda: serving.states()[two] == ("healthy", None), "two is healthy", 20)
    assert {get(serving, "/").said["target"] for _ in range(6)} == {"two"}
    slow.join(20)
    assert [(answer.status, answer.said["target"]) for answer in answers] == [(200, "one")]
    until(lambda: one not in serving.states(), "one is gone", 15)
    assert time.monotonic() - started >= 5.5


def test_same_host_with_two_ports_is_two_targets(serving: Site, targets: dict[str, Any]) -> None:
    address, port = where(targets, "one")
    second = targets["one"].client.api.exec_create(targets["one"].id, ["python3", "-c", TARGET, "8011", "one-b"])
    targets["one"].client.api.exec_start(second["Id"], detach=True)
    serving.register((address, 8011))
    until(lambda: serving.states()[address, 8011] == ("healthy", None), "the second port is healthy", 20)
    assert {get(serving, "/").said["target"] for _ in range(9)} == {"one", "one-b", "two"}
    serving.deregister((address, 8011))
    until(lambda: serving.states()[address, 8011][0] == "draining", "the second port drains", 5)
    assert serving.states()[address, port] == ("healthy", None)


def test_no_request_is_lost_while_everything_changes(serving: Site, targets: dict[str, Any]) -> None:
    """Targets come and go, rules and attributes change (which reloads): a client with new connections sees only 200."""
    results: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                results.append(str(get(serving, "/loop").status))
            except OSError as error:
                results.append(repr(error))

    def keep_asking_on_one_connection() -> None:
        link = connection(serving)
        while not done.is_set():
            try:
                link.request("GET", "/kept", headers={"Host": DOMAIN})
                answer = link.getresponse()
                answer.read()
                results.append(str(answer.status))
                if answer.getheader("Connection") == "close":
                    link.close()
                    link = connection(serving)
                time.sleep(0.02)
            except OSError as error:
                results.append(repr(error))
                link = connection(serving)
        link.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    threads.append(threading.Thread(target=keep_asking_on_one_connection))
    for thread in threads:
        thread.start()
    three = where(targets, "three")
    try:
        for number in range(4):
            rule = serving.elb.create_rule(
                ListenerArn=serving.https, Priority=50 + number,
                Conditions=[{"Field": "path-pattern", "Values": [f"/fixed{number}"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "204"}}],
            )["Rules"][0]["RuleArn"]  # fmt: skip
            until(functools.partial(_has_status, serving, f"/fixed{number}", 204), "the rule is in force", 20)
            if number % 2:
                serving.deregister(three)
            else:
                serving.register(three)
                until(lambda: serving.states()[three] == ("healthy", None), "three is healthy", 20)
            serving.elb.delete_rule(RuleArn=rule)
            until(functools.partial(_has_status, serving, f"/fixed{number}", 200), "the rule is gone", 20)
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert len(results) > 200
    assert set(results) == {"200"}


def test_rules_by_priority(serving: Site) -> None:
    fixed = {"StatusCode": "410", "ContentType": "text/plain", "MessageBody": 'it\'s "gone"\nfor good'}
    redirect = {"Path": "/new/#{path}", "StatusCode": "HTTP_302"}
    rules = [
        serving.elb.create_rule(ListenerArn=serving.https, Priority=priority, Conditions=conditions, Actions=actions)
        for priority, conditions, actions in (
            (
                20,
                [{"Field": "path-pattern", "Values": ["/old/*"]}],
                [{"Type": "fixed-response", "FixedResponseConfig": fixed}],
            ),
            (
                10,
                [{"Field": "path-pattern", "Values": ["/old/kept*"]}],
                [{"Type": "forward", "TargetGroupArn": serving.group}],
            ),
            (
                30,
                [
                    {"Field": "host-header", "HostHeaderConfig": {"Values": ["www.*"]}},
                    {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Move", "Values": ["y*"]}},
                ],
                [{"Type": "redirect", "RedirectConfig": redirect}],
            ),
        )
    ]
    until(lambda: get(serving, "/old/x").status == 410, "the rules are in force", 20)
    gone = get(serving, "/old/x")
    assert gone.body.decode() == fixed["MessageBody"]
    assert gone.headers["content-type"] == "text/plain"
    assert get(serving, "/old/kept").status == 200
    assert get(serving, "/OLD/x").status == 200  # path patterns are case-sensitive
    moved = get(serving, "/a?b=c", Host=f"WWW.{DOMAIN}:{serving.config.https_port}", X_Move="yes")
    assert moved.status == 302
    assert moved.headers["location"] == f"https://WWW.{DOMAIN}:{serving.config.https_port}/new/a?b=c"
    assert get(serving, "/a", Host=f"www.{DOMAIN}").status == 200  # only one of two conditions
    for rule in rules:
        serving.elb.delete_rule(RuleArn=rule["Rules"][0]["RuleArn"])


def test_services_share_a_listener_by_host_and_path(serving: Site, targets: dict[str, Any]) -> None:
    """As several services of a site do: a target group each, rules by explicit priority, and no default."""
    address, port = where(targets, "three")
    vpc = serving.elb.describe_target_groups(TargetGroupArns=[serving.group])["TargetGroups"][0]["VpcId"]
    cms = serving.elb.create_target_group(
        Name="site-cms", Protocol="HTTP", Port=port, VpcId=vpc, TargetType="ip", HealthCheckPath="/healthz",
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    serving.elb.register_targets(TargetGroupArn=cms, Targets=[{"Id": address, "Port": port}])
    nothing = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no such site"}
    listener = serving.elb.create_listener(
        LoadBalancerArn=serving.arn, Protocol="HTTP", Port=8081,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": nothing}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    hosts = {"Field": "host-header", "HostHeaderConfig": {"Values": ["shop.test", "www.shop.test"]}}
    paths = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/admin", "/admin/*"]}}
    for priority, conditions, group in ((200, [hosts], serving.group), (100, [hosts, paths], cms)):
        serving.elb.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=conditions,
            Actions=[{"Type": "forward", "TargetGroupArn": group}],
        )  # fmt: skip
    with pytest.raises(serving.elb.exceptions.PriorityInUseException):
        serving.elb.create_rule(
            ListenerArn=listener, Priority=100, Conditions=[hosts],
            Actions=[{"Type": "forward", "TargetGroupArn": cms}],
        )  # fmt: skip
    until(lambda: serving.states(cms)[address, port] == ("healthy", None), "the second service is healthy", 20)

    def ask(host: str, path: str) -> str:
        """The target that answered, or what else was said."""
        url = f"http://{serving.dns_name}:8081{path}"
        body = targets["three"].exec_run(["curl", "-sS", "-H", f"Host: {host}", url]).output.decode()
        return str(json.loads(body)["target"]) if body.startswith("{") else body

    assert {ask("shop.test", "/") for _ in range(6)} == {"one", "two"}
    assert {ask("WWW.shop.test:8081", "/adminx") for _ in range(6)} == {"one", "two"}
    assert {ask("www.shop.test", path) for path in ("/admin", "/admin/users?a=b")} == {"three"}
    assert {ask(host, "/admin") for host in ("other.test", "shop.test.evil")} == {"no such site"}
    serving.elb.delete_listener(ListenerArn=listener)
    until(lambda: "Failed to connect" in ask("shop.test", "/"), "the listener is gone", 20)
    serving.elb.delete_target_group(TargetGroupArn=cms)


def test_target_that_refuses_makes_a_502_and_then_503(serving: Site, targets: dict[str, Any]) -> None:
    """Also: a target group that comes later, with a healthy target after one check although its interval is long."""
    address, _ = where(targets, "three")
    targets["three"].exec_run(["sh", "-c", 'python3 -c "$0" 8099 late & echo $! > /tmp/pid', TARGET], detach=True)
    vpc = serving.elb.describe_target_groups(TargetGroupArns=[serving.group])["TargetGroups"][0]["VpcId"]
    group = serving.elb.create_target_group(
        Name="site-late", Protocol="HTTP", Port=8099, VpcId=vpc, TargetType="ip", HealthCheckPath="/healthz",
        HealthCheckIntervalSeconds=300, HealthCheckTimeoutSeconds=2, UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    serving.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    until(lambda: serving.states(group)[address, 8099] == ("unused", "Target.NotInUse"), "it is not in use yet", 5)
    rule = serving.elb.create_rule(
        ListenerArn=serving.https, Priority=5, Conditions=[{"Field": "path-pattern", "Values": ["/late*"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Rules"][0]["RuleArn"]  # fmt: skip
    until(lambda: serving.states(group)[address, 8099] == ("healthy", None), "it is healthy", 20)
    assert get(serving, "/late").said["target"] == "late"
    targets["three"].exec_run(["sh", "-c", "kill $(cat /tmp/pid)"])
    answer = until(lambda: (got := get(serving, "/late")).status != 200 and got, "nothing listens any more", 10)
    assert answer.status == 502
    serving.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    until(lambda: get(serving, "/late").status == 503, "there is no target any more", 10)
    serving.elb.delete_rule(RuleArn=rule)
    until(lambda: get(serving, "/late").status == 200, "the rule is gone", 10)
    serving.elb.delete_target_group(TargetGroupArn=group)


def test_killed_load_balancer_comes_back(serving: Site) -> None:
    serving.server.docker.containers.get(serving.config.container("elb-site")).kill()
    until(lambda: _answers(serving) and get(serving, "/").status == 200, "it serves again", 30)


def test_name_resolves_on_the_network(serving: Site, targets: dict[str, Any]) -> None:
    fetch = ["curl", "-sS", "--cacert", "/ca/ca.pem", f"https://{serving.dns_name}/seen"]
    said = json.loads(targets["three"].exec_run(fetch).output)
    assert said["path"] == "/seen"
    assert said["headers"]["host"] == serving.dns_name


def test_second_one_is_not_published(serving: Site) -> None:
    subnets = serving.elb.describe_load_balancers(LoadBalancerArns=[serving.arn])["LoadBalancers"][0]
    ids = [zone["SubnetId"] for zone in subnets["AvailabilityZones"]]
    second = serving.elb.create_load_balancer(Name="second", Subnets=ids)["LoadBalancers"][0]["LoadBalancerArn"]
    until(lambda: "no listener" in serving.server.status().get("load balancer second", (0, ""))[1], "it waits", 10)
    serving.elb.create_listener(
        LoadBalancerArn=second, Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )  # fmt: skip
    until(
        lambda: "not published" in serving.server.status()["load balancer second"][1], "status says that it is not", 20
    )
    ok, detail = serving.server.status()["load balancer site"]
    assert ok
    assert detail == f"https://127.0.0.1:{serving.config.https_port}; 2 of 2 targets healthy"
    serving.elb.delete_load_balancer(LoadBalancerArn=second)
    until(lambda: "load balancer second" not in serving.server.status(), "it is gone", 20)


def test_unsupported_action_is_said(serving: Site) -> None:
    oidc = {
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": "https://x", "AuthorizationEndpoint": "https://x", "TokenEndpoint": "https://x",
            "UserInfoEndpoint": "https://x", "ClientId": "x", "ClientSecret": "x",
        },
    }  # fmt: skip
    rule = serving.elb.create_rule(
        ListenerArn=serving.https, Priority=99, Conditions=[{"Field": "path-pattern", "Values": ["/login"]}],
        Actions=[oidc, {"Type": "forward", "Order": 2, "TargetGroupArn": serving.group}],
    )["Rules"][0]["RuleArn"]  # fmt: skip
    until(lambda: not serving.server.status()["load balancer site"][0], "status says that it cannot do that", 10)
    assert "authenticate-oidc" in serving.server.status()["load balancer site"][1]
    serving.elb.delete_rule(RuleArn=rule)
    until(lambda: serving.server.status()["load balancer site"][0], "it is well again", 10)

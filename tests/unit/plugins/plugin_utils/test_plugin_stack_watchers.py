# ruff: noqa: ARG002 (the signatures are those of Watcher, used or not)
"""Resources that CloudFormation cannot explain: their watchers, and what becomes of an operation that is stuck."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks, Thing
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.aws_action import Failed, Wait
from plugins.plugin_utils.layers import Layer, Template
from plugins.plugin_utils.stack import Stack
from tests.unit.fake_cloudformation import EventRow, FakeCloudFormation, Script, a_stack, error
from tests.unit.plugin_support import run_action, talk_to

SERVICE = "AWS::ECS::Service"
FORWARD: Script = ["UPDATE_IN_PROGRESS"]
CANCELLED: Script = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
BEGUN: list[EventRow] = [("UPDATE_IN_PROGRESS", "Service", SERVICE, "")]


class Explains:
    """A watcher that gives up when it has looked `patience` times."""

    made: list[Explains]
    patience = 1_000_000
    remembers: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, layer: Layer, service: Callable[[str], Any], say: Callable[..., None]) -> None:
        self.looks: list[dict[str, str]] = []
        self.asked = 0
        Explains.made.append(self)

    def look(self, resources: Mapping[str, str]) -> None:
        """Remember it."""
        self.looks.append(dict(resources))

    def hopeless(self) -> str:
        """After a while."""
        return "No host has room for the task." if len(self.looks) >= self.patience else ""

    def why(self) -> str:
        """The same each time."""
        self.asked += 1
        return "unable to place a task: 640 MiB are missing" if self.remembers() else ""


@pytest.fixture(autouse=True)
def nobody() -> None:
    Explains.made, Explains.patience = [], 1_000_000
    Explains.remembers = staticmethod(lambda: True)


def watched(client: FakeCloudFormation, body: str = "", lines: list[str] | None = None, **layer: Any) -> Stack:
    """A stack with a watcher for services."""
    stack = a_stack(client, lines, service=lambda _: None, watchers={SERVICE: Explains}, **layer)
    if body:
        template = Template.read(body)
        stack.layer = stack._watch._layer = dataclasses.replace(stack.layer, template=template, parameters={})
    return stack


def test_a_hopeless_update_is_cancelled_and_says_why() -> None:
    Explains.patience = 3
    client = FakeCloudFormation(
        ["CREATE_COMPLETE"], {"update_stack": FORWARD, "cancel_update_stack": CANCELLED}, {"update_stack": BEGUN}
    )
    with pytest.raises(Failed) as failure:
        watched(client).deploy({})
    assert client.operations == ["update_stack", "cancel_update_stack"]
    assert str(failure.value) == (
        "No host has room for the task. The update was cancelled: the site goes on with what it had before.\n"
        "unable to place a task: 640 MiB are missing"
    )
    (watcher,) = Explains.made
    assert watcher.looks == [{"Service": "service-1"}] * 3


def test_what_explains_a_failure_is_shown_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may fail between two looks at it."""
    lines: list[str] = []
    steps: Script = [*FORWARD * 3, "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    client = FakeCloudFormation(["CREATE_COMPLETE"], {"update_stack": steps}, {"update_stack": BEGUN})

    def look(watcher: Explains, resources: Mapping[str, str]) -> None:
        watcher.looks.append(dict(resources))
        if len(watcher.looks) == 1:
            client.event(("UPDATE_FAILED", "Service", SERVICE, "the circuit breaker was triggered"))

    def why(watcher: Explains) -> str:
        watcher.asked += 1
        lines.append("why")
        return "the container ended with exit code 127"

    monkeypatch.setattr(Explains, "look", look)
    monkeypatch.setattr(Explains, "why", why)
    with pytest.raises(Failed, match="exit code 127"):
        watched(client, lines=lines).deploy({})
    (failed,) = [place for place, line in enumerate(lines) if "UPDATE_FAILED" in line]
    assert lines.index("why") < failed, lines
    assert Explains.made[0].asked == 1, "not again when the rollback has begun"


def test_at_the_deadline_an_update_of_a_service_is_cancelled() -> None:
    client = FakeCloudFormation(
        ["CREATE_COMPLETE"], {"update_stack": FORWARD, "cancel_update_stack": CANCELLED}, {"update_stack": BEGUN}
    )
    with pytest.raises(
        Failed, match=r"still UPDATE_IN_PROGRESS after 900 s, waiting for Service .*was cancelled"
    ) as failure:
        watched(client, timeout=900.0).deploy({})
    assert "by itself" not in str(failure.value)
    assert client.arguments("cancel_update_stack").keys() == {"StackName", "ClientRequestToken"}


def test_an_update_that_cannot_be_taken_back_says_so() -> None:
    Explains.patience = 1
    failed: Script = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]
    client = FakeCloudFormation(
        ["CREATE_COMPLETE"], {"update_stack": FORWARD, "cancel_update_stack": failed}, {"update_stack": BEGUN}
    )
    with pytest.raises(Failed, match="was cancelled, but could not be taken back: UPDATE_ROLLBACK_FAILED"):
        watched(client).deploy({})


def test_an_update_that_ends_just_before_it_is_cancelled_is_a_success() -> None:
    Explains.patience = 1
    client = FakeCloudFormation(
        ["CREATE_COMPLETE"],
        {"update_stack": FORWARD, "cancel_update_stack": ["UPDATE_COMPLETE"]},
        {"update_stack": BEGUN},
    )
    assert watched(client).deploy({}).changed


@pytest.mark.parametrize(("says", "ends"), [("CancelUpdateStack cannot be called from status X", True), ("No", False)])
def test_an_update_that_cannot_be_cancelled_any_more_is_awaited(says: str, ends: bool) -> None:
    Explains.patience = 1
    race = error(says, "CancelUpdateStack")
    after: Script = ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    client = FakeCloudFormation(
        ["CREATE_COMPLETE"],
        {"update_stack": FORWARD},
        {"update_stack": BEGUN},
        races={"cancel_update_stack": (race, after)},
    )
    if ends:
        assert watched(client).deploy({}).changed
    else:
        with pytest.raises(ClientError):
            watched(client).deploy({})


SERVICE_ONLY = "Resources: {Service: {Type: AWS::ECS::Service}}"


def test_a_create_without_data_is_taken_back() -> None:
    client = FakeCloudFormation(
        [None],
        {"create_stack": ["CREATE_IN_PROGRESS"], "delete_stack": ["DELETE_IN_PROGRESS", None]},
        {"create_stack": [("CREATE_IN_PROGRESS", "Service", SERVICE, "")]},
    )
    with pytest.raises(
        Failed, match=r"^is still CREATE_IN_PROGRESS .* What the create had made was taken back\.\nunable"
    ):
        watched(client, SERVICE_ONLY, timeout=60.0).deploy({})
    assert client.operations == ["create_stack", "delete_stack"]


def test_a_create_with_data_is_left_alone() -> None:
    client = FakeCloudFormation(
        [None],
        {"create_stack": ["CREATE_IN_PROGRESS"]},
        {"create_stack": [("CREATE_IN_PROGRESS", "Service", SERVICE, "")]},
    )
    data = r"\(AWS::EFS::FileSystem, AWS::RDS::DBInstance\)"
    with pytest.raises(Failed, match=rf"It goes on by itself, as it makes what holds data {data}\.\nunable to place"):
        watched(client, timeout=60.0).deploy({})
    assert client.operations == ["create_stack"]


def test_a_failure_by_itself_says_why_too_and_asks_before_the_rollback_takes_it_away() -> None:
    states: Script = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", *CANCELLED[:1] * 5, *CANCELLED]
    failed = ("UPDATE_FAILED", "Service", SERVICE, "the circuit breaker was triggered")
    client = FakeCloudFormation(["UPDATE_COMPLETE"], {"update_stack": states}, {"update_stack": BEGUN})

    def read_events(original: Any = client._read_events) -> Any:
        if client.states[0] == CANCELLED[0] and failed not in happened:
            happened.append(failed)
            client.event(failed)
            client.event(BEGUN[0])  # its way back, at which nobody looks any more
        return original()

    happened: list[EventRow] = []
    client._read_events = read_events  # type: ignore[method-assign]  # one event at its time
    Explains.patience = 4
    Explains.remembers = staticmethod(lambda: client.states[0] != "UPDATE_ROLLBACK_COMPLETE")
    with pytest.raises(Failed) as failure:
        watched(client).deploy({})
    assert str(failure.value) == (
        "Service (AWS::ECS::Service): the circuit breaker was triggered\nunable to place a task: 640 MiB are missing"
    )
    assert client.operations == ["update_stack"]
    assert Explains.made[0].asked == 1


def test_an_update_without_a_watched_resource_goes_on_by_itself() -> None:
    rows: list[EventRow] = [("UPDATE_IN_PROGRESS", "Database", "AWS::RDS::DBInstance", "")]
    client = FakeCloudFormation(["CREATE_COMPLETE"], {"update_stack": FORWARD}, {"update_stack": rows})
    with pytest.raises(Failed, match="It goes on by itself"):
        watched(client, timeout=60.0).deploy({})
    assert client.operations == ["update_stack"]


def test_a_stuck_update_of_an_earlier_run_is_cancelled_and_ours_follows() -> None:
    Explains.patience = 2
    scripts = {"cancel_update_stack": CANCELLED, "update_stack": ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]}
    client = FakeCloudFormation(["UPDATE_IN_PROGRESS"], scripts)  # type: ignore[arg-type]  # lists of text are scripts
    client.own_event("UPDATE_IN_PROGRESS")
    client.event(BEGUN[0])
    lines: list[str] = []
    assert watched(client, lines=lines).deploy({}).changed
    assert client.operations == ["cancel_update_stack", "update_stack"]
    assert "data: No host has room for the task\nunable to place a task: 640 MiB are missing" in lines


def deploy(*names: str, **options: Any) -> dict[str, Any]:
    """What the action makes of a service's layer with these resources, on the embedded AWS."""
    body = yaml.safe_dump({"Resources": {name: {"Type": Thing.TYPE} for name in names}})
    return run_action(
        cloudformation_stacks, {"prefix": "legacy-unit", "stacks": {"service": {"template_body": body, **options}}}
    )


def test_the_real_engine_takes_a_stuck_update_back(stacks: Stacks, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    Explains.patience = 2
    monkeypatch.setattr(cloudformation_stacks, "WATCHERS", {Thing.TYPE: Explains})

    made = deploy("Quick")
    assert not made.get("failed"), made
    Thing.gates["create", "Slow"] = threading.Event()
    result = deploy("Quick", "Slow")
    assert result["failed"]
    assert "No host has room for the task. The update was cancelled" in result["msg"]
    assert stacks.describe("legacy-unit-service")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.states("legacy-unit-service")[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]


def test_the_real_engine_takes_back_what_is_not_through_at_its_deadline(
    stacks: Stacks, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has called it hopeless; CloudFormation itself would give it three hours."""
    talk_to(aws, monkeypatch)
    monkeypatch.setattr(cloudformation_stacks, "WATCHERS", {Thing.TYPE: Explains})
    gate = Thing.gates["create", "Slow"] = threading.Event()

    late = deploy("Slow", timeout=1)
    assert late["msg"].startswith("service: is still CREATE_IN_PROGRESS after 1 s, waiting for Slow "), late
    assert "What the create had made was taken back." in late["msg"]
    with pytest.raises(ClientError, match="does not exist"):
        stacks.describe("legacy-unit-service")

    assert not deploy("Quick").get("failed")
    late = deploy("Quick", "Slow", timeout=1)
    assert late["msg"].startswith("service: is still UPDATE_IN_PROGRESS after 1 s, waiting for Slow "), late
    assert "The update was cancelled: the site goes on with what it had before." in late["msg"]
    assert stacks.describe("legacy-unit-service")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert Thing.existing.keys() == set(stacks.physical("legacy-unit-service").values()), "and nothing of it is left"

    gate.set()
    assert deploy("Quick", "Slow", timeout=60)["stacks"]["service"]["changed"], "what is through in time stays"


@pytest.mark.usefixtures("stacks")
def test_the_waits_for_stacks_know_how_many_they_are(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    told: list[int] = []

    class Counted(Wait):
        def pause(self, what: str) -> bool:
            told.append(self._beside())
            if max(told) == 3:
                Thing.gates["create", "Made"].set()
            return super().pause(what)

    monkeypatch.setattr(cloudformation_stacks, "Wait", Counted)
    body = yaml.safe_dump({"Resources": {"Made": {"Type": Thing.TYPE}}})
    given = {"prefix": "legacy-unit", "stacks": {name: {"template_body": body, "timeout": 20} for name in "abc"}}
    Thing.gates["create", "Made"] = threading.Event()
    assert not run_action(cloudformation_stacks, given).get("failed")
    assert max(told) == 3
    told.clear()
    Thing.gates["update", "Made"] = threading.Event()
    body = yaml.safe_dump({"Resources": {"Made": {"Type": Thing.TYPE, "Properties": {"Size": 2}}}})
    late = {"prefix": "legacy-unit", "stacks": {"a": {"template_body": body, "timeout": 1}}}
    assert run_action(cloudformation_stacks, late)["failed"]
    assert set(told) == {1}


# Certificates: what CloudFormation's events usually tell

CERTIFICATE = "AWS::CertificateManager::Certificate"
ARN = "certificate-1"


class Acm:
    """Knows the record."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.client: Any = None
        self.rounds: list[int] = []

    def describe_certificate(self, CertificateArn: str) -> dict[str, Any]:
        """As ACM answers, at first without the record."""
        self.asked.append(CertificateArn)
        self.rounds.append(self.client.read["describe_stack_events"])
        record = {"Name": "_a.example.org.", "Type": "CNAME", "Value": "_b.acm-validations.aws."}
        options = [{"DomainName": "example.org"} | ({"ResourceRecord": record} if len(self.asked) > 1 else {})]
        return {"Certificate": {"DomainValidationOptions": options}}


def test_the_record_of_a_certificate_is_asked_for_where_no_event_tells_it() -> None:
    acm, lines = Acm(), list[str]()
    client = FakeCloudFormation(
        [None],
        {"create_stack": ["CREATE_IN_PROGRESS"]},
        {"create_stack": [("CREATE_IN_PROGRESS", "Certificate", CERTIFICATE, "Please make the DNS record, somehow")]},
    )
    acm.client = client
    stack = a_stack(client, lines, service=lambda name: {"acm": acm}[name], timeout=300.0)
    with pytest.raises(Failed, match=r"The DNS record _a\.example\.org\. CNAME _b\.acm-validations\.aws\. is missing"):
        stack.deploy({})
    assert acm.asked == [ARN, ARN], "not any more once it is known"
    first, second = acm.rounds
    assert first > 10, "events have their time first"
    assert second > first + 5, "and not each round"
    assert len([line for line in lines if "CREATE THIS DNS RECORD" in line]) == 1

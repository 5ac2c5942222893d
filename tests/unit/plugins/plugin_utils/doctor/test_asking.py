"""What AWS is asked besides: only what is of now, and nothing ends the run that is refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from plugins.plugin_utils.doctor.asking import Asking, told_by
from plugins.plugin_utils.doctor.judging import recognised
from plugins.plugin_utils.status.stacks import described
from tests.unit.plugins.plugin_utils.status.status_support import (
    BALANCED,
    NOW,
    STACKS,
    WORDS,
    Account,
    a_host,
    a_service,
    a_stack,
    ago,
    error,
    status,
)

QUEUE = "arn:aws:sqs:us-east-1:123456789012:shop-prod-job-report-DeadLetterQueue-1"
QUIET: dict[str, Any] = {
    "get_metric_data": {"MetricDataResults": []},
    "describe_scaling_activities": {"Activities": []},
    "get_queue_url": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/x"},
    "get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
    "filter_log_events": {"events": []},
    "describe_stack_events": {"StackEvents": []},
}


def quiet(**answers: Any) -> Account:
    """An account of which nothing is to be told but what is given."""
    return Account(**QUIET | answers)


def asked(account: Account) -> list[tuple[str, str, str]]:
    """Kind, about and text of each line."""
    return [(each.kind, each.about, each.text) for each in lines(account)]


def lines(account: Account) -> Any:
    model = status(account)
    told = told_by(described(account("cloudformation"), "shop-prod", WORDS))
    account.asked.clear()
    return Asking(account, model, told, "shop-prod", NOW).evidence()


def event(text: str, **span: float) -> dict[str, Any]:
    return {"createdAt": ago(**span), "message": f"(service web-1) {text}"}


def with_events(*events: dict[str, Any]) -> Account:
    return quiet(
        describe_services=lambda services, **_: {
            "services": [a_service(each, events=list(events) if each == "web" else []) for each in services]
        }
    )


def test_a_site_in_order_has_no_line_and_only_reads() -> None:
    account = quiet()
    assert asked(account) == []
    assert {each.partition("_")[0] for each in account.asked} <= {"list", "describe", "get", "filter"}


def test_the_events_since_the_service_was_last_in_order() -> None:
    found = asked(
        with_events(
            event(
                "was unable to place a task. Reason: x. For more information, see the Troubleshooting section.",
                minutes=1,
            ),
            event("has reached a steady state.", minutes=5),
            event("is unable to consistently start tasks successfully.", minutes=6),
        )
    )
    assert found == [("service event", "service.web", "was unable to place a task. Reason: x.")]
    assert asked(with_events(event("is unable to consistently start tasks successfully.", hours=2))) == []


def test_the_logs_of_a_service_that_is_not_in_order() -> None:
    health = {"State": "unhealthy", "Description": "Health checks failed with these codes: [400]"}
    answer = {"events": [{"logStreamName": "app/app/1", "message": "one\nInvalid HTTP_HOST header: 'x'"}]}
    account = quiet(
        filter_log_events=answer,
        describe_services=lambda services, **_: {
            "services": [a_service(each, loadBalancers=BALANCED if each == "web" else []) for each in services]
        },
        describe_target_health={
            "TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 1}, "TargetHealth": health}]
        },
    )
    assert asked(account) == [
        ("log", "service.web", "one"),
        ("log", "service.web", "Invalid HTTP_HOST header: 'x'"),
    ]
    account.answers["filter_log_events"] = error("ResourceNotFoundException", "FilterLogEvents")
    assert asked(account) == []


def a_stack_event(name: str, state: str, reason: str = "") -> dict[str, Any]:
    return {
        "StackId": "x", "EventId": "x", "StackName": "shop-prod-cluster", "LogicalResourceId": name, "Timestamp": NOW,
        "ResourceStatus": state, "ResourceStatusReason": reason,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "span", "number"),
    [
        ("ROLLBACK_COMPLETE", {"days": 3}, 1),
        ("UPDATE_ROLLBACK_COMPLETE", {"hours": 1}, 1),
        ("UPDATE_ROLLBACK_COMPLETE", {"days": 3}, 0),
        ("CREATE_COMPLETE", {"hours": 1}, 0),
    ],
)
def test_what_failed_in_the_last_change_of_a_stack(state: str, span: dict[str, float], number: int) -> None:
    stack = a_stack("service.web", state, LastUpdatedTime=ago(**span))
    account = quiet(
        describe_stacks={"Stacks": [*(each for each in STACKS if each["StackName"] != stack["StackName"]), stack]},
        describe_stack_events={
            "StackEvents": [
                a_stack_event(stack["StackName"], "UPDATE_ROLLBACK_COMPLETE"),
                a_stack_event("Rule", "UPDATE_FAILED", "Priority '10' is currently in use"),
                a_stack_event(stack["StackName"], "UPDATE_IN_PROGRESS", "User Initiated"),
                a_stack_event("Rule", "CREATE_FAILED", "an older change"),
            ]
        },
    )
    expected = [("stack event", "service.web", "Priority '10' is currently in use")]
    assert asked(account) == expected * number


@pytest.mark.parametrize(("hosts", "number"), [([], 1), ([a_host()], 0)])
def test_why_no_host_was_started_where_one_is_wanting(hosts: list[dict[str, Any]], number: int) -> None:
    activity = {
        "ActivityId": "1", "AutoScalingGroupName": "hosts", "Cause": "x", "StartTime": ago(minutes=3),
        "StatusCode": "Failed", "StatusMessage": "We currently do not have sufficient t3.micro capacity",
    }  # fmt: skip
    old = activity | {"StartTime": ago(hours=3)}
    account = quiet(
        describe_container_instances={"containerInstances": hosts},
        describe_scaling_activities={"Activities": [activity, old, activity | {"StatusCode": "Successful"}]},
    )
    assert asked(account) == [("scaling activity", "hosts", activity["StatusMessage"])] * number


def test_dead_letters_are_counted_and_left_where_they_are() -> None:
    stack = a_stack("job.report", outputs={"DeadLetterQueueArn": QUEUE})
    account = quiet(
        describe_stacks={"Stacks": [*(each for each in STACKS if each["StackName"] != stack["StackName"]), stack]},
        get_queue_attributes={"Attributes": {"ApproximateNumberOfMessages": "2"}},
    )
    assert asked(account) == [("schedule", "job.report", "2 runs could not be started")]
    assert "receive_message" not in account.asked


def test_the_answers_of_500_and_more_are_counted() -> None:
    asked_for: dict[str, Any] = {}

    def answer(**given: Any) -> dict[str, Any]:
        asked_for.update(given)
        results = [
            {"Id": "httpcode_target_5xx_count", "Values": [40.0, 2.0]},
            {"Id": "httpcode_elb_5xx_count", "Values": []},
        ]
        return {"MetricDataResults": results}

    assert asked(quiet(get_metric_data=answer)) == [
        ("load balancer", "load balancer", "HTTPCode_Target_5XX_Count: 42 in 15 minutes")
    ]
    (dimension,) = asked_for["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert dimension == {"Name": "LoadBalancer", "Value": "app/shop/1"}


def test_what_may_not_be_asked_is_a_finding_and_the_rest_is_asked_all_the_same() -> None:
    message = "User: arn:aws:iam::1:user/ann is not authorized to perform: cloudwatch:GetMetricData because no policy"
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetMetricData")
    account = with_events(event("is unable to consistently start tasks successfully.", minutes=1))
    account.answers["get_metric_data"] = refused
    found = recognised(lines(account))
    assert [(each.signature, each.about) for each in found] == [
        ("denied", "load balancer"),
        ("starts-fail", "service.web"),
    ]
    assert found[0].cause == "IAM refuses arn:aws:iam::1:user/ann the right cloudwatch:GetMetricData."

"""A log group that takes an event, and keeps nothing of it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.plugin_utils.verify import logs
from plugins.plugin_utils.verify.finding import NOT_ASKED, OK, WRONG
from tests.unit.plugins.plugin_utils.verify.support import only, task

GROUP = task().log_group


def test_an_event_is_taken_and_no_stream_stays(aws: Cloud) -> None:
    api = aws.client("logs")
    api.create_log_group(logGroupName=GROUP)
    assert only(logs.check(api, task(), "r1")).state == OK
    assert api.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_a_group_that_is_gone_is_wrong_where_the_service_is_up(aws: Cloud) -> None:
    api = aws.client("logs")
    found = only(logs.check(api, task(), "r1"))
    assert (found.state, f"there is no log group {GROUP}" in found.reason) == (WRONG, True)
    assert only(logs.check(api, task(definition={}), "r1")).state == NOT_ASKED


def test_a_check_run_makes_no_stream(aws: Cloud) -> None:
    api = aws.client("logs")
    api.create_log_group(logGroupName=GROUP)
    assert only(logs.check(api, task(), "r1", True)).state == NOT_ASKED


def test_the_stream_goes_also_where_the_event_is_refused(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    api = aws.client("logs")
    api.create_log_group(logGroupName=GROUP)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutLogEvents")

    monkeypatch.setattr(api, "put_log_events", refuse)
    with pytest.raises(ClientError):
        list(logs.check(api, task(), "r1"))
    assert api.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_an_event_that_is_too_old_or_too_new_is_wrong() -> None:
    found = logs.judge(task(), {"tooNewLogEventStartIndex": 0})
    assert (found.state, "tooNewLogEventStartIndex" in found.reason) == (WRONG, True)

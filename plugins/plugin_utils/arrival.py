"""What SNS says became of messages to a topic: how many it has delivered, and how many not.

https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from __future__ import annotations

import datetime
from typing import Any

DELIVERED, FAILED = "NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"
PERIOD = 60


def told(cloudwatch: Any, topic: str, since: datetime.datetime) -> tuple[int, int]:
    """Delivered and failed so far. SNS writes them down by the minute, and they show some minutes late.

    To whom, only SNS's own logs would tell; and of an e-mail, that a mail server has taken it.

    Args:
        cloudwatch: client.
        topic: its ARN.
        since: with its time zone; all of its minute counts.
    """
    queries = [
        {
            "Id": name.lower(),
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/SNS",
                    "MetricName": name,
                    "Dimensions": [{"Name": "TopicName", "Value": topic.rpartition(":")[2]}],
                },
                "Period": PERIOD,
                "Stat": "Sum",
            },
        }
        for name in (DELIVERED, FAILED)
    ]
    begin = since.replace(second=0, microsecond=0)
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=PERIOD)
    # one page: two metrics of some minutes
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=begin, EndTime=end)
    found = {each["Id"]: int(sum(each["Values"])) for each in answer["MetricDataResults"]}
    return found.get(DELIVERED.lower(), 0), found.get(FAILED.lower(), 0)

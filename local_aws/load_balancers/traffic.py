"""How many requests the load balancers have passed on, by target group; and CloudWatch's metrics of them.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_aws.cloud import Cloud

NAMESPACE = "AWS/ApplicationELB"
SECONDS = 60.0
"""How often metrics are written."""


@dataclass
class Group:
    """A target group behind a load balancer.

    Attributes:
        requests: how many there were since the embedded AWS began to look.
        counted: what HAProxy said last, which begins anew with each of its reloads.
        healthy: how many targets are healthy now.
        told: of `requests`, how many are in CloudWatch.
    """

    requests: int = 0
    counted: int = 0
    healthy: int = 0
    told: int = 0


class Traffic:
    """Of all application load balancers."""

    def __init__(self) -> None:
        self.groups: dict[tuple[str, str], Group] = {}
        """By the ends of both ARNs, as metrics have them: `app/<name>/<id>` and `targetgroup/<name>/<id>`."""

    def seen(self, balancer: str, group: str, counted: int, healthy: int) -> None:
        """Take in what HAProxy says.

        Args:
            balancer, group: the ends of the ARNs.
            counted: requests since HAProxy's last reload.
            healthy: targets.
        """
        known = self.groups.setdefault((balancer, group), Group())
        known.requests += counted - known.counted if counted >= known.counted else counted
        known.counted, known.healthy = counted, healthy

    def forget(self, balancer: str) -> None:
        """Take a load balancer off that has gone."""
        self.groups = {key: group for key, group in self.groups.items() if key[0] != balancer}

    def data(self) -> list[dict[str, Any]]:
        """What to put into `NAMESPACE` for the time since the last call: nothing where no request came, as on AWS."""
        data: list[dict[str, Any]] = []
        whole: dict[str, int] = {}
        for (balancer, group), known in self.groups.items():
            new, known.told = known.requests - known.told, known.requests
            if not new:
                continue
            whole[balancer] = whole.get(balancer, 0) + new
            of_group = {"Name": "TargetGroup", "Value": group}
            both = [of_group, {"Name": "LoadBalancer", "Value": balancer}]
            data.append(_datum("RequestCount", both, new))
            data += [_datum("RequestCountPerTarget", each, new / max(known.healthy, 1)) for each in ([of_group], both)]
        data += [
            _datum("RequestCount", [{"Name": "LoadBalancer", "Value": name}], number) for name, number in whole.items()
        ]
        return data


def of(cloud: Cloud) -> Traffic:
    """The one of `cloud`."""
    found: Traffic = vars(cloud).setdefault("_traffic", Traffic())
    return found


def end(arn: str) -> str:
    """How metrics call a load balancer, or a target group, of this ARN."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")


def _datum(name: str, dimensions: list[dict[str, str]], value: float) -> dict[str, Any]:
    return {"MetricName": name, "Dimensions": dimensions, "Value": float(value), "Unit": "Count"}

"""What the account has of a site: stacks' outputs, services, task definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from plugins.plugin_utils.ecs import chunks, listed
from plugins.plugin_utils.site.labels import IMAGE

Json = dict[str, Any]


def outputs(cloudformation: Any, prefix: str, entries: Iterable[str]) -> dict[str, str]:
    """`database.main.SecretArn` → value, of the stacks of these entries that are there.

    Args:
        cloudformation: client.
        prefix: `<site_name>-<environment_name>`.
        entries: `database.main`, or `network`.
    """
    found: dict[str, str] = {}
    for entry in entries:
        name = f"{prefix}-{entry.replace('.', '-')}"
        try:
            (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                continue
            raise
        found |= {f"{entry}.{each['OutputKey']}": each["OutputValue"] for each in stack.get("Outputs", [])}
    return found


def services(ecs: Any, cluster: str) -> dict[str, Json]:
    """`service.web` → `service` and `definition`, as they run; empty without a cluster."""
    try:
        arns = listed(ecs, "list_services", "serviceArns", cluster=cluster)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ClusterNotFoundException":
            return {}
        raise
    found: dict[str, Json] = {}
    for part in chunks(arns, 10):
        for service in ecs.describe_services(cluster=cluster, services=part)["services"]:
            if service["status"] == "ACTIVE":
                definition = _definition(ecs, service["taskDefinition"])
                entry = definition["family"].removeprefix(f"{cluster}-service-")
                found[f"service.{entry}"] = {"service": dict(service), "definition": definition}
    return found


def jobs(ecs: Any, cluster: str, names: Iterable[str]) -> dict[str, Json]:
    """`job.migrate` → `definition`, the newest one, of the jobs that have one."""
    begin = f"{cluster}-job-"
    families = listed(ecs, "list_task_definition_families", "families", familyPrefix=begin, status="ACTIVE")
    return {
        f"job.{name}": {"definition": _definition(ecs, f"{begin}{name}")}
        for name in names
        if f"{begin}{name}" in families
    }


def images(live: Mapping[str, Json]) -> dict[str, str]:
    """Image as the inventory calls it → image of the registry; a service's before a job's."""
    found: dict[str, str] = {}
    for _, each in sorted(live.items(), key=lambda item: item[0], reverse=True):
        for container in each["definition"]["containerDefinitions"]:
            if called := container.get("dockerLabels", {}).get(IMAGE):
                found.setdefault(called, str(container["image"]))
    return found


def _definition(ecs: Any, name: str) -> Json:
    return dict(ecs.describe_task_definition(taskDefinition=name)["taskDefinition"])

"""What the ledger says of a release: which task definitions and images run, and which jobs ran before."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.site.images import with_tag
from plugins.plugin_utils.site.labels import IMAGE, RELEASE, TAG


def services_released(services: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, str]) -> dict[str, Any]:
    """Service → its task definition, its release, and its images by what the inventory calls them.

    Args:
        services: `lookup('site', 'service', images=…)`.
        outputs: of the layers, `service.<entry>.TaskDefinitionArn`; the task definition is empty before there is one.
    """
    return {
        name: {
            "task_definition": outputs.get(f"service.{name}.TaskDefinitionArn", ""),
            "release": next((each["DockerLabels"][RELEASE] for each in service["containers"]), ""),
            "images": {
                each["DockerLabels"][IMAGE]: with_tag(each["Image"], each["DockerLabels"].get(TAG, ""))
                for each in service["containers"]
            },
        }
        for name, service in services.items()
    }


def release_name(services: Mapping[str, Mapping[str, Any]]) -> str:
    """The release of all services; where they differ, each of them once, joined by `+`."""
    return "+".join(dict.fromkeys(each["release"] for each in services.values() if each["release"]))


def jobs_due(jobs: Iterable[str], live: Mapping[str, Mapping[str, Any]], outputs: Mapping[str, str]) -> list[str]:
    """The jobs that have not ended well yet in the revision that the layers have made.

    Args:
        jobs: of those that run before a release.
        live: job → `task_definition` and `ran` (`ecs_live_release`).
        outputs: of the layers, `job.<entry>.TaskDefinitionArn`.
    """
    return [
        job
        for job in jobs
        if job not in live
        or not live[job]["ran"]
        or live[job]["task_definition"] != outputs.get(f"job.{job}.TaskDefinitionArn")
    ]


def jobs_ran(
    results: Iterable[Mapping[str, Any]], outputs: Mapping[str, str], jobs: Iterable[str] = ()
) -> dict[str, Any]:
    """Job → its task definition, whether it ran now (it had not for this revision), and its exit code.

    Args:
        results: of a loop of `ecs_run_task` over `lookup('site', 'job') | dict2items`.
        outputs: of the layers, `job.<entry>.TaskDefinitionArn`.
        jobs: those that are told also where there is no result of them, as nobody had to ask for it.
    """
    found = {name: _job(name, {}, outputs) for name in jobs}
    for result in results:
        if "item" not in result:
            continue
        name = result["item"]["key"]
        found[name] = _job(name, result, outputs)
    return found


def _job(name: str, result: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[str, Any]:
    codes = list((result.get("exit_codes") or {}).values())
    return {
        "task_definition": outputs.get(f"job.{name}.TaskDefinitionArn", ""),
        "run": bool(result.get("changed")),
        "exit_code": next((code for code in codes if code), codes[0] if codes else None),
    }


def task_definitions(outputs: Mapping[str, str]) -> list[str]:
    """The ARNs of the task definitions of services and jobs.

    Args:
        outputs: of the layers, `service.<entry>.TaskDefinitionArn` and of jobs.
    """
    wanted = re.compile(r"(service|job)\..+\.TaskDefinitionArn")
    return [value for name, value in outputs.items() if wanted.fullmatch(name)]


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filter name → function."""
        return {
            "services_released": services_released,
            "release_name": release_name,
            "jobs_due": jobs_due,
            "jobs_ran": jobs_ran,
            "task_definitions": task_definitions,
        }

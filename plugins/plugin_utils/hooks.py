"""What a site does on its own around a release: `site_hooks`, read and judged."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from plugins.plugin_utils.layers import suggestion

HOOKS = ("build", "before_release", "after_release", "failed_release")
EXAMPLE = 'a list of commands and jobs, for example {hook}: ["make images", [python, check.py], {{job: check}}]'


def problems(hooks: Any, jobs: Mapping[str, Any]) -> list[dict[str, str]]:
    """What is wrong with `site_hooks`: the place of each (`site_hooks.build[0]`), and a sentence.

    Args:
        hooks: as they are written.
        jobs: `site_jobs`.
    """
    return [{"variable": variable, "say": say} for variable, say in _problems(hooks, jobs)]


def _problems(hooks: Any, jobs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not isinstance(hooks, Mapping):
        return  # the specification says that it is a mapping
    for hook, steps in hooks.items():
        place = f"site_hooks.{hook}"
        if hook not in HOOKS:
            yield place, f"is no moment of a release. There are {', '.join(HOOKS)}.{suggestion(str(hook), HOOKS)}"
        elif not isinstance(steps, list):
            yield place, f"must be {EXAMPLE.format(hook=hook)}."
        else:
            for number, step in enumerate(steps):
                if said := _wrong(step, str(hook), jobs):
                    yield f"{place}[{number}]", said


def _wrong(step: Any, hook: str, jobs: Mapping[str, Any]) -> str:
    """What is wrong with a step; empty if nothing is."""
    if isinstance(step, Mapping):
        return _wrong_job(step, hook, jobs)
    if isinstance(step, str):
        try:
            return "" if shlex.split(step) else "is empty. Write a command, or take the line out."
        except ValueError:
            return "has a quote that is not closed."
    if isinstance(step, list) and step and all(isinstance(word, (str, int, float)) for word in step):
        return ""
    return "is neither a command (a text, or a list of its words) nor a job ({job: check})."


def _wrong_job(step: Mapping[str, Any], hook: str, jobs: Mapping[str, Any]) -> str:
    if set(step) != {"job"}:
        return "must name a job and nothing else: {job: check}."
    name = str(step["job"])
    if hook == "build":
        return "is a job, and before the images are built there is nothing that it could run. Write a command."
    if name not in jobs:
        return f"names the job {name}, which site_jobs has not.{suggestion(name, jobs)}"
    run = (jobs[name] or {}).get("run")
    if run != "by_hand":
        return f"names the job {name}, which {_when(run)}. Write run: by_hand there."
    return ""


def _when(run: Any) -> str:
    return "runs before a release by itself" if run == "before_release" else "runs on a schedule"


def shown_problems(shown: Any) -> list[str]:
    """What is wrong with `release_shown_at`, a sentence each."""
    if not isinstance(shown, Mapping) or not shown:
        return []
    found = [
        f"has {key}, which is no key of it; it may have path and header.{suggestion(str(key), ('path', 'header'))}"
        for key in shown
        if key not in ("path", "header")
    ]
    if not str(shown.get("path") or "").startswith("/"):
        found.append("has no path that begins with a slash. Write for example {path: /healthz, header: X-Release}.")
    if "header" in shown and not str(shown["header"] or "").replace("-", "").isalnum():
        found.append("has a header that is no name of one. Write for example header: X-Release.")
    return found

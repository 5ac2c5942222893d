"""A rollback takes static files and functions' code along, and the next `site` leaves it so; on the embedded APIs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.playbooks.test_given_vpc import changed
from tests.unit.playbooks.test_release_verbs import PREFIX, STAGES, Worker, site

pytestmark = pytest.mark.playbook
__all__ = ["site"]

FIRST, SECOND = "assets/app-1f3c9a0b.js", "assets/app-2f3c9a0b.js"


def built(site: Worker, text: str, script: str) -> None:
    """The front end and the code of the function, as somebody has built them."""
    beside = site.inventory.parent
    for path in [each for each in (beside / "front").rglob("*") if each.is_file()]:
        path.unlink()
    for name, content in {
        "front/index.html": text, f"front/{script}": script, "front/robots.txt": text,
        "functions/items/app.py": f"def handler(event, context):\n    return {text!r}\n",
    }.items():  # fmt: skip
        written: Path = beside / name
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(content)


def shown(site: Worker) -> dict[str, str]:
    """What is asked for → what is in it."""
    s3 = site.aws.client("s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "-static-front-" in each["Name"]]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    return {
        key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        for key in keys
        if not key.startswith("_releases/")
    }


def runs(site: Worker) -> str:
    """The zip that the function runs."""
    (stack,) = site.aws.client("cloudformation").describe_stacks(StackName=f"{PREFIX}-function-items")["Stacks"]
    given: dict[str, str] = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    return given["FunctionCodeKey"]


@pytest.mark.long
def test_a_rollback_shows_the_old_release_wholly(site: Worker, tmp_path: Path) -> None:
    plays: list[dict[str, Any]] = yaml.safe_load((tmp_path / "most_of_site.yml").read_text())
    assert len(plays) == len(STAGES)
    plays.append({"name": "Import keep", "ansible.builtin.import_playbook": "playbooks/keep.yml"})
    (tmp_path / "most_of_site.yml").write_text(yaml.safe_dump(plays))
    items = {"code": "functions/items", "handler": "app.handler", "runtime": "python3.13", "routes": "$default"}
    worker = {"image": "registry.test/worker:1", "mem_limit": "64m", "secrets": {"KEY": "secret.key.value"}}
    nouns: dict[str, Any] = {"site_static": {"front": {"folder": "front"}}, "site_functions": {"items": items}}
    nouns |= {"site_services": {"worker": {"containers": {"worker": worker}, "deploy": {"replicas": 0}}}}
    nouns |= {"site_secrets": {"key": {"generate": "value"}}}
    image = "registry.test/worker:1"
    built(site, "first", FIRST)
    site.runs(image, **nouns)
    site.does("most_of_site.yml")
    first = runs(site)
    assert shown(site) == {"index.html": "first", "robots.txt": "first", FIRST: FIRST}
    assert changed(site.does("most_of_site.yml")) == "0"

    # A release that fails before its proof has shown nothing that replaces anything.
    built(site, "second", SECOND)
    site.runs(image, **nouns, site_hooks={"before_release": ["false"]})
    site.refused("release.yml", "-e", "release=2026.11.2")
    assert shown(site) == {"index.html": "first", "robots.txt": "first", FIRST: FIRST, SECOND: SECOND}
    site.runs(image, **nouns)
    site.does("release.yml", "-e", "release=2026.11.2")
    second = runs(site)
    assert (second != first, shown(site)["index.html"], shown(site)[FIRST]) == (True, "second", FIRST)
    entry = site.entries()[0]
    assert (entry["code"], entry["static"].keys()) == ({"items": second}, {"front"})

    # Whatever lies on this machine by now: other code, and nothing built. And a secret has changed meanwhile.
    built(site, "third", SECOND)
    shutil.rmtree(site.inventory.parent / "front")
    ((arn, version),) = entry["secrets"].items()
    secrets = site.aws.client("secretsmanager")
    newer = secrets.put_secret_value(SecretId=arn, SecretString='{"value": "of-today"}')["VersionId"]
    said = " ".join(site.does("rollback.yml").split())
    assert "Back to 1" in said
    assert f"{arn} had another value then (version {version}; now {newer})." in said
    assert "of-today" not in said
    assert (shown(site)["index.html"], shown(site)["robots.txt"], runs(site)) == ("first", "first", first)
    entry = site.entries()[0]
    assert (entry["code"], entry["static"]) == ({"items": first}, site.entries()[-1]["static"])

    # What was left lies here again, and does not come back by itself.
    built(site, "second", SECOND)
    said = site.does("most_of_site.yml")
    assert "site_functions.items.code has what a rollback has left, so what is live stays." in " ".join(said.split())
    assert "has the files that a rollback has left." in said
    assert (shown(site)["index.html"], runs(site)) == ("first", first)
    site.does("release.yml", "-e", "release=2026.11.2")
    assert (shown(site)["index.html"], runs(site)) == ("second", second)

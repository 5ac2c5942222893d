"""A site with static files, by its verbs: from nothing, again, built anew, without its entry, refused, taken down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from tests.unit.playbooks.test_given_vpc import Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers
from tests.unit.render_support import PROJECT
from tests.unit.variables_support import flat

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

OLD, NEW = "assets/app-1f3c9a0b.js", "assets/app-2f3c9a0b.js"


def described(site: Site, static: dict[str, Any], **more: Any) -> None:
    """Write a site of one service that is told of each entry of `static`, and may read it."""
    web: dict[str, Any] = {"image": "registry.test/web:1", "mem_limit": "64m", "ports": ["80"]}
    web["environment"] = {f"FILES_{name.upper()}": {"from": f"static.{name}.bucket"} for name in static}
    service = {"containers": {"web": web}, "routes": [{"to": "web"}]}
    service["uses"] = {f"static.{name}": "read" for name in static}
    site.describe(site_services={"web": service}, site_volumes={}, site_databases={}, site_static=static, **more)


def built(site: Site, name: str, *files: str) -> Path:
    """The folder of an entry, beside the inventory, with these files and no others."""
    folder = site.inventory.parent / name
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        path.unlink()
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
    return folder


@pytest.fixture
def site(tmp_path: Path, aws: Cloud) -> Site:
    """With a verb that ends before the services, which need hosts, and lets go of what the inventory has no longer."""
    made = Site(tmp_path, aws)
    (services,) = yaml.safe_load((PROJECT / "playbooks/services.yml").read_text())
    # The verb lies higher than the playbook that the play is of.
    services["vars_files"] = [f"roles/{role}/vars/main.yml" for role in ("publish", "rollout")]
    services["vars_files"].append("playbooks/vars/layers.yml")
    brought = yaml.safe_load((PROJECT / "playbooks/tasks/services.yml").read_text())
    (last,) = [task for task in flat(brought) if task.get("register") == "services_made"]
    last["cloudformation_stacks"]["layers"] = []
    last["when"] = "site.removed | length > 0"
    services["tasks"] = [last]
    ground = yaml.safe_load((tmp_path / "ground.yml").read_text())
    images, keep = (
        {"name": f"Import {name}", "ansible.builtin.import_playbook": f"playbooks/{name}.yml"}
        for name in ("images", "keep")
    )
    (tmp_path / "upload.yml").write_text(yaml.safe_dump([*ground, images, services, keep]))
    return made


def buckets(aws: Cloud) -> dict[str, str]:
    """Entry → its bucket."""
    names = [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]
    return {name.split("-")[3]: name for name in names if name.startswith("shop-live-static-")}


def tagged(aws: Cloud, bucket: str) -> dict[str, bool]:
    """Key → whether it is superseded."""
    s3 = aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    keys = [key for key in keys if not key.startswith("_releases/")]
    return {key: bool(s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]) for key in keys}


def test_static_files_from_nothing_to_nothing(site: Site, aws: Cloud) -> None:
    front, docs = {"folder": "front", "keep_days": 7}, {"folder": "docs", "cache_control": {"*.pdf": "max-age=60"}}
    built(site, "front", "index.html", OLD)
    built(site, "docs", "a.pdf")
    described(site, {"front": front, "docs": docs})
    looked = site.does("site.yml", "--check", "--diff")
    assert "+ stack shop-live-static-front" in looked
    assert site.stacks() == set()

    made = site.does("upload.yml", "--diff")
    assert f"+ {OLD} (text/javascript; charset=utf-8, public, max-age=31536000, immutable)" in made
    found = buckets(aws)
    assert found.keys() == {"front", "docs"}
    assert tagged(aws, found["front"]) == {OLD: False, "index.html": False}
    head = aws.client("s3").head_object(Bucket=found["docs"], Key="a.pdf")
    assert (head["ContentType"], head["CacheControl"]) == ("application/pdf", "max-age=60")
    (rule,) = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=found["front"])["Rules"]
    assert rule["Expiration"]["Days"] == 7
    assert changed(site.does("upload.yml")) == "0"

    built(site, "front", "index.html", NEW)
    site.does("upload.yml")
    assert tagged(aws, found["front"]) == {OLD: True, NEW: False, "index.html": False}
    assert changed(site.does("upload.yml")) == "0"

    # An entry that goes takes its bucket along, though there are files in it.
    described(site, {"front": front})
    site.does("upload.yml")
    assert buckets(aws) == {"front": found["front"]}

    # What goes need not be built.
    built(site, "front")
    refused = site.run("ground.yml")
    assert refused.returncode != 0
    assert "site_static.front.folder: is front, in which there is no file." in " ".join(refused.stdout.split())
    left = site.does("teardown.yml", "-e", "confirm=live")
    assert "AWS::CloudFormation::Stack  shop-live-static-front" in left
    assert "buckets that are not empty, but for what is built (static files, code of functions)" in left
    assert site.stacks() == set()
    assert buckets(aws) == {}

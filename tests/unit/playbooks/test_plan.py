"""What `plan` says of a site: from nothing, unchanged, changed without harm, and where it would lose data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from local_aws.cloud import Cloud
from local_aws.cloudformation.handlers.ecs import Service
from tests.unit.playbooks.test_given_vpc import PROJECT, SITE, Site, changed
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

CHECK = {"name": "Check", "ansible.builtin.import_playbook": "playbooks/preflight.yml"}
UP: dict[str, Any] = {
    "name": "Bring up all layers, the services too",
    "hosts": "localhost",
    "gather_facts": False,
    "vars_files": ["playbooks/../roles/publish/vars/main.yml", "playbooks/vars/layers.yml"],
    "tasks": [
        {
            "name": "Bring up the layers",
            "cloudformation_stacks": {
                "prefix": "{{ site_prefix }}",
                "tags": "{{ site_tags }}",
                "layers": "{{ site_stages.values() | flatten }}",
                "remove": "{{ site_remove }}",
            },
            "register": "site",
        }
    ],
}
PLANTED = "hunter2-never-to-be-seen"
WEB: dict[str, Any] = SITE["site_services"]["web"]["containers"]["web"]
IN_CLEAR = {
    "TaskDefinition.ContainerDefinitions.web.Environment": [{"Name": "API_TOKEN", "Value": PLANTED}],
    "TaskDefinition.ContainerDefinitions.web.Command": ["serve", f"--password={PLANTED}"],
}
"""What the inventory's own words refuse, and a patch does not."""
HARMLESS: dict[str, Any] = {"environment": {"COLOR": "a|b"}, "mem_limit": "96m"}


@pytest.fixture
def site(tmp_path: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Site:
    """No task ever starts here, so no service waits for its own."""
    monkeypatch.setattr(Service, "_wait_for_deployment", lambda *_: None)
    made = Site(tmp_path, aws)
    (tmp_path / "plan.yml").symlink_to(PROJECT / "plan.yml")
    (tmp_path / "up.yml").write_text(yaml.safe_dump([CHECK, UP]))
    return made


def service(patch: dict[str, Any] | None = None, **container: Any) -> dict[str, Any]:
    """The service, its container being another one in this."""
    return {"web": {**SITE["site_services"]["web"], "containers": {"web": WEB | container}, "patch": patch or {}}}


def plan(site: Site, code: int, *options: str) -> str:
    """What `plan` says, which must end with this code."""
    done = site.run("plan.yml", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert not done.stderr.strip(), done.stderr
    return done.stdout


def shown(site: Site, code: int, kind: str) -> Iterator[str]:
    """The same on the screen and in a file."""
    path = site.inventory / "plan.out"
    yield plan(site, code, "-e", f"format={kind}", "-e", f"output={path}")
    yield path.read_text()
    path.unlink()


def events(aws: Cloud) -> int:
    """How much has happened to the stacks that there are."""
    client = aws.client("cloudformation")
    return sum(
        len(client.describe_stack_events(StackName=each["StackId"])["StackEvents"])
        for each in client.describe_stacks()["Stacks"]
    )


def test_a_site_from_nothing_to_one_that_would_lose_its_data(site: Site, aws: Cloud) -> None:
    site.describe()
    bare = plan(site, 0)
    assert site.stacks() == set(), "not even that of a change set"
    assert "Plan of shop-live: Stacks: 9 to create." in bare
    assert "+ database.main · 8 resources · with data: Secret, Login, Database" in bare
    assert len(bare.splitlines()) < 50, bare
    assert "A month: $0.00 → $" in bare
    assert "  no price is known of network load balancer (0 → 1)" in bare
    refused = site.run("plan.yml", "-e", "format=jsn")
    assert refused.returncode == 2
    assert "There is no format jsn of a plan (text, markdown, json)" in " ".join(refused.stdout.split())
    assert "-e format=json" in refused.stdout

    site.does("up.yml")
    before = events(aws)
    unchanged = plan(site, 0)
    assert "Plan of shop-live: Nothing to change." in unchanged
    assert re.search(r"A month: \$\d+\.\d\d as it is, at list prices of us-east-1, read on ", unchanged), unchanged
    assert changed(unchanged) == "0"

    site.describe(site_hosts={"min": 2})
    said = plan(site, 0)
    assert "  host, t3.micro: 1 → 2, +$7.59" in said
    assert "  public IPv4 address: 3 → 4, +$3.65" in said

    site.describe(site_services=service(**HARMLESS), log_retention_days=14)
    said = plan(site, 0)
    assert "    LogRetentionDays: 30 → 14" in said
    assert "AWS::ECS::TaskDefinition: ExecutionRoleArn" not in said
    assert "environment.COLOR: (none) → a|b" in said
    assert "memory: 64 → 96" in said
    assert "= ledger, network, certificate, expose, database.main, volume.media, cluster, dns" in said

    lost = {"site_databases": {"main": {"patch": {"Database.DBName": "other"}}}}
    site.describe(**lost, site_services=service(IN_CLEAR))
    database = site.resources("shop-live-database-main")["Database"]
    for text in shown(site, 3, "text"):
        assert f"! {database}: database.main.Database (AWS::RDS::DBInstance) would be replaced" in text
        assert "environment.API_TOKEN: (none) → (not shown)" in text
        assert "command: (none) → (not shown)" in text
        assert "service.web: its patch writes TaskDefinition.ContainerDefinitions.web.Environment" in text
        assert PLANTED not in text
    *_, comment = shown(site, 3, "markdown")
    assert PLANTED not in comment
    assert [token.type for token in MarkdownIt("commonmark").enable("table").parse(comment)].count("table_open") == 4
    assert database in comment
    *_, read = shown(site, 3, "json")
    assert PLANTED not in read
    assert json.loads(read)["exit_code"] == 3
    assert [each["physical_id"] for each in json.loads(read)["losses"]] == [database]

    site.describe(site_volumes={}, site_services=service(volumes=[]))
    gone = plan(site, 3)
    assert "! volume.media: volume.media.FileSystem (AWS::EFS::FileSystem) fs-" in gone
    assert "- volume.media · the inventory has it no longer" in gone
    assert "volume./srv/media: media → (none)" in gone
    site.describe(site_volumes={}, site_services=service(volumes=[]), site_remove=["volume.media"])
    assert "— named in site_remove" in plan(site, 3), "with leave it goes all the same"

    # A secret that stands in clear already.
    site.describe(site_services=service(IN_CLEAR))
    assert events(aws) == before, "no plan has changed anything"
    site.does("up.yml")
    site.describe()
    for kind in ("text", "markdown", "json"):
        for text in shown(site, 0, kind):
            assert "environment.API_TOKEN" in text
            assert PLANTED not in text
    assert PLANTED not in plan(site, 0, "-vvv")
    assert changed(site.does("up.yml")) == "1"
    assert "Nothing to change." in plan(site, 0)

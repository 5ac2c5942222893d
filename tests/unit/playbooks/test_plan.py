"""What `plan` says of a site: from nothing, unchanged, changed without harm, and where it would lose data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.cloudformation.handlers.ecs import Service
from tests.unit.playbooks.test_given_vpc import PROJECT, SITE, Site
from tests.unit.plugins.modules.test_modules_account import ecs_lists_providers

pytestmark = [pytest.mark.playbook, pytest.mark.long, pytest.mark.usefixtures("ecs_lists_providers")]
__all__ = ["ecs_lists_providers"]

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
PATCHED = {"TaskDefinition.ContainerDefinitions.web.Environment": [{"Name": "API_TOKEN", "Value": PLANTED}]}


@pytest.fixture
def site(tmp_path: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Site:
    """No task ever starts here, so no service waits for its own."""
    monkeypatch.setattr(Service, "_wait_for_deployment", lambda *_: None)
    made = Site(tmp_path, aws)
    (tmp_path / "plan.yml").symlink_to(PROJECT / "plan.yml")
    (tmp_path / "up.yml").write_text(
        yaml.safe_dump([{"name": "Check", "ansible.builtin.import_playbook": "playbooks/preflight.yml"}, UP])
    )
    return made


def service(**container: Any) -> dict[str, Any]:
    """The service, its container being another one in this."""
    return {"web": {**SITE["site_services"]["web"], "containers": {"web": WEB | container}}}


def plan(site: Site, code: int, *options: str) -> str:
    """What `plan` says, which must end with this code."""
    done = site.run("plan.yml", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert not done.stderr.strip(), done.stderr
    return done.stdout


def test_a_site_from_nothing_to_a_lost_volume(site: Site, aws: Cloud, tmp_path: Path) -> None:
    out = tmp_path / "plan.out"
    site.describe()
    bare = plan(site, 0)
    print(bare)
    assert site.stacks() == set(), "not even a change set's"
    assert "+ database.main · " in bare
    assert "with data: Secret, Database" in bare
    assert len(bare.splitlines()) < 50, bare

    site.does("up.yml")
    unchanged = plan(site, 0)
    print(unchanged)
    assert "Plan of shop-live: Nothing to change." in unchanged

    # Without harm: a value, a secret that stands in clear, a port.
    site.describe(site_services=service(environment={"COLOR": "a|b"}, mem_limit="96m"), log_retention_days=30)
    changing = plan(site, 0)
    print(changing)
    assert "~ service.web" in changing
    assert "environment.COLOR: (none) → a|b" in changing
    assert "memory: 64 → 96" in changing

    lost = {"site_databases": {"main": {"name": "other"}}}
    patched = {"web": {**service(environment={"COLOR": "a|b"})["web"], "patch": PATCHED}}
    site.describe(**lost, site_services=patched)
    database = site.resources("shop-live-database-main")["Database"]
    for kind in ("text", "markdown", "json"):
        said = plan(site, 3, "-e", f"format={kind}", "-e", f"output={out}")
        print(out.read_text())
        assert PLANTED not in said
        assert PLANTED not in out.read_text()
        assert database in out.read_text()
        assert "API_TOKEN" in out.read_text()
        if kind == "json":
            assert json.loads(out.read_text())["exit_code"] == 3

    site.describe(site_volumes={}, site_services=service(volumes=[]))
    gone = plan(site, 3)
    print(gone)
    assert "volume.media" in gone
    assert {each["StackStatus"] for each in aws.client("cloudformation").describe_stacks()["Stacks"]} <= {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
    }

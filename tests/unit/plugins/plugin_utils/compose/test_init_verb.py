"""`init.yml` makes a whole inventory, says what it did, and overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.unit.plugins.plugin_utils.compose.support import NEW, PROJECT
from tests.unit.plugins.plugin_utils.compose.test_describing import SHOP

pytestmark = pytest.mark.playbook


def run(
    folder: Path, *given: str, verb: str = "init.yml", home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Type the verb in a folder; only preflight is given somebody's keys, as the others ask no AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    keys = {"AWS_ACCESS_KEY_ID": "berth-embedded", "AWS_SECRET_ACCESS_KEY": "not-a-secret-0f3c9d"}
    shell = kept | {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "HOME": str(home or folder)}
    shell |= keys if verb == "preflight.yml" else {}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), str(PROJECT / verb), *given]
    return subprocess.run(command, cwd=folder, env=shell, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(autouse=True)
def compose(tmp_path: Path) -> None:
    """A Compose file in a folder `shop`."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/compose.yml").write_text(SHOP)


def test_it_makes_an_inventory_that_preflight_finds_right_once_the_rest_is_typed(tmp_path: Path) -> None:
    given = ("-e", "compose=shop/compose.yml", "-e", "inventory=inventories/live")
    looked = run(tmp_path, *given, "--check")
    assert (looked.returncode, (tmp_path / "inventories").exists()) == (0, False), looked.stdout + looked.stderr
    done = run(tmp_path, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "web.restart, web.deploy.restart_policy: ECS replaces a task whose container ends; take the line out."
        in " ".join(done.stdout.split())
    )
    assert "tell-nobody" not in done.stdout
    live = tmp_path / "inventories/live"
    files = {str(path.relative_to(live)) for path in live.rglob("*") if path.is_file()}
    assert files == {str(path.relative_to(NEW)) for path in NEW.rglob("*.yml")}
    assert [path.name for path in live.parent.iterdir()] == ["live"], "nothing is left beside it"
    assert yaml.safe_load((live / "environment.yml").read_text())["site_name"] == "shop"
    offline = ("-i", "inventories/live", "-e", "preflight_account=false")
    refused = run(tmp_path, *offline, verb="preflight.yml")
    assert "domain_name: is the placeholder that came with the inventory." in refused.stdout
    settings = live / "group_vars/site/main.yml"
    settings.write_text(settings.read_text().replace("www.example.org", "shop.test"))
    right = run(tmp_path, *offline, verb="preflight.yml")
    assert right.returncode == 0, right.stdout + right.stderr
    before = {path: path.read_text() for path in live.rglob("*.yml")}
    again = run(tmp_path, *given)
    assert again.returncode != 0
    assert "inventories/live is there already, and init.yml overwrites nothing." in again.stdout
    assert before == {path: path.read_text() for path in live.rglob("*.yml")}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"compose": "shop/compose.yml"}, "Name the Compose file, and the folder of the inventory"),
        ({"compose": "nowhere.yml", "inventory": "live"}, "nowhere.yml cannot be read"),
        ({"compose": "shop/compose.yml", "inventory": "inventories/Live-1"}, "cannot be the folder of an environment"),
        ({"compose": "shop/compose.yml", "inventory": "inventories/new"}, "cannot be the folder of an environment"),
        ({"compose": "shop/compose.yml", "inventory": "inventories/network"}, "and no word of a layer"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, given: dict[str, str], says: str) -> None:
    done = run(tmp_path, *(word for name, value in given.items() for word in ("-e", f"{name}={value}")))
    assert done.returncode != 0
    assert says in " ".join(done.stdout.split())
    assert not (tmp_path / "inventories").exists()

"""`compose_file.yml` writes the Compose file of an inventory and the variables that it reads; a second time nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.unit.plugins.plugin_utils.compose.support import PROJECT
from tests.unit.plugins.plugin_utils.compose.test_init_verb import run

pytestmark = pytest.mark.playbook


def test_it_writes_both_files_and_then_nothing(tmp_path: Path) -> None:
    inventory = tmp_path / "trial"
    shutil.copytree(PROJECT / "inventories/new", inventory)
    written = [PROJECT / f"compose.trial.{ending}" for ending in ("yml", "env.example")]
    try:
        looked = run(tmp_path, "-i", str(inventory), "--check", verb="compose_file.yml")
        assert (looked.returncode, written[0].exists()) == (0, False), looked.stdout + looked.stderr
        done = run(tmp_path, "-i", str(inventory), verb="compose_file.yml")
        assert done.returncode == 0, done.stdout + done.stderr
        assert yaml.safe_load(written[0].read_text())["services"]["web"]["environment"]["ALLOWED_HOSTS"] == "localhost"
        assert "DATABASE_MAIN_PASSWORD=local\n" in written[1].read_text()
        assert "\nCOMPOSE_PROJECT_NAME=example\n" in written[1].read_text()
        again = run(PROJECT, "-i", str(inventory), verb="compose_file.yml", home=tmp_path)
        assert "- docker compose -f compose.trial.yml --env-file compose.trial.env up\n" in again.stdout
        assert "changed=0" in again.stdout, again.stdout
    finally:
        for path in written:
            path.unlink(missing_ok=True)

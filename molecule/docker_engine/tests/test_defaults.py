"""The Docker engine with the role's defaults."""

from __future__ import annotations

import json
from typing import Any


def test_the_engine_runs_with_the_written_settings(host: Any) -> None:
    assert json.loads(host.file("/etc/docker/daemon.json").content_string)["live-restore"] is True
    assert host.check_output("docker info -f '{{.LiveRestoreEnabled}}'") == "true"

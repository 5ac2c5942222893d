"""What a change of the Docker engine's settings takes, and what dockerd has against them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.modules import docker_engine_plan as engine

UNIT = """ActiveState=active
MainPID=222
ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// $OPTIONS ${ONE} $NONE ; ignore_errors=no }
Environment=ONE=a\\ b
EnvironmentFiles=-/etc/sysconfig/docker (ignore_errors=yes)
EnvironmentFiles=/etc/sysconfig/docker (ignore_errors=yes)
"""
WANTED = {"live-restore": True, "log-opts": {"max-size": "10m"}, "registry-mirrors": []}


def keep(folder: Path, **copies: dict[str, Any]) -> Path:
    for name, content in copies.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_flags_are_those_that_the_unit_gives_with_the_wanted_file() -> None:
    unit = engine.properties(UNIT)
    given = {"/etc/sysconfig/docker": '# a comment\nOPTIONS="--default-ulimit nofile=1:2"\n'}
    assert engine.command_line(unit, given) == [
        "/usr/bin/dockerd", "-H", "fd://", "--default-ulimit", "nofile=1:2", "a b",
    ]  # fmt: skip


def test_an_engine_with_its_settings_needs_nothing(tmp_path: Path) -> None:
    keep(tmp_path, started=WANTED, loaded=WANTED)
    assert engine.plan(WANTED, ["-H"], ["-H"], tmp_path, True) == {"state": "started", "because": []}


@pytest.mark.parametrize(
    ("changed", "state", "because"),
    [
        ({"registry-mirrors": ["https://mirror.example.org"]}, "reloaded", ["registry-mirrors"]),
        ({"log-opts": {"max-size": "5m"}}, "restarted", ["log-opts"]),
        ({"default-ulimits": {}, "registry-mirrors": ["https://m.example.org"]}, "restarted", ["default-ulimits"]),
    ],
)
def test_what_a_reload_takes_over_needs_no_restart(
    tmp_path: Path, changed: dict[str, Any], state: str, because: list[str]
) -> None:
    keep(tmp_path, started=WANTED, loaded=WANTED)
    assert engine.plan(WANTED | changed, [], [], tmp_path, True) == {"state": state, "because": because}


def test_a_setting_that_was_reloaded_is_not_waiting_for_a_restart(tmp_path: Path) -> None:
    keep(tmp_path, started=WANTED | {"registry-mirrors": ["https://former.example.org"]}, loaded=WANTED)
    assert engine.plan(WANTED, [], [], tmp_path, True)["state"] == "started"


def test_a_reload_that_failed_is_seen_by_live_restore(tmp_path: Path) -> None:
    keep(tmp_path, started=WANTED, loaded=WANTED)
    assert engine.plan(WANTED, [], [], tmp_path, False) == {"state": "reloaded", "because": ["live-restore"]}


def test_a_flag_of_the_running_engine_that_is_to_go_needs_a_restart(tmp_path: Path) -> None:
    keep(tmp_path, started=WANTED, loaded=WANTED)
    found = engine.plan(WANTED, ["-H"], ["-H", "--default-ulimit", "nofile=1:2"], tmp_path, True)
    assert found == {"state": "restarted", "because": ["flags (--default-ulimit nofile=1:2)"]}


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_an_engine_of_which_nothing_is_known_is_restarted(tmp_path: Path, content: str | None) -> None:
    keep(tmp_path, loaded=WANTED)
    if content is not None:
        (tmp_path / "started.json").write_text(content)
    assert engine.plan(WANTED, [], [], tmp_path, True)["state"] == "restarted"


@pytest.mark.parametrize(
    ("containers", "live_restore", "plugins", "said"),
    [
        ([], False, ["rexray/efs:latest"], ""),
        (["web"], True, [], ""),
        (["web"], False, [], "live-restore is not in effect"),
        (["web"], True, ["rexray/efs:latest"], "rexray/efs:latest counts its mounts"),
    ],
)
def test_who_would_be_harmed_by_a_restart(
    containers: list[str], live_restore: bool, plugins: list[str], said: str
) -> None:
    found = engine.harm(containers, live_restore, plugins)
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize(("code", "said"), [(0, ""), (1, "the following directives are specified both")])
def test_a_newer_dockerd_validates(tmp_path: Path, code: int, said: str) -> None:
    """Amazon Linux's; the test hosts have an older one, whose check is seen in molecule's scenario docker_engine."""
    dockerd = tmp_path / "dockerd"
    dockerd.write_text(
        f"""#!/bin/bash
        if [[ $1 == --help ]]; then echo "      --validate     Validate daemon configuration and exit"; exit; fi
        [[ $1 == -H && $2 == fd:// && $3 == --config-file && -s $4 && $5 == --validate ]] || exit 9
        echo "{said}" >&2
        exit {code}
        """
    )
    dockerd.chmod(0o755)
    assert engine.problem([str(dockerd), "-H", "fd://"], "{}") == said

"""How a host starts the real agent: its environment, the memory that it sees, what is mounted and written for it."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from local_aws.real_agent import binary, placing, start
from local_aws.tests.elf_support import program

MACHINE = "MemTotal:       24576000 kB\nMemFree:          100000 kB\nBuffers:          500000 kB\nHugePages_Total:  0\n"


def test_the_environment_is_that_of_ecs_init_and_of_both_files(tmp_path: Path) -> None:
    (tmp_path / "ami").write_text("ECS_CLUSTER=of-the-ami\nECS_LOGLEVEL=debug\n")
    (tmp_path / "own").write_text(
        "\n# ECS_COMMENT\nECS_CLUSTER=demo\n  ECS_RESERVED_PORTS=[22, 80]  \nno equals sign\n"
        'ECS_INSTANCE_ATTRIBUTES={"a": "b=c"}\n'
        "ECS_BACKEND_HOST='https://quoted'\nECS_VOLUME_PLUGIN_CAPABILITIES=[]\n"
    )
    found = start.environment([str(tmp_path / name) for name in ("ami", "own", "none")])
    assert found["ECS_CLUSTER"] == "demo"
    assert found["ECS_LOGLEVEL"] == "debug"
    assert found["ECS_RESERVED_PORTS"] == "[22, 80]"
    assert found["ECS_INSTANCE_ATTRIBUTES"] == '{"a": "b=c"}'
    assert found["ECS_BACKEND_HOST"] == "'https://quoted'", "ecs-init takes no quotes away; systemd would"
    assert found["ECS_VOLUME_PLUGIN_CAPABILITIES"] == "[]", "what is written wins over the defaults"
    assert found["ECS_DATADIR"] == "/var/lib/ecs/data"
    assert found["ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE"] == "true"
    assert "ECS_ENABLE_TASK_ENI" not in found
    assert not [key for key in found if key.startswith("#") or " " in key]
    assert set(found) - {key for key in found if key.startswith("ECS_")} == {"PATH"}, (
        "nothing of systemd's or a shell's"
    )


@pytest.mark.parametrize(
    ("limits", "total", "free"),
    [(["805306368\n"], 786432, 100000), (["max\n"], 24576000, 100000), ([], 24576000, 100000),
     (["9223372036854771712\n"], 24576000, 100000), (["max", "52428800"], 51200, 51200)],
)  # fmt: skip
def test_the_agent_sees_the_hosts_memory_not_the_machines(limits: list[str], total: int, free: int) -> None:
    lines = dict(line.split(":") for line in start.meminfo(MACHINE, limits).splitlines())
    assert lines["MemTotal"].split() == [str(total), "kB"]
    assert lines["MemFree"].split() == [str(free), "kB"]
    assert lines["Buffers"].split() == ["500000", "kB"]
    assert lines["HugePages_Total"].split() == ["0"]
    again = start.meminfo(start.meminfo(MACHINE, limits), limits)
    assert again == start.meminfo(MACHINE, limits), "at the second start it reads what it wrote"


def test_it_becomes_the_agent_with_no_other_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    became: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *arguments: became.append(arguments))
    start.main([], {"ECS_CLUSTER": "demo"})
    assert became == [(start.AGENT, [start.AGENT], {"ECS_CLUSTER": "demo"})]
    limit, source = tmp_path / "limit", tmp_path / "source"
    limit.write_text("52428800\n")
    source.write_text(MACHINE)
    start.write_meminfo(str(tmp_path / "meminfo"), [str(limit), str(tmp_path / "none")], str(source))
    assert (tmp_path / "meminfo").read_text().startswith("MemTotal:           51200 kB\n")
    assert became[1:] == []


def test_what_the_hosts_mount_is_a_copy_and_read_only(tmp_path: Path) -> None:
    named, folder = tmp_path / "named", tmp_path / "state" / "ecs-agent"
    named.write_bytes(program(["/bin/true"]))
    named.chmod(0o755)
    placing.prepare(named, folder)
    named.unlink()
    assert sorted(path.name for path in folder.iterdir()) == ["agent", "start.py"]
    assert os.access(folder / "agent", os.X_OK)
    (mount,) = placing.mounts(folder)["volumes"].items()
    assert mount == (str(folder), {"bind": "/usr/libexec/local-aws-agent", "mode": "ro"})
    with pytest.raises(binary.NoAgent):
        placing.prepare(named, folder)


def test_the_lines_over_the_unit_name_what_is_mounted() -> None:
    with tarfile.open(fileobj=io.BytesIO(placing.unit())) as tar:
        assert tar.getnames() == ["ecs.service.d", "ecs.service.d/50-real-agent.conf"]
        file = tar.extractfile("ecs.service.d/50-real-agent.conf")
        assert file is not None
        lines = file.read().decode().splitlines()
    assert Path(start.AGENT).parent == Path(placing.MOUNTED)
    run = f"ExecStart=/usr/bin/python3 {placing.MOUNTED}/start.py"
    assert lines.index("ExecStart=") < lines.index(run), "the stand-in is taken away first"
    assert f"ExecStartPre=/usr/bin/python3 {placing.MOUNTED}/start.py meminfo" in lines
    assert f"BindReadOnlyPaths=-{start.MEMINFO}:/proc/meminfo" in lines

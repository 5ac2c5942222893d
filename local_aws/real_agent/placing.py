"""How the agent comes into a host: a folder of the state, mounted read-only, and a few lines over its unit."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

from local_aws.real_agent import binary

HERE = Path(__file__).parent
MOUNTED = "/usr/libexec/local-aws-agent"
"""Where a host has the folder; `start.py` and `real-agent.conf` name it too."""
UNITS = "/etc/systemd/system"
DROP_IN = "ecs.service.d/50-real-agent.conf"


def prepare(agent: Path, folder: Path) -> None:
    """Put what the hosts mount into `folder`: a copy, so that the hosts keep the one that was checked.

    Raises:
        binary.NoAgent: the agent is gone, or cannot be read any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    binary.install(agent, folder / "agent")
    shutil.copyfile(HERE / "start.py", folder / "start.py")


def mounts(folder: Path) -> dict[str, Any]:
    """What the container of a host is made with, as Docker's SDK has it."""
    return {"volumes": {str(folder): {"bind": MOUNTED, "mode": "ro"}}}


def unit() -> bytes:
    """An archive of the lines over the unit, to be unpacked in `UNITS` before the host starts."""
    content = (HERE / "real-agent.conf").read_bytes()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folder = tarfile.TarInfo(DROP_IN.partition("/")[0])
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        entry = tarfile.TarInfo(DROP_IN)
        entry.size, entry.mode = len(content), 0o644
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()

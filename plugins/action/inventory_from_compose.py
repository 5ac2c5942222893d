"""Make the folder of a first inventory of a Compose file."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Container
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.inventory_from_compose import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.compose.describing import describe
from plugins.plugin_utils.compose.loading import ComposeError, load
from plugins.plugin_utils.compose.writing import folder
from plugins.plugin_utils.places import TEMPLATE, shown

ENVIRONMENT = re.compile(r"[a-z][a-z0-9]{0,11}")
"""Names of environments, as a rule of roles/preflight has them."""


class ActionModule(AwsAction):
    """See plugins/modules/inventory_from_compose.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Read, then write all or nothing.

        Raises:
            Failed: the folder is there, cannot be an environment's, or the file is no Compose file.
        """
        source, target = Path(self.arguments["src"]), Path(self.arguments["dest"])
        if target.exists() or target.is_symlink():
            raise Failed(f"{shown(target)} is there already, and init.yml overwrites nothing. Name another folder.")
        if not is_environment(target.name, self.arguments["layers"]):
            raise Failed(
                f"{shown(target)} cannot be the folder of an environment, which is called after it: use small letters "
                "and digits, a letter first, at most 12, and no word of a layer, as stacks are called after these, for "
                f"example {shown(target.parent / 'live')}."
            )
        try:
            made = describe(load(source))
        except ComposeError as error:
            raise Failed(str(error)) from error
        files = folder(made, str(source), Path(self.arguments["template"]))
        if not self.check_mode:
            _write(files, target)
        return {"changed": True, "files": sorted(files), "report": made.report.lines()}


def is_environment(name: str, layers: Container[str]) -> bool:
    """Whether an environment can be called so.

    Args:
        name: of the environment.
        layers: words of the layers.
    """
    return bool(ENVIRONMENT.fullmatch(name)) and name != TEMPLATE and name not in layers


def _write(files: dict[str, str], target: Path) -> None:
    """Beside the target first: it is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for name, text in files.items():
            (beside / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).write_text(text)
        beside.chmod(0o755)
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)

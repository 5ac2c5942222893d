"""Say who holds the lock of an environment, and take it from them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.environment_unlock import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ledger import Ledger, lock_told
from plugins.plugin_utils.places import verb


class ActionModule(AwsAction):
    """See plugins/modules/environment_unlock.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Delete the lock of the holder that is named."""
        prefix, named, run = (str(self.arguments[name]) for name in ("prefix", "holder", "run"))
        ledger = Ledger.find(self.client, prefix, self.arguments["bucket"])
        held = ledger.lock.read() if ledger else None
        if ledger is None or held is None:
            return {"changed": False, "lock": {}}
        if named and named != held.holder.name:
            raise Failed(
                f"{prefix} is not unlocked, as {named} does not hold it: {held.sentence}. "
                f"Type: {verb('unlock.yml')} -e confirm={held.holder.name}"
            )
        if run and run != held.holder.run:
            raise Failed(f"{prefix} is not unlocked, as another run has taken the lock meanwhile: {held.sentence}.")
        removed = bool(named) and (self.check_mode or ledger.lock.let_go(held))
        return {"changed": removed, "lock": lock_told(held)}

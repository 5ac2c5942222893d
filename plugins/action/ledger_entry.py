"""Add to this run's entry in the ledger."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ledger_entry import DOCUMENTATION
from plugins.plugin_utils import secret_versions
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.ledger import Ledger, Place


class ActionModule(AwsAction):
    """See plugins/modules/ledger_entry.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Merge the facts into the entry."""
        place = Place.of_this_run(str(self.arguments["prefix"]))
        if place is None or self.check_mode:
            return {"changed": False, "recorded": False}
        key = self.arguments["key"] or place.key
        try:
            entry = Ledger(self.client("s3"), place.bucket).update(key, self.arguments["facts"] | self._secrets())
        except TimeoutError as error:
            raise Failed(f"The ledger's entry cannot be written: {error}. Type the same command again.") from None
        return {"changed": False, "recorded": entry is not None} | ({"entry": entry} if entry else {})

    def _secrets(self) -> dict[str, Any]:
        """Which version each secret has that those tasks read."""
        definitions = [each for each in self.arguments["secrets_of"] if each]
        return {"secrets": secret_versions.read(self.client, definitions)} if definitions else {}

"""Say which images the site's registry has no longer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.registry_images import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction
from plugins.plugin_utils.ledger_table import Image

GONE = ("ImageNotFoundException", "RepositoryNotFoundException")


class ActionModule(AwsAction):
    """See plugins/modules/registry_images.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask for each image."""
        missing, unasked = [], []
        for image in dict.fromkeys(self.arguments["images"]):
            found = Image.of(image, self.arguments["prefix"])
            if not found:
                unasked.append(image)
            elif not self._is_there(found):
                missing.append(image)
        return {"changed": False, "missing": missing, "unasked": unasked}

    def _is_there(self, image: Image) -> bool:
        wanted = {"repositoryName": image.repository, "imageIds": [image.identifier]}
        try:
            details = self.client("ecr").describe_images(**wanted)["imageDetails"]  # one page: one image
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return False
            raise
        return bool(details)

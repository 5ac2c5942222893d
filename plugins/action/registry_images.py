"""Say which images the site's registry has no longer."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.registry_images import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction

GONE = ("ImageNotFoundException", "RepositoryNotFoundException")


class ActionModule(AwsAction):
    """See plugins/modules/registry_images.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask for each image."""
        own = re.compile(rf"/({re.escape(self.arguments['prefix'])}/[^:@]+)(?::([^@]+))?(?:@(sha256:[0-9a-f]+))?$")
        missing, unasked = [], []
        for image in dict.fromkeys(self.arguments["images"]):
            found = own.search(image)
            if not found:
                unasked.append(image)
            elif not self._is_there(*found.groups()):
                missing.append(image)
        return {"changed": False, "missing": missing, "unasked": unasked}

    def _is_there(self, repository: str, tag: str | None, digest: str | None) -> bool:
        # A digest says what a tag only names.
        wanted = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
        try:
            details = self.client("ecr").describe_images(repositoryName=repository, imageIds=[wanted])["imageDetails"]
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return False
            raise
        return bool(details)

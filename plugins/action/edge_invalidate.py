"""Have CloudFront let go of files that were replaced."""

from __future__ import annotations

import sys
import urllib.parse
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.edge_invalidate import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, reason

LAYER, OUTPUT = "edge", "EdgeDistributionId"
MOST_PATHS = 300
"""Beyond, all of the distribution is let go of: 3,000 may be under way, of which each month 1,000 cost nothing.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html
"""
PAGE = "index.html"
DENIED = ("AccessDenied", "AccessDeniedException")


class ActionModule(AwsAction):
    """See plugins/modules/edge_invalidate.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Find the distribution, and tell it."""
        wanted = paths(self.arguments["files"])
        distribution = self._distribution() if wanted else ""
        if not distribution:
            return {"changed": False, "paths": []}
        if not self.check_mode:
            batch = {"Paths": {"Quantity": len(wanted), "Items": wanted}, "CallerReference": uuid.uuid4().hex}
            try:
                self.client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
            except ClientError as error:
                if error.response["Error"]["Code"] not in DENIED:
                    raise
                typed = f"aws cloudfront create-invalidation --distribution-id {distribution} --paths '/*'"
                self.say("edge", f"{reason(error)}. It may show old files for a while; else type: {typed}", "yellow")
                return {"changed": False, "paths": []}
            self.say("edge", f"{distribution} lets go of {len(wanted)} paths, which takes a minute or so")
        return {"changed": True, "paths": wanted}

    def _distribution(self) -> str:
        """Its id; empty if the site has none."""
        try:
            found = self.client("cloudformation").describe_stacks(StackName=f"{self.arguments['prefix']}-{LAYER}")
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            return ""
        outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in found["Stacks"][0].get("Outputs", [])}
        return outputs.get(OUTPUT, "")


def paths(files: Iterable[str]) -> list[str]:
    """The paths of files as CloudFront takes them; of a folder's page also that of the folder."""
    found = list(dict.fromkeys(files))
    found += [key.removesuffix(PAGE) for key in found if key == PAGE or key.endswith(f"/{PAGE}")]
    quoted = [f"/{urllib.parse.quote(key)}" for key in found]
    return quoted if len(quoted) <= MOST_PATHS else ["/*"]

"""Put the code of functions into a bucket, unless it is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.function_code import DOCUMENTATION
from plugins.plugin_utils import function_code
from plugins.plugin_utils.aws_action import AwsAction, Failed


class ActionModule(AwsAction):
    """See plugins/modules/function_code.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Upload what is missing.

        Raises:
            Failed: a folder cannot be read.
        """
        s3, bucket, uploaded = self.client("s3"), self.arguments["bucket"], []
        for folder in map(Path, self.arguments["folders"]):
            try:
                key = function_code.key(folder)
                if self._there(s3, bucket, key):
                    continue
                if not self.check_mode:
                    self.say("code", f"{folder.name} → {key[:12]}….zip")
                    s3.put_object(Bucket=bucket, Key=key, Body=function_code.zipped(folder))
            except (ValueError, OSError) as error:
                raise Failed(f"The code in {folder} cannot be zipped: {error}.") from None
            uploaded.append(key)
        missing = [key for key in self.arguments["keys"] if not self._there(s3, bucket, key)]
        return {"changed": bool(uploaded), "uploaded": uploaded, "missing": missing}

    @staticmethod
    def _there(s3: Any, bucket: str, key: str) -> bool:
        # By a list, for which a right to look is enough: to ask for its head is to read it.
        # one page: no other key begins with a whole one
        return bool(s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents"))

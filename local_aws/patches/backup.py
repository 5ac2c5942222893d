"""AWS Backup knows of no recovery point: the embedded AWS makes no backups of file systems."""

from __future__ import annotations

import json

from moto.backup import urls
from moto.backup.responses import BackupResponse

from local_aws.patches._moto import missing


@missing(BackupResponse, "list_recovery_points_by_resource")
def _list_recovery_points_by_resource(self: BackupResponse) -> str:
    del self
    return json.dumps({"RecoveryPoints": []})


urls.url_paths["{0}/resources/(?P<resource_arn>.+)/recovery-points/$"] = BackupResponse.dispatch

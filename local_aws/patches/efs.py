"""What moto's EFS lacks: taking a policy off, and the tag calls of the older API, which the volume plugin and Ansible's
efs module still use.

https://docs.aws.amazon.com/efs/latest/ug/API_DescribeTags.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.efs import urls
from moto.efs.responses import EFSResponse

from local_aws.patches._moto import missing

for _path in ("tags", "create-tags", "delete-tags"):
    urls.url_paths[f"/2015-02-01/{_path}/<resource_id>"] = EFSResponse.dispatch
    urls.url_paths[f"/2015-02-01/{_path}/<resource_id>/"] = EFSResponse.dispatch

JSON = {"Content-Type": "application/json"}


@missing(EFSResponse, "describe_tags")
def _describe_tags(self: Any) -> tuple[int, dict[str, str], str]:
    file_system = self._get_param("FileSystemId")
    self.efs_backend.describe_file_systems(None, 1, None, file_system)  # not there: FileSystemNotFound
    return 200, JSON, json.dumps({"Tags": self.efs_backend.list_tags_for_resource(file_system)})


@missing(EFSResponse, "delete_file_system_policy")
def _delete_file_system_policy(self: Any) -> tuple[int, dict[str, str], str]:
    """https://docs.aws.amazon.com/efs/latest/ug/API_DeleteFileSystemPolicy.html"""
    file_system = self._get_param("FileSystemId")
    self.efs_backend.describe_file_systems(None, 1, None, file_system)  # not there: FileSystemNotFound
    self.efs_backend.put_file_system_policy(file_system, "", False)
    return 200, JSON, ""


@missing(EFSResponse, "create_tags")
def _create_tags(self: Any) -> tuple[int, dict[str, str], str]:
    tags = {tag["Key"]: tag.get("Value", "") for tag in self._get_param("Tags") or []}
    self.efs_backend.tag_resource(self._get_param("FileSystemId"), tags)
    return 204, JSON, ""


@missing(EFSResponse, "delete_tags")
def _delete_tags(self: Any) -> tuple[int, dict[str, str], str]:
    self.efs_backend.untag_resource(self._get_param("FileSystemId"), self._get_param("TagKeys") or [])
    return 204, JSON, ""


@missing(EFSResponse, "put_backup_policy")
def _put_backup_policy(self: Any) -> tuple[int, dict[str, str], str]:
    file_system = _file_system(self)
    file_system._backup = self._get_param("BackupPolicy")["Status"] in ("ENABLED", "ENABLING")
    return 200, JSON, json.dumps({"BackupPolicy": {"Status": "ENABLED" if file_system._backup else "DISABLED"}})


@missing(EFSResponse, "update_file_system")
def _update_file_system(self: Any) -> tuple[int, dict[str, str], str]:
    file_system = _file_system(self)
    file_system.throughput_mode = self._get_param("ThroughputMode") or file_system.throughput_mode
    provisioned = self._get_param("ProvisionedThroughputInMibps")
    file_system.provisioned_throughput_in_mibps = (
        float(provisioned) if file_system.throughput_mode == "provisioned" and provisioned else None
    )
    return 202, JSON, json.dumps(file_system.info_json())


def _file_system(response: Any) -> Any:
    identifier = response._get_param("FileSystemId")
    response.efs_backend.describe_file_systems(None, 1, None, identifier)  # not there: FileSystemNotFound
    return response.efs_backend.file_systems_by_id[identifier]

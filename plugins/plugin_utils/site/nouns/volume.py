"""Volumes: folders that outlive tasks, on a file system of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.site.kinds import Choice, Flag, Text, Whole
from plugins.plugin_utils.site.noun import STACK, AwsName, Identity, Noun
from plugins.plugin_utils.site.patch import patch
from plugins.plugin_utils.site.place import Place
from plugins.plugin_utils.site.reference import KEY_ARN, Attribute, Output, existing_arn
from plugins.plugin_utils.site.schema import Key, Schema

DRIVERS = ("efs", "rexray", "task")
SCHEMA = Schema(
    "a volume",
    {
        "driver": Key(
            Choice(DRIVERS, {"local": "write task: empty with every task, shared by its containers."}), "efs"
        ),
        "uid": Key(Whole(0, 2**32 - 2), 1000),
        "gid": Key(Whole(0, 2**32 - 2)),
        "mode": Key(
            Text("four octal digits, in quotes: without them YAML makes another number of it", '"0755"', "[0-7]{4}"),
            "0755",
        ),
        "file_system_id": Key(Text("the id of a file system", "fs-0123456789abcdef0", "fs-[0-9a-f]{8,40}"), ""),
        "tls_only": Key(Flag(), False),
        "kms_key_arn": Key(existing_arn(KEY_ARN, "arn:aws:kms:…:key/…"), ""),
        "patch": Key(patch, {}),
    },
    {
        "external": "name the file system that exists: file_system_id: fs-….",
        "name": "a volume's name is its key here; take the line out.",
        "driver_opts": "Berth knows what its drivers need; take the lines out.",
        "path": "each container says where it mounts it: volumes: [<volume>:/srv/media].",
        "permissions": 'write mode: "0755".',
        "owner_uid": "write uid: 1000.",
        "owner_gid": "write gid: 1000.",
    },
)


@dataclass(frozen=True)
class Volume:
    """A volume.

    Attributes:
        entry: its name in the site.
        driver: `efs` mounts natively, `rexray` by the plugin of that name; both see the same files. `task` is no file
            system: the folder is empty when a task starts, shared by the task's containers, and gone with it.
        uid: owner of the folder when it is made.
        gid: its group; the same number by default.
        mode: its mode, octal; `2775` has what is made in it belong to its group.
        file_system_id: a file system that exists, to use instead of a new one.
        tls_only: whether the file system itself refuses who mounts it without TLS and without a right of its own.
        kms_key_arn: the key that it is encrypted with, if that is not AWS's own.
        patch: see patch.py.
    """

    entry: str
    driver: str
    uid: int
    gid: int
    mode: str
    file_system_id: str
    tls_only: bool
    kms_key_arn: str
    patch: dict[str, Any] = field(default_factory=dict)


def make(entry: str, gid: int | None, uid: int, **values: Any) -> Volume:
    """The volume; a gid that is not given is the uid."""
    return Volume(entry=entry, uid=uid, gid=uid if gid is None else gid, **values)


def check(entry: Volume, given: Mapping[Any, Any], at: Place) -> None:
    """A folder of a task has no owner to set and no file system. rexray has neither TLS nor a right of its own."""
    if entry.driver == "task":
        for key in ("uid", "gid", "mode", "file_system_id", "tls_only", "kms_key_arn"):
            if key in given:
                (at / key).wrong("means nothing with driver: task, which has no file system. Take the line out.")
        return
    if entry.tls_only and entry.driver == "rexray":
        (at / "tls_only").wrong("would shut out rexray, which mounts without TLS. Write driver: efs, or take it out.")
    for key in ("tls_only", "kms_key_arn") if entry.file_system_id else ():
        if key in given:
            (at / key).wrong("is for a file system that Berth makes; this one is as it was made. Take the line out.")


def attributes(entry: Volume, identity: Identity) -> dict[str, Attribute]:
    """What a volume can be asked for."""
    del identity
    return {} if entry.driver == "task" else {"id": Attribute(Output("FileSystemId"), data="")}


NOUN = Noun(
    "volume",
    "site_volumes",
    SCHEMA,
    make,
    check,
    attributes,
    # The Name tag, by which rexray finds the file system.
    names=(STACK, AwsName("file system's Name tag", "{prefix}/{entry}", 256)),
    instead_of_uses="mount it: volumes: [{entry}:/srv/{entry}] of a container.",
)

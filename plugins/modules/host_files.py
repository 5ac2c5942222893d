#!/usr/bin/python
"""The files of a host role, all in one call. Runs on the host, with what Python brings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files
short_description: Install the files of a host role
description:
  - Brings files to their wanted content and mode, owned by root, in the given order; makes missing folders (0755).
  - A file is replaced whole, by a rename. What is as wanted is not touched.
  - One call for a list, since M(ansible.builtin.template) takes two calls of a module for each file, which for the
    whole host play was a third of its time.
options:
  files:
    description: The files; other keys of an item are left to whoever reads the list.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {description: Where the file belongs., type: path, required: true}
      mode: {description: 'Its mode, octal in quotes.', type: str, required: true}
      template: {description: Name of a template of the role that makes the content., type: str}
      content: {description: The content itself., type: str}
author: Berth
"""

EXAMPLES = r"""
- name: Install the engine's files
  host_files:
    files:
      - {path: /etc/docker/daemon.json, template: daemon.json.j2, mode: "0644"}
"""

RETURN = r"""
paths:
  description: The files that were (in check mode, would be) changed.
  returned: success
  type: list
  elements: str
"""

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

FOLDER_MODE = 0o755
State = tuple[bytes, int, tuple[int, int]]
"""Of a file: content, mode, owner (user and group id)."""


def present(path: Path) -> State | None:
    """What is there; None if nothing is.

    Raises:
        ValueError: something else is there.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path} is no plain file. Look what it is (ls -l {path}), and move it away.")
    return path.read_bytes(), stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid)


def replace(path: Path, content: bytes, mode: int, owner: tuple[int, int]) -> None:
    """Write the file beside its place and rename it, so that nobody reads half of it."""
    for folder in reversed([each for each in path.parents if not each.exists()]):
        folder.mkdir(FOLDER_MODE)
        folder.chmod(FOLDER_MODE)  # whatever the umask
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chown(name, *owner)
        Path(name).chmod(mode)
        Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def difference(
    path: Path, before: tuple[bytes, int, tuple[int, int]] | None, content: bytes, mode: int
) -> dict[str, Any]:
    """What `--diff` shows: the content's lines, or the mode where only that differs."""
    if before and before[0] == content:
        return {
            "before_header": f"{path} (mode, owner)",
            "after_header": f"{path} (mode, owner)",
            "before": f"{before[1]:04o} {before[2][0]}:{before[2][1]}\n",
            "after": f"{mode:04o} 0:0\n",
        }
    return {
        "before_header": str(path),
        "after_header": str(path),
        "before": before[0].decode(errors="replace") if before else "",
        "after": content.decode(errors="replace"),
    }


def install(files: list[dict[str, Any]], check: bool, owner: tuple[int, int] = (0, 0)) -> dict[str, dict[str, Any]]:
    """Bring all files to what they should be; return path → difference of those that were not.

    Args:
        files: dicts of `path`, `content` and `mode`.
        check: change nothing.
        owner: user and group id of the files.

    Raises:
        ValueError: something that is no file stands in a file's place; no file has been touched then.
        OSError: a file could not be written; those before it have been.
    """
    wanted = [(Path(file["path"]), file["content"].encode(), int(file["mode"], 8)) for file in files]
    found = [(path, present(path), content, mode) for path, content, mode in wanted]
    changes = {}
    for path, before, content, mode in found:
        if before == (content, mode, owner):
            continue
        changes[str(path)] = difference(path, before, content, mode)
        if not check:
            replace(path, content, mode, owner)
    return changes


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(
        argument_spec={"files": {"type": "list", "elements": "dict", "required": True}}, supports_check_mode=True
    )
    try:
        changes = install(module.params["files"], module.check_mode)
    except (OSError, ValueError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(changes), paths=list(changes), diff=list(changes.values()))


if __name__ == "__main__":
    main()

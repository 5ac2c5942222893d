"""Bring the files of a folder of this machine to a volume of the site."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.volume_import import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.importing import folder as folders
from plugins.plugin_utils.importing.amounts import Teller, amount, some
from plugins.plugin_utils.importing.folder import Difference
from plugins.plugin_utils.importing.remote import NO_SSH, Broken, answered
from plugins.plugin_utils.importing.sending import NEW, REPLACE, Changed, Volume
from plugins.plugin_utils.places import shown, verb
from plugins.plugin_utils.tunnel import Host, run_by_ssh

LABEL = "label=com.amazonaws.ecs"
"""Of the containers that ECS has started; as playbooks/exec.yml finds them."""
LISTED = 5
"""How many paths a message names."""


class ActionModule(AwsAction):
    """See plugins/modules/volume_import.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Compare, then send what the volume has not.

        Raises:
            Failed: the folder cannot be brought over, no container has the volume, files differ, or the way broke.
        """
        self._volume, self._folder = self.arguments["volume"], Path(self.arguments["folder"]).expanduser()
        try:
            return self._import()
        except Broken as error:
            where = "The connection" if error.code == NO_SSH else "The container"
            raise Failed(
                f"{where} gave up while the files were brought to the volume {self._volume}: {str(error).rstrip('.')}. "
                "What has arrived stays, and is not sent again. Type the same command again."
            ) from None
        except Changed as error:
            raise Failed(
                f"{error} in {shown(self._folder)} was changed while it was read. Let nothing write there, or bring "
                "over a copy, and type the same command again."
            ) from None
        except OSError as error:
            raise Failed(
                f"This machine cannot read {shown(self._folder)}: {error.strerror} ({error.filename}). Type: "
                f"{verb('import_data.yml')} -e volume={self._volume} -e folder=<a folder that you may read>"
            ) from None

    def _import(self) -> dict[str, Any]:
        files, sums = self._here()
        volume = Volume(self._container())
        there = volume.checksums(self._teller("read {files} of {of} files on the volume"))
        found = folders.difference(files, sums, there)
        self._say_difference(found)
        size = sum(file.size for file in files)
        wanted = [*found.missing, *found.differing]
        result = {
            "changed": bool(wanted),
            "files": len(files),
            "bytes": size,
            "sent": len(wanted),
            "replaced": len(found.differing),
            "beside": len(found.beside),
        }
        if found.differing and not self.arguments["overwrite"]:
            raise Failed(
                f"{some(len(found.differing), 'file')} of the volume {self._volume} would be overwritten by another "
                f"content: {_listed([file.path for file in found.differing])}. Nothing was sent. If the folder's are "
                f"meant, type: {verb('import_data.yml')} -e volume={self._volume} -e folder={shown(self._folder)} "
                "-e overwrite=true"
            )
        if not wanted or self.check_mode:
            return result
        whole = sum(file.size for file in wanted)
        teller = Teller(
            lambda text: self.say(self._volume, text), "brought over {files} of {of} files, {bytes} of {all}",
            len(wanted), whole,
        )  # fmt: skip
        volume.send(self._folder, found.missing, sums, NEW, teller.more)
        volume.send(self._folder, found.differing, sums, REPLACE, teller.more)
        volume.end()
        self.say(
            self._volume, f"{some(len(wanted), 'file')} ({amount(whole)}) came over, each read back there", "green"
        )
        return result

    def _here(self) -> tuple[list[folders.File], dict[str, str]]:
        """The files of the folder, and their checksums."""
        if not self._folder.is_dir():
            raise Failed(
                f"{shown(self._folder)} is no folder of this machine. Type: {verb('import_data.yml')} "
                f"-e volume={self._volume} -e folder=<folder>"
            )
        files, others = folders.files(self._folder)
        if others:
            raise Failed(
                f"{shown(self._folder)} has links, or what is neither file nor folder: {_listed(others)}. They would "
                "be left behind. Make a copy that has what they lead to (cp -rL) and name that."
            )
        size = sum(file.size for file in files)
        self.say(self._volume, f"{shown(self._folder)} has {some(len(files), 'file')}, {amount(size)}")
        teller = Teller(lambda text: self.say(self._volume, text), "read {files} of {of} files here", len(files), size)
        return files, folders.checksums(self._folder, files, teller.so_far)

    def _teller(self, text: str) -> Callable[[int, int], None]:
        """Tells about numbers of which the whole is known later."""
        teller = Teller(lambda said: self.say(self._volume, said), text, 0, 0)

        def tell(files: int, whole: int) -> None:
            teller.of = whole
            teller.so_far(files, 0)

        return tell

    def _container(self) -> Callable[..., list[str]]:
        """What runs the script in a container that has the volume."""
        reasons, reached = list[str](), False
        for host in (Host.of(each) for each in self.arguments["hosts"]):
            for writer in self.arguments["writers"]:
                name = writer["container"].partition(".")[2]
                family = f"{self.arguments['prefix']}-service-{writer['task']}"
                looking = [
                    "docker", "ps", "--quiet", f"--filter={LABEL}.task-definition-family={family}",
                    f"--filter={LABEL}.container-name={name}",
                ]  # fmt: skip
                try:
                    found = answered(run_by_ssh(host, looking))
                except Broken as error:
                    reasons.append(f"{host.name}: {str(error).rstrip('.')}")
                    break
                reached = True
                if found:
                    self.say(self._volume, f"through {writer['container']} on {host.name}")
                    return self._script(host, found[0], writer["path"])
        wanted = ", ".join(writer["container"] for writer in self.arguments["writers"])
        if reached or not reasons:
            raise Failed(
                f"No container runs that has the volume {self._volume} to write to it ({wanted}). Is the service up? "
                f"Type: {verb('status.yml')}"
            )
        raise Failed(
            f"No host can be reached by ssh, so nothing can be brought to the volume {self._volume}. "
            f"{'. '.join(reasons[:LISTED])}. Port 22 of a host is open to host_admin_cidrs only; "
            "host_access_session_manager: true needs no port."
        )

    def _script(self, host: Host, container: str, path: str) -> Callable[..., list[str]]:
        def command(action: str, *words: str) -> list[str]:
            script = ["sh", "-c", self.arguments["script"], "import-volume", action, path, *words]
            return run_by_ssh(host, ["docker", "exec", "--interactive", container, *script])

        return command

    def _say_difference(self, found: Difference) -> None:
        parts = {
            "there already": found.same,
            "not there": len(found.missing),
            "there with another content": len(found.differing),
            "on the volume only": len(found.beside),
        }
        self.say(self._volume, ", ".join(f"{what} {number:,}" for what, number in parts.items()))


def _listed(paths: list[str]) -> str:
    """The first of some paths."""
    more = f" and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
    return ", ".join(path.encode(errors="backslashreplace").decode() for path in paths[:LISTED]) + more

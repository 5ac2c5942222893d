"""Say what of this machine's images a person would want to know before a deployment."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.local_images import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed

CONTENT_TAG = re.compile(r"[0-9a-f]{12}")
"""A tag that the role publish made of an image's content (publish_tags); another says nothing about it."""


class ActionModule(AwsAction):
    """See plugins/modules/local_images.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Look at the images.

        Raises:
            Failed: one is missing that is wanted, or no engine answers that is required.
        """
        found = self._found()
        if self.arguments["wanted"]:
            self._refuse_missing(found)
        live = {name: str(uri).rpartition(":")[2] for name, uri in self.arguments["live"].items()}
        differ, warnings = [], []
        for container, attributes in found.items():
            image, content = self.arguments["images"][container], attributes["Id"].removeprefix("sha256:")[:12]
            if CONTENT_TAG.fullmatch(live.get(container, "")) and live[container] != content:
                differ.append(image)
            else:
                warnings += self._ports(container, image, attributes)
        if differ:
            verb = "differ" if len(differ) > 1 else "differs"
            text = f"local {', '.join(differ)} {verb} from what is live; -e publish_select=local takes what is local"
            self.say("publish", text, "yellow")
        contents = {container: attributes["Id"] for container, attributes in found.items()}
        result = {"changed": False, "differ": differ, "contents": contents}
        return result | ({"warnings": warnings} if warnings else {})

    def _refuse_missing(self, found: Mapping[str, Any]) -> None:
        if self.silence:
            if self.arguments["engine"] == "required":
                raise Failed(f"No Docker engine answers, and images have to be pushed: {self.silence}")
            text = (
                f"Could not ask the Docker engine of this machine for the images of the site: {self.silence} If it has "
                "not got them, the run ends when they are to be published."
            )
            self.say("publish", text, "yellow")
            return
        missing = [str(image) for container, image in self.arguments["images"].items() if container not in found]
        if missing:
            example = any(image.startswith("legacy-site/") for image in missing)
            hint = " For the example: python examples/legacy_site/build.py" if example else ""
            raise Failed(
                f"This machine has no image {', '.join(missing)}. Build it, or name another in site_images.{hint}"
            )

    def _ports(self, container: str, image: str, attributes: Mapping[str, Any]) -> list[str]:
        """A warning, if the image names ports and the one that is asked is not among them."""
        port = self.arguments["ports"].get(container)
        exposed = (attributes.get("Config") or {}).get("ExposedPorts") or {}
        listens = sorted(int(each.partition("/")[0]) for each in exposed if each.endswith("/tcp"))
        if port is None or not listens or int(port) in listens:
            return []
        named = ", ".join(map(str, listens))
        return [
            f"The image {image} says that it listens on {named} (EXPOSE), but the load balancer will ask {container} "
            f"on port {port}. Unless it listens there too, set site_containers.{container}.port: {listens[0]}."
        ]

    def _found(self) -> dict[str, dict[str, Any]]:
        """Container → what the engine knows of its image, of those that it has."""
        self.silence = ""
        try:
            import docker
        except ImportError:
            self.silence = "The Docker SDK is missing. Type: pip install -r requirements.txt."
            return {}
        found: dict[str, dict[str, Any]] = {}
        try:
            engine = docker.from_env(timeout=10)
            for container, image in self.arguments["images"].items():
                with contextlib.suppress(docker.errors.ImageNotFound):
                    found[container] = dict(engine.images.get(image).attrs)
        except (docker.errors.DockerException, OSError) as error:  # no matter where nothing is to be pushed
            self.silence = f"{str(error).rstrip('.')}."
            return {}
        return found

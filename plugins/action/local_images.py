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
from plugins.plugin_utils.site.images import tag_of

CONTENT_TAG = re.compile(r"[0-9a-f]{12}")
"""A tag that was made of an image's content (image_pushes); another says nothing about it."""


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
        live = {image: tag_of(str(uri)) for image, uri in self.arguments["live"].items()}
        differ, warnings = [], []
        for image, attributes in found.items():
            content = attributes["Id"].removeprefix("sha256:")[:12]
            if CONTENT_TAG.fullmatch(live.get(image, "")) and live[image] != content:
                differ.append(image)
            else:
                warnings += self._ports(image, attributes)
        if differ:
            verb = "differ" if len(differ) > 1 else "differs"
            text = f"local {', '.join(differ)} {verb} from what is live; -e publish_select=local takes what is local"
            self.say("publish", text, "yellow")
        contents = {image: attributes["Id"] for image, attributes in found.items()}
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
        missing = [image for image in self.arguments["wanted"] if image not in found]
        if missing:
            # The examples' images are called after them.
            examples = sorted({image.partition("/")[0].replace("-", "_") for image in missing})
            built = " ".join(name for name in examples if (PROJECT / "examples" / name / "site.yml").is_file())
            hint = f" For the example: python examples/build.py {built}" if built else ""
            raise Failed(
                f"This machine has no image {', '.join(missing)}. Build it, or name another as image: in "
                f"site_services.{hint}"
            )

    def _ports(self, image: str, attributes: Mapping[str, Any]) -> list[str]:
        """Warnings, if the image names ports and one that is asked is not among them."""
        exposed = (attributes.get("Config") or {}).get("ExposedPorts") or {}
        listens = sorted(int(each.partition("/")[0]) for each in exposed if each.endswith("/tcp"))
        named = ", ".join(map(str, listens))
        return [
            f"The image {image} says that it listens on {named} (EXPOSE), but {asked['container']} will be asked on "
            f'port {asked["port"]}. Unless it listens there too, write ports: ["{listens[0]}"] of this container.'
            for asked in self.arguments["ports"]
            if asked["image"] == image and listens and int(asked["port"]) not in listens
        ]

    def _found(self) -> dict[str, dict[str, Any]]:
        """Image → what the engine knows of it, of those that it has."""
        self.silence = ""
        if not self.arguments["images"]:
            return {}  # a site may have none of this machine, and then needs no Docker here
        try:
            import docker
        except ImportError:
            self.silence = "The Docker SDK is missing. Type: pip install -r requirements.txt."
            return {}
        found: dict[str, dict[str, Any]] = {}
        try:
            engine = docker.from_env(timeout=10)
            for image in self.arguments["images"]:
                with contextlib.suppress(docker.errors.ImageNotFound):
                    found[image] = dict(engine.images.get(image).attrs)
        except (docker.errors.DockerException, OSError) as error:  # no matter where nothing is to be pushed
            self.silence = f"{str(error).rstrip('.')}."
            return {}
        return found

"""Push local images to ECR repositories, unless they are there."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.ecr_push import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.images import name_of, tag_of


class ActionModule(AwsAction):
    """See plugins/modules/ecr_push.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Push what is missing.

        Raises:
            Failed: naming every image that is not built or built for something else, and every missing repository,
                before anything is pushed; or a push failed.
        """
        self.ecr = self.client("ecr")
        wrong: list[str] = []
        rows = [self._look(image, wrong) for image in self.arguments["images"]]
        missing = [row for row in rows if not row["digest"]]
        if missing and not self.check_mode:  # what is not built yet may well be by the time of the real run
            docker = self._docker()
            for row in missing:
                self._check_local(docker, row, wrong)
            if wrong:
                raise Failed("\n".join(wrong))
            credentials = self._credentials()
            for row in missing:
                row["digest"] = self._push(docker, row, credentials)
        for row in rows:
            row["pushed"] = row in missing
            row["pinned"] = f"{row['uri']}@{row['digest']}" if row["digest"] else row["uri"]
            del row["build"]
        return {"changed": bool(missing), "images": rows}

    def _look(self, image: Mapping[str, Any], wrong: list[str]) -> dict[str, Any]:
        """What is wanted, and the digest if it is there."""
        row = {**image, "uri": "", "digest": ""}
        repository, tag = image["repository"], image["tag"]
        try:
            found = self.ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]
            row["uri"] = f"{found['repositoryUri']}:{tag}"
            row["digest"] = self._digest(repository, tag)
        except ClientError as error:
            if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                raise
            if not self.check_mode:
                wrong.append(
                    f"There is no ECR repository {repository}. The layer image makes it. Type: {verb('site.yml')}"
                )
        return row

    def _digest(self, repository: str, tag: str) -> str:
        try:
            details = self.ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ImageNotFoundException":
                return ""
            raise
        return str(details[0]["imageDigest"]) if details else ""

    @staticmethod
    def _docker() -> Any:
        try:
            import docker
        except ImportError:
            raise Failed("The Docker SDK is missing. Type: pip install -r requirements.txt") from None
        try:
            client = docker.from_env(timeout=600)
            client.ping()
        except docker.errors.DockerException as error:
            raise Failed(f"No Docker engine answers, and images have to be pushed: {error}") from None
        return client

    def _check_local(self, docker: Any, row: Mapping[str, Any], wrong: list[str]) -> None:
        from docker.errors import ImageNotFound

        try:
            image = docker.images.get(row["image"])
        except ImageNotFound:
            how = f" Type: {row['build']}" if row["build"] else ""
            wrong.append(f"The image {row['image']} is not built.{how}")
            return
        platform = f"{image.attrs['Os']}/{image.attrs['Architecture']}"
        if platform != self.arguments["platform"]:
            wanted = self.arguments["platform"]
            wrong.append(f"The image {row['image']} is built for {platform}. Build it with --platform {wanted}.")

    def _credentials(self) -> dict[str, str]:
        token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        name, _, password = base64.b64decode(token).decode().partition(":")
        return {"username": name, "password": password}

    def _push(self, docker: Any, row: Mapping[str, Any], credentials: Mapping[str, str]) -> str:
        from docker.errors import APIError

        repository, tag = name_of(row["uri"]), tag_of(row["uri"])
        self.say("push", f"{row['image']} → {row['uri']}")
        docker.images.get(row["image"]).tag(repository, tag)
        digest, layers = "", dict[str, str]()
        try:
            for line in docker.images.push(repository, tag, auth_config=dict(credentials), stream=True, decode=True):
                if "error" in line:
                    raise Failed(f"{row['image']} cannot be pushed to {row['uri']}: {line['error']}")
                digest = line.get("aux", {}).get("Digest", digest)
                status, layer = line.get("status", ""), line.get("id")
                if layer and status in ("Pushed", "Layer already exists", "Mounted from") and layer not in layers:
                    layers[layer] = status
                    self.say("push", f"layer {layer} {status.lower()}")
        except APIError as error:
            raise Failed(f"{row['image']} cannot be pushed to {row['uri']}: {error.explanation or error}") from None
        finally:
            docker.images.remove(row["uri"], noprune=True)  # the name only; the image keeps its own
        digest = digest or self._digest(row["repository"], row["tag"])
        if not digest:
            raise Failed(
                f"{row['image']} was pushed to {row['uri']}, and neither Docker nor the registry says under which "
                "digest. Type the same command again."
            )
        self.say("push", f"{row['uri']} {digest}", "green")
        return digest

"""What the suites of the rexray_efs scenarios share: the plugin's settings and containers with its volume.

The image `tools` is empty but for the links of a merged /usr (molecule/rexray_efs/prepare.yml); the programs are the
host's, bound in.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

RUN = "docker run --rm -v /usr:/usr:ro -v {volume} tools sh -c {script}"


def settings(host: Any) -> dict[str, str]:
    """The settings of the installed plugin that are not empty."""
    lines = json.loads(host.check_output("docker plugin inspect --format '{{json .Settings.Env}}' rexray/efs"))
    found = dict(line.split("=", 1) for line in lines)
    return {name: value for name, value in found.items() if value}


def with_media(host: Any, script: str) -> str:
    """The output of a shell script in a container that has the volume `media` of the plugin at /media."""
    command = RUN.format(volume="media:/media", script=shlex.quote(script))
    output: str = host.check_output(command)
    return output


def in_file_system(host: Any, script: str) -> str:
    """The output of a script in a container that has the whole file system of `media` at /root."""
    identifier = host.check_output("docker volume inspect --format '{{.Status.id}}' media")
    return on_native_volume(host, f"-o device={identifier}:/", script)


def on_native_volume(host: Any, options: str, script: str) -> str:
    """The output of a script in a container that has a volume of the native driver at /root, as ECS makes them."""
    host.check_output(f"docker volume create -d amazon-ecs-volume-plugin -o type=efs {options} native")
    output: str = host.check_output(RUN.format(volume="native:/root", script=shlex.quote(script)))
    host.check_output("docker volume rm native")  # of that driver: it never deletes files
    return output

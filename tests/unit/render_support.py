"""Render the layers' templates as the playbook does: a real play over the roles, on localhost, without any API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cfnlint.decode import decode_str

PROJECT = Path(__file__).resolve().parents[2]
STAGES: dict[str, list[str]] = yaml.safe_load((PROJECT / "group_vars/all/site.yml").read_text())["site_stages"]
LAYERS = [layer for stage in STAGES.values() for layer in stage]
"""The one list of layers, in its order."""

IMAGES = {
    "legacy-site/django": "registry/legacy-prod/legacy-site-django:1a2b",
    "legacy-site/nginx": "registry/legacy-prod/legacy-site-nginx:3c4d",
}
KNOWN = {
    # What the account and the registry would have said (playbooks/vars/layers.yml).
    "network_zones_offered": ["us-east-1a", "us-east-1b"],
    "cluster_ami_id": "ami-0123456789abcdef0",
    "service_images": IMAGES,
    "job_images": IMAGES,
    # Else the layer is left out: the site's DNS is somewhere else.
    "hosted_zone_id": "Z0SHOP",
}


@dataclass(frozen=True)
class Site:
    """One rendered site, by layer: a noun that a site has one of, or noun and entry (`database.main`).

    Attributes:
        bodies: layer → template body.
        user_data: what the hosts are told.
        layers: layer → parameters.
        takes: layer → parameter → output of an entry (`database.main.SecretArn`).
    """

    bodies: Mapping[str, str]
    user_data: str
    layers: Mapping[str, Any]
    takes: Mapping[str, Mapping[str, str]]

    def resources(self, layer: str) -> dict[str, Any]:
        """Logical id → resource, with short tags (!Ref) in their long form."""
        return dict(self._template(layer)["Resources"])

    def outputs(self, layer: str) -> set[str]:
        """Names of a layer's outputs."""
        return set(self._template(layer)["Outputs"])

    def values(self, layer: str) -> dict[str, Any]:
        """Name → value of a layer's outputs, short tags in their long form."""
        return {name: output["Value"] for name, output in self._template(layer)["Outputs"].items()}

    def parameters(self, layer: str) -> dict[str, Any]:
        """Name → declaration of a layer's parameters."""
        return dict(self._template(layer).get("Parameters", {}))

    def _template(self, layer: str) -> dict[str, Any]:
        template, problems = decode_str(self.bodies[layer])
        assert template is not None, problems
        return dict(template)


def render(folder: Path, given: Mapping[str, Any], inventory: str = "prod") -> Site:
    """The site that an inventory with these variables makes, those of one of inventories/ being the others.

    Args:
        folder: an empty folder for the run's files.
        given: variables that differ.
        inventory: name of the one whose `group_vars` are taken.
    """
    shown = {"user_data": "{{ described.user_data }}", "layers": "{{ rendered.layers }}"}
    play = {
        "name": "Render",
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Describe the hosts",
                "host_description": {"roles": "{{ host_roles }}"},
                "register": "described",
            },
            {
                "name": "Render the layers",
                "rendered_layers": {"layers": LAYERS},
                "vars": {"cluster_user_data": "{{ described.user_data }}"},
                "register": "rendered",
            },
            {
                "name": "Write what was rendered",
                "ansible.builtin.copy": {
                    "content": "{{ shown | to_json }}",
                    "dest": str(folder / "out"),
                    "mode": "0600",
                },
                "vars": {"shown": shown},
            },
        ],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all").symlink_to(PROJECT / "group_vars/all")
    for described in (PROJECT / f"inventories/{inventory}/group_vars").glob("site*"):
        (folder / "group_vars" / described.name).symlink_to(described)
    own = yaml.safe_load((PROJECT / f"inventories/{inventory}/environment.yml").read_text())
    identity = {"environment_name": inventory} | {name: own[name] for name in ("site_name", "aws_region")}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    groups = {"site": {"hosts": {"localhost": local}, "children": {"ecs_hosts": {}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(groups))
    (folder / "given.yml").write_text(yaml.safe_dump({**KNOWN, **identity, **given}))
    command = ["ansible-playbook", "play.yml", "-i", "hosts.yml", "-e", "@given.yml"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_ACTION_PLUGINS": f"{PROJECT}/plugins/action:{PROJECT}/tests/unit/action_plugins",
        "AWS_REGION": "us-east-1",  # as environment.yml sets it
    }
    run = subprocess.run(command, cwd=folder, env=kept | environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    out = json.loads((folder / "out").read_text())
    layers = out["layers"]
    return Site(
        {name: layer["template_body"] for name, layer in layers.items()},
        out["user_data"],
        {name: layer["parameters"] for name, layer in layers.items()},
        {name: layer.get("takes", {}) for name, layer in layers.items()},
    )

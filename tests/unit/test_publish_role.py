"""What the role publish asks of images."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader
from ansible.template import Templar, trust_as_template

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("instance_type", "platform"), [("t2.micro", "linux/amd64"), ("t4g.small", "linux/arm64")])
def test_images_must_be_built_for_the_processor_of_the_hosts(instance_type: str, platform: str) -> None:
    filter_loader.add_directory(str(PROJECT / "plugins/filter"))
    tasks = yaml.safe_load((PROJECT / "roles/publish/tasks/push.yml").read_text())
    (push,) = [task["ecr_push"] for task in tasks if "ecr_push" in task]
    templar = Templar(DataLoader(), {"host_instance_type": instance_type})
    assert templar.template(trust_as_template(push["platform"])) == platform

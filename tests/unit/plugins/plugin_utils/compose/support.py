"""A Compose file in a folder, described; and whether the rules of the site's model find it right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from plugins.plugin_utils.compose import fitting, writing
from plugins.plugin_utils.compose.describing import Described, describe
from plugins.plugin_utils.compose.loading import load
from plugins.plugin_utils.site.reading import read_site

PROJECT = Path(__file__).resolve().parents[5]
NEW = PROJECT / "inventories/new"


def described(folder: Path, text: str, **files: str) -> Described:
    """The description of a Compose file.

    Args:
        folder: where it is written, below a folder of its own called `shop`.
        text: of the file.
        files: beside it, name without its dot → text.
    """
    own = folder / "shop"
    own.mkdir()
    (own / "compose.yml").write_text(text)
    for name, content in files.items():
        (own / f".{name}").write_text(content)
    return describe(load(own / "compose.yml"))


def written(made: Described) -> dict[str, Any]:
    """The variables of the inventory, as they are read back from its file."""
    content: dict[str, Any] = yaml.safe_load(writing.folder(made, "compose.yml", NEW)[writing.DESCRIPTION])
    return content


def problems(made: Described) -> list[str]:
    """What preflight's model complains about, once what only a person can know is given."""
    identity = {
        "site_name": "shop", "environment_name": "live", "domain_name": "shop.test",
        "host_instance_type": made.host_instance_type,
    }  # fmt: skip
    return [str(each) for each in read_site(fitting.completed(written(made)) | identity).problems]


def dropped(made: Described) -> dict[str, str]:
    """Key of the Compose file → why it was dropped."""
    return {note.subject: note.sentence for note in made.report.dropped}


def wanted(made: Described) -> dict[str, str]:
    """What is still to be typed → what about it."""
    return {note.subject: note.sentence for note in made.report.wanted}


def chosen(made: Described) -> dict[str, str]:
    """What was chosen → why."""
    return {note.subject: note.sentence for note in made.report.chosen}

"""What each verb is told by `-e`, from the list that the verbs themselves go by."""

from __future__ import annotations

from pathlib import Path

import yaml

from scripts.pages.markdown import code, plain, table


def arguments(project: Path) -> str:
    """A table of all verbs that have arguments."""
    listed = yaml.safe_load((project / "playbooks/vars/arguments.yml").read_text())["verb_arguments"]
    rows = [[code(verb), code(name), plain(words)] for verb, given in listed.items() for name, words in given.items()]
    return table(["verb", "argument", "what it is"], rows)

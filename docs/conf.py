"""Settings of Sphinx for the documentation: `make docs`.

The pages are the Markdown files of the project where they stand, so that their links lead to the same on GitHub and
on the site; its top folder is Sphinx's source.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.docs_pages import filled

project = "Berth"
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/**.md",
    "benchmarks/*.md",
    "examples/README.md",
    "examples/*/README.md",
    "inventories/new/README.md",
    "local_aws/*.md",
    "local_aws/efs_client/README.md",
    "molecule/README.md",
    "roles/*/README.md",
]
exclude_patterns = [".*"]  # .venv and what else git ignores is not walked through

extensions = ["myst_parser"]
myst_heading_anchors = 4  # as GitHub makes them

html_theme = "furo"  # brings its style and script along: a page asks nobody else for anything
html_extra_path = ["index.html"]  # leads to the first page, which lies in docs/


def _fill(app: Sphinx, page: str, source: list[str]) -> None:
    del app
    source[0] = filled(source[0], f"{page}.md")


def setup(app: Sphinx) -> None:
    """Have the parts of pages made that a build makes."""
    app.connect("source-read", _fill)

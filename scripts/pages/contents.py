"""The site's navigation: the lists of its first page, and the roles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from plugins.plugin_utils.markdown import headings, slug
from scripts.pages.markdown import LINK, moved, section
from scripts.pages.roles import grouped

FIRST = "docs/index.md"


def contents(project: Path) -> str:
    """Hidden lists of pages, as Sphinx wants them: one a section of the first page, one a kind of role."""
    text = (project / FIRST).read_text()
    titles = [title for _, level, title in headings(text) if level > 1]
    lists = {title: _linked(moved(section(text, slug(title))[1], FIRST, "page.md")) for title in titles}
    roles = {kind: {role: f"roles/{role}/README.md" for role in names} for kind, names in grouped(project).items()}
    return "\n".join(_list(title, pages) for title, pages in (lists | roles).items())


def _linked(text: str) -> dict[str, str]:
    """What links are called → where they lead."""
    return {found[1][1:-1]: found[2] for found in LINK.finditer(text)}


def _list(title: str, pages: Mapping[str, str]) -> str:
    entries = (f"{called} </{page.removesuffix('.md')}>" for called, page in pages.items())
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {title}", "", *entries, "```", ""])

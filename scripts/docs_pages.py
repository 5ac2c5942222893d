"""The parts of a documentation page that are made when the site is built, of what they tell about.

Where one is to stand, a page says so in a comment, of which a reader on GitHub sees nothing:

    <!-- made: variables -->                       what a function of `MADE` makes
    <!-- from: README.md#verbs -->                 what stands under that heading of another page
    <!-- from: README.md -->                       what stands under its title
    <!-- from: examples/flask_plain/site.yml -->   a file, as a block of code
    <!-- wants: an-account -->                     what the next block takes that a test of the page has not (`WANTED`)

docs/conf.py hands every page to `filled`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from plugins.plugin_utils.markdown import headings
from scripts.pages.arguments import arguments
from scripts.pages.contents import contents
from scripts.pages.costs import costs, prices
from scripts.pages.markdown import deeper, moved, relinked, section
from scripts.pages.nouns import nouns
from scripts.pages.provoked import provoked
from scripts.pages.signatures import signatures
from scripts.pages.targets import targets
from scripts.pages.variables import variables

PROJECT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"^<!-- (?P<how>\w+): (?P<what>\S+) -->$", re.MULTILINE)
MADE: dict[str, Callable[[Path], str]] = {
    "arguments": arguments,
    "contents": contents,
    "costs": costs,
    "nouns": nouns,
    "prices": prices,
    "provoked": provoked,
    "signatures": signatures,
    "targets": targets,
    "variables": variables,
}
"""What can be made → by whom."""
WANTED = {"an-account": "*This wants an AWS account:*"}
"""What a block of commands may take → how the page says it; tests/tutorial.py leaves such a block out."""


class MarkError(ValueError):
    """A page asks for a part that is not there."""


def filled(text: str, page: str, project: Path = PROJECT) -> str:
    """A page with its parts.

    Args:
        text: of the page, Markdown.
        page: its path in the project.
        project: its top folder.

    Raises:
        MarkError: a part is not there.
    """

    def part(mark: re.Match[str]) -> str:
        level = max([level for _, level, _ in headings(text[: mark.start()])][-1:] or [1])
        if mark["how"] == "made" and mark["what"] in MADE:
            return MADE[mark["what"]](project)
        if mark["how"] == "from":
            return _from(mark["what"], page, level, project)
        if mark["how"] == "wants" and mark["what"] in WANTED:
            return WANTED[mark["what"]]
        raise MarkError(
            f"{page}: nothing makes {mark[0]}; there are {', '.join(MADE)}, and from; wants: {', '.join(WANTED)}"
        )

    return linked(MARK.sub(part, text), page, project)


def _from(what: str, page: str, level: int, project: Path) -> str:
    name, _, anchor = what.partition("#")
    if not (project / name).is_file():
        raise MarkError(f"{page}: there is no {name} to take a part from")
    text = (project / name).read_text()
    if not name.endswith(".md"):
        return f"```{Path(name).suffix[1:]}\n{text.strip()}\n```"
    try:
        depth, found = section(text, anchor)
    except KeyError:
        raise MarkError(f"{page}: {name} has no heading {anchor}") from None
    return moved(deeper(found, level - depth), name, page)


def linked(text: str, page: str, project: Path = PROJECT) -> str:
    """A page whose links to folders lead to their README; a folder without one is named only.

    GitHub shows a folder; the site has pages and files.
    """

    def link(words: str, target: str, anchor: str) -> str:
        path = project / posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        if not target or not path.is_dir():
            return f"{words}({target}{anchor})"
        if (path / "README.md").is_file():
            return f"{words}({posixpath.join(target, 'README.md')}{anchor})"
        return words[1:-1]

    return relinked(text, link)

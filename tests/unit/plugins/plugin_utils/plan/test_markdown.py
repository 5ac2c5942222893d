"""A plan as a comment: read by a parser of CommonMark and GitHub's tables, as GitHub would."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from plugins.plugin_utils.plan.markdown import LIMIT, code, plain, text
from plugins.plugin_utils.plan.model import CHANGE, SitePlan, StackChange, Value
from tests.unit.plugins.plugin_utils.plan.plan_support import AWKWARD, full

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ALL = "ansible-playbook plan.yml -i live"


def tokens(source: str) -> list[Token]:
    found = []
    for token in PARSER.parse(source):
        found += [token, *(token.children or [])]
    return found


def cells(source: str) -> list[str]:
    """The text of each cell of each table."""
    parsed = PARSER.parse(source)
    return [
        "".join(child.content for child in parsed[place + 1].children or [])
        for place, token in enumerate(parsed)
        if token.type in ("th_open", "td_open")
    ]


def one(value: str) -> SitePlan:
    return SitePlan("shop", "live", [StackChange("a", "x", CHANGE, [Value("Name", value, "after")])])


@pytest.mark.parametrize(
    "value",
    [
        AWKWARD, "a|b", "a\\|b", "\\", "|", "`", "``a`", " a ", "<script>x</script>", "<!-- a", "a_b_c", "*a*", "~~a~~",
        "[a](b)", "![a](b)", "&lt;", "# a", "- a", "1. a", "a`|`b", "\\`", "===", "ends with \\",
    ],
)  # fmt: skip
def test_a_value_in_a_table_is_what_it_was(value: str) -> None:
    made = text(one(value), ALL)
    found = cells(made)
    assert len(found) == 6, "three columns, two rows"
    assert found[4].replace("\u2060", "") == " ".join(value.split())
    kinds = {token.type for token in tokens(made)}
    assert not kinds & {"html_block", "html_inline", "link_open", "image"}, kinds


@pytest.mark.parametrize("value", [AWKWARD, "+ a", "- a", "# a", "= a", "1. a", "2) a", "<b>", "a_b_", "\\*"])
def test_a_text_is_what_it_was(value: str) -> None:
    parsed = PARSER.parse(plain(value))
    assert [token.type for token in parsed] == ["paragraph_open", "inline", "paragraph_close"]
    said = "".join(child.content for child in parsed[1].children or [])
    assert said.replace("\u2060", "") == value
    assert {child.type for child in parsed[1].children or []} <= {"text", "text_special"}


def test_nobody_is_told_of_a_comment() -> None:
    assert "@owner" not in plain("@owner")
    assert code("@owner") == "`@owner`", "in code GitHub looks for nobody"


def test_the_whole_plan_has_its_parts_and_no_html() -> None:
    made = text(full(), ALL)
    parsed = PARSER.parse(made)
    headings = [parsed[place + 1].content for place, token in enumerate(parsed) if token.type == "heading_open"]
    assert headings[0] == "Plan of shop-live"
    assert headings[1] == "The site would lose what holds data, or no longer see it"
    assert [each for each in headings if "volume.old" in each]
    kinds = [token.type for token in tokens(made)]
    assert "html_block" not in kinds
    assert "html_inline" not in kinds
    assert kinds.count("table_open") == 5
    assert len(made) < LIMIT


def test_a_long_plan_is_cut_behind_a_line_with_a_sentence() -> None:
    values = [Value(f"Name{number}", "before " * 9, "ä" * 90) for number in range(2_000)]
    plan = full()
    plan.stacks[2].parameters = values
    made = text(plan, ALL)
    assert LIMIT - 500 < len(made) <= LIMIT
    assert made.rstrip().endswith(f"All of it: `{ALL}`")
    assert made.startswith("### Plan of shop-live")
    found = cells(made)
    assert len(found) > 900, "what is kept of a table is a table"
    assert "shop-db-1" in found, "what would be lost comes first"
    parsed = PARSER.parse(made)
    assert parsed[-1].type == "paragraph_close", "the sentence is no row of the table"


def test_a_plan_that_just_fits_is_whole() -> None:
    made = text(full(), ALL)
    assert text(full(), ALL, len(made)) == made
    cut = text(full(), ALL, len(made) - 1)
    assert cut != made
    assert len(cut) < len(made)
    assert "Cut here" in cut

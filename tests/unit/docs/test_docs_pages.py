"""The documentation: the parts of its pages that are made, and that what its pages tell to type is there."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.markdown import headings, slug
from plugins.plugin_utils.site.container import CONTAINER
from plugins.plugin_utils.site.nouns import NOUNS
from scripts.docs_pages import PROJECT, MarkError, filled
from scripts.pages.contents import FIRST
from scripts.pages.markdown import LINK, deeper, moved, section
from scripts.pages.targets import TARGET
from tests.unit.docs.test_readme import PAGES, name

DOCS = sorted((PROJECT / "docs").rglob("*.md"))
TYPED = {
    "a verb": re.compile(r"ansible-playbook (?:-\S+ )*([\w./-]+\.yml)"),
    "a target of make": re.compile(r"(?:^(?: {4}|\$ )|`)make ([a-z][a-z0-9-]*)", re.MULTILINE),
    "a script": re.compile(r"python3? ((?:scripts|examples|benchmarks)/[\w./-]+\.py)"),
    "a scenario": re.compile(r"molecule \w+ -s (\w+)"),
    "a variable of a verb": re.compile(r"-e ([a-z]\w*)="),
    "an action of the embedded AWS": re.compile(r"python3? -m local_aws ([a-z]+)"),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a page and a file to take from."""
    (tmp_path / "roles/a").mkdir(parents=True)
    (tmp_path / "roles/a/README.md").write_text("# a\n\n[site](site.yml)\n\n## More, or less\n\n### Less\n\n[up](#a)\n")
    (tmp_path / "roles/a/site.yml").write_text("site: a\n")
    (tmp_path / "roles/b").mkdir()
    return tmp_path


# Parts of a page


def test_a_section_is_taken_with_its_links_and_as_deep_as_the_page_is_there(project: Path) -> None:
    page = "# Page\n\n<!-- from: roles/a/README.md#more-or-less -->\n\n## End\n"
    assert filled(page, "docs/page.md", project) == "# Page\n\n## Less\n\n[up](../roles/a/README.md#a)\n\n\n## End\n"


def test_a_section_that_begins_with_an_indented_block_keeps_it() -> None:
    assert section("# Page\n\n    code\n\ntext\n\n## End\n", "") == (1, "    code\n\ntext\n")


def test_what_stands_under_a_title_is_taken_without_the_rest(project: Path) -> None:
    made = filled("# Page\n\n<!-- from: roles/a/README.md -->\n", "docs/page.md", project)
    assert made.split() == ["#", "Page", "[site](../roles/a/site.yml)"]


def test_a_file_is_taken_whole_as_code(project: Path) -> None:
    assert "```yml\nsite: a\n```" in filled("<!-- from: roles/a/site.yml -->\n", "docs/page.md", project)


@pytest.mark.parametrize(
    "mark",
    [
        "from: roles/a/README.md#nothing",
        "from: roles/a/none.yml",
        "made: nothing",
        "form: roles/a/README.md",
        "wants: a-friend",
    ],
)
def test_what_is_not_there_cannot_be_taken(mark: str, project: Path) -> None:
    with pytest.raises(MarkError, match=r"docs/page\.md"):
        filled(f"<!-- {mark} -->\n", "docs/page.md", project)


def test_what_a_block_of_commands_wants_is_said(project: Path) -> None:
    made = filled("<!-- wants: an-account -->\n\n```console\n$ a\n```\n", "docs/page.md", project)
    assert made.startswith("*This wants an AWS account:*\n\n```console\n")


def test_a_folder_leads_to_its_readme_or_nowhere(project: Path) -> None:
    page = "[a](../roles/a) [b](../roles/b/) [c](https://acme.io/b)\n\n```\n[b](../roles/b/)\n```\n"
    made = filled(page, "docs/page.md", project)
    assert made == "[a](../roles/a/README.md) b [c](https://acme.io/b)\n\n```\n[b](../roles/b/)\n```\n"


def test_no_heading_is_found_in_code() -> None:
    text = "# Page\n\n```bash\n# a comment\n```\n\n## `code`, and more\n"
    assert [title for *_, title in headings(text)] == ["Page", "`code`, and more"]
    assert slug("`code`, and more") == "code-and-more"
    assert "# a comment" in deeper(text, 1)
    assert "### `code`, and more" in deeper(text, 1)
    with pytest.raises(KeyError):
        section(text, "a-comment")


def test_a_link_leads_to_the_same_from_another_page() -> None:
    assert moved("[x](y.md#z)", "roles/a/README.md", "docs/seeds/page.md") == "[x](../../roles/a/y.md#z)\n"


# What is made


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Each page as the site has it."""
    pages = {name(path): filled(path.read_text(), name(path)) for path in DOCS}
    assert not any("<!-- " in text for text in pages.values()), "a comment that is no mark"
    return pages


def specified(options: dict[str, Any], of: str = "") -> Iterator[str]:
    """The options of a role, and those within."""
    for option, words in options.items():
        yield f"{of}{option}"
        yield from specified(words.get("options", {}), f"{of}{option}.")


def test_every_variable_of_every_role_is_told_with_its_default(made: dict[str, str]) -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)` \| [^|]+ \| (.*?) \| \S", made["docs/variables.md"], re.MULTILINE))
    for path in (PROJECT / "roles").glob("*/meta/argument_specs.yml"):
        options = yaml.safe_load(path.read_text())["argument_specs"]["main"].get("options", {})
        assert set(specified(options)) <= set(rows), path
    assert rows["site_name"] == "required"
    assert rows["host_instance_type"] == "`t3.micro`"
    assert rows["network_availability_zones"] == "`[]`"
    assert rows["host_roles"] == "[see there](../roles/cluster/defaults/main.yml)"


def test_every_key_of_every_noun_is_told_with_what_it_takes(made: dict[str, str]) -> None:
    page = made["docs/nouns.md"]
    for noun in NOUNS.values():
        told = section(page, noun.variable)[1]
        keys = {key for key, value in noun.schema.keys.items() if value is not CONTAINER.keys.get(key)}
        assert keys == set(re.findall(r"^\| `(\w+)` \| .+ \| .* \|$", told, re.MULTILINE))
        assert f"{noun.variable}:" in told, "the README's entry is shown"
    assert "| `driver` | `efs` or `rexray` or `task` | `efs` |" in page
    assert "| `multi_az` | `true` or `false` | `false` |" in page
    assert "| `deploy.update_config.order` | `start-first` or `stop-first` | `start-first` |" in page
    assert "| `restart` | ECS replaces a task whose container ends; take the line out. |" in page
    assert set(CONTAINER.keys) <= set(re.findall(r"^\| `(\w+)` ", section(page, "a-container")[1], re.MULTILINE))


def test_every_verb_and_every_target_is_told(made: dict[str, str]) -> None:
    page = made["docs/verbs.md"]
    verbs = {path.name for path in PROJECT.glob("*.yml") if "import_playbook" in path.read_text()}
    assert verbs <= set(TYPED["a verb"].findall(page))
    assert {target for target, _ in TARGET.findall((PROJECT / "Makefile").read_text())} == set(
        re.findall(r"^\| `make ([a-z0-9-]+)` ", page, re.MULTILINE)
    )


def test_the_navigation_has_every_page_once(made: dict[str, str]) -> None:
    listed = re.findall(r"^.+ </(\S+)>$", made["docs/index.md"], re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert {name(path) for path in PAGES} - {f"{page}.md" for page in listed} == {"docs/index.md"}


def test_the_site_begins_with_the_first_page() -> None:
    settings = dict(re.findall(r"^(\w+) = (\S+)", (PROJECT / "docs/conf.py").read_text(), re.MULTILINE))
    assert settings["html_extra_path"] == '["index.html"]'
    assert settings["root_doc"] == f'"{FIRST.removesuffix(".md")}"'
    assert f'url={FIRST.removesuffix(".md")}.html"' in (PROJECT / "docs/index.html").read_text()
    assert settings["exclude_patterns"] == '[".*"]', "or it looks through all of .venv"


def test_a_site_of_a_seed_is_shown_as_its_file_has_it(made: dict[str, str]) -> None:
    pages = {page: text for page, text in made.items() if page.startswith("docs/seeds/")}
    assert len(pages) >= 4
    for page, text in pages.items():
        examples = {target for _, target, _ in LINK.findall(text) if target.endswith("/site.yml")}
        assert examples, page
        for example in examples:
            assert (PROJECT / page).parent.joinpath(example).read_text().strip() in text


# What is told to type


def typed() -> Iterator[Any]:
    """What pages say can be typed: kind, name, page."""
    for page in (path for path in PAGES if path.name != "CHANGELOG.md"):
        for kind, pattern in TYPED.items():
            for found in sorted(set(pattern.findall(page.read_text()))):
                yield pytest.param(kind, found, id=f"{name(page)}-{found}")


@functools.cache
def read() -> tuple[str, ...]:
    """What playbooks and roles say."""
    return tuple(path.read_text() for top in ("playbooks", "roles") for path in (PROJECT / top).rglob("*.yml"))


def is_there(kind: str, found: str) -> bool:
    """Whether it can be typed in the project's folder."""
    targets = {target for target, _ in TARGET.findall((PROJECT / "Makefile").read_text())}
    if kind == "a variable of a verb":
        return any(re.search(rf"\b{found}\b", text) for text in read())
    if kind == "an action of the embedded AWS":
        (choices,) = re.findall(r'"verb", choices=\[(.+)\]', (PROJECT / "local_aws/__main__.py").read_text())
        return f'"{found}"' in choices
    return {
        "a verb": (PROJECT / found).is_file(),
        "a target of make": found in targets,
        "a script": (PROJECT / found).is_file(),
        "a scenario": (PROJECT / "molecule" / found / "molecule.yml").is_file(),
    }[kind]


@pytest.mark.parametrize(("kind", "found"), list(typed()))
def test_what_a_page_says_can_be_typed(kind: str, found: str) -> None:
    assert is_there(kind, found)


def test_what_cannot_be_typed_would_be_noticed() -> None:
    assert TYPED["a verb"].findall("type `ansible-playbook refresh_disks.yml -i prod`") == ["refresh_disks.yml"]
    assert not is_there("a verb", "refresh_disks.yml")
    assert TYPED["a target of make"].findall("$ make tests\n`make e2e`, to make sure") == ["tests", "e2e"]
    assert not is_there("a target of make", "tests")
    assert TYPED["a variable of a verb"].findall("-e switch_dns=true -e SECRET_KEY=x") == ["switch_dns"]
    assert not is_there("a variable of a verb", "switch_dns")
    assert not is_there("an action of the embedded AWS", "restart")

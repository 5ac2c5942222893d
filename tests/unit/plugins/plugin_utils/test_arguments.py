"""What a verb is told by `-e`: its arguments and variables pass, all else is refused with what to type."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible.parsing.splitter import parse_kv

from plugins.plugin_utils.arguments import FILE, arguments, parsed, refusal
from tests.unit.plugin_support import PROJECT

VERBS = sorted(path.stem for path in PROJECT.glob("*.yml") if "import_playbook" in path.read_text())


def refused(verb: str, *texts: str, files: tuple[str, ...] = (), folder: Path | None = None) -> str:
    """What is said about a verb with these texts behind `-e`; `files` are names that came of a file."""
    typed: dict[str, object] = dict.fromkeys(files, "")
    for text in texts:
        typed |= json.loads(text) if text.startswith("{") else parsed(text) or {}
    return refusal([f"{verb}.yml"], texts, typed, [folder] if folder else [])


@pytest.mark.parametrize(
    ("verb", "texts"),
    [
        ("release", ["release=2026.11.3 service=web"]),
        ("release", ['release="a b"']),
        ("run", ["job=report", '{"env": {"LEVEL": "debug"}}']),
        ("run", ["command=python manage.py check"]),
        ("run", ["command=env A=1 python -c print", "job=report"]),
        ("run", ['env={"A": "b c"}']),
        ("exec", ["command=id", "container=web"]),
        ("verify", ["lock_wait=5m"]),  # a pipeline's, behind every verb
        ("exec", ['command=python -c "import sys; a=41; print(a + 1); sys.exit(3)"']),
        ("logs", ["grep=GET /?q=a", "for=1s"]),
        ("site", ["publish_select=local", "dns_take_over=true"]),
        ("migrate", ["lock_wait=15m", "ansible_forks=2", "_mine=1", "vault_mine=2"]),
        ("compose_file", ["compose_file_start=/tmp/compose"]),  # a play's own
        ("init", ["compose=compose.yml", "inventory=inventories/live"]),
        ("teardown", ["confirm=live", "site_tags=x"]),
    ],
)
def test_what_is_meant_passes(verb: str, texts: list[str]) -> None:
    assert refused(verb, *texts) == ""


@pytest.mark.parametrize("typed", ["release=a b", "release=a b=c"])
def test_words_that_ansible_would_drop_are_refused_with_what_keeps_them(typed: str) -> None:
    said = refused("release", typed)
    assert said.startswith("Behind -e release= stand several words: Ansible takes the first for release, ")
    *_, advice = shlex.split(said)
    assert json.loads(advice) == {"release": typed.partition("=")[2]}
    assert refused("release", advice) == ""


def test_of_what_is_no_argument_no_value_is_shown() -> None:
    said = refused("site", "vault_password=hunter2 other")
    assert "hunter2" not in said
    assert """-e '{"vault_password": "…"}'""" in said


@pytest.mark.parametrize("typed", ["on", "on maintenance=on"])
def test_a_word_without_a_name_is_refused(typed: str) -> None:
    said = refused("maintenance", typed)
    assert said.startswith(f"-e {shlex.quote(typed)} has words that belong to no variable")
    assert said.endswith("maintenance.yml takes maintenance, for, lock_wait, and variables of the inventory.")
    assert refused("maintenance", "maintenance=on") == ""


def test_an_argument_of_another_verb_is_refused_with_that_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    said = refused("migrate", "job=migrate")
    assert said.startswith("-e job: migrate.yml takes no such argument, and it is not a variable of this project. ")
    assert "It is an argument of logs.yml and run.yml. Type for example: ansible-playbook logs.yml " in said
    assert refused("run", "job=migrate") == ""


def test_a_verb_that_is_typed_as_an_argument_ends_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    said = refused("site", "dns_switch=true")
    assert said.partition("project. ")[2].startswith("It is a verb of its own. Type: ansible-playbook dns_switch.yml")
    assert "takes lock_wait" not in said
    assert refused("dns_switch", "back=true") == ""


@pytest.mark.parametrize(
    ("verb", "typed", "near"),
    [
        ("release", "relase=1", "release"),
        ("run", "minuts=3", "minutes"),
        ("site", "publish_selct=local", "publish_select"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(verb: str, typed: str, near: str) -> None:
    said = refused(verb, typed)
    assert f" Did you mean {near}? {verb}.yml takes " in said
    assert refused(verb, f"{near}=1") == ""


@pytest.mark.parametrize("word", ["true", "false", "True", "no", "yes", "0", "1"])
def test_what_is_true_or_false_passes(word: str) -> None:
    assert refused("restore", f"in_use={word}") == ""
    assert refused("restore", '{"in_use": false, "back": true}') == ""
    assert refused("restore", '{"in_use": 0}') == ""


@pytest.mark.parametrize("typed", ["in_use=flase", "in_use=ture", "in_use=", '{"in_use": "off it"}', '{"in_use": 2}'])
def test_what_is_neither_true_nor_false_does_not_count_as_false(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a site in use it would be said that it is not."""
    monkeypatch.chdir(PROJECT)
    said = refused("restore", typed)
    assert " is neither true nor false. Nothing was done. Type: ansible-playbook restore.yml " in said
    assert said.endswith(" -e in_use=true or -e in_use=false")


def test_a_word_that_is_neither_passes_where_it_is_no_such_argument() -> None:
    assert refused("release", "release=ture") == ""


def test_what_is_true_or_false_is_what_is_described_so() -> None:
    described = {
        name for verb in VERBS for name, text in arguments(verb).items() if re.match("With (true|false) ", text)
    }
    assert set(yaml.safe_load(FILE.read_text())["verb_arguments_bool"]) == described


def test_names_out_of_files_and_json_are_looked_at_too() -> None:
    assert refused("run", '{"jbo": "report"}').startswith("-e jbo: ")
    assert refused("run", "@mine.yml", files=("jbo",)).startswith("-e jbo: ")
    assert refused("run", "@mine.yml", files=("job",)) == ""
    assert refused("run", "command=a jbo=b", "jbo=c").startswith("-e jbo: "), "typed as a variable beside the command"


def test_what_an_inventory_has_may_be_typed(tmp_path: Path) -> None:
    assert refused("restart", "our_own=1", folder=tmp_path).startswith("-e our_own: ")
    (tmp_path / "group_vars/site").mkdir(parents=True)
    (tmp_path / "group_vars/site/ours.yml").write_text("---\n# theirs: 1\nour_own: 0\nmore: {their_own: 1}\n")
    assert refused("restart", "our_own=1", folder=tmp_path) == ""
    for name in ("theirs", "their_own"):
        assert refused("restart", f"{name}=1", folder=tmp_path).startswith(f"-e {name}: ")


# The lists are those of the verbs


def test_each_verb_has_its_list_in_the_order_of_the_alphabet() -> None:
    listed = list(yaml.safe_load(FILE.read_text())["verb_arguments"])
    assert listed == VERBS


def of_verb(verb: str) -> str:
    """All that a verb's own playbook, with its variables and tasks, has written in it."""
    text = (PROJECT / f"playbooks/{verb}.yml").read_text()
    for file in re.findall(r"(?<!/)(?:vars|tasks)/\w+\.yml", text):
        text += (PROJECT / "playbooks" / file).read_text()
    return text + "".join(path.read_text() for path in (PROJECT / "roles" / verb).glob("*/*.yml"))


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_listed_is_read(verb: str) -> None:
    text = of_verb(verb) + (of_verb("preflight") + "lock_wait" if verb == "site" else "")
    assert [name for name in arguments(verb) if not re.search(rf"\b{name}\b", text)] == []


def test_what_takes_all_words_is_what_the_filter_gives_them_to() -> None:
    found = {verb: sorted(set(re.findall(r"typed\('(\w+)'", of_verb(verb)))) for verb in VERBS}
    whole = yaml.safe_load(FILE.read_text())["verb_arguments_whole"]
    assert {verb: names for verb, names in found.items() if names} == {
        verb: sorted(each) for verb, each in whole.items()
    }


def examples() -> Iterator[tuple[str, list[str]]]:
    """Verbs with what stands behind each `-e`, as the documentation types them."""
    for path in (PROJECT / "README.md", *(PROJECT / "docs").glob("*.md"), *(PROJECT / "roles").glob("*/README.md")):
        for command in re.findall(r"\b((?:\w+)\.yml -i? ?[^`|\n]*-e [^`|\n]*)", path.read_text()):
            try:
                words = shlex.split(command)
            except ValueError:  # a sentence that goes on
                continue
            given = [word for option, word in itertools.pairwise(words) if option == "-e"]
            if (verb := words[0].removesuffix(".yml")) in VERBS:
                yield verb, given


def test_what_the_documentation_types_passes() -> None:
    found = list(examples())
    assert len(found) > 50
    assert len({verb for verb, _ in found}) > 15
    for verb, given in found:
        typed = {name: value for text in given if "=" in text for name, value in parse_kv(text).items()}
        assert refusal([f"{verb}.yml"], given, typed, []) == "", (verb, given)

"""Each failure is known by the text that it has in life, and not by the one beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from plugins.plugin_utils.doctor.judging import told_by
from plugins.plugin_utils.doctor.signature import KINDS, ON_HOST, VERB, Evidence, Signature
from plugins.plugin_utils.doctor.signatures import SIGNATURES
from tests.unit.variables_support import PROJECT

FILE = yaml.safe_load(Path(__file__).with_name("texts.yml").read_text())
TEXTS = {name: (each["where"], each["text"], each["beside"]) for name, each in FILE["texts"].items()}
"""Signature → where its text is found, the text, and one beside it."""
MORE = [(each["name"], each["where"], each["text"]) for each in FILE["more"]]
WELL = [(each["where"], each["text"]) for each in FILE["well"]]
BY_NAME = {each.name: each for each in SIGNATURES}
SAID = [(name, kind, text) for name, (kind, text, _) in TEXTS.items()] + MORE


def test_each_signature_has_a_text_of_its_own() -> None:
    assert list(BY_NAME) == [each.name for each in SIGNATURES]
    assert TEXTS.keys() == BY_NAME.keys()
    assert len(SIGNATURES) >= 30


@pytest.mark.parametrize(("name", "kind", "text"), SAID, ids=[f"{name}: {text[:30]}" for name, _, text in SAID])
def test_a_failure_is_told_by_its_signature_and_no_other(name: str, kind: str, text: str) -> None:
    found = told_by(Evidence(kind, "service.web", text))
    assert found, text
    assert found.name == name


@pytest.mark.parametrize("name", TEXTS)
def test_what_stands_beside_it_is_not_taken_for_it(name: str) -> None:
    kind, _, beside = TEXTS[name]
    assert BY_NAME[name].found(Evidence(kind, "service.web", beside)) is None


@pytest.mark.parametrize("name", TEXTS)
def test_it_is_looked_for_only_where_it_is_said(name: str) -> None:
    signature, (_, text, _) = BY_NAME[name], TEXTS[name]
    elsewhere = [kind for kind in KINDS if kind not in signature.where]
    assert [kind for kind in elsewhere if signature.found(Evidence(kind, "x", text))] == []


@pytest.mark.parametrize(("kind", "text"), WELL)
def test_what_is_in_order_is_no_failure(kind: str, text: str) -> None:
    assert told_by(Evidence(kind, "host i-0123456789abcdef0", text)) is None


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda each: each.name)
def test_each_says_a_cause_in_a_sentence_and_a_command_that_there_is(signature: Signature) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", signature.name)
    assert set(signature.where) <= set(KINDS)
    assert signature.cause.endswith(".")
    assert not signature.mend or signature.mend.endswith((".", ")"))
    if verb := VERB.match(signature.types):
        assert (PROJECT / verb[0]).is_file()
    else:
        assert signature.types.startswith((ON_HOST, "aws ", "python scripts/"))


def test_what_was_found_stands_in_cause_and_command() -> None:
    finding = BY_NAME["image-platform"]
    match = finding.found(Evidence(TEXTS["image-platform"][0], "service.web", TEXTS["image-platform"][1]))
    assert match
    assert "(linux/arm64/v8)" in finding.filled(finding.cause, match)
    logs = BY_NAME["killed"]
    match = logs.found(Evidence("stopped task", "job.report", TEXTS["killed"][1]))
    assert match
    assert logs.command(match, "job.report").endswith(" -e job=report")
    assert logs.command(match, "nothing known").endswith(" -e service=<entry>")
    agent = BY_NAME["agent-failed"]
    match = agent.found(Evidence("host", "host i-0123456789abcdef0", TEXTS["agent-failed"][1]))
    assert match
    typed = agent.command(match, "host i-0123456789abcdef0")
    assert typed.startswith("ansible i-0123456789abcdef0 -i ")
    assert typed.endswith("-b -a 'journalctl -u ecs -n 50 --no-pager'")


def test_a_group_that_was_not_found_stays_a_word() -> None:
    denied = BY_NAME["denied"]
    match = denied.found(Evidence("right", "stacks", "ann is not authorized to perform that"))
    assert match
    assert denied.filled(denied.cause, match) == "IAM refuses <who> the right <action>."

"""docs/troubleshooting.md explains each message that a run can end with, and no other; a message leads to its entry."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docutils.core import publish_doctree  # type: ignore[import-untyped]  # docutils ships no types
from myst_parser.parsers.docutils_ import Parser

from plugins.plugin_utils import troubleshooting
from plugins.plugin_utils.known_reasons import KNOWN, explained
from plugins.plugin_utils.troubleshooting import ADDRESS, OTHER, PATH, Entry, anchor, entries, pattern, read, see
from tests.unit.docs.test_sentences import ADVICE
from tests.unit.message_support import EMBEDDED, PROJECT, End, ends, of_shell

PAGE = (PROJECT / PATH).read_text()
MESSAGES = [(entry, part) for entry in entries() for part in entry.messages]
LONGEST = 64
"""Characters of an anchor: a message is to stay short."""
FOREIGN = {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    "is not authorized to perform": "DescribeVpcs: User: arn:aws:iam::1:user/x is not authorized to perform: ec2:x",
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html has these of EC2.
    "not authorized to perform this operation": "DescribeVpcs: You are not authorized to perform this operation.",
    "AccessDenied": "Vpc (AWS::EC2::VPC): (Service: Ec2, Status Code: 403, Error Code: AccessDenied)",
    "AuthFailure": "An error occurred (AuthFailure) when calling the DescribeInstances operation",
    "InvalidKeyPair": "Hosts (AWS::AutoScaling::LaunchConfiguration): (Error Code: InvalidKeyPair.NotFound)",
    # https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
    "security token included in the request is": "GetCallerIdentity: The security token included in the request is "
    "expired",
    "ExpiredToken": "An error occurred (ExpiredToken) when calling the ListBuckets operation",
    # botocore.exceptions.TokenRetrievalError
    "Token has expired": "Error when retrieving token from sso: Token has expired and refresh failed",
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
    "Rate exceeded": "DescribeStacks: Rate exceeded",
    "Throttling": "An error occurred (Throttling) when calling the DescribeStacks operation (reached max retries: 10)",
    "HttpTokens": "Hosts (AWS::EC2::LaunchTemplate): HttpTokens must be required",
    "IMDSv2": "Launching a new EC2 instance failed: only IMDSv2 may be used",
    # https://github.com/ansible/ansible/blob/v2.19.0/lib/ansible/plugins/connection/ssh.py
    "Data could not be sent to remote host": 'Data could not be sent to remote host "192.0.2.1". Make sure this host '
    "can be reached over ssh: Connection refused",
    "Failed to connect to the host via ssh": "Failed to connect to the host via ssh: connection timed out",
    # Watch and `reasons` put each reason of a resource behind its name and type.
    "(AWS::": "Vpc (AWS::EC2::VPC): Resource handler returned message: no",
}
"""What the page explains of others' words → a message of theirs that has them."""
AWS_OWN: tuple[str, ...] = ()
"""Of a place that ends a run with words of AWS or Ansible; the page explains those that are known."""
RULES = ("The settings of the role … cannot work",)
LAYERS = ("The update was cancelled: the site goes on", "What the create had made was taken back.")
IMPORTED = ("somebody imports resources into it by hand",)
LOSSES = ("as the site would lose what holds data",)
NOT_RIGHT = ("The site is not described right.",)
HOPELESS = ("no host can take another task:",)
PASSED_ON = {
    "plugins/action/check_rules.py: cannot_work(role, [sentence for _, sentence in found])": RULES,
    "plugins/action/check_variables.py: '; '.join(validated.error_messages)": AWS_OWN,
    "plugins/action/check_variables.py: '\\n'.join(parts)": (
        "thing is wrong with this inventory",
        "things are wrong with this inventory",
    ),
    "plugins/action/cloudformation_stacks.py: str(Busy())": ("is being changed by another run. Let that end first",),
    "plugins/action/cloudformation_stacks.py: '\\n'.join([*sentences, 'Nothing was changed.'])": LAYERS,
    "plugins/action/cloudformation_stacks.py: refused": LOSSES,
    "plugins/action/cloudformation_stacks.py: '\\n'.join(sentences)": LAYERS,
    "plugins/action/ecr_push.py: '\\n'.join(wrong)": (
        "There is no ECR repository",
        "is not built.",
        "Build it with --platform",
    ),
    "plugins/plugin_utils/host_draining.py: "
    "f'{self.host}: {lack}, after {wait.seconds:.0f} s.{self._why_not(instance)}'": (
        "its agent is not connected",
        "its agent has not registered with the cluster",
        "not all tasks are back:",
    ),
    "plugins/plugin_utils/host_draining.py: message": ("ECS would never stop",),
    "plugins/action/ecs_hosts_wait.py: f'After {wait.seconds:.0f} s: {state}.{listed}'": ("hosts ready:",),
    "plugins/action/ecs_run_task.py: f'The task {message}{hint}{_tails(logs)}'": ("and has been stopped (timeout).",),
    "plugins/action/ecs_run_task.py: _busy(definition['family'], others[0])": (
        "Two of them at once would harm each other.",
    ),
    "plugins/action/ecs_task_revision.py: _unknown(family, release, list(dict.fromkeys(filter(None, releases))))": (
        "is of the release",
    ),
    "plugins/action/ecs_service_wait.py: doubt + _lines(report)": (
        "was rolled back:",
        "The deployment of … failed:",
        "There is no service … in the cluster",
    ),
    "plugins/action/ecs_service_wait.py: f'{name} cannot be deployed: {hopeless}{_lines(report)}'": HOPELESS,
    "plugins/action/ecs_service_wait.py: late + _lines(report)": ("is not deployed after",),
    "plugins/action/hosts_refresh.py: f'{beside}\\nOr accept that {away}: {verb(PLAYBOOK)} -e hosts_downtime=true'": (
        "No new host can stand beside the old ones",
    ),
    "plugins/action/hosts_refresh.py: f'{refused}. Nothing was changed. To have hosts of an older image beside the new "
    "ones, name it: {verb(PLAYBOOK)} -e host_ami_id={image}'": ("of before are left to go back to",),
    "plugins/action/hosts_refresh.py: f'{beside} -e keep_old=true'": (
        "To keep the old hosts beside the new ones takes",
    ),
    "plugins/action/environment_lock.py: str(error)": ("in the environment; it is a number of seconds",),
    "plugins/action/compose_from_inventory.py: not_right(site.problems)": NOT_RIGHT,
    "plugins/action/host_description.py: '\\n'.join(wrong)": RULES,
    "plugins/action/inventory_from_compose.py: str(error)": (
        "has no services, so it is no Compose file.",
        "is no YAML:",
        "is no mapping of names.",
        "is no mapping of keys.",
        "Name the Compose file: -e compose",
        "Make one file of it first",
        "has nothing that a site would run",
    ),
    "plugins/action/service_linked_role.py: str(error)": ("was made, but is not there after",),
    "plugins/action/service_linked_role.py: f'{what}: {error}'": ("A service-linked role cannot be made",),
    "plugins/action/site_doctor.py: not_right(site.problems)": NOT_RIGHT,
    "plugins/action/site_status.py: not_right(site.problems)": NOT_RIGHT,
    "plugins/inventory/environment.py: sentence": ("No environment was named.",),
    "plugins/inventory/environment.py: f\"{shown(Path(path))}: {' '.join(error.message.split())}\"": AWS_OWN,
    "plugins/lookup/site.py: not_right(problems)": NOT_RIGHT,
    "plugins/modules/host_files.py: str(error)": ("is no plain file.",),
    "plugins/plugin_utils/account/gathering.py: str(error)": (
        "must have class, and may have",
        "must have name or stack",
    ),
    "plugins/plugin_utils/account/gathering.py: problem.result()": ("is no region of this account.",),
    "plugins/plugin_utils/aws_action.py: '; '.join(validated.error_messages)": AWS_OWN,
    "plugins/plugin_utils/aws_action.py: f\"{reason(error).rstrip('.')}. {UNREACHABLE}\"": (
        "Is this machine's network up",
    ),
    "plugins/plugin_utils/aws_action.py: reason(error)": AWS_OWN,
    "plugins/plugin_utils/aws_action.py: str(error)": ("The one-off",),  # of any Failed
    "plugins/plugin_utils/stack.py: f'{because}\\n{self._watch.why()}'.rstrip()": AWS_OWN,
    "plugins/plugin_utils/stack.py: _refusal(layer.stack, now['StackStatus'])": IMPORTED,
    "plugins/plugin_utils/stack.py: _refusal(self.layer.stack, status)": IMPORTED,
    "plugins/plugin_utils/stack.py: f'{stuck}. {done}\\n{stuck.why}'.rstrip()": LAYERS,
    "plugins/plugin_utils/stack_events.py: "
    "f'{late}. {self._missing()}It goes on by itself; to wait for it again, type the same command.'": (
        "is still … after … s, waiting for",
        "The DNS record",
    ),
    "plugins/plugin_utils/stack_events.py: hopeless.rstrip('.')": HOPELESS,
    "plugins/plugin_utils/stack_events.py: late": ("is still … after … s, waiting for",),
    "plugins/action/stack_outputs.py: ' '.join(str(error).split())": AWS_OWN,
    "playbooks/tasks/rollback_choice.yml: Refuse to go nowhere": (
        "There is no older good release to go back to",
        "is what runs. There is nothing to go back to.",
        "The ledger has no release",
        "is none to go back to, as it",
    ),
    "local_aws/__main__.py: str(error)": ("is neither a program of Linux (ELF) nor an image",),
    "local_aws/__main__.py: "
    "f'The embedded AWS {chosen.name!r} {what}. Its log: python -m local_aws log{_name(chosen)}'": (
        "is starting and does not answer yet",
        "runs, but does not answer at",
    ),
    "roles/hosts/tasks/role.yml: Stop for what no drain mends": ("Docker would not start with these settings",),
    "roles/rexray_efs/tasks/main.yml: Refuse what would harm running containers or could not work": (
        "Containers use the plugin",
        "The metadata service insists on tokens",
        "is local to this host: it was made",
    ),
}
"""Places that end a run with somebody else's words → the words, as the tree has them."""


def in_python(path: Path) -> Iterator[str]:
    """The texts of a module; what differs from run to run is `…`."""
    inner: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            inner |= set(ast.walk(node))
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inner:
            yield re.sub(r"\{\w+\}", "…", node.value)


def in_yaml(value: Any) -> Iterator[str]:
    """The texts of a YAML file, and those within its expressions."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from in_yaml(each)
    elif isinstance(value, str):
        yield re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "…", value, flags=re.DOTALL)
        yield re.sub(r"' ~ [^']+ ~ '", "…", value)


@functools.cache
def sentences() -> tuple[str, ...]:
    """All that the tree can say."""
    modules = [*(PROJECT / "plugins").rglob("*.py"), *(PROJECT / name for name in EMBEDDED)]
    modules.remove(Path(troubleshooting.__file__))
    files = [*(PROJECT / "playbooks").rglob("*.yml"), *(PROJECT / "roles").rglob("*.yml")]
    texts = [text for path in modules for text in in_python(path)]
    texts += [text for path in files for text in in_yaml(yaml.safe_load(path.read_text()))]
    texts += of_shell(PROJECT / "scripts/setup.sh")
    texts += [path.read_text() for path in (PROJECT / "roles").glob("*/templates/*.sh.j2")]
    return tuple(" ".join(text.split()) for text in texts)


def said(message: str) -> bool:
    """Whether something of the tree says it: its parts stand in one text, in their order."""
    return any(pattern(message).search(sentence) for sentence in sentences())


# What the page explains is said


@pytest.mark.parametrize(("entry", "part"), MESSAGES, ids=[part for _, part in MESSAGES])
def test_what_is_explained_is_said_by_the_tree_or_known_of_others(entry: Entry, part: str) -> None:
    assert said(part) or explained(part) != part or part in FOREIGN
    assert anchor(FOREIGN.get(part, part)) == entry.anchor


def test_what_nothing_says_would_be_noticed() -> None:
    assert said("The update was cancelled: the site goes on with what it had before.")
    assert not said("The update was cancelled: the site is as it was.")
    assert not said("site goes on … The update was cancelled"), "in another order"


def test_others_words_are_explained() -> None:
    explained_parts = {part for _, part in MESSAGES}
    assert [part for part in FOREIGN if part not in explained_parts] == []


def test_an_entry_is_explained_once_and_advises_to_delete_nothing() -> None:
    anchors, parts = [entry.anchor for entry in entries()], [part for _, part in MESSAGES]
    assert len(set(anchors)) == len(anchors)
    assert len(set(parts)) == len(parts)
    for entry in entries():
        is_entry = entry.messages or entry.anchor == OTHER
        assert not is_entry or len(entry.body) > len("Type it again."), entry.anchor
    assert not ADVICE.search(" ".join(PAGE.split()))


# What is said is explained


@pytest.mark.parametrize("end", ends(), ids=str)
def test_each_place_that_ends_a_run_has_an_entry(end: End) -> None:
    if str(end) in PASSED_ON:
        words = PASSED_ON[str(end)]
        assert [each for each in words if anchor(each) == OTHER or not said(each)] == []
    else:
        assert end.texts
        assert [text for text in end.texts if anchor(text) == OTHER] == []


def test_what_is_passed_on_is_still_passed_on() -> None:
    there = {str(end): end for end in ends()}
    assert [name for name in PASSED_ON if name not in there] == []
    assert [name for name in PASSED_ON if all(anchor(text) != OTHER for text in there[name].texts)] == []


def test_places_of_every_kind_are_found() -> None:
    texts = {text for end in ends() for text in end.texts}
    for words in (
        "…: … is no key of this file.…",  # self._end
        "… is no noun of a site; there are ….",  # raise
        "This host has no docker.service. Hosts are made",  # fail_json, by what stands in it
        "Only … GiB of disk are free; … are needed. What Docker takes: docker system df",
        "No environment was named. There are …; type for example: …",  # a function's
        "Name the job to run",  # within an expression
        "No key would open this host any more: … has none",  # of a loop
    ):
        assert any(pattern(words.replace("docker.service", "…")).search(text) for text in texts), words


def test_what_setup_ends_with_has_an_entry_below_the_one_that_it_names() -> None:
    script = (PROJECT / "scripts/setup.sh").read_text()
    (named,) = re.findall(rf"See {re.escape(ADDRESS)}#([\w-]+)", script)
    anchors = [entry.anchor for entry in entries()]
    start = anchors.index(named)
    below = [entry.anchor for entry in entries()[start + 1 :]]
    below = below[: next(place for place, entry in enumerate(entries()[start + 1 :]) if entry.level == 2)]
    messages = of_shell(PROJECT / "scripts/setup.sh")
    assert len(messages) > 5
    assert [text for text in messages if anchor(text) not in below] == []


@pytest.mark.parametrize("known", [known for known, _ in KNOWN], ids=lambda known: known.pattern[:30])
def test_every_reason_of_aws_that_is_known_leads_to_an_entry(known: re.Pattern[str]) -> None:
    found = [part for _, part in MESSAGES if known.search(part.replace("…", "x"))]
    assert found


# Which entry it is

WRONG = "1 thing is wrong with this inventory; nothing was done.\n  live/main.yml:3: "
MANY = WRONG.replace("1 thing is", "2 things are")
TYPO = "doman_name: is not a variable of this project. Did you mean domain_name?"
PLACEHOLDER = "\n  live/main.yml:4: domain_name: is the placeholder that came with the inventory. Set your own."


@pytest.mark.parametrize(
    ("message", "leads_to"),
    [
        (WRONG + TYPO, "is-not-a-variable-of-this-project"),
        (WRONG + "x: of no entry of its own.", "what-is-wrong-with-this-inventory"),
        (MANY + TYPO + PLACEHOLDER, "what-is-wrong-with-this-inventory"),
        (MANY + TYPO + "\n  y: of no entry of its own.", "what-is-wrong-with-this-inventory"),
        (MANY + "x: of no entry.\n  y: of none either.", "things-are-wrong-with-this-inventory"),
        ("network: Vpc (AWS::EC2::VPC): Limit reached", "a-layer-cannot-be-made-aws"),
        (
            "cluster: Hosts (AWS::AutoScaling::LaunchConfiguration): The Launch Configuration creation operation is "
            "not available in your account.",
            "cannot-create-launch-configurations",
        ),
        (
            "certificate: is still CREATE_IN_PROGRESS after 600 s, waiting for Certificate (AWS::CertificateManager::"
            "Certificate). The DNS record _a.x CNAME _b.y is missing. It goes on by itself",
            "the-dns-record",
        ),
        (
            "service.web: is still UPDATE_IN_PROGRESS after 900 s, waiting for Service (AWS::ECS::Service). The update "
            "was cancelled: the site goes on with what it had before.\n  Nothing took the connection. Does it listen?",
            "nothing-took-the-connection",
        ),
        ("i-0: not all tasks are back: 0 of 1 tasks of web running, after 120 s.", "not-all-tasks-are-back"),
        ("hosts_x: and that would harm web\n\nNo further host was touched.", "and-that-would-harm"),
        ("Install: something\n\ni-0 is not drained. No further host was touched.", "running-hosts-no-further-host-was"),
        ("The quick brown fox.", OTHER),
        ("", OTHER),
    ],
)
def test_a_message_leads_to_the_entry_that_says_most_of_it(message: str, leads_to: str) -> None:
    assert anchor(message).startswith(leads_to)
    assert see(message) == f"See {ADDRESS}#{anchor(message)}"


def test_what_differs_lies_within_a_line() -> None:
    assert pattern("is …m, and a host").search("web: is 2048m, and a host of type t3.micro")
    assert not pattern("is …m, and a host").search("web: is 2048\nm, and a host of type t3.micro")


def test_an_entry_is_what_its_heading_and_its_line_of_others_say() -> None:
    page = "# Title\n\nText.\n\n## Words `one`\n\nAlso: `two …`,\n`three`\n\nBody with `code`.\n\n## No code\n\nText.\n"
    assert read(page) == (
        Entry("words-one", 2, ("one", "two …", "three"), "Body with `code`."),
        Entry("no-code", 2, (), "Text."),
    )


def test_without_the_page_there_is_an_address_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(troubleshooting, "PROJECT", tmp_path)
    troubleshooting.entries.cache_clear()
    try:
        assert anchor("No AWS credentials were found.") == OTHER
    finally:
        troubleshooting.entries.cache_clear()


# Where it is


def test_the_address_is_the_page_s_and_its_anchors_are_those_of_the_site_that_sphinx_makes() -> None:
    assert (PROJECT / ADDRESS).is_file(), "until the documentation has a home"
    settings = {"myst_heading_anchors": 4, "report_level": 5}
    made = publish_doctree(PAGE, parser=Parser(), settings_overrides=settings)
    assert [entry.anchor for entry in entries()] == list(made.myst_slugs)[1:]


def test_the_anchors_are_those_of_github() -> None:
    # https://github.com/gjtorikian/html-pipeline/blob/v2.14.3/lib/html/pipeline/toc_filter.rb
    titles = re.findall(r"^##+ (.*)$", PAGE, re.MULTILINE)
    shown = [title.replace("`", "").lower() for title in titles]
    wanted = ["".join(c for c in title if c.isalnum() or c in "_- ").replace(" ", "-") for title in shown]
    assert [entry.anchor for entry in entries()] == wanted


def test_an_anchor_is_short_and_names_no_gap() -> None:
    for entry in entries():
        assert len(entry.anchor) <= LONGEST, entry.anchor
        assert not entry.anchor.startswith("-"), entry.anchor
    assert OTHER in {entry.anchor for entry in entries()}

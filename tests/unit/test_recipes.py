"""CONTRIBUTING's recipes, followed to the letter in a copy of the tree: what they list is enough, and needed.

What a recipe adds stands in `recipes/<recipe>/`, as it would in the tree; `EDITS` has what it adds to files that are
there. Each is left out once, and what notices says a sentence.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from scripts.changed import UNIT_TESTS
from tests.unit.plugin_support import PROJECT, environment
from tests.unit.room_support import MISSING, host_roles

pytestmark = pytest.mark.playbook

RECIPES = Path(__file__).parent / "recipes"
TITLES = {
    "layer": "a layer",
    "host_role": "a host role",
    "verb": "a verb",
    "resource_type": "a resource type of the embedded AWS",
}
NOUNS = "plugins/plugin_utils/site/nouns/__init__.py"
ROLES = "roles/cluster/defaults/main.yml"
ROLES_SPECIFICATION = "roles/cluster/meta/argument_specs.yml"

WRONG_AND_RIGHT = "tests/unit/roles/test_preflight_inventories.py"
RIGHT_KEYS = "tests/unit/plugins/plugin_utils/site/sites/every_key.yml"
WRONG_KEYS = "tests/unit/plugins/plugin_utils/site/wrong_in_nouns.py"
UNPREFIXED = "roles/{}/defaults/main.yml var-naming[no-role-prefix] skip"
ARGUMENTS = "playbooks/vars/arguments.yml"
LINT = "ansible-lint"
EDITS: dict[str, list[tuple[str, str, str]]] = {
    "layer": [
        ("group_vars/all/site.yml", "secret, image", ", topic"),
        (NOUNS, "import bucket, database, function, job, secret, service, static, table", ", topic"),
        (NOUNS, "volume, database, bucket, table, secret", ", topic"),
        (
            "README.md",
            "|---|---|---|\n",
            "| [topic](roles/topic/README.md) | an entry of `site_topics` | SNS topic |\n",
        ),
        (
            "docs/your-site.md",
            "|---|---|---|\n",
            "| `site_topics` | SNS topics | [roles/topic](../roles/topic/README.md) |\n",
        ),
        ("docs/your-site.md", "```yaml\n", "site_topics: {orders: {}}\n"),
        (".ansible-lint-ignore", f"{UNPREFIXED.format('bucket')}\n", f"{UNPREFIXED.format('topic')}\n"),
        (
            RIGHT_KEYS,
            "host_instance_type: t3.xlarge\n",
            "site_topics: {orders: {display_name: Orders, patch: {Topic.FifoTopic: true}}}\n",
        ),
        (
            WRONG_KEYS,
            "OF_NOUNS = {\n",
            '"a name of many": entry("site_topics: a")("display_name: [b]", "display_name: b", ".display_name"),\n'
            '"a patch of a topic": entry("site_topics: a")("patch: [b]", "patch: {}", ".patch"),\n',
        ),
    ],
    "host_role": [
        (ROLES, "['host_limits', ", "'motd', "),
        (ROLES_SPECIFICATION, "['host_limits', ", "'motd', "),
        (WRONG_AND_RIGHT, '"host-limits": {', '"motd_greeting": "Hello", '),
        (
            WRONG_AND_RIGHT,
            "HOST_WRONG: dict[str, list[Case]] = {",
            '"motd": [one("motd_greeting", "a" * 61, "write one line")],',
        ),
    ],
    "verb": [
        ("README.md", "| verb | does |\n|---|---|\n", "| `ansible-playbook hello.yml -i prod` | greets |\n"),
        (ARGUMENTS, "With true it shows what opens a shell in it.\n", "  hello: {}\n"),
    ],
    "resource_type": [],
}
"""Recipe → file, what stands there, what comes behind it."""
ONE_VALUE = "preflight_inventories.py::test_every_variable_is_given_a_right_value_that_is_not_its_default"
ONE_VALUE_OF_A_KEY = "preflight_inventories.py::test_every_key_of_a_noun_is_given_a_right_value_that_is_not_its_default"
WRONG_VALUES = "site_counted"
POLICIES = "operator_policy.py::test_the_policies_are_up_to_date"
CHECKS = {
    "layer": [
        "roles_layout",
        "role_readmes",
        "readme",
        "your_site",
        "noun_readmes",
        "lookup_site",
        "docs_pages",
        POLICIES,
        ONE_VALUE,
        ONE_VALUE_OF_A_KEY,
        WRONG_VALUES,
    ],
    "host_role": [
        "roles_layout",
        "role_readmes",
        "readme",
        "molecule_scenarios",
        "host_files",
        "docs_pages",
        ONE_VALUE,
    ],
    "verb": ["roles_layout", "readme", "docs_pages", "arguments"],
    "resource_type": ["handlers_kms"],
}
"""Recipe → the tests that judge what is like it, by name."""


class Tree:
    """A copy of the project.

    Args:
        top: where it lies.
        recipe: what is added to it.
    """

    def __init__(self, top: Path, recipe: str) -> None:
        self.top, self.recipe = top, recipe
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=PROJECT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            source = PROJECT / name
            if source.is_file() or source.is_symlink():
                (top / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, top / name, follow_symlinks=False)
        subprocess.run(["git", "init", "--quiet"], cwd=top, check=True)  # some checks ask git what there is

    def follow(self) -> list[Path]:
        """Do what the recipe says; the files that it adds."""
        source = RECIPES / self.recipe
        added = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
        added = [path for path in added if "__pycache__" not in path.parts]
        for path in added:
            (self.top / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / path, self.top / path)
        if self.recipe == "layer":
            added.append(Path("group_vars/all/topic.yml"))
            (self.top / added[-1]).symlink_to("../../roles/topic/defaults/main.yml")
        for name, place, more in EDITS[self.recipe]:
            text = (self.top / name).read_text()
            assert place in text, f"{name} has no {place!r}: mend EDITS"
            (self.top / name).write_text(text.replace(place, place + more, 1))
        if self.recipe == "layer":
            self.python("scripts/operator_policy.py")
        return added

    def missing(self) -> list[str]:
        """What `room_support` finds missing."""
        return list(MISSING[self.recipe](self.top))

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python there."""
        return self._run([sys.executable, *arguments], {})

    def checked(self, *names: str) -> subprocess.CompletedProcess[str]:
        """Run tests of the copy there, by the names of their files, without `test_` and `.py`, or of one in it."""
        files = []
        for name in names:
            file, _, one = name.partition(".py")
            (found,) = [
                path
                for top in UNIT_TESTS
                for path in (self.top / top).rglob(f"test_{file}.py")
                if "recipes" not in path.parts
            ]
            files.append(f"{found}{one}")
        return self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", *files)

    def linted(self) -> subprocess.CompletedProcess[str]:
        """Look at what the recipe has added with ansible-lint."""
        source = RECIPES / self.recipe
        files = [str(path.relative_to(source)) for path in sorted(source.rglob("*.yml"))]
        playbooks = [name for name in files if not name.startswith("cloudformation/")]
        lint = [str(Path(sys.executable).parent / "ansible-lint"), "--offline", "--strict", "--nocolor"]
        return self._run([*lint, *playbooks], {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})

    def ansible(self, playbook: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook with the copy's settings."""
        command = [str(Path(sys.executable).parent / "ansible-playbook"), str(playbook), *options]
        return self._run(
            command, {"ANSIBLE_CONFIG": str(self.top / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **variables}
        )

    def _run(self, command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
        return subprocess.run(
            command, cwd=self.top, env=kept | variables, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tree]:
    """The copy in which a recipe was followed; one for all tests of the recipe."""
    made: dict[str, Tree] = {}

    def tree(recipe: str) -> Tree:
        if recipe not in made:
            made[recipe] = Tree(tmp_path_factory.mktemp(recipe), recipe)
            made[recipe].follow()
        return made[recipe]

    return tree


def listed(recipe: str) -> str:
    """What CONTRIBUTING says about it."""
    page = PROJECT / ("local_aws" if recipe == "resource_type" else "") / "CONTRIBUTING.md"
    return page.read_text().partition(f"\n## To add {TITLES[recipe]}\n")[2].partition("\n## ")[0]


def steps() -> Iterator[Any]:
    """Each thing that a recipe adds: a file, or a line in one."""
    for recipe in MISSING:
        source = RECIPES / recipe
        files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
        names = [str(path) for path in files if "__pycache__" not in path.parts]
        names += ["group_vars/all/topic.yml"] if recipe == "layer" else []
        names += [name for name, *_ in dict.fromkeys(EDITS[recipe])]
        for name in dict.fromkeys(names):
            yield pytest.param(recipe, name, id=f"{recipe}-{name}")


OTHERWISE = {
    "roles/topic/rules.yml": "",
    "roles/topic/account.yml": "",
    "docs/your-site.md": "your_site",
    ROLES_SPECIFICATION: "roles_layout",
    WRONG_AND_RIGHT: ONE_VALUE,
    RIGHT_KEYS: ONE_VALUE_OF_A_KEY,
    WRONG_KEYS: WRONG_VALUES,
    ".ansible-lint-ignore": LINT,
    ARGUMENTS: "arguments",
    "local_aws/cloudformation/handlers/kms.py": "handlers_kms",
    "molecule/motd/tests/test_greeting.py": "molecule_scenarios",
    "molecule/motd_alternative/tests/test_greeting.py": "molecule_scenarios",
}
"""What is left out → the tests that notice, where `test_rooms.py` does not; nothing notices what need not be there."""


@pytest.mark.parametrize("recipe", MISSING)
def test_the_page_names_every_file_that_a_recipe_adds_or_changes(recipe: str) -> None:
    page = listed(recipe)
    words = {"topic": "<layer>", "motd": "<role>", "hello": "<verb>", "kms": "<service>"}
    for step in steps():
        if step.values[0] == recipe:
            name = str(step.values[1])
            general = re.sub("|".join(words), lambda match: words[match[0]], name)
            folders = [str(parent) + "/" for parent in Path(general).parents]
            assert any(f"`{each}`" in page for each in (general, *folders)), f"it does not say {general}"


@pytest.mark.long
@pytest.mark.parametrize("recipe", MISSING)
def test_what_a_recipe_lists_is_enough(recipe: str, followed: Callable[[str], Tree]) -> None:
    tree = followed(recipe)
    assert tree.missing() == []
    done = tree.checked(*CHECKS[recipe])
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.long
@pytest.mark.parametrize("recipe", ["layer", "host_role", "verb"])
def test_what_a_recipe_adds_is_clean(recipe: str, followed: Callable[[str], Tree]) -> None:
    done = followed(recipe).linted()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize(("recipe", "name"), list(steps()))
def test_what_is_left_out_is_noticed_by_a_sentence(recipe: str, name: str, followed: Callable[[str], Tree]) -> None:
    tree = followed(recipe)
    path, original = tree.top / name, PROJECT / name
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    try:
        if original.is_file():
            shutil.copy(original, path)
        if name not in OTHERWISE:
            said = tree.missing()
            assert said, f"nothing notices that {name} is missing"
            assert all(" " in sentence for sentence in said)
        elif OTHERWISE[name]:
            done = tree.linted() if OTHERWISE[name] == LINT else tree.checked(OTHERWISE[name])
            assert done.returncode in (1, 2), done.stdout
        else:
            assert tree.missing() == []
    finally:
        path.unlink(missing_ok=True)
        aside.rename(path)


@pytest.mark.long
def test_policies_that_do_not_know_a_new_layer_say_what_to_type(followed: Callable[[str], Tree]) -> None:
    tree = followed("layer")
    path = tree.top / "docs/operator-policy-deploy.json"
    text = path.read_text()
    # A site has a topic without the recipe too (cloudformation/alarms.yml): as if it had none.
    path.write_text("".join(line for line in text.splitlines(keepends=True) if "sns:*Topic" not in line))
    try:
        assert "type: python scripts/operator_policy.py" in tree.checked(POLICIES).stdout
    finally:
        path.write_text(text)


# What was added works


def play(tmp_path: Path, tasks: list[dict[str, Any]], **variables: Any) -> tuple[Path, str]:
    """A playbook and an inventory of one site."""
    known = {"site_name": "shop", "environment_name": "prod", "aws_region": "us-east-1", "domain_name": "shop.test"}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"prod": {"hosts": {"localhost": local | known | variables}}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
    path = tmp_path / "play.yml"
    path.write_text(yaml.safe_dump([{"name": "Test", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    return path, str(tmp_path / "hosts.yml")


SITE: dict[str, Any] = {"site_services": {"web": {"containers": {"web": {"image": "shop/web", "mem_limit": "256m"}}}}}


def test_a_layer_is_deployed_and_taken_down(followed: Callable[[str], Tree], aws: Cloud, tmp_path: Path) -> None:
    tree = followed("layer")
    (tmp_path / "group_vars").symlink_to(tree.top / "group_vars")
    given = {"prefix": "{{ site_prefix }}", "tags": "{{ site_tags }}", "layers": ["topic"]}
    deploy = {"name": "Deploy", "cloudformation_stacks": given}
    absent = {"name": "Take down", "cloudformation_stacks": given | {"state": "absent"}}
    path, inventory = play(tmp_path, [deploy], **SITE, site_topics={"orders": {"display_name": "Orders"}})
    done = tree.ansible(path, "-i", inventory, **environment(aws))
    assert "changed=1" in done.stdout, done.stdout
    (topic,) = aws.client("sns").list_topics()["Topics"]
    assert aws.client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["DisplayName"] == "Orders"
    assert "changed=0" in tree.ansible(path, "-i", inventory, **environment(aws)).stdout
    path, inventory = play(tmp_path, [absent])
    assert "changed=1" in tree.ansible(path, "-i", inventory, **environment(aws)).stdout
    assert aws.client("sns").list_topics()["Topics"] == []


@pytest.mark.long
def test_preflight_judges_a_layer_by_its_own_files(followed: Callable[[str], Tree], aws: Cloud, tmp_path: Path) -> None:
    tree = followed("layer")
    (tmp_path / "group_vars").symlink_to(tree.top / "group_vars")
    look = [{"name": "Look", "ansible.builtin.import_role": {"name": "preflight", "rolespec_validate": False}}]
    wrong: dict[str, Any] = SITE | {
        "aws_region": "eu-central-1",
        "preview_of": "",
        "site_topics": {"orders": {"display_name": "Orders", "colour": "red"}},
    }
    path, inventory = play(tmp_path, look, **wrong)
    asked = environment(aws) | {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    assert "site_topics.orders.colour: is no key of a topic" in tree.ansible(path, "-i", inventory, **asked).stdout
    del wrong["site_topics"]["orders"]["colour"]
    path, inventory = play(tmp_path, look, **wrong)
    said = tree.ansible(path, "-i", inventory, **asked).stdout
    assert "site_topics.orders.display_name: is for messages to phones, which eu-central-1 does not send." in said
    many: dict[str, Any] = {f"t{number}": {} for number in range(101)}
    path, inventory = play(tmp_path, look, **wrong | {"site_topics": many})
    assert "site_topics: has more than 100 entries" in tree.ansible(path, "-i", inventory, **asked).stdout
    path, inventory = play(tmp_path, look, **wrong | {"site_topics": {"orders": {}}})
    done = tree.ansible(path, "-i", inventory, **asked)
    assert "failed=0" in done.stdout, done.stdout


def test_a_verb_runs_and_is_refused_as_the_others_are(followed: Callable[[str], Tree]) -> None:
    tree = followed("verb")
    keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "asks"}  # it calls no API
    done = tree.ansible(tree.top / "hello.yml", "-i", "prod", **keys)
    assert "This is legacy in prod." in done.stdout, done.stdout + done.stderr
    done = tree.ansible(tree.top / "hello.yml", "-i", "prod", "--tags", "x", **keys)
    assert "A verb is run as a whole" in done.stdout + done.stderr


def test_the_files_of_a_host_role_land_in_user_data(followed: Callable[[str], Tree], tmp_path: Path) -> None:
    tree = followed("host_role")
    (tmp_path / "group_vars").symlink_to(tree.top / "group_vars")
    tasks = [
        {"name": "Describe", "host_description": {"roles": "{{ host_roles }}"}, "register": "described"},
        {"name": "Show", "ansible.builtin.debug": {"msg": "{{ described.files['/etc/motd'] }}"}},
    ]
    path, inventory = play(tmp_path, tasks, **SITE)
    done = tree.ansible(path, "-i", inventory)
    assert "Welcome to a host of shop in prod." in done.stdout, done.stdout
    assert "motd" in host_roles(tree.top)
    refuse = [{"name": "Refuse", "check_variables": {"rules_of": ["host_roles"]}}]
    path, inventory = play(tmp_path, refuse, **SITE, motd_greeting="a" * 61)
    assert "write one line of at most 60 characters." in tree.ansible(path, "-i", inventory).stdout

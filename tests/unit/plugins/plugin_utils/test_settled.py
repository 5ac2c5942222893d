"""What variables come to before others read them: once, and never otherwise than where they are read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from plugins.plugin_utils.settled import Settled
from tests.unit.noun_support import plugins_known
from tests.unit.plugins.lookup.test_lookup_site import GIVEN


def written(**variables: Any) -> dict[str, Any]:
    """Variables as a file of roles has them: texts are templates."""

    def trusted(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: trusted(each) for key, each in value.items()}
        if isinstance(value, list):
            return [trusted(each) for each in value]
        return trust_as_template(value) if isinstance(value, str) else value

    return {name: trusted(value) for name, value in variables.items()}


@pytest.fixture
def rendered() -> list[str]:
    """What was rendered, in its order."""
    return []


@pytest.fixture
def settled(rendered: list[str]) -> Settled:
    plugins_known()
    templar = Templar(DataLoader())

    def render(value: Any, variables: dict[str, Any]) -> Any:
        rendered.append(str(value))
        templar.available_variables = variables
        return templar.template(value)

    return Settled(render)


def test_each_variable_is_rendered_once_and_after_those_that_it_reads(settled: Settled, rendered: list[str]) -> None:
    known = written(
        plain="legacy",
        prefix="{{ plain }}-prod",
        both={"one": "a", "two": ["{{ prefix }}/a"]},
        other="{{ plain }}",
    )
    for _ in range(2):
        found = settled.behind(trust_as_template("{{ both.one }} {{ prefix }}"), known)
        assert found["both"] == {"one": "a", "two": ["legacy-prod/a"]}
        assert (found["prefix"], found["plain"]) == ("legacy-prod", "legacy")
        assert found["other"] == "{{ plain }}", "nobody reads it"
    assert len(rendered) == 2
    assert rendered[0] == "{{ plain }}-prod"
    assert known["prefix"] == "{{ plain }}-prod", "what was given is as it was"


def test_a_value_holds_only_where_all_that_it_is_made_of_is_the_same(settled: Settled, rendered: list[str]) -> None:
    known = written(name="{{ entry.name }}", tag="{{ name }}!", asked="{{ 'yes' if led is defined else 'no' }}")
    whole = trust_as_template("{{ tag }} {{ asked }}")

    def found(**more: Any) -> tuple[str, str]:
        values = settled.behind(whole, {**known, **more})
        return values["tag"], values["asked"]

    one, two = {"name": "one"}, {"name": "two"}
    assert found(entry=one) == ("one!", "no")
    assert found(entry=one) == ("one!", "no")
    assert len(rendered) == 3
    assert found(entry=two) == ("two!", "no"), "what it reads by another is another"
    assert found(entry=two, led=None) == ("two!", "yes"), "nothing is another thing than a variable that is not there"
    assert found(entry=one) == ("one!", "no")


def test_what_cannot_be_rendered_stays_for_whoever_needs_it(settled: Settled) -> None:
    known = written(broken="{{ nowhere }}", first="{{ broken if false else 1 }}", second="{{ broken }}")
    found = settled.behind(trust_as_template("{{ first }} {{ second }}"), known)
    assert found["first"] == 1
    assert (found["broken"], found["second"]) == ("{{ nowhere }}", "{{ broken }}")
    with pytest.raises(AnsibleError, match="'nowhere' is undefined"):
        Templar(DataLoader(), found).template(trust_as_template("{{ second }}"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ lookup('ansible.builtin.vars', 'hid' ~ 'den') }}",
        "{{ lookup('site', 'bucket') | list + [lookup('vars', 'hid' ~ 'den')] }}",
        "{{ query('vars', 'hid' ~ 'den') }}",
        "{{ vars['hid' ~ 'den'] }}",
    ],
)
def test_what_may_read_any_variable_is_not_kept_nor_what_reads_it(
    settled: Settled, rendered: list[str], text: str
) -> None:
    known = written(any=text, reader="{{ any }}", hidden="seen", site_buckets={})
    found = settled.behind(trust_as_template("{{ reader }}"), known)
    assert (found["any"], found["reader"]) == (text, "{{ any }}")
    assert rendered == []


def test_a_lookup_of_the_site_reads_the_variables_that_describe_it(settled: Settled) -> None:
    known = GIVEN | written(buckets="{{ lookup('site', 'bucket') | list }}")
    whole = trust_as_template("{{ buckets }}")
    assert settled.behind(whole, known)["buckets"] == ["uploads"]
    more = known | {"site_buckets": {"photos": {}, "uploads": {}}}
    assert settled.behind(whole, more)["buckets"] == ["photos", "uploads"]


def test_variables_that_name_each_other_are_left_as_they_are(settled: Settled, rendered: list[str]) -> None:
    known = written(one="{{ [two] if false else 'one' }}", two="{{ [one] if false else 'two' }}", three="{{ one }}")
    found = settled.behind(trust_as_template("{{ three }}"), known)
    assert found == known
    assert rendered == []


def test_a_text_that_a_value_has_is_no_template(settled: Settled) -> None:
    known = written(made="{{ '{' ~ '{ nowhere }' ~ '}' }}", reader="{{ made }}")
    found = settled.behind(trust_as_template("{{ reader }}"), known)
    assert found["reader"] == "{{ nowhere }}"
    assert Templar(DataLoader(), found).template(trust_as_template("{{ reader }}")) == "{{ nowhere }}"

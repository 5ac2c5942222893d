"""The layers of a call: their order, and everything that can be wrong with them before the first API call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.plugin_utils.layers import Layer, LayersWrong, aliases, read_layers

TEMPLATES = {
    "network": "Resources: {A: {Type: T}}\nParameters: {VpcCidr: {Type: String}}\nOutputs: {VpcId: {Value: 1}}",
    "data": "Resources: {A: {Type: T}}\nParameters: {VpcId: {Type: String}}\nOutputs: {Host: {Value: !GetAtt A.B}}",
    "cluster": (
        "Resources: {A: {Type: T}}\nParameters: {VpcId: {Type: String}, Count: {Type: Number, Default: 1}}\n"
        "Outputs: {Group: {Value: 1}}"
    ),
    "task": "Resources: {A: {Type: T}}\nParameters: {Host: {Type: String}, Group: {Type: String}}",
    "certificate": (
        "Resources: {A: {Type: T}}\nParameters: {DomainName: {Type: String}}\nOutputs: {CertificateArn: {Value: 1}}"
    ),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, body in TEMPLATES.items():
        (tmp_path / f"{name}.yml").write_text(body)
    return tmp_path


def read(directory: Path, stacks: dict[str, Any], **options: Any) -> dict[str, Layer]:
    given = {"prefix": "legacy-test", "directory": directory, "tags": {}, "outputs": {}, **options}
    return read_layers(stacks, **given)


def errors(directory: Path, stacks: dict[str, Any], **options: Any) -> list[str]:
    with pytest.raises(LayersWrong) as wrong:
        read(directory, stacks, **options)
    return wrong.value.errors


NETWORK = {"parameters": {"VpcCidr": "10.0.0.0/16"}}


def test_a_layer_takes_the_outputs_that_it_declares_as_parameters(directory: Path) -> None:
    layers = read(directory, {"task": {}, "cluster": {}, "data": {}, "network": NETWORK})
    assert next(iter(layers)) == "network"
    assert list(layers)[-1] == "task"
    assert layers["task"].takes == {"Host": ("data", "Host"), "Group": ("cluster", "Group")}
    assert layers["task"].needs == {"data", "cluster"}
    assert layers["network"].needs == set()
    assert layers["network"].stack == "legacy-test-network"


def test_a_given_value_makes_no_relation(directory: Path) -> None:
    layers = read(directory, {"data": {"parameters": {"VpcId": "vpc-1"}}, "network": NETWORK})
    assert layers["data"].needs == set()


def test_outputs_of_an_earlier_call_are_known(directory: Path) -> None:
    layers = read(directory, {"data": None}, outputs={"VpcId": "vpc-1", "Other": "x"})
    assert layers["data"].parameters == {"VpcId": "vpc-1"}


def test_values_are_written_as_cloudformation_takes_them(directory: Path) -> None:
    body = "Resources: {A: {Type: T}}\nParameters: {A: {}, B: {}, C: {}}"
    values = {"A": True, "B": ["x", "y"], "C": 5}
    layers = read(directory, {"any": {"template_body": body, "parameters": values}})
    assert layers["any"].parameters == {"A": "true", "B": "x,y", "C": "5"}


def test_everything_wrong_is_found_at_once(directory: Path) -> None:
    found = errors(
        directory,
        {
            "network": {"parameters": {"VpcCdir": "x"}},
            "data": {"parameter": {}, "protect": "yes"},
            "nowhere": {},
            "broken": {"template_body": "Resources: ["},
            "empty": {"template_body": "Outputs: {}"},
            "name": {"template_body": "Resources: {}", "stack": "a_b"},
        },
    )
    text = "\n".join(found)
    for sentence in (
        "network: parameters gives VpcCdir, which the template does not declare. Did you mean VpcCidr?",
        "data: parameter is not an option of a layer. Did you mean parameters?",
        "data: protect is 'yes', which is of the wrong type.",
        "nowhere: its template cannot be read",
        "broken: template_body is not YAML",
        "empty: template_body has no Resources",
        "name: 'legacy-test-a_b' cannot be a stack's name",
    ):
        assert sentence in text


def test_what_is_wrong_with_the_parameters_is_found_at_once(directory: Path) -> None:
    options = {"keep": ["Cuont"], "first": {"Count": None}, "outputs": {"Gruop": "X"}}
    assert errors(directory, {"cluster": options}) == [
        "cluster: first gives no value for Count (null). Leave it out, or give one.",
        "cluster: keep names Cuont, which the template does not declare. Did you mean Count?",
        "cluster: outputs names Gruop, which is no output of the template. Did you mean Group?",
    ]


def test_a_parameter_without_a_value_is_refused(directory: Path) -> None:
    assert errors(directory, {"data": {}}) == [
        "data: VpcId has no value: it is not given, has no default, and no layer gives it."
    ]


def test_sizes_are_those_of_cloudformation(directory: Path) -> None:
    fits = "Resources: {A: {Type: T}}\nParameters: {P: {}}\n".ljust(51_200, "#")
    assert read(directory, {"any": {"template_body": fits, "parameters": {"P": "ü" * 2048}}})
    (too_long,) = errors(directory, {"any": {"template_body": fits + "#"}})
    assert "any: its template has 51,201 bytes; an API call carries 51,200. Make it shorter" in too_long
    long = errors(directory, {"any": {"template_body": fits, "parameters": {"P": "ü" * 2048 + "x"}}})
    assert long == ["any: P has 4,097 bytes; a parameter takes 4,096. Render it into the template."]


def test_a_circle_is_named(directory: Path) -> None:
    stacks = {
        "a": {"template_body": "Resources: {}\nParameters: {FromB: {}}\nOutputs: {FromA: {}}"},
        "b": {"template_body": "Resources: {}\nParameters: {FromA: {}}\nOutputs: {FromB: {}}"},
    }
    assert "in a circle: a → b → a" in errors(directory, stacks)[0].replace("b → a → b", "a → b → a")


CERTIFICATES: dict[str, dict[str, Any]] = {
    "certificate": {"parameters": {"DomainName": "example.org"}},
    "certificate_us": {
        "template": "certificate.yml",
        "stack": "certificate",
        "region": "us-east-1",
        "parameters": {"DomainName": "example.org"},
    },
}


def test_two_stacks_must_not_give_one_output(directory: Path) -> None:
    found = errors(directory, CERTIFICATES, region="eu-central-1")
    assert found == [
        "certificate_us: gives the output CertificateArn, which certificate gives too. "
        "Rename one (outputs: {CertificateArn: …} in the layer)."
    ]


def test_two_stacks_that_go_may_have_given_one_output(directory: Path) -> None:
    """How they call it on is not said any more."""
    stacks = {"certificate": {}, "certificate_us": {"template": "certificate.yml", "region": "us-east-1"}}
    assert read(directory, stacks, region="eu-central-1", deleting=True).keys() == stacks.keys()


def test_one_of_two_equal_outputs_can_be_renamed(directory: Path) -> None:
    renamed = {**CERTIFICATES["certificate_us"], "outputs": {"CertificateArn": "CdnCertificateArn"}}
    stacks = {**CERTIFICATES, "certificate_us": renamed}
    taker = "Resources: {}\nParameters: {CdnCertificateArn: {}, CertificateArn: {}}"
    layers = read(directory, {**stacks, "edge": {"template_body": taker}}, region="eu-central-1")
    assert layers["edge"].takes == {
        "CdnCertificateArn": ("certificate_us", "CertificateArn"),
        "CertificateArn": ("certificate", "CertificateArn"),
    }
    assert aliases(layers, "eu-central-1")["certificate_us"] == "certificate_us"


def test_one_stack_under_two_names_is_one_stack(directory: Path) -> None:
    layers = read(directory, CERTIFICATES, region="us-east-1")
    same = aliases(layers, "us-east-1")
    assert len(set(same.values())) == 1


def test_one_stack_under_two_names_must_be_the_same(directory: Path) -> None:
    other = {**CERTIFICATES["certificate_us"], "parameters": {"DomainName": "example.com"}}
    found = errors(directory, {**CERTIFICATES, "certificate_us": other}, region="us-east-1")
    assert "is the same stack as certificate (legacy-test-certificate), but differs from it" in found[0]


def test_a_release_is_no_stack_tag(directory: Path) -> None:
    assert "Release must not be a stack tag" in errors(directory, {"network": NETWORK}, tags={"Release": "1"})[0]


def test_a_deletion_needs_no_values_and_no_templates(directory: Path) -> None:
    layers = read(directory, {"gone": {}, "data": {}, "network": {}}, deleting=True)
    assert layers["data"].needs == {"network"}


def test_hidden_parameters_are_known(directory: Path) -> None:
    body = "Resources: {}\nParameters: {P: {NoEcho: true}, Q: {NoEcho: 'true'}, R: {}}"
    layers = read(directory, {"any": {"template_body": body, "parameters": {"P": 1, "Q": 1, "R": 1}}})
    assert layers["any"].hidden == {"P", "Q"}


ENTRIES = {
    "database": (
        "Resources: {A: {Type: T}}\nParameters: {VpcId: {Type: String}}\nOutputs: {SecretArn: {Value: !GetAtt A.B}}"
    ),
    "service": "Resources: {A: {Type: T}}\nParameters: {VpcId: {Type: String}, DatabaseSecretArn: {Type: String}}",
}


@pytest.fixture
def nouns(directory: Path) -> Path:
    """Templates of which a site may have several stacks, beside those that it has once."""
    for name, body in ENTRIES.items():
        (directory / f"{name}.yml").write_text(body)
    return directory


def two_databases(**takes: str) -> dict[str, Any]:
    databases = {"database.main": {}, "database.reports_2": {}, "network": NETWORK}
    return databases | {f"service.{name}": {"takes": {"DatabaseSecretArn": source}} for name, source in takes.items()}


def test_entries_of_one_noun_share_its_template_and_nothing_else(nouns: Path) -> None:
    layers = read(nouns, two_databases(web="database.reports_2.SecretArn", api="database.main.SecretArn"))
    assert layers["database.main"].stack == "legacy-test-database-main"
    assert layers["database.reports_2"].stack == "legacy-test-database-reports-2"
    assert layers["database.main"].template.body == layers["database.reports_2"].template.body == ENTRIES["database"]
    assert layers["database.main"].gives == {"database.main.SecretArn": "SecretArn"}
    vpc = {"VpcId": ("network", "VpcId")}
    assert layers["database.main"].takes == vpc
    assert layers["service.web"].takes == {**vpc, "DatabaseSecretArn": ("database.reports_2", "SecretArn")}
    assert layers["service.api"].takes == {**vpc, "DatabaseSecretArn": ("database.main", "SecretArn")}
    assert list(layers).index("service.web") > list(layers).index("database.reports_2")


def test_an_entry_gives_nothing_without_its_name(nouns: Path) -> None:
    taker = {"template_body": "Resources: {}\nParameters: {SecretArn: {}}"}
    assert errors(nouns, {**two_databases(), "taker": taker}) == [
        "taker: SecretArn has no value: it is not given, has no default, and no layer gives it."
    ]


def test_a_layer_of_which_there_is_one_can_be_named_too(nouns: Path) -> None:
    taker = {"template_body": "Resources: {}\nParameters: {Where: {}}", "takes": {"Where": "network.VpcId"}}
    assert read(nouns, {"network": NETWORK, "taker": taker})["taker"].takes == {"Where": ("network", "VpcId")}


def test_outputs_of_entries_of_an_earlier_call_are_known(nouns: Path) -> None:
    known = {"VpcId": "vpc-1", "database.main.SecretArn": "arn:1"}
    taker = {"takes": {"DatabaseSecretArn": "database.main.SecretArn", "VpcId": "network.VpcId"}}
    layers = read(nouns, {"service.web": taker}, outputs=known)
    assert layers["service.web"].parameters == {"VpcId": "vpc-1", "DatabaseSecretArn": "arn:1"}
    assert layers["service.web"].needs == set()


def test_a_source_that_there_is_not_is_named_with_the_nearest(nouns: Path) -> None:
    sources = {
        "a": "database.mian.SecretArn",
        "b": "database.main.SecretAm",
        "c": "SecretArn",
        "d": "database.main",
    }
    assert sorted(errors(nouns, two_databases(**sources))) == [
        "service.a: takes DatabaseSecretArn from database.mian.SecretArn, but there is no layer database.mian. "
        "Did you mean database.main.SecretArn?",
        "service.b: takes DatabaseSecretArn from database.main.SecretAm, but database.main gives no output SecretAm. "
        "Did you mean database.main.SecretArn?",
        "service.c: takes DatabaseSecretArn from SecretArn, but there is no layer SecretArn. "
        "Write <layer>.<Output>, for example database.main.SecretArn.",
        "service.d: takes DatabaseSecretArn from database.main, but it names a layer without an output. "
        "Write database.main.SecretArn.",
    ]


def test_what_is_wrong_with_takes_is_found_at_once(nouns: Path) -> None:
    both = {"parameters": {"VpcId": "vpc-1"}, "takes": {"VpcId": "network.VpcId", "DatabaseSecret": "network.VpcId"}}
    assert errors(nouns, {"network": NETWORK, "service.web": both}) == [
        "service.web: VpcId is in parameters and in takes. Give it in one of them.",
        "service.web: takes gives DatabaseSecret, which the template does not declare. Did you mean DatabaseSecretArn?",
    ]


@pytest.mark.parametrize("name", ["database.", ".main", "database.main.two", "Database.main", "database.Main"])
def test_an_entry_is_noun_dot_name(nouns: Path, name: str) -> None:
    assert "is no name of a layer" in "\n".join(errors(nouns, {name: {"template": "database.yml"}}))


def test_two_entries_are_never_one_stack(nouns: Path) -> None:
    assert errors(nouns, {"network": NETWORK, "database.main_1": {}, "database.main-1": {}}) == [
        "database.main-1: would be the same stack as database.main_1 (legacy-test-database-main-1). Rename one."
    ]


def test_a_circle_of_entries_is_named(nouns: Path) -> None:
    body = "Resources: {}\nParameters: {From: {}}\nOutputs: {Url: {Value: 1}}"
    stacks = {
        "service.a": {"template_body": body, "takes": {"From": "service.b.Url"}},
        "service.b": {"template_body": body, "takes": {"From": "service.a.Url"}},
    }
    assert "in a circle: service." in errors(nouns, stacks)[0]


def test_a_deletion_needs_no_sources(nouns: Path) -> None:
    layers = read(nouns, two_databases(web="gone.SecretArn", api="database.main.SecretArn"), deleting=True)
    assert layers["service.api"].needs == {"database.main"} | {"network"}
    assert layers["service.web"].needs == {"network"}

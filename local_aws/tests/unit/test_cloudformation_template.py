# ruff: noqa: E501 (one case a line)
"""Reading templates, evaluating functions and parameters: pure, no server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.cloudformation import parameters
from local_aws.cloudformation.errors import ValidationError
from local_aws.cloudformation.handlers import Context
from local_aws.cloudformation.intrinsics import UNKNOWN, Environment, NotKnownYet, Resolver
from local_aws.cloudformation.parameters import Given
from local_aws.cloudformation.template import check_body_size, parse
from local_aws.cloudformation.validation import validate

HANDLE = "{Type: AWS::CloudFormation::WaitConditionHandle}"
TEMPLATE = f"""
AWSTemplateFormatVersion: 2010-09-09
Mappings:
  Sizes: {{prod: {{count: 3, list: [a, b]}}, 1: {{count: 1}}}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  NotProd: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Not [!Condition NotProd]]
  Either: !Or [!Condition NotProd, !Equals [!Ref Flag, true]]
  Long: {{"Fn::And": [{{Condition: IsProd}}, {{Condition: Both}}]}}
Resources:
  Db: {HANDLE}
  Later: {HANDLE}
"""


class Made:
    """Db is there, Later is not."""

    def reference(self, logical_id: str) -> str:
        if logical_id == "Later":
            raise NotKnownYet
        return {"Db": "db-1"}[logical_id]

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id == "Later":
            raise NotKnownYet
        return {"Db": {"Endpoint.Address": "db.example", "Port": 5432}}[logical_id][name]


def resolver(template: str = TEMPLATE) -> Resolver:
    pseudo = {"AWS::Region": "us-east-1", "AWS::StackName": "site", "AWS::Partition": "aws"}
    values = {"Env": "prod", "Flag": "true", "Names": ["a", "b", "c"], "Text": "x,y"}
    exports = {"net-Vpc": "vpc-1"}
    return Resolver(
        parse(template),
        Environment(pseudo, values, lambda region: [f"{region}a", f"{region}b"], exports.__getitem__),
        Made(),
    )


def evaluate(text: str) -> Any:
    """The value of a property, written in YAML."""
    indented = "\n".join(f"          {line}" for line in text.splitlines())
    template = parse(
        TEMPLATE
        + f"  Holder:\n    Type: AWS::CloudFormation::WaitConditionHandle\n    Properties:\n      Value:\n{indented}\n"
    )
    return resolver().value(template.resources["Holder"]["Properties"])["Value"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Env", "prod"),
        ("!Ref Names", ["a", "b", "c"]),
        ("!Ref Db", "db-1"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!GetAtt Db.Endpoint.Address", "db.example"),
        ("Fn::GetAtt: [Db, Endpoint.Address]", "db.example"),
        ("!GetAtt [Db, Endpoint, Address]", "db.example"),
        ("!Sub 'x-${Env}-${Db.Endpoint.Address}:${Db.Port}-${AWS::Region}'", "x-prod-db.example:5432-us-east-1"),
        ("!Sub ['${A}-${Env}-${!Literal}', {A: !Ref Db}]", "db-1-prod-${Literal}"),
        ("!Sub 'no variables, $HOME and $(x)'", "no variables, $HOME and $(x)"),
        ("!Join ['-', [a, !Ref Env, !Ref Db]]", "a-prod-db-1"),
        ("!Join [',', !Ref Names]", "a,b,c"),
        ("!Join ['', [port, 80, true]]", "port80true"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select ['0', !GetAZs '']", "us-east-1a"),
        ("!Select [1, !Split [',', !Ref Text]]", "y"),
        ("!Split ['-', 'a-b-c']", ["a", "b", "c"]),
        ("!FindInMap [Sizes, !Ref Env, count]", 3),
        ("!FindInMap [Sizes, '1', count]", 1),
        ("!FindInMap [Sizes, prod, list]", ["a", "b"]),
        ("!FindInMap [Sizes, nowhere, count, {DefaultValue: !Ref Env}]", "prod"),
        ("!If [IsProd, a, b]", "a"),
        ("!If [NotProd, a, b]", "b"),
        ("!If [Both, a, b]", "a"),
        ("!If [Either, a, b]", "a"),
        ("!If [Long, a, b]", "a"),
        ("!If [NotProd, a, !If [IsProd, {x: !Ref Env}, c]]", {"x": "prod"}),
        ("[a, !Ref AWS::NoValue, !If [NotProd, b, !Ref AWS::NoValue]]", ["a"]),
        ("{a: 1, b: !Ref AWS::NoValue}", {"a": 1}),
        ("!Base64 abc", "YWJj"),
        ("Fn::Base64: !Sub 'e-${Env}'", "ZS1wcm9k"),
        ("!Cidr [10.0.0.0/16, 3, 8]", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ("!Select [1, !Cidr [10.0.0.0/22, 2, 9]]", "10.0.2.0/23"),
        ("!GetAZs {Ref: AWS::Region}", ["us-east-1a", "us-east-1b"]),
        ("!GetAZs eu-west-1", ["eu-west-1a", "eu-west-1b"]),
        ("!ImportValue net-Vpc", "vpc-1"),
        ("Fn::ImportValue: !Sub 'net-Vpc'", "vpc-1"),
        ("Fn::ToJsonString: {a: !Ref Env, b: [1]}", '{"a":"prod","b":[1]}'),
        ("Fn::Length: !Ref Names", 3),
        (
            "{Version: 2012-10-17, Condition: {Bool: {a: true}}}",
            {"Version": "2012-10-17", "Condition": {"Bool": {"a": True}}},
        ),
        ("!Sub [x, {}]", "x"),
        ("012345678901", "012345678901"),
        ("{yes: 1, 012: 2, 2012-10-17: 3}", {"yes": 1, "012": 2, "2012-10-17": 3}),
    ],
)
def test_functions(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text", ["!Ref Later", "!Sub 'x${Later.Arn}'", "!Join ['', [a, !Ref Later]]", "!Select [0, [!Ref Later]]"]
)
def test_what_is_not_there_yet_is_unknown_as_a_whole(text: str) -> None:
    assert evaluate(text) is UNKNOWN
    assert evaluate(f"{{a: {text}, b: !Ref Env}}")["b"] == "prod"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!Ref Nobody", "Unresolved resource dependencies [Nobody]"),
        ("!GetAtt Db.Colour", "resource Db does not support attribute type Colour in Fn::GetAtt"),
        ("!Select [7, !Ref Names]", "Fn::Select cannot select nonexistent value at index 7"),
        ("!FindInMap [Sizes, test, count]", "Unable to get mapping for Sizes::test::count"),
        ("!ImportValue nothing", "No export named nothing found."),
        ("!Join [',', !Ref Env]", "every Fn::Join object requires a delimiter and a list of strings"),
        ("!Sub 'x${Names}'", "variable Names in Fn::Sub expression does not resolve to a string"),
        ("!If [Maybe, a, b]", "Unresolved condition [Maybe]"),
        ("!Cidr [10.0.0.0/24, 3, 7]", "has no 3 blocks of that size"),
        ("!Cidr [nonsense, 1, 8]", "Fn::Cidr cannot be evaluated"),
        ("!Frobnicate x", "Unsupported function Fn::Frobnicate"),
        ("!If [IsProd, a]", "Fn::If cannot be evaluated"),
        ("!GetAtt Db", "every Fn::GetAtt object requires two non-empty parameters"),
    ],
)
def test_functions_that_cannot_be_evaluated(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        evaluate(text)
    assert message in caught.value.message


def test_json_templates() -> None:
    body = json.dumps({"Resources": {"A": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
    assert list(parse(body).resources) == ["A"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Resources: [", "YAML not well-formed"),
        ('{"Resources": ', "JSON not well-formed"),
        ("just text", "unsupported structure"),
        ("Description: x", "At least one Resources member must be defined."),
        (f"Resources: {{A: {HANDLE}}}\nResourcess: {{}}", "Invalid template property or properties [Resourcess]"),
        (f"Resources: {{A: {HANDLE}}}\nTransform: AWS::Serverless-2016-10-31", "does not support template sections"),
        (f"Resources: {{A: {HANDLE}, A: {HANDLE}}}", "Duplicate key 'A'"),
        (f"Resources: {{A: &a {HANDLE}, B: *a}}", "YAML aliases are not allowed"),
        ("Resources: {" + ", ".join(f"R{n}: {HANDLE}" for n in range(501)) + "}", "501, is greater than maximum allowed, 500"),
    ],
)  # fmt: skip
def test_templates_that_cannot_be_read(body: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(body)
    assert message in caught.value.message


def test_a_template_of_500_resources_is_read() -> None:
    assert len(parse("Resources:\n" + "\n".join(f"  R{n}: {HANDLE}" for n in range(500))).resources) == 500


def test_template_body_limit_counts_bytes() -> None:
    check_body_size("x" * 51_200)
    for body in ("x" * 51_201, "é" * 25_601):
        with pytest.raises(ValidationError, match=r"templateBody.*less than or equal to 51200"):
            check_body_size(body)


GROUP = "{Type: AWS::Logs::LogGroup, Properties: {%s}}"
IGNORED = "Resources: {A: " + HANDLE + "}\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Resources: {A: {Type: AWS::Nothing::AtAll}}", "Unrecognized resource types: [AWS::Nothing::AtAll]"),
        ("Resources: {A: {Properties: {}}}", "must contain a Type"),
        ("Resources: {A-b: " + HANDLE + "}", "Resource name A-b is non alphanumeric"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, CreationPolicy: {}}}", "does not support CreationPolicy"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, UpdateReplacePolicy: RetainExceptOnCreate}}", "Unrecognized UpdateReplacePolicy"),
        ("Resources: {A: " + GROUP % "LogGroupNam: x" + "}", "Encountered unsupported property LogGroupNam"),
        ("Resources: {A: " + GROUP % "Arn: x" + "}", "Encountered unsupported property Arn"),
        ("Resources: {A: " + GROUP % "Tags: [{Key: a, Valeu: b}]" + "}", "Encountered unsupported property Tags/0/Valeu"),
        ("Resources: {A: {Type: AWS::SSM::Parameter, Properties: {Type: String}}}", "Property Value cannot be empty."),
        ("Resources: {A: " + GROUP % "LogGroupName: !Ref B" + "}", "Unresolved resource dependencies [B] in the Resources block"),
        ("Resources: {A: " + GROUP % "LogGroupName: !Sub 'x${B}${C}'" + "}", "Unresolved resource dependencies [B, C]"),
        ("Resources: {A: " + GROUP % "LogGroupName: !GetAtt B.Arn" + "}", "Fn::GetAtt references undefined resource B"),
        ("Resources: {B: " + HANDLE + ", A: " + GROUP % "LogGroupName: !GetAtt B.Colour" + "}", "resource B does not support attribute type Colour"),
        ("Resources: {A: " + GROUP % "LogGroupName: !Frobnicate x" + "}", "Unsupported function Fn::Frobnicate"),
        ("Resources: {A: " + GROUP % "LogGroupName: !If [Maybe, a, b]" + "}", "unresolved condition dependency Maybe"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, DependsOn: B}}", "Unresolved resource dependencies [B]"),
        ("Resources: {A: {Type: AWS::Logs::LogGroup, Condition: Maybe}}", "Unresolved condition dependency Maybe"),
        ("Resources: {A: " + GROUP % "LogGroupName: !Ref A" + "}", "Circular dependency between resources: [A]"),
        ("Resources: {A: " + GROUP % "LogGroupName: !Ref B" + ", B: {Type: AWS::Logs::LogGroup, DependsOn: [A]}}", "Circular dependency between resources: [A, B]"),
        (IGNORED + "Outputs: {O: {Value: !Ref B}}", "Unresolved resource dependencies [B] in the Outputs block"),
        (IGNORED + "Outputs: {O: {Description: x}}", "Output O is malformed"),
        (IGNORED + "Conditions: {C: !Equals [!Ref A, x]}", "Cannot reference resources in the Conditions block"),
        (IGNORED + "Conditions: {C: !Not [!Condition D]}", "Unresolved condition dependency D"),
        (IGNORED + "Conditions: {C: !Not [!Condition C]}", "Circular dependency"),
    ],
)  # fmt: skip
def test_templates_that_are_refused(body: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate(parse(body))
    assert message in caught.value.message


@pytest.mark.parametrize(
    "properties",
    [
        "LogGroupName: !If [C, a, !Ref AWS::NoValue]",
        "Tags: !If [C, [{Key: a, Value: b}], !Ref AWS::NoValue]",
        "RetentionInDays: '7'",
    ],
)
def test_templates_that_are_accepted(properties: str) -> None:
    validate(parse("Conditions: {C: !Equals [a, b]}\nResources: {A: " + GROUP % properties + "}"))


def test_branches_of_if_are_checked_too() -> None:
    body = (
        "Conditions: {C: !Equals [a, b]}\nResources: {A: "
        + GROUP % "Tags: [!If [C, {Kei: a}, !Ref AWS::NoValue]]"
        + "}"
    )
    with pytest.raises(ValidationError, match="unsupported property Tags/0/Kei"):
        validate(parse(body))


def effective(declared: dict[str, Any], **values: Any) -> Any:
    """Ref of parameter P."""
    found = parameters.effective({"P": declared}, Given({key: str(value) for key, value in values.items()}), {})
    return parameters.resolve({"P": declared}, found, {"/ami": "ami-1", "/list": "a, b"}.__getitem__)["P"]


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        ({"Type": "String", "Default": "x"}, None, "x"),
        ({"Type": "String", "Default": True}, None, "true"),
        ({"Type": "Number", "Default": 7}, None, "7"),
        ({"Type": "Number"}, "7.5", "7.5"),
        ({"Type": "CommaDelimitedList", "Default": "a, b"}, None, ["a", "b"]),
        ({"Type": "CommaDelimitedList", "Default": ""}, None, []),
        ({"Type": "List<Number>"}, "1,2", ["1", "2"]),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
        ({"Type": "AWS::EC2::VPC::Id"}, "vpc-1", "vpc-1"),
        ({"Type": "AWS::SSM::Parameter::Name"}, "/ami", "/ami"),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/ami"}, None, "ami-1"),
        ({"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"}, "/ami", "ami-1"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>"}, "/list", ["a", "b"]),
        ({"Type": "String", "AllowedValues": ["a", True, 5]}, "true", "true"),
        ({"Type": "String", "AllowedPattern": "[a-z]*", "MinLength": 0}, "", ""),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,b", ["a", "b"]),
    ],
)
def test_parameters(declared: dict[str, Any], given: str | None, value: Any) -> None:
    assert effective(declared, **({} if given is None else {"P": given})) == value


@pytest.mark.parametrize(
    ("declared", "values", "message"),
    [
        ({"Type": "String"}, {}, "Parameters: [P] must have values"),
        ({"Type": "String", "Default": ""}, {"Q": 1}, "Parameters: [Q] do not exist in the template"),
        ({"Type": "String", "AllowedValues": ["a"]}, {"P": "b"}, "must be one of AllowedValues: [a]"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a"]}, {"P": "a,b"}, "must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, {"P": "a1"}, "must match pattern [a-z]+"),
        ({"Type": "String", "AllowedPattern": "a", "ConstraintDescription": "Say a."}, {"P": "b"}, "constraint: Say a."),
        ({"Type": "String", "MinLength": 2}, {"P": "a"}, "must contain at least 2 characters"),
        ({"Type": "String", "MaxLength": 2}, {"P": "abc"}, "must contain at most 2 characters"),
        ({"Type": "Number"}, {"P": "x"}, "Parameter 'P' must be a number."),
        ({"Type": "List<Number>"}, {"P": "1,x"}, "must be a number"),
        ({"Type": "Number", "MinValue": 5}, {"P": 4}, "not less than 5"),
        ({"Type": "Number", "MaxValue": 5}, {"P": 6}, "not greater than 5"),
        ({"Type": "Strnig"}, {"P": "x"}, "Unrecognized parameter type: Strnig"),
        ({"Default": "x"}, {}, "must contain a Type member"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, {"P": "/none"}, "Unable to fetch parameters [/none] from parameter store"),
    ],
)  # fmt: skip
def test_parameters_that_are_refused(declared: dict[str, Any], values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        effective(declared, **values)
    assert message in caught.value.message


def test_previous_values_and_the_limit_of_a_value() -> None:
    declared = {"P": {"Type": "String", "Default": "default"}}
    previous = Given.parse([{"ParameterKey": "P", "UsePreviousValue": True}])
    assert parameters.effective(declared, previous, {"P": "before"}) == {"P": "before"}
    assert parameters.effective(declared, Given({}), {"P": "before"}) == {"P": "default"}
    Given.parse([{"ParameterKey": "P", "ParameterValue": "x" * 4096}])
    with pytest.raises(ValidationError, match="length less than or equal to 4096"):
        Given.parse([{"ParameterKey": "P", "ParameterValue": "x" * 4097}])
    with pytest.raises(ValidationError, match="Cannot specify usePreviousValue"):
        Given.parse([{"ParameterKey": "P", "ParameterValue": "x", "UsePreviousValue": True}])


def _context(stack: str = "site-prod-network", logical_id: str = "Vpc") -> Context:
    tags = {"Site": "one", "aws:cloudformation:stack-name": stack}
    return Context(stack, "arn", logical_id, "us-east-1", "123456789012", "aws", tags, lambda _service, _region: None)


@pytest.mark.parametrize(
    ("length", "logical_id"), [(64, "Vpc"), (32, "TargetGroup"), (32, "A" * 100), (63, "B" * 100), (20, "Vpc")]
)
def test_generated_names_keep_their_random_end(length: int, logical_id: str) -> None:
    names = {_context(logical_id=logical_id).name(length) for _ in range(20)}
    assert len(names) == 20
    assert all(len(name) <= length for name in names)
    assert all(len(name.rsplit("-", 1)[1]) == 12 for name in names)
    assert _context().name(63, lower=True).islower()


def test_tag_lists_let_the_resource_win() -> None:
    own = {"Tags": [{"Key": "Site", "Value": 2}, {"Key": "Name", "Value": "x"}]}
    assert _context().tag_list(own) == [{"Key": "Site", "Value": "2"}, {"Key": "Name", "Value": "x"}]
    assert _context().tag_list({"Tags": {"Name": "x"}}) == [
        {"Key": "Name", "Value": "x"},
        {"Key": "Site", "Value": "one"},
    ]
    assert _context().tag_list({}, aws=True)[1]["Key"] == "aws:cloudformation:stack-name"

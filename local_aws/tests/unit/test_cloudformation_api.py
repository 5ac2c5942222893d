"""What the API takes and shows: parameters, limits, change sets, capabilities, dynamic references, real types."""

from __future__ import annotations

import json

import pytest

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks, Thing, refused, resources, thing

PARAMETERS = """
Parameters:
  Count: {Type: Number, Default: 2}
  Subnets: {Type: List<String>, Default: "a,b"}
  Image: {Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>, Default: /site/image}
  Word: {Type: String, Default: hush, NoEcho: true}
Conditions:
  Many: !Equals [!Ref Count, 3]
"""
SITE = PARAMETERS + resources(
    Host=thing(Name="!Ref Image", Size="!Ref Count", Refers="!Ref Subnets", Word="!Ref Word"),
    Extra=thing(IF="Many", Size=1),
)


def test_drift_free_no_op_with_all_kinds_of_parameters(stacks: Stacks, aws: Cloud) -> None:
    aws.client("ssm").put_parameter(Name="/site/image", Type="String", Value="ami-1")
    stack = stacks.create("site", SITE, {"Count": 2})
    host = Thing.existing[stacks.physical("site")["Host"]]
    assert (host["Name"], host["Size"], host["Refers"]) == ("ami-1", "2", ["a", "b"])
    shown = {parameter["ParameterKey"]: parameter for parameter in stack["Parameters"]}
    assert shown["Word"]["ParameterValue"] == "****"
    assert shown["Image"] == {"ParameterKey": "Image", "ParameterValue": "/site/image", "ResolvedValue": "ami-1"}
    assert shown["Subnets"]["ParameterValue"] == "a,b"
    for parameters in ({}, {"Count": 2}, {"Count": None, "Image": None}, {"Subnets": "a, b", "Image": "/site/image"}):
        with refused("No updates are to be performed."):
            stacks.update("site", SITE, parameters)
        with refused("No updates are to be performed."):
            stacks.update("site", None, parameters)


def test_ssm_parameters_are_read_again_on_update(stacks: Stacks, aws: Cloud) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/site/image", Type="String", Value="ami-1")
    stacks.create("site", SITE)
    before = stacks.physical("site")["Host"]
    ssm.put_parameter(Name="/site/image", Type="String", Value="ami-2", Overwrite=True)

    assert stacks.changes(stacks.change_set("site", None)) == {"Host": ("Modify", "True")}
    stacks.update("site", None)
    after = stacks.physical("site")["Host"]
    assert after != before
    assert Thing.existing[after]["Name"] == "ami-2"
    with refused("Unable to fetch parameters [/nothing] from parameter store for this account."):
        stacks.update("site", None, {"Image": "/nothing"})


def test_a_condition_brings_a_resource_in_and_out(stacks: Stacks, aws: Cloud) -> None:
    aws.client("ssm").put_parameter(Name="/site/image", Type="String", Value="ami-1")
    stacks.create("site", SITE)
    assert set(stacks.physical("site")) == {"Host"}
    stacks.update("site", None, {"Count": 3})
    assert set(stacks.physical("site")) == {"Host", "Extra"}
    stacks.update("site", None)
    assert set(stacks.physical("site")) == {"Host"}, "a value that is not given is the default again"


def test_reference_to_a_resource_whose_condition_is_false(stacks: Stacks) -> None:
    body = "Conditions: {Never: !Equals [a, b]}\n" + resources(Extra=thing(IF="Never"), Host=thing(Refers="!Ref Extra"))
    with refused("Unresolved resource dependencies [Extra] in the Resources block of the template"):
        stacks.create("site", body)
    assert stacks.api.describe_stacks()["Stacks"] == [], "nothing was made"


def test_refusals_leave_nothing_behind(stacks: Stacks) -> None:
    for body in (
        "Resources: {A: {Type: AWS::No::Such}}",
        resources(A=thing(Colour=1)),
        resources(A=thing(Size="!Ref B")),
    ):
        with pytest.raises(stacks.api.exceptions.ClientError):
            stacks.create("site", body)
    assert stacks.api.describe_stacks()["Stacks"] == []


def test_the_three_size_limits(stacks: Stacks) -> None:
    body = "Parameters: {P: {Type: String}}\n" + resources(Only=thing(Size="!Ref P"))
    padding = "#" * (51_200 - len(body) - 1) + "\n"
    assert len(padding + body) == 51_200
    with refused("'templateBody' failed to satisfy constraint: Member must have length less than or equal to 51200"):
        stacks.create("site", "#" + padding + body, {"P": "x"})
    with refused("less than or equal to 51200"):
        stacks.api.validate_template(TemplateBody="#" + padding + body)
    with refused("parameterValue' failed to satisfy constraint: Member must have length less than or equal to 4096"):
        stacks.create("site", body, {"P": "x" * 4097})
    with refused("Number of resources, 501, is greater than maximum allowed, 500"):
        handle = "{Type: AWS::CloudFormation::WaitConditionHandle}"
        stacks.create("site", "Resources:\n" + "".join(f"  R{number}: {handle}\n" for number in range(501)))
    stacks.create("site", padding + body, {"P": "x" * 4096})
    with refused("less than or equal to 4096"):
        stacks.update("site", None, {"P": "x" * 4097})


def test_type_of_a_resource_cannot_change(stacks: Stacks) -> None:
    stacks.create("site", resources(Only=thing()))
    with refused("The new template modifies resource type of the following resources: [Only]"):
        stacks.update("site", "Resources: {Only: {Type: AWS::Logs::LogGroup}}")


def test_attribute_that_the_handler_does_not_give_fails_the_resource(stacks: Stacks) -> None:
    stack = stacks.create("site", resources(One=thing(), Two=thing(Size="!GetAtt One.Colour")))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = "Template error: resource One does not support attribute type Colour in Fn::GetAtt"
    assert ("Two", "CREATE_FAILED", reason) in stacks.events("site")


def test_change_set_shows_what_an_update_would_do(stacks: Stacks) -> None:
    stacks.create("site", resources(
        Same=thing(), Changed=thing(Size=1), Replaced=thing(Name="a", REPLACE="Retain"),
        Removed=thing(DELETION="Retain"),
        RefersToReplaced=thing(Name="!Ref Replaced"), RefersToSize=thing(Size="!GetAtt Changed.Size"),
        RefersToChanged=thing(Size="!Ref Changed"),
    ))  # fmt: skip
    before, log = dict(Thing.existing), list(Thing.log)
    change_set = stacks.change_set("site", resources(
        Same=thing(), Changed=thing(Size=2), Replaced=thing(Name="b", REPLACE="Retain"), Added=thing(Word="!Ref Same"),
        RefersToReplaced=thing(Name="!Ref Replaced"), RefersToSize=thing(Size="!GetAtt Changed.Size"),
        RefersToChanged=thing(Size="!Ref Changed"),
    ))  # fmt: skip

    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert stacks.changes(change_set) == {
        "Changed": ("Modify", "False"),
        "Replaced": ("Modify", "True"),
        "RefersToReplaced": ("Modify", "Conditional"),
        "RefersToSize": ("Modify", "False"),
        "Added": ("Add", None),
        "Removed": ("Remove", None),
    }
    assert (Thing.existing, Thing.log) == (before, log), "nothing was touched"
    found = {
        change["ResourceChange"]["LogicalResourceId"]: change["ResourceChange"] for change in change_set["Changes"]
    }
    assert found["Removed"]["PolicyAction"] == "Retain"
    assert found["Replaced"]["PolicyAction"] == "ReplaceAndRetain"
    assert found["Replaced"]["PhysicalResourceId"] == stacks.physical("site")["Replaced"]
    detail = found["Replaced"]["Details"][0]
    assert detail["Target"]["RequiresRecreation"] == "Always"
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("a", "b")
    assert found["RefersToReplaced"]["Details"][0]["Evaluation"] == "Dynamic"
    assert json.loads(found["Changed"]["AfterContext"]) == {"Properties": {"Size": "2"}}


def test_change_set_is_executed_once_and_takes_the_others_with_it(stacks: Stacks) -> None:
    stacks.create("site", resources(Only=thing(Size=1)))
    stacks.change_set("site", resources(Only=thing(Size=2)), ChangeSetName="first")
    stacks.change_set("site", resources(Only=thing(Size=3)), ChangeSetName="second")
    listed = stacks.api.list_change_sets(StackName="site")["Summaries"]
    assert [summary["ChangeSetName"] for summary in listed] == ["first", "second"]
    with refused("ChangeSet first already exists", "AlreadyExistsException"):
        stacks.change_set("site", resources(Only=thing(Size=4)), ChangeSetName="first")

    stacks.api.execute_change_set(StackName="site", ChangeSetName="first", ClientRequestToken="go")
    assert stacks.settled("site")["StackStatus"] == "UPDATE_COMPLETE"
    assert Thing.existing[stacks.physical("site")["Only"]]["Size"] == 2
    with refused("ChangeSet [second] does not exist", "ChangeSetNotFound"):
        stacks.api.describe_change_set(StackName="site", ChangeSetName="second")
    with refused("cannot be executed in its current status", "InvalidChangeSetStatus"):
        stacks.api.execute_change_set(StackName="site", ChangeSetName="first")
    assert stacks.api.describe_stack_events(StackName="site")["StackEvents"][0]["ClientRequestToken"] == "go"


def test_change_set_without_changes_fails(stacks: Stacks) -> None:
    body = resources(Only=thing())
    stacks.create("site", body)
    change_set = stacks.change_set("site", body)
    assert change_set["Status"] == "FAILED"
    assert change_set["StatusReason"].startswith("The submitted information didn't contain changes.")
    with refused("cannot be executed", "InvalidChangeSetStatus"):
        stacks.api.execute_change_set(StackName="site", ChangeSetName="plan")
    stacks.api.delete_change_set(StackName="site", ChangeSetName="plan")
    assert stacks.api.list_change_sets(StackName="site")["Summaries"] == []
    assert stacks.describe("site")["StackStatus"] == "CREATE_COMPLETE"


def test_change_set_of_outputs_alone_has_no_resource_changes(stacks: Stacks) -> None:
    body = resources(Only=thing())
    stacks.create("site", body)
    change_set = stacks.change_set("site", body + "Outputs: {O: {Value: x}}")
    assert (change_set["Status"], change_set["Changes"]) == ("CREATE_COMPLETE", [])


def test_change_set_that_creates_a_stack(stacks: Stacks) -> None:
    body = resources(Only=thing())
    with refused("Stack with id site does not exist"):
        stacks.change_set("site", body)
    change_set = stacks.change_set("site", body, ChangeSetType="CREATE", Tags=[{"Key": "Site", "Value": "one"}])
    assert stacks.changes(change_set) == {"Only": ("Add", None)}
    assert stacks.describe("site")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert Thing.log == []
    with refused("is in REVIEW_IN_PROGRESS state and can not be updated."):
        stacks.api.update_stack(StackName="site", TemplateBody=body)

    stacks.api.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
    stack = stacks.settled("site")
    assert (stack["StackStatus"], stack["Tags"]) == ("CREATE_COMPLETE", [{"Key": "Site", "Value": "one"}])
    with refused("already exists and cannot be created again with the changeSet [again]"):
        stacks.change_set("site", body, ChangeSetType="CREATE", ChangeSetName="again")


def test_stack_under_review_can_be_deleted(stacks: Stacks) -> None:
    stacks.change_set("site", resources(Only=thing()), ChangeSetType="CREATE")
    stack = stacks.describe("site")["StackId"]
    stacks.api.delete_stack(StackName="site")
    assert stacks.settled(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.create("site", resources(Only=thing()))["StackStatus"] == "CREATE_COMPLETE"


ROLE = """
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Host:
    Type: AWS::IAM::Role
    Properties: {%s AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}}
"""


def test_iam_resources_need_capabilities(stacks: Stacks) -> None:
    with refused("Requires capabilities : [CAPABILITY_IAM]", "InsufficientCapabilitiesException"):
        stacks.create("site", ROLE % "")
    with refused("Requires capabilities : [CAPABILITY_NAMED_IAM]", "InsufficientCapabilitiesException"):
        stacks.create("site", ROLE % "RoleName: host,", Capabilities=["CAPABILITY_IAM"])
    needed = stacks.api.validate_template(TemplateBody=ROLE % "RoleName: host,")["Capabilities"]
    assert needed == ["CAPABILITY_NAMED_IAM"]


def test_dynamic_references(stacks: Stacks, aws: Cloud) -> None:
    aws.client("ssm").put_parameter(Name="/site/size", Type="String", Value="7")
    secret = aws.client("secretsmanager").create_secret(Name="db", SecretString='{"password": "p-1"}')["ARN"]
    body = resources(
        Only=thing(
            Size="'{{resolve:ssm:/site/size}}'",
            Word="'{{resolve:secretsmanager:db:SecretString:password}}'",
            Refers=f"!Sub 'x-{{{{resolve:secretsmanager:{secret}:SecretString:password}}}}'",
        )
    )
    stacks.create("site", body)
    only = Thing.existing[stacks.physical("site")["Only"]]
    assert (only["Size"], only["Word"], only["Refers"]) == ("7", "p-1", "x-p-1")
    assert "p-1" not in str(stacks.api.describe_stack_events(StackName="site")["StackEvents"])

    aws.client("secretsmanager").put_secret_value(SecretId="db", SecretString='{"password": "p-2"}')
    with refused("No updates are to be performed."):
        stacks.update("site", body)
    aws.client("ssm").put_parameter(Name="/site/size", Type="String", Value="8", Overwrite=True)
    stacks.update("site", body)
    only = Thing.existing[stacks.physical("site")["Only"]]
    assert (only["Size"], only["Word"]) == ("8", "p-2")
    with refused("Parameters: [ssm:/none] cannot be found."):
        stacks.create("other", resources(Only=thing(Size="'{{resolve:ssm:/none}}'")))
    stacks.create("other", resources(Only=thing(Word="'{{resolve:secretsmanager:db:SecretString:user}}'")))
    assert "Could not find a value associated with JSONKey user in SecretString" in str(stacks.events("other"))


def test_pseudo_parameters_and_zones(stacks: Stacks) -> None:
    outputs = {
        "Account": "!Ref AWS::AccountId", "Arn": "!Sub 'arn:${AWS::Partition}:x:${AWS::Region}.${AWS::URLSuffix}'",
        "Id": "!Ref AWS::StackId", "Zones": "!Join [',', !GetAZs '']", "Port": "!GetAtt Only.Endpoint.Port",
    }  # fmt: skip
    listing = "".join(f"  {name}: {{Value: {value}}}\n" for name, value in outputs.items())
    stack = stacks.create("site", resources(Only=thing()) + "Outputs:\n" + listing)
    assert stacks.outputs("site") == {
        "Account": "123456789012",
        "Arn": "arn:aws:x:us-east-1.amazonaws.com",
        "Id": stack["StackId"],
        "Zones": ",".join(f"us-east-1{letter}" for letter in "abcdef"),
        "Port": "5432",
    }


def test_template_summary_and_validation(stacks: Stacks) -> None:
    found = stacks.api.validate_template(TemplateBody="Description: A site.\n" + SITE)
    assert found["Description"] == "A site."
    assert {parameter["ParameterKey"]: parameter.get("DefaultValue") for parameter in found["Parameters"]} == {
        "Count": "2",
        "Subnets": "a,b",
        "Image": "/site/image",
        "Word": "hush",
    }
    summary = stacks.api.get_template_summary(TemplateBody=SITE)
    assert summary["ResourceTypes"] == ["Test::Fake::Thing"]
    with refused("Unrecognized resource types: [AWS::No::Such]"):
        stacks.api.validate_template(TemplateBody="Resources: {A: {Type: AWS::No::Such}}")


REAL = """
Parameters: {Days: {Type: Number, Default: 7}, Value: {Type: String, Default: one}, Prefix: {Type: String, Default: a}}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/${Prefix}/site"
      RetentionInDays: !Ref Days
      Tags: [{Key: Name, Value: !Ref Value}]
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Name: /site/group, Type: String, Value: !Sub "${Group.Arn} ${Value}", Tags: {Name: !Ref Value}}
"""


def test_log_group_and_parameter_for_real(stacks: Stacks, aws: Cloud) -> None:
    logs, ssm = aws.client("logs"), aws.client("ssm")
    stacks.create("site", REAL, Tags=[{"Key": "Site", "Value": "x"}])
    group = logs.describe_log_groups()["logGroups"][0]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/a/site", 7)
    assert logs.list_tags_log_group(logGroupName="/a/site")["tags"] == {"Name": "one", "Site": "x"}
    value = ssm.get_parameter(Name="/site/group")["Parameter"]["Value"]
    assert value == "arn:aws:logs:us-east-1:123456789012:log-group:/a/site:* one"

    stacks.update("site", None, {"Days": 14, "Value": "two"}, Tags=[])
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 14
    assert logs.list_tags_log_group(logGroupName="/a/site")["tags"] == {"Name": "two"}
    assert ssm.get_parameter(Name="/site/group")["Parameter"]["Value"].endswith(" two")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/site/group")["TagList"]
    assert tags == [{"Key": "Name", "Value": "two"}]

    stacks.update("site", None, {"Prefix": "b"})
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/b/site"]
    stacks.delete("site")
    assert logs.describe_log_groups()["logGroups"] == []
    assert ssm.describe_parameters()["Parameters"] == []


def test_what_is_gone_already_is_no_trouble_to_delete(stacks: Stacks, aws: Cloud) -> None:
    stacks.create("site", REAL)
    aws.client("logs").delete_log_group(logGroupName="/a/site")
    aws.client("ssm").delete_parameter(Name="/site/group")
    assert stacks.delete("site")["StackStatus"] == "DELETE_COMPLETE"


def test_name_that_is_taken_fails_with_the_services_reason(stacks: Stacks, aws: Cloud) -> None:
    aws.client("logs").create_log_group(logGroupName="/a/site")
    assert stacks.create("site", REAL)["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = next(
        reason for name, status, reason in stacks.events("site") if (name, status) == ("Group", "CREATE_FAILED")
    )
    assert "ResourceAlreadyExistsException" in reason
    assert len(aws.client("logs").describe_log_groups()["logGroups"]) == 1, "it was not ours to delete"

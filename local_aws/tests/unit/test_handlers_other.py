"""Certificates, DNS, alarms, topics and service autoscaling through CloudFormation."""

from __future__ import annotations

from typing import Any

from local_aws.cloud import Cloud
from local_aws.patches.acm import validation_record
from local_aws.patches.route53 import ZONE_ID
from local_aws.tests.stack_support import Stacks
from local_aws.tests.until import until

CERTIFICATE = """
Parameters: {Zone: {Type: String, Default: ""}}
Conditions: {HasZone: !Not [!Equals [!Ref Zone, ""]]}
Resources:
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: shop.berth.localhost
      SubjectAlternativeNames: ["*.shop.berth.localhost", www.berth.localhost]
      ValidationMethod: DNS
      DomainValidationOptions: !If
        - HasZone
        - - {DomainName: shop.berth.localhost, HostedZoneId: !Ref Zone}
          - {DomainName: www.berth.localhost, HostedZoneId: !Ref Zone}
        - !Ref AWS::NoValue
"""
NAMES = ["shop.berth.localhost", "www.berth.localhost"]


def add_record(aws: Cloud, record: dict[str, str]) -> None:
    aws.client("route53").change_resource_record_sets(
        HostedZoneId=ZONE_ID,
        ChangeBatch={
            "Changes": [
                {
                    "Action": "CREATE",
                    "ResourceRecordSet": {
                        "Name": record["Name"],
                        "Type": record["Type"],
                        "TTL": 60,
                        "ResourceRecords": [{"Value": record["Value"]}],
                    },
                }
            ]
        },
    )


def test_a_certificate_with_a_zone_validates_itself(aws: Cloud, stacks: Stacks) -> None:
    arn = stacks.made("certificate", CERTIFICATE, {"Zone": ZONE_ID})["Certificate"]

    found = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert found["Status"] == "ISSUED"
    assert found["DomainName"] == "shop.berth.localhost"
    records = aws.client("route53").list_resource_record_sets(HostedZoneId=ZONE_ID)["ResourceRecordSets"]
    cnames = {record["Name"] for record in records if record["Type"] == "CNAME"}
    assert cnames == {validation_record(name)["Name"] for name in NAMES}, "a name and its wildcard share a record"
    assert not [reason for _, _, reason in stacks.events("certificate") if "Content of DNS" in reason]


def test_a_name_and_its_wildcard_with_a_zone_each_are_refused_as_their_record_is_one(stacks: Stacks) -> None:
    twice = "- {DomainName: shop.berth.localhost, HostedZoneId: !Ref Zone}"
    both = f'{twice}\n          - {{DomainName: "*.shop.berth.localhost", HostedZoneId: !Ref Zone}}'
    assert twice in CERTIFICATE
    made = stacks.create("certificate", CERTIFICATE.replace(twice, both), {"Zone": ZONE_ID})
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "contains an invalid set of changes for a resource record set 'CNAME _" in str(stacks.events("certificate"))


def test_a_certificate_without_a_zone_names_its_records_and_waits(aws: Cloud, stacks: Stacks) -> None:
    stacks.api.create_stack(StackName="certificate", TemplateBody=CERTIFICATE)
    texts = [
        "Content of DNS Record is: {{Name: {Name},Type: {Type},Value: {Value}}}".format(**validation_record(name))
        for name in NAMES
    ]
    until(
        lambda: {reason for *_, reason in stacks.events("certificate")} >= set(texts), "the events name the records", 15
    )

    add_record(aws, validation_record(NAMES[0]))
    arn = aws.client("acm").list_certificates()["CertificateSummaryList"][0]["CertificateArn"]
    pending = aws.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert pending["Status"] == "PENDING_VALIDATION"
    states = {item["DomainName"]: item["ValidationStatus"] for item in pending["DomainValidationOptions"]}
    assert states[NAMES[0]] == "SUCCESS"
    assert states[NAMES[1]] == "PENDING_VALIDATION"
    assert stacks.describe("certificate")["StackStatus"] == "CREATE_IN_PROGRESS"

    add_record(aws, validation_record(NAMES[1]))
    assert stacks.settled("certificate")["StackStatus"] == "CREATE_COMPLETE"


def test_a_waiting_certificate_can_be_given_up(aws: Cloud, stacks: Stacks) -> None:
    stacks.api.create_stack(StackName="certificate", TemplateBody=CERTIFICATE)
    until(lambda: "Content of DNS" in str(stacks.events("certificate")), "it waits", 15)

    assert stacks.delete("certificate")["StackStatus"] == "DELETE_COMPLETE"
    assert aws.client("acm").list_certificates()["CertificateSummaryList"] == []


DNS = """
Parameters: {Target: {Type: String, Default: one.example.org}}
Resources:
  Zone: {Type: AWS::Route53::HostedZone, Properties: {Name: shop.test}}
  Name:
    Type: AWS::Route53::RecordSet
    Properties: {HostedZoneId: !Ref Zone, Name: www.shop.test, Type: CNAME, TTL: "60", ResourceRecords: [!Ref Target]}
  Names:
    Type: AWS::Route53::RecordSetGroup
    DependsOn: Zone
    Properties:
      HostedZoneName: shop.test.
      RecordSets:
        - {Name: a.shop.test, Type: A, TTL: "60", ResourceRecords: [10.0.0.1]}
        - {Name: b.shop.test, Type: A, TTL: "60", ResourceRecords: [10.0.0.2]}
Outputs: {Servers: {Value: !Join [",", !GetAtt Zone.NameServers]}}
"""


def test_records_follow_the_template(aws: Cloud, stacks: Stacks) -> None:
    zone = stacks.made("dns", DNS)["Zone"]
    assert stacks.outputs("dns")["Servers"]

    stacks.changed("dns", DNS.replace("b.shop.test", "c.shop.test"), {"Target": "two.example.org"})

    records = aws.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    values = {record["Name"]: record["ResourceRecords"][0]["Value"] for record in records if record["Type"] != "NS"}
    assert values["www.shop.test."] == "two.example.org"
    assert {"a.shop.test.", "c.shop.test."} <= set(values)
    assert "b.shop.test." not in values
    assert stacks.delete("dns")["StackStatus"] == "DELETE_COMPLETE"
    assert [one["Id"] for one in aws.client("route53").list_hosted_zones()["HostedZones"]] == [f"/hostedzone/{ZONE_ID}"]


WATCH = """
Parameters: {Threshold: {Type: Number, Default: 1}, Mail: {Type: String, Default: a@example.org}}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: site, Subscription: [{Protocol: email, Endpoint: !Ref Mail}]}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/ECS
      MetricName: CPUUtilization
      Dimensions: [{Name: ClusterName, Value: shop}]
      Statistic: Average
      ComparisonOperator: GreaterThanThreshold
      Threshold: !Ref Threshold
      Period: "60"
      EvaluationPeriods: 2
      ActionsEnabled: "true"
      AlarmActions: [!Ref Topic]
Outputs: {Alarm: {Value: !GetAtt Alarm.Arn}}
"""


def test_an_alarm_rings_a_topic(aws: Cloud, stacks: Stacks) -> None:
    ids = stacks.made("watch", WATCH)
    found = aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0]
    assert (found["AlarmActions"], found["Threshold"], found["Period"]) == ([ids["Topic"]], 1.0, 60)
    assert stacks.outputs("watch")["Alarm"] == found["AlarmArn"]

    assert stacks.changed("watch", parameters={"Threshold": 2.5, "Mail": "b@example.org"}) == ids

    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["Threshold"] == 2.5
    subscriptions = aws.client("sns").list_subscriptions()["Subscriptions"]
    assert [item["Endpoint"] for item in subscriptions] == ["b@example.org"]
    stacks.delete("watch")
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert aws.client("sns").list_topics()["Topics"] == []


def test_a_service_scales_with_its_load(aws: Cloud, stacks: Stacks) -> None:
    body = """
Resources:
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: shop}}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    DependsOn: Cluster
    Properties:
      ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: service/shop/site
      MinCapacity: "1"
      MaxCapacity: "3"
      RoleARN: arn:aws:iam::123456789012:role/x
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: cpu
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: "60"
        PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}
"""
    aws.client("ecs").create_cluster(clusterName="shop")
    aws.client("ecs").create_service(cluster="shop", serviceName="site", desiredCount=1)
    scaling = aws.client("application-autoscaling")
    stacks.made("scaling", body)

    target = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    policy = scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"][0]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0

    stacks.delete("scaling")
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


def test_a_wrong_value_names_its_property(stacks: Stacks) -> None:
    body = WATCH.replace('"60"', "often")

    stacks.create("watch", body)

    reasons = [reason for _, status, reason in stacks.events("watch") if status == "CREATE_FAILED"]
    assert "Property Period must be a number, not 'often'" in reasons[0]


TAGGED = """
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {Tags: [{Key: Own, Value: x}]}}
  Queue: {Type: AWS::SQS::Queue}
  Logs: {Type: AWS::Logs::LogGroup}
  Repository: {Type: AWS::ECR::Repository}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: x}}
  Network: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16}}
  Files: {Type: AWS::EFS::FileSystem}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}}
  Group: {Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {VpcId: !Ref Network, Port: 80, Protocol: HTTP}}
Outputs: {Repository: {Value: !GetAtt Repository.Arn}}
"""


def test_a_tag_that_the_stack_no_longer_has_leaves_its_resources(aws: Cloud, stacks: Stacks) -> None:
    both = [{"Key": "Site", "Value": "shop"}, {"Key": "Owner", "Value": "me"}]
    made = stacks.made("shop", TAGGED, Tags=both, Capabilities=["CAPABILITY_IAM"])

    def tags() -> dict[str, set[str]]:
        files = aws.client("efs").describe_file_systems(FileSystemId=made["Files"])["FileSystems"]
        groups = aws.client("elbv2").describe_tags(ResourceArns=[made["Group"]])["TagDescriptions"]
        arn = stacks.outputs("shop")["Repository"]
        shown: dict[str, Any] = {
            "Topic": aws.client("sns").list_tags_for_resource(ResourceArn=made["Topic"])["Tags"],
            "Queue": aws.client("sqs").list_queue_tags(QueueUrl=made["Queue"])["Tags"],
            "Logs": aws.client("logs").list_tags_log_group(logGroupName=made["Logs"])["tags"],
            "Repository": aws.client("ecr").list_tags_for_resource(resourceArn=arn)["tags"],
            "Secret": aws.client("secretsmanager").describe_secret(SecretId=made["Secret"])["Tags"],
            "Network": aws.client("ec2").describe_vpcs(VpcIds=[made["Network"]])["Vpcs"][0]["Tags"],
            "Files": files[0]["Tags"],
            "Role": aws.client("iam").list_role_tags(RoleName=made["Role"])["Tags"],
            "Group": groups[0]["Tags"],
        }
        return {
            name: {each if isinstance(each, str) else each["Key"] for each in found} for name, found in shown.items()
        }

    assert all({"Site", "Owner"} <= found for found in tags().values())
    stacks.update("shop", TAGGED, Tags=both[:1], Capabilities=["CAPABILITY_IAM"])
    left = tags()
    assert {name for name, found in left.items() if "Owner" in found or "Site" not in found} == set()
    assert "Own" in left["Topic"]

"""Hosts, roles, load balancers, clusters and task definitions through CloudFormation."""

from __future__ import annotations

import base64
from typing import Any

from local_aws.cloud import Cloud
from local_aws.tests.stack_support import Stacks

HOSTS = """
Parameters:
  Source: {Type: String, Default: configuration}
  Text: {Type: String, Default: "#cloud-config"}
  Minimum: {Type: Number, Default: 2}
Conditions:
  ByTemplate: !Equals [!Ref Source, template]
  ByConfiguration: !Not [!Condition ByTemplate]
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A:
    Type: AWS::EC2::Subnet
    Properties:
      {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a, MapPublicIpOnLaunch: true}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Sg: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: hosts, VpcId: !Ref Vpc}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: "ec2:DescribeTags", Resource: "*"}]
  Profile: {Type: AWS::IAM::InstanceProfile, Properties: {Roles: [!Ref Role]}}
  Configuration:
    Type: AWS::AutoScaling::LaunchConfiguration
    Condition: ByConfiguration
    Properties:
      ImageId: ami-0123456789abcdef0
      InstanceType: t2.micro
      IamInstanceProfile: !Ref Profile
      SecurityGroups: [!Ref Sg]
      InstanceMonitoring: "false"
      MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: "1", HttpEndpoint: enabled}
      BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {VolumeType: gp3, VolumeSize: "30", Encrypted: "true"}}]
      UserData: {Fn::Base64: !Ref Text}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Condition: ByTemplate
    Properties:
      LaunchTemplateData:
        ImageId: ami-0123456789abcdef0
        InstanceType: t3.micro
        IamInstanceProfile: {Arn: !GetAtt Profile.Arn}
        SecurityGroupIds: [!Ref Sg]
        MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 1, HttpEndpoint: enabled}
        BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {VolumeType: gp3, VolumeSize: 30}}]
        TagSpecifications: [{ResourceType: volume, Tags: [{Key: Name, Value: host}, {Key: Site, Value: shop}]}]
        UserData: {Fn::Base64: !Ref Text}
  Group:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      VPCZoneIdentifier: [!Ref A, !Ref B]
      LaunchConfigurationName: !If [ByTemplate, !Ref AWS::NoValue, !Ref Configuration]
      LaunchTemplate: !If
        - ByTemplate
        - {LaunchTemplateId: !Ref Template, Version: !GetAtt Template.LatestVersionNumber}
        - !Ref AWS::NoValue
      MinSize: !Ref Minimum
      MaxSize: "4"
      NewInstancesProtectedFromScaleIn: "false"
      MetricsCollection: [{Granularity: 1Minute, Metrics: [GroupInServiceInstances]}]
      Tags:
        - {Key: Name, Value: host, PropagateAtLaunch: true}
        - {Key: Internal, Value: x, PropagateAtLaunch: false}
        - {Key: AmazonECSManaged, Value: "", PropagateAtLaunch: true}
"""
SITE = [{"Key": "Site", "Value": "shop"}]


def running(aws: Cloud) -> list[dict[str, Any]]:
    reservations = aws.client("ec2").describe_instances()["Reservations"]
    instances = [instance for one in reservations for instance in one["Instances"]]
    return [instance for instance in instances if instance["State"]["Name"] == "running"]


def group(aws: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
    return found


def tags(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def check_instances(aws: Cloud, stacks: Stacks) -> None:
    """Both launch sources make the same hosts."""
    ids, instances = stacks.physical("hosts"), running(aws)
    assert {instance["SubnetId"] for instance in instances} == {ids["A"], ids["B"]}, "spread over the subnets"
    profile = aws.client("iam").get_instance_profile(InstanceProfileName=ids["Profile"])["InstanceProfile"]["Arn"]
    for instance in instances:
        third = {ids["A"]: "0", ids["B"]: "1"}[instance["SubnetId"]]
        assert instance["PrivateIpAddress"].split(".")[:3] == ["10", "79", third]
        assert ("PublicIpAddress" in instance) is (instance["SubnetId"] == ids["A"]), "the subnet decides"
        assert instance["IamInstanceProfile"]["Arn"] == profile
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        assert [item["GroupId"] for item in instance["SecurityGroups"]] == [ids["Sg"]]
        found = tags(instance)
        assert (found["Name"], found["Site"], found["AmazonECSManaged"]) == ("host", "shop", "")
        assert found["aws:autoscaling:groupName"] == ids["Group"]
        assert "Internal" not in found
        answer = aws.client("ec2").describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
        assert base64.b64decode(answer["UserData"]["Value"]) == b"#cloud-config", "encoded once"


def test_a_launch_configuration_makes_hosts(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("hosts", HOSTS, Tags=SITE, Capabilities=["CAPABILITY_IAM"])

    assert len(running(aws)) == 2
    check_instances(aws, stacks)
    found = aws.client("autoscaling").describe_launch_configurations()["LaunchConfigurations"][0]
    assert found["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 30
    assert found["InstanceMonitoring"]["Enabled"] is False


def test_a_launch_template_makes_the_same_hosts(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("hosts", HOSTS, {"Source": "template"}, Tags=SITE, Capabilities=["CAPABILITY_IAM"])

    assert len(running(aws)) == 2
    check_instances(aws, stacks)
    disks = aws.client("ec2").describe_volumes(Filters=[{"Name": "status", "Values": ["in-use"]}])["Volumes"]
    assert disks
    assert all(tags(disk) == {"Name": "host", "Site": "shop"} for disk in disks)


def test_a_new_launch_source_is_for_new_hosts_only(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("hosts", HOSTS, Capabilities=["CAPABILITY_IAM"])
    before = {instance["InstanceId"] for instance in running(aws)}
    old = stacks.physical("hosts")["Configuration"]

    stacks.changed("hosts", parameters={"Text": "#cloud-config\n# new"}, Capabilities=["CAPABILITY_IAM"])

    new = stacks.physical("hosts")["Configuration"]
    assert new != old, "any change of a launch configuration makes another one"
    assert {instance["InstanceId"] for instance in running(aws)} == before
    assert group(aws)["LaunchConfigurationName"] == new
    assert {item["LaunchConfigurationName"] for item in group(aws)["Instances"]} == {old}, "hosts know whence they came"

    stacks.changed("hosts", parameters={"Source": "template"}, Capabilities=["CAPABILITY_IAM"])

    assert {instance["InstanceId"] for instance in running(aws)} == before
    assert "LaunchConfigurationName" not in group(aws)
    assert group(aws)["LaunchTemplate"]["LaunchTemplateId"] == stacks.physical("hosts")["Template"]

    aws.client("ec2").terminate_instances(InstanceIds=sorted(before)[:1])

    replaced = next(item for item in group(aws)["Instances"] if item["InstanceId"] not in before)
    assert replaced["LaunchTemplate"]["Version"] == "1"
    assert len(running(aws)) == 2


def test_a_desired_capacity_that_the_template_does_not_give_stays(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("hosts", HOSTS, {"Minimum": 1}, Capabilities=["CAPABILITY_IAM"])
    name = stacks.physical("hosts")["Group"]
    aws.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)

    body = HOSTS.replace("Key: Name, Value: host,", "Key: Name, Value: other,")
    stacks.changed("hosts", body, Capabilities=["CAPABILITY_IAM"])

    assert group(aws)["DesiredCapacity"] == 3
    assert {tag["Key"]: tag["Value"] for tag in group(aws)["Tags"]}["Name"] == "other"


def test_deleting_hosts_leaves_nothing(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("hosts", HOSTS, Capabilities=["CAPABILITY_IAM"])

    assert stacks.delete("hosts")["StackStatus"] == "DELETE_COMPLETE"

    autoscaling, iam = aws.client("autoscaling"), aws.client("iam")
    assert running(aws) == []
    assert autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert autoscaling.describe_launch_configurations()["LaunchConfigurations"] == []
    assert (iam.list_roles()["Roles"], iam.list_instance_profiles()["InstanceProfiles"]) == ([], [])
    assert aws.client("ec2").describe_network_interfaces()["NetworkInterfaces"] == []


def test_policies_of_a_role_follow_the_template(aws: Cloud, stacks: Stacks) -> None:
    document = '{Version: "2012-10-17", Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "*"}]}'
    body = f"""
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Statement: []}}
      ManagedPolicyArns: [!Ref Managed]
      Policies: [{{PolicyName: one, PolicyDocument: {document}}}]
  Managed: {{Type: AWS::IAM::ManagedPolicy, Properties: {{PolicyDocument: {document}}}}}
  Inline: {{Type: AWS::IAM::Policy, Properties: {{PolicyName: own, Roles: [!Ref Role], PolicyDocument: {document}}}}}
"""
    iam = aws.client("iam")
    stacks.made("roles", body, Capabilities=["CAPABILITY_IAM"])
    role = stacks.physical("roles")["Role"]
    assert set(iam.list_role_policies(RoleName=role)["PolicyNames"]) == {"one", "own"}

    changed = body.replace("PolicyName: one", "PolicyName: two").replace(
        "ManagedPolicyArns: [!Ref Managed]", "Description: ours"
    )
    changed = changed.replace("Effect: Allow", "Effect: Deny")
    stacks.changed("roles", changed, Capabilities=["CAPABILITY_IAM"])

    assert set(iam.list_role_policies(RoleName=role)["PolicyNames"]) == {"two", "own"}
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    versions = iam.list_policy_versions(PolicyArn=stacks.physical("roles")["Managed"])["Versions"]
    assert [version["VersionId"] for version in versions if version["IsDefaultVersion"]] == ["v2"]
    assert stacks.delete("roles")["StackStatus"] == "DELETE_COMPLETE"
    assert iam.list_policies(Scope="Local")["Policies"] == []


BALANCER = """
Parameters: {Delay: {Type: String, Default: "30"}, Path: {Type: String, Default: /healthz}}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.79.0.0/17}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.0.0/24, AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.79.1.0/24, AvailabilityZone: us-east-1b}}
  Certificate:
    Type: AWS::CertificateManager::Certificate
    Properties:
      DomainName: shop.berth.localhost
      ValidationMethod: DNS
      DomainValidationOptions: [{DomainName: shop.berth.localhost, HostedZoneId: Z0BERTHLOCALZONE}]
  Alb:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties:
      Subnets: [!Ref A, !Ref B]
      LoadBalancerAttributes: [{Key: routing.http.drop_invalid_header_fields.enabled, Value: "true"}]
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      VpcId: !Ref Vpc
      TargetType: instance
      Protocol: HTTP
      Port: "80"
      HealthCheckPath: !Ref Path
      HealthCheckIntervalSeconds: "10"
      Matcher: {HttpCode: "200"}
      TargetGroupAttributes: [{Key: deregistration_delay.timeout_seconds, Value: !Ref Delay}]
  Https:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Alb
      Protocol: HTTPS
      Port: 443
      SslPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06
      Certificates: [{CertificateArn: !Ref Certificate}]
      DefaultActions: [{Type: forward, TargetGroupArn: !Ref Targets}]
  Http:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Alb
      Protocol: HTTP
      Port: 80
      DefaultActions: [{Type: redirect, RedirectConfig: {Protocol: HTTPS, Port: "443", StatusCode: HTTP_301}}]
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Https
      Priority: "10"
      Conditions: [{Field: path-pattern, PathPatternConfig: {Values: [/down]}}]
      Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "503", ContentType: text/plain}}]
  Name:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: Z0BERTHLOCALZONE
      Name: shop.berth.localhost
      Type: A
      AliasTarget: {DNSName: !GetAtt Alb.DNSName, HostedZoneId: !GetAtt Alb.CanonicalHostedZoneID}
Outputs:
  Full: {Value: !GetAtt Targets.TargetGroupFullName}
"""


def test_a_load_balancer_forwards_and_redirects(aws: Cloud, stacks: Stacks) -> None:
    elb = aws.client("elbv2")
    stacks.made("balancer", BALANCER, Tags=SITE)
    ids = stacks.physical("balancer")

    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=ids["Alb"])["Attributes"]
    assert {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"} in attributes
    listeners = {item["Port"]: item for item in elb.describe_listeners(LoadBalancerArn=ids["Alb"])["Listeners"]}
    assert listeners[443]["Certificates"] == [{"CertificateArn": ids["Certificate"]}]
    assert listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert listeners[443]["DefaultActions"][0]["TargetGroupArn"] == ids["Targets"]
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["StatusCode"] == "HTTP_301"
    rules = elb.describe_rules(ListenerArn=ids["Https"])["Rules"]
    assert [rule["Priority"] for rule in rules] == ["10", "default"]
    target_group = elb.describe_target_groups(TargetGroupArns=[ids["Targets"]])["TargetGroups"][0]
    assert (target_group["HealthCheckPath"], target_group["HealthCheckIntervalSeconds"]) == ("/healthz", 10)
    assert target_group["LoadBalancerArns"] == [ids["Alb"]]
    assert stacks.outputs("balancer")["Full"].startswith("targetgroup/")
    labels = elb.describe_tags(ResourceArns=[ids["Alb"]])["TagDescriptions"][0]["Tags"]
    assert {"Key": "Site", "Value": "shop"} in labels


def test_a_load_balancer_changes_in_place_and_leaves_nothing(aws: Cloud, stacks: Stacks) -> None:
    elb = aws.client("elbv2")
    stacks.made("balancer", BALANCER)
    before = stacks.physical("balancer")
    body = BALANCER.replace("HTTP_301", "HTTP_302").replace('"10"\n', '"20"\n').replace('"503"', '"500"')

    stacks.changed("balancer", body, {"Delay": "5", "Path": "/ping"})

    assert stacks.physical("balancer") == before
    attributes = elb.describe_target_group_attributes(TargetGroupArn=before["Targets"])["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "5"} in attributes
    assert elb.describe_target_groups()["TargetGroups"][0]["HealthCheckPath"] == "/ping"
    listener = elb.describe_listeners(ListenerArns=[before["Http"]])["Listeners"][0]
    assert listener["DefaultActions"][0]["RedirectConfig"]["StatusCode"] == "HTTP_302"
    assert stacks.delete("balancer")["StackStatus"] == "DELETE_COMPLETE"
    assert (elb.describe_load_balancers()["LoadBalancers"], elb.describe_target_groups()["TargetGroups"]) == ([], [])
    assert aws.client("acm").list_certificates()["CertificateSummaryList"] == []
    records = aws.client("route53").list_resource_record_sets(HostedZoneId="Z0BERTHLOCALZONE")["ResourceRecordSets"]
    assert {record["Type"] for record in records} == {"NS", "SOA", "CNAME"}, "the validation record stays, as on AWS"


TASKS = """
Parameters: {Label: {Type: String, Default: one}, Image: {Type: String, Default: "django:1"}}
Resources:
  Cluster:
    Type: AWS::ECS::Cluster
    Properties: {ClusterName: shop-test, ClusterSettings: [{Name: containerInsights, Value: disabled}]}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: shop-test
      NetworkMode: bridge
      RequiresCompatibilities: [EC2]
      Tags: [{Key: Label, Value: !Ref Label}]
      ContainerDefinitions:
        - Name: django
          Image: !Ref Image
          Memory: "256"
          Essential: "true"
          Environment: [{Name: DEBUG, Value: false}]
          Secrets: [{Name: DB_PASSWORD, ValueFrom: "arn:aws:secretsmanager:us-east-1:123456789012:secret:x:password::"}]
          DockerLabels: {Traefik.Enable: "yes"}
          MountPoints: [{SourceVolume: media, ContainerPath: /media, ReadOnly: "false"}]
          HealthCheck: {Command: [CMD, "true"], Interval: "5", StartPeriod: 10}
          LogConfiguration: {LogDriver: awslogs, Options: {awslogs-group: /shop, awslogs-region: us-east-1}}
        - Name: nginx
          Image: nginx
          Memory: 128
          MemoryReservation: 64
          Links: [django]
          PortMappings: [{ContainerPort: "80", HostPort: 0}]
          DependsOn: [{ContainerName: django, Condition: HEALTHY}]
          Ulimits: [{Name: nofile, SoftLimit: "1024", HardLimit: "4096"}]
          LinuxParameters: {InitProcessEnabled: "true"}
      Volumes:
        - Name: media
          EFSVolumeConfiguration:
            FilesystemId: fs-0123456789abcdef0
            TransitEncryption: ENABLED
            AuthorizationConfig: {AccessPointId: fsap-0123456789abcdef0, IAM: ENABLED}
        - Name: card
          DockerVolumeConfiguration:
            {Driver: rexray/efs, Scope: shared, Autoprovision: "true", DriverOpts: {Size: "1"}, Labels: {Owner: us}}
"""


def test_a_task_definition_reaches_ecs_in_its_words(aws: Cloud, stacks: Stacks) -> None:
    stacks.made("tasks", TASKS, Tags=SITE)
    arn = stacks.physical("tasks")["Task"]
    assert arn.endswith(":task-definition/shop-test:1"), "Ref is the ARN with the revision"

    answer = aws.client("ecs").describe_task_definition(taskDefinition=arn, include=["TAGS"])
    django, nginx = answer["taskDefinition"]["containerDefinitions"]
    assert (django["memory"], django["essential"]) == (256, True)
    assert django["environment"] == [{"name": "DEBUG", "value": "false"}]
    assert django["dockerLabels"] == {"Traefik.Enable": "yes"}
    assert django["logConfiguration"]["options"] == {"awslogs-group": "/shop", "awslogs-region": "us-east-1"}
    assert django["healthCheck"]["interval"] == 5
    assert django["mountPoints"][0]["readOnly"] is False
    assert nginx["portMappings"][0]["containerPort"] == 80
    assert nginx["dependsOn"] == [{"containerName": "django", "condition": "HEALTHY"}]
    assert nginx["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]
    media, card = answer["taskDefinition"]["volumes"]
    assert media["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-0123456789abcdef0",
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
    }
    assert card["dockerVolumeConfiguration"]["driverOpts"] == {"Size": "1"}
    assert card["dockerVolumeConfiguration"]["labels"] == {"Owner": "us"}
    assert {tag["key"]: tag["value"] for tag in answer["tags"]} == {"Label": "one", "Site": "shop"}


def test_only_tags_of_a_task_definition_change_in_place(aws: Cloud, stacks: Stacks) -> None:
    ecs = aws.client("ecs")
    stacks.made("tasks", TASKS)
    first = stacks.physical("tasks")["Task"]

    stacks.changed("tasks", parameters={"Label": "two"})
    assert stacks.physical("tasks")["Task"] == first
    assert ecs.list_tags_for_resource(resourceArn=first)["tags"] == [{"key": "Label", "value": "two"}]

    stacks.changed("tasks", parameters={"Image": "django:2", "Label": None})
    second = stacks.physical("tasks")["Task"]
    assert second.endswith(":2")
    assert ecs.describe_task_definition(taskDefinition=first)["taskDefinition"]["status"] == "INACTIVE"

    stacks.delete("tasks")
    assert ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"] == []
    assert ecs.describe_clusters(clusters=["shop-test"])["clusters"][0]["status"] == "INACTIVE"


def test_a_capacity_provider_joins_group_and_cluster(aws: Cloud, stacks: Stacks) -> None:
    body = (
        HOSTS
        + """
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: shop-test}}
  Provider:
    Type: AWS::ECS::CapacityProvider
    Properties:
      AutoScalingGroupProvider:
        AutoScalingGroupArn: !Ref Group
        ManagedScaling: {Status: DISABLED}
        ManagedTerminationProtection: DISABLED
  Association:
    Type: AWS::ECS::ClusterCapacityProviderAssociations
    Properties:
      Cluster: !Ref Cluster
      CapacityProviders: [!Ref Provider]
      DefaultCapacityProviderStrategy: [{CapacityProvider: !Ref Provider, Weight: "1"}]
"""
    )
    ecs = aws.client("ecs")
    stacks.made("hosts", body, {"Minimum": 0}, Capabilities=["CAPABILITY_IAM"])

    name = stacks.physical("hosts")["Provider"]
    found = ecs.describe_clusters(clusters=["shop-test"])["clusters"][0]
    assert found["capacityProviders"] == [name]
    assert found["defaultCapacityProviderStrategy"][0]["weight"] == 1
    assert stacks.delete("hosts")["StackStatus"] == "DELETE_COMPLETE"
    assert "ACTIVE" not in [
        item["status"] for item in ecs.describe_capacity_providers(capacityProviders=[name])["capacityProviders"]
    ]

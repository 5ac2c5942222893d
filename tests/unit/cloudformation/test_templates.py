"""The templates as they are deployed: linted by the official schemas, and right where the schemas do not reach."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from plugins.filter.user_data import gzip_base64
from plugins.plugin_utils.layers import Template, text
from plugins.plugin_utils.plan.billed import billed, together
from tests.unit.render_support import LAYERS, PROJECT, Site, render

pytestmark = pytest.mark.playbook

DESCRIPTION = yaml.safe_load((PROJECT / "examples/legacy_site/site.yml").read_text())
FLOWERS = "Fleurs 💐"
"""Beyond the Basic Multilingual Plane: as an escape in JSON it is a surrogate pair, which YAML 1.1 does not have."""
CARD = {"domain_name": "www.shop.test", "hosted_zone_id": "Z0123456789"}
SAFE: dict[str, Any] = {
    "domain_name": "www.shop.test",
    "domain_aliases": [
        "shop.test",
        "*.shop.test",
        {"name": "shop.example", "hosted_zone_id": "Z0OTHER"},
        {"name": "shop.elsewhere", "hosted_zone_id": ""},
    ],
    "host_launch_source": "launch_template",
    "host_instance_type": "t3.micro",
    "host_imds_tokens": "required",
    "site_volumes": {"media": {"uid": 1000, "driver": "efs"}},
    "network_nat": "gateway",
    "network_edge_prefix_list_id": "pl-3b927c52",
    "network_edge_headers": [2, 1],
    "network_edge_asked": [2, 1],
    "service_edge_headers": [2, 1],
    "site_edge": {
        "default": "web", "routes": {"/static/*": "static.front", "/gone.html": "static.front"},
        "cache": {"/media/*": "1d"}, "error_page": "/gone.html", "header": 2,
    },
    "host_admin_cidrs": ["192.0.2.0/24", "198.51.100.7/32"],
    "host_access_session_manager": True,
    "site_databases": {"main": {"admin_cidrs": ["192.0.2.0/24"]}},
    "network_dynamodb_endpoint": True,
    "site_services": copy.deepcopy(DESCRIPTION["site_services"]),
    "site_functions": {
        "hello": {
            "code": "roles/function/files/example", "handler": "app.handler", "runtime": "python3.13",
            "routes": ["GET /hello/{name}"], "environment": {"TITLE": FLOWERS},
        }
    },
    "site_static": {"front": {"folder": "roles/static/files/example"}},
    "host_limits_sysctls": {"kernel.hostname": FLOWERS},
    "database_allocated_gb": {"main": 26},
    "alarms_subscribers": ["ops@example.org", "https://ops.example.net/hook?key=1"],
    "alarms_dashboard": True,
    "site_access_logs": 30,
}  # fmt: skip
SAFE["site_services"]["web"]["containers"]["django"]["environment"]["TITLE"] = FLOWERS


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return render(tmp_path_factory.mktemp("card"), CARD)


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return render(tmp_path_factory.mktemp("safe"), SAFE)


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return render(tmp_path_factory.mktemp("new"), {"site_name": "shop", "domain_name": "shop.test"}, "new")


KINDS = ("alb", "host", "private")
VPC = "vpc-0123456789abcdef0"
SUBNETS = {kind: [f"subnet-000000{number}{zone}" for zone in "ab"] for number, kind in enumerate(KINDS)}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Site:
    more = {"site_name": "shop", "domain_name": "shop.test", "network_vpc_id": VPC, "network_subnets": SUBNETS}
    return render(tmp_path_factory.mktemp("given"), more | {"host_admin_cidrs": ["192.0.2.0/24"]}, "new")


@pytest.fixture(scope="module", params=["card", "safe", "new", "given"])
def site(request: pytest.FixtureRequest) -> Site:
    """The site with the card's choices, with the other of each, as a new environment has it, and in a given VPC."""
    rendered: Site = request.getfixturevalue(request.param)
    return rendered


@pytest.mark.parametrize(("name", "inventory"), [("card", "prod"), ("new", "new")])
def test_the_layers_are_billed_for_what_docs_costs_says(
    name: str, inventory: str, request: pytest.FixtureRequest
) -> None:
    site: Site = request.getfixturevalue(name)
    found = together(
        *(
            billed(Template.read(body), {parameter: text(value) for parameter, value in site.layers[layer].items()})
            for layer, body in site.bodies.items()
        )
    )
    said = yaml.safe_load((PROJECT / "docs/prices.yml").read_text())["sites"][inventory]["fixed"]
    assert found == {price: quantity for price, quantity in said.items() if price != "zone"}, "that is nobody's stack"


def test_a_site_has_a_layer_for_each_of_its_entries(card: Site, new: Site) -> None:
    ground = {
        "ledger", "network", "certificate", "cluster", "dns", "database.main", "volume.media", "job.migrate",
        "service.web",
    }  # fmt: skip
    assert set(card.bodies) == ground | {
        "secret.django", "secret.admin", "image.legacy-site-django", "image.legacy-site-nginx",
    }  # fmt: skip
    assert set(new.bodies) == ground | {"secret.django", "image.example-django"}


def test_the_cluster_rings_for_its_load_balancer_and_for_credits_of_hosts_that_have_them(
    card: Site, safe: Site, tmp_path: Path
) -> None:
    def alarms(site: Site) -> set[str]:
        resources = site.resources("cluster")
        return {name for name, each in resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"}

    always = {"BalancerErrors", "HostDisk", "HostMemory", "HostsMissing"}
    assert (alarms(card), alarms(safe)) == (set(), always | {"HostCredits"})
    other = {"host_instance_type": "m7i.large", "host_roles": ["host_limits", "docker_engine", "ecs_agent"]}
    assert alarms(render(tmp_path, SAFE | other)) == {"BalancerErrors", "HostsMissing"}
    assert "AlarmTopicArn" not in "".join(card.bodies.values())


MEASURED = {
    "AWS/ApplicationELB": {
        "RequestCount": {"LoadBalancer"}, "HTTPCode_Target_5XX_Count": {"LoadBalancer"},
        "HTTPCode_ELB_5XX_Count": {"LoadBalancer"}, "TargetResponseTime": {"LoadBalancer"},
        "HealthyHostCount": {"LoadBalancer", "TargetGroup"},
    },
    "AWS/AutoScaling": {"GroupInServiceInstances": {"AutoScalingGroupName"}},
    "AWS/EC2": {"CPUUtilization": {"AutoScalingGroupName"}},
    "AWS/ECS": {
        "CPUUtilization": {"ClusterName", "ServiceName"}, "MemoryUtilization": {"ClusterName", "ServiceName"},
    },
    "AWS/RDS": {"CPUUtilization": {"DBInstanceIdentifier"}, "DatabaseConnections": {"DBInstanceIdentifier"}},
    "Berth/Hosts": {"MemoryUsed": {"Cluster"}, "DiskUsed": {"Cluster"}},
}  # fmt: skip
"""Namespace → metric → its dimensions, as the services' pages in docs.aws.amazon.com list them; the last is ours."""


def test_the_load_balancer_writes_logs_where_there_is_a_bucket_and_is_told_to_stop_where_none_is(card: Site) -> None:
    attributes = card.resources("cluster")["Alb"]["Properties"]["LoadBalancerAttributes"]
    chosen = [each for each in attributes if "access_logs" in json.dumps(each)]
    assert chosen == [
        {"Key": "access_logs.s3.enabled", "Value": {"Fn::If": ["HasAccessLogs", "true", "false"]}},
        *(
            {"Fn::If": ["HasAccessLogs", {"Key": f"access_logs.s3.{name}", "Value": value}, {"Ref": "AWS::NoValue"}]}
            for name, value in (("bucket", {"Ref": "AccessLogsBucket"}), ("prefix", "balancer"))
        ),
    ]
    assert card.parameters("cluster")["AccessLogsBucket"]["Default"] == ""


def test_the_dashboard_shows_metrics_that_there_are_by_the_dimensions_that_they_have(card: Site, safe: Site) -> None:
    assert "Dashboard" not in card.resources("cluster")
    assert "MetricsCollection" not in card.resources("cluster")["HostGroup"]["Properties"]
    body, given = safe.resources("cluster")["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    known = {"SiteName", "EnvironmentName", "Cluster", "HostGroup", "AWS::Region", *given}
    assert set(re.findall(r"\$\{([\w:]+)\}", body)) == known
    shown = set()
    for widget in json.loads(body)["widgets"]:
        assert widget["type"] == "metric"
        assert widget["properties"]["region"] == "${AWS::Region}"
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], str):
                namespace, name, *pairs = metric
                dimensions = set(pairs[::2])
            else:
                search = re.match(
                    r"SEARCH\('\{([\w/]+),([\w,]+)\} MetricName=\"(\w+)\" [^']*', '\w+', 300\)$",
                    metric[0]["expression"],
                )
                assert search, metric
                namespace, name, dimensions = search[1], search[3], set(search[2].split(","))
            assert MEASURED[namespace][name] == dimensions, metric
            shown.add((namespace, name))
    assert shown == {(namespace, name) for namespace, names in MEASURED.items() for name in names}


def test_every_layer_is_clean_for_cfn_lint_as_it_is_deployed(site: Site, tmp_path: Path) -> None:
    for layer, body in site.bodies.items():
        (tmp_path / f"{layer}.yml").write_text(body)
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--regions", "us-east-1", "--", *tmp_path.glob("*.yml")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_characters_beyond_ascii_stand_in_bodies_and_user_data_as_themselves(safe: Site) -> None:
    definitions = safe.resources("service.web")["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    (django,) = (one for one in definitions if one["Name"] == "django")
    assert {"Name": "TITLE", "Value": FLOWERS} in django["Environment"]
    assert FLOWERS in safe.bodies["service.web"]
    written = {file["path"]: file["content"] for file in yaml.safe_load(safe.user_data)["write_files"]}
    assert any(FLOWERS in content for content in written.values())
    assert "\\u" not in safe.bodies["service.web"] + safe.user_data


def test_a_body_fits_into_an_api_call_and_user_data_into_ec2(site: Site) -> None:
    for layer, body in site.bodies.items():
        assert len(body.encode()) <= 51_200, layer
    assert len(base64.b64decode(gzip_base64(site.user_data))) <= 16_384


def test_the_launch_source_has_the_user_data_compressed_the_same_on_any_day(site: Site) -> None:
    cluster = site.resources("cluster")
    launch = cluster.get("HostLaunchConfiguration") or cluster["HostLaunchTemplate"]
    encoded = launch["Properties"].get("LaunchTemplateData", launch["Properties"])["UserData"]
    packed = base64.b64decode(encoded)
    assert gzip.decompress(packed).decode() == site.user_data
    assert packed[4:8] == bytes(4), "a time in it would make each run another launch source"


def in_order(site: Site) -> list[str]:
    """The site's layers as they are made, those of one noun side by side."""
    return [layer for noun in LAYERS for layer in site.bodies if layer.partition(".")[0] == noun]


def outputs(site: Site, layer: str) -> set[str]:
    """What a layer gives; an entry with its name before it."""
    return {f"{layer}.{output}" if "." in layer else output for output in site.outputs(layer)}


def test_every_parameter_is_given_has_a_default_or_is_an_output_of_an_earlier_layer(site: Site) -> None:
    known: set[str] = set()
    assert set(in_order(site)) == set(site.bodies)
    for layer in in_order(site):
        given, takes = site.layers[layer], site.takes[layer]
        for name, declared in site.parameters(layer).items():
            assert name in {*given, *takes} | known or "Default" in declared, f"{layer}.{name}"
        assert {*given, *takes} <= set(site.parameters(layer)), layer
        assert set(takes.values()) <= known, layer
        known |= outputs(site, layer) | {f"{layer}.{output}" for output in site.outputs(layer)}


def test_no_two_layers_give_the_same_output(site: Site) -> None:
    seen: dict[str, str] = {}
    for layer in in_order(site):
        for output in outputs(site, layer):
            assert seen.setdefault(output, layer) == layer, output


def test_nothing_that_is_kept_can_be_lost_by_a_replacement_or_a_failed_first_create(site: Site) -> None:
    for layer, name in (("volume.media", "FileSystem"), ("secret.django", "Secret")):
        resource = site.resources(layer)[name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    database = site.resources("database.main")["Database"]
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    for layer in ("service.web", "job.migrate"):
        assert site.resources(layer)["TaskDefinition"]["UpdateReplacePolicy"] == "Retain"


def test_logs_are_delivered_without_making_the_site_wait_unless_asked_for(card: Site, tmp_path: Path) -> None:
    def options(site: Site) -> list[dict[str, str]]:
        definitions = [
            site.resources(layer)["TaskDefinition"]["Properties"] for layer in ("service.web", "job.migrate")
        ]
        return [each["LogConfiguration"]["Options"] for one in definitions for each in one["ContainerDefinitions"]]

    assert {(each["mode"], each["max-buffer-size"]) for each in options(card)} == {("non-blocking", "25m")}
    waiting = options(render(tmp_path, CARD | {"log_mode": "blocking"}))
    assert {each["mode"] for each in waiting} == {"blocking"}
    assert not [each for each in waiting if "max-buffer-size" in each]


def test_the_file_system_is_named_as_rexray_looks_for_it(site: Site) -> None:
    tags = site.resources("volume.media")["FileSystem"]["Properties"]["FileSystemTags"]
    assert tags == [{"Key": "Name", "Value": {"Fn::Sub": "${SiteName}-${EnvironmentName}/${EntryName}"}}]
    assert site.layers["volume.media"]["EntryName"] == "media"


def test_hosts_and_mount_targets_share_their_subnets(site: Site) -> None:
    volume, cluster = site.resources("volume.media"), site.resources("cluster")
    zones = [{"Ref": "HostSubnetIdA"}, {"Ref": "HostSubnetIdB"}]
    assert [volume[f"MountTarget{zone}"]["Properties"]["SubnetId"] for zone in "AB"] == zones
    assert cluster["HostGroup"]["Properties"]["VPCZoneIdentifier"] == zones


def test_in_a_vpc_that_exists_there_are_security_groups_and_nothing_else(given: Site, new: Site) -> None:
    network = given.resources("network")
    assert {each["Type"] for each in network.values()} == {
        "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress",
    }  # fmt: skip
    assert {name for name in network if "SecurityGroup" in name} == set(network)
    own = {name for name in new.resources("network") if "SecurityGroup" in name}
    assert set(network) == own | {"HostSecurityGroupInSsh192x0x2x0x24"}
    groups = [each["Properties"]["VpcId"] for each in network.values() if each["Type"] == "AWS::EC2::SecurityGroup"]
    assert groups == [{"Ref": "NetworkVpcId"}] * 2


def test_the_layers_above_do_not_know_whose_vpc_it_is(given: Site, new: Site) -> None:
    assert given.outputs("network") == new.outputs("network")
    for layer in set(new.bodies) - {"network", "cluster"}:  # the hosts' user data has the site's own keys in it
        assert given.bodies[layer] == new.bodies[layer]
        assert given.layers[layer] == new.layers[layer]
    values = given.values("network")
    ids = given.layers["network"]
    assert ids == {
        "CdnPrefixListId": "",
        "NetworkVpcId": VPC,
        **{
            f"Network{kind.title()}SubnetId{place}": SUBNETS[kind][number]
            for kind in KINDS
            for number, place in enumerate("AB")
        },
    }
    assert values["VpcId"] == {"Ref": "NetworkVpcId"}
    for output, kind in (("AlbSubnetIds", "Alb"), ("PrivateSubnetIds", "Private")):
        pair = [{"Ref": f"Network{kind}SubnetId{place}"} for place in "AB"]
        assert values[output] == {"Fn::Join": [",", pair]}
    assert [values[f"HostSubnetId{place}"] for place in "AB"] == [
        {"Ref": f"NetworkHostSubnetId{place}"} for place in "AB"
    ]


@pytest.mark.parametrize(("name", "subnets"), [("new", "SubnetPublic"), ("safe", "SubnetPrivate")])
def test_in_a_vpc_of_its_own_hosts_live_where_the_nat_gateway_is_for_them(
    name: str, subnets: str, request: pytest.FixtureRequest
) -> None:
    rendered: Site = request.getfixturevalue(name)
    values = rendered.values("network")
    assert rendered.layers["network"]["NetworkNat"] == ("none" if name == "new" else "gateway")
    assert [values[f"HostSubnetId{place}"] for place in "AB"] == [{"Ref": f"{subnets}{place}"} for place in "AB"]
    assert values["AlbSubnetIds"] == {"Fn::Join": [",", [{"Ref": f"SubnetPublic{place}"} for place in "AB"]]}
    assert values["PrivateSubnetIds"] == {"Fn::Join": [",", [{"Ref": f"SubnetPrivate{place}"} for place in "AB"]]}


def test_a_vpc_of_its_own_has_an_endpoint_of_dynamodb_where_that_is_wanted(safe: Site, card: Site, given: Site) -> None:
    def endpoints(site: Site) -> dict[str, Any]:
        found = site.resources("network").values()
        made = [each["Properties"] for each in found if each["Type"] == "AWS::EC2::VPCEndpoint"]
        return {each["ServiceName"]["Fn::Sub"].rpartition(".")[2]: each["RouteTableIds"] for each in made}

    both = [{"Ref": "RouteTablePublic"}, {"Ref": "RouteTablePrivate"}]
    assert endpoints(safe) == {"s3": both, "dynamodb": both}
    assert endpoints(card) == {"s3": both}
    assert endpoints(given) == {}


def test_a_site_with_tables_wants_one() -> None:
    handed = yaml.safe_load((PROJECT / "playbooks/vars/layers.yml").read_text())["network_dynamodb_endpoint"]
    for tables, wanted in (({}, False), ({"items": {"partition_key": "id"}}, True)):
        templar = Templar(DataLoader(), {"site_tables": tables})
        assert templar.template(trust_as_template(handed)) is wanted


def test_the_access_point_maps_no_user_so_both_drivers_see_the_same_owners(site: Site) -> None:
    properties = site.resources("volume.media")["AccessPoint"]["Properties"]
    assert "PosixUser" not in properties
    assert properties["RootDirectory"]["Path"] == "/data"


def test_hosts_come_after_the_provider_and_only_refresh_replaces_them(site: Site) -> None:
    cluster = site.resources("cluster")
    assert not {"CreationPolicy", "UpdatePolicy"} & set(cluster["HostGroup"])
    assert cluster["HostGroup"]["DependsOn"] == "Cluster"
    assert {"Key": "AmazonECSManaged", "Value": "", "PropagateAtLaunch": True} in cluster["HostGroup"]["Properties"][
        "Tags"
    ]
    provider = cluster["CapacityProvider"]["Properties"]["AutoScalingGroupProvider"]
    assert provider["ManagedTerminationProtection"] == "DISABLED"
    assert provider["ManagedDraining"] == "ENABLED"
    assert "cfn-signal" not in site.user_data


def test_metadata_options_and_the_encrypted_disk_are_written_out(card: Site, safe: Site) -> None:
    launch = card.resources("cluster")["HostLaunchConfiguration"]["Properties"]
    template = safe.resources("cluster")["HostLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    assert "HostLaunchTemplate" not in card.resources("cluster")
    assert "HostLaunchConfiguration" not in safe.resources("cluster")
    for source in (launch, template):
        assert source["MetadataOptions"] == {
            "HttpEndpoint": "enabled",
            "HttpTokens": {"Ref": "HostImdsTokens"},
            "HttpPutResponseHopLimit": 1,
        }
        assert source["BlockDeviceMappings"][0]["Ebs"]["VolumeType"] == "gp3"
        assert source["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_disks_bear_the_tags_of_their_hosts_where_a_launch_source_can_give_them(safe: Site) -> None:
    cluster = safe.resources("cluster")
    data = cluster["HostLaunchTemplate"]["Properties"]["LaunchTemplateData"]
    (given,) = data["TagSpecifications"]
    hosts = {tag["Key"]: tag["Value"] for tag in cluster["HostGroup"]["Properties"]["Tags"]}
    disks = {tag["Key"]: tag["Value"] for tag in given["Tags"]}
    assert given["ResourceType"] == "volume"
    assert disks == {key: hosts[key] for key in ("Name", "Site", "Environment")}


def test_the_host_role_may_neither_make_nor_delete_a_file_system(site: Site) -> None:
    policies = site.resources("cluster")["HostRole"]["Properties"]["Policies"]
    statements = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    denied = {action for one in statements if one["Effect"] == "Deny" for action in one["Action"]}
    assert {"elasticfilesystem:CreateFileSystem", "elasticfilesystem:DeleteFileSystem"} <= denied
    allowed = {action for one in statements if one["Effect"] == "Allow" for action in _list(one["Action"])}
    assert {action for action in allowed if action.startswith("elasticfilesystem:")} == {
        "elasticfilesystem:DescribeFileSystems",
        "elasticfilesystem:DescribeMountTargets",
    }


def test_hosts_speak_to_session_manager_only_where_it_is_on(safe: Site, card: Site) -> None:
    def actions(site: Site) -> set[str]:
        policies = site.resources("cluster")["HostRole"]["Properties"]["Policies"]
        statements = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
        return {action for one in statements for action in _list(one["Action"]) if action.startswith("ssm")}

    assert "ssmmessages:OpenDataChannel" in actions(safe)
    assert not {action for action in actions(safe) if "GetParameter" in action}
    assert actions(card) == set()
    assert "systemctl enable --now --no-block amazon-ssm-agent" in safe.user_data
    assert "systemctl disable --now --no-block amazon-ssm-agent" in card.user_data


def test_a_new_environment_stands_on_what_is_maintained(new: Site) -> None:
    assert "HostLaunchTemplate" in new.resources("cluster")
    assert "HostLaunchConfiguration" not in new.resources("cluster")
    given = new.layers["cluster"]
    assert (given["HostImdsTokens"], given["HostInstanceType"]) == ("required", "t3.micro")
    assert "rexray" not in new.user_data
    (volume,) = new.resources("service.web")["TaskDefinition"]["Properties"]["Volumes"]
    assert "EFSVolumeConfiguration" in volume


def test_ingress_rules_of_lists_are_named_by_their_network(safe: Site, card: Site) -> None:
    def rules(site: Site) -> set[str]:
        names = [name for layer in ("network", "database.main") for name in site.resources(layer)]
        return {name for name in names if "InSsh" in name or "InAdmin" in name}

    assert rules(safe) == {
        "HostSecurityGroupInSsh192x0x2x0x24",
        "HostSecurityGroupInSsh198x51x100x7x32",
        "SecurityGroupInAdmin192x0x2x0x24",
    }
    assert rules(card) == set()


def test_storage_that_has_grown_by_itself_is_not_asked_to_shrink(card: Site, safe: Site) -> None:
    assert int(card.layers["database.main"]["DatabaseStorageGb"]) == 20
    assert int(safe.layers["database.main"]["DatabaseStorageGb"]) == 26


def test_the_database_is_reached_by_the_hosts_only(card: Site) -> None:
    ingress = [
        resource["Properties"]
        for resource in card.resources("database.main").values()
        if resource["Type"] == "AWS::EC2::SecurityGroupIngress"
    ]
    assert [(one["SourceSecurityGroupId"], one["FromPort"], one["ToPort"]) for one in ingress] == [
        ({"Ref": "HostSecurityGroupId"}, 5432, 5432)
    ]
    database = card.resources("database.main")["Database"]["Properties"]
    assert database["VPCSecurityGroups"] == [{"Ref": "SecurityGroup"}]


def test_the_service_does_what_is_fit_for_a_small_site(site: Site) -> None:
    web = site.resources("service.web")
    service = web["Service"]["Properties"]
    assert service["AvailabilityZoneRebalancing"] == "DISABLED"
    assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"]["Rollback"] is True
    assert "LaunchType" not in service
    assert "ServiceName" not in service
    (target,) = (each["Properties"] for each in web.values() if each["Type"].endswith("::TargetGroup"))
    assert (target["TargetType"], target["HealthCheckPath"]) == ("instance", "/healthz")
    assert target["HealthCheckPort"] == "traffic-port"
    assert target["TargetGroupAttributes"] == [
        {"Key": "deregistration_delay.timeout_seconds", "Value": {"Ref": "ServiceDeregistrationSeconds"}}
    ]


def test_what_no_service_takes_is_answered_by_the_load_balancer_itself(site: Site) -> None:
    (action,) = site.resources("cluster")["HttpsListener"]["Properties"]["DefaultActions"]
    assert (action["Type"], action["FixedResponseConfig"]["StatusCode"]) == ("fixed-response", "503")


@pytest.mark.parametrize(
    ("layer", "logical_id", "named"),
    [
        ("service.web", "TargetGroupnginx", "Name"),
        ("cluster", "CapacityProvider", "Name"),
        ("cluster", "Alb", "Name"),
        ("database.main", "Database", "DBInstanceIdentifier"),
    ],
)
def test_what_may_be_replaced_has_no_name_of_its_own(card: Site, layer: str, logical_id: str, named: str) -> None:
    assert named not in card.resources(layer)[logical_id]["Properties"]


def test_user_data_starts_units_without_waiting_and_nothing_else(site: Site) -> None:
    assert site.user_data.startswith("#cloud-config\n")
    content: dict[str, Any] = yaml.safe_load(site.user_data)
    assert set(content) <= {"write_files", "runcmd", "bootcmd"}
    for command in content["runcmd"]:
        assert command == ["systemctl", "daemon-reload"] or command[:4] == [
            "systemctl",
            "enable",
            "--now",
            "--no-block",
        ]
    assert "packages" not in content


def test_units_start_in_the_order_of_their_roles(card: Site) -> None:
    """Sets of strings have no order: each run would have other user data, and so another launch source."""
    units = [command[-1] for command in yaml.safe_load(card.user_data)["runcmd"] if "enable" in command]
    assert units == [
        "host-limits.service",
        "session-manager.service",
        "metadata-guard.service",
        "rexray-efs.service",
        "ecs-boot-report.service",
    ]


def test_the_keys_of_fifty_people_fit_into_user_data(tmp_path: Path) -> None:
    """Of the card's choices, which have the most to say; a key is as good as random, so nothing compresses it."""
    chance = random.Random(7)
    head = b"\0\0\0\x0bssh-ed25519\0\0\0 "
    keys = [base64.b64encode(head + chance.randbytes(32)).decode() for _ in range(50)]
    people = [{"name": f"person{at}", "keys": [f"ssh-ed25519 {key} person{at}@laptop"]} for at, key in enumerate(keys)]
    site = render(tmp_path, CARD | {"host_access_people": people})
    assert all(key in site.user_data for key in keys)
    assert len(site.user_data) > 16_384
    assert len(base64.b64decode(gzip_base64(site.user_data))) <= 16_384


def test_user_data_has_the_plugin_only_with_rexray(card: Site, safe: Site) -> None:
    paths = {
        driver: {file["path"] for file in yaml.safe_load(each.user_data)["write_files"]}
        for driver, each in (("rexray", card), ("efs", safe))
    }
    assert "/etc/systemd/system/rexray-efs.service" in paths["rexray"]
    assert not [path for path in paths["efs"] if "rexray" in path]
    assert {"/etc/ecs/ecs.config", "/etc/docker/daemon.json"} <= paths["rexray"] & paths["efs"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_other_names_are_in_the_certificate_lead_to_the_first_and_have_records_in_their_zones(safe: Site) -> None:
    certificate = safe.resources("certificate")["Certificate"]["Properties"]
    assert certificate["SubjectAlternativeNames"] == ["*.shop.test", "shop.elsewhere", "shop.example", "shop.test"]
    zones = [(each["DomainName"], each["HostedZoneId"]) for each in certificate["DomainValidationOptions"]]
    assert zones == [("shop.example", "Z0OTHER"), ("shop.test", "Z0SHOP"), ("www.shop.test", "Z0SHOP")]
    rule = safe.resources("cluster")["AliasRedirect1"]["Properties"]
    assert rule["Priority"] == "1"
    (condition,), (action,) = rule["Conditions"], rule["Actions"]
    assert condition["HostHeaderConfig"]["Values"] == ["shop.elsewhere", "shop.example", "shop.test"]
    assert action["RedirectConfig"]["Host"] == "www.shop.test"
    records = [each["Properties"] for each in safe.resources("dns").values()]
    assert sorted((each["Name"], each["Type"], each["HostedZoneId"]) for each in records) == sorted(
        (name, kind, "Z0OTHER" if name == "shop.example" else "Z0SHOP")
        for name in ("www.shop.test", "shop.test", "*.shop.test", "shop.example")
        for kind in ("A", "AAAA")
    )
    assert safe.layers["dns"]["DomainNames"] == "*.shop.test,shop.example,shop.test,www.shop.test"


def test_a_site_of_one_name_has_nothing_of_others(card: Site, new: Site) -> None:
    for site in (card, new):
        properties = site.resources("certificate")["Certificate"]["Properties"]
        assert "SubjectAlternativeNames" not in properties
        assert len(properties["DomainValidationOptions"]) == 1
        assert not [name for name in site.resources("cluster") if name.startswith("AliasRedirect")]
        assert len(site.resources("dns")) == 2


def test_the_load_balancer_of_a_site_with_a_cdn_asks_for_the_secret_header_by_name(safe: Site, card: Site) -> None:
    def asked(site: Site) -> list[Any]:
        rules = [each for each in site.resources("service.web").values() if each["Type"].endswith("::ListenerRule")]
        found = [condition for rule in rules for condition in rule["Properties"]["Conditions"]]
        return [each["HttpHeaderConfig"] for each in found if each["Field"] == "http-header"]

    names = [f"{{{{resolve:secretsmanager:legacy-prod-edge-header-{number}}}}}" for number in (2, 1)]
    assert asked(safe) == [{"HttpHeaderName": "X-Berth-Edge", "Values": names}]
    assert asked(card) == []
    secrets = {name: each for name, each in safe.resources("network").items() if name.startswith("EdgeHeader")}
    assert [each["Properties"]["Name"] for each in secrets.values()] == [name[25:-2] for name in names]
    assert {each["DeletionPolicy"] for each in secrets.values()} == {"Delete"}
    (alb,) = [each for each in distribution(safe)["Origins"] if each["Id"] == "alb"]
    assert alb["OriginCustomHeaders"] == [{"HeaderName": "X-Berth-Edge", "HeaderValue": names[0]}]
    assert "s3cret" not in str(safe.bodies)


def distribution(site: Site) -> dict[str, Any]:
    return dict(site.resources("edge")["Distribution"]["Properties"]["DistributionConfig"])


def test_a_cdn_keeps_no_error_of_one_visitor_for_another_and_no_page_of_maintenance(safe: Site) -> None:
    responses = distribution(safe)["CustomErrorResponses"]
    assert {int(each["ErrorCode"]) for each in responses} >= {403, 404, 500, 502, 503, 504}
    assert {int(each["ErrorCachingMinTTL"]) for each in responses} == {0}
    shown = {each["ErrorCode"] for each in responses if "ResponsePagePath" in each}
    assert shown == {"502", "504"}, "503 is the page of maintenance.yml"


def test_a_cdn_answers_for_all_names_by_https_and_lets_only_itself_read_the_buckets(safe: Site) -> None:
    config = distribution(safe)
    assert config["Aliases"] == ["*.shop.test", "shop.elsewhere", "shop.example", "shop.test", "www.shop.test"]
    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]]
    assert {each["ViewerProtocolPolicy"] for each in behaviours} == {"redirect-to-https"}
    statements = safe.resources("static.front")["FilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert [each["Sid"] for each in statements] == ["TlsOnly", "Edge"]
    assert safe.layers["network"]["CdnPrefixListId"] == "pl-3b927c52"


def test_a_function_of_a_cdn_is_javascript_as_it_is_rendered(safe: Site) -> None:
    functions = [
        each["Properties"]["FunctionCode"]
        for each in safe.resources("edge").values()
        if each["Type"] == "AWS::CloudFront::Function"
    ]
    assert len(functions) == 2
    for code in functions:
        assert "#" not in code
        assert code.count("{") == code.count("}")
        assert code.rstrip().endswith("return request;\n}")
    assert any("request.uri.slice(7);" in code for code in functions)


def test_a_site_without_a_cdn_has_nothing_of_it(card: Site, new: Site, given: Site) -> None:
    for site in (card, new, given):
        assert "edge" not in site.bodies
        assert "EdgeHeader" not in site.bodies["network"]
        assert "X-Berth-Edge" not in str(site.bodies)

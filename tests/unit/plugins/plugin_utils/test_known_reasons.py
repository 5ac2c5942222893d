"""AWS's own words get the lines of the inventory that mend them; others stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_aws.cloud import Cloud
from local_aws.patches import autoscaling
from local_aws.patches.route53 import ZONE_ID
from plugins.action import cloudformation_stacks
from plugins.plugin_utils.known_reasons import explained
from plugins.plugin_utils.troubleshooting import anchor, entries
from tests.unit.plugin_support import run_action, talk_to
from tests.unit.plugins.plugin_utils.account.test_account_facts import NAME, record


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (
            "The Launch Configuration creation operation is not available in your account. Use launch templates to "
            "create configuration templates for your Auto Scaling groups.",
            "host_launch_source: launch_template",
        ),
        (
            "[Tried to create resource record set [name='www.shop.test.', type='A'] but it already exists]",
            "dns_switch.yml takes it over once the site works; or leave hosted_zone_id empty",
        ),
        (
            "The requested Availability Zone us-east-1e (use1-az3) is not supported: UnsupportedAvailabilityZone",
            "two other",
        ),
        (
            "Your requested instance type (t2.micro) is not supported in your requested Availability Zone (us-east-1e)",
            "network_availability_zones",
        ),
        ("Instance became unhealthy. Client.InternalError: Client error on launch.", "AWSServiceRoleForAutoScaling"),
        ("Launch templates must have HttpTokens set to required", "(and driver: efs in site_volumes, as rexray"),
        ("The key pair 'web' does not exist. Launching EC2 instance failed.", "host_key_name"),
        (
            "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sqs:CreateQueue on "
            "resource: arn:aws:sqs:us-east-1:123456789012:post because no identity-based policy allows the "
            "sqs:CreateQueue action",
            "arn:aws:iam::123456789012:user/ann lacks the right sqs:CreateQueue. If that is who types the verbs, write "
            "the policies anew (python scripts/operator_policy.py ",
        ),
    ],
)
def test_a_known_reason_has_what_to_type(reason: str, says: str) -> None:
    text = explained(reason)
    assert text.startswith(reason)
    assert says in text
    assert explained(text) == text, "once is enough"
    (entry,) = [each for each in entries() if each.anchor == anchor(text)]
    assert entry.level > 2, "an entry of its own"


def test_an_unknown_reason_stays_as_it_is() -> None:
    assert explained("Resource handler returned message: no") == "Resource handler returned message: no"
    denied = "User: ann is not authorized to perform: sqs:CreateQueue on resource: x with an explicit deny in a policy"
    assert explained(denied) == denied, "no right that could be given"


LAUNCH = """
Resources:
  Hosts:
    Type: AWS::AutoScaling::LaunchConfiguration
    Properties: {ImageId: ami-0123456789abcdef0, InstanceType: t2.micro}
"""
RECORD = f"""
Resources:
  Name:
    Type: AWS::Route53::RecordSet
    Properties: {{HostedZoneId: {ZONE_ID}, Name: {NAME}, Type: A, TTL: "60", ResourceRecords: [192.0.2.8]}}
"""


@pytest.mark.parametrize(("template", "says"), [(LAUNCH, "launch_template"), (RECORD, "dns_switch.yml")])
def test_a_layer_that_fails_so_says_what_to_type(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, template: str, says: str
) -> None:
    monkeypatch.setattr(autoscaling, "refuse_launch_configurations", True)
    talk_to(aws, monkeypatch)
    record(aws, NAME, "A", "192.0.2.7")
    (tmp_path / "one.yml").write_text(template)
    arguments = {"prefix": "legacy-unit", "stacks": {"one": {}}, "directory": str(tmp_path)}
    result = run_action(cloudformation_stacks, arguments)
    assert result["failed"]
    assert says in result["msg"]

"""Write the IAM policies of whoever runs the playbooks.

    python scripts/operator_policy.py                   docs/operator-policy-*.json, with words in place of names
    python scripts/operator_policy.py --site shop --region eu-central-1 --account 123456789012 --output policies/

Three managed policies, by trade. `operate` looks at everything, and runs things: images, hosts, tasks, services, logs;
with it alone nothing can be changed that holds data (publish, hosts, exec, run, migrate, ssh_config, tunnel) but the
site's ledger. Who makes, changes and deletes what a site stands on (site, move_volume, teardown) needs `deploy`
besides, and `data` for databases, file systems, buckets, tables, secrets and the firewall. They are made of the calls
that the plugins make (scripts/rights/calls.py), of what CloudFormation's handlers need for the templates
(scripts/rights/handlers.py), and scoped as far as IAM can tell the site's things from others'
(scripts/rights/iam.py). Never tried on AWS.
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import yaml

PROJECT = Path(__file__).resolve().parent.parent
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # so that it can be typed as a file's name

from scripts.rights import calls, handlers, iam

DOCS = PROJECT / "docs"
TRADES = ("deploy", "data", "operate")
RUNNING = ("autoscaling", "ecr", "ecs", "logs")
"""Services all of whose actions are the trade of `operate`: what they hold can be made again."""
RUNNING_ALSO = (
    "billing:GetBillingViewData", "budgets:ViewBudget", "cloudwatch:DeleteAlarmMuteRule",
    "cloudwatch:PutAlarmMuteRule", "cloudwatch:PutMetricData", "cloudwatch:SetAlarmState", "iam:PassRole",
    "sqs:ReceiveMessage",
)  # fmt: skip
"""Their trade too: an alarm is tried by who looks after it, and silent while they change what it watches; a role
goes with what is run, and `status` reads what the site has cost, and the runs that could not be started, which stay."""
KEEPING = ("backup", "backup-storage", "dynamodb", "elasticfilesystem", "rds", "s3", "secretsmanager")
"""Services whose actions that change something are the trade of `data`."""
FIREWALL = re.compile(
    r"wafv2:.*|elasticloadbalancing:\w*WebACL\w*|logs:(Create|Delete)LogDelivery|logs:PutResourcePolicy|"
    r"budgets:(ModifyBudget|TagResource|UntagResource)"
)
"""The firewall and its log are the trade of `data` too: `deploy` has no room left, and who types `site` has both. So
is a budget."""
FIREWALL_LOG = (
    "logs:*agResource", "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy",
    "logs:FilterLogEvents", "logs:PutRetentionPolicy",
)  # fmt: skip
"""What its log group is made, tagged, read and deleted with; its name is WAF's to bound, and it may be in us-east-1.

https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
"""

BY_HAND: Mapping[str, Collection[str]] = {
    # docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    "docker push": [
        "ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage",
    ],
    # docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions", of a version
    "bucket_drill": ["s3:GetObjectVersion"],
    # docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html, "Permissions", of a source with a version
    "bucket_restore": ["s3:GetObjectVersion", "s3:GetObjectVersionTagging"],
}  # fmt: skip
"""What the name of a call does not tell, or what no client of boto3 calls: who needs which actions."""

CONTENT = (
    "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:PutObject", "s3:PutObjectTagging",
)  # fmt: skip
"""What reads and writes what is in a bucket."""

LEDGER = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
"""What each verb that changes something does with the lock and its entry; who may only run things has such verbs."""

SESSION = ("ssm:StartSession", "ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:OpenDataChannel")
"""What `aws ssm start-session` needs; only with `--session-manager`, as host_access_session_manager is a choice."""

BOUND = "iam:PutRolePermissionsBoundary"
"""Puts a boundary on a role that is there; only with `--permissions-boundary`. There is no right to take one off."""
BOUNDED = ("iam:CreateRole", "iam:PutRolePolicy", BOUND)
"""What makes or widens a role; with `--permissions-boundary` only of roles that have it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
"""

ENCRYPTING = ("kms:Decrypt", "kms:GenerateDataKey")
"""What databases, file systems and secrets under a key of the account's own are made with, besides a grant for AWS's
services; only with `--kms-key`. Keys are looked at with `operate`.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
"""

DOCUMENTS = ("AWS-StartSSHSession", "AWS-StartPortForwardingSessionToRemoteHost")


@dataclass(frozen=True)
class Site:
    """What a policy is made for; by default words that stand for it.

    Attributes:
        name: `site_name`; all environments of the site are covered.
        region: `aws_region`.
        account: twelve digits.
        partition: of the region (`aws`, `aws-cn`, …).
        hosted_zones: ids of the zones that hold its names, `*` for any.
        session_manager: whether hosts are reached through Session Manager.
        kms_keys: ARNs of keys that inventories name for what Berth makes (`kms_key_arn`).
        copy_region: that backups are copied to (`copy_to` of `site_backups`); empty for none.
        boundary: ARN of the policy that has to bound each role; empty if none has to.
    """

    name: str = "SITE"
    region: str = "REGION"
    account: str = "ACCOUNT"
    partition: str = "PARTITION"
    hosted_zones: tuple[str, ...] = ("*",)
    session_manager: bool = False
    boundary: str = ""
    kms_keys: tuple[str, ...] = ()
    copy_region: str = ""

    def arns(self, service: str, pattern: str) -> list[str]:
        """The ARNs of a pattern of `iam.NAMES`: one, or one for each zone."""
        if iam.ANYWHERE.fullmatch(pattern):
            return [self.arn(service, pattern, "*")]
        zones = self.hosted_zones if "{hosted_zone}" in pattern else ("",)
        return [
            self.arn(service, pattern.replace("{hosted_zone}", zone), region)
            for zone in zones
            for region in self.regions(service)
        ]

    def regions(self, service: str) -> list[str]:
        """The regions in which the site has things of a service."""
        also = [iam.EDGE_REGION] if service in iam.EDGE_SERVICES else []
        also += [self.copy_region] if self.copy_region and service in iam.COPY_SERVICES else []
        return list(dict.fromkeys([self.region, *also]))

    def arn(self, service: str, pattern: str, region: str = "") -> str:
        """The ARN of a pattern without a zone, in the site's region if it is not said in which."""
        region = "" if service in iam.GLOBAL else region or self.region
        account = "" if service in ("s3", "route53") or pattern.startswith("parameter/aws/") else self.account
        named = pattern.format(site=self.name)
        return f"arn:{self.partition}:{service}:{region}:{account}:{named}"


@functools.cache
def needs() -> dict[str, dict[str, set[str]]]:
    """Trade → action or pattern → who needs it: plugins, modules of collections, types of resources."""
    called: dict[str, set[str]] = {}
    for made_by in (calls.scanned(), calls.of_collections()):
        for who, made in made_by.items():
            for action in (action for call in made for action in calls.actions(*call)):
                called.setdefault(action, set()).add(who)
    for who, actions in BY_HAND.items():
        for action in actions:
            called.setdefault(action, set()).add(who)
    by_stacks = handlers.needed({action.partition(":")[0] for action in called})

    found: dict[str, dict[str, set[str]]] = {trade: {} for trade in TRADES}
    for action in sorted(called.keys() | by_stacks.keys()):
        service = action.partition(":")[0]
        pattern = iam.pattern(action)
        reading = iam.LOOKING.match(action) and (pattern != action or action in called)
        running = service in RUNNING or reading or action in RUNNING_ALSO
        trade = "operate" if running else "data" if service in KEEPING else "deploy"
        if FIREWALL.fullmatch(action):
            trade = "data"
        found[trade].setdefault(pattern, set()).update(called.get(action, ()), by_stacks.get(action, ()))
    return found


def linked_services() -> list[str]:
    """The services whose service-linked roles preflight makes."""
    account = yaml.safe_load((PROJECT / "roles/preflight/vars/main/account.yml").read_text())
    return sorted(account["preflight_linked_roles"])


def special(action: str, site: Site) -> tuple[list[str], dict[str, Any]] | None:
    """Resources and condition of the few actions that a name alone does not bound."""
    role = site.arn("iam", "role/{site}-*")
    tagged = {"StringEquals": {"aws:ResourceTag/Site": site.name}}
    if site.boundary and action in BOUNDED:
        return [role], {"StringEquals": {"iam:PermissionsBoundary": site.boundary}}
    match action:
        case "iam:PassRole":
            passed = [
                "backup.amazonaws.com",
                "ec2.amazonaws.com",
                "ecs-tasks.amazonaws.com",
                "lambda.amazonaws.com",
                "scheduler.amazonaws.com",
            ]
            return [role], {"StringEquals": {"iam:PassedToService": passed}}
        case "iam:CreateServiceLinkedRole":
            linked = site.arn("iam", "role/aws-service-role/*")
            return [linked], {"StringEquals": {"iam:AWSServiceName": linked_services()}}
        case "iam:GetRole":
            return [role, site.arn("iam", "role/aws-service-role/*")], {}
        case "budgets:ViewBudget":
            # Of any budget, as lists are of anybody's things: there is no room for its name beside all others.
            return ["*"], {}
        case "backup:DeleteRecoveryPoint":
            # As with a file system: AWS makes its id up, and the backup's tags are on it.
            # One of a database is a snapshot of RDS.
            rows = [site.arn("rds", "snapshot:awsbackup:*", each) for each in site.regions("backup")]
            return [*site.arns("backup", "recovery-point:*"), *rows], tagged
        case (
            "backup:UpdateBackupPlan"
            | "backup:DeleteBackupPlan"
            | "backup:CreateBackupSelection"
            | "backup:DeleteBackupSelection"
        ):
            # AWS makes up a plan's id too; the stack's tags are on it.
            return [site.arn("backup", "backup-plan:*")], tagged
        case "rds:RestoreDBInstanceFromDBSnapshot":
            # Of a snapshot by hand, or of one that AWS Backup has made, which nobody here names.
            named = [arn for pattern in iam.patterns(action) for arn in site.arns("rds", pattern)]
            return [*named, site.arn("rds", "snapshot:awsbackup:*")], {}
        case "cloudwatch:DeleteDashboards" | "cloudwatch:GetDashboard" | "cloudwatch:PutDashboard":
            # Seen from each region, so there is none in its ARN.
            return [f"arn:{site.partition}:cloudwatch::{site.account}:dashboard/{site.name}-*"], {}
        case "cloudwatch:PutMetricData":
            return ["*"], {"StringEquals": {"cloudwatch:namespace": "Berth/Backups"}}
        case "elasticfilesystem:DeleteFileSystem":
            # An id has no name in it; the stack's tags are on the file system from its first moment.
            return [site.arn("elasticfilesystem", "file-system/*")], tagged
        case _ if action in CONTENT:
            # Of a site's buckets those that hold what was built: the functions' code (cloudformation/code.yml), which
            # Lambda takes with the caller's rights, and static files. What people have uploaded is read by version
            # alone, to be brought back by restore.yml. CloudFormation cuts names at 63 characters; the longest site and
            # environment fit, and names of entries that do not are refused (nouns/static.py).
            built = ["{site}-*-code-codebucket-*/*", "{site}-*-static-*-files-*/*"]
            uploaded = [] if action == "s3:GetObject" else ["{site}-*-bucket-*-bucket-*/*"]
            return [site.arn("s3", pattern) for pattern in (*built, *uploaded)], {}
        case "wafv2:*WebACL" | "wafv2:GetWebACLForResource":
            # A web ACL is put before a load balancer, which has a right of its own in it. One statement for both.
            acls = [arn for pattern in iam.patterns("wafv2:*WebACL") for arn in site.arns("wafv2", pattern)]
            return [*acls, site.arn("elasticloadbalancing", "loadbalancer/app/*")], {}
        case "logs:CreateLogDelivery" | "logs:DeleteLogDelivery" | "logs:PutResourcePolicy":
            # Of no log group: they hold for the account. As what else is made for a CDN.
            return ["*"], {"StringEquals": {"aws:RequestedRegion": _one(site.regions("acm"))}}
        case "ssm:StartSession":
            return [site.arn("ec2", "instance/*")], {"StringEquals": {"ssm:resourceTag/Site": site.name}}
        case "ssm:TerminateSession" | "ssm:ResumeSession":
            # docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html
            return [site.arn("ssm", "session/${{aws:userid}}-*")], {}
    return None


def scope(action: str, site: Site) -> tuple[list[str], dict[str, Any]]:
    """On what an action is granted: ARNs, and a condition."""
    if (found := special(action, site)) is not None:
        return found
    service = action.partition(":")[0]
    if patterns := iam.patterns(action):
        return [arn for pattern in patterns for arn in site.arns(service, pattern)], {}
    if service in (*iam.GLOBAL, "ssmmessages") or iam.LOOKING.match(action):
        return ["*"], {}
    return ["*"], {"StringEquals": {"aws:RequestedRegion": _one(site.regions(service))}}


def statements(actions: Collection[str], site: Site) -> list[dict[str, Any]]:
    """As few statements as can be.

    What is scoped by name alone shares one statement: an action is granted on those of its resources that are of its
    types, so the names of other services' things beside them give nothing away.
    """
    grouped: dict[str, tuple[set[str], set[str], dict[str, Any]]] = {}
    for action in actions:
        resources, condition = scope(action, site)
        named = special(action, site) is None and resources != ["*"]
        key = "named" if named else json.dumps([resources, condition])
        names, on, _ = grouped.setdefault(key, (set(), set(), condition))
        names.add(action)
        on.update(resources)
    return [
        {"Effect": "Allow", "Action": sorted(_told_once(names), key=str.lower), "Resource": _one(sorted(on))}
        | ({"Condition": condition} if condition else {})
        for _, (names, on, condition) in sorted(grouped.items())
    ]


def _told_once(names: Collection[str]) -> list[str]:
    """The names but those that a pattern among them takes anyway."""
    return [
        name for name in names if not any(name != pattern and fnmatch.fnmatchcase(name, pattern) for pattern in names)
    ]


def policies(site: Site) -> dict[str, dict[str, Any]]:
    """Trade → policy document."""
    found = {}
    for trade, actions in needs().items():
        bound = [BOUND] if site.boundary and trade == "deploy" else []
        listed = statements([*actions, *bound], site)
        if trade == "operate":
            # Of the site's buckets only the ledger (cloudformation/ledger.yml); its name is never cut, as with `code`.
            ledger = site.arn("s3", "{site}-*-ledger-history-*/*")
            listed.append({"Effect": "Allow", "Action": list(LEDGER), "Resource": ledger})
        if trade == "operate" and site.session_manager:
            # The documents that ssh and the verb tunnel go through belong to AWS: no account in their ARNs, and no tag.
            begin = f"arn:{site.partition}:ssm:{site.region}::document/"
            listed += [
                *statements(SESSION, site),
                {"Effect": "Allow", "Action": ["ssm:StartSession"], "Resource": [begin + each for each in DOCUMENTS]},
            ]
        if trade == "data":
            logs = site.arn("logs", "log-group:aws-waf-logs-{site}-*", "*")
            listed.append({"Effect": "Allow", "Action": list(FIREWALL_LOG), "Resource": logs})
        if trade == "data" and site.kms_keys:
            keys = _one(list(site.kms_keys))
            listed.append({"Effect": "Allow", "Action": list(ENCRYPTING), "Resource": keys})
            for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
            listed.append({"Effect": "Allow", "Action": ["kms:CreateGrant"], "Resource": keys, "Condition": for_aws})
        found[trade] = {"Version": "2012-10-17", "Statement": listed}
    return found


def refused(made: calls.Recorded, trades: Collection[str] = TRADES) -> list[str]:
    """The calls of a recording that the policies of these trades would refuse, as `verb: caller: action`, sorted."""
    found = policies(Site())
    rights = [action for trade in trades for each in found[trade]["Statement"] for action in each["Action"]]
    return sorted(
        f"{verb}: {caller}: {action}"
        for verb, callers in made.items()
        for caller, each in callers.items()
        for action in {action for call in each for action in calls.actions(*call)}
        if not any(fnmatch.fnmatchcase(action, right) for right in rights)
    )


def length(document: Mapping[str, Any]) -> int:
    """Characters as IAM counts them, without white space; a managed policy may have 6,144.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    return len(json.dumps(document, separators=(",", ":")))


def text(document: Mapping[str, Any]) -> str:
    """A document as it is written into a file."""
    return json.dumps(document, indent=1) + "\n"


def _one(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the policies: those of docs/, or of a site."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--site", help="site_name of the inventory")
    parser.add_argument("--region", help="aws_region of the inventory")
    parser.add_argument("--account", help="the account's twelve digits")
    parser.add_argument("--hosted-zone", action="append", help="hosted_zone_id; once for each zone, any by default")
    parser.add_argument("--session-manager", action="store_true", help="as host_access_session_manager: true")
    parser.add_argument("--permissions-boundary", default="", help="site_permissions_boundary: no role without it")
    parser.add_argument("--kms-key", action="append", default=[], help="a kms_key_arn; once for each key")
    parser.add_argument("--copy-region", default="", help="copy_to of site_backups")
    parser.add_argument("--output", type=Path, default=Path(), help="folder to write into; this one by default")
    parser.add_argument("--recorded", type=Path, metavar="CALLS", help="first take over what `make e2e` recorded")
    given = parser.parse_args(arguments)
    wanted = (given.site, given.region, given.account)
    if any(wanted) and not all(wanted):
        parser.error("--site, --region and --account belong together")
    if given.recorded:
        calls.RECORDED.write_text(calls.summary(given.recorded.read_text().splitlines()))
    site, folder = Site(), DOCS
    if given.site:
        partition = botocore.session.get_session().get_partition_for_region(given.region)
        site = Site(
            *wanted, partition, tuple(given.hosted_zone or "*"), given.session_manager, given.permissions_boundary,
            tuple(given.kms_key), given.copy_region,
        )  # fmt: skip
        folder = given.output
        folder.mkdir(parents=True, exist_ok=True)
    for trade, document in policies(site).items():
        path = folder / f"operator-policy-{trade}.json"
        path.write_text(text(document))
        print(f"{path}: {length(document)} of 6144 characters", file=sys.stderr)


if __name__ == "__main__":
    main()

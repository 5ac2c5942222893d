"""All questions about an account, side by side: each costs a round trip, and every run of `site` pays for them."""

from __future__ import annotations

import concurrent.futures
import datetime
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.account import databases, dns, hosts, names, places, quotas
from plugins.plugin_utils.aws_action import Failed, reason

Client = Callable[..., Any]
Future = concurrent.futures.Future[Any]
AT_ONCE = 8
"""Questions under way at a time; more would only be throttled."""


class Gathering:
    """One round of questions.

    Args:
        client: gives a boto3 client, `client(service, region)`; called from several threads.
        wanted: the arguments of `aws_account_info`.
    """

    def __init__(self, client: Client, wanted: Mapping[str, Any]) -> None:
        self._client, self._wanted = client, wanted
        self._unasked: dict[str, str] = {}

    def facts(self) -> dict[str, Any]:
        """All that was asked for.

        Raises:
            Failed: the region cannot be used; the message says why.
            ClientError: what nothing can go on without could not be asked.
        """
        region = self._client("ec2").meta.region_name
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as self._pool:
            problem = self._pool.submit(places.region_problem, self._client, region)
            caller = self._pool.submit(lambda: self._client("sts").get_caller_identity())
            first = self._first()
            optional = self._optional()
            if problem.result():
                raise Failed(problem.result())
            arn = caller.result()["Arn"]
            facts: dict[str, Any] = {
                "account": caller.result()["Account"],
                "arn": arn,
                "partition": arn.split(":")[1],
                "region": region,
            }
            stacks = {name: found for name, future in first.pop("stacks").items() if (found := future.result())}
            after = self._after(stacks, facts, optional)
            facts |= {"stacks": stacks} | self._answers(first | self._of(stacks)) | self._settled(optional | after)
        facts |= self._zones(facts)
        return facts | {"unasked": self._unasked}

    # What nothing can go on without

    def _first(self) -> dict[str, Any]:
        wanted, client, ask = self._wanted, self._client, self._pool.submit
        rds, ec2 = wanted["database_class"], client("ec2")
        first: dict[str, Any] = {
            "available": ask(places.available_zones, ec2),
            "buckets": {name: ask(names.bucket, client("s3"), name) for name in wanted["buckets"]},
            "repositories": {
                name: ask(names.repository_exists, client("ecr"), name) for name in wanted["repositories"]
            },
            "secrets": {name: ask(names.secret_exists, client("secretsmanager"), name) for name in wanted["secrets"]},
            "stacks": {name: ask(names.stack, client("cloudformation"), name) for name in wanted["stacks"]},
        }
        if wanted["instance_type"]:
            first["instance_type"] = ask(places.instance_type_zones, ec2, wanted["instance_type"])
        if rds:
            engine, version = wanted["database_engine"], wanted["database_engine_version"]
            first["database_class"] = ask(places.database_class_zones, client("rds"), rds, engine, version)
        if wanted["file_system_name"]:
            first["file_systems"] = ask(names.file_systems, client("efs"), wanted["file_system_name"])
        if wanted["ami_parameter"]:
            first["ami"] = ask(hosts.newest_ami, client("ssm"), ec2, wanted["ami_parameter"])
        if wanted["ami_id"]:
            first["ami_pinned"] = ask(hosts.ami, ec2, wanted["ami_id"])
        return first

    def _of(self, stacks: Mapping[str, Any]) -> dict[str, Future]:
        """What the layers that are there have made."""
        wanted, asked = self._wanted, dict[str, Future]()
        if identifier := _output(stacks, wanted["database_stack"], "DatabaseInstanceId"):
            asked["database"] = self._pool.submit(databases.database, self._client("rds"), identifier)
        if image := stacks.get(wanted["cluster_stack"], {}).get("parameters", {}).get("HostAmiId"):
            asked["ami_live"] = self._pool.submit(hosts.ami, self._client("ec2"), image)
        return asked

    def _answers(self, first: Mapping[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {"file_systems": [], "database": {}}
        for name, asked in first.items():
            if isinstance(asked, dict):
                facts[name] = {key: future.result() for key, future in asked.items()}
            else:
                facts[name] = asked.result()
        for name in ("repositories", "secrets"):
            facts[name] = [each for each, exists in facts[name].items() if exists]
        return facts

    def _zones(self, facts: dict[str, Any]) -> dict[str, Any]:
        by_database, versions = facts.pop("database_class", (None, []))
        zones = places.suitable(
            facts.pop("available"), instance_type=facts.pop("instance_type", None), database_class=by_database
        )
        return {"availability_zones": zones, "database_versions": versions}

    # What may go unasked, for want of a right or of the API: said, and never judged

    def _optional(self) -> dict[str, Future]:
        wanted, client, ask = self._wanted, self._client, self._pool.submit
        ec2, asked = client("ec2"), dict[str, Future]()
        if wanted["key_pairs"]:
            asked["key_pairs"] = ask(hosts.key_pairs, ec2)
        if wanted["instance_metadata"]:
            asked["instance_metadata"] = ask(hosts.instance_metadata, ec2)
        if wanted["launch_configurations"]:
            asked["launch_configurations"] = ask(
                lambda: hosts.launch_configurations(client("autoscaling"), lambda: client("account", "us-east-1"))
            )
        if wanted["database_majors"]:
            today = datetime.datetime.now(datetime.UTC).date()
            asked["database_majors"] = ask(databases.major_versions, client("rds"), wanted["database_engine"], today)
        if wanted["hosted_zone"]:
            asked["hosted_zone"] = ask(dns.hosted_zone, client("route53"), wanted["hosted_zone"])
        return asked

    def _after(
        self, stacks: Mapping[str, Any], facts: Mapping[str, Any], before: Mapping[str, Future]
    ) -> dict[str, Future]:
        """What follows from the layers that are there, and from the answers to `before`."""
        wanted, client, ask = self._wanted, self._client, self._pool.submit
        asked = dict[str, Future]()
        if identifier := _output(stacks, wanted["database_stack"], "DatabaseInstanceId"):
            asked["database_log_days"] = ask(lambda: databases.log_days(client("logs"), identifier))
        if wanted["volume_key"]:
            account = f"arn:{facts['partition']}:iam::{facts['account']}"
            asked["volume_key"] = ask(hosts.volume_key, client("ec2"), lambda: client("kms"), account)
        if wanted["hosted_zone"]:
            zone, balancer = before["hosted_zone"], _output(stacks, wanted["cluster_stack"], "AlbDnsName")
            asked["records"] = ask(self._records, zone, balancer)
            if wanted["delegation"]:
                asked["delegation"] = ask(self._delegation, zone)
        if wanted["quotas"]:
            # What the site has already needs no room any more.
            has = {"databases", "file_systems"} if stacks.get(wanted["database_stack"], {}).get("outputs") else set()
            has |= {"load_balancers"} if stacks.get(wanted["cluster_stack"], {}).get("outputs") else set()
            for name in quotas.USES.keys() - has:
                asked[f"quotas {name}"] = ask(quotas.USES[name], client, wanted["instance_type"])
        return asked

    def _records(self, zone: Future, balancer: str) -> dict[str, Any]:
        found, wanted = zone.result(), self._wanted
        if not found["found"]:
            return {"own": [], "wildcard": [], "elsewhere": []}
        route53 = self._client("route53")
        return dns.addresses(route53, wanted["hosted_zone"], found["name"], wanted["domain_name"], balancer)

    def _delegation(self, zone: Future) -> list[str]:
        found = zone.result()
        return dns.delegated_to(found["name"]) if found["found"] and not found["private"] else []

    def _settled(self, asked: Mapping[str, Future]) -> dict[str, Any]:
        facts: dict[str, Any] = {"quotas": {}}
        for name, future in asked.items():
            question, _, part = name.partition(" ")
            try:
                answer = future.result()
            except (BotoCoreError, ClientError) as error:
                self._unasked[question] = reason(error)
            except (dns.CannotAsk, quotas.CannotTell) as error:
                self._unasked[question] = str(error)
            else:
                if part:
                    facts[question][part] = answer
                else:
                    facts[question] = answer
        if "hosted_zone" in self._unasked:  # what follows from it was not asked for the same reason
            self._unasked = {name: why for name, why in self._unasked.items() if name not in ("records", "delegation")}
        return facts


def _output(stacks: Mapping[str, Any], stack: str | None, name: str) -> str:
    """An output of a stack; empty where either is missing."""
    return str(stacks.get(stack or "", {}).get("outputs", {}).get(name, ""))


def gather(client: Client, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of one round of questions, see `Gathering`."""
    return Gathering(client, wanted).facts()

"""All questions about an account, side by side: each costs a round trip, and every run of `site` pays for them."""

from __future__ import annotations

import concurrent.futures
import datetime
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from plugins.plugin_utils.account import certificates, databases, dns, hosts, names, networks, places, quotas, tables
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

    Raises:
        Failed: an argument is not what its documentation says.
    """

    def __init__(self, client: Client, wanted: Mapping[str, Any]) -> None:
        self._client, self._wanted = client, wanted
        try:
            self._databases = databases.wanted(wanted["databases"])
            self._tables = tables.wanted(wanted["tables"])
        except ValueError as error:
            raise Failed(str(error)) from None
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
            found = self._found(first)
            after = self._after(stacks, facts | found, optional)
            facts |= {"stacks": stacks} | found | self._answers(first | self._of(stacks))
            facts |= self._settled(optional | after)
        facts |= self._offers(facts)
        return facts | {"unasked": self._unasked}

    # What nothing can go on without

    def _first(self) -> dict[str, Any]:
        wanted, client, ask = self._wanted, self._client, self._pool.submit
        ec2 = client("ec2")
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
        offers = {(each.class_, each.engine, each.version) for each in self._databases.values()}
        first["offers"] = {offer: ask(places.database_class_zones, client("rds"), *offer) for offer in offers}
        if wanted["file_systems"]:
            first["file_systems"] = ask(names.file_systems, client("efs"), wanted["file_systems"])
        if wanted["prefix_list"]:
            first["prefix_list"] = ask(networks.prefix_list, ec2, wanted["prefix_list"])
        if wanted["vpc_id"]:
            first["vpc"] = ask(networks.vpc, ec2, wanted["vpc_id"])
            first["subnets"] = ask(networks.subnets, ec2, wanted["subnets"])
        if wanted["ami_parameter"]:
            first["ami"] = ask(hosts.newest_ami, client("ssm"), ec2, wanted["ami_parameter"])
        if wanted["ami_id"]:
            first["ami_pinned"] = ask(hosts.ami, ec2, wanted["ami_id"])
        return first

    def _instances(self, stacks: Mapping[str, Any]) -> dict[str, str]:
        """Database → its identifier, of those that are there."""
        found = {name: _output(stacks, each.stack, "InstanceId") for name, each in self._databases.items()}
        return {name: identifier for name, identifier in found.items() if identifier}

    def _of(self, stacks: Mapping[str, Any]) -> dict[str, Any]:
        """What the layers that are there have made."""
        asked: dict[str, Any] = {
            "databases": {
                name: self._pool.submit(databases.database, self._client("rds"), identifier)
                for name, identifier in self._instances(stacks).items()
            }
        }
        named = {name: each.name or _output(stacks, each.stack, "TableName") for name, each in self._tables.items()}
        asked["tables"] = {
            name: self._pool.submit(tables.table, self._client("dynamodb"), table)
            for name, table in named.items()
            if table
        }
        if image := stacks.get(self._wanted["cluster_stack"], {}).get("parameters", {}).get("HostAmiId"):
            asked["ami_live"] = self._pool.submit(hosts.ami, self._client("ec2"), image)
        return asked

    @staticmethod
    def _found(first: dict[str, Any]) -> dict[str, Any]:
        """The file systems of the names, and the VPC: they tell what else is to be asked."""
        found: dict[str, Any] = {"file_systems": {}}
        if "file_systems" in first:
            found["file_systems"], found["file_system_ids"] = first.pop("file_systems").result()
        if "vpc" in first:
            found["vpc"] = first.pop("vpc").result()
        return found

    @staticmethod
    def _answers(asked: Mapping[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for name, question in asked.items():
            if isinstance(question, dict):
                facts[name] = {key: future.result() for key, future in question.items()}
            else:
                facts[name] = question.result()
        for name in ("repositories", "secrets"):
            facts[name] = [each for each, exists in facts[name].items() if exists]
        return facts

    def _offers(self, facts: dict[str, Any]) -> dict[str, Any]:
        """The zones by what they offer; of each database what is on offer, what there is, its log and its login."""
        available, offers, kept = facts.pop("available"), facts.pop("offers"), facts.pop("database_log_days", {})
        due = facts.pop("database_login", {})
        found: dict[str, dict[str, Any]] = {}
        for name, each in self._databases.items():
            zones, versions = offers[each.class_, each.engine, each.version]
            found[name] = {"versions": versions, "zones": places.offering(available, zones)}
            found[name] |= facts["databases"].get(name, databases.NONE)
            if name in kept:
                found[name]["log_days"] = kept[name]
            if name in due:
                found[name]["login_due"] = due[name]
        zones_by = {"available": available}
        conditions = [database["zones"] for database in found.values()]
        if "instance_type" in facts:
            zones_by["instance_type"] = places.offering(available, facts.pop("instance_type"))
            conditions.append(zones_by["instance_type"])
        zones_by["suitable"] = places.offering(available, *conditions)
        return {"availability_zones": zones_by, "databases": found}

    # What may go unasked, for want of a right or of the API: said, and never judged

    def _optional(self) -> dict[str, Future]:
        wanted, client, ask = self._wanted, self._client, self._pool.submit
        ec2, asked = client("ec2"), dict[str, Future]()
        if wanted["key_pairs"]:
            asked["key_pairs"] = ask(hosts.key_pairs, ec2)
        if wanted["backup_types"]:
            asked["backup_types"] = ask(names.backup_types, client("backup"), wanted["backup_types"])
        if wanted["instance_metadata"]:
            asked["instance_metadata"] = ask(hosts.instance_metadata, ec2)
        if wanted["certificate_stack"]:
            asked["certificates_left"] = ask(
                lambda: certificates.left(client("cloudformation"), client("acm"), wanted["certificate_stack"])
            )
        if wanted["launch_configurations"]:
            asked["launch_configurations"] = ask(
                lambda: hosts.launch_configurations(client("autoscaling"), lambda: client("account", "us-east-1"))
            )
        if wanted["database_majors"]:
            today = datetime.datetime.now(datetime.UTC).date()
            for engine in sorted({each.engine for each in self._databases.values()}):
                asked[f"database_majors {engine}"] = ask(databases.major_versions, client("rds"), engine, today)
            if self._databases:
                asked["database_authorities"] = ask(databases.authorities, client("rds"), today)
        for zone in sorted(set(wanted["domains"].values()) - {""}):
            asked[f"hosted_zones {zone}"] = ask(dns.hosted_zone, client("route53"), zone)
        return asked

    def _after(
        self, stacks: Mapping[str, Any], facts: Mapping[str, Any], before: Mapping[str, Future]
    ) -> dict[str, Future]:
        """What follows from the layers that are there, and from the answers to `before`."""
        wanted, client, ask = self._wanted, self._client, self._pool.submit
        asked = dict[str, Future]()
        for name, identifier in self._instances(stacks).items():
            asked[f"database_log_days {name}"] = ask(databases.log_days, client("logs"), identifier)
            if login := _output(stacks, self._databases[name].stack, "LoginArn"):
                ways = client("rds"), client("secretsmanager")
                asked[f"database_login {name}"] = ask(databases.login_due, *ways, identifier, login)
        if wanted["volume_key"]:
            account = f"arn:{facts['partition']}:iam::{facts['account']}"
            asked["volume_key"] = ask(hosts.volume_key, client("ec2"), lambda: client("kms"), account)
        balancer = _output(stacks, wanted["cluster_stack"], "AlbDnsName")
        edge = _output(stacks, wanted["edge_stack"], "EdgeDomainName")
        zones = {question.partition(" ")[2]: each for question, each in before.items() if "hosted_zones " in question}
        for name, zone in wanted["domains"].items():
            if zone:
                asked[f"records {name}"] = ask(self._records, name, zone, zones[zone], (balancer, edge))
        for zone, found in zones.items() if wanted["delegation"] else ():
            asked[f"delegation {zone}"] = ask(self._delegation, found)
        if facts.get("vpc", {}).get("found"):
            ec2, vpc = client("ec2"), wanted["vpc_id"]
            asked["vpc_dns"] = ask(networks.dns, ec2, vpc)
            options = facts["vpc"]["dhcp_options"]
            if options.startswith("dopt-"):  # `default` is no set: nobody says then by what hosts ask
                asked["vpc_resolvers"] = ask(networks.resolvers, ec2, options, facts["vpc"]["cidrs"])
            asked["ways_out"] = ask(networks.ways_out, ec2, vpc, wanted["subnets"])
            asked["vpc_endpoints"] = ask(networks.endpoints, ec2, vpc)
        if wanted["quotas"]:
            for name in quotas.USES.keys() - self._needs_no_room(stacks, facts["file_systems"]):
                asked[f"quotas {name}"] = ask(quotas.USES[name], client, wanted["instance_type"])
        return asked

    def _needs_no_room(self, stacks: Mapping[str, Any], file_systems: Mapping[str, Any]) -> set[str]:
        """The quotas that do not matter, as the site has all of it already."""
        up = {name for name, stack in stacks.items() if stack["outputs"]}
        has = {"vpcs", "elastic_ips"} if self._wanted["vpc_id"] else set[str]()
        if all(each.stack in up for each in self._databases.values()):
            has.add("databases")
        if all(file_systems.values()):
            has.add("file_systems")
        if self._wanted["cluster_stack"] in up:  # which stands on a network
            has |= {"load_balancers", "vpcs", "elastic_ips"}
        if len(self._wanted["domains"]) <= quotas.CERTIFICATE_NAMES:
            has.add("certificate_names")
        return has

    def _records(self, name: str, zone: str, described: Future, targets: tuple[str, ...]) -> dict[str, Any]:
        found = described.result()
        if not found["found"]:
            return {"own": [], "wildcard": [], "elsewhere": []}
        return dns.addresses(self._client("route53"), zone, found["name"], name, *targets)

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
                    facts.setdefault(question, {})[part] = answer
                else:
                    facts[question] = answer
        if "hosted_zones" in self._unasked:  # what follows from it was not asked for the same reason
            self._unasked = {name: why for name, why in self._unasked.items() if name not in ("records", "delegation")}
        return facts


def _output(stacks: Mapping[str, Any], stack: str | None, name: str) -> str:
    """An output of a stack; empty where either is missing."""
    return str(stacks.get(stack or "", {}).get("outputs", {}).get(name, ""))


def gather(client: Client, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of one round of questions, see `Gathering`."""
    return Gathering(client, wanted).facts()

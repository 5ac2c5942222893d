"""The status of a site: all questions, side by side, and one plain model of the answers."""

from __future__ import annotations

import concurrent.futures
import datetime
from collections.abc import Callable, Collection, Mapping
from typing import Any

from plugins.plugin_utils.backups.planned import Plan
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.status import (
    alarms,
    autoscaling,
    backups,
    certificate,
    costs,
    databases,
    hosts,
    ledger,
    maintenance,
    raw,
    schedules,
    stacks,
    topology,
    volumes,
)
from plugins.plugin_utils.status.part import Client, Part, merged
from plugins.plugin_utils.status.services import Services
from plugins.plugin_utils.status.words import iso, seconds_since

AT_ONCE = 6
"""Parts that ask at a time; more would only be throttled."""
ORDER = ("stacks", "hosts", "services", "certificate", "databases", "volumes", "backups", "schedules", "ledger",
         "raw", "maintenance", "autoscaling", "alarms")  # fmt: skip


def gather(
    client: Client,
    site: Site,
    words: Collection[str],
    region: str,
    settings: Mapping[str, Any],
    now: datetime.datetime,
) -> dict[str, Any]:
    """The model; plugins/modules/site_status.py documents its keys.

    Args:
        client: gives a boto3 client; called from several threads.
        site: without problems.
        words: of the site's layers.
        region: of the site.
        settings: see `costs.quantities`; and `subscribers` of alarms.
        now: with its time zone.

    Raises:
        ConnectionError: AWS cannot be reached.
    """
    whole = Part()
    found = whole.ask(
        "stacks", "cloudformation", stacks.described, client("cloudformation"), site.identity.prefix, words
    )
    parts = _parts(client, site, found, settings.get("subscribers") or [], now) if found is not None else {}
    together = merged(parts)
    facts = {name: parts[name].facts if name in parts else None for name in ORDER}
    is_up = bool(found) and "cluster" in (found or {})
    wrong, unasked = together.wrong, whole.unasked + together.unasked
    if found is not None and not found:
        wrong = [{"about": "site", "what": "is not up: it has no stack here", "type": verb("site.yml")}]
    elif found is None:
        wrong = [{"about": "site", "what": f"could not be asked ({whole.unasked[0]['why']})", "type": ""}]
    named = {name: facts[name] or [] for name in ("hosts", "services", "databases", "volumes")}
    named["alarms"] = (facts["alarms"] or {"alarms": []})["alarms"]
    prices = costs.known()
    return {
        "site": {
            "name": site.identity.site_name,
            "environment": site.identity.environment_name,
            "region": region,
            "url": f"https://{site.identity.domain_name}/" if site.identity.domain_name else "",
            "asked": iso(now),
            "up": is_up,
        },
        "well": not wrong,
        "wrong": wrong,
        "notes": together.notes,
        "unasked": unasked,
        "topology": topology.drawn(site, facts, wrong),
        **{name: facts[name] for name in ORDER if name != "ledger"},
        "ledger": facts["ledger"] or dict(ledger.NONE),
        "cost": costs.estimate(costs.quantities(site, named, settings), region, prices) if is_up else None,
    }


def _parts(
    client: Client, site: Site, found: Mapping[str, Any], subscribers: Collection[str], now: datetime.datetime
) -> dict[str, Part]:
    """All parts that there is something to ask about."""
    if not found:
        return {}
    told = {layer: stacks.outputs(stack) for layer, stack in found.items()}
    cluster = told.get("cluster", {})
    arn = told.get("certificate", {}).get("CertificateArn", "")
    asked: dict[str, Callable[[], Part]] = {
        "stacks": lambda: stacks.look(found, [*stacks.expected(site)], now),
        "databases": lambda: databases.look(client, _outputs(told, "database", "InstanceId"), now),
        "volumes": lambda: volumes.look(client, _outputs(told, "volume", "FileSystemId"), now),
        "ledger": lambda: ledger.look(client, told.get("ledger", {}).get("BucketName", ""), now),
        "raw": lambda: raw.look(client, told.get("ledger", {}).get("BucketName", "")),
    }
    if site.backups.wanted:
        at = found["ledger"]["CreationTime"] if "ledger" in found else None
        asked["backups"] = lambda: backups.look(
            client,
            told.get("ledger", {}).get("BucketName", ""),
            site.backups,
            Plan.told(found),
            seconds_since(at, now) if at else None,
            now,
        )
    if "ClusterName" in cluster:
        asked["schedules"] = lambda: schedules.look(client, site, now, found)
        if any(each.scale for each in site.services.values()):
            asked["autoscaling"] = lambda: autoscaling.look(client, cluster["ClusterName"])
    if listener := cluster.get("HttpsListenerArn", ""):
        asked["maintenance"] = lambda: maintenance.look(client, listener, now)
    if subscribers or "alarms" in found:
        topic, names = told.get("alarms", {}).get("AlarmTopicArn", ""), stacks.names(found)
        prefix = site.identity.prefix
        budget = told.get("alarms", {}).get("BudgetName", "")
        asked["alarms"] = lambda: alarms.look(client, topic, subscribers, prefix, names, now, budget)
    if arn:
        asked["certificate"] = lambda: certificate.look(client, arn, now)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {name: pool.submit(question) for name, question in asked.items()}
        parts: dict[str, Part] = {}
        if "ClusterName" in cluster:
            name = cluster["ClusterName"]
            parts["hosts"], instances = hosts.look(client, name, cluster.get("HostGroupName", ""), now)
            parts["services"] = Services(client, name, instances, now).look(site)
        parts |= {name: future.result() for name, future in futures.items()}
    raw.judge(parts["raw"], parts["ledger"], site.identity.environment_name)
    if "autoscaling" in parts:
        autoscaling.judge(parts["autoscaling"], parts["ledger"])
    if "maintenance" in parts:
        maintenance.judge(parts["maintenance"], parts["ledger"])
    return {name: parts[name] for name in ORDER if name in parts}


def _outputs(told: Mapping[str, Mapping[str, str]], noun: str, output: str) -> dict[str, str]:
    """Entry → an output of its stack, of those that have it."""
    return {
        layer.partition(".")[2]: given[output]
        for layer, given in told.items()
        if layer.startswith(f"{noun}.") and output in given
    }

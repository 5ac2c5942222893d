"""The status as one HTML page: nothing from elsewhere, no script, light and dark, for a phone and for a desk.

All that is shown passes `escape`: reasons and log lines are written by whoever visits the site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from plugins.plugin_utils.status.alarms import CONFIRMED, cost
from plugins.plugin_utils.status.alarms import summed as summed_alarms
from plugins.plugin_utils.status.backups import drilled, said
from plugins.plugin_utils.status.certificate import LEAST_DAYS
from plugins.plugin_utils.status.maintenance import through
from plugins.plugin_utils.status.picture import NARROW, WIDE, svg
from plugins.plugin_utils.status.schedule_state import COLORS
from plugins.plugin_utils.status.terminal import backup, done, last_run, priced, proven_by, storage, summed, unasked
from plugins.plugin_utils.status.words import age, ago, many, shown

STYLE = Path(__file__).with_name("page.css")
Facts = Mapping[str, Any]


def rendered(model: Facts) -> str:
    """The page of a model of model.py."""
    site = model["site"]
    title = f"{site['name']} {site['environment']}: {'well' if model['well'] else 'not well'}"
    body = "".join(_body(model))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # The page may not ask for anything, whatever stands in it.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'\">"
        f"<title>{escape(title)}</title><style>\n{STYLE.read_text()}</style></head>\n<body>{body}</body></html>\n"
    )


def _body(model: Facts) -> Iterator[str]:
    yield _header(model)
    yield "<main>"
    yield _tiles(model)
    yield _findings("What is not well", model["wrong"], "bad")
    yield _map(model)
    yield _findings("Worth knowing", model["notes"], "warn")
    yield _section("Visitors", _maintenance(model["maintenance"]), "columns")
    yield _section("Services", _each(_service, model["services"]), "grid")
    data = _each(_database, model["databases"]) + _each(_volume, model["volumes"]) + _backups(model["backups"])
    yield _section("Hosts and data", _each(_host, model["hosts"]) + data, "columns")
    around = _each(_schedule, model["schedules"]) + _certificate(model["certificate"])
    around += _alarms(model["alarms"]) + _stacks(model["stacks"])
    around += _ledger(model["ledger"], model["site"]["up"]) + _cost(model["cost"])
    yield _section("Around it", around, "columns")
    yield _unasked(model["unasked"])
    yield f"</main><footer>Asked {escape(shown(model['site']['asked']))}. Times are UTC.</footer>"


def _header(model: Facts) -> str:
    site = model["site"]
    wrong = len(model["wrong"])
    verdict = "Well" if model["well"] else f"Not well: {many(wrong, 'thing')}"
    url = escape(site["url"], quote=True)
    link = (
        f' · <a href="{url}" rel="noreferrer">{escape(site["url"].removeprefix("https://").rstrip("/"))}</a>'
        if url
        else ""
    )
    return (
        f"<header><div><h1>{escape(site['name'])} <span>{escape(site['environment'])}</span></h1>"
        f"<p>{escape(site['region'])}{link} · {escape(shown(site['asked']))}</p></div>"
        f'<p class="verdict {"good" if model["well"] else "bad"}">{verdict}</p></header>'
    )


def _tiles(model: Facts) -> str:
    tiles = []
    services, hosts = model["services"] or [], model["hosts"] or []
    if services:
        running, desired = sum(s["running"] for s in services), sum(s["desired"] for s in services)
        tiles.append((f"{running} of {desired}", "tasks running", running < desired))
        names = list(dict.fromkeys(s["release"] for s in services if s["release"]))
        tiles += [(" · ".join(names[:2]), "release", False)] if names else []
    if hosts:
        up = sum(h["usable"] for h in hosts)
        tiles.append((f"{up} of {len(hosts)}", "hosts take tasks", up < len(hosts)))
    ages = [d["newest_backup_age_seconds"] for d in [*(model["databases"] or ()), *(model["volumes"] or ())]]
    if any(each is not None for each in ages):
        tiles.append((age(max(each for each in ages if each is not None)), "since the last backup", False))
    if model["certificate"] and model["certificate"]["days_left"] is not None:
        days = model["certificate"]["days_left"]
        tiles.append((many(days, "day"), "left of the certificate", days < LEAST_DAYS))
    if model["cost"]:
        tiles.append((f"${model['cost']['usd']}", "a month, estimated", False))
    inner = "".join(
        f'<div class="tile{" bad" * ill}"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name, ill in tiles
    )
    return f'<div class="tiles">{inner}</div>' if inner else ""


def _findings(title: str, found: Iterable[Facts], color: str) -> str:
    items = "".join(
        f'<li class="{color}"><strong>{escape(each["about"])}</strong><p>{escape(each["what"])}</p>'
        + (f"<pre>{escape(each['type'])}</pre>" if each["type"] else "")
        + "</li>"
        for each in found
    )
    return f'<section><h2>{title}</h2><ul class="findings">{items}</ul></section>' if items else ""


def _map(model: Facts) -> str:
    names = [f"{each['kind']} {each['name']}" for each in model["topology"]["nodes"]]
    label = f"Who reaches what: {', '.join(names)}"
    pictures = "".join(svg(model["topology"], spread, label) for spread in (WIDE, NARROW))
    return (
        f'<section><h2>How it hangs together</h2><div class="card map">{pictures}</div></section>' if pictures else ""
    )


def _section(title: str, inner: str, name: str) -> str:
    return f'<section><h2>{title}</h2><div class="{name}">{inner}</div></section>' if inner else ""


def _each(card: Callable[[Facts], str], items: Iterable[Facts] | None) -> str:
    return "".join(map(card, items or ()))


def _chip(text: str, color: str) -> str:
    return f'<span class="chip {color}">{escape(text)}</span>'


def _card(title: str, chip: str, rows: Iterable[tuple[str, str]], more: str = "") -> str:
    """A card; values of rows are HTML already."""
    inner = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in rows if value)
    listed = f"<dl>{inner}</dl>" if inner else ""
    return f'<article class="card"><div class="head"><h3>{escape(title)}</h3>{chip}</div>{listed}{more}</article>'


def _maintenance(each: Facts | None) -> str:
    if not each or not each["on"]:
        return ""
    rows = [
        ("Since", escape(f"{shown(each['since'])}, {ago(each['age_seconds'])}") if each["since"] else ""),
        ("Until", escape(f"{shown(each['until'])}{', which is over' * each['over']}") if each["until"] else ""),
        ("Shown by", escape(each["verb"])),
        ("Let through", escape(through(each))),
    ]
    return _card("Maintenance page", _chip("visitors are answered 503", "warn"), rows)


def _service(each: Facts) -> str:
    full = each["running"] >= each["desired"]
    chip = _chip(f"{each['running']} of {many(each['desired'], 'task')}", "good" if full else "bad")
    targets = "<br>".join(
        f"{_chip(one['state'], _health_color(one['state']))} <code>{escape(one['target'])}</code>"
        + (f" {escape(one['reason'])}" if one["reason"] else "")
        for one in each["targets"]
    )
    rows = [
        ("Release", escape(each["release"])),
        ("Revision", f"<code>{escape(each['revision'])}</code>"),
        ("Starting", str(each["pending"] or "")),
        ("No place", escape(each["no_place"])),
        ("Deployments", "<br>".join(map(_deployment, each["deployments"]))),
        ("Targets", targets),
    ]
    return _card(each["name"], chip, rows, _ends(each["stopped"]))


def _health_color(state: str) -> str:
    return {"healthy": "good", "unhealthy": "bad"}.get(state, "plain")


def _deployment(one: Facts) -> str:
    color = {"FAILED": "bad", "IN_PROGRESS": "warn", "COMPLETED": "good"}.get(one["rollout"], "plain")
    failed = f", {many(one['failed'], 'task')} failed" if one["failed"] else ""
    why = f" {escape(one['reason'])}" if one["reason"] and one["rollout"] != "COMPLETED" else ""
    state = f"{one['running']} of {one['desired']} running{failed}, {ago(one['age_seconds'])}"
    return f"{_chip((one['rollout'] or one['status']).lower().replace('_', ' '), color)} {escape(state)}{why}"


def _ends(stopped: list[Facts]) -> str:
    if not stopped:
        return ""
    failed = sum(one["failed"] for one in stopped)
    summary = f"The last {many(len(stopped), 'task')} that ended" + (f", {failed} of them unwanted" if failed else "")
    items = "".join(map(_end, stopped))
    return f"<details{' open' * bool(failed)}><summary>{escape(summary)}</summary><ul>{items}</ul></details>"


def _end(one: Facts) -> str:
    when = ago(one["age_seconds"]) if one["age_seconds"] is not None else "being stopped"
    codes = " ".join(
        _chip(
            f"{each['name']}: {'no exit code' if each['exit_code'] is None else each['exit_code']}",
            "bad" if each["exit_code"] and one["failed"] else "plain",
        )
        for each in one["containers"]
    )
    lines = [f"{each['name']}: {line}" for each in one["containers"] for line in each["log"]]
    log = f'<pre class="log">{escape(chr(10).join(lines))}</pre>' if lines else ""
    return f'<li><span class="soft">{escape(when)}</span> {escape(one["reason"])}<br>{codes}{log}</li>'


def _bar(name: str, room: Facts, unit: str) -> tuple[str, str]:
    used = room["of"] - room["left"]
    share = min(100, round(100 * used / room["of"])) if room["of"] else 0
    text = f"{room['left']} of {room['of']} {unit} left"
    return name, f'{escape(text)}<div class="bar"><i style="width: {share}%"></i></div>' if room["of"] else ""


def _host(each: Facts) -> str:
    state = each["state"] if each["agent"]["connected"] or each["state"] == "not joined" else "agent away"
    chips = _chip(state.lower(), "good" if each["usable"] else "bad") + (
        _chip("behind", "warn") if each["behind"] else ""
    )
    days = each["ami"]["age_days"]
    image = f"<code>{escape(each['ami']['id'])}</code>" + (f", {many(days, 'day')} old" if days is not None else "")
    agent = f"{each['agent']['version']}, {'connected' if each['agent']['connected'] else 'not connected'}"
    rows = [
        ("Instance", escape(" · ".join(filter(None, (each["type"], each["zone"]))))),
        ("Up", escape(age(each["age_seconds"])) if each["age_seconds"] is not None else ""),
        ("AMI", image if each["ami"]["id"] else ""),
        ("Agent", escape(agent) if each["agent"]["version"] else ""),
        ("Docker", escape(each["docker"])),
        ("Tasks", str(each["tasks"])),
        _bar("Memory", each["memory"], "MiB"),
        _bar("CPU", each["cpu"], "units"),
    ]
    return _card(f"host {each['instance']}", chips, rows)


def _database(each: Facts) -> str:
    chip = _chip(each["status"], "good" if each["status"] == "available" else "bad")
    waits = [f"{one['action']} ({one['what']})" for one in each["maintenance"]] + each["waiting_changes"]
    rows = [
        ("Instance", escape(f"{each['class']}{', two zones' * each['multi_az']}")),
        ("Engine", escape(each["engine"])),
        ("Storage", storage(each)),
        ("Certificate", escape(proven_by(each["certificate"]).removeprefix("certificate "))),
        ("Restorable to", escape(shown(each["restorable_to"])) or "no time yet"),
        ("Backup", escape(backup(each))),
        ("Waits", escape("; ".join(waits))),
    ]
    return _card(f"database {each['name']}", chip, rows)


def _volume(each: Facts) -> str:
    chip = _chip(each["status"], "good" if each["status"] == "available" else "bad")
    rows = [
        ("File system", f"<code>{escape(each['file_system'])}</code>"),
        ("Size", f"{each['size_gb']} GB"),
        ("Backup", escape(backup(each))),
    ]
    return _card(f"volume {each['name']}", chip, rows)


def _backups(each: Facts | None) -> str:
    return _card("Backups", "", [("newest", escape(said(each))), ("last drill", escape(drilled(each)))]) if each else ""


def _schedule(each: Facts) -> str:
    rows = [
        ("Runs", f"<code>{escape(each['schedule'])}</code> {escape(each['zone'])}"),
        ("Last run", escape(last_run(each))),
        ("Last wrote", escape(shown(each["last_wrote"])) or "nothing yet"),
    ]
    return _card(f"job {each['name']}", _chip(each["state"], COLORS[each["state"]]), rows, _ends(each["stopped"]))


def _certificate(each: Facts | None) -> str:
    if not each:
        return ""
    chip = _chip(each["status"].lower().replace("_", " "), "good" if each["status"] == "ISSUED" else "bad")
    left = f" (in {many(each['days_left'], 'day')})" if each["days_left"] is not None else ""
    rows = [
        ("Names", escape(", ".join(each["names"] or [each["domain"]]))),
        ("Ends", escape(f"{each['ends'][:10]}{left}") if each["ends"] else ""),
        ("Renewal", escape(each["renewal"].lower().replace("_", " "))),
    ]
    return _card("Certificate", chip, rows)


def _alarms(each: Facts | None) -> str:
    if not each or not each["topic"]:
        return ""
    ringing = [one for one in each["alarms"] if one["state"] == "ALARM"]
    deaf = [one for one in each["subscribers"] if one["state"] != CONFIRMED]
    rows = [
        (f"{one['layer']} {one['called']}", escape(f"{one['reason']} ({ago(one['age_seconds'])})")) for one in ringing
    ]
    rows += [(one["endpoint"], escape(one["state"])) for one in each["subscribers"]]
    over = bool(each["budget"] and each["budget"]["rings"])
    if each["budget"]:
        rows.append(("Budget", escape(cost(each["budget"]))))
    return _card("Alarms", _chip(summed_alarms(each), "bad" if ringing or deaf or over else "good"), rows)


def _ledger(each: Facts, is_up: bool) -> str:
    if not is_up:
        return ""
    if not each["there"]:
        return _card("Lock and ledger", _chip("no ledger", "plain"), [])
    lock = each["lock"]
    rows = [
        ("Holder", escape(f"{lock['who']} ({lock['where']})") if lock else ""),
        ("Verb", escape(f"{lock['verb']} since {shown(lock['started'] or '')}") if lock else ""),
    ]
    items = "".join(
        f"<li><span>{escape(done(one))}</span><span>{escape(ago(one['age_seconds'] or 0))}</span></li>"
        for one in each["verbs"]
    )
    chip = _chip("locked", "warn") if lock else _chip("not locked", "plain")
    return _card("Lock and ledger", chip, rows, f'<ul class="plainlist">{items}</ul>' if items else "")


def _cost(each: Facts | None) -> str:
    if not each:
        return ""
    items = "".join(
        f"<li><span>{escape(one['what'])}{_times(one)}</span><span>${escape(one['usd'])}</span></li>"
        for one in each["lines"]
    )
    more = f'<ul class="plainlist">{items}</ul><p class="soft">{escape(priced(each))}.</p>'
    return _card("A month, estimated", _chip(f"${each['usd']}", "plain"), [], more)


def _times(line: Facts) -> str:
    """How much of a price there is."""
    return f": {line['quantity']:g} {line['unit']}".rstrip()


def _stacks(found: list[Facts] | None) -> str:
    if not found:
        return ""
    chips = "".join(
        _chip(each["layer"], "bad" if not each["well"] else "warn" if each["status"].endswith("PROGRESS") else "plain")
        for each in found
    )
    well = all(each["well"] for each in found)
    chip = _chip("well" if well else "not well", "good" if well else "bad")
    more = f'<p class="soft">{escape(summed(found))}.</p><div class="chips">{chips}</div>'
    return _card("Stacks", chip, [], more)


def _unasked(found: Iterable[Facts]) -> str:
    items = "".join(
        f"<li><span>{escape(each['about'])}</span><span>{escape(unasked(each))}</span></li>" for each in found
    )
    return (
        f'<section><h2>Not asked</h2><div class="card"><ul class="plainlist long">{items}</ul></div></section>'
        if items
        else ""
    )

"""Bring a throw-away site up on AWS, type every verb, look at it, take it down, and say what was not as it is to be.

    python -m scripts.acceptance --domain try.example.org --zone Z0123456789 [--minutes 150] [--usd 2]
    python -m scripts.acceptance --embedded
    python -m scripts.acceptance --remove

The first needs an account (AWS_PROFILE or keys), a hosted zone of it, Docker, and a name in the zone that nothing has.
It says what the site costs before it makes anything, and makes nothing where that is more than --usd. The site is taken
down with its data at the end, also after Ctrl-C and when the time is over; --remove does so after a run that was
killed. The second does the same on the embedded AWS `test`, which is removed first and at the end.

Report and recording (shapes and states of all requests and answers, no values) are left in .cache/acceptance. Where
there is a recording of the other kind, AWS's beside the embedded one's, the report says what differs, call by call.
Ends with 1 if a step was not as it is to be.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import boto3

from benchmarks.soak.people import Site, Uploader
from local_aws.config import CONFIGS, PROJECT
from scripts.acceptance.recording import differences, summary
from scripts.acceptance.report import report
from scripts.acceptance.run import Result, Runner, recorder
from scripts.acceptance.steps import STEPS, Step, places
from scripts.acceptance.throwaway import EMBEDDED, KEPT, Throwaway, left, made

HOURS_A_MONTH = 730
REMOVE = "python -m scripts.acceptance --remove"
IMAGE = PROJECT / "tests/e2e/harbour.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and print the report's place; 1 where something was not as it is to be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domain", help="a name that nothing has, in the zone")
    parser.add_argument("--zone", help="id of a hosted zone of Route 53")
    parser.add_argument("--region", default="us-east-1", help="of AWS")
    parser.add_argument("--minutes", type=float, default=150, help="after which the site is taken down, done or not")
    parser.add_argument(
        "--usd", type=Decimal, default=Decimal(2), help="what the time may cost at most, at list prices"
    )
    parser.add_argument("--embedded", action="store_true", help="on the embedded AWS")
    parser.add_argument("--remove", action="store_true", help="take down what a killed run has left")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if given.remove:
        return _removed(left())
    if given.embedded:
        with_embedded = [sys.executable, "-m", "local_aws"]
        subprocess.run([*with_embedded, "down", "--name", "test"], cwd=PROJECT, check=True)
        subprocess.run([*with_embedded, "up", "--name", "test"], cwd=PROJECT, check=True)
        try:
            return accepted(EMBEDDED, given.minutes, given.usd)
        finally:
            subprocess.run([*with_embedded, "down", "--name", "test"], cwd=PROJECT, check=True)
    if not given.domain or not given.zone:
        parser.error(
            "--domain and --zone are needed, or --embedded: make acceptance DOMAIN=try.example.org ZONE=Z0123456789"
        )
    if standing := left():
        names = ", ".join(each.domain for each in standing)
        parser.error(f"a run before was killed, and its site may be up ({names}). Take it down first: {REMOVE}")
    return accepted(made(given.domain, given.zone, given.region), given.minutes, given.usd)


def accepted(site: Throwaway, minutes: float, usd: Decimal) -> int:
    """Do all steps and the teardown, and write the report."""
    kind = "embedded" if site.embedded else "aws"
    KEPT.mkdir(parents=True, exist_ok=True)
    recording = KEPT / f"{kind}.jsonl"
    recording.unlink(missing_ok=True)
    subprocess.run([sys.executable, "examples/legacy_site/build.py"], cwd=PROJECT, check=True)
    results = list[Result]()
    with tempfile.TemporaryDirectory() as folder:
        runner = _runner(site, minutes, recorder(recording), Path(folder))
        try:
            _is_cheap(runner, minutes, usd, Path(folder) / "plan.json")
        except BaseException:  # Ctrl-C too: nothing was made, so the inventory is of no use
            site.forget()
            raise
        try:
            for step in STEPS:
                if runner.clock() > runner.deadline:
                    results.append(Result(step, trouble="the time was over before it"))
                    continue
                results.append(_said(lambda step=step: runner.do(step), step.name))  # type: ignore[misc]  # bound at once
        except KeyboardInterrupt:
            results.append(Result(Step(look="the other steps"), trouble="interrupted before them"))
        finally:
            results.append(_said(runner.remove, "teardown"))
            if not results[-1].trouble:
                site.forget()
    place = KEPT / f"{kind}.md"
    where = "on the embedded AWS" if site.embedded else f"on AWS, {site.domain}"
    differing, compared = _compared(recording)
    place.write_text(report(results, differing, where, compared))
    print(f"report: {place.relative_to(PROJECT)}; recording: {recording.relative_to(PROJECT)}")
    if results[-1].trouble and not site.embedded:
        print(f"THE SITE MAY BE UP, and costs: {REMOVE}", file=sys.stderr)
    return int(any(each.trouble for each in results))


def _runner(site: Throwaway, minutes: float, recorded: dict[str, str], folder: Path) -> Runner:
    config = CONFIGS["test"]
    reached = (
        Site(site.domain, config.https_port, "127.0.0.1", config.state / "ca/ca.pem")
        if site.embedded
        else Site(site.domain)
    )
    environment = {**os.environ, **recorded, "NO_COLOR": "1"}
    uploader = Uploader(reached, lambda: credentials(site), IMAGE.read_bytes())
    return Runner(site, environment, places(folder), time.monotonic() + minutes * 60, reached, uploader)


def credentials(site: Throwaway) -> tuple[str, str]:
    """Of the site's admin, from its secret."""
    where = {"endpoint_url": CONFIGS["test"].endpoint} if site.embedded else {}
    session = boto3.Session("berth-embedded", "-", region_name="us-east-1") if site.embedded else boto3.Session()
    client = session.client("secretsmanager", **where)
    for page in client.get_paginator("list_secrets").paginate():
        for each in page["SecretList"]:
            if f"-{site.environment}/secret/admin" in each["Name"]:
                found = json.loads(client.get_secret_value(SecretId=each["ARN"])["SecretString"])
                return found["username"], found["password"]
    raise LookupError(f"there is no secret of the admin of {site.domain}")


def _is_cheap(runner: Runner, minutes: float, usd: Decimal, output: Path) -> None:
    """Ask for the plan of the site, and end where the time costs more than it may.

    Raises:
        SystemExit: it does, or there is no plan.
    """
    planned = runner.do(Step("plan", ("format=json", f"output={output}")))
    if planned.trouble:
        raise SystemExit(f"No plan, so nothing is made: it {planned.trouble}\n{planned.output}")
    month = Decimal(json.loads(output.read_text())["cost"]["after"])
    costs = (month / HOURS_A_MONTH * Decimal(minutes) / 60).quantize(Decimal("0.01"))
    print(f"{minutes:.0f} minutes cost about ${costs} at list prices, and what is billed by use", flush=True)
    if costs > usd:
        raise SystemExit(
            f"That is more than ${usd}, so nothing is made: --usd {costs.to_integral_value() + 1} allows it"
        )


def _said(do: Callable[[], Result], name: str) -> Result:
    """Do a step and say so, as it may take long."""
    print(f"{name:70.70s}", end=" ", flush=True)
    result = do()
    print(f"{result.seconds:5.0f} s  {result.trouble}", flush=True)
    return result


def _compared(recording: Path) -> tuple[Iterator[str], str]:
    """What the two kinds of AWS differ in, and what was compared."""
    other = recording.with_name("aws.jsonl" if recording.stem == "embedded" else "embedded.jsonl")
    if not (recording.is_file() and other.is_file()):
        return iter(()), f"Compared with nothing, as there is no {other.name}."
    mine, theirs = (summary(each.read_text().splitlines()) for each in (recording, other))
    return differences(theirs, mine, other.stem, recording.stem), f"Compared with {other.name}, call by call."


def _removed(standing: Sequence[Throwaway]) -> int:
    if not standing:
        print("Nothing is left of a run before.")
    failed = 0
    for site in standing:
        with tempfile.TemporaryDirectory() as folder:
            result = _said(_runner(site, 0, {}, Path(folder)).remove, f"teardown of {site.domain}")
        if result.trouble:
            print(result.output, file=sys.stderr)
            failed = 1
        else:
            site.forget()
    return failed


if __name__ == "__main__":
    sys.exit(main())

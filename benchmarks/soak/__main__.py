"""How a site that is used stands what happens to it in a long time: faults, verbs, and verbs that are killed.

    python -m benchmarks.soak [--acts 100] [--seed 1] [--minutes 120]

Makes the example site on two hosts of the embedded AWS `test` (which is removed first, and at the end), with visitors
who ask for pages all the time and a person who uploads images. One act after the other is drawn by the seed, done, and
waited for until the site is whole. Ends with 1 if an upload that was confirmed is lost, a release answers that is not
to, a verb costs a request, or the site does not become whole. Prints what each act cost, and a table.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from benchmarks.soak.drawing import drawn
from benchmarks.soak.estate import Estate, its_image
from benchmarks.soak.judging import Outcome, objections, sorted_in, table
from benchmarks.soak.people import Uploader, Visitor
from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.tests.until import until
from plugins.plugin_utils.lock import TTL_VARIABLE
from tests.chaos.runs import Typed
from tests.e2e.conftest import CONFIG, local_aws

LOCK_SECONDS = "30"
"""The lock of a run that is killed with all that it started expires so soon."""
UPLOADS = 3
"""How many images are uploaded an act: before it, in it, and after it."""
FOUND_SECONDS = 60
SEEN_SECONDS = 3
"""Within which it is noticed that something has died; a site that looks whole may be about not to be."""


def soak(estate: Estate, seed: int, acts: int, minutes: float) -> tuple[list[Outcome], int, list[str]]:
    """Do it all.

    Returns:
        What each act has cost, how many uploads were confirmed, and the names of those that are lost.
    """
    uploader = Uploader(estate.site, estate.credentials, its_image())
    visitors = [Visitor(estate.site, "/healthz"), Visitor(estate.site, "/")]
    outcomes, begin = list[Outcome](), time.monotonic()
    for visitor in visitors:
        visitor.start()
    try:
        for act in drawn(seed, acts):
            if time.monotonic() - begin > minutes * 60:
                print(f"after {minutes:.0f} minutes it ends with act {act.number - 1}", flush=True)
                break
            outcome = Outcome(act, time.monotonic(), allowed=frozenset({estate.release}))
            outcomes.append(outcome)
            print(f"{act.number:3d} {act.name:28s}", end="", flush=True)
            _one(estate, uploader, outcome)
            outcome.ended = time.monotonic()
            print(f" {outcome.ended - outcome.began:5.0f} s  {outcome.note}{outcome.trouble}", flush=True)
            if outcome.trouble:
                break
    except KeyboardInterrupt:
        print(" interrupted, and not counted", flush=True)
    finally:
        for visitor in visitors:
            visitor.stop()
    for visitor in visitors:
        sorted_in(outcomes, visitor.answers)
    outcomes = [outcome for outcome in outcomes if outcome.ended]
    lost = list(uploader.confirmed)
    with suppress(OSError):
        lost = uploader.lost()
    return outcomes, len(uploader.confirmed), lost


def _one(estate: Estate, uploader: Uploader, outcome: Outcome) -> None:
    """Do one act while something is uploaded, and wait until all is whole."""
    with ThreadPoolExecutor(1) as person:
        uploads = [person.submit(uploader.upload) for _ in range(UPLOADS - 1)]
        try:
            outcome.allowed, outcome.note = estate.do(outcome.act)
            time.sleep(SEEN_SECONDS)
            estate.is_whole()
        except AssertionError as error:
            outcome.trouble = str(error)
        for each in uploads:
            each.result()
    uploader.upload()
    with suppress(AssertionError):  # it is told as lost at the end
        until(uploader.finds_all, "the uploads on the front page", FOUND_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, and print what it has cost; 1 where something may not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--acts", type=int, default=100, help="how many things are done to the site")
    parser.add_argument("--seed", type=int, default=1, help="by which they are drawn; the same draws the same again")
    parser.add_argument("--minutes", type=float, default=120, help="after which no other act is begun")
    given = parser.parse_args(arguments)
    os.environ[TTL_VARIABLE] = LOCK_SECONDS
    subprocess.run([sys.executable, "examples/legacy_site/build.py"], cwd=PROJECT, check=True)
    local_aws("down")
    local_aws("up")
    try:
        estate = Estate(Cloud(CONFIG))
        estate.comes_up()
        estate.is_whole()
        outcomes, uploads, lost = soak(estate, given.seed, given.acts, given.minutes)
        said = f"{uploads} uploads were confirmed, {len(lost)} of them are lost"
        for line in [*table(outcomes), "", f"Seed {given.seed}, {len(outcomes)} acts. {said}."]:
            print(line)
        wrong = objections(outcomes, uploads, lost)
        for line in wrong:
            print(f"WRONG: {line}")
        return int(bool(wrong))
    finally:
        Typed.end_all()
        if os.environ.get("BERTH_KEEP") != "1":  # BERTH_KEEP=1: leave it up, to look into a failure
            local_aws("down")


if __name__ == "__main__":
    sys.exit(main())

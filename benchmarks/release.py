"""How long a release takes, beside what no release can do without: ECS replacing the tasks.

    python -m benchmarks.release -i local [--runs 3]

The site must be up (`python -m local_aws up`, `ansible-playbook site.yml -i local`), with images of this machine, which
are released again under new names. Beside each release the first service is deployed anew by a bare `update-service
--force-new-deployment` and waited for, both in turn, so that what else the machine does falls on both. Prints the
ratio of the medians, and the time of each; and what of the last release took longest.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.noop_site import PROJECT, run, steps
from local_aws.cloud import Cloud
from local_aws.config import CONFIGS

RATIO = 1.15
"""What it may take at most."""
LONGEST = 12
"""How many tasks of the last release are told."""
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 900.0


def redeployed(ecs: Any, cluster: str, service: str, clock: Callable[[], float] = time.monotonic) -> float:
    """Seconds until a service has been deployed anew, and nothing of before is left.

    Raises:
        SystemExit: that takes too long, or fails.
    """
    begin = clock()
    answer = ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)["service"]
    (mine,) = (each["id"] for each in answer["deployments"] if each["status"] == "PRIMARY")
    while clock() - begin < PATIENCE_SECONDS:
        (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        (first, *others) = sorted(found["deployments"], key=lambda each: each["id"] != mine)
        if first["id"] != mine or first.get("rolloutState") == "FAILED":
            raise SystemExit(f"{service}: the deployment failed")
        if not others and first.get("rolloutState") == "COMPLETED":
            return clock() - begin
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"{service}: not deployed after {PATIENCE_SECONDS:.0f} s")


def measured(runs: int, release: Callable[[int], float], bare: Callable[[], float]) -> tuple[list[float], list[float]]:
    """Seconds of releases and of bare deployments, one after the other in turn."""
    releases, deployments = list[float](), list[float]()
    for number in range(runs):
        deployments.append(bare())
        releases.append(release(number))
    return releases, deployments


def verdict(releases: Sequence[float], deployments: Sequence[float]) -> int:
    """Print what was measured; 1 where a release takes more than it may."""
    release, bare = statistics.median(releases), statistics.median(deployments)
    print(f"{release:7.2f} s  a release ({', '.join(f'{each:.1f}' for each in releases)})")
    print(f"{bare:7.2f} s  a bare deployment and its wait ({', '.join(f'{each:.1f}' for each in deployments)})")
    print(f"{release / bare:7.2f} times  (at most {RATIO:.2f})")
    return int(release / bare > RATIO)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where it takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-i", "--inventory", default="local", help="the environment, one of the embedded AWS")
    parser.add_argument("--cluster", default="legacy-local", help="the site's cluster")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run; the median counts")
    given = parser.parse_args(arguments)
    ecs = Cloud(CONFIGS[given.inventory]).client("ecs")
    service = sorted(ecs.list_services(cluster=given.cluster)["serviceArns"])[0]
    stamp = int(time.time())

    last = list[tuple[str, float, bool]]()

    def release(number: int) -> float:
        seconds, content = run(PROJECT / "release.yml", given.inventory, "-e", f"release=bench-{stamp}-{number}")
        last[:] = steps(content)
        return seconds

    found = measured(given.runs, release, lambda: redeployed(ecs, given.cluster, service))
    for name, seconds, _ in sorted(last, key=lambda step: -step[1])[:LONGEST]:
        print(f"{seconds:7.2f} s  {name}")
    print(f"{sum(seconds for _, seconds, _ in last):7.2f} s  in all {len(last)} tasks of the last release\n")
    return verdict(*found)


if __name__ == "__main__":
    sys.exit(main())

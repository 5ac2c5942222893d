"""Say where the demo's site is, who may log in, and what to try next.

Usage: python scripts/demo_banner.py [name of the embedded AWS, by default local]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS

DOMAINS = {"local": "legacy.berth.localhost", "test": "legacy.test.berth.localhost"}
"""`domain_name` of the inventory of that name."""
BANNER = """
==  The site is up

    {url}/            its front page
    {url}/admin/      log in as {username} with {password}

    Its certificate is from a local authority; for a browser without a warning import {authority}

==  Three things to try

    curl --cacert {authority} {url}/
    docker exec {host} docker ps            # the site's two containers, on their host
    docker kill {host}                      # the Auto Scaling Group brings another: python -m local_aws status

    make demo-down removes it all.  (In a new shell, first: source .venv/bin/activate)
"""


def main(name: str = "local") -> None:
    """Print the banner of the legacy site on the embedded AWS of this name."""
    config, site = CONFIGS[name], f"legacy-{name}"
    cloud = Cloud(config)
    stack = cloud.client("cloudformation").describe_stacks(StackName=f"{site}-secret-admin")["Stacks"][0]
    arn = next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "SecretArn")
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=arn)
    hosts = cloud.client("ecs").list_container_instances(cluster=site, status="ACTIVE")["containerInstanceArns"]
    described = cloud.client("ecs").describe_container_instances(cluster=site, containerInstances=hosts)
    host = described["containerInstances"][0]["ec2InstanceId"]
    print(
        BANNER.format(
            url=f"https://{DOMAINS[name]}:{config.https_port}",
            authority=os.path.relpath(config.state / "ca" / "ca.pem"),
            host=config.container(host),
            **json.loads(secret["SecretString"]),
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

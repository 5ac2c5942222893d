"""Say where the demo's site is, who may log in, and what to try next."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_aws.cloud import Cloud
from local_aws.config import CONFIGS

CONFIG = CONFIGS["local"]
SITE = "legacy-local"
URL = f"https://legacy.berth.localhost:{CONFIG.https_port}"
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


def main() -> None:
    """Print the banner."""
    cloud = Cloud(CONFIG)
    stack = cloud.client("cloudformation").describe_stacks(StackName=f"{SITE}-secret-admin")["Stacks"][0]
    arn = next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "SecretArn")
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=arn)
    hosts = cloud.client("ecs").list_container_instances(cluster=SITE, status="ACTIVE")["containerInstanceArns"]
    described = cloud.client("ecs").describe_container_instances(cluster=SITE, containerInstances=hosts)
    host = described["containerInstances"][0]["ec2InstanceId"]
    print(
        BANNER.format(
            url=URL,
            authority=os.path.relpath(CONFIG.state / "ca" / "ca.pem"),
            host=CONFIG.container(host),
            **json.loads(secret["SecretString"]),
        )
    )


if __name__ == "__main__":
    main()

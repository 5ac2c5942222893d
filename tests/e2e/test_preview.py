"""A preview of the founding site with the data of the environment that it is of, anonymised before visitors see them.

A second site has its load balancer in the network alone: its name is led there by the tests themselves.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local_aws.cloud import Cloud
from local_aws.config import PROJECT
from local_aws.parts.load_balancers import ARN_LABEL
from local_aws.tests.until import until
from plugins.plugin_utils.ledger import Ledger
from tests.e2e.conftest import CONFIG, playbook, succeed
from tests.e2e.test_site import AUTHORITY

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.usefixtures("images")]

NAME, OWN = "pr7", "test"
PREVIEW = ("-e", f"environment={NAME}")
"""What makes the run about the preview."""
NETWORKS = {OWN: "10.78.0.0/18", NAME: "10.78.64.0/18"}
"""Addresses of hosts are real ones of one network, so two of them may not have the same."""
DESCRIPTION = yaml.safe_load((PROJECT / "inventories/test/group_vars/site/description.yml").read_text())
SETTINGS = (
    "import os, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'legacy_site.settings'); django.setup(); "
)
MEND = (
    "from django.contrib.auth.models import User; User.objects.update(email='nobody@example.org'); "
    "import glob; [open(each, 'w').write('anonymised') for each in glob.glob('/srv/media/letters/*')]"
)
EMAILS = "SELECT DISTINCT email FROM auth_user"
WANTED = {"site_backups": {"every": "1d", "keep": 3}, "preview_anonymise_job": "anonymise"}


def given(command: list[str]) -> tuple[str, ...]:
    """Variables of both environments, with what the job that anonymises does."""
    job = {"like": "web.django", "command": command, "run": "by_hand"}
    return "-e", json.dumps({**WANTED, "site_jobs": {**DESCRIPTION["site_jobs"], "anonymise": job}})


BROKEN, MENDED = given(["sh", "-c", "exit 3"]), given(["python", "-c", SETTINGS + MEND])


def ask(cloud: Cloud, environment: str, statement: str) -> str:
    """What the database of an environment answers, asked in its own container."""
    records = cloud.client("rds").describe_db_instances()["DBInstances"]
    (name,) = [
        each["DBInstanceIdentifier"]
        for each in records
        if each["DBInstanceIdentifier"].startswith(f"legacy-{environment}-database-")
    ]
    container = cloud.docker.containers.get(CONFIG.container(f"db-{name}"))
    options = ["--username=rdsadmin", "--host=/var/run/postgresql", "--dbname=site"]
    status, output = container.exec_run(["psql", *options, "-Atc", statement])
    assert status == 0, output.decode()
    return str(output.decode().strip())


def address(cloud: Cloud, environment: str) -> str:
    """Of an environment's load balancer, within the network: that of a second site is published nowhere."""
    stack = cloud.client("cloudformation").describe_stacks(StackName=f"legacy-{environment}-cluster")["Stacks"][0]
    (dns,) = [each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == "AlbDnsName"]
    found = cloud.client("elbv2").describe_load_balancers()["LoadBalancers"]
    (arn,) = [each["LoadBalancerArn"] for each in found if each["DNSName"] == dns]
    (container,) = cloud.docker.containers.list(filters={"label": f"{ARN_LABEL}={arn}"})
    return str(container.attrs["NetworkSettings"]["Networks"][CONFIG.network_name]["IPAddress"])


def answered(cloud: Cloud, path: str) -> str:
    """The status by which the preview answers a visitor."""
    host = f"{NAME}.legacy.test.berth.localhost"
    asked = ["--connect-to", f"{host}:443:{address(cloud, NAME)}:443", f"https://{host}{path}"]
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", str(AUTHORITY)]
    return subprocess.run([*command, *asked], capture_output=True, text=True, check=False).stdout


def letter(*environment: str) -> str:
    """What is in the letter on the volume of an environment."""
    command = json.dumps({"command": ["cat", "/srv/media/letters/anna.txt"], "container": "django"})
    return succeed(playbook("exec.yml", *environment, "-e", command)).output


@pytest.fixture
def own(cloud: Cloud) -> Iterator[Ledger]:
    """The environment of the inventory, with data of people and a backup of them; both go with what stands beside."""
    network = ("-e", f"network_cidr={NETWORKS[OWN]}")
    succeed(playbook("site.yml", *network, *BROKEN))
    ask(cloud, OWN, "UPDATE auth_user SET email = 'anna@example.org'")
    command = "mkdir -p /srv/media/letters && echo Dear Anna >/srv/media/letters/anna.txt"
    succeed(playbook("exec.yml", "-e", json.dumps({"command": ["sh", "-c", command], "container": "django"})))
    succeed(playbook("backup.yml", *BROKEN, "-e", "backup=letters"))
    ledger = Ledger.find(cloud.client, f"legacy-{OWN}")
    assert ledger
    yield ledger
    gone = {"teardown_data": True, "teardown_keep_snapshot": False}
    playbook("teardown.yml", *PREVIEW, "-e", f"confirm={NAME}")
    succeed(playbook("teardown.yml", "-e", json.dumps({**gone, "confirm": OWN})))


def test_a_preview_gets_the_data_and_visitors_see_them_anonymised(cloud: Cloud, own: Ledger) -> None:
    before = len(own.entries())
    network = ("-e", f"network_cidr={NETWORKS[NAME]}")
    playbook("site.yml", *PREVIEW, *network, *BROKEN, "-e", "answers_wait_minutes=1")  # nobody knows the address yet
    there = ("-e", json.dumps({"site_connect_address": address(cloud, NAME), "site_url_port": 443}))
    up = (*PREVIEW, *network, *there)
    succeed(playbook("site.yml", *up, *BROKEN))
    assert answered(cloud, "/healthz") == "200"
    assert ask(cloud, NAME, EMAILS) != "anna@example.org"

    wrong = playbook("restore.yml", *PREVIEW, *BROKEN, "-e", "from=prod")
    assert "pr7 gets data of test alone, whose inventory it is brought up from" in " ".join(wrong.output.split())
    switch = ("-e", f"from={OWN}", "-e", f"confirm={NAME}")
    refused = playbook("restore.yml", *PREVIEW, *BROKEN, *switch, "-e", "in_use=false")
    assert "Visitors would see what anonymise has not anonymised yet" in " ".join(refused.output.split())

    succeed(playbook("maintenance.yml", *PREVIEW, "-e", "maintenance=on"))
    failed = playbook("restore.yml", *PREVIEW, *BROKEN, *switch)
    said = " ".join(failed.output.split())
    assert failed.status != 0
    assert (
        "The job anonymise has not ended with 0, for the reason above: pr7 has database.main, volume.media of" in said
    )
    assert "-e from=test -e backup=letters -e confirm=pr7" in said
    assert ask(cloud, NAME, EMAILS) == "anna@example.org"
    told = playbook("status.yml", *PREVIEW, *BROKEN)
    assert told.status == 1
    assert "of the backup letters of test are not anonymised, and the restore that" in " ".join(told.output.split())
    refused = playbook("maintenance.yml", *PREVIEW, "-e", "maintenance=off")
    assert "which no job has anonymised yet" in " ".join(refused.output.split())
    assert answered(cloud, "/") == "503", "visitors see nothing of it"

    succeed(playbook("site.yml", *up, *MENDED))
    assert answered(cloud, "/") == "503", "a run that brings up a mended job lets nobody in"
    run = succeed(playbook("restore.yml", *PREVIEW, *MENDED, *switch, "-e", "backup=letters"))
    assert "site is that of the backup letters of test already" in " ".join(run.output.split()), "nothing comes twice"
    assert "The job anonymise has ended with 0 on database.main, volume.media." in " ".join(run.output.split())
    assert ask(cloud, NAME, EMAILS) == "nobody@example.org"
    assert "anonymised" in letter(*PREVIEW)
    assert "are not anonymised" not in " ".join(playbook("status.yml", *PREVIEW, *MENDED).output.split())
    succeed(playbook("maintenance.yml", *PREVIEW, "-e", "maintenance=off"))
    until(lambda: answered(cloud, "/") == "200", "the preview", 30)

    assert ask(cloud, OWN, EMAILS) == "anna@example.org"
    assert "Dear Anna" in letter()
    assert len(own.entries()) == before, "nothing was done there"
    beside: list[Any] = [
        each
        for each in cloud.client("rds").describe_db_instances()["DBInstances"]
        if "-restore-" in each["DBInstanceIdentifier"] and each["DBInstanceStatus"] != "deleting"
    ]
    assert beside == []

"""A release, and a rollback, that what it needs keeps from beginning; on the embedded APIs, with services that want no
task. What only hosts can tell is met by tests/chaos."""

from __future__ import annotations

import pytest

from tests.e2e.damage import deleted
from tests.unit.playbooks.test_release_verbs import Worker, site

pytestmark = [pytest.mark.playbook, pytest.mark.long]
__all__ = ["site"]


def runs(site: Worker, image: str) -> None:
    """Describe the site: a worker with a secret."""
    worker = {"image": image, "mem_limit": "64m", "secrets": {"KEY": "secret.app.key"}}
    services = {"worker": {"containers": {"worker": worker}, "deploy": {"replicas": 0}}}
    secrets = {"app": {"generate": ["key"]}}
    site.runs(image, site_services=services, site_jobs={}, site_secrets=secrets, release_verify=True)


def secret(site: Worker) -> str:
    """ARN of its secret."""
    (arn,) = [each["ARN"] for each in site.aws.client("secretsmanager").list_secrets()["SecretList"]]
    return str(arn)


def test_a_secret_that_is_missing_is_told_before_anything_is_changed(site: Worker) -> None:
    first, second, third = (f"registry.test/worker:{number}" for number in (1, 2, 3))
    runs(site, first)
    site.does("most_of_site.yml")
    runs(site, second)
    site.does("release.yml", "-e", "release=r2")
    assert site.live() == (second, "r2")
    runs(site, third)
    with deleted(site.aws, secret(site)):
        for verb, options in (("release.yml", ("-e", "release=r3")), ("rollback.yml", ())):
            said = site.refused(verb, *options)
            assert "WRONG service.worker KEY" in said, said[-2000:]
            assert "1 thing that the site needs is wrong: service.worker." in said
            assert "TASK [rollout : Bring up" not in said
            assert site.live() == (second, "r2"), verb
            entry = site.entries()[0]
            assert (entry["verb"], entry["outcome"]) == (verb.removesuffix(".yml"), "failed")
            assert entry["reason"].startswith("1 thing that the site needs is wrong: service.worker.")
    # The rollback that came to nothing is no obstacle, and the name that never was good is free.
    site.does("release.yml", "-e", "release=r3")
    assert site.live() == (third, "r3")
    site.does("rollback.yml")
    assert site.live() == (second, "r2")

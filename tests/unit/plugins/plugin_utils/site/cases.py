"""What a wrong description and its right form are, as the tables of them say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Case(NamedTuple):
    """One thing that people get wrong.

    Attributes:
        wrong: YAML laid over the small site.
        right: the same, as it should be.
        path: of the problem, dots between its steps.
        words: that its sentence must have, what to type among them.
    """

    wrong: str
    right: str
    path: str
    words: tuple[str, ...]


def case(wrong: str, right: str, path: str, *words: str) -> Case:
    return Case(wrong, right, path, words)


def container(wrong: str, right: str, path: str, *words: str) -> Case:
    """In the container web of the service web."""
    at = "site_services: {{web: {{containers: {{web: {{{}}}}}}}}}"
    return Case(at.format(wrong), at.format(right), f"site_services.web.containers.web{path}", words)


def service(wrong: str, right: str, path: str, *words: str) -> Case:
    """In the service web."""
    at = "site_services: {{web: {{{}}}}}"
    return Case(at.format(wrong), at.format(right), f"site_services.web{path}", words)


def job(wrong: str, right: str, path: str, *words: str) -> Case:
    """A job."""
    at = "site_jobs: {{migrate: {{{}}}}}"
    return Case(at.format(wrong), at.format(right), f"site_jobs.migrate{path}", words)


def beside(wrong: str, right: str, path: str, *words: str) -> Case:
    """In a second container of the service web, beside web, which has a healthcheck."""
    at = (
        "site_services: {{web: {{containers: {{web: {{healthcheck: {{test: 'true'}}}}, "
        "proxy: {{image: shop/proxy, mem_limit: 64m, {}}}}}}}}}"
    )
    return Case(at.format(wrong), at.format(right), f"site_services.web.containers.proxy{path}", words)


def database(wrong: str, right: str, path: str, *words: str) -> Case:
    """In the database main."""
    at = "site_databases: {{main: {{{}}}}}"
    return Case(at.format(wrong), at.format(right), f"site_databases.main{path}", words)


def secret(wrong: str, right: str, path: str, *words: str) -> Case:
    """A secret."""
    at = "site_secrets: {{key: {{{}}}}}"
    return Case(at.format(wrong), at.format(right), f"site_secrets.key{path}", words)


def entry(what: str, more: str = "") -> Callable[..., Case]:
    """In an entry of a noun, of which the site has no other: `entry("site_buckets: up")`.

    Args:
        what: variable and name of the entry.
        more: what else the site has, in YAML.
    """
    variable, _, name = what.partition(": ")

    def made(wrong: str, right: str, path: str, *words: str) -> Case:
        at = f"{more}\n{variable}: {{{name}: {{%s}}}}"
        return Case(at % wrong, at % right, f"{variable}.{name}{path}", words)

    return made


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-Ab12Cd"
MOUNTED = "site_services: {web: {containers: {web: {volumes: ['media:/srv/media']}}}}\n"
"""The volume media, mounted."""

"""What is known of images by their names, and what they are called in an inventory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugins.plugin_utils.site.images import is_local, name_of

OFFICIAL = "public.ecr.aws/docker/library/"
"""Docker's official images; https://docs.aws.amazon.com/AmazonECR/latest/public/docker-hub-official-images.html"""
POSTGRES = re.compile(r"(.*-)?(postgres|postgresql|postgis|pgvector)")
MYSQL = re.compile(r"(.*-)?(mysql|mysql-server|mariadb|percona|percona-server)")
FRONTS = re.compile(r"(.*[-_])?(nginx|openresty|httpd|caddy|haproxy|apache|proxy|web-?server)")
"""Images and names of what stands in front of an application and passes requests on."""
TOOLS = re.compile(
    r"adminer|pgadmin4?|phpmyadmin|mailhog|mailpit|maildev|mailcatcher|smtp4dev|flower|redis-?(commander|insight)"
)
"""What people look in with: never what a site's visitors are to see."""
ELSEWHERE = {
    re.compile(r"traefik|nginx-proxy|docker-gen|caddy-docker-proxy"): (
        "the site's load balancer is the proxy here: routes of each service say what comes to it."
    ),
    re.compile(r"acme-companion|letsencrypt-nginx-proxy-companion|certbot"): (
        "the certificate is AWS's own, of domain_name and domain_aliases."
    ),
    re.compile(r"watchtower|portainer(-ce)?|autoheal|docker-socket-proxy"): (
        "a host's Docker is its ECS agent's, which replaces what ends; site.yml brings new images."
    ),
}
"""Images that do what Berth does → what does it here."""


@dataclass(frozen=True)
class Store:
    """What keeps something for other services.

    Attributes:
        port: that it listens on.
        scheme: of its address.
        mem_limit: to begin with.
    """

    port: int
    scheme: str
    mem_limit: str = "256m"


STORES = {
    re.compile(r"redis|valkey|keydb"): Store(6379, "redis", "64m"),
    re.compile(r"memcached"): Store(11211, "memcached", "64m"),
    re.compile(r"rabbitmq"): Store(5672, "amqp"),
    re.compile(r"nats"): Store(4222, "nats", "64m"),
    re.compile(r"mongo|mongodb"): Store(27017, "mongodb"),
    re.compile(r"elasticsearch|opensearch"): Store(9200, "http", "1g"),
    re.compile(r"clickhouse-server"): Store(8123, "http", "1g"),
}
"""Images that listen where everybody knows; their pages at hub.docker.com say so."""


def base(image: str) -> str:
    """The last part of an image's name: `docker.io/library/redis:7` → `redis`."""
    return name_of(image).rpartition("/")[2]


def tag(image: str) -> str:
    """The tag of an image, or nothing."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def store(image: str) -> Store | None:
    """What is known of an image that keeps something for others."""
    return next((each for pattern, each in STORES.items() if pattern.fullmatch(base(image))), None)


def done_by_berth(image: str) -> str:
    """Why a service of this image is not needed here; empty if it is."""
    return next((reason for pattern, reason in ELSEWHERE.items() if pattern.fullmatch(base(image))), "")


def pulled(image: str) -> str:
    """An image of Docker Hub with its registry; without one it would be this machine's own, to be published.

    Docker's official images are in Amazon's public registry too, from which hosts pull without Docker Hub's limits.
    """
    registry, _, name = ("docker.io", "/", image) if is_local(image) else image.partition("/")
    if registry not in ("docker.io", "index.docker.io"):
        return image
    official = name.removeprefix("library/")
    return f"docker.io/{name}" if "/" in official else f"{OFFICIAL}{official}"


def build_command(image: str, build: Any) -> str:
    """What to type for an image that the Compose file builds, from the file's folder.

    Args:
        image: its name in the inventory.
        build: Compose's `build`: a folder, or a mapping.
    """
    given: Mapping[str, Any] = build if isinstance(build, Mapping) else {"context": build}
    context = str(given.get("context") or ".")
    words = ["docker build -t", image]
    if given.get("dockerfile"):
        words += ["-f", f"{context.rstrip('/')}/{given['dockerfile']}"]
    if given.get("target"):
        words += ["--target", str(given["target"])]
    return " ".join([*words, context])

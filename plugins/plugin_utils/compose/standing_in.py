"""What stands in locally for what AWS has: a database in a container, variables for secrets and buckets."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.compose.environment import variable_name
from plugins.plugin_utils.compose.images import OFFICIAL
from plugins.plugin_utils.site.images import is_local
from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.nouns.database import PORT, Database
from plugins.plugin_utils.site.nouns.volume import Volume
from plugins.plugin_utils.site.reference import Reference, Stored

POSTGRES = f"{OFFICIAL}postgres"
BUSYBOX = f"{OFFICIAL}busybox:1.37"
FOLDER_MOVED = 18
"""Since this version the image keeps its data one folder up; https://github.com/docker-library/postgres/pull/1259"""
SNAKEOIL = ("/etc/ssl/certs/ssl-cert-snakeoil.pem", "/etc/ssl/private/ssl-cert-snakeoil.key")
"""The certificate that Debian's package ssl-cert makes, which the image has: RDS speaks TLS, so this one does."""
LOCAL_PASSWORD = "local"  # noqa: S105  # of a database that only this machine reaches


def escaped(text: str) -> str:
    """A text in which Compose finds no variable."""
    return text.replace("$", "$$")


class StandIns:
    """What references come to locally.

    Args:
        site: without problems.

    Attributes:
        variables: that the Compose file reads → their defaults; empty for one that has to be given.
    """

    def __init__(self, site: Site) -> None:
        self.variables: dict[str, str] = {}
        self._site = site

    def plain(self, value: str | Reference) -> str:
        """A value of `environment`."""
        if isinstance(value, Reference):
            return self._referred(value)
        name = self._site.identity.domain_name
        return escaped(value.replace(name, "localhost") if name else value)

    def secret(self, name: str, value: Stored | Reference) -> str:
        """A value of `secrets`, of the variable of this name."""
        return self._referred(value) if isinstance(value, Reference) else self._read(name)

    def _referred(self, reference: Reference) -> str:
        found: str = getattr(self, f"_{reference.noun}")(reference)
        return found

    def _read(self, name: str, default: str = "") -> str:
        self.variables[name] = default
        return f"${{{name}:-{default}}}" if default else f"${{{name}:?Set it in the file of --env-file}}"

    def _asked(self, reference: Reference) -> str:
        return self._read(variable_name(reference.noun, reference.entry, reference.attribute))

    _bucket = _static = _table = _volume = _function = _asked

    def _service(self, reference: Reference) -> str:
        service = self._site.services[reference.entry]
        exposed: Any = service.expose
        host = container_name(reference.entry, exposed.container, len(service.containers))
        known = {"host": host, "port": str(exposed.container_port)}
        return known.get(reference.attribute) or f"{exposed.scheme}://{host}:{exposed.container_port}"

    def _database(self, reference: Reference) -> str:
        entry = self._site.databases[reference.entry]
        known = {"port": str(entry.port), "dbname": entry.name, "engine": entry.engine}
        if not entry.endpoint:
            known |= {"host": database_name(entry.entry), "port": str(PORT), "username": entry.username}
        if reference.attribute in known:
            return known[reference.attribute]
        return self._asked(reference) if entry.endpoint else self.password(entry)

    def password(self, entry: Database) -> str:
        """The password of a database that is a container."""
        return self._read(variable_name("database", entry.entry, "password"), LOCAL_PASSWORD)

    def _secret(self, reference: Reference) -> str:
        entry = self._site.secrets[reference.entry]
        if reference.attribute in entry.values:
            return escaped(entry.values[reference.attribute])
        name = variable_name("secret", reference.entry, reference.attribute)
        return self._read(name, f"local-{reference.entry}-{reference.attribute}" if entry.generate else "")


def container_name(entry: str, container: str, of: int) -> str:
    """A container of a service as a service of Compose: called as the service where it is its only one."""
    return entry if of == 1 else f"{entry}-{container}"


def job_name(entry: str) -> str:
    """A job as a service of Compose."""
    return f"job-{entry}"


def database_name(entry: str) -> str:
    """The service of Compose that stands in for a database."""
    return f"database-{entry}"


def volume_name(entry: str) -> str:
    """The service of Compose that gives a volume's folder to its owner."""
    return f"volume-{entry}"


def database(entry: Database, password: str) -> dict[str, Any]:
    """PostgreSQL in a container, over TLS as RDS."""
    major = int(entry.version.partition(".")[0])
    folder = "/var/lib/postgresql" if major >= FOLDER_MOVED else "/var/lib/postgresql/data"
    certificate, key = SNAKEOIL
    return {
        "image": f"{POSTGRES}:{major}",
        "command": ["postgres", "-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={key}"],
        "environment": {"POSTGRES_DB": entry.name, "POSTGRES_USER": entry.username, "POSTGRES_PASSWORD": password},
        "volumes": [f"{database_name(entry.entry)}:{folder}"],
        "healthcheck": {"test": ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", entry.username], "interval": "5s"},
    }


def owner(entry: Volume) -> dict[str, Any]:
    """What gives the folder of a new volume to its owner, as EFS's access point does, and ends."""
    return {
        "image": BUSYBOX,
        "command": ["sh", "-c", f"chown {entry.uid}:{entry.gid} /volume && chmod {entry.mode} /volume"],
        "volumes": [f"{entry.entry}:/volume"],
    }


def pulling(image: str) -> dict[str, str]:
    """An image, and that Docker Hub is not asked for one of this machine."""
    return {"image": image, **({"pull_policy": "never"} if is_local(image) else {})}

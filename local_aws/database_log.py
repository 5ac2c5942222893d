"""What leads a PostgreSQL back to any time: a base backup, and its log of changes (WAL) from then on, piece by piece.

As RDS's automated backups do. The server puts each piece of its log away once it is full, and now and then one that is
not (`Backups.keep_up`). A server that is to be as another was at a time begins with the base backup of that, and reads
the pieces until that time (images/postgres/serve).

https://www.postgresql.org/docs/15/continuous-archiving.html
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from docker.models.containers import Container

FOLDER = "/data/backups"
"""In a server's container: its base backup, and the pieces of its log. Nothing is in there that is half made."""
TO_RESTORE = "/data/restore"
"""In the container of a server that is to be as another was: that one's `FOLDER`, and the time."""
OWNER = 70
"""User and group of PostgreSQL, see images/postgres/Dockerfile."""

Run = Callable[[list[str]], str]
"""Runs a command in the server's container, and gives what it wrote. Raises RuntimeError: it failed."""

SQL = ["psql", "--username=rdsadmin", "--dbname=postgres", "--no-psqlrc", "--quiet", "-At", "--set=ON_ERROR_STOP=1"]
NOW = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint"
BASE = [
    "pg_basebackup", "--username=rdsadmin", "--pgdata=/data/base.new", "--format=tar", "--gzip", "--checkpoint=fast",
    "--wal-method=fetch", "--no-manifest", "--no-sync",
]  # fmt: skip
PUT_AWAY = (
    f"mkdir -p {FOLDER}/log && gzip --fast --stdout %p > /data/piece.new && mv /data/piece.new {FOLDER}/log/%f.gz"
)


def settings(wanted: bool) -> dict[str, str]:
    """PostgreSQL's parameters for it, by name; changed by a reload.

    Args:
        wanted: whether the log is kept. It can be begun with any time, which archive_mode could not.
    """
    return {"archive_mode": "on", "archive_command": PUT_AWAY if wanted else "true"}


class Backups:
    """The automated backups of one server, in its container."""

    def __init__(self) -> None:
        self.window: tuple[datetime, datetime] | None = None
        """From when to when it can be led back; None as long as there is none."""
        self._begun: datetime | None = None
        """From when on the base backup leads anywhere; None as long as it is not made."""
        self._last = 0.0
        self._coming: tuple[datetime, str] | None = None

    def keep_up(self, run: Run, days: int, every: float) -> None:
        """Make the base backup, unless it is there; else have a piece of the log put away, if it is time.

        Args:
            run: a command in the container.
            days: for how many it leads back.
            every: seconds between two pieces that are put away.

        Raises:
            RuntimeError: PostgreSQL does not.
        """
        if self._begun is None:
            run(["rm", "-rf", FOLDER, "/data/base.new"])
            run(["mkdir", "-p", f"{FOLDER}/log"])
            run(BASE)
            run(["mv", "/data/base.new", f"{FOLDER}/base"])
            # What was done in the second in which it ended may be in it or not.
            self._begun = _time(run([*SQL, f"--command={NOW}"])) + timedelta(seconds=1)
        elif self._coming is None and time.monotonic() - self._last >= every:
            self._last = time.monotonic()
            # PostgreSQL stops before the first commit after the time that it is to go to: there has to be one.
            # Each is a transaction of its own.
            asked = (NOW, "SELECT txid_current()", "SELECT pg_walfile_name(pg_switch_wal())")
            told = run([*SQL, *(f"--command={each}" for each in asked)]).split()
            self._coming = _time(told[0]), told[-1]
        elif self._coming and f"{self._coming[1]}.gz" in run(["ls", f"{FOLDER}/log"]).split():
            latest, self._coming = self._coming[0], None
            if latest >= self._begun:
                self.window = max(self._begun, latest - timedelta(days=days)), latest


def let_go(run: Run) -> None:
    """Delete the backups of a server."""
    run(["rm", "-rf", FOLDER])


def hand_over(source: Container, target: Container, when: datetime) -> None:
    """Give a server that has not been started what leads to another's time.

    Args:
        source: container of the other; it need not run.
        target: of the server.
        when: the time, not later than the end of the other's window.

    Raises:
        docker.errors.NotFound: there are no backups of the other.
    """
    stream, _ = source.get_archive(FOLDER)
    target.put_archive("/data", _packed(TO_RESTORE.rpartition("/")[2]))
    target.put_archive(TO_RESTORE, stream)
    target.put_archive(TO_RESTORE, _packed("time", f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}"))


def _packed(name: str, text: str | None = None) -> bytes:
    """An archive with one file, or with an empty folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        entry = tarfile.TarInfo(name)
        entry.uid, entry.gid, entry.mtime = OWNER, OWNER, int(time.time())
        if text is None:
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            out.addfile(entry)
        else:
            entry.mode, entry.size = 0o600, len(text)
            out.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def _time(epoch: str) -> datetime:
    return datetime.fromtimestamp(int(epoch), UTC)

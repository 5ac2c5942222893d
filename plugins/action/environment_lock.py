"""Take the lock of an environment, or let it go."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import getpass
import math
import os
import re
import socket
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.filter.durations import go_seconds
from plugins.modules.environment_lock import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.ledger import RUN_VARIABLE, RUNNING, Ledger, Place, entry_key, new_run
from plugins.plugin_utils.lock import Held, Holder, Locked, answered, lifetime
from plugins.plugin_utils.places import verb

NAME = re.compile(r"[^A-Za-z0-9._-]+")
"""What may not be in a name that is typed again, behind `confirm=`."""


class ActionModule(AwsAction):
    """See plugins/modules/environment_lock.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Take the lock, and begin the run's entry; or say that it is to be let go, which the callback does."""
        self.prefix = str(self.arguments["prefix"])
        if self.arguments["state"] == "absent":
            here = Place.of_this_run(self.prefix) is not None and not self.check_mode
            return {"changed": here, "held": False, "taken": False, "there": here, "by": ""}
        patience = self._patience()
        # Both are asked at once: each is a connection of its own, and this comes before everything else.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asking = None if self.check_mode else pool.submit(self._caller)
            ledger = Ledger.find(self.client, self.prefix, self.arguments["bucket"])
            if preview_of := str(self.arguments["preview_of"]):
                self._see_whose(ledger, preview_of)
            if ledger is None:
                return {"changed": False, "held": False, "taken": False, "there": False, "by": ""}
            if asking is None:
                return self._seen(ledger)
            holder = self._holder(*asking.result())
        held = self._take(ledger, holder, patience)
        taken = held.holder.token == holder.token
        if taken:
            self._begin(ledger, held)
        kept = {
            "prefix": self.prefix,
            "bucket": ledger.bucket,
            "region": self.arguments["region"],
            "etag": held.etag,
            "holder": dataclasses.asdict(held.holder),
            "silence": self.arguments["silence"],
        }
        result = {"changed": False, "held": True, "taken": taken, "there": True, "by": held.sentence}
        return result | ({"kept": kept} if taken else {})

    def _see_whose(self, ledger: Ledger | None, preview_of: str) -> None:
        """Refuse an environment that this inventory has not brought up; its own may lie in another checkout."""
        if ledger is None:
            if not self._is_up():
                return
            whose = None
        else:
            whose = ledger.preview_of()
            if whose is None and not ledger.entries(limit=1):
                if not self.check_mode:
                    ledger.write_preview_of(preview_of)
                return
        if whose != preview_of:
            known = f"is a preview environment of {whose}" if whose else "has an inventory of its own"
            raise Failed(
                f"{self.prefix} {known}, and was not brought up from that of {preview_of}. Nothing was changed. Type "
                "the verb with its own inventory, or another name behind -e environment="
            )

    def _is_up(self) -> bool:
        """Whether the environment is there. Of a ledger that was kept of its past no stack tells."""
        try:
            self.client("cloudformation").describe_stacks(StackName=f"{self.prefix}-network")
        except ClientError as error:
            if "does not exist" in str(error):
                return False
            raise
        return True

    def _patience(self) -> float:
        """Seconds for which to wait."""
        given = str(self.arguments["wait"]).strip()
        if given and go_seconds(given) < 0:
            raise Failed(f"lock_wait={given} is no duration. Write a number and a unit, for example -e lock_wait=15m.")
        return go_seconds(given) if given else 0.0

    def _caller(self) -> tuple[str, datetime]:
        """Who calls, as AWS knows them, and what time it has."""
        answer = self.client("sts").get_caller_identity()
        return str(answer["Arn"]), answered(answer)

    def _holder(self, arn: str, now: datetime) -> Holder:
        run = os.environ.get(RUN_VARIABLE) or new_run()
        try:
            ttl = lifetime()
        except ValueError as error:
            raise Failed(str(error)) from None
        return Holder(
            run=run,
            verb=str(self.arguments["verb"]),
            who=NAME.sub("-", _user()) or "somebody",
            where=NAME.sub("-", socket.gethostname().partition(".")[0]) or "somewhere",
            arn=arn,
            started=now.isoformat(timespec="seconds"),
            entry=entry_key(now, run),
            arguments={name: value for name, value in self.arguments["arguments"].items() if value not in ("", None)},
            ttl=ttl,
        )

    def _seen(self, ledger: Ledger) -> dict[str, Any]:
        """Check mode: who would have to be waited for."""
        there = ledger.lock.read()
        by = there.sentence if there and not there.expired and there.holder.run != os.environ.get(RUN_VARIABLE) else ""
        if by:
            self.say("lock", f"{self.prefix} is locked, so a run would have to wait: {by}", "yellow")
        return {"changed": False, "held": False, "taken": False, "there": True, "by": by}

    def _take(self, ledger: Ledger, holder: Holder, patience: float) -> Held:
        wait, told = Wait(patience, self.say, "lock"), ""
        while True:
            try:
                return ledger.lock.take(_begun(holder, wait.elapsed))
            except Locked as error:
                there = error.held
                if told != there.holder.token:
                    told = there.holder.token
                    if patience:
                        wait.tell(f"{self.prefix} is locked: {there.sentence}; waiting, at most {_span(patience)}")
                if not wait.pause(f"the lock, held for {there.sentence}"):
                    how = f"It was waited for {_span(patience)}" if patience else "To wait for it, add -e lock_wait=15m"
                    raise Failed(
                        f"{self.prefix} is locked: {there.sentence}. {how}. If that run is dead, the lock is free by "
                        f"itself in at most {_span(there.left)}; at once: "
                        f"{verb('unlock.yml')} -e confirm={there.holder.name}"
                    ) from None
            except TimeoutError as error:
                raise Failed(
                    f"The lock of {self.prefix} could not be taken: {error}. Type the same command again."
                ) from None

    def _begin(self, ledger: Ledger, held: Held) -> None:
        """Write the run's entry; without it there is no lock either, as nobody would learn what was done."""
        holder = held.holder
        entry: dict[str, Any] = {
            "key": holder.entry,
            "verb": holder.verb,
            "arguments": dict(holder.arguments),
            "run": holder.run,
            "who": holder.who,
            "where": holder.where,
            "arn": holder.arn,
            "started": holder.started,
            "ended": None,
            "seconds": None,
            "outcome": RUNNING,
            "reason": "",
        }
        try:
            ledger.begin(entry)
        except BaseException:
            ledger.lock.let_go(held)
            raise


def _begun(holder: Holder, waited: float) -> Holder:
    """The holder of a lock that is taken now: what others did while it was waited for comes before it in the ledger.

    Args:
        holder: as the wait began.
        waited: seconds.
    """
    now = datetime.fromisoformat(holder.started) + timedelta(seconds=math.ceil(waited) if waited >= 1 else 0)
    return dataclasses.replace(holder, started=now.isoformat(timespec="seconds"), entry=entry_key(now, holder.run))


def _user() -> str:
    """The name of who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may be a number alone
        return str(os.getuid())


def _span(seconds: float) -> str:
    """A duration as people say it."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 120 else f"{round(whole / 60)} minutes"

"""Data of a preview environment that nobody has anonymised yet.

Reads one object of the bucket of the layer `ledger`: GetObject.
"""

from __future__ import annotations

from plugins.plugin_utils.backups.point import in_words
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.restoring.raw import read
from plugins.plugin_utils.status.part import Client, Part

ABOUT = "data"


def look(client: Client, bucket: str) -> Part:
    """Read what is written of it.

    Args:
        client: gives a boto3 client.
        bucket: of the layer; empty where the site has no ledger.
    """
    part = Part()
    found = part.ask(ABOUT, "s3", read, Ledger(client("s3"), bucket)) if bucket else None
    if found and found.parts:
        part.facts = {"backup": found.point, "parts": sorted(found.parts), "typed": found.typed}
    return part


def judge(part: Part, ledger: Part, environment: str) -> None:
    """Judge it: the run that has brought them anonymises them at its end; after it nobody does by themselves.

    Args:
        part: of `look`.
        ledger: of ledger.py, which knows what runs.
        environment: the site's.
    """
    facts, lock = part.facts, ledger.facts["lock"]
    if not facts:
        return
    what = f"{', '.join(facts['parts'])} of {in_words(facts['backup'])} are not anonymised"
    typed = f"{verb('restore.yml')} {facts['typed']} -e confirm={environment}"
    if lock and lock["verb"].partition(" ")[0] == "restore":
        part.note(ABOUT, f"{what} yet; the restore that runs does it at its end")
    elif any(each["about"] == "lock" for each in ledger.unasked):
        part.note(ABOUT, what, typed)
    else:
        part.is_wrong(ABOUT, f"{what}, and the restore that has brought them runs no more", typed)

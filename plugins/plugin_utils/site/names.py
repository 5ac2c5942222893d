"""Names that AWS bounds and that are made of the site's: found before anything is made that could not be called so.

Only of what has a name of its own: load balancers, target groups, roles, buckets and database instances have none, and
CloudFormation shortens what it makes up for them, so that one can be replaced while the old one is still there. The
bucket of static files stands among them all the same (nouns/static.py).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from plugins.plugin_utils.site.noun import Identity, Noun
from plugins.plugin_utils.site.place import Place

ENTRY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MOST = 63
"""Characters of an entry's name: what the templates' EntryName takes, and a service's name in the private zone has.

https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
"""


def check_entry(noun: Noun, entry: str, identity: Identity, at: Place) -> None:
    """Complain about an entry's name, and about names of AWS's that would be too long with it.

    Args:
        noun: of the entry.
        entry: its name.
        identity: of the site.
        at: the entry's place.
    """
    if not ENTRY.fullmatch(entry):
        better = re.sub(r"[^a-z0-9]+", "-", entry.lower()).strip("-")
        at.wrong(
            f"is no name. It becomes part of names of stacks: use small letters, digits and single hyphens, a letter "
            f"first, for example {better if ENTRY.fullmatch(better) else f'my-{noun.word}'}."
        )
    elif len(entry) > MOST:
        at.wrong(f"is {len(entry)} characters long; an entry's name has {MOST} at most. Shorten it.")
    elif identity.site_name and identity.environment_name:
        whose = {"site": identity.site_name, "environment": identity.environment_name, "prefix": identity.prefix}
        for name in noun.names:
            made = name.form.format(**whose, noun=noun.word, entry=entry)
            if len(made) > name.most:
                at.wrong(
                    f"makes the name of its {name.what} {len(made)} characters long, and AWS takes {name.most}. "
                    f"Shorten it to {max(1, len(entry) - len(made) + name.most)} characters."
                )


def word(key: str) -> str:
    """`database.shop-db` → `DatabaseShopDb`: the begin of the parameters that hold its outputs."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", key))


def check_words(noun: Noun, entries: Collection[str], at: Place) -> None:
    """Complain about two entries whose parameters would be called alike (`a-1` and `a1`)."""
    seen: dict[str, str] = {}
    for entry in entries:
        made = word(f"{noun.word}.{entry}")
        if made in seen:
            (at / entry).wrong(f"is too like {seen[made]}: in a template both are {made}. Rename one that is not live.")
        seen.setdefault(made, entry)

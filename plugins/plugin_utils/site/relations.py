"""What entries say of each other: references, rights, mounts; each checked against what there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from plugins.plugin_utils.site.container import Draft
from plugins.plugin_utils.site.noun import Identity
from plugins.plugin_utils.site.nouns import NOUNS
from plugins.plugin_utils.site.nouns.function import TOLD, Function
from plugins.plugin_utils.site.nouns.static import Static
from plugins.plugin_utils.site.place import Place, listed, near, unknown
from plugins.plugin_utils.site.reference import Attribute, Reference, no_attribute, parse

RECIPES = ("url", "uri", "dsn", "database_url")
"""Attributes of a database that people ask for, and that hold its password."""


class Relations:
    """Checks what entries say of each other.

    Args:
        names: noun → names of all its entries, wrong ones too.
        entries: noun → entry → what it is, of those that could be read.
        identity: of the site.
    """

    def __init__(
        self, names: Mapping[str, Collection[str]], entries: Mapping[str, Mapping[str, Any]], identity: Identity
    ) -> None:
        self._names, self._entries, self._identity = names, entries, identity

    def container(self, draft: Draft) -> None:
        """Complain about the references that a container itself has, and about volumes it mounts that are none."""
        self.variables(draft.given.get("environment", {}), draft.given.get("secrets", {}), draft.place)
        volumes = self._names["volume"]
        for mount in draft.given.get("volumes", ()):
            if mount.volume not in volumes:
                (draft.place / "volumes").wrong(
                    f"mounts {mount.volume}, which {unknown(mount.volume, volumes, 'volume')} Write site_volumes: "
                    f"{{{mount.volume}: {{uid: 1000}}}} for a new one."
                )

    def variables(self, environment: Mapping[str, Any], secrets: Mapping[str, Any], at: Place) -> None:
        """Complain about the references that variables have.

        Args:
            environment, secrets: variable → value, as read.
            at: the place of both.
        """
        for name, value in environment.items():
            place = at / "environment" / name
            if isinstance(value, Reference):
                found = self._attribute(value, place / "from")
                if found and found.plain is None:
                    (place / "from").wrong(
                        f"takes {value}, a secret, which would stand in clear in template and console. Write it "
                        f"under secrets: {{{name}: {value}}}."
                    )
            elif (text := parse(value)) and text.noun in NOUNS:
                place.wrong(f"is the text {value}. Write {{from: {value}}} to have what that refers to.")
        for name, value in secrets.items():
            place = at / "secrets" / name
            if isinstance(value, Reference):
                found = self._attribute(value, place, secret=True)
                if found and found.stored is None:
                    place.wrong(
                        f"takes {value}, which is no secret. Write it under environment: {{{name}: {{from: {value}}}}}."
                    )

    def function(self, entry: Function, at: Place) -> Function:
        """A function with its rights by noun and entry; complains about what it is told of and may not reach."""
        self.variables(entry.environment, entry.secrets, at)
        references = [
            (at / word / name, value.noun)
            for word, values in (("environment", entry.environment), ("secrets", entry.secrets))
            for name, value in values.items()
            if isinstance(value, Reference)
        ]
        for place, noun in references + [(at / "uses" / key, key.partition(".")[0]) for key in entry.uses]:
            if noun in NOUNS and noun not in TOLD and not place.is_wrong:
                place.wrong(
                    f"leads to a {noun}. A function may be told of these: {listed(TOLD)}. It stands outside "
                    "the site's network, where it reaches no database or service. What needs one is a service."
                )
        allowed = {key: rights for key, rights in entry.uses.items() if not (at / "uses" / key).is_wrong}
        return replace(entry, uses=self.uses(allowed, at / "uses"))

    def _attribute(self, reference: Reference, at: Place, secret: bool = False) -> Attribute | None:
        """What a reference leads to, or None; complains. What may be a password by mistake is not shown."""
        if reference.noun not in NOUNS:
            close = near(reference.noun, NOUNS)
            if secret and not close:
                at.wrong(
                    "must say where the secret lies, not what it is: a reference (secret.django.secret_key), an ARN, "
                    "or a parameter (/shop/api_key). What stands there is not shown."
                )
            else:
                at.wrong(f"begins with {reference.noun}, which {unknown(reference.noun, NOUNS, 'noun of a site')}")
            return None
        if reference.entry not in self._names[reference.noun]:
            what = f"entry of {NOUNS[reference.noun].variable}"
            at.wrong(f"names {reference.key}, which {unknown(reference.entry, self._names[reference.noun], what)}")
            return None
        if reference.entry not in self._entries[reference.noun]:
            return None
        found = NOUNS[reference.noun].attributes(self._entries[reference.noun][reference.entry], self._identity)
        if reference.attribute in found:
            return found[reference.attribute]
        at.wrong(self._no_attribute(reference, found))
        return None

    @staticmethod
    def _no_attribute(reference: Reference, found: Mapping[str, Attribute]) -> str:
        if reference.noun == "service":
            return f"asks {reference.key} for its {reference.attribute}. " + (
                f"It has {listed(found)}." if found else
                f"Others reach a service if it says so: write expose: <container> in {reference.entry}."
            )  # fmt: skip
        if reference.noun == "database" and reference.attribute in RECIPES:
            return (
                f"asks {reference.key} for an address with the password in it, which nobody stores. Take host, dbname, "
                "username and password under secrets, and put it together where the application starts: command: "
                "[sh, -c, 'DATABASE_URL=postgres://$DB_USER:$DB_PASSWORD@$DB_HOST/$DB_NAME exec …']."
            )
        if reference.noun == "database" and reference.attribute in ("password", "username"):
            return f"asks {reference.key} for its {reference.attribute}. Say where it lies: secret_arn: arn:…, in that."
        return (
            no_attribute(reference, found) if found else f"asks {reference.key} for something; it has nothing to tell."
        )

    def uses(self, given: Mapping[str, tuple[str, ...]], at: Place) -> dict[tuple[str, str], tuple[str, ...]]:
        """The rights that a service, job or function gets, by noun and entry; complains."""
        made = {}
        for key, rights in given.items():
            noun, dot, entry = key.partition(".")
            place = at / key
            if noun not in NOUNS or not dot or not entry:
                close = near(noun, NOUNS) if noun not in NOUNS else ""
                place.wrong(f"is no thing of the site.{close} Write <noun>.<entry>, for example bucket.uploads.")
            elif entry not in self._names[noun]:
                what = f"entry of {NOUNS[noun].variable}"
                place.wrong(f"names {entry}, which {unknown(entry, self._names[noun], what)}")
            elif not NOUNS[noun].grants:
                place.wrong(f"gives rights to a {noun}; {NOUNS[noun].instead_of_uses.format(entry=entry)}")
            else:
                grants = NOUNS[noun].grants or {}
                wrong = [each for each in rights if each not in grants]
                for each in wrong:
                    place.wrong(f"has {each}, which {unknown(each, grants, f'right to {NOUNS[noun].schema.what}')}")
                made[noun, entry] = tuple(dict.fromkeys(each for each in rights if each in grants))
        return made

    def files(self, entry: Static, run: Collection[str], at: Place) -> None:
        """Complain about static files of an image that no container runs: of that none is live.

        Args:
            entry: of the static files.
            run: images as containers call them.
            at: the entry's place.
        """
        if entry.image and not entry.folder and entry.image not in run:
            (at / "image").wrong(
                f"{unknown(entry.image, run, 'image that a container of the site runs')} Files are taken of what is "
                "released. Write it as the container does, or copy them out (docker cp) and write folder: front/dist."
            )

    def mounted(self, drafts: Collection[Draft], at: Place) -> None:
        """Complain about volumes that no container mounts."""
        mounted = {mount.volume for draft in drafts for mount in draft.given.get("volumes", ())}
        # A mount may be among what could not be read, or be meant by a name that is wrong.
        unread = any(not draft.sound for draft in drafts) or not mounted <= set(self._names["volume"])
        for name in self._names["volume"]:
            if name not in mounted and not unread:
                (at / name).wrong(
                    f"is mounted by no container. Write volumes: [{name}:/srv/{name}] where it is needed."
                )

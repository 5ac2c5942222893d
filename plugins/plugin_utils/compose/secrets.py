"""Variables that hold a secret: each becomes a reference, and its value goes nowhere.

Two variables of one value get one secret, as they had to agree before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from plugins.plugin_utils.compose.environment import value_of, variable_name
from plugins.plugin_utils.compose.interpolation import missing_of, names_of, probe_of
from plugins.plugin_utils.compose.parts import kebab
from plugins.plugin_utils.compose.report import Report
from plugins.plugin_utils.site.secretive import KEY_OF_AWS, NOT_ITSELF, PEM, environment_problem

Identity = tuple[str, ...]
"""Tells a secret from others: by its value, by the variables that give it, or by the file it is in."""

BROADER = re.compile(r"(.*_)?(KEY|PASS|PW|SALT)|.*(PASSWORD|PASSWD)|REDISCLI_AUTH", re.IGNORECASE)
"""Names that may hold a secret: here they are taken for one, as what is written would be a copy in clear."""
PUBLIC = re.compile(r".*(PUBLIC|PUBLISHABLE|SITE_?KEY).*", re.IGNORECASE)
AWS = re.compile(r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)")
GIVEN = re.compile(
    r".*(SMTP|MAIL|API_?KEY|ACCESS_KEY|TOKEN|CLIENT|OAUTH|OIDC|LDAP|STRIPE|TWILIO|SLACK|SENTRY|GITHUB|GITLAB|GOOGLE|"
    r"S3_|PRIVATE_KEY|CREDENTIAL|LICEN[SC]E|WEBHOOK).*",
    re.IGNORECASE,
)
"""Names of secrets that somebody else gives: they cannot be generated."""
MOUNTED = "/run/secrets/"
IN_CLEAR = "has a secret in clear. Let it read a variable, and write it again."
OPTION = re.compile(r"--?[\w.-]*(pass|passwd|password|requirepass|masterauth|secret|token|api-?key)", re.IGNORECASE)
"""Options of a command that a secret follows."""
ASSIGNED = re.compile(r"(?P<name>-{0,2}[A-Za-z_][\w.-]*)=(?P<value>.*)", re.DOTALL)
LINE = re.compile(r"[\s;|<>()]|&&")
"""What a word has that a shell is to read."""
QUOTE = re.compile(r"[\"']")
BETWEEN = re.compile(r"[\s;|&<>(){},]+")
"""What parts the words of a shell's line, roughly."""
READ = ("$", "`")
"""What a shell puts something in the place of begins with it."""
WITHIN = re.compile(
    r"""://[^/\s:@]*:(?!\$)[^/\s@]+@"""
    r"""|\bauthorization:\s*\w+\s+[^\s"'$`]"""
    r"""|\b(?:redis|valkey|keydb)-cli\b.*?\s-a\s+["']?[^\s"'$`]"""
    r"""|\bcurl\b.*?\s(?:-\w*u|--user)[\s=]*["']?[^\s"'$:]+:["']?[^\s"'$`]"""
    r"""|\b(?:mysql|mariadb)[\w-]*\b.*?\s(?-i:-p)["']?[^\s"'$`]""",
    re.IGNORECASE | re.DOTALL,
)
"""Passwords in addresses and headers, and those of options that only some programs have."""


def identity(value: Any) -> Identity:
    """Tells the secret that a variable holds."""
    return ("missing", *missing_of(value)) if missing_of(value) else ("value", str(value))


def file_of(value: Any) -> Identity:
    """Tells the secret that lies in a file: `/run/secrets/db-password`."""
    return ("file", str(value).removeprefix(MOUNTED))


def is_secret(name: str, value: Any) -> bool:
    """Whether a variable holds a secret: by its name, its value, or a variable that it is made of."""
    probe = probe_of(value)
    if value is None or isinstance(value, bool) or not probe:
        return False
    if _named(name) or environment_problem("", probe, str(probe)):
        return True
    return bool(environment_problem(name, probe, str(probe))) or any(_named(each) for each in names_of(value))


def _named(name: str) -> bool:
    if PUBLIC.fullmatch(name) or NOT_ITSELF.fullmatch(name):
        return False
    return bool(BROADER.fullmatch(name) or environment_problem(name, "x", "x"))


def endings(words: Sequence[str]) -> list[str | None]:
    """Of each word of a command the secret in clear that it is or ends with; None where it is none, or a shell's line.

    Args:
        words: without a variable's sign for one that a shell is to fill in.
    """
    return [_ending(before, word) for before, word in zip(("", *words), words, strict=False)]


def _ending(before: str, word: str) -> str | None:
    if OPTION.fullmatch(before) and not word.startswith(("-", *READ)):
        return word if probe_of(word) else None
    assigned = ASSIGNED.fullmatch(word)
    name, value = (assigned["name"], value_of(word, assigned["value"])) if assigned else ("", word)
    if value.startswith(READ) or LINE.search(value):
        return None
    named = OPTION.fullmatch(name) and probe_of(value)
    return value if named or is_secret("" if name.startswith("-") else name, value) else None


def has_secret(command: Any) -> bool:
    """Whether a command, or a line for a shell, has a secret in it that is no variable.

    Args:
        command: a list of words, or a text.
    """
    words = [each if isinstance(each, str) else str(each) for each in command] if isinstance(command, list) else []
    lines = words or [command if isinstance(command, str) else str(command or "")]
    if any(each is not None for each in endings(words)) or WITHIN.search(" ".join(lines)):
        return True
    return any(_in_line(line) for line in lines)


def _in_line(line: str) -> bool:
    made_of = any(_named(each) for each in names_of(line))
    words = BETWEEN.split(QUOTE.sub("", line))
    return made_of or PEM in line or any(each is not None for each in endings(words))


def of_aws(name: str, value: Any) -> str:
    """Why keys of AWS are left out, in the model's words; empty for another variable."""
    if AWS.fullmatch(name) or KEY_OF_AWS.fullmatch(str(value)):
        return environment_problem(name, "", "AKIA" + "A" * 16)
    return ""


class Secrets:
    """The secrets of a site.

    Args:
        site: name of the site, under which secrets that exist are looked for.
        report: to tell what was chosen.
    """

    def __init__(self, site: str, report: Report) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self._site, self._report = site, report
        self._known: dict[Identity, str] = {}

    def reference(self, name: str, what: Identity, service: str, given: bool = False) -> str:
        """The reference to a secret, `secret.secret-key.secret_key`; makes its entry when it is new.

        Args:
            name: of the variable, or of the file.
            what: which secret it is.
            service: whose it is.
            given: whether it is known that nobody can generate it.
        """
        if what not in self._known:
            entry = kebab(name)
            entry = f"{kebab(service)}-{entry}" if entry in self.entries else entry
            self._known[what] = self._made(name, entry, given or bool(GIVEN.fullmatch(name)))
        return self._known[what]

    def _made(self, name: str, entry: str, given: bool) -> str:
        if given:
            parameter = f"/{self._site}/{entry}"
            self.entries[entry] = {"parameter": parameter}
            self._report.want(
                f"site_secrets.{entry}",
                "somebody else gives it, so it is stored by hand: aws ssm put-parameter --type SecureString --name "
                f"{parameter} --value …",
            )
            return f"secret.{entry}.value"
        key = variable_name(name).lower()
        self.entries[entry] = {"generate": [key]}
        self._report.choose(
            f"site_secrets.{entry}",
            "generated anew. If data depends on the old value, store that and write parameter: in its place.",
        )
        return f"secret.{entry}.{key}"

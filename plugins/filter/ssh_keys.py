"""What is wrong with the people of `host_access_people`, told from their public keys alone."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

TYPES = (
    "ssh-ed25519", "sk-ssh-ed25519@openssh.com", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
)  # fmt: skip
"""Types of keys that the role's sshd settings accept (an ssh-rsa key signs with SHA-2)."""
RSA_BITS_LEAST = 2048
"""As Amazon Linux's crypto policy has it."""
PERSON_KEYS = {"name", "keys", "state"}
NEW_KEY = "make one with ssh-keygen -t ed25519 and give its .pub file's line"


def access_problems(people: Any) -> list[str]:
    """Everything that is wrong with `people`, a sentence each; no sentence shows a key.

    Args:
        people: as given, of any shape.
    """
    if not isinstance(people, list):
        return ["is no list of people."]
    problems: list[str] = []
    owners: dict[str, str] = {}
    names: set[str] = set()
    for number, person in enumerate(people, 1):
        name = person.get("name") if isinstance(person, Mapping) else None
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9._-]{0,31}", name):
            problems.append(f"entry {number} needs a name of small letters, digits, dots and hyphens, a letter first.")
            continue
        if name in names:
            problems.append(f"{name} is listed twice.")
        names.add(name)
        problems += [f"{name} {text}" for text in _person_problems(person)]
        for key in _keys(person):
            blob = key.split()[1] if len(key.split()) > 1 else key
            if owners.setdefault(blob, name) != name:
                problems.append(f"{name} has a key of {owners[blob]}; the journal could not tell them apart.")
    return problems


def _keys(person: Mapping[str, Any]) -> list[str]:
    keys = person.get("keys") or []
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


def _person_problems(person: Mapping[str, Any]) -> Iterator[str]:
    for key in person:
        if key not in PERSON_KEYS:
            yield f"has {key}, which is not known; there are name, keys and state."
    state = person.get("state", "present")
    if state not in ("present", "absent"):
        yield f"has state {state}; use present or absent."
    given = person.get("keys") or []
    if not isinstance(given, list) or len(_keys(person)) != len(given):
        yield "has keys that are no list of lines."
    elif not given and state == "present":
        yield f"has no key; {NEW_KEY}."
    for number, key in enumerate(_keys(person), 1):
        problem = _key_problem(key)
        if problem:
            yield f"has a key (number {number}) that {problem}."


def _key_problem(line: str) -> str:
    if "PRIVATE KEY" in line:
        return f"is a private key: it is known to whoever reads this inventory, so it is lost; {NEW_KEY}"
    if len(line.splitlines()) > 1:
        return "has more than one line; write each key as an entry of its own"
    words = line.split()
    if len(words) < 2 or words[0] not in TYPES:
        if any(word in TYPES for word in words):
            return "begins with options; write the type first, options are not taken"
        return f"is of no type that sshd should take; {NEW_KEY}"
    try:
        parts = _parts(base64.b64decode(words[1], validate=True))
    except (binascii.Error, ValueError):
        return "is cut off or mistyped; copy the whole line of the .pub file"
    if not parts or parts[0] != words[0].encode():
        return "says another type than it is; copy the whole line of the .pub file"
    if words[0] == "ssh-rsa" and int.from_bytes(parts[-1]).bit_length() < RSA_BITS_LEAST:
        return f"is an RSA key of fewer than {RSA_BITS_LEAST} bits; {NEW_KEY}"
    return ""


def _parts(blob: bytes) -> list[bytes]:
    """The fields of a key as RFC 4253 writes them, each after its length.

    Raises:
        ValueError: the lengths do not add up.
    """
    parts = []
    while blob:
        length = int.from_bytes(blob[:4])
        part, rest = blob[4 : 4 + length], blob[4 + length :]
        if len(blob) < 4 or len(part) != length:
            raise ValueError("a field is longer than the key")
        parts.append(part)
        blob = rest
    return parts


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Filter name → function."""
        return {"access_problems": access_problems}

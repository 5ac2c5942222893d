"""Whoever runs the playbooks: a user of the account with the policies that docs/ has for that.

There they have words in place of names. An embedded AWS does not know which sites it will have, nor where: every site
and every region is one, unless a test says which.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local_aws.access.estate import PARTITION
from local_aws.config import ACCOUNT_ID, PROJECT
from local_aws.iam.principals import Principal

Json = dict[str, Any]
FOLDER = PROJECT / "docs"
FILES = "operator-policy-*.json"
NAME = "operator"
PRINCIPAL = Principal.user(f"arn:{PARTITION}:iam::{ACCOUNT_ID}:user/{NAME}", "AIDAOPERATOROFTHEACCT")
ANY = "*"


def policies(site: str = ANY, region: str = ANY, folder: Path = FOLDER) -> dict[str, Json]:
    """The operator's policies, by the files' names.

    Args:
        site: `site_name`, any by default.
        region: `aws_region`, any by default.
        folder: where the files are.

    Raises:
        FileNotFoundError: there are none. Type: python scripts/operator_policy.py
    """
    words = {"SITE": site, "REGION": region, "ACCOUNT": ACCOUNT_ID, "PARTITION": PARTITION}
    paths = sorted(folder.glob(FILES))
    if not paths:
        raise FileNotFoundError(f"{folder}/{FILES}: there is none. Type: python scripts/operator_policy.py")
    return {path.stem: _filled(json.loads(path.read_text()), words) for path in paths}


def _filled(document: Json, words: dict[str, str]) -> Json:
    statements = []
    for statement in document["Statement"]:
        filled = {key: _words(value, words) for key, value in statement.items() if key != "Condition"}
        if condition := statement.get("Condition"):
            # Equal to any is like any.
            filled["Condition"] = {
                operator.replace("StringEquals", "StringLike") if ANY in _texts(_words(pairs, words)) else operator:
                _words(pairs, words)
                for operator, pairs in condition.items()
            }  # fmt: skip
        statements.append(filled)
    return {**document, "Statement": statements}


def _words(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _words(each, words) for key, each in value.items()}
    if isinstance(value, list):
        return [_words(each, words) for each in value]
    if isinstance(value, str):
        for word, name in words.items():
            value = value.replace(word, name)
    return value


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else [str(value)]

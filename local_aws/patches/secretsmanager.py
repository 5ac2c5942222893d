"""Labels of a secret's versions, where moto loses them.

A label that is moved changes the secret; moto neither dates that nor remembers which version is current then, so what
is read without a label stays the one of before, and a value written later leaves two current versions. And a version
that is current no longer keeps what other labels it has.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

from __future__ import annotations

import time
from typing import Any

from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from local_aws.patches._moto import Method, around

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@around(SecretsManagerBackend, "update_secret_version_stage")
def _update_stage(original: Method, self: Any, **given: Any) -> tuple[str, str]:
    answer: tuple[str, str] = original(self, **given)
    secret = self.secrets[given["secret_id"]]
    secret.update(secret.description, secret.tags, last_changed_date=int(time.time()))
    current = [version for version, kept in secret.versions.items() if CURRENT in kept["version_stages"]]
    secret.set_default_version_id(current[0])
    return answer


@around(FakeSecret, "reset_default_version")
def _reset_current(original: Method, self: Any, secret_version: dict[str, Any], version_id: str) -> None:
    before = self.versions.get(self.default_version_id)
    labels = list(before["version_stages"]) if before else []
    original(self, secret_version, version_id)
    if before and self.versions.get(version_id) is not before:
        taken = {CURRENT, PREVIOUS, *secret_version["version_stages"]}
        before["version_stages"] += [label for label in labels if label not in taken]

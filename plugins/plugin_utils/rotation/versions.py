"""The versions of a secret that is being rotated. What is where is told by their labels alone, so a run that was killed
goes on where it was.

`AWSPENDING` on a version that is not current: it is being prepared, and nobody reads it. On the current one: tasks that
start read it, but the one of before is not retired yet. On none: nothing is under way.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import datetime
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
SETTLE_SECONDS = 2.0
"""After which a task that is made is younger than the change, of which AWS may tell the second alone (`changed`)."""


@dataclass(frozen=True)
class Version:
    """A version of a secret.

    Attributes:
        id: its id.
        value: what is in it.
    """

    id: str
    value: dict[str, Any] = field(repr=False)


class Versions:
    """The versions of one secret.

    Args:
        client: of Secrets Manager.
        arn: of the secret.
    """

    def __init__(self, client: Any, arn: str) -> None:
        self._client, self.arn = client, arn

    def ids(self) -> dict[str, str]:
        """Label → id of the version that has it."""
        stages = self._client.describe_secret(SecretId=self.arn).get("VersionIdsToStages") or {}
        return {label: version for version, labels in stages.items() for label in labels}

    def at(self, label: str) -> Version | None:
        """The version that has a label; None if none has it."""
        if (found := self.ids().get(label)) is None:
            return None
        told = self._client.get_secret_value(SecretId=self.arn, VersionId=found)
        return Version(found, dict(json.loads(told["SecretString"])))

    @property
    def current(self) -> Version:
        """The version that tasks read when they start."""
        found = self.at(CURRENT)
        assert found is not None, "Secrets Manager keeps this label on a version"
        return found

    @property
    def pending(self) -> Version | None:
        """The version of the rotation that is under way."""
        return self.at(PENDING)

    def prepare(self, value: Mapping[str, Any]) -> Version:
        """A new version that nobody reads yet; what was prepared before and never used loses its label."""
        made = dict(value)
        version = str(uuid.uuid4())
        self._client.put_secret_value(
            SecretId=self.arn, ClientRequestToken=version, SecretString=json.dumps(made), VersionStages=[PENDING]
        )
        return Version(version, made)

    def put(self, value: Mapping[str, Any]) -> None:
        """Let tasks that start read a value. Of a secret whose version of now nobody has to be kept apart from."""
        self._client.put_secret_value(SecretId=self.arn, SecretString=json.dumps(dict(value)))

    def switch(self, version: str) -> None:
        """Let tasks that start read a version; the one of before is labelled as previous by Secrets Manager.

        Returns when whatever starts from now on is known to read it.
        """
        now = self.ids()[CURRENT]
        if now != version:
            self._client.update_secret_version_stage(
                SecretId=self.arn, VersionStage=CURRENT, MoveToVersionId=version, RemoveFromVersionId=now
            )
            time.sleep(SETTLE_SECONDS)

    def finish(self) -> None:
        """Nothing is under way any more."""
        if pending := self.ids().get(PENDING):
            self._client.update_secret_version_stage(
                SecretId=self.arn, VersionStage=PENDING, RemoveFromVersionId=pending
            )

    def changed(self) -> datetime.datetime:
        """Since when tasks that start read what is current now, at the latest.

        Whether AWS tells fractions of the second nobody has said: so the next one.
        """
        told: datetime.datetime = self._client.describe_secret(SecretId=self.arn)["LastChangedDate"]
        return told.replace(microsecond=0) + datetime.timedelta(seconds=1)

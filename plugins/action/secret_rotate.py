"""Give a generated secret another value, for tasks that start."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.secret_rotate import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed, Wait
from plugins.plugin_utils.database_way import outputs
from plugins.plugin_utils.places import verb
from plugins.plugin_utils.rotation import logins
from plugins.plugin_utils.rotation.readers import readers, services, stale, wait_until_none_is_stale
from plugins.plugin_utils.rotation.versions import CURRENT, PREVIOUS, Versions


class ActionModule(AwsAction):
    """See plugins/modules/secret_rotate.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Go on with the rotation, or begin one.

        Raises:
            Failed: there is no such secret yet, or tasks have the value of before for too long.
        """
        name, stack = self.arguments["secret"], self.arguments["stack"]
        arn = outputs(self.client, stack).get("SecretArn")
        if arn is None:
            raise Failed(f"The secret {name} is not there yet (stack {stack}). Type: {verb('site.yml')}")
        versions = Versions(self.client("secretsmanager"), arn)
        ids = versions.ids()
        under_way = ids.get("AWSPENDING") == ids[CURRENT]
        if self.arguments["state"] == "retired":
            return self._retired(versions, under_way)
        return self._switched(versions, under_way)

    def _switched(self, versions: Versions, under_way: bool) -> dict[str, Any]:
        name, key = self.arguments["secret"], self.arguments["value_of"]
        if under_way:
            self.say(name, "a rotation goes on: tasks that start have the new value already")
            return self._result(versions, bool(stale(self._ecs, self.arguments["cluster"], versions)))
        if self.check_mode:
            self.say(name, f"{key} would get another value")
            return self._result(versions, True)
        # What an interrupted run has prepared nobody has read; it loses its label.
        made = versions.prepare(versions.current.value | {key: logins.password(self.arguments["length"])})
        versions.switch(made.id)
        self.say(name, f"tasks that start have another {key} from now on", "yellow")
        return self._result(versions, True)

    def _retired(self, versions: Versions, under_way: bool) -> dict[str, Any]:
        if self.check_mode or not under_way:
            return self._result(versions, self.check_mode)
        wait = Wait(self.arguments["timeout"], self.say, self.arguments["secret"])
        what = f"The value of before of the secret {self.arguments['secret']}"
        wait_until_none_is_stale(self._ecs, self.arguments["cluster"], versions, wait, what)
        result = self._result(versions, True)
        versions.finish()
        self.say(self.arguments["secret"], "no task has the value of before", "green")
        return result

    @property
    def _ecs(self) -> Any:
        return self.client("ecs")

    def _result(self, versions: Versions, changed: bool) -> dict[str, Any]:
        until = datetime.datetime.now(datetime.UTC) if self.check_mode else versions.changed()
        found, ids = readers(self._ecs, self.arguments["cluster"], versions.arn, until), versions.ids()
        return {
            "changed": changed,
            "secret": versions.arn,
            "version": "" if self.check_mode else ids[CURRENT],
            "previous": "" if self.check_mode else ids.get(PREVIOUS, ""),
            "services": services(found),
        }

"""Set environment variables for a whole run, as the first source of an inventory directory.

Ansible reads inventory sources in the controller process, in alphabetical order; everything started later (modules,
lookups, the next inventory source, the AWS CLI) inherits what this one sets. So `-i local` alone sends all of them to
the embedded AWS, and nothing in a role or play has to know.

Being the first code of ours in a run, it also ends one that was typed in a way that cannot work. It is found without
ansible.cfg as well, by the link inventory_plugins beside the verbs: how else would a person learn that it was not read?
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ansible import context
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils.ways import is_environment_file, refusal

DOCUMENTATION = """
name: environment
short_description: Set environment variables for this run
description:
  - Every module, lookup, inventory plugin and command of the run sees them.
  - Sources of a directory are read in alphabetical order, so name the file C(00_environment.yml).
  - Where O(set) holds C(AWS_ENDPOINT_URL), that address must answer, or the run ends with what to type.
  - boto3 repeats a throttled or failed call up to ten times (E(AWS_RETRY_MODE), E(AWS_MAX_ATTEMPTS)), in modules and
    lookups too, unless the shell or O(set) says otherwise.
  - With C(BERTH_POLL_SECONDS) our plugins' waits ask more often than fits an AWS account, whose API rate is shared.
  - Ends a verb that was typed in a way that would do nothing or half, on several inventories or without the settings of
    the project, with what to type.
  - Otherwise AWS itself is meant; then C(AWS_ENDPOINT_URL) must not be left in the shell and credentials must be found.
options:
  plugin:
    description: Name of this plugin.
    required: true
    choices: [environment]
  set:
    description: Environment variables to set, name to value.
    type: dict
    default: {}
  unset:
    description: Names of environment variables to remove.
    type: list
    elements: str
    default: []
  start:
    description: What to type when nothing answers at C(AWS_ENDPOINT_URL).
    type: str
    default: python -m local_aws up
  credentials:
    description: Whether to end the run when no AWS credentials can be found (only where O(set) names no endpoint).
    type: bool
    default: true
"""

EXAMPLES = """
# inventories/local/00_environment.yml
plugin: environment
set:
  AWS_ENDPOINT_URL: http://127.0.0.1:4566
  AWS_ACCESS_KEY_ID: berth-embedded
  AWS_SECRET_ACCESS_KEY: not-a-secret-0f3c9d
  AWS_REGION: us-east-1
  AWS_DEFAULT_REGION: us-east-1
unset: [AWS_PROFILE, AWS_DEFAULT_PROFILE, AWS_SESSION_TOKEN, AWS_URL]
---
# inventories/prod/00_environment.yml: changes nothing, but says early what is missing
plugin: environment
"""

CONNECT_SECONDS = 2
RETRIES = {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "10"}
"""boto3's own default gives up after three to five attempts, which a busy account throttles all.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

display = Display()


class InventoryModule(BaseInventoryPlugin):
    """Adds no hosts; changes `os.environ` of the controller."""

    NAME = "environment"

    def verify_file(self, path: str) -> bool:
        """Whether `path` is one of ours.

        Raises:
            SystemExit: the command cannot work. This is asked before any source is read, so nothing has been done.
        """
        sentence = refusal(context.CLIARGS)
        if sentence:
            self._end(sentence)
        return bool(super().verify_file(path)) and path.endswith((".yml", ".yaml")) and is_environment_file(Path(path))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Set and unset the variables that the file at `path` names.

        Raises:
            SystemExit: the endpoint does not answer, or AWS is meant and the shell is not set up for it.
        """
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        wanted = {name: str(value) for name, value in self.get_option("set").items()}
        for name in self.get_option("unset"):
            os.environ.pop(name, None)
        os.environ.update({**RETRIES, **{name: os.environ[name] for name in RETRIES if os.environ.get(name)}} | wanted)
        if "AWS_ENDPOINT_URL" in wanted:
            self._check_endpoint(wanted["AWS_ENDPOINT_URL"])
        else:
            self._check_shell(path)

    def _check_endpoint(self, endpoint: str) -> None:
        url = urlsplit(endpoint)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            socket.create_connection((url.hostname, port), CONNECT_SECONDS).close()
        except OSError as error:
            self._end(f"Nothing answers at {endpoint} ({error}). Start the embedded AWS: {self.get_option('start')}")

    def _check_shell(self, path: str) -> None:
        stray = sorted(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") and os.environ[name])
        if stray:
            self._end(
                f"{path} means AWS itself, but {', '.join(stray)} is set in this shell. Type: unset {' '.join(stray)}"
            )
        if self.get_option("credentials") and not self._credentials_found():
            self._end(
                "No AWS credentials were found. Name a profile (export AWS_PROFILE=<name>; `aws configure sso` makes "
                "one) or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then type the command again."
            )

    @staticmethod
    def _end(message: str) -> NoReturn:
        # Any Exception would be taken for "not my file": the other inventory plugins would try it too, and four
        # misleading complaints would surround the one sentence that matters (InventoryManager.parse_source).
        display.error(message)
        raise SystemExit(1)

    def _credentials_found(self) -> bool:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            return boto3.Session().get_credentials() is not None
        except BotoCoreError as error:
            self._end(f"AWS credentials cannot be read: {error}")

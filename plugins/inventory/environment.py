"""One environment of a site: who it is, where its calls go, and which hosts it has. The one source of an inventory.

Ansible reads inventory sources in the controller process; everything started later (modules, lookups, the AWS CLI)
inherits the environment variables that this one sets. So `-i local` alone sends all of them to the embedded AWS, and
nothing in a role or play has to know.

Being the first code of ours in a run, it also ends one that was typed in a way that cannot work. It is found without
ansible.cfg as well, by the link inventory_plugins beside the verbs: how else would a person learn that it was not read?
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from ansible import constants, context
from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.plugins.loader import inventory_loader, vars_loader
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils import previews
from plugins.plugin_utils.identity import HOST_GROUP, IDENTITY, SITE_GROUP
from plugins.plugin_utils.layers import suggestion
from plugins.plugin_utils.places import origin, shown
from plugins.plugin_utils.troubleshooting import see
from plugins.plugin_utils.ways import concerns_aws, concerns_hosts, is_environment_file, refusal, refusal_of_typed

DOCUMENTATION = """
name: environment
short_description: One environment of a site
description:
  - Gives localhost, and each host that it finds, the variables C(site_name), C(environment_name) and C(aws_region), in
    the group C(site); what else is the environment's own stands in C(group_vars/site/) beside the file.
  - The hosts are the running instances with the tags C(Site) and C(Environment). P(amazon.aws.aws_ec2#inventory) finds
    them, for the group C(ecs_hosts); only where the command has to do with hosts, which most verbs have not, or where
    the inventory is read anew in the middle of a run (C(refresh_inventory)), which is done for them.
  - Sets environment variables for the run, which every module, lookup and command of it sees.
  - Where O(set) holds C(AWS_ENDPOINT_URL), that address must answer, or the run ends with what to type.
  - boto3 repeats a throttled or failed call up to ten times (E(AWS_RETRY_MODE), E(AWS_MAX_ATTEMPTS)), in modules and
    lookups too, unless the shell or O(set) says otherwise.
  - With C(BERTH_POLL_SECONDS) our plugins' waits ask more often than fits an AWS account, whose API rate is shared.
  - Ends a verb that was typed in a way that would do nothing or half, on several inventories, without the settings of
    the project, or with a variable that it does not know, with what to type.
  - With C(-e environment=pr7) the run is about a preview environment of that name, in place of the inventory's own,
    where O(preview_environments) allows it. C(preview_of) is then the name of the latter, and empty otherwise;
    C(domain_name) and C(domain_aliases) get the name in front.
  - With O(local_ecs_agent) the embedded AWS must run its hosts with that agent, or the run ends with what to type.
  - Otherwise AWS itself is meant; then C(AWS_ENDPOINT_URL) must not be left in the shell and credentials must be found.
  - Neither is looked at for a command that asks no AWS, such as C(preflight.yml -e preflight_account=false).
options:
  plugin:
    description: Name of this plugin.
    required: true
    choices: [environment]
  site_name:
    description: Name of the site.
    type: str
    required: true
  environment_name:
    description: Name of the environment; by default that of the folder in which the file lies.
    type: str
  preview_environments:
    description: >-
      Whether C(-e environment=<name>) brings up, and takes down, others beside this environment. They get the secrets
      that the inventory names.
    type: bool
    default: false
  aws_region:
    description: Region of everything that the site has, and of all calls of the run.
    type: str
    required: true
  host_address:
    description: Address by which hosts are reached. With V(public), the private one of a host that has no other.
    choices: [public, private]
    default: public
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
  local_ecs_agent:
    description: >-
      Path of the real ECS agent, its binary or an image of it, which the hosts of an embedded AWS run in the place of
      the stand-in; from the folder of this file, if it is relative. Only where O(set) names an endpoint.
    type: str
  credentials:
    description: >-
      Whether to end a run that may ask AWS when no AWS credentials can be found (only where O(set) names no endpoint).
    type: bool
    default: true
"""

EXAMPLES = """
# inventories/prod/environment.yml
plugin: environment
site_name: legacy
aws_region: us-east-1
---
# inventories/local/environment.yml
plugin: environment
site_name: legacy
aws_region: us-east-1
set:
  AWS_ENDPOINT_URL: http://127.0.0.1:4566
  AWS_ACCESS_KEY_ID: berth-embedded
  AWS_SECRET_ACCESS_KEY: not-a-secret-0f3c9d
unset: [AWS_PROFILE, AWS_DEFAULT_PROFILE, AWS_SESSION_TOKEN, AWS_URL]
"""

HOST_PLUGIN = "amazon.aws.aws_ec2"
CONNECT_SECONDS = 2
AGENT_ADDRESS = "/_local_aws/ecs_agent"
"""Where an embedded AWS says which agent its hosts run: nothing for the stand-in."""
RETRIES = {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "10"}
"""boto3's own default gives up after three to five attempts, which a busy account throttles all.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

display = Display()


class InventoryModule(BaseInventoryPlugin):
    """Adds localhost and the site's hosts; changes `os.environ` of the controller."""

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
        """Set and unset the variables that the file at `path` names, and add the hosts.

        Raises:
            SystemExit: the file is wrong, the endpoint does not answer, AWS is meant and the shell is not set up for
                it, or the hosts cannot be looked for.
        """
        super().parse(inventory, loader, path, cache)
        if sentence := refusal_of_typed(context.CLIARGS, self._typed(), [Path(path).parent]):
            self._end(sentence)
        self._check_keys(path)
        try:
            self._read_config_data(path)
        except AnsibleError as error:
            self._end(f"{shown(Path(path))}: {' '.join(error.message.split())}")
        identity = {name: self.get_option(name) for name in IDENTITY}
        identity["environment_name"] = identity["environment_name"] or Path(path).parent.resolve().name
        preview = self._preview(identity, Path(path))
        own, identity[previews.VARIABLE] = identity["environment_name"], ""
        if preview:
            identity |= {"environment_name": preview, previews.VARIABLE: own}
        self._set_variables(identity["aws_region"], path)
        inventory.add_group(SITE_GROUP)
        inventory.add_group(HOST_GROUP)
        inventory.add_child(SITE_GROUP, HOST_GROUP)
        inventory.add_host("localhost", SITE_GROUP)
        told = self._told(preview, Path(path)) if preview else {}
        inventory.set_variable("localhost", "ansible_connection", "local")
        inventory.set_variable("localhost", "ansible_python_interpreter", sys.executable)
        if concerns_hosts(context.CLIARGS) or not cache:
            self._find_hosts(identity)
        for host in ("localhost", *(each.name for each in inventory.groups[HOST_GROUP].get_hosts())):
            for name, value in (identity | told).items():
                inventory.set_variable(host, name, value)

    def _preview(self, identity: dict[str, str], path: Path) -> str:
        """Name of the preview environment that the run is about; empty where it is the inventory's own."""
        own = identity["environment_name"]
        name = previews.take(load_extra_vars(self.loader))
        previews.tell("")
        if name in (None, own):
            return ""
        folders = {path.resolve().parents[1], PROJECT / "inventories"}
        others = previews.of_folders(folders, identity["site_name"], self.loader.load_from_file)
        allowed = bool(self.get_option(previews.KEY))
        if sentence := previews.refusal(str(name), own, allowed, path, others):
            self._end(sentence)
        previews.tell(str(name))
        return str(name)

    def _told(self, name: str, path: Path) -> dict[str, Any]:
        """What the inventory says of its own environment alone, as it is in a preview environment."""
        group = self.inventory.groups[SITE_GROUP]
        found = vars_loader.get("ansible.builtin.host_group_vars").get_vars(self.loader, str(path), [group])
        return previews.variables(name, found)

    def _check_keys(self, path: str) -> None:
        """End the run over a key that Ansible would pass over in silence, or that is missing."""
        given, known = self.loader.load_from_file(path), yaml_load(DOCUMENTATION)["options"]
        for key in given:
            if key not in known:
                line = origin(key)[1]
                self._end(f"{shown(Path(path))}:{line}: {key} is no key of this file.{suggestion(str(key), known)}")
        for name, option in known.items():
            if option.get("required") and given.get(name) in (None, ""):
                self._end(f"{shown(Path(path))}: {name} is missing. It is: {option['description']} Write {name}: …")

    def _find_hosts(self, identity: dict[str, str]) -> None:
        """Add the site's running hosts by amazon.aws.aws_ec2, which takes its options from a file."""
        public = "aws_public_ip_address | default(aws_private_ip_address, true)"
        wanted = {
            "plugin": HOST_PLUGIN,
            "regions": [identity["aws_region"]],  # explicit, or every region is asked
            "strict": True,
            "hostvars_prefix": "aws_",  # without it ansible-core warns about the reserved name "tags"
            "filters": {
                "instance-state-name": "running",
                "tag:Environment": identity["environment_name"],
                "tag:Site": identity["site_name"],
            },
            "hostnames": ["instance-id"],
            "groups": {HOST_GROUP: "true"},
            "compose": {
                "ansible_host": public if self.get_option("host_address") == "public" else "aws_private_ip_address",
                "ansible_user": "'ec2-user'",
            },
        }
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "aws_ec2.yml")
            Path(path).write_text(json.dumps(wanted))  # which is YAML
            try:
                inventory_loader.get(HOST_PLUGIN).parse(self.inventory, self.loader, path, cache=False)
            except AnsibleError as error:
                self._end(f"The site's hosts cannot be looked for: {' '.join(error.message.split())}")

    def _set_variables(self, region: str, path: str) -> None:
        regions = {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        wanted = regions | {name: str(value) for name, value in self.get_option("set").items()}
        for name in self.get_option("unset"):
            os.environ.pop(name, None)
        os.environ.update({**RETRIES, **{name: os.environ[name] for name in RETRIES if os.environ.get(name)}} | wanted)
        if not concerns_aws(context.CLIARGS, self._typed()):
            return
        if "AWS_ENDPOINT_URL" in wanted:
            agent = self._agent(path)
            self._check_endpoint(wanted["AWS_ENDPOINT_URL"], agent)
            if agent:
                self._check_agent(wanted["AWS_ENDPOINT_URL"], agent)
        else:
            self._check_shell(path)

    def _typed(self) -> dict[str, Any]:
        """The variables of the command line."""
        try:
            return dict(load_extra_vars(self.loader))
        except AnsibleError:  # Ansible reads them once more, and says then what is wrong with them
            return {}

    def _agent(self, path: str) -> str:
        """Path of the agent that the hosts are to run, absolute; empty for the stand-in."""
        named = self.get_option("local_ecs_agent")
        return str((Path(path).parent / Path(named).expanduser()).resolve()) if named else ""

    def _start(self, agent: str) -> str:
        """What starts the embedded AWS, with this agent."""
        return f"{self.get_option('start')} --ecs-agent {agent}" if agent else str(self.get_option("start"))

    def _check_agent(self, endpoint: str, agent: str) -> None:
        """End the run if the hosts of the embedded AWS run, or would run, another agent than this one."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"{endpoint}{AGENT_ADDRESS}", timeout=CONNECT_SECONDS) as answer:
                running = answer.read().decode()
        except OSError as error:  # also another status than 200
            self._end(f"local_ecs_agent is for an embedded AWS, and {endpoint} is none ({error}).")
        if running != agent:
            down = str(self.get_option("start")).replace(" up", " down", 1)
            self._end(
                f"The hosts of the embedded AWS run {running or 'the stand-in agent'}, and local_ecs_agent names "
                f"{agent}. Type: {down}; {self._start(agent)}"
            )

    def _check_endpoint(self, endpoint: str, agent: str) -> None:
        url = urlsplit(endpoint)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            socket.create_connection((url.hostname, port), CONNECT_SECONDS).close()
        except OSError as error:
            self._end(f"Nothing answers at {endpoint} ({error}). Start the embedded AWS: {self._start(agent)}")

    def _check_shell(self, path: str) -> None:
        if self.get_option("local_ecs_agent"):
            self._end(f"{shown(Path(path))} means AWS itself, where local_ecs_agent is for nothing. Take it out there.")
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
        display.display(see(message), color=constants.COLOR_ERROR, stderr=True)
        raise SystemExit(1)

    def _credentials_found(self) -> bool:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            return boto3.Session().get_credentials() is not None
        except BotoCoreError as error:
            self._end(f"AWS credentials cannot be read: {error}")

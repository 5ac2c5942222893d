#!/usr/bin/python
"""What it takes for a host's Docker engine to run with wanted settings. Runs on the host, with what Python brings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: docker_engine_plan
short_description: Tell whether the Docker engine must be reloaded or restarted for its settings, and what would stop
description:
  - Lets dockerd itself check the wanted settings together with the flags that its unit gives it, and fails if it would
    not start with them. Engines since 23.0 have C(dockerd --validate) for that. An older one is started as a user
    without rights; it reads flags and file, checks them and then stops, because it is not root. It touches nothing.
  - Compares what the engine has read with what is wanted. The engine does not tell what it has read, so a drop-in of
    its unit keeps copies of daemon.json, C(started.json) of the last start and C(loaded.json) of the last start or
    reload. Flags are those of the running process.
  - Changes nothing. What it finds does not depend on an earlier run, so an interrupted run is taken up where it was.
options:
  config:
    description: Wanted content of daemon.json.
    type: str
    required: true
  environment:
    description: Wanted content of O(environment_file).
    type: str
    required: true
  environment_file:
    description: File with variables of the unit's command line; only counts if the unit reads it.
    type: path
    default: /etc/sysconfig/docker
  read_folder:
    description: Where the drop-in keeps the copies.
    type: path
    default: /run/docker-engine
author: Berth
"""

EXAMPLES = r"""
- name: See what the engine needs
  docker_engine_plan:
    config: '{"live-restore": true}'
    environment: |
      OPTIONS=""
"""

RETURN = r"""
state:
  description: State for ansible.builtin.systemd_service, one of started (nothing to do), reloaded, restarted.
  returned: success
  type: str
because:
  description: Settings that differ from what the engine runs with.
  returned: success
  type: list
  elements: str
containers:
  description: Running containers, but for the ECS agent's own.
  returned: success
  type: list
  elements: str
stopped_by_restart:
  description: Why containers would not outlive a restart; empty if they would, or if there are none.
  returned: success
  type: str
"""

import json
import re
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

UNIT = "docker.service"
AGENT = "ecs-agent"

# https://docs.docker.com/reference/cli/dockerd/#configuration-reload-behavior
RELOADABLE = {
    "allow-nondistributable-artifacts", "authorization-plugins", "debug", "default-runtime", "features",
    "insecure-registries", "labels", "live-restore", "max-concurrent-downloads", "max-concurrent-uploads",
    "max-download-attempts", "registry-mirrors", "runtimes", "shutdown-timeout",
}  # fmt: skip

# What dockerd says once flags and file are found good, and it stops because it is not root.
NOT_ROOT = "needs to be started with root"


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def properties(text: str) -> dict[str, list[str]]:
    """Output of systemctl show: a property may stand there several times."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


def variables(text: str) -> dict[str, str]:
    """An environment file of systemd."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and name[:1] not in ("#", ";"):
            found[name] = " ".join(shlex.split(value))
    return found


def expand(words: list[str], environment: dict[str, str]) -> list[str]:
    """A command line as systemd expands it: $NAME alone becomes words, ${NAME} stays within its own."""
    out: list[str] = []
    for word in words:
        alone = re.fullmatch(r"\$(\w+)", word)
        if alone:
            out += shlex.split(environment.get(alone[1], ""))
        else:
            out.append(re.sub(r"\$\{(\w+)\}", lambda match: environment.get(match[1], ""), word))
    return out


def command_line(unit: dict[str, list[str]], given: dict[str, str]) -> list[str]:
    """The unit's dockerd and its flags, with the wanted content of some environment files (path → content)."""
    environment: dict[str, str] = {}
    for assignment in shlex.split(" ".join(unit.get("Environment", []))):
        name, _, value = assignment.partition("=")
        environment[name] = value
    for line in unit.get("EnvironmentFiles", []):
        path = line.partition(" (")[0]
        if path in given:
            environment.update(variables(given[path]))
        elif path and Path(path).is_file():
            environment.update(variables(Path(path).read_text()))
    argv = re.search(r"argv\[\]=(.*?) ; ignore_errors=", " ".join(unit.get("ExecStart", [])))
    return expand(shlex.split(argv[1]), environment) if argv else []


def problem(command: list[str], config: str) -> str:
    """What dockerd has against the settings; empty if nothing."""
    daemon, flags = command[0], command[1:]
    validates = "--validate" in run([daemon, "--help"]).stdout
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "daemon.json")
        file.write_text(config)
        # Read by a user without rights; nothing in it is secret.
        Path(folder).chmod(0o755)
        file.chmod(0o644)
        checked = [daemon, *flags, "--config-file", str(file)]
        if validates:
            done = run([*checked, "--validate"])
            good = done.returncode == 0
        else:
            done = run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *checked])
            good = NOT_ROOT in done.stderr
        lines = (done.stderr + done.stdout).strip().replace(str(file), "daemon.json").splitlines()
    return "" if good else (lines[-1] if lines else f"{daemon} ended with {done.returncode} and said nothing")


def load(path: Path) -> dict[str, Any] | None:
    """A kept copy; None if there is none or it is no JSON, so that nothing is known."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def differing(wanted: dict[str, Any], have: dict[str, Any]) -> list[str]:
    return sorted(key for key in set(wanted) | set(have) if wanted.get(key) != have.get(key))


def plan(
    wanted: dict[str, Any], flags: list[str], running: list[str], folder: Path, live_restore: bool
) -> dict[str, Any]:
    """State that the unit must be brought to, and why."""
    started, loaded = load(folder / "started.json"), load(folder / "loaded.json")
    if started is None or loaded is None:
        return {"state": "restarted", "because": ["settings that the engine was started with before they were kept"]}
    because = [key for key in differing(wanted, started) if key not in RELOADABLE]
    if flags != running:
        because.append(f"flags ({' '.join(sorted(set(flags) ^ set(running))) or 'their order'})")
    if because:
        return {"state": "restarted", "because": because}
    because = [key for key in differing(wanted, loaded) if key in RELOADABLE]
    # A reload is answered before it is done, and one that fails is only logged.
    if live_restore != wanted.get("live-restore", False) and "live-restore" not in because:
        because.append("live-restore")
    return {"state": "reloaded" if because else "started", "because": because}


def harm(containers: list[str], live_restore: bool, plugins: list[str]) -> str:
    """Why a restart would not leave the containers alone."""
    if not containers:
        return ""
    if not live_restore:
        return "live-restore is not in effect in the running engine"
    if plugins:
        return f"{', '.join(plugins)} counts its mounts in memory and would lose count"
    return ""


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "config": {"type": "str", "required": True},
            "environment": {"type": "str", "required": True},
            "environment_file": {"type": "path", "default": "/etc/sysconfig/docker"},
            "read_folder": {"type": "path", "default": "/run/docker-engine"},
        },
        supports_check_mode=True,
    )
    given = module.params
    names = "LoadState,ActiveState,MainPID,ExecStart,Environment,EnvironmentFiles"
    unit = properties(run(["systemctl", "show", UNIT, "--property", names]).stdout)
    command = command_line(unit, {given["environment_file"]: given["environment"]})
    if not command:
        module.fail_json(msg=f"This host has no {UNIT}. Hosts are made from the ECS-optimized image, which has it.")
    said = problem(command, given["config"])
    if said:
        module.fail_json(msg=f"Docker would not start with these settings, so nothing was changed: {said}")
    nothing: dict[str, Any] = {"state": "started", "because": [], "containers": [], "stopped_by_restart": ""}
    if unit["ActiveState"] != ["active"]:
        module.exit_json(**nothing)

    info = run(["docker", "info", "--format", "{{.LiveRestoreEnabled}}"])
    listed = run(["docker", "ps", "--format", "{{.Names}}"])
    volume_plugins = ["--filter=enabled=true", "--filter=capability=volumedriver", "--format={{.Name}}"]
    plugins = run(["docker", "plugin", "ls", *volume_plugins])
    for done in (info, listed, plugins):
        if done.returncode != 0:
            module.fail_json(msg=f"The running Docker engine does not answer: {(done.stderr or done.stdout).strip()}")
    containers = [name for name in listed.stdout.split() if name != AGENT]
    live_restore = info.stdout.strip() == "true"
    running = Path("/proc", unit["MainPID"][0], "cmdline").read_text().split("\0")[1:-1]
    found = plan(json.loads(given["config"]), command[1:], running, Path(given["read_folder"]), live_restore)
    module.exit_json(
        containers=containers, stopped_by_restart=harm(containers, live_restore, plugins.stdout.split()), **found
    )


if __name__ == "__main__":
    main()

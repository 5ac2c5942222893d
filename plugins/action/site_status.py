"""Say how a site is: on the terminal, as JSON, or as a page."""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path
from typing import Any

from ansible.utils.display import Display

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.modules.site_status import DOCUMENTATION
from plugins.plugin_utils.aws_action import AwsAction, Failed
from plugins.plugin_utils.places import nearest, not_right, verb
from plugins.plugin_utils.site.kept import site_of
from plugins.plugin_utils.status import page, terminal
from plugins.plugin_utils.status.model import gather

FORMATS = ("text", "json", "html")
REASONS = 10
"""How many of what is wrong are named in one sentence; all stand above it."""


class ActionModule(AwsAction):
    """See plugins/modules/site_status.py for its arguments and results."""

    DOCUMENTATION = DOCUMENTATION

    def perform(self) -> dict[str, Any]:
        """Ask, judge, and show.

        Raises:
            Failed: what was typed, or the description of the site, is wrong, or the file cannot be written.
            ConnectionError: AWS cannot be reached.
        """
        given = self.arguments
        if given["format"] not in FORMATS:
            near = nearest(given["format"], FORMATS)
            raise Failed(
                f"{given['format']} is no form of a status ({', '.join(FORMATS)}): "
                f"{verb('status.yml')} -e format={near}"
            )
        site = site_of(self.task_vars, self._templar.template)
        if site.problems:
            raise Failed(not_right(site.problems))
        settings = {"volume_gb": given["volume_gb"], "nat": given["nat"], "zones": given["zones"]}
        settings["subscribers"] = given["subscribers"]
        now = datetime.datetime.now(datetime.UTC)
        # Clients first: the parts ask from several threads.
        region = self.client("cloudformation").meta.region_name
        model = gather(self.client, site, given["layers"], region, settings, now)
        written = self._show(model, given["format"], given["output"])
        wrong = [f"{each['about']} {each['what']}" for each in model["wrong"]]
        return {"changed": False, "status": model, "well": model["well"], "wrong": wrong[:REASONS], "written": written}

    def _show(self, model: dict[str, Any], form: str, output: str) -> str:
        """Show the model, or write it into a file; the file's path, empty for none.

        Raises:
            Failed: the file cannot be written.
        """
        if form == "html" and not output:
            output = f"status.{model['site']['environment']}.html"
        lines = terminal.rendered(model)
        if form == "html":
            text = page.rendered(model)
        elif form == "json":
            text = json.dumps(model, indent=1, ensure_ascii=False) + "\n"
        else:
            text = "".join(f"{line}\n" for line, _ in lines)
        if not output:
            if form == "json":
                Display().display(text.rstrip())
            else:
                for line, color in [("", None), *lines, ("", None)]:
                    Display().display(line, color=color)
            return ""
        path = Path(output).expanduser()
        try:
            _write(path, text)
        except OSError as error:
            raise Failed(
                f"The status cannot be written to {path} ({error.strerror or error}). Name another file: "
                f"{verb('status.yml')} -e format={form} -e output=/tmp/status.{form}"
            ) from None
        Display().display(f"The status of {model['site']['asked']} was written to {path}")
        return str(path.resolve())


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: somebody may be looking at it.

    Raises:
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

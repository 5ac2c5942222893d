"""Record which calls of AWS a run makes.

Put this folder on PYTHONPATH, the name of a file into BERTH_CALLS and that of the playbook into BERTH_VERB.

Python imports a module of this name at its start, so that a playbook's controller, its modules and its inventory
plugins are all heard, whatever libraries they call through. One line a call: verb, caller, service, operation. No
parameter is written, as it may be a secret.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

OTHERS = re.compile(r"/ansible_collections/(\w+)/(\w+)/plugins/(?:modules|inventory|lookup)/(\w+)\.py$")
OURS = re.compile(r"/(?:plugins/(?:action|modules|inventory)|ansible/legacy)/(\w+)\.py$")
"""Where a call may come from: a collection's plugin, or one of ours (a module runs as ansible/legacy/…)."""
CLIENT = "botocore.client"


def caller() -> str:
    """The nearest plugin that the call comes from; `plugin_utils` for what several share in threads of its own."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if found := OTHERS.search(path):
            return ".".join(found.groups())
        if found := OURS.search(path):
            return found[1]
        frame = frame.f_back  # type: ignore[assignment]  # None at the end
    return "plugin_utils"


def listen(module: ModuleType) -> None:
    """Let every client of botocore write down what it is asked to call."""
    make_api_call = module.BaseClient._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        words = (os.environ["BERTH_VERB"], caller(), self.meta.service_model.service_name, operation)
        with Path(os.environ["BERTH_CALLS"]).open("a") as calls:
            calls.write(" ".join(words) + "\n")
        return make_api_call(self, operation, arguments)

    module.BaseClient._make_api_call = recorded


class Finder(importlib.abc.MetaPathFinder):
    """Listens as soon as botocore's client is imported; most processes of a run never do."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec that all other finders give for botocore.client, with a loader that listens."""
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name == CLIENT else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                listen(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]  # one loader a module
        return spec


if os.environ.get("BERTH_CALLS"):
    sys.meta_path.insert(0, Finder())

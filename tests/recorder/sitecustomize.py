"""Record which calls of AWS a run makes.

Put this folder on PYTHONPATH, the name of a file into BERTH_CALLS and that of the playbook into BERTH_VERB.

Python imports a module of this name at its start, so that a playbook's controller, its modules and its inventory
plugins are all heard, whatever libraries they call through. One line a call: verb, caller, service, operation. No
parameter is written, as it may be a secret. BERTH_RECORDING is a file that shapes of requests and answers go into
(scripts/acceptance/recording.py).
"""

from __future__ import annotations

import importlib
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
PROJECT = Path(__file__).resolve().parents[2]


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


def whole() -> Any:
    """What writes down requests and answers: a module of the project, which an Ansible module's path has not."""
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    return importlib.import_module("scripts.acceptance.recording")


def listen(module: ModuleType) -> None:
    """Let every client of botocore write down what it is asked to call."""
    make_api_call = module.BaseClient._make_api_call

    def recorded(self: Any, operation: str, arguments: Any) -> Any:
        words = (os.environ["BERTH_VERB"], caller(), self.meta.service_model.service_name, operation)
        if named := os.environ.get("BERTH_CALLS"):
            with Path(named).open("a") as calls:
                calls.write(" ".join(words) + "\n")
        if not (recording := os.environ.get("BERTH_RECORDING")):
            return make_api_call(self, operation, arguments)
        model = self.meta.service_model.operation_model(operation)
        return whole().heard(
            Path(recording), words[0], model, arguments, lambda: make_api_call(self, operation, arguments)
        )

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


if os.environ.get("BERTH_CALLS") or os.environ.get("BERTH_RECORDING"):
    sys.meta_path.insert(0, Finder())

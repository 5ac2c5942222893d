"""The models of the services, read once a process and without their documentation.

botocore reads them anew for each session, of which every client made one; a model is held as ordered dictionaries, and
two thirds of its text is documentation, which only `help()` shows. Together that was 300 MB of 560.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session

from local_aws.patches._moto import instead

# By the name that a session calls: it may have been imported before this is.
botocore.session.create_loader = functools.cache(botocore.loaders.create_loader)


@instead(botocore.loaders.JSONFileLoader, "_load_file")
def _load_file(_self: Any, path: str, open_file: Callable[..., Any]) -> Any:
    if not Path(path).is_file():
        return None
    with open_file(path, "rb") as file:
        return json.loads(file.read(), object_pairs_hook=_undocumented)


def _undocumented(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without its documentation; a member of that name is no text and stays."""
    return {name: "" if name == "documentation" and isinstance(value, str) else value for name, value in pairs}

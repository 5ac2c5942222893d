"""Filters about functions: where their code lies, what its zip is called, what is wrong with it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

PROJECT = Path(__file__).resolve().parents[2]
if str(PROJECT) not in sys.path:
    sys.path.append(str(PROJECT))  # Ansible loads this file by its path; what it shares is a package of the project

from plugins.plugin_utils import function_code, runtimes
from plugins.plugin_utils.places import shown

ENDINGS = {
    "python": (".py",),
    "nodejs": (".js", ".mjs", ".cjs"),
    "ruby": (".rb",),
}
"""Begin of a runtime → endings of the file that the handler names; others name a class, or call one file `bootstrap`.

https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html#python-handler-naming
"""


def code_folder(code: str, beside: str = "") -> str:
    """The folder with the code of a function.

    Args:
        code: as the inventory has it.
        beside: folder in which that of the inventory lies; empty if there is none.
    """
    return str(function_code.folder(code, beside))


def code_key(folder: str) -> str:
    """What the zip of a folder is called.

    Raises:
        AnsibleFilterError: there is no such folder, or it cannot be read.
    """
    if not Path(folder).is_dir():
        raise AnsibleFilterError(f"There is no folder {folder} with the code of a function.")
    try:
        return function_code.key(Path(folder))
    except (ValueError, OSError) as error:
        raise AnsibleFilterError(f"The code in {folder} cannot be zipped: {error}.") from None


def code_problem(function: Any, beside: str = "") -> str:
    """What is wrong with the folder that an entry of site_functions names; empty where nothing is, or the model tells.

    Args:
        function: the entry as written.
        beside: folder in which that of the inventory lies; empty if there is none.
    """
    if not (code := _word(function, "code")):
        return ""
    top = function_code.folder(code, beside)
    if not top.is_dir():
        where = " or ".join(shown(Path(place)) for place in (beside, str(PROJECT)) if place)
        return f"is {code}, and there is no such folder in {where}. Write the name of the one with the code."
    try:
        sizes = [path.stat().st_size for _, path in function_code.files(top)]
    except (ValueError, OSError) as error:
        return f"is {code}, which cannot be zipped: {error}. Put the file itself there."
    if not sizes:
        return f"is {code}, in which there is no file. Put the code there, or write the name of the folder that has it."
    if sum(sizes) > function_code.MOST_BYTES:
        has, most = (math.ceil(size / 1024 / 1024) for size in (sum(sizes), function_code.MOST_BYTES))
        return f"is {code}, which holds {has} MiB; Lambda takes {most}. Take out what is not needed."
    return ""


def handler_problem(function: Any, beside: str = "") -> str:
    """What is wrong with the handler of an entry of site_functions; empty where nothing is, or something else tells.

    Args:
        function: the entry as written.
        beside: folder in which that of the inventory lies; empty if there is none.
    """
    code, handler, runtime = (_word(function, word) for word in ("code", "handler", "runtime"))
    endings = next((found for begin, found in ENDINGS.items() if runtime.startswith(begin)), ())
    top = function_code.folder(code, beside)
    if not (code and handler and endings and top.is_dir()):
        return ""
    file, dot, name = handler.rpartition(".")
    # Python's may also be written with dots for the folders.
    names = {file, file.replace(".", "/")} if endings == ENDINGS["python"] else {file}
    wanted = [each + ending for each in sorted(names) for ending in endings]
    if name and any((top / each).is_file() for each in wanted):
        return ""
    if not (dot and name):
        return (
            f"is {handler}, must be a file of {code} and a function in it: <file>.<function>, for example app.handler."
        )
    return f"is {handler}, so {code} has to have {' or '.join(wanted)}. Write the name of the file before the last dot."


def runtime_refusal(function: Any, today: str = "") -> str:
    """Why Lambda makes no function of an entry's runtime any more; empty where it does.

    Args:
        function: the entry as written.
        today: `2027-02-01`; by default the day it is.
    """
    return runtimes.refusal(_word(function, "runtime"), _day(today))


def runtime_warning(function: Any, today: str = "") -> str:
    """That Lambda will soon make no function of an entry's runtime; empty where that is far away.

    Args:
        function: the entry as written.
        today: `2027-02-01`; by default the day it is.
    """
    return runtimes.warning(_word(function, "runtime"), _day(today))


def _day(text: str) -> date:
    return date.fromisoformat(text) if text else date.today()


def _word(function: Any, name: str) -> str:
    value = function.get(name) if isinstance(function, dict) else None
    return value if isinstance(value, str) else ""


class FilterModule:
    """See the functions."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name → filter."""
        return {
            each.__name__: each
            for each in (code_folder, code_key, code_problem, handler_problem, runtime_refusal, runtime_warning)
        }

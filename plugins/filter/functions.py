"""Filters about functions: where their code lies, what its zip is called, what is wrong with it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
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


def functions_code(
    functions: Mapping[str, Any],
    beside: str,
    back: Mapping[str, str],
    live: Mapping[str, Mapping[str, str]],
    left_too: bool,
) -> dict[str, dict[str, str]]:
    """Function → `key`, its zip, and `left`, that which a rollback has left; it does not come back unasked.

    Args:
        functions: `site_functions`.
        beside: folder in which that of the inventory lies; empty if there is none.
        back: function → zip to which a rollback goes back.
        live: function → the same of what is live (`functions_live`).
        left_too: whether what was left is a release again.

    Raises:
        AnsibleFilterError: see `code_key`.
    """
    found = {}
    for name, entry in functions.items():
        was = live.get(name, {})
        key, left = was.get("key", ""), was.get("left", "")
        if name in back:
            found[name] = {"key": back[name], "left": key if key != back[name] else left}
            continue
        here = code_key(code_folder(entry["code"], beside))
        kept = bool(key) and here == left and not left_too
        found[name] = {"key": key, "left": left} if kept else {"key": here, "left": ""}
    return found


def functions_live(stacks: Mapping[str, Mapping[str, Any]], prefix: str) -> dict[str, dict[str, str]]:
    """Function → `key` and `left`, as the parameters of its stack say.

    Args:
        stacks: name → `parameters`, as preflight has found them.
        prefix: of the environment's stacks.
    """
    begin, found = f"{prefix}-function-", {}
    for name, stack in stacks.items():
        given = stack.get("parameters") or {}
        if name.startswith(begin) and given.get("FunctionCodeKey"):
            left = str(given.get("FunctionCodeLeft") or "")
            found[name.removeprefix(begin)] = {"key": str(given["FunctionCodeKey"]), "left": left}
    return found


def code_facts(outputs: Mapping[str, str]) -> dict[str, str]:
    """Function → the zip that it runs, as the ledger says it.

    Args:
        outputs: of the layers, `function.<entry>.FunctionCodeKey`.
    """
    named = (name.split(".") for name in outputs)
    return {
        each[1]: outputs[".".join(each)] for each in named if [each[0], each[-1]] == ["function", "FunctionCodeKey"]
    }


def code_back(entry: Mapping[str, Any], functions: Mapping[str, Any]) -> dict[str, str]:
    """What a rollback goes back to: function → zip, of those that the site still has.

    Args:
        entry: of the ledger.
        functions: `site_functions`.
    """
    return {name: str(key) for name, key in (entry.get("code") or {}).items() if name in functions and key}


def code_left(functions: Mapping[str, Any], beside: str, live: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Functions whose folders have what a rollback has left, so that what is live stays."""
    known = {name: each for name, each in functions.items() if live.get(name, {}).get("left")}
    found = functions_code(known, beside, {}, live, False)
    return [name for name, each in found.items() if each["left"] == live[name]["left"]]


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
            for each in (
                code_folder,
                code_key,
                code_problem,
                handler_problem,
                runtime_refusal,
                runtime_warning,
                functions_code,
                functions_live,
                code_facts,
                code_back,
                code_left,
            )
        }

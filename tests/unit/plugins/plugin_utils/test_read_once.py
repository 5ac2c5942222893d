"""What the controller has read, no worker reads again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from plugins.plugin_utils import read_once

PROJECT = Path(__file__).resolve().parents[4]
COUNT = """
import json, os, sys
sys.path.insert(0, ".")
from botocore.loaders import JSONFileLoader
from ansible.plugins.loader import PluginLoader
from plugins.plugin_utils import read_once
read_once.read_ahead(60)
read = []
for kind, method in ((JSONFileLoader, "load_file"), (PluginLoader, "_load_module_source")):
    def counted(self, *arguments, _original=getattr(kind, method), **options):
        read.append(str(arguments))
        return _original(self, *arguments, **options)
    setattr(kind, method, counted)
os.environ.update(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="none", AWS_ENDPOINT_URL="http://127.0.0.1:9")
made = [read_once.session().client(name, region_name="eu-west-1") for name in sys.argv[1:]]
from ansible.plugins.loader import filter_loader, lookup_loader, test_loader
found = [filter_loader.get("combine"), filter_loader.get("ansible.builtin.to_json"), test_loader.get("match")]
found.append(lookup_loader.get("site"))
where = [made[0].meta.endpoint_url, made[0]._request_signer._credentials.access_key] if made else []
print(json.dumps([read, where, all(found)]))
"""


def counted(*services: str) -> tuple[list[str], list[str], bool]:
    """What is read for clients of these services after what was read ahead; where the first leads, and as whom."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *services],
        cwd=PROJECT,
        env=os.environ,
        text=True,
        capture_output=True,
        check=True,
    )
    read, where, found = json.loads(done.stdout)
    return read, where, found


def test_the_clients_of_most_tasks_read_nothing_and_are_made_of_their_own_environment() -> None:
    assert counted(*read_once.SERVICES) == ([], ["http://127.0.0.1:9", "key"], True)


def test_another_client_reads_its_own_data_only() -> None:
    read, _, _ = counted("backup")
    assert read
    assert all("/backup/" in each for each in read), read


FORK = """
import os, sys
sys.path.insert(0, ".")
from plugins.plugin_utils import read_once
told = [len(read_once._left)]
if not os.fork():
    if not os.fork():
        os._exit(0)
    os.wait()
    os._exit(len(read_once._left))
told += [len(read_once._left), os.waitstatus_to_exitcode(os.wait()[1])]
for _ in read_once.SERVICES:
    if not os.fork():
        os._exit(0)
    os.wait()
print([*told, len(read_once._left)])
"""


def test_it_is_read_by_the_controller_while_its_workers_work() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], cwd=PROJECT, text=True, capture_output=True, check=True)
    before, behind, in_worker, at_last = json.loads(done.stdout)
    assert in_worker == before == len(read_once.SERVICES), "a worker reads nothing ahead, also where it forks itself"
    assert behind < before
    assert at_last == 0


def test_settings_of_a_person_that_are_wrong_are_told_by_who_asks_and_stop_nobody_else() -> None:
    code = "import sys; sys.path.insert(0, '.')\nfrom plugins.plugin_utils.read_once import session\nprint('there')\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "session().client('ecs', 'us-east-1')"],
        cwd=PROJECT, env=os.environ | {"AWS_PROFILE": "nobody"}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout == "there\n", done.stderr
    assert "ProfileNotFound" in done.stderr


def test_what_was_read_is_no_garbage_that_workers_look_through() -> None:
    code = "import gc, sys; sys.path.insert(0, '.')\nfrom plugins.plugin_utils import read_once\n"
    code += "print(any(each is read_once._DATA for each in gc.get_objects()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, text=True, capture_output=True, check=True)
    assert done.stdout == "False\n"

"""Code is zipped the same on any day and machine, called after what is in it, and uploaded once."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from local_aws.cloud import Cloud
from plugins.action import function_code as uploading
from plugins.filter import functions
from plugins.plugin_utils import function_code, runtimes
from plugins.plugin_utils.places import shown
from tests.unit.plugin_support import PROJECT, run_action, talk_to

ENTRY = {"code": "api", "handler": "app.handler", "runtime": "python3.13"}


@pytest.fixture
def api(tmp_path: Path) -> Path:
    """A folder with code, of two files, one of which is run."""
    top = tmp_path / "api"
    (top / "lib").mkdir(parents=True)
    (top / "app.py").write_text("def handler(event, context): ...\n")
    (top / "lib" / "run").write_text("#!/bin/sh\n")
    (top / "lib" / "run").chmod(0o700)
    return top


def names(content: bytes) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {each.filename: each for each in archive.infolist()}


def test_a_zip_has_sorted_names_one_time_and_modes_that_everybody_may_read(api: Path) -> None:
    (api / "z.py").write_text("")
    found = names(function_code.zipped(api))
    assert list(found) == ["app.py", "lib/run", "z.py"]
    assert {each.date_time for each in found.values()} == {(1980, 1, 1, 0, 0, 0)}
    assert [each.external_attr >> 16 for each in found.values()] == [0o100644, 0o100755, 0o100644]
    assert {each.create_system for each in found.values()} == {3}
    assert {each.compress_type for each in found.values()} == {zipfile.ZIP_DEFLATED}


def test_nothing_changes_where_nothing_changed(api: Path) -> None:
    before = function_code.key(api), function_code.zipped(api)
    os.utime(api / "app.py", (1, 1))
    (api / "app.py").chmod(0o600)
    for junk in ("__pycache__/app.cpython-311.pyc", ".git/HEAD", "lib/.DS_Store"):
        (api / junk).parent.mkdir(exist_ok=True)
        (api / junk).write_text("x")
    assert (function_code.key(api), function_code.zipped(api)) == before
    assert before[0].endswith(".zip")


@pytest.mark.parametrize("change", ["content", "name", "mode", "another"])
def test_what_is_in_it_gives_it_its_name(api: Path, change: str) -> None:
    before = function_code.key(api)
    if change == "content":
        (api / "app.py").write_text("def handler(event, context): 123\n")  # as long as before
    elif change == "name":
        (api / "app.py").rename(api / "main.py")
    elif change == "mode":
        (api / "app.py").chmod(0o755)
    else:
        (api / "b.py").write_text("")
    assert function_code.key(api) != before


def test_content_cannot_be_taken_for_a_name(tmp_path: Path) -> None:
    for folder, files in (("one", {"a": "b\0100644\0000\000"}), ("two", {"a": "", "b": ""})):
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / name).write_text(content)
    assert function_code.key(tmp_path / "one") != function_code.key(tmp_path / "two")


def test_a_link_to_a_file_is_that_file_and_another_link_is_refused(api: Path) -> None:
    (api / "b.py").symlink_to("app.py")
    found = names(function_code.zipped(api))
    assert stat.S_ISREG(found["b.py"].external_attr >> 16)
    assert functions.code_problem(ENTRY, str(api.parent)) == ""
    (api / "more").symlink_to("lib")
    assert "more is a link that leads to no file" in functions.code_problem(ENTRY, str(api.parent))
    with pytest.raises(AnsibleFilterError, match="more is a link"):
        functions.code_key(str(api))


def test_a_folder_lies_beside_the_inventory_or_in_the_project(api: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert functions.code_folder("api", str(api.parent)) == str(api)
    monkeypatch.setattr(function_code, "PROJECT", api.parent)
    assert functions.code_folder("api", "/nowhere") == functions.code_folder("api") == str(api)
    assert functions.code_folder(str(api), "/nowhere") == str(api)
    (api.parent / "live" / "api").mkdir(parents=True)
    assert functions.code_folder("api", str(api.parent / "live")) == str(api.parent / "live" / "api"), "of two"


def test_a_folder_beside_a_person_is_none_of_the_site_s(api: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(api.parent)
    assert functions.code_folder("api") == str(PROJECT / "api")


def test_what_is_wrong_with_a_folder_is_told(api: Path) -> None:
    beside = str(api.parent)
    assert functions.code_problem(ENTRY, beside) == ""
    said = functions.code_problem(ENTRY | {"code": "apis"}, beside)
    assert f"there is no such folder in {beside} or {shown(PROJECT)}. " in said
    assert f"there is no such folder in {shown(PROJECT)}. " in functions.code_problem(ENTRY | {"code": "apis"})
    (api.parent / "empty").mkdir()
    assert "in which there is no file" in functions.code_problem(ENTRY | {"code": "empty"}, beside)
    room = function_code.MOST_BYTES - (api / "app.py").stat().st_size - (api / "lib/run").stat().st_size
    for size, said in ((room, ""), (room + 1, "holds 251 MiB; Lambda takes 250")):
        with (api / "large").open("wb") as file:
            file.truncate(size)
        assert functions.code_problem(ENTRY, beside).partition("which ")[2].partition(". ")[0] == said
    told_by_the_model: list[Any] = [None, [], {}, {"code": 7}, {"code": ["api"]}]
    for each in told_by_the_model:
        assert functions.code_problem(each, beside) == functions.handler_problem(each, beside) == ""
    with pytest.raises(AnsibleFilterError, match="There is no folder"):
        functions.code_key("/nowhere")


@pytest.mark.parametrize(
    ("runtime", "handler", "file"),
    [
        ("python3.13", "app.handler", "app.py"),
        ("python3.13", "lib.app.handler", "lib/app.py"),
        ("python3.13", "lib/app.handler", "lib/app.py"),
        ("nodejs24.x", "lib/index.handler", "lib/index.mjs"),
        ("ruby3.4", "app.handler", "app.rb"),
        ("java21", "com.example.Handler::handle", ""),
        ("provided.al2023", "bootstrap", ""),
    ],
)
def test_a_handler_names_a_file_of_the_folder(runtime: str, handler: str, file: str, api: Path) -> None:
    (api / "app.py").unlink()
    given = ENTRY | {"runtime": runtime, "handler": handler}
    if file:
        assert "has to have" in functions.handler_problem(given, str(api.parent))
        (api / file).write_text("")
    assert functions.handler_problem(given, str(api.parent)) == ""


def test_a_handler_without_a_function_is_told_how_it_is_written(api: Path) -> None:
    said = functions.handler_problem(ENTRY | {"handler": "handler"}, str(api.parent))
    assert "is handler, must be a file of api and a function in it" in said


# Runtimes


def test_the_runtimes_end_when_aws_says_so() -> None:
    """As cfn-lint carries it. A date that AWS has moved is moved in plugins/plugin_utils/runtimes.py."""
    official = load_resource(AdditionalSpecs, "LmbdRuntimeLifecycle.json")
    for name, runtime in runtimes.RUNTIMES.items():
        assert str(runtime.block_create) == official[name]["create-block"], name
        assert runtime.successor == (official[name]["successor"] or "") or name == runtime.successor, name
    missing = {name for name, each in official.items() if (each["create-block"] or "") >= "2027-01-01"}
    assert missing - runtimes.RUNTIMES.keys() <= {"dotnet6"}


@pytest.mark.parametrize(
    ("today", "refused", "warned"),
    [
        ("2028-08-31", False, False),
        ("2028-09-01", False, True),
        ("2028-11-29", False, True),
        ("2028-11-30", True, False),
    ],
)
def test_a_runtime_is_warned_of_for_ninety_days_and_refused_from_its_end_on(
    today: str, refused: bool, warned: bool
) -> None:
    given = ENTRY | {"runtime": "python3.12"}
    told = functions.runtime_refusal(given, today), functions.runtime_warning(given, today)
    assert tuple(map(bool, told)) == (refused, warned)
    for sentence in filter(None, told):
        assert "2028-11-30" in sentence
        assert runtimes.SOURCE in sentence
        assert sentence.endswith("Write python3.14.")


def test_of_the_newest_runtime_nobody_knows_what_comes_next() -> None:
    assert runtimes.refusal("python3.14", date(2030, 1, 1)).endswith("Look there for a newer one.")
    assert runtimes.refusal("python3", date(2030, 1, 1)) == runtimes.warning("python3", date(2030, 1, 1)) == ""


# Upload


def test_code_is_uploaded_once(api: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="code-upload")
    key = function_code.key(api)

    def run(check: bool = False) -> dict[str, Any]:
        return run_action(uploading, {"bucket": "code-upload", "folders": [str(api)]}, check)

    assert run(check=True)["changed"]
    assert "Contents" not in s3.list_objects_v2(Bucket="code-upload")
    assert run()["uploaded"] == [key]
    assert run() == {"changed": False, "uploaded": [], "missing": []}
    looked = run_action(uploading, {"bucket": "code-upload", "keys": [key, "0a.zip"]})
    assert looked == {"changed": False, "uploaded": [], "missing": ["0a.zip"]}
    assert names(s3.get_object(Bucket="code-upload", Key=key)["Body"].read()).keys() == {"app.py", "lib/run"}
    (api / "app.py").write_text("")
    assert run()["changed"]
    assert len(s3.list_objects_v2(Bucket="code-upload")["Contents"]) == 2, "a rollback takes the one of before"


def test_what_cannot_be_uploaded_is_told(api: Path, aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    talk_to(aws, monkeypatch)
    gone = run_action(uploading, {"bucket": "code-nowhere", "folders": [str(api)]}, False)
    assert gone["failed"]
    assert "ListObjectsV2" in gone["msg"]
    (api / "more").symlink_to("nowhere")
    assert (
        "more is a link that leads to no file"
        in (run_action(uploading, {"bucket": "code-nowhere", "folders": [str(api)]}, False)["msg"])
    )


# What a rollback goes back to, and what it has left


def test_a_function_runs_what_its_folder_has_unless_a_rollback_says_otherwise(api: Path) -> None:
    here, given = function_code.key(api), {"items": {"code": str(api)}}

    def code(back: dict[str, str], live: dict[str, str], left_too: bool = False) -> list[str]:
        found = functions.functions_code(given, "", back, {"items": live} if live else {}, left_too)["items"]
        return [found["key"], found["left"]]

    assert code({}, {}) == [here, ""]
    assert code({}, {"key": "old.zip", "left": ""}) == [here, ""]
    assert code({"items": "old.zip"}, {"key": here}) == ["old.zip", here]
    assert code({"items": "old.zip"}, {"key": "old.zip", "left": here}) == ["old.zip", here], "a second time"
    # The next `site`.
    left = {"key": "old.zip", "left": here}
    assert code({}, left) == ["old.zip", here]
    assert code({}, left, left_too=True) == [here, ""], "a release"
    assert code({}, {"key": "old.zip", "left": "other.zip"}) == [here, ""], "anything else is new"
    assert functions.code_left(given, "", {"items": left}) == ["items"]
    assert functions.code_left(given, "", {"items": {"key": here, "left": "x"}}) == []
    assert functions.code_left(given, "", {"items": {"key": here, "left": ""}}) == []


def test_what_a_function_runs_is_read_of_its_stack() -> None:
    def stack(**given: str) -> dict[str, Any]:
        return {"status": "UPDATE_COMPLETE", "parameters": given, "outputs": {}}

    stacks = {
        "shop-live-function-items": stack(FunctionCodeKey="0a.zip", FunctionCodeLeft="0b.zip"),
        "shop-live-function-of-before": stack(FunctionCodeKey="0c.zip"),
        "shop-live-function-made": stack(), "shop-live-job-x": stack(FunctionCodeKey="0d.zip"),
    }  # fmt: skip
    assert functions.functions_live(stacks, "shop-live") == {
        "items": {"key": "0a.zip", "left": "0b.zip"}, "of-before": {"key": "0c.zip", "left": ""},
    }  # fmt: skip

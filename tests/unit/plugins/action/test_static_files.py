"""Static files are uploaded once, pages last, with types and headers; what has gone is kept for a while."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import static_files as uploading
from plugins.filter.static_files import static_problem
from plugins.plugin_utils import static_files
from plugins.plugin_utils.places import shown
from plugins.plugin_utils.static_files import IMMUTABLE, REVALIDATED
from tests.unit.plugin_support import PROJECT, run_action, talk_to
from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

CSS = "assets/site-1f3c9a0b.css"
TEXT = "text/html; charset=utf-8"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A folder of built files: a page, what it needs, and what is in no zip either."""
    top = tmp_path / "dist"
    for name in ("index.html", CSS, "robots.txt", ".DS_Store"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    return top


def headers(top: Path, **own: str) -> dict[str, str]:
    return {each.key: each.cache_control for each in static_files.read(top, own)}


# Names


@pytest.mark.parametrize(
    "name",
    [
        "main.8f3a2b1c.js", "main.8f3a2b1c.js.map", "static/js/2.07ab1234.chunk.js", "css/site.55e7cbb9ba48.css",
        "_next/static/chunks/webpack-8fa1640cc84ba8fe.js", "assets/index-BX3kZ9aQ.js", "assets/app-5W3CQXPM.js",
    ],
)  # fmt: skip
def test_a_name_with_a_hash_of_the_content_is_kept_for_a_year(name: str) -> None:
    assert static_files.named_by_content([name, "robots.txt"]) == {name}


@pytest.mark.parametrize(
    "name",
    [
        "app.js", "index.html", "page.8f3a2b1c.html", "report-20240131.pdf", "report-20240131.PDF", "note.deadbeef.txt",
        "chunk-DataGrid.js", "icon-Chrome12.png", "photo-2024Juli.jpg", "jquery-3.7.1.min.js", "App-V2_Final.js",
        "8f3a2b1c", "8f3a2b1c.txt", "lib-v1-2-rc3.js", "logo-settings.svg", "a.8f3a2b1", "archive.8f3a2b1c",
    ],
)  # fmt: skip
def test_a_name_that_may_mean_something_else_is_asked_for_each_time(name: str) -> None:
    assert static_files.named_by_content([name]) == set()


def test_names_that_look_like_words_are_hashes_among_nothing_but_hashes() -> None:
    vite = ["assets/index-DiwrgTda.js", "assets/page-settings.css", "assets/index-B-x_9kQ2.js"]
    sure = "assets/app-BX3kZ9aQ.js"
    assert static_files.named_by_content(vite) == set(), "none of them is surely one"
    assert static_files.named_by_content([*vite, sure, "favicon.ico"]) == {*vite, sure}
    assert static_files.named_by_content([*vite, sure, "assets/photo.png"]) == {sure}


def test_an_entrys_own_patterns_come_first_and_the_first_that_fits_holds(dist: Path) -> None:
    assert headers(dist) == {CSS: IMMUTABLE, "index.html": REVALIDATED, "robots.txt": REVALIDATED}
    own = {"*.css": "max-age=1", "assets/*": "max-age=2", "index.*": "max-age=3"}
    assert headers(dist, **own) == {CSS: "max-age=1", "index.html": "max-age=3", "robots.txt": REVALIDATED}
    assert headers(dist, **{"*": "no-store"}) == dict.fromkeys([CSS, "index.html", "robots.txt"], "no-store")


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("index.html", TEXT), ("INDEX.HTML", TEXT), ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.js.map", "application/json; charset=utf-8"), ("a.svg", "image/svg+xml; charset=utf-8"),
        ("site.webmanifest", "application/manifest+json; charset=utf-8"), ("a.png", "image/png"),
        ("f.woff2", "font/woff2"), ("a.wasm", "application/wasm"), ("LICENSE", static_files.OTHER),
        ("a.unheard", static_files.OTHER), (".well-known/x", static_files.OTHER),
    ],
)  # fmt: skip
def test_a_type_follows_from_the_ending(key: str, wanted: str) -> None:
    assert static_files.content_type(key) == wanted


@pytest.mark.parametrize(
    ("key", "page"),
    [("index.html", True), ("old.htm", True), ("INDEX.HTML", True), ("html", False), ("page.html.js", False)],
)
def test_a_page_is_told_by_its_ending(key: str, page: bool) -> None:
    assert static_files.File(key, Path(key), TEXT, REVALIDATED).is_page is page


# What is wrong with a folder


def test_a_right_folder_has_nothing_wrong_and_lies_beside_the_inventory_or_in_the_project(dist: Path) -> None:
    assert static_problem({"folder": "dist"}, str(dist.parent)) == ""
    assert static_problem({"folder": "roles/static/files/example"}) == ""
    missing = static_problem({"folder": "dits"}, str(dist.parent))
    assert f"is dits, and there is no such folder in {dist.parent} or {shown(PROJECT)}. Build the files" in missing
    told_by_the_model: list[Any] = [None, [], {}, {"folder": 7}, {"folder": ""}]
    for each in told_by_the_model:
        assert static_problem(each, str(dist.parent)) == ""


def test_a_folder_that_cannot_be_uploaded_is_told_why(dist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> str:
        return static_problem({"folder": "dist"}, str(dist.parent)).partition("which cannot be uploaded: ")[2]

    (dist / "same.css").symlink_to(CSS)
    assert said() == "", "a link within the folder is that file"
    (dist.parent / "secret.txt").write_text("x")
    (dist / "out.txt").symlink_to("../secret.txt")
    assert said().startswith("out.txt is a link that leads out of the folder. Put the file itself there")
    (dist / "out.txt").unlink()
    (dist / "more").symlink_to("assets")
    assert said().startswith("more is a link that leads to no file")
    (dist / "more").unlink()
    monkeypatch.setattr(static_files, "MOST_BYTES", 10)
    assert said().startswith(f"{CSS} is larger than 5 GiB")
    monkeypatch.setattr(static_files, "MOST_BYTES", len(CSS))
    monkeypatch.setattr(static_files, "KEY_BYTES", 10)
    assert said().startswith(f"the name {CSS} has more than 10 bytes")
    monkeypatch.setattr(static_files, "KEY_BYTES", len(CSS))
    assert said() == ""
    (dist / "caf\udce9.txt").write_text("x")
    assert said().startswith("the name 'caf\\udce9.txt' is no UTF-8")


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist/assets").mkdir(parents=True)
    assert "in which there is no file" in static_problem({"folder": "dist"}, str(tmp_path))
    failed = run_action(uploading, {"bucket": "none", "folder": str(tmp_path / "dist")}, client=lambda _: None)
    assert failed["msg"] == f"There is no file in {tmp_path / 'dist'}. Build the files first."


@pytest.mark.parametrize("verb", ["site", "hosts", "teardown"])
def test_a_verb_that_uploads_nothing_does_not_ask_for_what_was_built(verb: str) -> None:
    (rule,) = load("roles/static/rules.yml")
    known = variables("roles/static/vars/main.yml", site_static={"front": {"folder": "none"}}, inventory_dir=None)
    if verb != "site":
        known |= tasks_of(f"playbooks/{verb}.yml")["Refuse what can be told offline"]["vars"]
    (item,) = evaluate(rule["each"], known)
    assert evaluate(rule["variable"], known | {"item": item}) == "site_static.front.folder"
    assert holds(rule["that"], known | {"item": item}) is (verb != "site")


# Upload


class Uploads:
    """A bucket, and what the module does with it."""

    def __init__(self, aws: Cloud, dist: Path) -> None:
        # moto remembers whose a name is beyond the test.
        self.s3, self.dist, self.bucket = aws.client("s3"), dist, f"static-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.bucket)

    def run(self, check: bool = False, **more: Any) -> dict[str, Any]:
        result = run_action(uploading, {"bucket": self.bucket, "folder": str(self.dist), **more}, check)
        assert not result.get("failed"), result
        return result

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def head(self, key: str) -> dict[str, Any]:
        return dict(self.s3.head_object(Bucket=self.bucket, Key=key))

    def body(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def tags(self, key: str) -> list[dict[str, str]]:
        return list(self.s3.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"])


@pytest.fixture
def uploads(aws: Cloud, dist: Path, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    talk_to(aws, monkeypatch)
    return Uploads(aws, dist)


def test_files_are_uploaded_once_with_their_headers_and_pages_last(uploads: Uploads) -> None:
    shown_only = uploads.run(check=True)
    assert (shown_only["changed"], uploads.keys()) == (True, [])
    made = uploads.run()
    assert made["uploaded"] == shown_only["uploaded"] == [CSS, "robots.txt", "index.html"]
    assert made["diff"] == shown_only["diff"]
    assert made["diff"][0]["prepared"].splitlines()[2] == f"+ index.html ({TEXT}, no-cache)"
    assert uploads.keys() == [CSS, "index.html", "robots.txt"]
    head = uploads.head(CSS)
    assert (head["ContentType"], head["CacheControl"]) == ("text/css; charset=utf-8", IMMUTABLE)
    assert uploads.body(CSS) == CSS.encode()
    assert uploads.run() == {"changed": False, "uploaded": [], "superseded": [], "diff": []}


def test_what_differs_is_uploaded_and_nothing_else(uploads: Uploads) -> None:
    uploads.run()
    (uploads.dist / "robots.txt").write_text("ROBOTS.txt")  # as long as before
    changed = uploads.run()
    assert (changed["uploaded"], uploads.body("robots.txt")) == (["robots.txt"], b"ROBOTS.txt")
    assert changed["diff"][0]["prepared"] == "~ robots.txt (text/plain; charset=utf-8, no-cache)\n"
    own = {"index.html": "no-store"}
    assert uploads.run(cache_control=own)["uploaded"] == ["index.html"], "another header"
    assert uploads.head("index.html")["CacheControl"] == "no-store"
    uploads.s3.copy_object(
        Bucket=uploads.bucket, Key=CSS, CopySource={"Bucket": uploads.bucket, "Key": CSS}, MetadataDirective="REPLACE",
        Metadata=uploads.head(CSS)["Metadata"], CacheControl=IMMUTABLE, ContentType="text/plain",
    )  # fmt: skip
    assert uploads.run(cache_control=own)["uploaded"] == [CSS], "another type"
    uploads.s3.put_object(Bucket=uploads.bucket, Key="robots.txt", Body=b"by hand")
    assert uploads.run(cache_control=own)["uploaded"] == ["robots.txt"], "of which no hash is known"


def test_what_the_folder_has_no_longer_is_tagged_once_and_comes_back_without(uploads: Uploads) -> None:
    uploads.run()
    before = uploads.head(CSS)
    (uploads.dist / CSS).rename(uploads.dist / "assets/site-2f3c9a0b.css")
    assert uploads.run(check=True)["superseded"] == [CSS]
    assert uploads.tags(CSS) == []
    replaced = uploads.run()
    assert (replaced["uploaded"], replaced["superseded"]) == (["assets/site-2f3c9a0b.css"], [CSS])
    assert f"= {CSS} is superseded" in replaced["diff"][0]["prepared"]
    assert uploads.tags(CSS) == [{"Key": "berth:superseded", "Value": "true"}]
    after = uploads.head(CSS)
    assert uploads.body(CSS) == CSS.encode(), "a page of before still finds it"
    for header in ("ContentType", "CacheControl"):
        assert after[header] == before[header]
    assert not uploads.run()["changed"], "its days are counted from the first time"

    (uploads.dist / CSS).write_text(CSS)
    back = uploads.run()
    assert (back["uploaded"], back["superseded"], uploads.tags(CSS)) == ([CSS], [], [])
    assert not uploads.run()["changed"]


def test_what_is_superseded_is_written_once_more_as_its_days_count_from_then(uploads: Uploads) -> None:
    copied = []

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(uploads.s3, name)

        def copy_object(self, **given: Any) -> Any:
            copied.append(given)
            return uploads.s3.copy_object(**given)

    uploads.run()
    (uploads.dist / CSS).unlink()
    run_action(uploading, {"bucket": uploads.bucket, "folder": str(uploads.dist)}, client=lambda _: Listening())
    (copy,) = copied
    assert (copy["MetadataDirective"], copy["TaggingDirective"]) == ("REPLACE", "REPLACE")
    assert copy["CopySource"] == {"Bucket": copy["Bucket"], "Key": copy["Key"]}


def test_many_files_are_listed_page_by_page_and_asked_for_some_at_once(uploads: Uploads) -> None:
    for number in range(1_003):
        (uploads.dist / f"{number}.txt").write_text("x")
    assert len(uploads.run()["uploaded"]) == 1_006
    assert not uploads.run()["changed"]


class Failing:
    """S3 that fails at one key."""

    def __init__(self, s3: Any, operation: str, key: str, code: str = "AccessDenied") -> None:
        self._s3, self._operation, self._key, self._code = s3, operation, key, code
        self.seen, self._lock = list[str](), threading.Lock()

    def __getattr__(self, name: str) -> Any:
        if name != self._operation:
            return getattr(self._s3, name)

        def call(**given: Any) -> Any:
            with self._lock:
                self.seen.append(given["Key"])
            if given["Key"] == self._key:
                raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, name)
            return getattr(self._s3, name)(**given)

        return call


def test_no_page_is_there_before_all_that_it_names(uploads: Uploads) -> None:
    failing = Failing(uploads.s3, "put_object", CSS)
    failed = run_action(uploading, {"bucket": uploads.bucket, "folder": str(uploads.dist)}, client=lambda _: failing)
    assert failed["failed"]
    assert "put_object: no" in failed["msg"]
    assert "index.html" not in [*failing.seen, *uploads.keys()]


def test_an_object_that_goes_while_it_is_looked_at_is_none(uploads: Uploads) -> None:
    uploads.run()
    uploads.s3.put_object(Bucket=uploads.bucket, Key="old.txt", Body=b"x")
    given = {"bucket": uploads.bucket, "folder": str(uploads.dist)}
    gone = Failing(uploads.s3, "head_object", "old.txt", "404")
    assert run_action(uploading, given, client=lambda _: gone)["superseded"] == []
    closed = Failing(uploads.s3, "head_object", "old.txt", "403")
    assert "head_object: no" in run_action(uploading, given, client=lambda _: closed)["msg"]


def test_what_cannot_be_uploaded_is_told(uploads: Uploads) -> None:
    given = {"bucket": uploads.bucket, "folder": str(uploads.dist)}
    nowhere = run_action(uploading, given | {"bucket": "static-nowhere"})
    assert "ListObjectsV2" in nowhere["msg"]
    (uploads.dist / "more").symlink_to("nowhere")
    said = run_action(uploading, given)["msg"]
    assert f"The files in {uploads.dist} cannot be uploaded: more is a link that leads to no file." in said

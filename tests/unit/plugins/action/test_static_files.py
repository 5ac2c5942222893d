"""Static files are uploaded once, pages last, with types and headers; what has gone is kept for a while."""

from __future__ import annotations

import re
import threading
import uuid
from pathlib import Path
from typing import Any

import docker
import pytest
from botocore.exceptions import ClientError

from local_aws.cloud import Cloud
from plugins.action import static_files as uploading
from plugins.action import static_keep as keeping
from plugins.action import static_live as showing
from plugins.filter.images import image_pushes
from plugins.filter.static_files import static_problem
from plugins.plugin_utils import static_files, static_release
from plugins.plugin_utils.places import shown
from plugins.plugin_utils.static_files import IMMUTABLE, REVALIDATED
from tests.unit.plugin_support import PROJECT, environment, playbook, run_action, talk_to
from tests.unit.plugins.plugin_utils.image_support import Engine, Entry, link, packed
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
    assert static_release.pages_last([key]) == (([], [key]) if page else ([key], []))


# What is wrong with a folder


def test_a_right_folder_has_nothing_wrong_and_lies_beside_the_inventory_or_in_the_project(dist: Path) -> None:
    assert static_problem({"folder": "dist"}, str(dist.parent)) == ""
    assert static_problem({"folder": "roles/static/files/example"}) == ""
    missing = static_problem({"folder": "dits"}, str(dist.parent))
    assert f"is dits, and there is no such folder in {dist.parent} or {shown(PROJECT)}. Build the files" in missing
    told_by_the_model: list[Any] = [
        None,
        [],
        {},
        {"folder": 7},
        {"folder": ""},
        {"image": "shop/front", "path": "/srv"},
    ]
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


@pytest.mark.parametrize("verb", ["site", "hosts", "rollback", "teardown"])
def test_a_verb_that_uploads_nothing_does_not_ask_for_what_was_built(verb: str) -> None:
    (rule,) = load("roles/static/rules.yml")
    known = variables("roles/static/vars/main.yml", site_static={"front": {"folder": "none"}}, inventory_dir=None)
    if verb != "site":
        known |= tasks_of(f"playbooks/{verb}.yml")["Refuse what can be told offline"]["vars"]
    (item,) = evaluate(rule["each"], known)
    assert evaluate(rule["variable"], known | {"item": item}) == "site_static.front.folder"
    assert holds(rule["that"], known | {"item": item}) is (verb != "site")


# Upload


NOTHING = {"changed": False, "uploaded": [], "diff": []}
"""What is said where nothing was to be uploaded, beside what is shown."""


class Uploads:
    """A bucket, and what the modules do with it."""

    def __init__(self, aws: Cloud, dist: Path) -> None:
        # moto remembers whose a name is beyond the test.
        self.s3, self.dist, self.bucket = aws.client("s3"), dist, f"static-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.bucket)

    def run(self, check: bool = False, **more: Any) -> dict[str, Any]:
        result = run_action(uploading, {"bucket": self.bucket, "folder": str(self.dist), **more}, check)
        assert not result.get("failed"), result
        return result

    def show(self, release: str, check: bool = False, left: bool = False) -> dict[str, Any]:
        result = run_action(showing, {"bucket": self.bucket, "release": release, "back": left}, check)
        assert not result.get("failed"), result
        return result

    def keep(self, *releases: str, check: bool = False) -> dict[str, Any]:
        return run_action(keeping, {"bucket": self.bucket, "releases": list(releases)}, check)

    def release(self, *kept: str, **more: Any) -> dict[str, Any]:
        """Upload, show and keep, as a release does."""
        made = self.run(**more)
        self.show(made["release"])
        self.keep(*kept)
        return made

    def keys(self) -> list[str]:
        """Of what is asked for."""
        return [key for key in self.all_keys() if not key.startswith("_releases/")]

    def all_keys(self) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def head(self, key: str) -> dict[str, Any]:
        return dict(self.s3.head_object(Bucket=self.bucket, Key=key))

    def body(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def tags(self, key: str) -> list[dict[str, str]]:
        return list(self.s3.get_object_tagging(Bucket=self.bucket, Key=key)["TagSet"])

    def superseded(self) -> list[str]:
        return [key for key in self.all_keys() if self.tags(key) == [{"Key": "berth:superseded", "Value": "true"}]]


@pytest.fixture
def uploads(aws: Cloud, dist: Path, monkeypatch: pytest.MonkeyPatch) -> Uploads:
    talk_to(aws, monkeypatch)
    return Uploads(aws, dist)


def test_files_are_uploaded_once_with_their_headers_and_pages_last(uploads: Uploads) -> None:
    shown_only = uploads.run(check=True)
    assert (shown_only["changed"], uploads.all_keys()) == (True, [])
    made = uploads.run()
    assert made["uploaded"] == shown_only["uploaded"] == [CSS, "robots.txt", "index.html"]
    assert made["diff"] == shown_only["diff"]
    assert made["diff"][0]["prepared"].splitlines()[2] == f"+ index.html ({TEXT}, no-cache)"
    assert uploads.keys() == [CSS, "index.html", "robots.txt"], "what replaces nothing is shown at once"
    head = uploads.head(CSS)
    assert (head["ContentType"], head["CacheControl"]) == ("text/css; charset=utf-8", IMMUTABLE)
    assert uploads.body(CSS) == CSS.encode()
    again = uploads.run()
    assert again == NOTHING | {"release": made["release"], "waits": True}, "nobody has said yet that it is shown"
    uploads.show(made["release"])
    uploads.keep()
    assert uploads.run() == NOTHING | {"release": made["release"], "waits": False}


def test_of_what_has_no_hash_a_release_has_a_copy_of_its_own(uploads: Uploads) -> None:
    release = uploads.run()["release"]
    assert re.fullmatch("[0-9a-f]{16}", release)
    folder = f"_releases/{release}/"
    own = [f"_releases/{release}.json", f"{folder}index.html", f"{folder}robots.txt"]
    assert sorted(set(uploads.all_keys()) - set(uploads.keys())) == sorted(own)
    for key in ("index.html", "robots.txt"):
        live, kept = uploads.head(key), uploads.head(folder + key)
        assert [live[name] for name in ("ContentType", "CacheControl", "Metadata")] == [
            kept[name] for name in ("ContentType", "CacheControl", "Metadata")
        ]
    elsewhere = uploads.dist.with_name("elsewhere")
    uploads.dist.rename(elsewhere)
    assert uploads.run(folder=str(elsewhere))["release"] == release, "called after what is in it, wherever it lies"
    assert uploads.run(folder=str(elsewhere), cache_control={"*.txt": "no-store"})["release"] != release


def test_what_would_replace_something_waits_for_the_proof(uploads: Uploads) -> None:
    first = uploads.release()["release"]
    (uploads.dist / "robots.txt").write_text("ROBOTS.txt")  # as long as before
    (uploads.dist / "new.txt").write_text("new")
    changed = uploads.run()
    assert (changed["uploaded"], changed["waits"]) == (["new.txt", "robots.txt"], True)
    assert changed["diff"][0]["prepared"].splitlines() == [
        "+ new.txt (text/plain; charset=utf-8, no-cache)", "~ robots.txt (text/plain; charset=utf-8, no-cache)",
    ]  # fmt: skip
    assert (uploads.body("robots.txt"), uploads.body("new.txt")) == (b"robots.txt", b"new")
    assert uploads.run(check=True)["changed"], "a check run says that it would be shown"
    looked = uploads.show(changed["release"], check=True)
    assert (looked["changed"], looked["shown"], uploads.body("robots.txt")) == (True, ["robots.txt"], b"robots.txt")
    shown_now = uploads.show(changed["release"])
    assert (shown_now["shown"], shown_now["replaced"]) == (["robots.txt"], ["robots.txt"])
    assert uploads.body("robots.txt") == b"ROBOTS.txt"
    assert uploads.show(changed["release"]) == {"changed": False, "shown": [], "replaced": [], "diff": []}

    # And back, though this machine has other files by now.
    back = uploads.show(first)
    assert (back["shown"], uploads.body("robots.txt")) == (["robots.txt"], b"robots.txt")


def test_what_differs_is_shown_and_nothing_else(uploads: Uploads) -> None:
    uploads.release()
    own = {"index.html": "no-store"}
    again = uploads.run(cache_control=own)
    shown_now = uploads.show(again["release"])
    assert (shown_now["shown"], shown_now["replaced"]) == (["index.html"], []), "another header of the same content"
    assert uploads.head("index.html")["CacheControl"] == "no-store"
    uploads.s3.copy_object(
        Bucket=uploads.bucket, Key=CSS, CopySource={"Bucket": uploads.bucket, "Key": CSS}, MetadataDirective="REPLACE",
        Metadata=uploads.head(CSS)["Metadata"], CacheControl=IMMUTABLE, ContentType="text/plain",
    )  # fmt: skip
    assert uploads.run(cache_control=own)["uploaded"] == [CSS], "another type"
    uploads.s3.put_object(Bucket=uploads.bucket, Key="robots.txt", Body=b"by hand")
    assert uploads.run(cache_control=own)["waits"]
    assert uploads.show(again["release"])["shown"] == ["robots.txt"], "of which no hash is known"
    assert uploads.body("robots.txt") == b"robots.txt"


def test_what_is_kept_no_longer_is_tagged_once_and_comes_back_without(uploads: Uploads) -> None:
    first = uploads.release()["release"]
    before = uploads.head(CSS)
    (uploads.dist / CSS).rename(uploads.dist / "assets/site-2f3c9a0b.css")
    replaced = uploads.run()
    assert replaced["uploaded"] == ["assets/site-2f3c9a0b.css"], "of the others the bucket has the content"
    uploads.show(replaced["release"])
    assert uploads.superseded() == [], "the proof comes first"
    gone = [f"_releases/{first}.json", f"_releases/{first}/index.html", f"_releases/{first}/robots.txt", CSS]
    assert sorted(uploads.keep(check=True)["superseded"]) == sorted(gone)
    assert uploads.superseded() == []
    kept = uploads.keep()
    assert sorted(kept["superseded"]) == sorted(uploads.superseded()) == sorted(gone)
    assert f"= {CSS} is superseded" in kept["diff"][0]["prepared"]
    after = uploads.head(CSS)
    assert uploads.body(CSS) == CSS.encode(), "a page of before still finds it"
    for header in ("ContentType", "CacheControl"):
        assert after[header] == before[header]
    assert not uploads.keep()["changed"], "its days are counted from the first time"

    # Back while it is there still; with it the other one goes.
    uploads.show(first)
    assert uploads.tags(CSS) == []
    assert uploads.head(CSS)["Metadata"] == before["Metadata"]
    uploads.keep()
    assert not {each for each in uploads.superseded() if first in each}
    (uploads.dist / "assets/site-2f3c9a0b.css").rename(uploads.dist / CSS)
    assert not uploads.run()["waits"]
    assert not uploads.keep()["changed"]


def test_what_is_good_is_kept_however_old(uploads: Uploads) -> None:
    first = uploads.release()["release"]
    (uploads.dist / CSS).rename(uploads.dist / "assets/site-2f3c9a0b.css")
    uploads.release(first)
    assert uploads.superseded() == []
    (uploads.dist / "index.html").write_text("third")
    third = uploads.release(first)["release"]
    assert {each.partition("/")[2][:16] for each in uploads.superseded()} & {first, third} == set()
    assert len(uploads.superseded()) == 3, "the second one's list, page and robots.txt; its stylesheet is the third's"
    shown_now = uploads.show(first)
    assert "index.html" in shown_now["shown"]
    assert (uploads.body("index.html"), uploads.tags(CSS)) == (b"index.html", [])


def test_a_release_that_is_not_whole_is_not_shown_at_all(uploads: Uploads) -> None:
    first = uploads.release()["release"]
    (uploads.dist / "index.html").write_text("second")
    (uploads.dist / "robots.txt").write_text("second")
    uploads.release(first)
    uploads.s3.delete_object(Bucket=uploads.bucket, Key=f"_releases/{first}/robots.txt")
    given = {"bucket": uploads.bucket, "release": first}
    for check in (True, False):
        failed = run_action(showing, given, check)
        assert f"The static files of the release {first} are not all in the bucket" in failed["msg"]
        assert "it has no robots.txt. Nothing was changed." in failed["msg"]
        assert uploads.body("index.html") == b"second"
    assert uploads.keep(first)["lost"] == [first]
    failed = run_action(showing, given | {"release": "0" * 16})
    assert "it has no list of them. Nothing was changed." in failed["msg"]


def test_a_name_that_stood_for_another_content_comes_back_with_it(uploads: Uploads) -> None:
    first = uploads.release()["release"]
    (uploads.dist / CSS).write_text("of another build")
    second = uploads.run()
    assert (second["uploaded"], uploads.body(CSS)) == ([CSS], CSS.encode()), "it waits, as it would replace something"
    uploads.show(second["release"])
    uploads.keep(first)
    assert uploads.body(CSS) == b"of another build"
    assert uploads.show(first)["replaced"] == [CSS]
    assert uploads.body(CSS) == CSS.encode()
    uploads.show(second["release"])
    assert uploads.body(CSS) == b"of another build"


def test_what_a_rollback_has_left_is_not_shown_again_unasked(uploads: Uploads) -> None:
    first = uploads.release()["release"]
    (uploads.dist / "index.html").write_text("second")
    second = uploads.release(first)["release"]
    uploads.show(first, left=True)
    uploads.keep(first)
    kept = uploads.run()
    assert kept == NOTHING | {"release": first, "waits": False}
    assert uploads.body("index.html") == b"index.html"
    (uploads.dist / "index.html").write_text("third")
    third = uploads.run()
    assert third["waits"], "anything else is new"
    uploads.show(third["release"])
    (uploads.dist / "index.html").write_text("second")
    assert uploads.run()["release"] == third["release"], "nor after another release"

    # Who releases it means it; then it is as any other.
    again = uploads.run(left_too=True)
    assert (again["release"], again["waits"]) == (second, True)
    uploads.show(second)
    (uploads.dist / "index.html").write_text("third")
    uploads.show(uploads.run()["release"])
    (uploads.dist / "index.html").write_text("second")
    assert uploads.run()["release"] == second


def test_what_is_superseded_is_written_once_more_as_its_days_count_from_then(uploads: Uploads) -> None:
    copied = []

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(uploads.s3, name)

        def copy_object(self, **given: Any) -> Any:
            copied.append(given)
            return uploads.s3.copy_object(**given)

    first = uploads.release()["release"]
    (uploads.dist / CSS).unlink()
    uploads.show(uploads.run()["release"])
    run_action(keeping, {"bucket": uploads.bucket, "releases": [first]}, client=lambda _: Listening())
    assert copied == [], "what is good is not touched"
    run_action(keeping, {"bucket": uploads.bucket}, client=lambda _: Listening())
    (copy,) = [each for each in copied if each["Key"] == CSS]
    assert (copy["MetadataDirective"], copy["TaggingDirective"]) == ("REPLACE", "REPLACE")
    assert copy["CopySource"] == {"Bucket": copy["Bucket"], "Key": copy["Key"]}


@pytest.mark.long
def test_many_files_are_listed_page_by_page_and_asked_for_some_at_once(uploads: Uploads) -> None:
    for number in range(1_003):
        (uploads.dist / f"{number}-0f3c9d1e.txt").write_text("x")
    made = uploads.run()
    assert len(made["uploaded"]) == 1_006
    assert not uploads.run()["changed"]
    assert uploads.show(made["release"])["shown"] == []


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
    given = {"bucket": uploads.bucket}
    gone = Failing(uploads.s3, "head_object", "old.txt", "404")
    uploads.show(uploads.run()["release"])
    assert run_action(keeping, given, client=lambda _: gone)["superseded"] == []
    closed = Failing(uploads.s3, "head_object", "old.txt", "403")
    assert "head_object: no" in run_action(keeping, given, client=lambda _: closed)["msg"]


def test_what_cannot_be_uploaded_is_told(uploads: Uploads) -> None:
    given = {"bucket": uploads.bucket, "folder": str(uploads.dist)}
    nowhere = run_action(uploading, given | {"bucket": "static-nowhere"})
    assert "ListObjectsV2" in nowhere["msg"]
    (uploads.dist / "more").symlink_to("nowhere")
    said = run_action(uploading, given)["msg"]
    assert f"The files in {uploads.dist} cannot be uploaded: more is a link that leads to no file." in said


# Inside an image

FRONT, CONTENT = "shop/front", "0f3c9d1e2a4b"
LIVE = f"111122223333.dkr.ecr.us-east-1.amazonaws.com/shop-live/shop-front:{CONTENT}"
SRV = "/srv/site"
BUILT = {"index.html": "page", CSS: "css"}


class Image:
    """A bucket whose files lie in an image."""

    def __init__(self, uploads: Uploads, engine: Engine) -> None:
        self.uploads, self.engine, self.shown = uploads, engine, list[str]()

    def run(self, check: bool = False, runs: str = LIVE, **more: Any) -> dict[str, Any]:
        self.shown = []
        return run_action(
            uploading,
            {"bucket": self.uploads.bucket, "image": FRONT, "path": SRV, "runs": runs, **more},
            check,
            say=lambda _, text, __=None: self.shown.append(text),
        )

    def release(self, content: str, files: dict[str, str]) -> str:
        """Build another image of the name; what the site runs once it is published."""
        self.engine.images_here, self.engine.files = {FRONT: f"sha256:{content}beef"}, {SRV: files}
        return f"{LIVE.partition(':')[0]}:{content}"


@pytest.fixture
def image(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> Image:
    engine = Engine({FRONT: f"sha256:{CONTENT}beef"}, {SRV: BUILT})
    monkeypatch.setattr(docker, "from_env", engine.from_env)
    return Image(uploads, engine)


def test_files_of_an_image_are_uploaded_as_those_of_a_folder(image: Image) -> None:
    shown_only = image.run(check=True)
    assert (shown_only["changed"], image.uploads.keys()) == (True, [])
    made = image.run(cache_control={"*.html": "no-store"})
    assert made["uploaded"] == [CSS, "index.html"]
    head = image.uploads.head("index.html")
    assert (head["ContentType"], head["CacheControl"]) == (TEXT, "no-store")
    assert image.uploads.body(CSS) == b"css"
    assert image.run(cache_control={"*.html": "no-store"}) == NOTHING | {"release": made["release"], "waits": True}
    assert (image.shown, image.engine.left) == ([], [])

    new = image.release("1f3c9d1e2a4b", {"index.html": "new"})
    again = image.run(runs=new)
    assert again["uploaded"] == ["index.html"]
    image.uploads.show(again["release"])
    assert image.uploads.keep()["superseded"].count(CSS) == 1
    assert image.uploads.body("index.html") == b"new"
    assert image.uploads.body(CSS) == b"css", "a page of before still finds it"
    assert not image.run(runs=new)["changed"]


def test_an_image_that_is_built_and_not_released_stays_here(image: Image) -> None:
    live = image.run()["release"]
    image.uploads.show(live)
    image.uploads.keep()
    image.release("1f3c9d1e2a4b", {"index.html": "of next week"})
    kept = image.run()
    assert kept == NOTHING | {"release": live, "waits": False}
    said = (
        f"This machine has not the image {FRONT} that the site runs, {LIVE}. What is in {image.uploads.bucket} stays."
    )
    assert image.shown == [said]
    assert image.uploads.body("index.html") == b"page"


@pytest.mark.parametrize("silent", ["", "no socket"])
def test_where_the_image_is_not_what_is_in_the_bucket_stays_and_an_empty_one_is_refused(
    image: Image, silent: str
) -> None:
    image.engine.images_here, image.engine.silent = {}, silent
    failed = image.run()
    assert failed["failed"]
    why = "No Docker engine answers: no socket." if silent else f"has not the image {FRONT} that the site runs, {LIVE}."
    assert failed["msg"].startswith(
        f"There is nothing in the bucket {image.uploads.bucket} yet, and {SRV} of the image"
    )
    assert why in failed["msg"]
    assert f"Type docker pull {LIVE} and the same command again, or ansible-playbook site.yml" in failed["msg"]
    assert failed["msg"].endswith("-e publish_select=local to release another.")
    assert image.run(check=True) == NOTHING | {"release": "", "waits": False}
    assert not image.run(check=True, bucket="static-nowhere").get("failed"), "nor need there be a bucket yet"

    image.uploads.s3.put_object(Bucket=image.uploads.bucket, Key="index.html", Body=b"of another machine")
    assert image.run() == NOTHING | {"release": "", "waits": False}
    assert f"{why} What is in {image.uploads.bucket} stays." in image.shown[0]
    assert image.engine.created == []


def test_an_image_that_nobody_publishes_is_pulled(image: Image) -> None:
    image.engine.images_here = {}
    failed = image.run(runs="")
    assert f"This machine has no image {FRONT}. Type docker pull {FRONT} and the same command again." in failed["msg"]
    image.engine.images_here = {FRONT: "sha256:any"}
    assert image.run(runs="")["uploaded"] == [CSS, "index.html"]


def test_what_cannot_be_taken_out_of_an_image_is_told(image: Image) -> None:
    for path, words in (("/srv/none", "it has no such folder."), ("/broken", "Docker says: 500 no.")):
        failed = image.run(path=path)
        assert failed["msg"] == f"The files in {path} of the image {FRONT} cannot be uploaded: {words}"
    image.engine.breaks = ConnectionResetError("broken off")
    assert "cannot be uploaded: broken off." in image.run()["msg"]
    image.engine.breaks = None
    image.engine.archive = packed(Entry("site/index.html", "x"), link("site/more", "nowhere"))
    assert "cannot be uploaded: more is a link that leads to no file." in image.run()["msg"]
    image.release(CONTENT, {})
    image.engine.archive = packed(Entry("site/.DS_Store", "x"))
    assert image.run()["msg"] == f"There is no file in {SRV} of the image {FRONT}. Build the files first."
    assert (image.engine.left, image.uploads.keys()) == ([], [])


def test_the_task_hands_over_a_folder_or_an_image_and_what_the_site_runs_of_it() -> None:
    (task,) = tasks_of("roles/static/tasks/upload.yml").values()
    entries = {
        "front": {"folder": "roles/static/files/example"}, "docs": {"image": FRONT, "path": SRV},
        "manual": {"image": "registry.test/manual:1", "path": SRV},
    }  # fmt: skip
    front, manual = ({"image": image, "mem_limit": "64m"} for image in (FRONT, "registry.test/manual:1"))
    (tag,) = image_pushes({"shop-front": {"written": [FRONT]}}, [FRONT], {FRONT: f"sha256:{CONTENT}beef"}, "shop-live")
    known = variables(
        "roles/static/vars/main.yml", site_static=entries, inventory_dir=None, static_images={FRONT: LIVE},
        site_services={"web": {"containers": {"front": front, "manual": manual}}},
        static_outputs={f"static.{entry}.BucketName": f"bucket-of-{entry}" for entry in entries},
    )  # fmt: skip
    assert LIVE.endswith(f":{tag['tag']}"), "the tag is that by which the image is known again"
    handed = {}
    for item in evaluate(task["loop"], known):
        given = {
            name: evaluate(value, known | {"item": item, "omit": "-"}) for name, value in task["static_files"].items()
        }
        handed[item["key"]] = [given[name] for name in ("bucket", "folder", "image", "path", "runs")]
    assert handed["docs"] == ["bucket-of-docs", "-", FRONT, SRV, LIVE]
    assert handed["manual"] == ["bucket-of-manual", "-", "registry.test/manual:1", SRV, ""]
    assert handed["front"][1].endswith("roles/static/files/example")
    assert (handed["front"][0], handed["front"][2:]) == ("bucket-of-front", ["", "", ""])


def test_what_is_shown_is_what_was_uploaded_or_what_a_rollback_goes_to() -> None:
    results = [
        {"item": {"key": "front"}, "release": "0f", "waits": False},
        {"item": {"key": "docs"}, "release": "0d", "waits": True},
        {"item": {"key": "elsewhere"}, "release": "", "waits": False}, {"skipped": True},
    ]  # fmt: skip
    outputs = {f"static.{entry}.BucketName": f"bucket-of-{entry}" for entry in ("front", "docs")}
    known = variables("roles/static/vars/main.yml", static_uploaded={"results": results}, static_outputs=outputs)
    show, _, write = tasks_of("roles/static/tasks/live.yml").values()

    def handed(given: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
        found = {}
        for item in evaluate(show["loop"], given):
            if holds(show["when"], given | {"item": item}):
                each = {name: evaluate(value, given | {"item": item}) for name, value in show["static_live"].items()}
                found[item["key"]] = each["bucket"], each["release"], each["back"]
        return found

    assert handed(known) == {"docs": ("bucket-of-docs", "0d", False)}, "of the other all is shown"
    assert evaluate(write["ledger_entry"]["facts"], known | {"site_prefix": "shop-live"})["static"] == {
        "front": {"bucket": "bucket-of-front", "release": "0f"}, "docs": {"bucket": "bucket-of-docs", "release": "0d"},
    }  # fmt: skip
    back = known | {"static_back": {"front": "0a"}}
    assert handed(back) == {"front": ("bucket-of-front", "0a", True)}
    facts = evaluate(write["ledger_entry"]["facts"], back | {"site_prefix": "shop-live"})
    assert facts["static"].keys() == {"front"}, "what it does not go back to is not told"


def test_cloudfront_lets_go_of_what_was_replaced_and_of_nothing_else() -> None:
    _, let_go, _ = tasks_of("roles/static/tasks/live.yml").values()
    two = [{"replaced": ["index.html"]}, {"skipped": True}, {"replaced": ["a.txt", "index.html"]}]
    nothing = [{"skipped": True}, {"replaced": []}]
    for results, wanted in (([], []), (nothing, []), (two, ["index.html", "a.txt"])):
        known = variables("roles/static/vars/main.yml", static_made_live={"results": results})
        assert evaluate(let_go["edge_invalidate"]["files"], known) == wanted
        assert holds(let_go["when"], known) is bool(wanted)


def test_good_releases_are_kept_each_once_and_those_that_were_left_are_not() -> None:
    def entry(release: str, **more: Any) -> dict[str, Any]:
        return {"outcome": "good", "release": "1", "static": {"front": {"release": release}}, **more}

    entries = [
        entry("0d"), entry("0x", left_by="1"), entry("0d"), entry("0f", outcome="failed"), entry("0c"),
        {"outcome": "good", "release": "1"}, entry("0b"), entry("0a"),
    ]  # fmt: skip
    (task,) = tasks_of("roles/static/tasks/keep.yml").values()
    known = variables("roles/static/vars/main.yml", static_good=entries, release_keep=3) | {"item": "front"}
    assert evaluate(task["static_keep"]["releases"], known) == ["0d", "0c", "0b"]
    assert evaluate(task["static_keep"]["releases"], known | {"item": "docs"}) == []


@pytest.mark.playbook
def test_the_role_leaves_a_bucket_whose_image_is_elsewhere_and_says_so(
    uploads: Uploads, aws: Cloud, tmp_path: Path
) -> None:
    s3, docs = uploads.s3, uploads.bucket.replace("static", "docs")
    s3.create_bucket(Bucket=docs)
    s3.put_object(Bucket=docs, Key="index.html", Body=b"of another machine")
    web = {"image": FRONT, "mem_limit": "64m", "ports": ["80"]}
    given = {
        "site_name": "shop", "environment_name": "live", "domain_name": "shop.test", "site_beside": "",
        "site_services": {"web": {"containers": {"web": web}, "routes": [{"to": "web"}]}},
        "site_static": {
            "front": {"folder": "roles/static/files/example"}, "docs": {"image": FRONT, "path": SRV, "keep_days": 7},
        },
        "static_outputs": {"static.front.BucketName": uploads.bucket, "static.docs.BucketName": docs},
        "static_images": {FRONT: LIVE},
    }  # fmt: skip
    role = {"ansible.builtin.include_role": {"name": "static", "tasks_from": "upload"}, "vars": given}
    silent = {**environment(aws), "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    first, second = (playbook(tmp_path, [role], **silent) for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert "changed=1" in first.recap
    assert "changed=0" in second.recap
    assert f"What is in {docs} stays." in second.output
    assert uploads.body("index.html")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=docs)["Contents"]] == ["index.html"]

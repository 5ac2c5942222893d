"""A folder comes out of an image without running any of it, and nothing is written or left elsewhere."""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import docker
import pytest

from plugins.plugin_utils.image_folder import NotHere, taken
from tests.unit.plugins.plugin_utils.image_support import Engine, Entry, hard_link, link, packed, special

IMAGE, TAG = "shop/front", "0f3c9d1e2a4b"
LIVE = f"111122223333.dkr.ecr.us-east-1.amazonaws.com/shop-live/shop-front:{TAG}"
PATH = "/usr/share/nginx/html"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    made = Engine({IMAGE: f"sha256:{TAG}{'0' * 52}"}, {PATH: {"index.html": "page", "assets/a.css": "a"}})
    monkeypatch.setattr(docker, "from_env", made.from_env)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return made


def read(top: Path) -> dict[str, str]:
    """Path → content, of files and of links."""
    return {path.relative_to(top).as_posix(): path.read_text() for path in top.rglob("*") if path.is_file()}


def test_the_files_are_there_while_they_are_needed_and_nothing_is_left(engine: Engine, tmp_path: Path) -> None:
    with taken(IMAGE, LIVE, PATH) as top:
        assert read(top) == {"index.html": "page", "assets/a.css": "a"}
        assert engine.left == [], "the container need not wait for the upload"
        assert list(top.parent.iterdir()) == [top], "nor does the archive"
    assert list(tmp_path.iterdir()) == []
    assert engine.created == [(f"sha256:{TAG}{'0' * 52}", ["true"])], "by its content, as a name may move on"
    assert engine.volumes == [True], "an image's own volumes go too"
    assert engine.closed == engine.opened == 1


@pytest.mark.parametrize(
    ("here", "image", "runs"),
    [
        ({IMAGE: f"sha256:{TAG}beef"}, IMAGE, LIVE),
        ({IMAGE: f"sha256:{TAG}beef"}, IMAGE, f"{LIVE}@sha256:{'ab' * 32}"),
        ({IMAGE: "sha256:another", LIVE: "sha256:pulled"}, IMAGE, LIVE),
        ({"public.ecr.aws/nginx:1": "sha256:any"}, "public.ecr.aws/nginx:1", "public.ecr.aws/nginx:1"),
    ],
    ids=["the same content", "and by its digest", "pulled from the registry", "published by nobody"],
)
def test_it_is_the_image_that_the_site_runs(engine: Engine, here: dict[str, str], image: str, runs: str) -> None:
    engine.images_here = here
    with taken(image, runs, PATH) as top:
        assert "index.html" in read(top)
    assert engine.created[0][0] == here.get(LIVE, next(iter(here.values())))


@pytest.mark.parametrize(
    ("here", "runs", "words"),
    [
        ({IMAGE: f"sha256:{'ab' * 32}"}, f"{LIVE}@sha256:{'ab' * 32}", "has not the image"),
        ({IMAGE: "sha256:another"}, LIVE, f"has not the image {IMAGE} that the site runs, {LIVE}."),
        ({IMAGE: f"sha256:{TAG}beef"}, "elsewhere/front:v1", "that the site runs, elsewhere/front:v1."),
        ({}, LIVE, f"has not the image {IMAGE} that the site runs, {LIVE}."),
        ({}, IMAGE, f"This machine has no image {IMAGE}."),
    ],
    ids=[
        "a digest of a manifest is no content's",
        "other content",
        "a tag that says nothing of it",
        "none",
        "none, and none published",
    ],
)
def test_another_image_and_none_are_told(engine: Engine, here: dict[str, str], runs: str, words: str) -> None:
    engine.images_here = here
    with pytest.raises(NotHere, match=words), taken(IMAGE, runs, PATH):
        pass
    assert engine.created == []
    assert engine.closed == 1


def test_no_engine_and_no_sdk_are_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.silent = "no socket."
    with pytest.raises(NotHere, match=r"^No Docker engine answers: no socket\.$"), taken(IMAGE, LIVE, PATH):
        pass

    def refuse(**_: Any) -> Any:
        raise docker.errors.DockerException("no socket")

    monkeypatch.setattr(docker, "from_env", refuse)
    with pytest.raises(NotHere, match=r"^No Docker engine answers: no socket\.$"), taken(IMAGE, LIVE, PATH):
        pass
    monkeypatch.setitem(sys.modules, "docker", None)
    with pytest.raises(NotHere, match="The Docker SDK is missing"), taken(IMAGE, LIVE, PATH):
        pass


def test_a_path_that_is_a_link_is_what_it_leads_to(engine: Engine) -> None:
    engine.links = {"/srv/current": PATH}
    with taken(IMAGE, LIVE, "/srv/current") as top:
        assert read(top) == {"index.html": "page", "assets/a.css": "a"}
    engine.links = {"/srv/current": "/srv/gone"}
    with pytest.raises(ValueError, match="no such folder"), taken(IMAGE, LIVE, "/srv/current"):
        pass
    assert engine.left == []


@pytest.mark.parametrize(
    ("path", "words"),
    [("/srv/none", "it has no such folder"), ("/etc/passwd", "no folder of it"), ("/broken", "Docker says: 500 no$")],
)
def test_what_is_no_folder_is_told_and_the_container_goes(engine: Engine, path: str, words: str) -> None:
    engine.files["/etc/passwd"] = "root"
    with pytest.raises(ValueError, match=words), taken(IMAGE, LIVE, path):
        pass
    assert len(engine.created) == 1
    assert engine.left == []


def test_an_archive_that_breaks_off_is_told_and_the_container_goes(engine: Engine, tmp_path: Path) -> None:
    engine.breaks = ConnectionResetError("broken off")
    with pytest.raises(OSError, match="broken off"), taken(IMAGE, LIVE, PATH):
        pass
    assert engine.left == []
    engine.breaks = None
    engine.archive = b"x" * 1024
    with pytest.raises(ValueError, match="what the engine has packed cannot be read"), taken(IMAGE, LIVE, PATH):
        pass
    assert list(tmp_path.iterdir()) == []


def test_links_within_the_folder_are_kept_and_names_are_as_they_are(engine: Engine) -> None:
    engine.archive = packed(
        Entry("html/assets/app.js", "js"), Entry("html/ü b.txt", "u"), link("html/assets/same.js", "app.js"),
        link("html/up.js", "./assets/../assets/app.js"), link("html/first.js", "assets/app.js"),
        hard_link("html/hard.js", "html/assets/app.js"), link("html/none", "nowhere"),
    )  # fmt: skip
    with taken(IMAGE, LIVE, PATH) as top:
        scripts = ("assets/app.js", "assets/same.js", "up.js", "first.js", "hard.js")
        assert read(top) == dict.fromkeys(scripts, "js") | {"ü b.txt": "u"}
        assert (top / "none").is_symlink(), "which the upload refuses, as in a folder of this machine"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([Entry("/html/a", "x")], "has /html/a, which lies elsewhere"),
        ([Entry("/etc/cron.d/a", "x")], "which lies elsewhere"),
        ([Entry("html/../../a", "x")], "which lies elsewhere"),
        ([Entry("../a", "x")], "which lies elsewhere"),
        ([Entry("other/a", "x")], "which lies elsewhere"),
        ([link("html/a", "/etc/passwd")], "a is a link that leads out of the folder"),
        ([link("html/a", "..")], "a is a link that leads out of the folder"),
        ([link("html/b/a", "../../x")], "b/a is a link that leads out of the folder"),
        ([link("html/a", "."), link("html/a/b", "x")], "a/b is a link that leads out of the folder"),
        ([hard_link("html/a", "etc/passwd")], "a is a link that leads out of the folder"),
        ([hard_link("html/a", "/etc/passwd")], "a is a link that leads out of the folder"),
        ([special("html/a", tarfile.FIFOTYPE)], "a is no file"),
        ([special("html/a", tarfile.CHRTYPE)], "a is no file"),
    ],
)
def test_what_leads_elsewhere_is_refused_and_nothing_is_written_there(
    engine: Engine, tmp_path: Path, entries: list[Entry], words: str
) -> None:
    engine.archive = packed(Entry("html/index.html", "page"), *entries)
    before = set(Path("/etc/cron.d").glob("*"))
    with pytest.raises(ValueError, match=words), taken(IMAGE, LIVE, PATH):
        pass
    assert list(tmp_path.iterdir()) == []
    assert set(Path("/etc/cron.d").glob("*")) == before


def test_no_file_is_written_through_a_link(engine: Engine, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    engine.archive = packed(link("html/a", str(outside)), Entry("html/a/b", "x"))
    with pytest.raises(ValueError, match="a is a link that leads out of the folder"), taken(IMAGE, LIVE, PATH):
        pass
    assert list(outside.iterdir()) == []

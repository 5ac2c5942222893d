"""Files of a folder inside an image, taken out by a real Docker engine and uploaded."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from local_aws import images
from local_aws.cloud import Cloud
from plugins.action import static_files
from tests.unit.plugin_support import run_action, talk_to

pytestmark = pytest.mark.docker

HTML = "/usr/share/nginx/html"
CSS, FIRST, SAME = "assets/site-1f3c9a0b.css", "assets/first.js", "assets/same.js"
BUILT = {"index.html": "<link rel=stylesheet href=/assets/site-1f3c9a0b.css>", CSS: "body {}", FIRST: "let a"}


def member(
    name: str, content: str = "", kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, Any]:
    """What a tar has of a file: that nobody but root may read, as in an image whose build was careless."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size, made.mode = kind, target, len(content), 0o600
    if kind == tarfile.DIRTYPE:
        made.mode = 0o700
    return made, io.BytesIO(content.encode())


def layer() -> bytes:
    """What the image has above its base."""
    packed = io.BytesIO()
    below = HTML.removeprefix("/")
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in (below, f"{below}/assets", "srv/empty", "srv/out"):
            archive.addfile(*member(name, kind=tarfile.DIRTYPE))
        for name, content in BUILT.items():
            archive.addfile(*member(f"{below}/{name}", content))
        archive.addfile(*member(f"{below}/{SAME}", kind=tarfile.LNKTYPE, target=f"{below}/{FIRST}"))
        archive.addfile(*member(f"{below}/robots.txt", kind=tarfile.SYMTYPE, target="assets/first.js"))
        archive.addfile(*member("srv/current", kind=tarfile.SYMTYPE, target=HTML))
        archive.addfile(*member("srv/out/passwd", kind=tarfile.SYMTYPE, target="/etc/passwd"))
    return packed.getvalue()


@dataclass(frozen=True)
class Image:
    """An image of this machine.

    Attributes:
        engine: that has it.
        name: it is called.
        runs: what a site would run of it: with a tag made of its content.
    """

    engine: Any
    name: str
    runs: str


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """A base with built files and a volume."""
    engine = docker.from_env()
    name = f"berth-test-static-{uuid.uuid4().hex[:8]}/front"
    container = engine.containers.create(images.ensure("base-bookworm"), ["true"])
    try:
        assert container.put_archive("/", layer())
        made = container.commit(name, tag="latest", changes="VOLUME /var/cache/site")
    finally:
        container.remove(force=True, v=True)
    yield Image(engine, name, f"registry.test/{name}:{made.id.removeprefix('sha256:')[:12]}")
    engine.images.remove(name)


class Bucket:
    """A bucket that files of an image are uploaded to."""

    def __init__(self, aws: Cloud) -> None:
        self.s3, self.name = aws.client("s3"), f"static-{uuid.uuid4().hex}"
        self.s3.create_bucket(Bucket=self.name)

    def upload(self, image: Image, path: str = HTML, runs: str = "") -> dict[str, Any]:
        given = {"bucket": self.name, "image": image.name, "path": path, "runs": runs or image.runs}
        return run_action(static_files, given)

    def bodies(self) -> dict[str, str]:
        """Key → what is in it, of what is asked for."""
        keys = [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]
        keys = [key for key in keys if not key.startswith("_releases/")]
        return {key: self.s3.get_object(Bucket=self.name, Key=key)["Body"].read().decode() for key in keys}


@pytest.fixture
def bucket(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    talk_to(aws, monkeypatch)
    return Bucket(aws)


def left(engine: Any, image: str) -> list[str]:
    """Containers of an image; what else is left behind, the script that runs this sees."""
    return [each.name for each in engine.containers.list(all=True, filters={"ancestor": image})]


@pytest.mark.parametrize("path", [HTML, "/srv/current"], ids=["a folder", "a link to it"])
def test_the_folder_of_an_image_is_uploaded_once_and_leaves_nothing(
    image: Image, bucket: Bucket, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = bucket.upload(image, path)
    assert made.get("uploaded", made) == [FIRST, SAME, CSS, "robots.txt", "index.html"]
    assert bucket.bodies() == BUILT | {SAME: "let a", "robots.txt": "let a"}
    assert bucket.s3.head_object(Bucket=bucket.name, Key=CSS)["ContentType"] == "text/css; charset=utf-8"
    assert not bucket.upload(image, path)["changed"]
    assert left(image.engine, image.name) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/srv/none", "it has no such folder"),
        (f"{HTML}/index.html", "that is no folder of it"),
        ("/srv/out", "passwd is a link that leads out of the folder"),
        ("/srv/empty", "There is no file in /srv/empty"),
    ],
)
def test_what_is_no_folder_of_files_is_told_and_leaves_nothing(
    image: Image, bucket: Bucket, path: str, words: str
) -> None:
    assert words in bucket.upload(image, path)["msg"]
    assert left(image.engine, image.name) == []


def test_another_image_of_the_name_is_not_what_the_site_runs(image: Image, bucket: Bucket) -> None:
    runs = f"registry.test/{image.name}:000000000000"
    refused = bucket.upload(image, runs=runs)["msg"]
    assert f"This machine has not the image {image.name} that the site runs, {runs}." in refused
    image.engine.images.get(image.name).tag(*runs.split(":"))
    try:
        assert bucket.upload(image, runs=runs)["changed"], "by the registry's name it is"
    finally:
        image.engine.images.remove(runs, noprune=True)

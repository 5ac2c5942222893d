"""Files of a folder inside an image, taken out by a real Docker engine and uploaded."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import docker
import pytest
from moto import mock_aws

from local_aws import images
from plugins.action import static_files
from tests.unit.plugin_support import run_action

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
    """A base with built files, a volume, and no command of its own."""
    engine = docker.from_env()
    name = f"berth-test-static-{uuid.uuid4().hex[:8]}/front"
    container = engine.containers.create(images.ensure("base-bookworm"), ["true"])
    try:
        assert container.put_archive("/", layer())
        made = container.commit(name, tag="latest", changes="VOLUME /var/cache/site\nCMD []\nENTRYPOINT []")
    finally:
        container.remove(force=True, v=True)
    yield Image(engine, name, f"registry.test/{name}:{made.id.removeprefix('sha256:')[:12]}")
    engine.images.remove(name)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-this-test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    # The Docker engine is asked over HTTP too.
    with mock_aws(config={"core": {"passthrough": {"urls": [r".*docker.*"]}}}):
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="files")
        yield s3


def left(engine: Any) -> set[str]:
    """Containers and volumes of the engine."""
    volumes = engine.volumes.list()
    return {each.id for each in [*engine.containers.list(all=True), *volumes]}


def upload(image: Image, s3: Any, path: str = HTML, runs: str = "") -> dict[str, Any]:
    given = {"bucket": "files", "image": image.name, "path": path, "runs": runs or image.runs}
    return run_action(static_files, given, client=lambda _: s3)


def bodies(s3: Any) -> dict[str, str]:
    """Key → what is in it."""
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="files").get("Contents", [])]
    return {key: s3.get_object(Bucket="files", Key=key)["Body"].read().decode() for key in keys}


@pytest.mark.parametrize("path", [HTML, f"{HTML}/", "/srv/current"], ids=["a folder", "with a slash", "a link to it"])
def test_the_folder_of_an_image_is_uploaded_once_and_leaves_nothing(
    image: Image, bucket: Any, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = left(image.engine)
    made = upload(image, bucket, path)
    assert made.get("uploaded", made) == [FIRST, SAME, CSS, "robots.txt", "index.html"]
    assert bodies(bucket) == BUILT | {SAME: "let a", "robots.txt": "let a"}
    assert bucket.head_object(Bucket="files", Key=CSS)["ContentType"] == "text/css; charset=utf-8"
    assert not upload(image, bucket, path)["changed"]
    assert left(image.engine) - before == set(), "its container went, and the volume that it had"
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
    image: Image, bucket: Any, path: str, words: str
) -> None:
    before = left(image.engine)
    assert words in upload(image, bucket, path)["msg"]
    assert left(image.engine) - before == set()


def test_another_image_of_the_name_is_not_what_the_site_runs(image: Image, bucket: Any) -> None:
    runs = f"registry.test/{image.name}:000000000000"
    assert (
        f"This machine has not the image {image.name} that the site runs, {runs}."
        in upload(image, bucket, runs=runs)["msg"]
    )
    image.engine.images.get(image.name).tag(*runs.split(":"))
    try:
        assert upload(image, bucket, runs=runs)["changed"], "by the registry's name it is"
    finally:
        image.engine.images.remove(runs, noprune=True)

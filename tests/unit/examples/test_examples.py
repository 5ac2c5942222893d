"""The builder of example images, and what can be known of the examples without building them."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from examples import build, packages
from local_aws import images

EXAMPLES = Path(build.__file__).parent
DESCRIBED = sorted(path.parent.name for path in EXAMPLES.glob("*/site.yml"))
LOCKS = sorted(EXAMPLES.glob("*/*/requirements.txt"))


def containers(found: Any) -> list[dict[str, Any]]:
    """Every mapping that has an `image`, anywhere in a description."""
    if isinstance(found, dict):
        return ([found] if "image" in found else []) + [each for value in found.values() for each in containers(value)]
    return []


@pytest.mark.parametrize("site", DESCRIBED)
def test_a_description_uses_all_images_of_its_site_and_no_others(site: str) -> None:
    used = {each["image"] for each in containers(yaml.safe_load((EXAMPLES / site / "site.yml").read_text()))}
    made = build.Site(site, {})
    assert used == {f"{made.prefix}/{image}" for image in made.images}


def test_every_site_has_a_readme_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    for site in build.SITES:
        assert (EXAMPLES / site / "README.md").exists()
        assert f"[{site}]({site}/)" in listed


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: f"{path.parents[1].name}/{path.parent.name}")
def test_a_lock_pins_what_is_wanted_with_hashes(lock: Path) -> None:
    pinned = re.findall(r"^([\w.-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", lock.read_text(), re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    assert "\n-" not in "\n" + lock.read_text(), "an option of pip: an index or a folder of who made the lock"
    versions = {name.lower(): version for name, version in pinned}
    for name, operator, version in re.findall(
        r"^([\w.-]+)(?:\[\w+\])?(==|~=)(\S+)", lock.with_suffix(".in").read_text(), re.MULTILINE
    ):
        assert versions[name.lower()].startswith(version if operator == "==" else version.rpartition(".")[0])


def test_a_hash_is_of_content_and_of_what_it_is_built_on(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("1")
    first = build.content_hash(tmp_path, "base:1")
    (tmp_path / "app.pyc").write_text("compiled")
    assert build.content_hash(tmp_path, "base:1") == first
    assert build.content_hash(tmp_path, "base:2") != first
    (tmp_path / "app.py").write_text("2")
    assert build.content_hash(tmp_path, "base:1") != first


def test_arguments_of_a_dockerfile_are_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("ARG BASE=berth/base-bookworm", "ARG DJANGO=legacy-site/django", "ARG LEVEL=3", "FROM ${BASE}")
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx" / "Dockerfile").write_text("\n".join(lines))
    monkeypatch.setattr(images, "ensure", lambda name: f"berth/{name}:made")
    site = build.Site("legacy_site", {})
    site.references["django"] = "legacy-site/django:made"
    assert site.filled_in(tmp_path / "nginx") == {
        "BASE": "berth/base-bookworm:made", "DJANGO": "legacy-site/django:made",
    }  # fmt: skip
    site.own_bases = {"nginx": "nginx:stable"}
    assert site.filled_in(tmp_path / "nginx")["BASE"] == "nginx:stable"


def test_a_base_for_an_image_that_is_not_there_is_named() -> None:
    with pytest.raises(packages.BuildError, match=r"flask_plain has no image django; it has flask\."):
        build.Site("flask_plain", {"django": "python:3.11"})
    with pytest.raises(argparse.ArgumentTypeError, match="'django' is not IMAGE=REFERENCE"):
        build.pair("django")
    assert build.pair("django=python:3.11-slim") == ("django", "python:3.11-slim")


def test_downloads_are_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "CACHE", tmp_path / "cache")
    lock = tmp_path / "lock"
    lock.write_text("a==1")

    def fail(target: Path) -> None:
        (target / "half").write_text("")
        raise packages.BuildError("no network")

    with pytest.raises(packages.BuildError, match="no network"):
        packages.kept("things", [lock], fail)
    assert list((tmp_path / "cache").iterdir()) == []
    kept = packages.kept("things", [lock], lambda target: target.joinpath("whole").touch())
    assert [path.name for path in kept.iterdir()] == ["whole"]
    assert packages.kept("things", [lock], fail) == kept
    lock.write_text("a==2")
    assert packages.kept("things", [lock], lambda target: target.joinpath("new").touch()) != kept


def test_an_npm_that_is_not_the_one_we_know_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = requests.Response()
    answer.status_code, answer._content = 200, b"another"
    monkeypatch.setattr(packages, "CACHE", tmp_path)
    monkeypatch.setattr(requests.Session, "get", lambda *_, **__: answer)
    with pytest.raises(packages.BuildError, match=r"npm-[\d.]+\.tgz is sha512-.*, not sha512-"):
        packages.npm()
    assert list(tmp_path.iterdir()) == []

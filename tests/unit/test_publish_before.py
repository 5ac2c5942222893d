"""Whether a first release has its images is seen before anything is made, and never guessed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker
import pytest

from plugins.action import local_images
from tests.unit.plugin_support import run_action

HERE = ("legacy-site/django", "legacy-site/nginx")


def look(
    monkeypatch: pytest.MonkeyPatch, here: tuple[str, ...] | None = HERE, **images: str
) -> tuple[dict[str, Any], str]:
    """The result, and what was shown, when both images are to be published; `here` are those of the machine."""

    def get(name: str) -> Any:
        if here is None:
            raise docker.errors.DockerException("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")
        if name not in here:
            raise docker.errors.ImageNotFound(name)
        return SimpleNamespace(attrs={"Id": f"sha256:{len(name):064}", "Config": {}})

    monkeypatch.setattr(docker, "from_env", lambda **_: SimpleNamespace(images=SimpleNamespace(get=get)))
    shown: list[str] = []
    wanted = {"django": "legacy-site/django", "nginx": "legacy-site/nginx"} | images
    result = run_action(
        local_images,
        {"images": wanted, "wanted": True},
        say=lambda name, text, _color=None: shown.append(f"{name}: {text}"),
    )
    return result, "\n".join(shown)


def test_images_that_are_there_are_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    result, shown = look(monkeypatch)
    assert not result.get("failed")
    assert result["contents"] == {"django": f"sha256:{18:064}", "nginx": f"sha256:{17:064}"}
    assert shown == ""


@pytest.mark.parametrize(("image", "hint"), [("shop/django:1", False), ("shop/legacy-site/django", False)])
def test_a_missing_image_is_told_with_a_hint_for_the_examples_only(
    monkeypatch: pytest.MonkeyPatch, image: str, hint: bool
) -> None:
    result, _ = look(monkeypatch, django=image)
    assert result["failed"]
    assert f"This machine has no image {image}. Build it, or name another in site_images." in result["msg"]
    assert ("For the example" in result["msg"]) is hint


def test_the_examples_own_image_has_the_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = look(monkeypatch, here=())
    assert "For the example: python examples/legacy_site/build.py" in result["msg"]
    assert "no image legacy-site/django, legacy-site/nginx." in result["msg"]


def test_an_engine_that_does_not_answer_is_said_and_is_no_missing_image(monkeypatch: pytest.MonkeyPatch) -> None:
    result, shown = look(monkeypatch, here=None)
    assert not result.get("failed")
    assert "Could not ask the Docker engine of this machine" in shown
    assert "Cannot connect to the Docker daemon" in shown

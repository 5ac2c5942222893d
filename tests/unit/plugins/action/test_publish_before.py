"""Whether a first release has its images is seen before anything is made, and never guessed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker
import pytest
import yaml

from plugins.action import local_images
from tests.unit.plugin_support import PROJECT, run_action

HERE = ("legacy-site/django", "legacy-site/nginx")


def look(
    monkeypatch: pytest.MonkeyPatch,
    here: tuple[str, ...] | None = HERE,
    wanted: tuple[str, ...] = HERE,
    images: tuple[str, ...] | None = None,
) -> tuple[dict[str, Any], str]:
    """The result, and what was shown, when `wanted` of the images are to be published; `here` are the machine's."""

    def get(name: str) -> Any:
        if here is None:
            raise docker.errors.DockerException("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.")
        if name not in here:
            raise docker.errors.ImageNotFound(name)
        return SimpleNamespace(attrs={"Id": f"sha256:{len(name):064}", "Config": {}})

    monkeypatch.setattr(docker, "from_env", lambda **_: SimpleNamespace(images=SimpleNamespace(get=get)))
    shown: list[str] = []
    result = run_action(
        local_images,
        {"images": list(images or wanted), "wanted": list(wanted)},
        say=lambda name, text, _color=None: shown.append(f"{name}: {text}"),
    )
    return result, "\n".join(shown)


def test_images_that_are_there_are_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    result, shown = look(monkeypatch)
    assert not result.get("failed")
    assert result["contents"] == {"legacy-site/django": f"sha256:{18:064}", "legacy-site/nginx": f"sha256:{17:064}"}
    assert shown == ""


@pytest.mark.parametrize("image", ["shop/django:1", "shop/legacy-site/django"])
def test_a_missing_image_is_told_with_a_hint_for_the_examples_only(monkeypatch: pytest.MonkeyPatch, image: str) -> None:
    result, _ = look(monkeypatch, wanted=(image, "legacy-site/nginx"))
    assert result["failed"]
    assert f"This machine has no image {image}. Build it, or name another as image: in site_services." in result["msg"]
    assert "For the example" not in result["msg"]


@pytest.mark.parametrize("example", ["legacy_site", "celery_site", "node_cms_proxy"])
def test_an_examples_own_image_has_the_hint(monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    image = f"{example.replace('_', '-')}/web"
    result, _ = look(monkeypatch, here=(), wanted=(image, "shop/nginx"))
    assert f"no image {image}, shop/nginx." in result["msg"]
    assert result["msg"].endswith(f"For the example: python examples/build.py {example}")


def test_an_image_that_is_kept_may_be_missing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second service comes to a live site: its own image is wanted, those of the first are not."""
    both = ("shop/web", "shop/worker")
    result, _ = look(monkeypatch, here=("shop/worker",), wanted=("shop/worker",), images=both)
    assert not result.get("failed"), result
    result, _ = look(monkeypatch, here=("shop/web",), wanted=("shop/worker",), images=both)
    assert "This machine has no image shop/worker." in result["msg"]


def test_an_engine_that_does_not_answer_is_said_and_is_no_missing_image(monkeypatch: pytest.MonkeyPatch) -> None:
    result, shown = look(monkeypatch, here=None)
    assert not result.get("failed")
    assert "Could not ask the Docker engine of this machine" in shown
    assert "Cannot connect to the Docker daemon" in shown


def test_preflight_looks_for_them() -> None:
    """Before the first layer, as site.yml begins with it; only who asks no account asks for no image."""
    (play,) = yaml.safe_load((PROJECT / "playbooks/preflight.yml").read_text())
    looked = [
        task for task in play["tasks"] if "live" in task.get("ansible.builtin.import_role", {}).get("tasks_from", "")
    ]
    assert [(task["ansible.builtin.import_role"]["name"], task["when"]) for task in looked] == [
        ("publish", "preflight_account | bool")
    ]
    first = yaml.safe_load((PROJECT / "playbooks/site.yml").read_text())[0]
    assert first["ansible.builtin.import_playbook"] == "preflight.yml"

"""What is said of this machine's images before a deployment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker
import pytest

from plugins.action import local_images
from tests.unit.plugin_support import run_action

CONTENT = "4f0c00112233"
WEB = {"image": "shop/web", "container": "web.nginx", "port": 80}


def look(
    monkeypatch: pytest.MonkeyPatch, exposed: dict[str, Any] | None = None, **arguments: Any
) -> tuple[dict[str, Any], str]:
    """The result, and what was shown, on a machine that has shop/web and nothing else."""

    def get(name: str) -> Any:
        if name != "shop/web":
            raise docker.errors.ImageNotFound(name)
        return SimpleNamespace(attrs={"Id": f"sha256:{CONTENT}445566", "Config": {"ExposedPorts": exposed}})

    monkeypatch.setattr(docker, "from_env", lambda **_: SimpleNamespace(images=SimpleNamespace(get=get)))
    shown: list[str] = []
    result = run_action(
        local_images,
        {"images": ["shop/web", "shop/other"], **arguments},
        say=lambda name, text, _color=None: shown.append(f"{name}: {text}"),
    )
    return result, "\n".join(shown)


def test_a_local_image_that_is_not_live_is_mentioned_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    live = {"shop/web": f"1.dkr.ecr/shop/web:0123456789ab@sha256:{CONTENT}", "shop/other": "x:0123456789ab"}
    result, shown = look(monkeypatch, live=live)
    assert shown == ("publish: local shop/web differs from what is live; -e publish_select=local takes what is local")
    assert result["differ"] == ["shop/web"]
    assert not result["changed"]


@pytest.mark.parametrize(
    "live",
    [
        {"shop/web": f"127.0.0.1:4568/shop/web:{CONTENT}"},
        {"shop/web": f"127.0.0.1:4568/shop/web:{CONTENT}@sha256:{'ab' * 32}"},
        {"shop/web": "elsewhere/shop/web:v1"},
        {},
    ],
)
def test_the_same_image_and_one_of_another_origin_need_no_word(
    monkeypatch: pytest.MonkeyPatch, live: dict[str, str]
) -> None:
    result, shown = look(monkeypatch, live=live)
    assert shown == ""
    assert result["differ"] == []


def test_another_port_than_the_image_exposes_is_warned_of_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [WEB, {"image": "shop/other", "container": "api.other", "port": 1}]
    result, _ = look(monkeypatch, {"5000/tcp": {}, "5353/udp": {}}, ports=asked)
    (warning,) = result["warnings"]
    assert "shop/web says that it listens on 5000 (EXPOSE)" in warning
    assert "but web.nginx will be asked on port 80" in warning
    assert 'ports: ["5000"]' in warning


@pytest.mark.parametrize(
    ("exposed", "ports"), [({"80/tcp": {}, "443/tcp": {}}, [WEB]), (None, [WEB]), ({"5000/tcp": {}}, [])]
)
def test_a_port_that_fits_and_an_image_that_exposes_none_need_no_word(
    monkeypatch: pytest.MonkeyPatch, exposed: dict[str, Any] | None, ports: list[dict[str, Any]]
) -> None:
    result, _ = look(monkeypatch, exposed, ports=ports)
    assert "warnings" not in result


def test_what_is_live_and_differs_is_not_judged_by_the_local_image(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = look(monkeypatch, {"5000/tcp": {}}, ports=[WEB], live={"shop/web": "shop/web:0123456789ab"})
    assert "warnings" not in result


def refuse(**_: Any) -> Any:
    raise docker.errors.DockerException("no socket")


def test_a_machine_without_an_engine_has_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "from_env", refuse)
    result = run_action(local_images, {"images": ["shop/web"]})
    assert result == {"changed": False, "differ": [], "contents": {}}
    required = run_action(local_images, {"images": ["shop/web"], "wanted": ["shop/web"], "engine": "required"})
    assert required["msg"] == "No Docker engine answers, and images have to be pushed: no socket."


def test_a_site_without_an_image_of_this_machine_asks_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ask(**_: Any) -> Any:
        asked.append(1)
        return refuse()

    monkeypatch.setattr(docker, "from_env", ask)
    result = run_action(local_images, {"images": []})
    assert not result.get("failed")
    assert not asked
    run_action(local_images, {"images": ["shop/web"]})
    assert asked

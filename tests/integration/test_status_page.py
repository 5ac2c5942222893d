"""The page of `status` in a browser: light and dark, on a phone and on a desk, legible, and asking for nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from plugins.plugin_utils.status import page as status_page
from tests.e2e.browser import QUIET
from tests.unit.plugins.plugin_utils.status.status_support import Account, a_host, a_service, a_task, ago, status

LEAST_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: https://www.w3.org/TR/WCAG22/#contrast-minimum"""
SIZES = {"desk": (1440, 900), "phone": (375, 812)}
CONTRASTS = """
() => {
  const channels = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255)
      .map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      if (at.tagName === 'g') return channels(getComputedStyle(at.querySelector('rect')).fill);
      const found = channels(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
    if (!text || element.tagName === 'title' || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = light(channels(element.tagName === 'text' ? style.fill : style.color)), paper = light(behind(element));
    found.push([(Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05), text]);
  }
  return found;
}
"""
"""The contrast of each text that is seen with what is behind it, and the text."""


def ill() -> dict[str, Any]:
    """A site on which much is wrong, with long words in it."""
    long = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/" + "x" * 90
    account = Account(
        describe_services=lambda services, **_: {
            "services": [a_service(name, 0 if name == "web" else 1) for name in services]
        },
        list_tasks=lambda serviceName="", **_: {"taskArns": ["one"] if serviceName == "web-1" else []},
        describe_tasks={"tasks": [a_task(number, stoppedReason=long) for number in range(5)]},
        get_log_events={"events": [{"message": "<b>" + "y" * 200}, {"message": "KeyError: 'DB_HOST'"}]},
        describe_container_instances={
            "containerInstances": [a_host(), a_host("i-0bbbbbbbbbbbbbbb2", agentConnected=False)]
        },
        describe_images={"Images": [{"Name": "old", "CreationDate": "2026-01-12T10:00:00.000Z"}]},
    )
    account.answers["describe_certificate"]["Certificate"]["NotAfter"] = ago(days=-3)
    account.refused = {"describe_db_snapshots", "list_recovery_points_by_resource"}
    return status(account)


def well() -> dict[str, Any]:
    return status(Account())


def down() -> dict[str, Any]:
    return status(Account(describe_stacks={"Stacks": []}))


MODELS: dict[str, Callable[[], dict[str, Any]]] = {"well": well, "ill": ill, "down": down}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])],  # root's Chromium has no sandbox
        )
        yield found
        found.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MODELS)
def seen(request: pytest.FixtureRequest, browser: Browser, scheme: str, size: str, tmp_path: Path) -> Iterator[Any]:
    """The page as a person has it, a file; and the addresses that were asked for."""
    file = tmp_path / "status.prod.html"
    file.write_text(status_page.rendered(MODELS[request.param]()))
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type] # a text
    page, asked, complaints = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    yield page, [each for each in asked if each != file.as_uri()] + complaints
    context.close()


def test_it_is_legible_fits_and_asks_nobody(seen: tuple[Page, list[str]], scheme: str, size: str) -> None:
    page, asked = seen
    assert asked == []
    wide = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1], "it can be scrolled to the side"
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 10
    assert [each for each in contrasts if each[0] < LEAST_CONTRAST] == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) > 380) is (scheme == "light")
    seen_pictures = page.locator("svg:visible").evaluate_all("all => all.map(each => each.getAttribute('class'))")
    assert seen_pictures in ([f"picture {'narrow' if size == 'phone' else 'wide'}"], [])


def test_a_text_too_faint_would_be_noticed(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        '<body style="background: #fff"><p style="color: #777">4.48</p><p style="color: #767676">4.54</p></body>'
    )
    found = {text: ratio for ratio, text in page.evaluate(CONTRASTS)}
    assert found["4.48"] == pytest.approx(4.48, abs=0.01)
    assert found["4.54"] == pytest.approx(4.54, abs=0.01)
    page.close()

"""What may stand in site_hooks and release_shown_at, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils import hooks

JOBS: dict[str, Any] = {
    "check": {"run": "by_hand"},
    "migrate": {"run": "before_release"},
    "clean": {"schedule": "0 3 * * *"},
    "empty": None,
}


@pytest.mark.parametrize("hook", hooks.HOOKS)
def test_commands_are_texts_or_lists_of_words(hook: str) -> None:
    assert hooks.problems({hook: ["make images", ["python", "check.py", 5]]}, JOBS) == []
    assert hooks.problems({hook: []}, JOBS) == []


@pytest.mark.parametrize("hook", hooks.HOOKS[1:])
def test_a_job_that_is_run_by_hand_may_stand_there(hook: str) -> None:
    assert hooks.problems({hook: [{"job": "check"}]}, JOBS) == []


@pytest.mark.parametrize(
    ("given", "variable", "say"),
    [
        ({"after_relase": []}, "site_hooks.after_relase", "Did you mean after_release?"),
        ({"build": "make"}, "site_hooks.build", "must be a list of commands and jobs"),
        ({"build": [""]}, "site_hooks.build[0]", "is empty."),
        ({"build": ["a", "b 'c"]}, "site_hooks.build[1]", "a quote that is not closed"),
        ({"build": [5]}, "site_hooks.build[0]", "is neither a command"),
        ({"build": [[]]}, "site_hooks.build[0]", "is neither a command"),
        ({"build": [["a", {}]]}, "site_hooks.build[0]", "is neither a command"),
        ({"build": [{"job": "check"}]}, "site_hooks.build[0]", "before the images are built"),
        ({"after_release": [{"job": "chekc"}]}, "site_hooks.after_release[0]", "Did you mean check?"),
        ({"after_release": [{"job": "check", "x": 1}]}, "site_hooks.after_release[0]", "and nothing else"),
        ({"after_release": [{}]}, "site_hooks.after_release[0]", "must name a job"),
        ({"before_release": [{"job": "migrate"}]}, "site_hooks.before_release[0]", "runs before a release by itself"),
        ({"before_release": [{"job": "clean"}]}, "site_hooks.before_release[0]", "runs on a schedule"),
        ({"before_release": [{"job": "empty"}]}, "site_hooks.before_release[0]", "Write run: by_hand"),
    ],
)
def test_what_is_wrong_is_named_at_its_place(given: dict[str, Any], variable: str, say: str) -> None:
    ((found),) = hooks.problems(given, JOBS)
    assert found["variable"] == variable
    assert say in found["say"]


def test_all_that_is_wrong_is_named() -> None:
    assert len(hooks.problems({"build": [5, "", "fine"], "other": []}, JOBS)) == 3
    assert hooks.problems("make", JOBS) == [], "that is said by the specification"


@pytest.mark.parametrize("shown", [{}, {"path": "/healthz"}, {"path": "/", "header": "X-Release"}])
def test_a_place_where_a_release_can_be_seen(shown: dict[str, str]) -> None:
    assert hooks.shown_problems(shown) == []


@pytest.mark.parametrize(
    ("shown", "say"),
    [
        ({"header": "X-Release"}, "has no path"),
        ({"path": "healthz"}, "has no path that begins with a slash"),
        ({"path": "/", "header": ""}, "has a header that is no name"),
        ({"path": "/", "header": "X Release"}, "has a header that is no name"),
        ({"path": "/", "heder": "X"}, "Did you mean header?"),
    ],
)
def test_what_is_wrong_with_one(shown: dict[str, str], say: str) -> None:
    ((found),) = hooks.shown_problems(shown)
    assert say in found

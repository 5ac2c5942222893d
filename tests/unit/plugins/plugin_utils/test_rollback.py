"""To which release a rollback goes, by stories of a ledger: newest first, each line a run."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils import rollback

TYPED = "ansible-playbook rollback.yml -i prod"


def services(name: str, **more: str) -> dict[str, Any]:
    """What ran of a release: the service web, and others with releases of their own."""
    return {
        service: {"release": release, "images": {"shop/web": f"registry/web:{release}"}, "task_definition": "arn"}
        for service, release in {"web": name, **more}.items()
    }


def entry(run: str, name: str, verb: str = "release", outcome: str = "good", **more: Any) -> dict[str, Any]:
    return {"run": run, "verb": verb, "outcome": outcome, "release": name, "services": services(name), **more}


NONE = "is none to go back to, as it"


def choose(ledger: list[dict[str, Any]], live: str, wanted: str = "") -> dict[str, Any]:
    return rollback.choose(ledger, services(live), wanted, TYPED)


A, B, C = entry("1", "A", "site"), entry("2", "B"), entry("3", "C")


def back(run: str, name: str, *left: str, **more: Any) -> dict[str, Any]:
    return entry(run, name, "rollback", left=list(left), **more)


def test_the_newest_good_release_before_the_live_one_is_gone_to() -> None:
    found = choose([C, B, A], "C")
    assert (found["entry"]["run"], found["refusal"], found["left"]) == ("2", "", ["3"])
    assert found["passed"] == ["C is what runs"]


def test_one_that_failed_is_passed_over() -> None:
    found = choose([C, entry("x", "B", outcome="failed"), A], "C")
    assert found["entry"]["release"] == "A"
    assert found["passed"] == ["C is what runs", "B failed"]


def test_it_never_goes_forward() -> None:
    found = choose([C, B, A], "B")
    assert (found["entry"]["run"], found["left"]) == ("1", ["2"])
    assert found["passed"] == ["C is newer than what runs", "B is what runs"]
    assert choose([C, A], "A")["refusal"].splitlines()[1:] == ["  C is newer than what runs", "  A is what runs"]


def test_a_run_that_only_confirmed_what_runs_is_left_with_it() -> None:
    again = entry("4", "C", "site")
    found = choose([again, C, B, A], "C")
    assert (found["entry"]["run"], found["left"]) == ("2", ["4", "3"])


def test_a_second_rollback_goes_further_back() -> None:
    found = choose([back("4", "B", "3"), C, B, A], "B")
    assert found["entry"]["release"] == "A"
    assert found["left"] == ["4", "2"]


def test_at_the_oldest_it_refuses_and_says_why() -> None:
    found = choose([back("5", "A", "2"), B, A], "A")
    assert found["entry"] == {}
    assert found["refusal"] == (
        "There is no older good release to go back to.\n  A is what runs\n  B was left by a rollback "
        f"To go to one of them all the same: {TYPED} -e release=…"
    )


def test_a_site_that_was_never_released_otherwise_has_nothing_to_go_to() -> None:
    assert choose([A], "A")["refusal"] == "There is no older good release to go back to.\n  A is what runs"
    assert choose([], "A")["refusal"] == "There is no older good release to go back to."


def test_what_was_left_is_passed_over_by_the_rollback_after_the_next_release() -> None:
    found = choose([C, back("4", "A", "2"), B, A], "C")
    assert found["entry"]["run"] == "4"
    assert found["entry"]["release"] == "A"


def test_what_was_left_and_released_again_is_good_again() -> None:
    ledger = [entry("6", "C"), entry("5", "B"), back("4", "A", "2"), B, A]
    assert choose(ledger, "C")["entry"]["run"] == "5"
    assert choose(ledger[1:], "B")["entry"]["run"] == "4"


def test_a_mark_in_the_entry_itself_counts_too() -> None:
    assert choose([C, B | {"left_by": "A"}, A], "C")["entry"]["release"] == "A"


def test_a_rollback_that_failed_leaves_nothing() -> None:
    failed = back("4", "B", "3", outcome="failed", target="gone")
    assert choose([failed, C, B, A], "C")["entry"]["run"] == "2"


@pytest.mark.parametrize("outcome", ["interrupted", "failed"])
@pytest.mark.parametrize("live", ["C", "B"], ids=["before the services", "after them"])
def test_one_that_did_not_come_to_its_end_is_gone_on_with(outcome: str, live: str) -> None:
    begun = back("4", "", "3", outcome=outcome, target="2")
    assert choose([begun, C, B, A], live)["entry"]["run"] == "2"
    assert choose([entry("5", "B", "site"), begun, C, B, A], "B")["entry"]["run"] == "1", "it was brought to its end"


@pytest.mark.parametrize("wanted", ["", "B"])
@pytest.mark.parametrize("live", ["C", "B"], ids=["before the services", "after them"])
def test_one_that_is_gone_on_with_leaves_what_it_was_to_leave(live: str, wanted: str) -> None:
    """Also by its name, of which it would be said else that it is what runs; and never what it goes to."""
    found = choose([back("4", "", "3", outcome="interrupted", target="2"), C, B, A], live, wanted)
    assert (found["refusal"], found["entry"].get("run"), found["left"]) == ("", "2", ["3"])


def test_one_to_another_release_is_not_gone_on_with() -> None:
    begun = back("4", "", "3", outcome="interrupted", target="2")
    assert choose([begun, C, B, A], "C", "A")["entry"]["run"] == "1"
    assert choose([begun, C, B, A], "B", "B")["refusal"] == ""
    assert choose([entry("5", "B", "site"), begun, C, B, A], "B", "B")["refusal"].startswith("The release B is what")


def test_one_that_came_to_nothing_has_left_nothing() -> None:
    begun = back("4", "", "3", outcome="failed", target="2")
    assert choose([entry("6", "D"), entry("5", "C", "site"), begun, C, B, A], "D")["entry"]["run"] == "5"
    assert choose([entry("6", "D"), begun, C, B, A], "D")["entry"]["run"] == "3"


def test_what_nobody_wrote_down_is_newer_than_all() -> None:
    assert choose([C, B, A], "by hand")["entry"]["release"] == "C"


def test_after_a_release_that_stopped_half_way_the_last_good_one_is_gone_to() -> None:
    good = entry("2", "B") | {"services": services("B", worker="B")}
    found = rollback.choose([entry("3", "C", outcome="failed"), good, A], services("C", worker="B"), "", TYPED)
    assert found["entry"]["run"] == "2"


def test_entries_without_services_are_none_to_go_to() -> None:
    assert choose([C, B | {"services": {}}, A], "C")["entry"]["release"] == "A"
    assert choose([C, {"run": "9", "verb": "hosts", "outcome": "good"}, A], "C")["entry"]["release"] == "A"


def test_a_service_that_came_or_went_since_does_not_count() -> None:
    newer = {"services": services("A", extra="X")}
    assert rollback.is_live(A, newer)
    assert rollback.is_live(A | {"services": services("A", gone="G")}, {"services": services("A")})
    assert not rollback.is_live(A, {"services": {"other": {"release": "A"}}})


def test_one_is_gone_to_by_its_name_also_if_it_was_left() -> None:
    ledger = [back("4", "A", "3", "2"), C, B, A]
    found = choose(ledger, "A", "B")
    assert (found["entry"]["run"], found["refusal"]) == ("2", "")
    assert choose(ledger, "A", "C")["entry"]["run"] == "3", "newer ones too"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("A", "The release A is what runs. There is nothing to go back to."),
        ("BB", f"The ledger has no release BB (B): {TYPED} -e release=B"),
        ("X", f"The release X {NONE} failed (B): {TYPED} -e release=B"),
        (
            "Y",
            f"The release Y {NONE} did not come to its end (interrupted) (B): {TYPED} -e release=B",
        ),
    ],
)
def test_a_name_that_is_none_to_go_to_is_refused(wanted: str, said: str) -> None:
    bad = [entry("8", "X", outcome="failed"), entry("9", "Y", outcome="interrupted")]
    assert choose([*bad, back("4", "A", "2"), B, A], "A", wanted)["refusal"] == said


def test_what_is_live_is_not_offered_where_nothing_else_was_good() -> None:
    assert choose([A], "A", "B")["refusal"] == "The ledger has no release B, and no other good one."


def test_a_name_in_an_empty_ledger() -> None:
    assert choose([], "A", "B")["refusal"] == "The ledger has no release B, and no other good one."


def test_a_migration_that_stands_between_is_named() -> None:
    ran = {"migrate": {"run": True, "exit_code": 0}, "other": {"run": False}}
    ledger = [C | {"jobs": ran, "started": "2026-11-03"}, entry("x", "B2", outcome="failed", jobs=ran), B, A]
    assert choose(ledger, "C")["migrations"] == ["migrate, before C (2026-11-03)", "migrate, before B2 ()"]
    assert choose([C, B | {"jobs": ran}, A], "C")["migrations"] == [], "the target's own is no obstacle"
    assert choose([C, B | {"jobs": ran}, A], "C", "A")["migrations"] == ["migrate, before B ()"]


def test_what_runs_again_is_what_the_site_still_has() -> None:
    there = A | {"services": services("A", worker="W", gone="G")}
    assert rollback.again(there, {"web": ["shop/web"], "worker": ["shop/web", "shop/new"], "new": ["shop/web"]}) == {
        "web": {"images": {"shop/web": "registry/web:A"}, "name": ""},
        "worker": {"images": {"shop/web": "registry/web:W"}, "name": ""},
    }


def test_a_name_that_was_given_goes_along_and_one_that_was_made_is_made_again() -> None:
    """As of what runs: `site` would make another revision otherwise, of a job that has one of the images."""
    ran = {"shop/web": "registry/web:1@sha256:a", "shop/proxy": "registry/proxy:2@sha256:b"}
    called = {"web": list(ran)}
    made = A | {"services": {"web": {"release": "1-2", "images": ran}}}
    assert rollback.again(made, called)["web"] == {"images": ran, "name": ""}
    given = A | {"services": {"web": {"release": "2026.11.1", "images": ran}}}
    assert rollback.again(given, called)["web"] == {"images": ran, "name": "2026.11.1"}


def test_an_image_that_has_another_tag_by_now_is_known_by_its_name() -> None:
    ran = {
        "redis:7": "redis:7",
        "registry.test:5000/web:1": "registry.test:5000/web:1",
        "shop/a:1": "a:1",
        "shop/a:2": "a:2",
    }
    there = A | {"services": {"web": {"release": "A", "images": ran}}}
    now = ["redis:8", "registry.test:5000/web", "shop/a:2", "shop/a:3"]
    assert rollback.again(there, {"web": now})["web"]["images"] == {
        "redis:8": "redis:7",
        "registry.test:5000/web": "registry.test:5000/web:1",
        "shop/a:2": "a:2",
        "shop/a:3": "a:1",
    }


def test_what_runs_is_known_whatever_it_was_called() -> None:
    assert rollback.is_live(A, {"services": {"web": {"release": "A", "images": {"shop/web:2": "registry/web:A"}}}})


CALLED = {"web": ["shop/web"], "worker": ["shop/web"]}


def test_a_name_with_other_images_is_a_conflict() -> None:
    found = rollback.name_conflict([C, B, A], "B", CALLED, {"shop/web": "registry/web:new"})
    assert found == ["web: then registry/web:B; now registry/web:new"]


def test_so_is_one_of_an_image_that_runs_as_it_is_called() -> None:
    ran = {"web": {"release": "B", "images": {"redis:7": "redis:7"}}}
    ledger = [B | {"services": ran}]
    assert rollback.name_conflict(ledger, "B", {"web": ["redis:8"]}, {}) == ["web: then redis:7; now redis:8"]
    assert rollback.name_conflict(ledger, "B", {"web": ["redis:7"]}, {}) == []


@pytest.mark.parametrize(
    ("name", "published", "ledger"),
    [
        ("B", "registry/web:B", [C, B, A]),
        ("D", "registry/web:new", [C, B, A]),
        ("", "registry/web:new", [C, B, A]),
        ("B", "registry/web:new", [B | {"outcome": "failed"}]),
        ("B", "registry/web:new", [B | {"services": services("older", worker="older")}]),
    ],
    ids=["the same images", "a new name", "no name", "one that failed", "a service that it was not of"],
)
def test_and_others_are_not(name: str, published: str, ledger: list[dict[str, Any]]) -> None:
    assert rollback.name_conflict(ledger, name, CALLED, {"shop/web": published}) == []


# What was live beside the services


def files(release: str) -> dict[str, dict[str, str]]:
    return {"front": {"bucket": "files-1", "release": release}}


def test_a_release_of_other_static_files_alone_is_gone_back_from() -> None:
    old, new = entry("1", "A", static=files("0a")), entry("2", "A", "site", static=files("0b"))
    found = choose([new, old], "A")
    assert (found["entry"]["run"], found["entry"]["static"], found["left"]) == ("1", files("0a"), ["2"])
    found = choose([back("3", "A", "2", static=files("0a")), new, old], "A")
    assert "There is no older good release" in found["refusal"]
    assert choose([entry("2", "A", "site", static=files("0a")), old], "A")["entry"] == {}, "the same files"
    moved = {"front": {"bucket": "files-2", "release": "0a"}}
    assert choose([entry("2", "A", "site", static=moved), old], "A")["entry"] == {}, "in another bucket"


def test_a_release_of_other_code_alone_is_gone_back_from() -> None:
    old, new = entry("1", "A", code={"items": "0a.zip"}), entry("2", "A", "site", code={"items": "0b.zip"})
    found = choose([new, old], "A")
    assert (found["entry"]["run"], found["code"]) == ("1", {"items": {"key": "0b.zip"}})
    assert found["entry"]["code"] == {"items": "0a.zip"}


def test_a_run_that_says_nothing_of_them_has_left_them_as_they_were() -> None:
    """One service alone, or a `site` that found nothing to do."""
    first = entry("1", "A", static=files("0a"), code={"items": "0a.zip", "gone": "0c.zip"})
    ledger = [entry("4", "D", static=files("0d")), entry("3", "C"), entry("2", "B", code={"items": "0b.zip"}), first]
    found = choose(ledger, "D")["entry"]
    assert (found["run"], found["static"]) == ("3", files("0a"))
    assert found["code"] == {"items": "0b.zip", "gone": "0c.zip"}
    assert choose([C, B, A], "C")["entry"]["static"] == {}, "of before there was anything written down"


def test_what_was_shown_before_a_run_failed_is_what_is_shown() -> None:
    failed = entry("3", "C", outcome="failed", static=files("0c"))
    ledger = [failed, entry("2", "B", static=files("0b")), entry("1", "A", static=files("0a"))]
    found = choose(ledger, "B")
    assert found["entry"]["run"] == "2", "its services run, and its files are not shown"


def test_one_that_did_not_come_to_its_end_is_gone_on_with_until_its_files_are_shown() -> None:
    first, second = entry("1", "A", static=files("0a")), entry("2", "B", static=files("0b"))
    begun = back("3", "", "2", outcome="failed", target="1")
    assert choose([begun, second, first], "A")["entry"]["run"] == "1"

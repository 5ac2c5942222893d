"""Short names of hosts: any number, and each host's stays."""

from __future__ import annotations

import pytest

from plugins.filter.host_names import host_labels, label


@pytest.mark.parametrize(("number", "text"), [(0, "a"), (25, "z"), (26, "aa"), (51, "az"), (52, "ba"), (702, "aaa")])
def test_labels_go_on_after_z(number: int, text: str) -> None:
    assert label(number) == text


def test_no_two_hosts_share_a_label() -> None:
    assert len(set(host_labels([f"i-{number}" for number in range(20_000)], "").values())) == 20_000


def test_a_kept_label_is_given_to_nobody_else() -> None:
    before = "Host host-b prod-host-b i-2\nHost host-aa prod-host-aa i-9\nHost * x y\n  Host host-c prod-host-c i-3\n"
    assert host_labels(["i-1", "i-2", "i-3", "i-4"], before) == {"i-1": "a", "i-2": "b", "i-3": "c", "i-4": "d"}
    assert host_labels([], before) == {}


def test_the_label_of_a_host_that_is_gone_is_free_again() -> None:
    before = "Host host-a live-host-a i-gone\nHost host-b live-host-b i-2\n"
    assert host_labels(["i-1", "i-2", "i-3"], before) == {"i-1": "a", "i-2": "b", "i-3": "c"}

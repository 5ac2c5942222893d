"""The parallel runner by itself."""

from __future__ import annotations

import threading

from local_aws.cloudformation import graph


def test_nothing_is_started_after_a_failure() -> None:
    gate, done = threading.Event(), []

    def work(name: str) -> None:
        done.append(name)
        if name == "n0":
            gate.set()
            raise RuntimeError("no")
        gate.wait(5)

    failed = graph.run({f"n{number}": set() for number in range(graph.WORKERS + 10)}, work)
    assert list(failed) == ["n0"]
    assert len(done) == graph.WORKERS, "those that waited for a free worker were left"


def test_keep_going_leaves_only_what_needs_the_failed_one() -> None:
    done = []

    def work(name: str) -> None:
        if name == "bad":
            raise RuntimeError("no")
        done.append(name)

    failed = graph.run({"bad": set(), "child": {"bad"}, "a": set(), "b": {"a", "stranger"}}, work, keep_going=True)
    assert (list(failed), done) == (["bad"], ["a", "b"])


def test_reverse() -> None:
    assert graph.reverse({"a": set(), "b": {"a"}, "c": {"a", "x"}}) == {"a": {"b", "c"}, "b": set(), "c": set()}

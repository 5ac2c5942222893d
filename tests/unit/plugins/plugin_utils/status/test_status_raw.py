"""What status says of data of a preview environment that nobody has anonymised yet."""

from __future__ import annotations

import io
import json

import pytest

from local_aws.cloud import Cloud
from plugins.plugin_utils.ledger import Ledger
from plugins.plugin_utils.restoring import raw as written
from plugins.plugin_utils.status import raw, terminal
from plugins.plugin_utils.status.ledger import NONE
from plugins.plugin_utils.status.part import Part
from tests.unit.plugins.plugin_utils.status.status_support import Account, said, status
from tests.unit.plugins.plugin_utils.status.test_status_parts import HELD, Answers, ledger

LEFT = {"parts": {"volume.media": "x", "database.main": "x"}, "point": "test.one", "typed": "-e from=test"}
WHAT = "database.main, volume.media of the backup one of test are not anonymised"


def account(lock: Answers | None = None, left: Answers | None = None) -> Account:
    """An account with a ledger in which something may be written of data."""
    made = ledger(lock)
    read = made.answers["get_object"]

    def reading(Bucket: str, Key: str) -> Answers:
        answer: Answers = read(Bucket=Bucket, Key=Key)
        return answer | {"Body": io.BytesIO(json.dumps(left).encode())} if left and Key == written.KEY else answer

    made.answers["get_object"] = reading
    return made


def test_of_a_site_without_such_data_nothing_is_said() -> None:
    model = status(account())
    assert model["raw"] is None
    assert model["well"], said(model)


def test_data_that_a_restore_has_left_so_are_wrong_and_what_ends_it_is_to_be_typed() -> None:
    model = status(account(left=LEFT))
    assert model["raw"] == {"backup": "test.one", "parts": ["database.main", "volume.media"], "typed": "-e from=test"}
    assert said(model) == {"data": [f"{WHAT}, and the restore that has brought them runs no more"]}
    assert model["wrong"][0]["type"].endswith("-e from=test -e confirm=prod")
    assert any(WHAT in text for text, _ in terminal.rendered(model))


@pytest.mark.parametrize("verb", ["restore", "restore test.one"])
def test_while_the_restore_runs_it_is_worth_knowing(verb: str) -> None:
    model = status(account(HELD | {"verb": verb}, LEFT))
    assert model["well"], said(model)
    assert said(model, "notes")["data"] == [f"{WHAT} yet; the restore that runs does it at its end"]


def test_another_verb_that_runs_does_not_anonymise_them() -> None:
    assert "data" in said(status(account(HELD, LEFT)))


def test_where_the_lock_may_not_be_read_nobody_says_that_nothing_runs() -> None:
    part = Part({"backup": "one", "parts": ["database.main"], "typed": "-e from=test"})
    kept = Part(dict(NONE) | {"there": True}, unasked=[{"about": "lock", "action": "s3:GetObject", "why": "no"}])
    raw.judge(part, kept, "pr7")
    assert part.wrong == []
    assert [each["what"] for each in part.notes] == ["database.main of the backup one are not anonymised"]


@pytest.mark.embedded
def test_it_is_read_as_it_is_written(aws: Cloud) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="shop-raw-ledger")
    assert raw.look(aws.client, "shop-raw-ledger").facts is None
    written.add(Ledger(s3, "shop-raw-ledger"), "test.one", "-e from=test", ["database.main"])
    assert raw.look(aws.client, "shop-raw-ledger").facts["parts"] == ["database.main"]
    written.take(Ledger(s3, "shop-raw-ledger"), ["database.main"])
    assert raw.look(aws.client, "shop-raw-ledger").facts is None
    assert raw.look(aws.client, "").facts is None

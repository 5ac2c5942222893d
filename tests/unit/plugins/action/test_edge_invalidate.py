"""CloudFront lets go of what was replaced, where the site has one."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from plugins.action import edge_invalidate
from plugins.action.edge_invalidate import paths
from tests.unit.plugin_support import run_action

MISSING = ClientError({"Error": {"Code": "ValidationError", "Message": "Stack x does not exist"}}, "DescribeStacks")


class Account:
    """CloudFormation with the layer edge, or without, and CloudFront."""

    def __init__(self, outputs: dict[str, str] | None, denied: str = "") -> None:
        self.outputs, self.denied, self.told = outputs, denied, list[dict[str, Any]]()

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        assert StackName == "shop-live-edge"
        if self.outputs is None:
            raise MISSING
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]}]}

    def create_invalidation(self, **given: Any) -> None:
        if self.denied:
            raise ClientError({"Error": {"Code": self.denied, "Message": "no"}}, "CreateInvalidation")
        self.told.append(given)

    def run(self, *files: str, check: bool = False) -> dict[str, Any]:
        self.said = list[str]()
        return run_action(
            edge_invalidate, {"prefix": "shop-live", "files": list(files)}, check, client=lambda _: self,
            say=lambda _, text, __=None: self.said.append(text),
        )  # fmt: skip


EDGE = {"EdgeDistributionId": "E1", "EdgeDomainName": "d1.cloudfront.net"}


@pytest.mark.parametrize("outputs", [None, {}], ids=["no layer", "not up yet"])
def test_a_site_without_one_has_nothing_to_let_go_of(outputs: dict[str, str] | None) -> None:
    account = Account(outputs)
    assert account.run("index.html") == {"changed": False, "paths": []}
    assert account.told == []


def test_it_lets_go_of_what_was_replaced_and_of_nothing_else() -> None:
    account = Account(EDGE)
    assert account.run("index.html", "robots.txt", check=True)["changed"]
    assert account.told == []
    assert account.run("index.html", "robots.txt")["paths"] == ["/index.html", "/robots.txt", "/"]
    assert account.run("robots.txt")["changed"]
    first, second = account.told
    assert first["DistributionId"] == "E1"
    assert first["InvalidationBatch"]["Paths"] == {"Quantity": 3, "Items": ["/index.html", "/robots.txt", "/"]}
    references = {each["InvalidationBatch"]["CallerReference"] for each in (first, second)}
    assert len(references) == 2, "one that was used before would do nothing"
    assert not account.run()["changed"]


def test_paths_are_spelt_as_addresses_are() -> None:
    assert paths(["a b.html", "café/index.html", "myindex.html"]) == [
        "/a%20b.html", "/caf%C3%A9/index.html", "/myindex.html", "/caf%C3%A9/",
    ]  # fmt: skip
    assert len(paths(f"{number}.txt" for number in range(300))) == 300
    assert paths(f"{number}.txt" for number in range(301)) == ["/*"]


def test_who_may_not_is_told_what_to_type_and_the_release_goes_on() -> None:
    account = Account(EDGE, "AccessDenied")
    assert account.run("index.html") == {"changed": False, "paths": []}
    assert account.said[0].endswith("aws cloudfront create-invalidation --distribution-id E1 --paths '/*'")
    assert Account(EDGE, "TooManyInvalidationsInProgress").run("index.html")["failed"]

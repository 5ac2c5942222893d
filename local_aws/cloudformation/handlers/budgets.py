"""Budgets of AWS Budgets: what an account, or what bears a tag, may cost a month, and who is told."""

from __future__ import annotations

from typing import Any, ClassVar

from local_aws.cloudformation.calls import PropertyError, absent_is_fine, call
from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
KNOWN = {"BudgetName", "BudgetType", "BudgetLimit", "TimeUnit", "CostFilters"}
KIND = {"BudgetType": "COST", "TimeUnit": "MONTHLY"}
"""The only budgets that are here."""


class Budget(Handler):
    TYPE = "AWS::Budgets::Budget"
    SUPPORTED: ClassVar[tuple[str, ...] | None] = ("Budget", "NotificationsWithSubscribers", "ResourceTags")

    def create(self, context: Context, properties: Properties) -> str:
        budget = self._budget(properties)
        budget["BudgetName"] = name = str(budget.get("BudgetName") or context.name(100))
        call(
            context,
            "budgets",
            "create_budget",
            AccountId=context.account_id,
            Budget=budget,
            NotificationsWithSubscribers=properties.get("NotificationsWithSubscribers"),
            ResourceTags=context.tag_list(self._tagged(properties)) or None,
        )
        return name

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        budget = self._budget(new) | {"BudgetName": physical_id}
        call(context, "budgets", "update_budget", AccountId=context.account_id, NewBudget=budget)
        arn = f"arn:{context.partition}:budgets::{context.account_id}:budget/{physical_id}"
        if gone := context.untagged(self._tagged(old), self._tagged(new)):
            call(context, "budgets", "untag_resource", ResourceARN=arn, ResourceTagKeys=gone)
        if tags := context.tag_list(self._tagged(new)):
            call(context, "budgets", "tag_resource", ResourceARN=arn, ResourceTags=tags)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        with absent_is_fine():
            call(context, "budgets", "delete_budget", AccountId=context.account_id, BudgetName=physical_id)

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
        return {"Id": physical_id}

    @staticmethod
    def _budget(properties: Properties) -> Properties:
        budget = dict(properties["Budget"])
        for name, value in KIND.items():
            if budget[name] != value:
                raise PropertyError(f"The embedded AWS has no budget with {name} {budget[name]}, but {value}")
        if unknown := set(budget) - KNOWN:
            raise PropertyError(f"The embedded AWS has no {min(unknown)} of a budget")
        return budget

    @staticmethod
    def _tagged(properties: Properties) -> Properties:
        """Its tags under the name that most types have for them."""
        return {"Tags": properties.get("ResourceTags")}

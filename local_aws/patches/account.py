"""The account's own age: it was opened when AWS still let every account make launch configurations."""

from __future__ import annotations

import datetime
from typing import Any

from moto.account import urls
from moto.account.responses import AccountResponse
from moto.core.responses import ActionResult

from local_aws.config import ACCOUNT_ID
from local_aws.patches import autoscaling
from local_aws.patches._moto import missing

OLD, NEW = (datetime.datetime(year, 3, 14, tzinfo=datetime.UTC) for year in (2018, 2026))


@missing(AccountResponse, "get_account_information")
def _get_account_information(_self: Any) -> ActionResult:
    return ActionResult(
        {
            "AccountId": ACCOUNT_ID,
            "AccountName": "embedded",
            "AccountCreatedDate": NEW if autoscaling.refuse_launch_configurations else OLD,
            "AccountState": "ACTIVE",
        }
    )


urls.url_paths["{0}/getAccountInformation$"] = AccountResponse.dispatch

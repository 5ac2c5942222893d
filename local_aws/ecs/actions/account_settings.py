"""The account's settings of ECS."""

from __future__ import annotations

from local_aws.config import ACCOUNT_ID
from local_aws.ecs.actions.base import Actions, page
from local_aws.ecs.errors import invalid
from local_aws.ecs.state import Json, Region

ACCOUNT_SETTINGS = {
    "serviceLongArnFormat": "enabled",
    "taskLongArnFormat": "enabled",
    "containerInstanceLongArnFormat": "enabled",
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "fargateFIPSMode": "disabled",
    "tagResourceAuthorization": "off",
    "guardDutyActivate": "off",
}


class AccountSettings(Actions):
    """ListAccountSettings, PutAccountSetting and the like."""

    def list_account_settings(self, request: Json) -> Json:
        """ListAccountSettings."""
        names = [request["name"]] if request.get("name") else sorted(ACCOUNT_SETTINGS)
        principal = f"arn:aws:iam::{ACCOUNT_ID}:root"
        shown = (
            names
            if request.get("effectiveSettings")
            else [name for name in names if name in self.region.account_settings]
        )
        settings = [
            {"name": name, "value": setting(self.region, name), "principalArn": principal, "type": "user"}
            for name in shown
        ]
        return page("settings", settings, request)

    def put_account_setting(self, request: Json) -> Json:
        """PutAccountSetting; one principal, so the same as the default."""
        if request["name"] not in ACCOUNT_SETTINGS:
            raise invalid(f"The setting name {request['name']} is not supported by the embedded AWS.")
        self.region.account_settings[request["name"]] = request["value"]
        principal = f"arn:aws:iam::{ACCOUNT_ID}:root"
        setting = {"name": request["name"], "value": request["value"], "principalArn": principal, "type": "user"}
        return {"setting": setting}

    def put_account_setting_default(self, request: Json) -> Json:
        """PutAccountSettingDefault."""
        return self.put_account_setting(request)

    def delete_account_setting(self, request: Json) -> Json:
        """DeleteAccountSetting."""
        self.region.account_settings.pop(request["name"], None)
        principal = f"arn:aws:iam::{ACCOUNT_ID}:root"
        value = setting(self.region, request["name"])
        return {"setting": {"name": request["name"], "value": value, "principalArn": principal, "type": "user"}}


def setting(region: Region, name: str) -> str:
    """What a setting is: as it was put, or AWS's default."""
    return region.account_settings.get(name, ACCOUNT_SETTINGS.get(name, ""))

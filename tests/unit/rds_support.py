"""A site with a database of RDS for tests that restore it beside the site's: the API is embedded, servers are real."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from local_aws.cloud import Cloud
from plugins.plugin_utils.importing.postgres import literal
from tests.unit.plugin_support import heard
from tests.unit.postgres_support import PASSWORD, Postgres

HOST = {"name": "i-0a", "address": "10.0.0.5", "user": "ec2-user"}


def site_client(server: Postgres) -> Any:
    """CloudFormation and Secrets Manager in one, as far as they are asked for the way to a site's server."""
    outputs = {"Endpoint": "127.0.0.1", "Port": str(server.port), "SecretArn": "arn:secret"}
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    secret = json.dumps({"username": "clerk", "password": PASSWORD})
    return SimpleNamespace(
        describe_stacks=lambda StackName: {"Stacks": [{"Outputs": listed}]},  # noqa: ARG005 # as boto3 calls it
        get_secret_value=lambda SecretId: {"SecretString": secret},  # noqa: ARG005 # the same
    )


class Rds:
    """The embedded API, behind which an instance beside is a server of this machine.

    Attributes:
        passwords: that its user was given.
    """

    def __init__(self, api: Any, beside: Postgres) -> None:
        self._api, self._beside = api, beside
        self.passwords = list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def describe_db_instances(self, **given: Any) -> Any:
        found = self._api.describe_db_instances(**given)
        for each in found["DBInstances"]:
            if any(f"-{verb}-" in each["DBInstanceIdentifier"] for verb in ("restore", "drill")):
                each["Endpoint"] = {"Address": "127.0.0.1", "Port": self._beside.port}
        return found

    def modify_db_instance(self, **given: Any) -> None:
        self._api.modify_db_instance(**given)
        self.passwords.append(given["MasterUserPassword"])
        self._beside.sql(f"ALTER ROLE clerk PASSWORD {literal(given['MasterUserPassword'])}")


class Estate:
    """A site with a database.

    Args:
        aws: the embedded one.
        prefix: of the environment.
        own: the site's own instance, behind the prefix.
        site: the server behind that.
        rds: the API of RDS.
        more: of the instance, as `create_db_instance` takes it.
    """

    def __init__(self, aws: Cloud, prefix: str, own: str, site: Postgres, rds: Rds, **more: Any) -> None:
        self.prefix, self.own, self.site, self.rds = prefix, f"{prefix}-{own}", site, rds
        self.api, ec2 = aws.client("rds"), aws.client("ec2")
        subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2]
        self.api.create_db_subnet_group(DBSubnetGroupName=prefix, DBSubnetGroupDescription="private", SubnetIds=subnets)
        self.group = ec2.create_security_group(GroupName=prefix, Description="x")["GroupId"]
        self.api.create_db_instance(
            DBInstanceIdentifier=self.own, DBInstanceClass="db.t3.small", Engine="postgres", MasterUsername="clerk",
            MasterUserPassword="p" * 9, DBSubnetGroupName=prefix, VpcSecurityGroupIds=[self.group],
            DeletionProtection=True, **more,
        )  # fmt: skip

    def client(self, service: str) -> Any:
        return self.rds if service == "rds" else site_client(self.site)

    def heard(self, plugin: Any, arguments: Mapping[str, Any], check: bool) -> tuple[dict[str, Any], str]:
        """The result of an action about the database, and what was shown, in neither of which a password is."""
        common = {
            "database": "main", "instance": self.own, "prefix": self.prefix, "stack": f"{self.prefix}-database-main",
            "dbname": "site", "hosts": [HOST], "region": "us-east-1", "tags": {"Site": "shop"}, "timeout": 20,
        }  # fmt: skip
        result, shown = heard(plugin, {**common, **arguments}, check, client=self.client)
        assert not [each for each in (PASSWORD, *self.rds.passwords) if each in str(result) + shown]
        return result, shown

    def beside(self) -> list[str]:
        """Instances of RDS beside the site's own."""
        names = [each["DBInstanceIdentifier"] for each in self.api.describe_db_instances()["DBInstances"]]
        return [name for name in names if name.startswith(self.prefix) and name != self.own]

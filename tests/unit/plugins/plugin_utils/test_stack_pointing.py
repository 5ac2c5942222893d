"""Two templates of a service, as the model makes them: what is found to lead to other data, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from plugins.plugin_utils.layers import Layer, Template
from plugins.plugin_utils.stack_plan import Loss, refusal
from plugins.plugin_utils.stack_pointing import RECORD, leads, moved
from tests.unit.fake_cloudformation import STACK_ID, FakeCloudFormation, a_stack
from tests.unit.plugins.plugin_utils.site.support import read, rendered, small

STORED = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter"
ELSEWHERE = PARAMETER.replace("us-east-1", "eu-west-1")
OUTPUTS = {
    "DatabaseMainEndpoint": "shop-main.c0ffee.us-east-1.rds.amazonaws.com",
    "DatabaseMainLoginArn": f"{STORED}database/main-AbCdEf",
    "DatabaseStatsEndpoint": "shop-stats.c0ffee.us-east-1.rds.amazonaws.com",
    "DatabaseStatsLoginArn": f"{STORED}database/stats-AbCdEf",
    "SecretDjangoSecretArn": f"{STORED}django-AbCdEf",
    "SecretOtherSecretArn": f"{STORED}other-AbCdEf",
    "BucketUploadsBucketName": "shop-uploads-1x2y",
    "BucketUploadsBucketArn": "arn:aws:s3:::shop-uploads-1x2y",
    "BucketOtherBucketName": "shop-other-1x2y",
    "TableItemsTableName": "shop-items-1X2Y",
    "TableItemsTableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/shop-items-1X2Y",
    "TableOtherTableName": "shop-other-1X2Y",
    "VolumeMediaFileSystemId": "fs-0a",
    "VolumeMediaAccessPointId": "fsap-0a",
    "VolumeMediaAccessPointArn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0a",
    "VolumeOtherFileSystemId": "fs-0b",
    "VolumeOtherAccessPointId": "fsap-0b",
    "VolumeOtherAccessPointArn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0b",
}
"""What the stacks of the entries give."""
GENERATED = "site_secrets: {django: {generate: [secret_key]}, other: {generate: [secret_key]}}"
DATABASES = "site_databases: {main: {}, stats: {}}"
VOLUMES = "site_volumes: {media: {}, other: {}}"
REXRAY = "site_volumes: {media: {driver: rexray}, other: {driver: rexray}}"
BUCKETS = "site_buckets: {uploads: {}, other: {}}"
TABLES = "site_tables: {items: {partition_key: id}, other: {partition_key: id}}"
TABLE_OUTSIDE = "site_tables: {items: {name: acme-items}}"
OUTSIDE = f"site_databases: {{main: {{endpoint: db.example.net, secret_arn: '{STORED}db-AbCdEf'}}}}"


def template(container: str, more: str = "", name: str = "web") -> str:
    """The template of a service whose container has these keys."""
    own = yaml.safe_load(f"{{image: shop/web, mem_limit: 64m, ports: ['8000'], {container}}}")
    # What nobody mounts, the model refuses: another service does.
    given = yaml.safe_load(more) or {}
    mounts = [f"{volume}:/{volume}" for volume in given.get("site_volumes", {})]
    beside = {"beside": {"containers": {"beside": {"image": "shop/web", "mem_limit": "64m", "volumes": mounts}}}}
    site = small(more)
    site["site_services"] = {"web": {"containers": {name: own}, "routes": [{"to": name}]}, **beside}
    parts = rendered(read(site), "service.web")
    task = {"ContainerDefinitions": parts.containers, "Volumes": parts.volumes}
    content: dict[str, Any] = {
        "Parameters": {
            name: {"Type": "String", "Description": f"{key}.{output}"} for name, (key, output) in parts.takes.items()
        },
        "Resources": {"TaskDefinition": {"Type": "AWS::ECS::TaskDefinition", "Properties": task}},
    }
    if parts.data:
        content["Metadata"] = {RECORD: parts.data}
    return yaml.safe_dump(content)


def lost(before: str, after: str, unknown: tuple[str, ...] = (), **values: str) -> list[tuple[str, str, str]]:
    """What is found between two templates.

    Args:
        before: deployed, with `OUTPUTS`.
        after: wanted.
        unknown: begins of the names of those that nobody knows yet.
        values: those that are another now.
    """
    later = {name: value for name, value in {**OUTPUTS, **values}.items() if not name.startswith(unknown)}
    return list(moved(leads(before, OUTPUTS, STACK_ID), leads(after, later, STACK_ID)))


# Led elsewhere


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        # What exists outside, dropped: Berth would make a new one, of which nobody knows the name yet.
        (
            ("secrets: {KEY: secret.django.value}", f"site_secrets: {{django: {{secret_arn: '{STORED}old-AbCdEf'}}}}"),
            ("secrets: {KEY: secret.django.secret_key}", GENERATED),
            ("web.KEY", f"{STORED}old-AbCdEf", "another one"),
        ),
        (
            ("secrets: {KEY: secret.django.value}", "site_secrets: {django: {parameter: /shop/key}}"),
            ("secrets: {KEY: secret.django.secret_key}", GENERATED),
            ("web.KEY", "/shop/key", "another one"),
        ),
        (
            ("environment: {DB: {from: database.main.host}}", OUTSIDE),
            ("environment: {DB: {from: database.main.host}}", DATABASES),
            ("web.DB", "db.example.net", "another one"),
        ),
        (
            ("secrets: {DB: database.main.password}", OUTSIDE),
            ("secrets: {DB: database.main.password}", DATABASES),
            ("web.DB", f"{STORED}db-AbCdEf", "another one"),
        ),
        (
            ("environment: {STORE: {from: bucket.uploads.name}}", "site_buckets: {uploads: {name: acme-uploads}}"),
            ("environment: {STORE: {from: bucket.uploads.name}}", BUCKETS),
            ("web.STORE", "acme-uploads", "another one"),
        ),
        (
            ("environment: {ITEMS: {from: table.items.name}}", TABLE_OUTSIDE),
            ("environment: {ITEMS: {from: table.items.name}}", TABLES),
            ("web.ITEMS", "acme-items", "another one"),
        ),
        # Or set: what Berth made goes out of sight.
        (
            ("environment: {ITEMS: {from: table.items.name}}", TABLES),
            ("environment: {ITEMS: {from: table.items.name}}", TABLE_OUTSIDE),
            ("web.ITEMS", "shop-items-1X2Y", "acme-items"),
        ),
        (
            ("environment: {ITEMS: {from: table.items.arn}}", TABLES),
            ("environment: {ITEMS: {from: table.items.arn}}", TABLE_OUTSIDE),
            ("web.ITEMS", "shop-items-1X2Y", "acme-items"),
        ),
        (
            ("environment: {STORE: {from: bucket.uploads.name}}", BUCKETS),
            ("environment: {STORE: {from: bucket.uploads.name}}", "site_buckets: {uploads: {name: acme-uploads}}"),
            ("web.STORE", "shop-uploads-1x2y", "acme-uploads"),
        ),
        (
            ("environment: {STORE: {from: bucket.uploads.arn}}", BUCKETS),
            ("environment: {STORE: {from: bucket.uploads.arn}}", "site_buckets: {uploads: {name: acme-uploads}}"),
            ("web.STORE", "shop-uploads-1x2y", "acme-uploads"),
        ),
        (
            ("environment: {DB: {from: database.main.host}}", DATABASES),
            ("environment: {DB: {from: database.main.host}}", OUTSIDE),
            ("web.DB", "shop-main", "db.example.net"),
        ),
        (
            ("secrets: {KEY: secret.django.secret_key}", GENERATED),
            ("secrets: {KEY: /shop/key}", GENERATED),
            ("web.KEY", f"{STORED}django-AbCdEf", "/shop/key"),
        ),
        # One text for another.
        (
            (f"secrets: {{KEY: '{STORED}one-AbCdEf:key'}}",),
            (f"secrets: {{KEY: '{STORED}two-AbCdEf:key'}}",),
            ("web.KEY", f"{STORED}one-AbCdEf", f"{STORED}two-AbCdEf"),
        ),
        (
            ("secrets: {KEY: /shop/key}",),
            (f"secrets: {{KEY: '{ELSEWHERE}/shop/key'}}",),
            ("web.KEY", "/shop/key", f"{ELSEWHERE}/shop/key"),
        ),
        (
            ("environment: {DB: {from: database.main.host}}", OUTSIDE),
            ("environment: {DB: {from: database.main.host}}", OUTSIDE.replace("db.example", "db2.example")),
            ("web.DB", "db.example.net", "db2.example.net"),
        ),
        (
            ("environment: {DB: {from: database.main.dbname}}", OUTSIDE),
            ("environment: {DB: {from: database.main.dbname}}", OUTSIDE.replace("{end", "{name: other, end")),
            ("web.DB", "db.example.net/site", "db.example.net/other"),
        ),
        (
            ("environment: {DB: {from: database.main.port}}", OUTSIDE),
            ("environment: {DB: {from: database.main.port}}", OUTSIDE.replace("{end", "{port: 5433, end")),
            ("web.DB", "db.example.net:5432", "db.example.net:5433"),
        ),
        (
            ("environment: {STORE: {from: bucket.uploads.name}}", "site_buckets: {uploads: {name: acme-uploads}}"),
            ("environment: {STORE: {from: bucket.uploads.name}}", "site_buckets: {uploads: {name: acme-files}}"),
            ("web.STORE", "acme-uploads", "acme-files"),
        ),
        # A reference or a mount that moves to another entry.
        (
            ("secrets: {DB: database.main.password}", DATABASES),
            ("secrets: {DB: database.stats.password}", DATABASES),
            ("web.DB", f"{STORED}database/main-AbCdEf", f"{STORED}database/stats-AbCdEf"),
        ),
        (
            ("environment: {DB: {from: database.main.host}}", DATABASES),
            ("environment: {DB: {from: database.stats.host}}", DATABASES),
            ("web.DB", "shop-main", "shop-stats"),
        ),
        (
            ("environment: {STORE: {from: bucket.uploads.name}}", BUCKETS),
            ("environment: {STORE: {from: bucket.other.name}}", BUCKETS),
            ("web.STORE", "shop-uploads-1x2y", "shop-other-1x2y"),
        ),
        (
            ("environment: {FS: {from: volume.media.id}}", VOLUMES),
            ("environment: {FS: {from: volume.other.id}}", VOLUMES),
            ("web.FS", "fs-0a", "fs-0b"),
        ),
        (
            ("volumes: ['media:/srv/media']", REXRAY),
            ("volumes: ['other:/srv/media/']", REXRAY),
            ("web./srv/media", "volume.media", "volume.other"),
        ),
        (
            ("volumes: ['media:/srv/media']", REXRAY),
            ("volumes: ['other:/srv/media']", VOLUMES),
            ("web./srv/media", "volume.media", "fs-0b"),
        ),
        (
            ("volumes: ['media:/srv/media']", VOLUMES),
            ("volumes: ['media:/srv/media']", "site_volumes: {media: {driver: task}}"),
            ("web./srv/media", "fs-0a", "another one"),
        ),
        # A text of the inventory in the place of data.
        (
            ("environment: {DB: {from: database.main.host}}", DATABASES),
            ("environment: {DB: localhost}", DATABASES),
            ("web.DB", "shop-main", "another one"),
        ),
        # A text that looks as if it named data.
        (
            ("environment: {DB: old.c0ffee.eu-west-1.rds.amazonaws.com}", DATABASES),
            ("environment: {DB: {from: database.main.host}}", DATABASES),
            ("web.DB", "old", "shop-main"),
        ),
    ],
)
def test_a_place_that_leads_to_other_data_is_found(
    before: tuple[str, ...], after: tuple[str, ...], found: tuple[str, str, str]
) -> None:
    made = ("SecretDjango", "DatabaseMain", "BucketUploads", "TableItems") if found[2] == "another one" else ()
    assert lost(template(*before), template(*after), unknown=made) == [found]


def test_another_file_system_is_found_with_its_access_point() -> None:
    before, after = (template(f"volumes: ['{name}:/srv/media']", VOLUMES) for name in ("media", "other"))
    found = [("web./srv/media", "fs-0a", "fs-0b"), ("web./srv/media (access point)", "fsap-0a", "fsap-0b")]
    assert lost(before, after) == found
    assert [each[1] for each in lost(before, after, unknown=("VolumeOther",))] == ["fs-0a", "fsap-0a"]


def test_a_volume_that_is_moved_to_the_native_driver_is_the_same_before_its_stack_tells_which() -> None:
    before, after = (template("volumes: ['media:/srv/media']", volumes) for volumes in (REXRAY, VOLUMES))
    assert lost(before, after, unknown=("VolumeMedia",)) == []


def test_a_file_system_without_an_access_point_is_the_same_as_with_one() -> None:
    """A patch may take it away: the file system stays in sight, unless it is another."""
    whole, other = (template(f"volumes: ['{name}:/srv/media']", VOLUMES) for name in ("media", "other"))
    bare = yaml.safe_load(whole)
    del bare["Resources"]["TaskDefinition"]["Properties"]["Volumes"][0]["EFSVolumeConfiguration"]["AuthorizationConfig"]
    assert lost(yaml.safe_dump(bare), whole) == lost(whole, yaml.safe_dump(bare)) == []
    assert [each[1] for each in lost(yaml.safe_dump(bare), other)] == ["fs-0a"]


def test_the_same_entry_with_other_data_is_found() -> None:
    """An entry that its stack has made anew, or is about to."""
    body = template("volumes: ['media:/srv/media']", VOLUMES)
    assert lost(body, body, VolumeMediaFileSystemId="fs-0c") == [("web./srv/media", "fs-0a", "fs-0c")]
    assert [each[1] for each in lost(body, body, unknown=("VolumeMedia",))] == ["fs-0a", "fsap-0a"]


# Not led elsewhere


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The same secret: another key in it, another version, its whole ARN, its other name.
        ((f"secrets: {{KEY: '{STORED}x-AbCdEf:one'}}",), (f"secrets: {{KEY: '{STORED}x-AbCdEf:two'}}",)),
        (
            (f"secrets: {{KEY: '{STORED}x-AbCdEf:one'}}",),
            (f"secrets: {{KEY: '{STORED}x-AbCdEf:one:AWSPREVIOUS:'}}",),
        ),
        ((f"secrets: {{KEY: '{STORED}x'}}",), (f"secrets: {{KEY: '{STORED}x-AbCdEf'}}",)),
        (("secrets: {KEY: /shop/key}",), (f"secrets: {{KEY: '{PARAMETER}/shop/key'}}",)),
        (
            ("secrets: {DB: database.main.username}", DATABASES),
            ("secrets: {DB: database.main.password}", DATABASES),
        ),
        # Said in another way: by its ARN, by the entry that has it, or by another attribute of that.
        (
            ("secrets: {DB: database.main.password}", DATABASES),
            (f"secrets: {{DB: '{STORED}database/main-AbCdEf:password'}}", DATABASES),
        ),
        (
            ("secrets: {DB: database.main.host}", DATABASES),
            ("environment: {DB: {from: database.main.host}}", DATABASES),
        ),
        (
            ("environment: {STORE: {from: bucket.uploads.name}}", BUCKETS),
            ("environment: {STORE: {from: bucket.uploads.arn}}", BUCKETS),
        ),
        (
            ("environment: {STORE: acme-uploads}", BUCKETS),
            ("environment: {STORE: {from: bucket.uploads.name}}", "site_buckets: {uploads: {name: acme-uploads}}"),
        ),
        (
            ("secrets: {NAME: secret.django.user}", "site_secrets: {django: {generate: [key], values: {user: x}}}"),
            (
                "environment: {NAME: {from: secret.django.user}}",
                "site_secrets: {django: {generate: [key], values: {user: x}}}",
            ),
        ),
        # A volume that moves to the native driver, or back, has the same files.
        (("volumes: ['media:/srv/media']", REXRAY), ("volumes: ['media:/srv/media']", VOLUMES)),
        (("volumes: ['media:/srv/media']", VOLUMES), ("volumes: ['media:/srv/media']", REXRAY)),
        (("volumes: ['media:/srv/media']", VOLUMES), ("volumes: ['media:/srv/media:ro']", VOLUMES)),
        # What comes, and what goes.
        (("user: '1'", DATABASES), ("secrets: {DB: database.main.password}", DATABASES)),
        (("secrets: {DB: database.main.password}", DATABASES), ("user: '1'", DATABASES)),
        (("environment: {DB: {from: database.main.host}}", DATABASES), ("environment: {DB: ''}", DATABASES)),
        (("volumes: ['media:/srv/media']", VOLUMES), ("volumes: ['media:/srv/files']", VOLUMES)),
        (
            ("secrets: {DB: database.main.password}", DATABASES),
            ("secrets: {DB: database.stats.password}", DATABASES, "other"),
        ),
        # A text like any other.
        (("environment: {TITLE: one}",), ("environment: {TITLE: two}",)),
        (
            ("environment: {DB: localhost}", DATABASES),
            ("environment: {DB: {from: database.main.host}}", DATABASES),
        ),
        (
            ("environment: {IMAGE: 'arn:aws:ecr:us-east-1:1:repository/shop/one'}",),
            ("environment: {IMAGE: 'arn:aws:ecr:us-east-1:1:repository/shop/two'}",),
        ),
        (
            ("volumes: ['scratch:/tmp/x']", "site_volumes: {scratch: {driver: task}}"),
            ("volumes: ['media:/tmp/x']", VOLUMES),
        ),
        # The same text, though the other keys of the database are others now.
        (
            ("environment: {DB: {from: database.main.dbname}}", OUTSIDE),
            ("environment: {DB: {from: database.main.dbname}}", OUTSIDE.replace("db.example", "db2.example")),
        ),
    ],
)
def test_a_place_that_leads_to_the_same_data_is_not(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    assert lost(template(*before), template(*after)) == []


def test_another_image_and_user_lead_nowhere_else() -> None:
    before = template("secrets: {DB: database.main.password}, environment: {TITLE: one}", DATABASES)
    after = before.replace("shop/web:r1", "shop/web:r2").replace("one", "two")
    assert after != before
    assert lost(before, after) == []


def test_a_parameter_of_another_name_and_the_same_value_is_the_same_data() -> None:
    before = template("secrets: {DB: database.main.password}", DATABASES)
    after = before.replace("DatabaseMain", "DatabaseFirst").replace("database.main", "database.first")
    assert lost(before, after, DatabaseFirstLoginArn=OUTPUTS["DatabaseMainLoginArn"]) == []
    found = [("web.DB", OUTPUTS["DatabaseMainLoginArn"], "another one")]
    assert lost(before, after) == found, "the entry was renamed, and its stack is a new one"


def test_two_secrets_of_which_one_is_called_like_the_whole_arn_of_the_other_are_two() -> None:
    before, after = (template(f"secrets: {{KEY: '{STORED}x-AbCdEf{end}'}}") for end in ("", "-GhIjKl"))
    assert lost(before, after) == [("web.KEY", f"{STORED}x-AbCdEf", f"{STORED}x-AbCdEf-GhIjKl")]


def test_what_only_cloudformation_knows_is_left_to_the_change_set() -> None:
    """A patch may say anything; what the stack makes itself is found where that is replaced."""
    before = template("secrets: {DB: database.main.password}", DATABASES)
    own = before.replace("${DatabaseMainLoginArn}", "${Own}")
    joined = yaml.safe_load(before)
    secret = joined["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"][0]["Secrets"][0]
    secret["ValueFrom"] = {"Fn::Join": ["", [{"Ref": "Own"}, ":password::"]]}
    assert own != before
    assert lost(own, before) == []
    assert [each[1] for each in lost(before, own)] == [OUTPUTS["DatabaseMainLoginArn"]]
    assert lost(yaml.safe_dump(joined), yaml.safe_dump(joined)) == []
    named = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/shop/key"
    secret["ValueFrom"] = {"Fn::Sub": named}
    assert lost(template("secrets: {DB: /shop/key}"), yaml.safe_dump(joined)) == []
    assert lost(yaml.safe_dump({"Resources": {"Log": {"Type": "AWS::Logs::LogGroup"}}}), before) == []


# The record


@pytest.mark.parametrize(
    ("container", "more", "record"),
    [
        (
            "environment: {A: {from: database.main.host}, B: {from: database.main.port}, "
            "C: {from: database.main.dbname}, E: {from: database.main.engine}}",
            DATABASES,
            {"A": ""},
        ),
        (
            "environment: {A: {from: database.main.host}, B: {from: database.main.port}, "
            "C: {from: database.main.dbname}, D: {from: database.main.engine}}",
            OUTSIDE,
            {"A": "", "B": "db.example.net:5432", "C": "db.example.net/site"},
        ),
        (
            "environment: {A: {from: bucket.uploads.name}, B: {from: bucket.uploads.arn}}",
            BUCKETS,
            {"A": "", "B": ""},
        ),
        (
            "environment: {A: {from: bucket.uploads.name}, B: {from: bucket.uploads.arn}}",
            "site_buckets: {uploads: {name: acme-uploads}}",
            {"A": "", "B": ""},
        ),
        (
            "environment: {A: {from: volume.media.id}, B: db.example.net}",
            VOLUMES,
            {"A": ""},
        ),
    ],
)
def test_a_template_says_which_variables_lead_to_data(container: str, more: str, record: dict[str, str]) -> None:
    assert yaml.safe_load(template(container, more))["Metadata"] == {RECORD: {"web": record}}


def test_a_template_without_such_a_variable_says_nothing() -> None:
    assert "Metadata" not in yaml.safe_load(template("secrets: {KEY: /shop/key}, environment: {TITLE: one}"))


# In a stack


class Deployed(FakeCloudFormation):
    """A stack with a template of its own."""

    body: Any = ""

    def get_template(self, StackName: str) -> dict[str, Any]:
        """The deployed template."""
        del StackName
        return {"TemplateBody": self.body}


def losses(
    status: str, before: Any, after: str, parameters: Mapping[str, str] | None = None, keep: tuple[str, ...] = ()
) -> list[Loss]:
    """What a stack in a state says that it would lose, its layer keeping and being given these parameters."""
    client = Deployed(
        [status],
        description={"Parameters": [{"ParameterKey": name, "ParameterValue": each} for name, each in OUTPUTS.items()]},
    )
    client.body = before
    stack = a_stack(client)
    stack.layer = Layer("service.web", stack.layer.stack, None, Template.read(after), dict(parameters or {}), keep=keep)
    stack.read()
    return stack.look({}, thoroughly=False).losses


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])
def test_a_service_that_is_led_elsewhere_loses_what_has_to_be_named(status: str) -> None:
    title = "environment: {TITLE: 'it''s \"so\"'}"
    before, after = (template(f"secrets: {{KEY: '{STORED}{name}-AbCdEf'}}, {title}") for name in ("one", "two"))
    found = losses(status, before, after)
    assert list(map(str, found)) == [
        f"{STORED}one-AbCdEf: service.web.web.KEY points at it now, and would point at {STORED}two-AbCdEf"
    ]
    assert refusal(found, []).endswith(f"site_remove: [{STORED}one-AbCdEf]")
    assert refusal(found, [f"{STORED}two-AbCdEf"])
    assert refusal(found, [f"{STORED}one-AbCdEf"]) == ""
    assert losses(status, before, before) == []
    assert losses(status, yaml.safe_load(before), after) == found, "a template in JSON comes as it is read"


def test_a_first_deployment_leads_nowhere_else() -> None:
    before, after = (template(f"secrets: {{KEY: '{STORED}{name}-AbCdEf'}}") for name in ("one", "two"))
    for status in ("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
        assert losses(status, before, after) == []


def test_a_parameter_that_is_kept_leads_where_it_led() -> None:
    before = template("secrets: {DB: database.main.password}", DATABASES)
    after = before.replace("password", "username")
    name = "DatabaseMainLoginArn"
    assert losses("UPDATE_COMPLETE", before, after, {name: "ignored"}, (name,)) == []
    assert [each.resource for each in losses("UPDATE_COMPLETE", before, after, {name: "x"})] == [name]


def test_one_file_system_is_named_once() -> None:
    """By the parameter that tells it and by the path where it is mounted; without its access point."""
    before, after = (template("volumes: ['media:/srv/media']", VOLUMES) for _ in range(2))
    found = losses("UPDATE_COMPLETE", before, after + " ", OUTPUTS | {"VolumeMediaFileSystemId": "fs-0c"})
    assert [(each.resource, each.physical_id) for each in found] == [("VolumeMediaFileSystemId", "fs-0a")]
    moved_mount = template("volumes: ['other:/srv/media']", VOLUMES)
    found = losses("UPDATE_COMPLETE", before, moved_mount, OUTPUTS)
    assert [(each.resource, each.physical_id) for each in found] == [("web./srv/media", "fs-0a")]


FUNCTION = """
Metadata: {{Berth::Data: {{function: {data}}}}}
Parameters: {{TableItemsTableName: {{Type: String, Description: table.items.TableName}}}}
Resources:
  Function: {{Type: AWS::Lambda::Function, Properties: {{Environment: {{Variables: {variables}}}}}}}
"""


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (
            "{ITEMS: !Ref TableItemsTableName}",
            "{ITEMS: acme-items}",
            [("function.ITEMS", "shop-items-1X2Y", "acme-items")],
        ),
        ("{ITEMS: !Ref TableItemsTableName}", "{ITEMS: shop-items-1X2Y}", []),
        ("{ITEMS: !Ref TableItemsTableName}", "{}", []),
    ],
    ids=["elsewhere", "the same", "nowhere"],
)
def test_a_variable_of_a_function_leads_as_that_of_a_container(
    before: str, after: str, found: list[tuple[str, str, str]]
) -> None:
    one, other = (FUNCTION.format(data="{ITEMS: ''}", variables=each) for each in (before, after))
    assert lost(one, other) == found
    assert lost(one, one.replace("Properties: {Environment", "Other: {Environment")) == [], "without any"

"""References and things that exist already: where ECS finds them, and which rights follow."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.site.model import Site
from plugins.plugin_utils.site.reading import read_site
from plugins.plugin_utils.site.rendering import function
from plugins.plugin_utils.stack_pointing import RECORD, leads
from tests.unit.plugins.plugin_utils.site.support import read, rendered, small

STORED = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/key-Ab12Cd"
OF_RDS = "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:rds!db-0a1b2c3d-0123-Ab12Cd"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/key"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0123abcd"


def site(container: str, more: str = "") -> Site:
    """The small site whose container has these keys."""
    return read(small(f"site_services: {{web: {{containers: {{web: {{{container}}}}}}}}}\n{more}"))


def secrets(made: Site) -> dict[str, Any]:
    """Variable → where ECS takes it from."""
    return {each["Name"]: each["ValueFrom"] for each in rendered(made, "service.web").containers[0]["Secrets"]}


def allowed(made: Site, action: str) -> list[Any]:
    """What the execution role may do this to."""
    statements = rendered(made, "service.web").execution_statements
    return [resource for each in statements if action in each["Action"] for resource in each["Resource"]]


def taken(made: Site) -> set[str]:
    """The entries whose stacks the service takes something from, but for its image."""
    return {entry for entry, _ in rendered(made, "service.web").takes.values() if not entry.startswith("image.")}


@pytest.mark.parametrize(
    ("written", "value", "resource"),
    [
        (STORED, STORED, STORED),
        (f"{STORED}:api_key", f"{STORED}:api_key::", STORED),
        (f"{STORED}:api_key:AWSPREVIOUS:", f"{STORED}:api_key:AWSPREVIOUS:", STORED),
        (STORED[:-7], STORED[:-7], f"{STORED[:-7]}-??????"),
        (f"{OF_RDS}:password", f"{OF_RDS}:password::", OF_RDS),
    ],
)
def test_a_secret_that_exists_is_named_by_its_arn(written: str, value: str, resource: str) -> None:
    made = site(f"secrets: {{K: '{written}'}}")
    assert secrets(made) == {"K": value}
    assert allowed(made, "secretsmanager:GetSecretValue") == [resource]
    assert allowed(made, "kms:Decrypt") == []
    assert allowed(made, "ssm:GetParameters") == []


def test_of_a_database_that_exists_the_secret_may_be_the_one_that_rds_manages() -> None:
    made = site(
        "secrets: {K: database.main.password}",
        f"site_databases: {{main: {{endpoint: db.acme.io, secret_arn: '{OF_RDS}'}}}}",
    )
    assert secrets(made) == {"K": f"{OF_RDS}:password::"}


def test_a_parameter_is_named_by_its_name_or_its_arn() -> None:
    made = site(f"secrets: {{A: /shop/key, B: '{PARAMETER}'}}")
    assert secrets(made) == {"A": "/shop/key", "B": PARAMETER}
    assert allowed(made, "ssm:GetParameters") == [
        PARAMETER,
        {"Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/shop/key"},
    ]
    assert allowed(made, "secretsmanager:GetSecretValue") == []


def test_a_key_of_one_s_own_needs_a_right_of_its_own() -> None:
    entry = f"site_secrets: {{k: {{secret_arn: '{STORED}', keys: [api_key], kms_key_arn: '{KEY}'}}}}"
    made = site("secrets: {K: secret.k.api_key}", entry)
    assert secrets(made) == {"K": f"{STORED}:api_key::"}
    assert allowed(made, "kms:Decrypt") == [KEY]
    assert not taken(made), "it exists: there is no stack"


@pytest.mark.parametrize(
    ("reference", "entry"),
    [
        ("secret.k.a", "site_secrets: {k: {generate: [a], KEY}}"),
        ("secret.k.user", "site_secrets: {k: {generate: [a], values: {user: me}, KEY}}"),
        ("database.k.password", "site_databases: {k: {KEY}}"),
        ("database.k.host", "site_databases: {k: {KEY}}"),
    ],
)
def test_so_does_one_of_what_berth_makes(reference: str, entry: str) -> None:
    keyed = site(f"secrets: {{K: {reference}}}", entry.replace("KEY", f"kms_key_arn: '{KEY}'"))
    assert allowed(keyed, "kms:Decrypt") == [KEY]
    plain = site(f"secrets: {{K: {reference}}}", entry.replace(", KEY", "").replace("KEY", ""))
    assert allowed(plain, "kms:Decrypt") == [], "AWS's own keys ask for none"


def test_who_reads_one_by_itself_decrypts_by_itself() -> None:
    used = "site_services: {web: {uses: {secret.k: read}}}\nsite_secrets: {k: {generate: [v]%s}}"
    keyed, plain = (
        {
            action: statement["Resource"]
            for statement in rendered(read(small(used % more)), "service.web").task_statements
            for action in statement["Action"]
        }
        for more in (f", kms_key_arn: '{KEY}'", "")
    )
    assert keyed.pop("kms:Decrypt") == [KEY]
    assert keyed == plain


def test_a_parameter_as_an_entry() -> None:
    made = site("secrets: {K: secret.k.value}", "site_secrets: {k: {parameter: /shop/key}}")
    assert secrets(made) == {"K": "/shop/key"}


def test_plain_values_beside_a_generated_one_may_be_read() -> None:
    made = site(
        "environment: {U: {from: secret.admin.username}}, secrets: {P: secret.admin.password}",
        "site_secrets: {admin: {generate: [password], length: 20, values: {username: admin}}}",
    )
    told = {each["Name"]: each["Value"] for each in rendered(made, "service.web").containers[0]["Environment"]}
    assert told["U"] == "admin"
    assert secrets(made) == {"P": {"Fn::Sub": "${SecretAdminSecretArn}:password::"}}


def test_what_rds_tells_may_stand_in_both() -> None:
    made = site(
        "environment: {H: {from: database.main.host}, N: {from: database.main.dbname}, P: {from: database.main.port}}, "
        "secrets: {U: database.main.username}"
    )
    parts = rendered(made, "service.web")
    told = {each["Name"]: each["Value"] for each in parts.containers[0]["Environment"]}
    assert told["H"] == {"Ref": "DatabaseMainEndpoint"}
    assert told["P"] == {"Ref": "DatabaseMainPort"}
    assert told["N"] == "site"
    assert parts.takes["DatabaseMainEndpoint"] == ("database.main", "Endpoint")


def test_a_database_that_exists_is_told_without_a_stack() -> None:
    given = f"site_databases: {{main: {{endpoint: db.acme.io, port: 5433, name: shop, secret_arn: '{STORED}'}}}}"
    made = site(
        "environment: {H: {from: database.main.host}, P: {from: database.main.port}, N: {from: database.main.dbname}}, "
        "secrets: {W: database.main.password}",
        given,
    )
    parts = rendered(made, "service.web")
    told = {each["Name"]: each["Value"] for each in parts.containers[0]["Environment"]}
    assert (told["H"], told["P"], told["N"]) == ("db.acme.io", "5433", "shop")
    assert secrets(made) == {"W": f"{STORED}:password::"}
    assert not taken(made)


def test_a_bucket_that_exists_is_told_and_used_without_a_stack() -> None:
    given = small("site_services: {web: {uses: {bucket.old: [read]}}}\nsite_buckets: {old: {name: acme-old}}")
    given["site_services"]["web"]["containers"]["web"]["environment"] = {"B": {"from": "bucket.old.name"}}
    made = read(given)
    parts = rendered(made, "service.web")
    assert {"Name": "B", "Value": "acme-old"} in parts.containers[0]["Environment"]
    assert parts.task_statements[0]["Resource"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::acme-old"}]
    assert parts.task_statements[1]["Resource"] == [{"Fn::Sub": "arn:${AWS::Partition}:s3:::acme-old/*"}]
    assert not taken(made)


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-eusc", "aws-cn"])
def test_the_arn_of_a_bucket_that_exists_is_that_of_the_partition_in_which_the_stack_is(partition: str) -> None:
    parts = rendered(
        site("environment: {B: {from: bucket.old.arn}}", "site_buckets: {old: {name: acme-old}}"), "service.web"
    )
    task = {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": parts.containers}}
    template = {"Metadata": {RECORD: parts.data}, "Resources": {"TaskDefinition": task}}
    stack = f"arn:{partition}:cloudformation:x-1:123456789012:stack/shop-prod-service-web/1"
    assert leads(template, {}, stack)["TaskDefinition", "web", "B"].value == f"arn:{partition}:s3:::acme-old"


def test_what_somebody_writes_with_braces_stays_what_it_is() -> None:
    made = site(
        "environment: {A: {from: secret.admin.name}}",
        "site_secrets: {admin: {generate: [password], values: {name: '${AWS::Partition}'}}}",
    )
    assert {"Name": "A", "Value": "${AWS::Partition}"} in rendered(made, "service.web").containers[0]["Environment"]


HERE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/"


def test_a_table_is_told_and_used_with_its_indexes() -> None:
    given = small(
        "site_services: {web: {uses: {table.items: [read, write]}}}\nsite_tables: {items: {partition_key: id}}"
    )
    told = {"T": {"from": "table.items.name"}, "A": {"from": "table.items.arn"}}
    given["site_services"]["web"]["containers"]["web"]["environment"] = told
    made = read(given)
    parts = rendered(made, "service.web")
    environment = {each["Name"]: each["Value"] for each in parts.containers[0]["Environment"]}
    assert (environment["T"], environment["A"]) == ({"Ref": "TableItemsTableName"}, {"Ref": "TableItemsTableArn"})
    table, index = {"Ref": "TableItemsTableArn"}, {"Fn::Sub": "${TableItemsTableArn}/index/*"}
    on = {action: each["Resource"] for each in parts.task_statements for action in each["Action"]}
    assert on["dynamodb:GetItem"] == on["dynamodb:PutItem"] == [table]
    assert on["dynamodb:Query"] == [index, table]
    assert taken(made) == {"table.items"}


@pytest.mark.parametrize(("right", "other"), [("read", "dynamodb:PutItem"), ("write", "dynamodb:GetItem")])
def test_a_right_to_a_table_is_not_the_other(right: str, other: str) -> None:
    site = f"site_services: {{web: {{uses: {{table.items: {right}}}}}}}\nsite_tables: {{items: {{partition_key: id}}}}"
    statements = rendered(read(small(site)), "service.web").task_statements
    actions = {action for each in statements for action in each["Action"]}
    assert other not in actions
    assert {"read": "dynamodb:GetItem", "write": "dynamodb:PutItem"}[right] in actions
    assert "dynamodb:DescribeTable" in actions, "what SDKs load a table with"


def test_a_table_that_exists_is_told_and_used_without_a_stack() -> None:
    given = small("site_services: {web: {uses: {table.old: write}}}\nsite_tables: {old: {name: acme-old}}")
    told = {"T": {"from": "table.old.name"}, "A": {"from": "table.old.arn"}}
    given["site_services"]["web"]["containers"]["web"]["environment"] = told
    made = read(given)
    parts = rendered(made, "service.web")
    environment = {each["Name"]: each["Value"] for each in parts.containers[0]["Environment"]}
    assert (environment["T"], environment["A"]) == ("acme-old", {"Fn::Sub": f"{HERE}acme-old"})
    assert parts.task_statements[0]["Resource"] == [{"Fn::Sub": f"{HERE}acme-old"}]
    assert not taken(made)


def test_a_key_without_a_type_has_that_of_its_attribute_or_is_a_string() -> None:
    made = read(
        small(
            "site_tables: {items: {partition_key: id, sort_key: at, global_secondary_indexes: {by_owner: "
            "{partition_key: owner, sort_key: {name: at, type: number}, projection: [title, body, title]}}}}"
        )
    )
    table = made.tables["items"]
    (index,) = table.global_secondary_indexes
    keys = (table.partition_key, table.sort_key, index.partition_key, index.sort_key)
    assert [each and each.type for each in keys] == ["string", "number", "string", "number"]
    assert index.projection == ("body", "title"), "in one order: another one would be another index"


FUNCTION = """
site_functions:
  api:
    code: api
    handler: app.handler
    runtime: python3.13
    routes: ["GET /items/{id}", $default]
    environment: {TABLE: {from: table.items.name}, OLD: {from: bucket.old.name}, LEVEL: debug}
    secrets: {KEY: secret.key.value, STRIPE: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-Ab12Cd:k",
      MAIL: secret.mail.value}
    uses: {table.items: write}
site_tables: {items: {partition_key: id}}
site_buckets: {old: {name: acme-old}}
site_secrets:
  key: {generate: [value]}
  mail: {parameter: /shop/mail, kms_key_arn: "arn:aws:kms:eu-west-1:123456789012:key/0a"}
"""


def test_a_function_is_told_what_it_names_and_may_what_it_uses_and_no_more() -> None:
    made = read(small(FUNCTION))
    entry = function(made, made.functions["api"])
    assert entry["environment"] == {
        "KEY": {"Ref": "SecretKeySecretArn"}, "LEVEL": "debug", "MAIL": "/shop/mail", "OLD": "acme-old",
        "STRIPE": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-Ab12Cd",
        "TABLE": {"Ref": "TableItemsTableName"},
    }, "of a secret the place, as Lambda resolves none"  # fmt: skip
    assert entry["data"] == {"OLD": "", "TABLE": ""}
    may = {action: each["Resource"] for each in entry["statements"] for action in each["Action"]}
    assert may["secretsmanager:GetSecretValue"] == [entry["environment"]["STRIPE"], {"Ref": "SecretKeySecretArn"}]
    parameter = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/shop/mail"
    assert may["ssm:GetParameter"] == [{"Fn::Sub": parameter}]
    assert may["kms:Decrypt"] == ["arn:aws:kms:eu-west-1:123456789012:key/0a"]
    assert may["dynamodb:PutItem"] == [{"Ref": "TableItemsTableArn"}]
    assert "dynamodb:GetItem" not in may
    assert entry["takes"] == {
        "SecretKeySecretArn": "secret.key.SecretArn", "TableItemsTableArn": "table.items.TableArn",
        "TableItemsTableName": "table.items.TableName",
    }  # fmt: skip


def test_the_routes_of_a_function_are_called_alike_in_any_order() -> None:
    turned = FUNCTION.replace('["GET /items/{id}", $default]', '[$default, "GET /items/{id}"]')
    one, other = (function(made, made.functions["api"]) for made in (read(small(FUNCTION)), read(small(turned))))
    assert one == other
    assert [each["key"] for each in one["routes"]] == ["$default", "GET /items/{id}"]
    assert len({each["id"] for each in one["routes"]}) == 2


def test_a_service_is_told_of_a_function_and_may_call_it() -> None:
    given = small(f"{FUNCTION}\nsite_services: {{web: {{uses: {{function.api: invoke}}}}}}")
    told = {"URL": {"from": "function.api.url"}, "CALLED": {"from": "function.api.arn"}}
    given["site_services"]["web"]["containers"]["web"]["environment"] = told
    made = read(given)
    parts = rendered(made, "service.web")
    environment = {each["Name"]: each["Value"] for each in parts.containers[0]["Environment"]}
    assert (environment["URL"], environment["CALLED"]) == (
        {"Ref": "FunctionApiUrl"}, {"Ref": "FunctionApiFunctionArn"},
    )  # fmt: skip
    assert {
        "Effect": "Allow",
        "Action": ["lambda:InvokeFunction"],
        "Resource": [{"Ref": "FunctionApiFunctionArn"}],
    } in (parts.task_statements)
    assert taken(made) == {"function.api"}


def test_a_secret_may_be_read_by_the_application_itself() -> None:
    given = small("site_services: {web: {uses: {secret.k: read}}}\nsite_secrets: {k: {generate: [v]}}")
    (statement,) = rendered(read(given), "service.web").task_statements
    assert "secretsmanager:GetSecretValue" in statement["Action"]
    assert statement["Resource"] == [{"Ref": "SecretKSecretArn"}]


def test_each_resource_stands_in_a_statement_once() -> None:
    made = site("secrets: {A: database.main.host, B: database.main.password}")
    assert allowed(made, "secretsmanager:GetSecretValue") == [{"Ref": "DatabaseMainLoginArn"}]


def test_two_services_that_expose_to_each_other_are_no_circle() -> None:
    given = small(
        "site_services: {web: {expose: web, containers: {web: {environment: {A: {from: service.api.url}}}}}, "
        "api: {expose: {to: api, scheme: redis, port: 6380}, containers: {api: {image: a/b, mem_limit: 9m, "
        "ports: ['6379'], environment: {W: {from: service.web.host}, P: {from: service.web.port}}}}}}"
    )
    made = read(given)
    assert not taken(made), "an address is known before either stack is there"
    told = {each["Name"]: each["Value"] for each in rendered(made, "service.web").containers[0]["Environment"]}
    assert told["A"] == "redis://api.shop-prod.internal:6380"
    told = {each["Name"]: each["Value"] for each in rendered(made, "service.api").containers[0]["Environment"]}
    assert (told["W"], told["P"]) == ("web.shop-prod.internal", "8000")


def test_static_files_are_of_an_image_of_any_container_and_of_what_cannot_be_read_nothing_is_said() -> None:
    files = "site_static: {docs: {image: '%s', path: /srv}}\n"
    job = "site_jobs: {tidy: {like: web.web, image: shop/tools, command: x}}"
    pulled = "site_services: {web: {containers: {cache: {image: 'quay.io/redis:7', mem_limit: 9m}}}}"
    for image, more in (("shop/web", ""), ("shop/tools", job), ("quay.io/redis:7", pulled)):
        assert read_site(small(files % image + more)).problems == [], image
    assert [each.path for each in read_site(small(files % "shop/tools")).problems] == [("site_static", "docs", "image")]
    unread = "site_services: {web: {containers: {web: {image: Shop/Tools}}}}"
    wanted = ("site_services", "web", "containers", "web", "image")
    assert [each.path for each in read_site(small(files % "shop/tools" + unread)).problems] == [wanted]

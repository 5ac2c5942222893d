"""A resource type begun: `python -m local_aws.scaffold AWS::KMS::Key` writes the frame of its handler and of its test.

In each method stand the calls that the type's official schema names for it, and whether moto has them; one that it
lacks comes into `local_aws/patches/`. What is not written yet raises, so that nobody takes the frame for a handler.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-handlers
"""

from __future__ import annotations

import argparse
import importlib
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botocore import xform_name

from local_aws.cloudformation.handlers import HANDLERS
from local_aws.cloudformation.schema import schema

FOLDER = Path(__file__).resolve().parent
MOTO = {"lambda": "awslambda", "elasticfilesystem": "efs", "elasticloadbalancing": "elbv2"}
"""Services that moto calls otherwise than IAM does."""

HANDLER = """

class {noun}(Handler):
    TYPE = "{type}"
{supported}

    def create(self, context: Context, properties: Properties) -> str:
{create}
        raise NotImplementedError("{type}: make it and return its {identifier}.")

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
{update}
        raise NotImplementedError("{type}: change what differs between old and new, tags as well.")

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
{delete}
        raise NotImplementedError("{type}: delete it; with absent_is_fine() where it is gone already.")

    def attributes(self, context: Context, physical_id: str, properties: Properties) -> dict[str, Any]:
{read}
        raise NotImplementedError("{type}: return what Fn::GetAtt gives, or leave this out.")
"""
HANDLER_HEAD = '''"""Resources of {service} through CloudFormation."""

from __future__ import annotations

from typing import Any

from local_aws.cloudformation.handlers import Context, Handler

Properties = dict[str, Any]
'''
TEST = '''
{constant} = """
Resources:
  {noun}:
    Type: {type}
    Properties: {{{required}}}
"""


def test_{name}_is_made_changed_and_let_go(stacks: Stacks) -> None:
    made = stacks.made("one", {constant})["{noun}"]
    assert made  # and, with the fixture aws, what its service's API shows of each property
    assert stacks.changed("one", {constant}.replace("old", "new"))["{noun}"] == made
    assert stacks.delete("one")["StackStatus"] == "DELETE_COMPLETE"
'''
TEST_HEAD = '''"""Resources of {service} through CloudFormation."""

from __future__ import annotations

from local_aws.tests.stack_support import Stacks
'''


class Refused(Exception):
    """Nothing is written; the message says why."""


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Entry point. Returns the exit status: 0 written, 1 refused."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.scaffold", description="Begin a resource type.")
    parser.add_argument("type", help="as templates have it, for example AWS::KMS::Key")
    given = parser.parse_args(arguments)
    try:
        written = write(given.type, folder)
    except Refused as refused:
        print(f"local_aws: {refused}", file=sys.stderr)
        return 1
    print("Finish what raises NotImplementedError, and give the test values:")
    for path in written:
        print(f"  local_aws/{path.relative_to(folder)}")
    return 0


def write(name: str, folder: Path = FOLDER) -> list[Path]:
    """Write the frames of a type; where its service has modules already, at their ends.

    Args:
        name: of the type, as templates have it.
        folder: the package's.

    Returns:
        The two files.

    Raises:
        Refused: there is no such type, or it is there already.
    """
    if name in HANDLERS:
        raise Refused(f"{name} is there: {HANDLERS[name].__module__.replace('.', '/')}.py")
    document = schema(name).document
    if not document:
        raise Refused(
            f"The official schemas have no type {name}. Write it as templates do, for example AWS::SQS::Queue."
        )
    _, service, noun = name.split("::")
    read_only = [path.removeprefix("/properties/") for path in document.get("readOnlyProperties") or []]
    given_back = [path.replace("/", ".") for path in read_only]
    given = {
        "type": name,
        "noun": noun,
        "name": xform_name(noun),
        "constant": xform_name(noun).upper(),
        "service": service,
        "identifier": " and ".join(path.removeprefix("/properties/") for path in document["primaryIdentifier"]),
        "required": ", ".join(f"{each}: TODO" for each in document.get("required") or []),
        "supported": _comment(
            "SUPPORTED = those that are honoured, where these are not all: "
            + ", ".join(sorted(set(document["properties"]) - set(read_only))),
            4,
        ),
        **{step: _comment(_calls(document, step), 8) for step in ("create", "update", "delete")},
        "read": _comment(f"{_calls(document, 'read')}; Fn::GetAtt: {', '.join(given_back) or 'nothing'}", 8),
    }
    files = {
        folder / f"cloudformation/handlers/{service.lower()}.py": (HANDLER_HEAD, HANDLER),
        folder / f"tests/unit/test_handlers_{service.lower()}.py": (TEST_HEAD, TEST),
    }
    for path, (head, body) in files.items():
        text = path.read_text() + "\n" * (body is TEST) if path.exists() else head.format(**given)
        path.write_text(text + body.format(**given))
    return list(files)


def _calls(document: dict[str, Any], step: str) -> str:
    """The calls of a step in words."""
    named = ((document.get("handlers") or {}).get(step) or {}).get("permissions") or []
    own = [each for each in named if each.split(":")[0] == named[0].split(":")[0]]  # iam:PassRole is a right, no call
    told = [f"{each} (moto lacks it)" if each in own and not in_moto(*each.split(":")) else each for each in named]
    return f"Calls by the schema: {', '.join(told)}" if told else "The schema names no calls."


def in_moto(service: str, operation: str) -> bool:
    """Whether moto answers an operation.

    Args:
        service: as IAM calls it, for example `kms`.
        operation: as the API calls it, for example `CreateKey`.
    """
    try:
        responses = importlib.import_module(f"moto.{MOTO.get(service, service).replace('-', '')}.responses")
    except ModuleNotFoundError:
        return False
    return any(xform_name(operation) in vars(each) for each in vars(responses).values() if isinstance(each, type))


def _comment(text: str, indent: int) -> str:
    margin = " " * indent + "# "
    return textwrap.fill(text, 120, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


if __name__ == "__main__":
    sys.exit(main())

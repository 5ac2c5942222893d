"""What the stack of a service or job takes from other stacks: its parameters, and the outputs that they are given."""

from __future__ import annotations

from typing import Any

from plugins.plugin_utils.site.names import word
from plugins.plugin_utils.site.reference import Output, Stored

Value = str | dict[str, Any]
"""A value of a template: a text, or what CloudFormation makes of a reference."""


class Inputs:
    """Collects the outputs that a stack takes, while its template is made.

    Attributes:
        takes: parameter → key of the entry (`database.main`) and output of its stack.
    """

    def __init__(self) -> None:
        self.takes: dict[str, tuple[str, str]] = {}

    def parameter(self, key: str, output: str) -> str:
        """The name of the parameter that holds an output: `database.main` and `SecretArn` → `DatabaseMainSecretArn`."""
        name = word(key) + output
        self.takes[name] = key, output
        return name

    def value(self, key: str, value: Output | str) -> Value:
        """A text as it stands, or the parameter that holds an output."""
        return {"Ref": self.parameter(key, value.name)} if isinstance(value, Output) else value

    def sub(self, key: str, value: Output | str, after: str = "") -> Value:
        """The same with something behind it. A text may hold pseudo parameters (`${AWS::Partition}`)."""
        text = f"${{{self.parameter(key, value.name)}}}" if isinstance(value, Output) else value
        return substituted(text + after)

    def secret(self, key: str, stored: Stored) -> Value:
        """What `ValueFrom` says of a secret: `<ARN>:<JSON key>:<stage>:<version>`, or of a parameter its name or ARN.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
        """
        after = f":{stored.json_key}:{stored.version}" if stored.json_key or stored.version != ":" else ""
        return self.sub(key, stored.where, after) if isinstance(stored.where, Output) else stored.where + after


def substituted(text: str) -> Value:
    """A text whose `${…}` CloudFormation is to fill in; the parameter alone where there is nothing else."""
    if text.startswith("${") and text.find("}") == len(text) - 1:
        return {"Ref": text[2:-1]}
    return {"Fn::Sub": text} if "${" in text else text

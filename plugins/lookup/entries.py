"""The layers of a noun, one for each of its entries, made of what its role says about one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.template import trust_as_template

TEMPLATES = Path(__file__).resolve().parents[2] / "cloudformation"
DYNAMIC_REFERENCE = "{{resolve:"
"""What CloudFormation resolves, and Jinja would take for its own.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

DOCUMENTATION = r"""
name: entries
short_description: The layers of a noun, one an entry
description:
  - The variable C(<noun>_entries) holds the entries, C(<noun>_layer) says how one of them becomes a layer. The latter
    is read once for each, with C(entry_name) and C(entry); so is the template C(<noun>.yml) (or its C(template)), if
    Jinja is in it. An entry whose layer has a C(when) that is false is none.
  - Without it, each noun's role would need a loop of its own in Jinja.
options:
  _terms:
    description: The nouns; their roles are among the play's.
    required: true
"""

EXAMPLES = r"""
database_layers: "{{ lookup('entries', 'database') }}"
"""

RETURN = r"""
_raw:
  description: The layers, C(<noun>.<entry>) to options, as C(cloudformation_stacks) takes them.
  type: dict
"""


class LookupModule(LookupBase):
    """See `DOCUMENTATION`."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        """The layers, `<noun>.<entry>` to options, as the only item.

        Raises:
            AnsibleLookupError: the noun's role is not among the play's roles.
        """
        known, layers = dict(variables or {}), {}
        for noun in terms:
            if f"{noun}_layer" not in known:
                raise AnsibleLookupError(f"{noun}_layer is not defined. Name the role {noun} among the play's roles.")
            for name, entry in self._templar.template(known[f"{noun}_entries"]).items():
                layer = self._layer(noun, {**known, "entry_name": name, "entry": entry})
                if layer.pop("when", True):
                    layers[f"{noun}.{name}"] = layer
        return [layers]

    def _layer(self, noun: str, scope: dict[str, Any]) -> dict[str, Any]:
        templar = self._templar.copy_with_new_env(available_variables=scope)
        stack = f"{noun}-{scope['entry_name']}".replace("_", "-")
        layer = {"stack": stack, "template": f"{noun}.yml", **templar.template(scope[f"{noun}_layer"])}
        body = (TEMPLATES / layer["template"]).read_text()
        if "{%" in body:
            body = body.replace(DYNAMIC_REFERENCE, "{{ '{{' }}resolve:")
            layer["template_body"] = templar.template(trust_as_template(body), escape_backslashes=False)
        return layer

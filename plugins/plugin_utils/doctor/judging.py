"""What the lines come to: failures that are known, each once for what it is about, and what is wrong besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.plugin_utils.doctor.signature import Evidence, Signature
from plugins.plugin_utils.doctor.signatures import SIGNATURES

SEEN = 3
"""How many different lines are shown of one finding."""


@dataclass
class Finding:
    """A failure that is known.

    Attributes:
        signature: its name.
        about: `service.web`, `host i-…`, a layer.
        cause: why it is so.
        mend: what to change before; may be empty.
        types: the command.
        evidence: the different lines in which it was found, the first ones.
        lines: how many lines there were.
    """

    signature: str
    about: str
    cause: str
    mend: str
    types: str
    evidence: list[Evidence] = field(default_factory=list)
    lines: int = 0


def recognised(evidence: Iterable[Evidence]) -> list[Finding]:
    """The findings, in the order of the table: what says most comes first."""
    found: dict[tuple[str, str], Finding] = {}
    order = {each.name: number for number, each in enumerate(SIGNATURES)}
    for each in evidence:
        signature = told_by(each)
        if signature is None:
            continue
        match = signature.found(each)
        assert match
        finding = found.setdefault(
            (signature.name, each.about),
            Finding(
                signature.name,
                each.about,
                signature.filled(signature.cause, match, each.about),
                signature.filled(signature.mend, match, each.about),
                signature.command(match, each.about),
            ),
        )
        finding.lines += 1
        if len(finding.evidence) < SEEN and all(other.text != each.text for other in finding.evidence):
            finding.evidence.append(each)
    vague = {each.name for each in SIGNATURES if each.vague}
    clear = {finding.about for finding in found.values() if finding.signature not in vague}
    kept = [each for each in found.values() if each.signature not in vague or each.about not in clear]
    return sorted(kept, key=lambda each: (order[each.signature], each.about))


def told_by(evidence: Evidence) -> Signature | None:
    """The signature that tells a line: the first that finds itself in it."""
    return next((each for each in SIGNATURES if each.found(evidence)), None)


def unexplained(wrong: Iterable[Mapping[str, str]], findings: Iterable[Finding]) -> list[dict[str, str]]:
    """What is wrong, and has no finding that is about the same.

    Args:
        wrong: `about`, `what`, `type`.
        findings: of `recognised`.
    """
    known = {each.about for each in findings}
    # The hosts together are wanting for what one of them lacks, and a site for what keeps a layer of it back.
    known |= {"hosts" for each in known if each.startswith("host ")}
    known |= {each.partition("/")[0] for each in known}
    return [dict(each) for each in wrong if each["about"].partition("/")[0] not in known]


def plain(finding: Finding) -> dict[str, Any]:
    """As JSON has it."""
    seen = [{"where": each.kind, "place": each.place, "line": each.text} for each in finding.evidence]
    return {
        "signature": finding.signature,
        "about": finding.about,
        "cause": finding.cause,
        "mend": finding.mend,
        "type": finding.types,
        "lines": finding.lines,
        "evidence": seen,
    }

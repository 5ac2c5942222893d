"""The evaluator beside another implementation of the same logic, on policies out of a grammar."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from local_aws.iam.evaluate import Reason, Unevaluable, decide
from local_aws.tests.oracle.generated import Case, Grammar

FOLDER = Path(__file__).parent
INSTALLED = FOLDER.parents[2] / ".cache/iam_oracle"
SEED = int(os.environ.get("BERTH_IAM_SEED", "1"))
CASES = int(os.environ.get("BERTH_IAM_CASES", "4000"))
SAID = {
    "Allowed": Reason.ALLOWED,
    "ExplicitlyDenied": Reason.EXPLICIT_DENY,
    "ImplicitlyDenied": Reason.IMPLICIT_DENY,
}


@pytest.fixture(scope="module")
def oracle() -> Path:
    """The folder in which the oracle is installed, from npm by the lock file beside this."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not here, so there is nobody to compare with; to have them: apt-get install npm")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FOLDER / name, INSTALLED)
    done = subprocess.run(["npm", "ci", "--silent"], cwd=INSTALLED, text=True, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"npm did not fetch the oracle, so there is nobody to compare with: {done.stdout}{done.stderr}")
    return INSTALLED


def asked(oracle: Path, simulations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the oracle says of each."""
    done = subprocess.run(
        ["node", FOLDER / "simulate.mjs", oracle],
        input=json.dumps(simulations), text=True, capture_output=True, check=True,
    )  # fmt: skip
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def shown(case: Case, ours: object, theirs: object) -> str:
    return f"ours: {ours}\noracle: {theirs}\n{json.dumps(case.theirs(), indent=1)}"


def test_it_decides_as_the_oracle_does(oracle: Path) -> None:
    grammar = Grammar(SEED)
    cases = [grammar.case() for _ in range(CASES)]
    found: Counter[Reason] = Counter()
    differing = []
    for case, answer in zip(cases, asked(oracle, [case.theirs() for case in cases]), strict=True):
        assert answer["result"] in SAID, shown(case, None, answer)
        assert answer["ignored"] == [], shown(case, None, answer)
        try:
            ours = decide(case.request, **case.ours()).reason
        except Unevaluable as error:
            differing.append(shown(case, error, answer["result"]))
            continue
        found[ours] += 1
        if ours is not SAID[answer["result"]]:
            differing.append(shown(case, ours, answer["result"]))
    assert not differing, f"{len(differing)} of {CASES} of the seed {SEED}, the first:\n{differing[0]}"
    # Else the grammar asks about nothing.
    assert all(found[reason] > CASES / 20 for reason in Reason), found

"""`python -m local_aws.scaffold`: what it begins, and that nobody can take it for done."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from local_aws import scaffold
from local_aws.cloudformation.handlers import HANDLERS, Context


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the package's folders are, with nothing in them."""
    for name in ("cloudformation/handlers", "tests/unit"):
        (tmp_path / "local_aws" / name).mkdir(parents=True)
    return tmp_path / "local_aws"


def test_a_type_is_begun_in_two_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scaffold.main(["AWS::Athena::WorkGroup"], folder) == 0
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[1:]] == [
        "local_aws/cloudformation/handlers/athena.py",
        "local_aws/tests/unit/test_handlers_athena.py",
    ]
    text = (folder / "cloudformation/handlers/athena.py").read_text()
    assert 'TYPE = "AWS::Athena::WorkGroup"' in text
    assert "return its Name" in text
    assert "Fn::GetAtt: CreationTime, WorkGroupConfiguration.EngineVersion" in " ".join(text.replace("#", "").split())
    assert "athena:CreateWorkGroup, athena:TagResource, iam:PassRole" in text


def test_every_method_raises_until_it_is_written(folder: Path) -> None:
    scaffold.write("AWS::Athena::WorkGroup", folder)
    try:
        runpy.run_path(str(folder / "cloudformation/handlers/athena.py"))
        handler = HANDLERS["AWS::Athena::WorkGroup"]
        context = cast(Context, None)
        for call in (
            lambda: handler.create(context, {}),
            lambda: handler.update(context, "id", {}, {}),
            lambda: handler.delete(context, "id", {}),
            lambda: handler.attributes(context, "id", {}),
        ):
            with pytest.raises(NotImplementedError, match="AWS::Athena::WorkGroup"):
                call()
    finally:
        HANDLERS.pop("AWS::Athena::WorkGroup", None)


def test_what_is_begun_is_clean(folder: Path) -> None:
    scaffold.write("AWS::Athena::WorkGroup", folder)
    scaffold.write("AWS::Athena::NamedQuery", folder)
    tool = str(Path(sys.executable).parent / "ruff")
    assert shutil.which(tool)
    settings = str(scaffold.FOLDER.parent / "pyproject.toml")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [tool, *command, "--config", settings, str(folder)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_type_of_a_service_comes_behind_the_first(folder: Path) -> None:
    scaffold.write("AWS::Athena::WorkGroup", folder)
    scaffold.write("AWS::Athena::NamedQuery", folder)
    for path in ("cloudformation/handlers/athena.py", "tests/unit/test_handlers_athena.py"):
        text = (folder / path).read_text()
        assert text.count("from __future__") == 1
        assert text.index("AWS::Athena::WorkGroup") < text.index("AWS::Athena::NamedQuery")
    assert "Database: TODO, QueryString: TODO" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("AWS::S3::Bucket", "AWS::S3::Bucket is there: local_aws/cloudformation/handlers/s3.py"),
        (
            "Athena::WorkGroup",
            "The official schemas have no type Athena::WorkGroup. Write it as templates do",
        ),
    ],
)
def test_what_cannot_be_begun_is_said(name: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scaffold.main([name], folder) == 1
    assert said in capsys.readouterr().err
    assert not list((folder / "cloudformation/handlers").iterdir())


def test_it_knows_what_moto_lacks() -> None:
    assert scaffold.in_moto("athena", "CreateWorkGroup")
    assert not scaffold.in_moto("athena", "DeleteDataCatalog")
    assert not scaffold.in_moto("nobodys", "CreateKey")

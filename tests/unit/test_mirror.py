"""A test lies where the thing that it tests lies: the folders of unit tests are those of the product."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.unit.render_support import PROJECT

OF_NO_FOLDER = {"test_mirror.py", "test_recipes.py"}
"""About the tree as a whole."""


def misplaced(tests: Path, product: Path) -> Iterator[str]:
    """Tests in a folder that the product has not."""
    for path in sorted(tests.rglob("test_*.py")):
        folder = path.relative_to(tests).parent
        if folder.parts[:1] == ("recipes",) or (folder == Path() and path.name in OF_NO_FOLDER):
            continue
        if folder == Path() or not (product / folder).is_dir():
            yield str(path.relative_to(tests))


def test_each_test_lies_in_a_folder_of_the_product() -> None:
    assert list(misplaced(PROJECT / "tests/unit", PROJECT)) == []


def test_one_that_lies_elsewhere_is_found(tmp_path: Path) -> None:
    for name in ("tests/plugins/filter/test_sizes.py", "tests/plugin/test_layers.py", "tests/test_stack.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "plugins/filter").mkdir(parents=True)
    assert list(misplaced(tmp_path / "tests", tmp_path)) == ["plugin/test_layers.py", "test_stack.py"]

"""The files of variables that plays name, and those of roles, are read once in a run, and by the next run anew."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.vars.manager import VariableManager

from plugins.callback.read_once import CallbackModule
from plugins.plugin_utils.roles import Roles


class Counting(DataLoader):  # type: ignore[misc] # Ansible has no types
    """Counts how often it reads each file."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def get_text_file_contents(self, file_name: str, encoding: str | None = None) -> Any:
        self.read.append(Path(file_name).name)
        return super().get_text_file_contents(file_name, encoding)


def a_run(folder: Path, *vars_files: Any) -> tuple[Counting, list[dict[str, Any]]]:
    """The loader of a run of two plays, and what each knows the second time that it is asked."""
    plays = [{"hosts": "localhost", "gather_facts": False, "vars_files": list(vars_files)} for _ in range(2)]
    (folder / "book.yml").write_text(yaml.safe_dump(plays))
    loader = Counting()
    manager = VariableManager(loader, InventoryManager(loader, parse=False))
    book = Playbook.load(str(folder / "book.yml"), manager, loader)
    CallbackModule().v2_playbook_on_start(book)
    known = [[manager.get_vars(play=play) for _ in range(2)][1] for play in book.get_plays()]
    return loader, known


def test_a_file_is_read_once_in_a_run_and_anew_in_the_next(tmp_path: Path) -> None:
    (tmp_path / "vars").mkdir()
    file = tmp_path / "vars/layers.yml"
    file.write_text("made: '{{ of }}'\nof: this\n")
    loader, (first, second) = a_run(tmp_path, "vars/layers.yml")
    assert loader.read.count("layers.yml") == 1
    assert first["made"] == second["made"] == "{{ of }}"
    file.write_text("made: other\n")
    _, (first, _) = a_run(tmp_path, "vars/layers.yml")
    assert first["made"] == "other"
    assert "of" not in first


@pytest.mark.parametrize("named", [["none.yml", "there.yml"], "{{ 'there' }}.yml"])
def test_what_is_chosen_while_the_run_goes_on_is_left_to_ansible(tmp_path: Path, named: Any) -> None:
    (tmp_path / "there.yml").write_text("made: this\n")
    loader, (first, second) = a_run(tmp_path, named)
    assert first["made"] == second["made"] == "this"
    assert loader.read.count("there.yml") == 4


def test_what_cannot_be_read_is_told_by_ansible(tmp_path: Path) -> None:
    (tmp_path / "wrong.yml").write_text("made: [\n")
    with pytest.raises(Exception, match="YAML"):
        a_run(tmp_path, "wrong.yml")


def test_what_roles_say_is_read_once_for_all_tasks_that_ask() -> None:
    loader, callback = Counting(), CallbackModule()

    def starts(action: str) -> None:
        callback.v2_playbook_on_task_start(SimpleNamespace(action=action, get_loader=lambda: loader), False)

    starts("ansible.builtin.debug")
    assert loader.read == []
    starts("check_variables")
    read = list(loader.read)
    assert {"main.yml", "rules.yml", "account.yml"} <= set(read)
    starts("check_variables")
    known = Roles(loader, None, {})
    for role in ("network", "database", "cluster", "docker_engine", "preflight"):
        assert known.variables(role)
        known.rules(role)
        known.account(role)
    assert loader.read == read

    other = Counting()
    assert Roles(other, None, {}).account("network") == known.account("network") != {}
    assert other.read == ["account.yml"], "another run's"


def test_a_role_that_cannot_be_read_is_left_to_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong/vars").mkdir(parents=True)
    (tmp_path / "wrong/vars/main.yml").write_text("wrong_layer: [\n")
    monkeypatch.setattr(Roles.__init__, "__defaults__", (tmp_path,))
    task = SimpleNamespace(action="check_variables", get_loader=Counting)
    CallbackModule().v2_playbook_on_task_start(task, False)
    with pytest.raises(Exception, match="YAML"):
        Roles(Counting(), None, {}).read_all()

"""What the verb move_volume makes of the site: which volume, which job proves it, and what a run sees of its driver."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.plugin_utils.site.moving import moved
from plugins.plugin_utils.site.reading import read_site
from tests.unit.variables_support import evaluate, holds, load, tasks_of, variables

WEB = {"image": "shop/web", "mem_limit": "64m", "volumes": ["media:/srv/media", "cache:/cache:ro", "tmp:/tmp/x"]}
SITE: dict[str, Any] = {
    "site_services": {"web": {"containers": {"django": WEB}}},
    "site_jobs": {
        "report": {"image": "shop/web", "mem_limit": "64m", "command": ["report"]},
        "look": {"image": "shop/web", "mem_limit": "64m", "command": ["look"], "volumes": ["media:/look:ro"]},
        "migrate": {"like": "web.django", "command": ["migrate"]},
        "later": {"like": "web.django", "command": ["later"]},
    },
    "site_volumes": {
        "media": {"driver": "rexray", "uid": 1000}, "cache": {"driver": "rexray"}, "tmp": {"driver": "task"},
    },
    "host_imds_tokens": "optional",
}  # fmt: skip
ROLE = "roles/move_volume/vars/main.yml"


def known(**more: Any) -> dict[str, Any]:
    return variables(ROLE, **{**SITE, **more})


# What a run sees


def drivers(**more: Any) -> dict[str, str]:
    given = known(**more)
    site = evaluate("{{ lookup('site', 'volume') }}", given)
    return {name: volume["driver"] for name, volume in site.items()}


def test_a_run_sees_the_volume_that_it_moves_on_the_native_driver_and_no_other() -> None:
    assert drivers() == {"media": "rexray", "cache": "rexray", "tmp": "task"}
    assert drivers(move_volume_to_efs=["media"]) == {"media": "efs", "cache": "rexray", "tmp": "task"}
    (rendered,) = [
        each
        for each in evaluate("{{ lookup('site', 'service') }}", known(move_volume_to_efs=["media"]))["web"]["volumes"]
        if each["Name"] == "media"
    ]
    assert "EFSVolumeConfiguration" in rendered


def test_the_hosts_go_without_the_plugin_when_the_last_volume_leaves_it() -> None:
    assert evaluate("{{ rexray_efs_volumes }}", known()) == ["media", "cache"]
    assert evaluate("{{ rexray_efs_volumes }}", known(move_volume_to_efs=["media"])) == ["cache"]
    assert "rexray_efs" in evaluate("{{ host_roles }}", known(move_volume_to_efs=["media"]))
    assert "rexray_efs" not in evaluate("{{ host_roles }}", known(move_volume_to_efs=["media", "cache"]))


@pytest.mark.parametrize("names", [None, "media", 5, ["nothing"], [], [None], {"media": 1}])
def test_what_names_no_volume_changes_nothing_and_never_raises(names: Any) -> None:
    volumes = {"media": {"driver": "rexray"}, "tmp": None}
    assert moved({"site_volumes": volumes, "move_volume_to_efs": names})["site_volumes"] == volumes
    read_site({**SITE, "move_volume_to_efs": names})


def test_what_is_written_besides_stays_and_the_inventorys_own_is_left_as_it_is() -> None:
    volumes: dict[str, Any] = {"media": {"driver": "rexray", "uid": 7}, "tmp": None, "wrong": "text"}
    given = {"site_volumes": volumes, "move_volume_to_efs": ["media", "tmp", "wrong"]}
    assert moved(given)["site_volumes"] == {
        "media": {"driver": "efs", "uid": 7}, "tmp": {"driver": "efs"}, "wrong": "text",
    }  # fmt: skip
    assert volumes["media"]["driver"] == "rexray"
    assert moved({"move_volume_to_efs": ["media"]}) == {"move_volume_to_efs": ["media"]}


@pytest.mark.parametrize("play", ["Refuse what cannot work", "Bring up the site on the native driver"])
def test_both_preflight_and_the_site_see_it_so(play: str) -> None:
    (found,) = [each for each in load("playbooks/move_volume.yml") if each["name"] == play]
    assert evaluate(found["vars"]["move_volume_to_efs"], known(volume="media")) == ["media"]


# Which volume


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Name the volume to move (media, cache): ansible-playbook "),
        ({"volume": "medai"}, "The site has no volume medai on a file system (media, cache): ansible-playbook "),
        ({"volume": "tmp"}, "The site has no volume tmp on a file system (media, cache): ansible-playbook "),
    ],
)
def test_another_volume_is_refused_with_those_there_are(typed: dict[str, str], sentence: str) -> None:
    (play, *_) = load("playbooks/move_volume.yml")
    check = tasks_of("playbooks/move_volume.yml")["Refuse a run without a volume, or with one that the site has not"]
    check = check["ansible.builtin.assert"]
    given = known(**typed) | play["vars"]
    assert not holds(check["that"], given)
    said = evaluate(check["fail_msg"], given)
    assert said.startswith(sentence)
    assert said.endswith("-e volume=media")
    assert holds(check["that"], given | {"volume": "cache"})


# Which job


def test_the_first_job_that_can_write_to_it_proves_it() -> None:
    assert evaluate("{{ move_volume_job }}", known(volume="media")) == "migrate"
    asked = tasks_of("roles/move_volume/tasks/remember.yml")
    task = asked["Write a sentinel and the checksums of all files into the volume, through rexray"]["ecs_run_task"]
    given = known(volume="media", move_volume_sentinel="s1", move_volume_command=["sh"], site_prefix="shop-prod")
    assert evaluate(task["task_definition"], given) == "shop-prod-job-migrate"
    assert evaluate(task["overrides"], given) == {"migrate": {"command": ["sh", "remember", "/srv/media", "s1"]}}
    compared = tasks_of("roles/move_volume/tasks/main.yml")
    task = compared["Compare the files seen through the native driver with the checksums"]["ecs_run_task"]
    assert evaluate(task["overrides"], given) == {"migrate": {"command": ["sh", "compare", "/srv/media", "s1"]}}


def test_a_site_without_one_is_refused_with_what_to_write() -> None:
    tasks = tasks_of("roles/move_volume/tasks/live.yml")
    check = tasks["Refuse a site without a job that can write to the volume"]["ansible.builtin.assert"]
    assert holds(check["that"], known(volume="media"))
    readers = {name: SITE["site_jobs"][name] for name in ("report", "look")}
    given = known(volume="media", site_jobs=readers)
    assert not holds(check["that"], given)
    said = evaluate(check["fail_msg"], given)
    assert "No job mounts the volume media to write to it" in said
    assert 'prove: {like: web.django, command: ["true"], run: by_hand}, type ansible-playbook ' in said
    nobody = evaluate(check["fail_msg"], known(volume="cache", site_jobs=readers))
    assert 'command: ["true"], run: by_hand, volumes: ["cache:/srv/cache"]}, type ' in nobody


REXRAY = {"name": "media", "docker_volume_configuration": {"driver": "rexray/efs:shop"}}
EFS = {"name": "media", "efs_volume_configuration": {"file_system_id": "fs-1"}}


@pytest.mark.parametrize(
    ("live", "driver", "sentence"),
    [
        ({"family": "f", "volumes": [{"name": "other"}, REXRAY]}, "rexray", ""),
        ({"family": "f", "volumes": [EFS]}, "efs", ""),
        ({"family": "f", "volumes": [{"name": "media", "host": {}}]}, "", "that is live has no volume media of rexray"),
        ({"family": "f"}, "", "that is live has no volume media of rexray"),
        ({}, "", "Nothing of shop-prod runs the job migrate yet"),
    ],
)
def test_the_driver_is_that_of_the_job_that_is_live(live: dict[str, Any], driver: str, sentence: str) -> None:
    tasks = tasks_of("roles/move_volume/tasks/live.yml")
    check = tasks["Refuse a volume that this cannot move"]["ansible.builtin.assert"]
    given = known(volume="media", move_volume_definition=live, site_prefix="shop-prod")
    assert evaluate("{{ move_volume_driver }}", given) == driver
    assert holds(check["that"], given) == bool(driver)
    assert sentence in evaluate(check["fail_msg"], given)


def test_who_compares_on_rexray_is_told_the_command_and_what_is_left_is_said() -> None:
    tasks = tasks_of("roles/move_volume/tasks/main.yml")
    check = tasks["Refuse to compare rexray with itself"]["ansible.builtin.assert"]
    given = known(volume="media", move_volume_definition={"family": "f", "volumes": [REXRAY]})
    assert not holds(check["that"], given)
    assert evaluate(check["fail_msg"], given).endswith("-e volume=media")
    left = tasks["Say what is left to do"]
    assert holds(left["when"], given)
    assert "Write driver: efs for media in site_volumes" in evaluate(left["ansible.builtin.debug"]["msg"][0], given)
    assert not holds(left["when"], known(volume="media", site_volumes={"media": {"driver": "efs"}}))
    assert not holds(left["when"], known(volume="media", site_volumes={"media": None}))

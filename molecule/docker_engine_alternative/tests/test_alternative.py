"""The Docker engine with every input other than its default."""

from __future__ import annotations

import json
from typing import Any

from tests.metadata import Metadata


def test_the_engine_runs_with_the_settings(host: Any) -> None:
    engine = json.loads(host.check_output("docker info --format '{{json .}}'"))
    assert engine["LiveRestoreEnabled"] is False
    assert engine["RegistryConfig"]["Mirrors"] == ["http://127.0.0.1:4227/"]
    assert engine["DefaultAddressPools"] == [{"Base": "10.200.0.0/16", "Size": 24}]
    with host.sudo():
        read = json.loads(host.file("/run/docker-engine/loaded.json").content_string)
    assert read["max-concurrent-downloads"] == 1


def test_a_container_has_the_limits_the_log_options_and_an_address_of_the_pool(host: Any) -> None:
    name = host.check_output("docker run --detach sleeper sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c; sleep 60'")
    found = json.loads(host.check_output(f"docker inspect {name}"))[0]
    said = host.check_output(f"docker logs {name}").split()
    host.check_output(f"docker rm --force {name}")
    assert said == ["1024", "2048", "0"]
    assert found["HostConfig"]["LogConfig"]["Config"] == {"max-size": "512k", "max-file": "2"}
    assert found["NetworkSettings"]["IPAddress"].startswith("10.200.")


def test_a_container_reaches_the_metadata_service_where_that_is_asked_for(host: Any) -> None:
    assert Metadata(host).of_container() == "200"

"""What `local_aws status` says about a host of the embedded AWS."""

from __future__ import annotations

import pytest

from local_aws.parts import instances

WELL = '{"v1": {"datasource": "DataSourceEc2", "errors": []}}'
BROKEN = '{"v1": {"datasource": null, "errors": ["broken user data"]}}'


@pytest.mark.parametrize(
    ("lines", "ok", "detail"),
    [
        ([WELL, "", "active", "active"], True, "here: cloud-init done, docker active, agent active"),
        ([*WELL.replace(" {", "\n {").split("\n"), "", "active", "active"], True, "cloud-init done"),
        ([WELL, "", "active", "failed"], False, "agent failed"),
        ([BROKEN, "", "active", "active"], False, "cloud-init failed, docker active, agent active (broken user data)"),
        (["{}", "", "inactive", "inactive"], False, "cloud-init running, docker inactive"),
        (["{}", "", "active", "active", "disabled"], True, "cloud-init off"),
        (["OCI runtime exec failed: exec failed"], False, "does not answer: OCI runtime exec failed"),
    ],
)
def test_health_of_a_host(lines: list[str], ok: bool, detail: str) -> None:
    line = instances._judge("host i-1", "here", lines)
    assert (line.name, line.ok) == ("host i-1", ok)
    assert detail in line.detail

"""The script that a host sends its numbers by: what it measures, how it asks and signs, what it says if it may not."""

from __future__ import annotations

import datetime
import importlib.machinery
import importlib.util
import io
import json
import urllib.error
import urllib.parse
from email.message import Message
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.unit.roles.test_host_files import render

KEYS = {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG", "Token": "session"}
NOW = datetime.datetime(2026, 11, 27, 12, 0, tzinfo=datetime.UTC)
MEMORY = "MemTotal:        1000 kB\nMemFree:          10 kB\nMemAvailable:    250 kB\nHugePages_Total:   0\n"


@pytest.fixture
def script(tmp_path: Any) -> ModuleType:
    path = tmp_path / "host_metrics.py"
    path.write_text(render("host_metrics", "host-metrics.py.j2"))
    loader = importlib.machinery.SourceFileLoader("host_metrics", str(path))
    spec = importlib.util.spec_from_loader("host_metrics", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def disk(**of: int) -> SimpleNamespace:
    return SimpleNamespace(**{"f_blocks": 1000, "f_bfree": 300, "f_bavail": 100, "f_files": 100, "f_ffree": 90} | of)


def test_memory_is_what_nobody_could_have_without_swapping(script: ModuleType) -> None:
    assert script.memory_used(MEMORY) == 75.0


def test_a_disk_is_as_full_as_df_says_or_as_its_inodes_are(script: ModuleType) -> None:
    assert script.disk_used(disk()) == pytest.approx(87.5), "what is kept for root is not to be had"
    assert script.disk_used(disk(f_ffree=2)) == pytest.approx(98)
    assert script.disk_used(disk(f_files=0, f_ffree=0)) == pytest.approx(87.5), "a file system without any"


def test_it_is_signed_as_botocore_signs_it(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    host, content = "monitoring.eu-west-1.amazonaws.com", script.body("shop-prod", [("MemoryUsed", 75.04)])
    ours = script.signed(host, "eu-west-1", KEYS, content, NOW)
    sent = {name: value for name, value in ours.items() if name not in ("authorization", "x-amz-date", "host")}
    del sent["x-amz-security-token"]
    request = AWSRequest("POST", f"https://{host}/", headers=sent, data=content)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    SigV4Auth(
        Credentials(KEYS["AccessKeyId"], KEYS["SecretAccessKey"], KEYS["Token"]), "monitoring", "eu-west-1"
    ).add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    fields = dict(urllib.parse.parse_qsl(content.decode()))
    assert fields["Namespace"] == "Berth/Hosts"
    assert fields["MetricData.member.1.Value"] == "75.0"
    assert fields["MetricData.member.1.Dimensions.member.1.Value"] == "shop-prod"


def test_it_asks_the_metadata_service_by_tokens_and_sends_to_its_region(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []
    answers = {
        "api/token": "token", "iam/security-credentials/": "role\n", "security-credentials/role": json.dumps(KEYS),
        "placement/region": "cn-north-1", "services/domain": "amazonaws.com.cn", ".cn/": "",
    }  # fmt: skip

    def answer(request: Any, timeout: float) -> Any:
        assert timeout == 10
        asked.append((request.get_method(), request.full_url, dict(request.headers)))
        return io.BytesIO(next(text for end, text in answers.items() if request.full_url.endswith(end)).encode())

    monkeypatch.setattr(script, "ANSWERED", SimpleNamespace(open=answer))
    monkeypatch.setenv("HOST_METRICS_CLUSTER", "shop-prod")
    script.main()
    assert [each[:2] for each in asked[::5]] == [
        ("PUT", "http://169.254.169.254/latest/api/token"), ("POST", "https://monitoring.cn-north-1.amazonaws.com.cn/"),
    ]  # fmt: skip
    assert all(each[2]["X-aws-ec2-metadata-token"] == "token" for each in asked[1:5])
    said = capsys.readouterr().out
    assert said.startswith("MemoryUsed ")
    assert "DiskUsed" in said


def test_what_is_refused_is_said_with_the_right_that_is_missing(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = io.BytesIO(b"not authorized to perform: cloudwatch:PutMetricData")
    url = "https://monitoring.eu-west-1.amazonaws.com/"
    errors: list[Exception] = [
        urllib.error.HTTPError(url, 403, "Forbidden", Message(), denied), urllib.error.URLError("no route to host"),
    ]  # fmt: skip

    def refuse(*_: Any, **__: Any) -> Any:
        raise errors.pop(0)

    monkeypatch.setattr(script, "ANSWERED", SimpleNamespace(open=refuse))
    assert script.trouble() == f"{url} was answered 403: not authorized to perform: cloudwatch:PutMetricData"
    assert script.trouble() == "Nothing was sent: URLError: <urlopen error no route to host>"


def test_the_units_say_how_often_and_for_which_cluster() -> None:
    assert "OnUnitActiveSec=5min" in render("host_metrics", "host-metrics.timer.j2")
    assert "HOST_METRICS_CLUSTER=shop-prod\n" in render("host_metrics", "host-metrics.service.j2")

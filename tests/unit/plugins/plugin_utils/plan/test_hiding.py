"""What of a value is shown in a plan: each secret beside what looks like one and is none."""

from __future__ import annotations

import pytest

from plugins.plugin_utils.plan.hiding import HIDDEN, LONGEST, shown

PEM = "-----BEGIN " + "PRIVATE KEY-----"
KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment.DB_PASSWORD", "x"),
        ("environment.API_TOKEN", "x"),
        ("label.some.api-key", "x"),
        ("DatabasePassword", "x"),
        ("environment.HARMLESS", f"{PEM} MII"),
        ("environment.HARMLESS", f"key {KEY}"),
        ("environment.DATABASE", "postgres://site:x@db.test/site"),
        ("command", "serve --url redis://:x@cache.test/0"),
        ("command", '["serve", "--password", "x"]'),
        ("command", '["serve", "--password=x"]'),
        ("health check", '{"Command": ["CMD-SHELL", "TOKEN=x curl localhost"]}'),
        ("log configuration", '{"Options": {"splunk-token": "x"}}'),
    ],
)
def test_a_secret_is_hidden(name: str, value: str) -> None:
    assert shown(name, value) == HIDDEN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment.DB_PASSWORD_FILE", "/run/secrets/db"),
        ("environment.COLOR", "blue"),
        ("environment.DATABASE", "postgres://site@db.test/site"),
        ("environment.TOKENS_PER_MINUTE", "60"),
        ("DatabaseMainSecretArn", "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-live/main-abcdef"),
        ("command", '["serve", "--port", "8000"]'),
        ("image", "registry.test/web@sha256:0123456789abcdef"),
        ("volume.media", "file system fs-1 by fsap-1"),
    ],
)
def test_what_is_none_is_shown(name: str, value: str) -> None:
    assert shown(name, value) == value


def test_a_long_value_is_cut_and_a_lines_end_is_a_space() -> None:
    assert shown("command", "a\n b") == "a b"
    assert shown("command", "a" * LONGEST) == "a" * LONGEST
    assert shown("command", "a" * (LONGEST + 1)) == "a" * LONGEST + "…"
    assert shown("environment.DB_PASSWORD", "") == "", "there is nothing to hide"

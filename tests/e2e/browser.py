"""Debian's Chromium, headless, with the local certificate authority trusted and no certificate error ignored."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

# Without these, Chromium talks to its maker at every start, which a closed network refuses many times over.
QUIET = [
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-quic", "--disable-gpu",
]  # fmt: skip


@contextmanager
def page(authority: Path, home: Path) -> Iterator[Page]:
    """A page of a fresh browser that trusts `authority` (a PEM file) besides its own roots.

    Args:
        authority: certificate of the embedded AWS's authority.
        home: an empty folder; the browser's certificate store is made in it.
    """
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for command in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "berth", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *command], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            env={**os.environ, "HOME": str(home)},
            args=[*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])],  # root's Chromium has no sandbox
        )
        try:
            yield browser.new_page(ignore_https_errors=False)
        finally:
            browser.close()

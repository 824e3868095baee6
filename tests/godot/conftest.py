"""Fixtures of the Godot addon's tests: the engine in a browser, a running server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from godot.files import GODOT
from godot.game import Godot
from godot.host import Host
from page.conftest import CHROMIUM
from playwright.sync_api import sync_playwright

OPTIONS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@pytest.fixture(scope="module")
def godot() -> Iterator[Godot]:
    """One browser a file: while it is open, an event loop runs in this thread."""
    if CHROMIUM is None:
        pytest.skip("browser: no Chromium here: apt-get install chromium")
    if not GODOT.folder().is_dir():
        pytest.skip("no Godot: python tests/fetch_tools.py")
    with Host() as host, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield Godot(browser, host)
        finally:
            browser.close()

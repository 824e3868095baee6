"""A browser, and pages that must not complain."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol

import pytest
from page.live import Live
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from waiting import PATIENCE_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "test-output" / "page"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
PATIENCE_MS = 1000 * PATIENCE_S

Scheme = Literal["light", "dark"]
Device = Literal["desktop", "phone"]


class OpenPage(Protocol):
    """Opens the page of a server."""

    def __call__(
        self, live: Live, scheme: Scheme = "light", device: Device = "desktop"
    ) -> Page: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Callable[[], Browser]]:
    """The browser; one that has died on a machine short of memory is started again."""
    if CHROMIUM is None:
        pytest.skip("browser: no Chromium here: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:

        def start() -> Browser:
            arguments = ["--no-sandbox", "--disable-gpu"]
            return playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)

        running = start()

        def alive() -> Browser:
            nonlocal running
            if not running.is_connected():
                running = start()
            return running

        try:
            yield alive
        finally:
            running.close()


@pytest.fixture
def live() -> Iterator[Live]:
    with Live() as live:
        yield live


@pytest.fixture
def open_page(browser: Callable[[], Browser]) -> Iterator[OpenPage]:
    """Opens the page of a server; fails the test if it has logged an error or thrown one."""
    complaints: list[str] = []
    contexts = []

    def open_one(live: Live, scheme: Scheme = "light", device: Device = "desktop") -> Page:
        is_phone = device == "phone"
        context = browser().new_context(
            viewport=PHONE if is_phone else DESKTOP,
            color_scheme=scheme,
            device_scale_factor=1,
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        page.goto(live.url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    # A browser logs every connection that could not be made; the page is to make them.
    assert [c for c in complaints if "ERR_CONNECTION_REFUSED" not in c] == []


@pytest.fixture(scope="module")
def axe() -> str:
    """The accessibility checker, as a script."""
    if not AXE.is_file():
        pytest.skip(f"axe: no axe-core here: npm ci --prefix {AXE.parents[2].relative_to(ROOT)}")
    return AXE.read_text(encoding="utf-8")


def keep(page: Page, name: str) -> None:
    """Keep a picture of the page, for people."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png")

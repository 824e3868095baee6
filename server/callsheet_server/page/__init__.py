"""The live page: a client in the browser, served from the WebSocket's port. See README.md here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from callsheet_server.transport.http import Page

__all__ = ["load_page"]

FOLDER: Final = Path(__file__).parent
CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def load_page() -> Mapping[str, Callable[[], Page]]:
    """Read the page's files, once: the page itself at ``/``, what it loads under ``/page/``."""
    pages: dict[str, Callable[[], Page]] = {}
    for file in sorted(FOLDER.iterdir()):
        if (content_type := CONTENT_TYPES.get(file.suffix)) is not None:
            path = "/" if file.name == "index.html" else f"/page/{file.name}"
            pages[path] = partial(_same, Page(file.read_bytes(), content_type))
    return pages


def _same(page: Page) -> Page:
    return page

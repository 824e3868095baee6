"""The page as the server hands it out; tests/page looks at it in a browser."""

from __future__ import annotations

import asyncio
import re
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

import pytest

from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.page import FOLDER, load_page


async def get(port: int, path: str) -> tuple[int, Message, str]:
    def fetch() -> tuple[int, Message, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode()

    return await asyncio.to_thread(fetch)


async def test_the_page_and_all_it_asks_for_are_served() -> None:
    settings = Settings.model_validate({"server": {"port": 0}})
    async with running_server(settings, ScriptedEngine()) as server:
        status, headers, html = await get(server.port, "/")
        assert status == 200
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        asked = re.findall(r'(?:src|href)="([^"]+)"', html)
        assert {path.rpartition(".")[2] for path in asked} == {"css", "js", "svg"}
        for path in asked:
            assert not path.startswith("/"), "the page may lie behind a prefix"
            assert (await get(server.port, f"/{path}"))[0] == 200
        status, _, text = await get(server.port, "/page/__init__.py")
        assert (status, "no page" in text) == (404, True)


async def test_nothing_from_elsewhere_can_run_in_the_page() -> None:
    settings = Settings.model_validate({"server": {"port": 0}})
    async with running_server(settings, ScriptedEngine()) as server:
        _, headers, _ = await get(server.port, "/")
    assert "default-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_scripts_import_what_is_there_and_write_no_markup(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    served = load_page()
    for module in re.findall(r'from "\./([^"]+)"', text):
        assert f"/page/{module}" in served
    assert "innerHTML" not in text

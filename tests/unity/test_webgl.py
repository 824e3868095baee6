"""The WebGL transport's JavaScript in a real browser, against a real server.

A page stands in for what Emscripten gives a library: a heap, strings in it, ``mergeInto``.
"""

from __future__ import annotations

import json
import shutil
import socket as socketlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from unity.server import Server
from unity.toolchain import PACKAGE

from callsheet.wire import (
    PROTOCOL,
    SUBPROTOCOL,
    Tick,
    TickKind,
    encode_tick,
    npc_records,
    player_records,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
MISSING = (
    "Chromium is not installed (apt-get install chromium)"
    if not CHROMIUM
    else "playwright is not installed (pip install callsheet[dev])"
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and find_spec("playwright")), reason=MISSING),
]

LIBRARY = PACKAGE / "Runtime" / "Plugins" / "WebGL" / "CallsheetWebSocket.jslib"
PATIENCE_MS = 20_000
OPEN, CLOSED = 1, 2

EMSCRIPTEN = """
var HEAPU8 = new Uint8Array(1 << 20);
var LibraryManager = { library: {} };
function mergeInto(library, functions) { Object.assign(library, functions); }
function UTF8ToString(pointer) {
    return new TextDecoder().decode(HEAPU8.subarray(pointer, HEAPU8.indexOf(0, pointer)));
}
"""
HARNESS = """
for (const [name, value] of Object.entries(LibraryManager.library)) {
    if (!name.endsWith('__deps')) { window[name.replace('$', '')] = value; }
}
function put(bytes, at) { HEAPU8.set(bytes, at); HEAPU8[at + bytes.length] = 0; return at; }
function text(string, at) { return put(new TextEncoder().encode(string), at); }
function open_(url, subprotocol) {
    return CallsheetWebSocketOpen(text(url, 16), text(subprotocol, 1024));
}
function sendText(id, string) {
    const bytes = new TextEncoder().encode(string);
    CallsheetWebSocketSend(id, put(bytes, 4096), bytes.length, 0);
    HEAPU8.fill(255, 4096, 4096 + bytes.length);
}
function sendBinary(id, numbers) {
    CallsheetWebSocketSend(id, put(new Uint8Array(numbers), 4096), numbers.length, 1);
    HEAPU8.fill(255, 4096, 4096 + numbers.length);
}
function receive(id) {
    const size = CallsheetWebSocketNextSize(id);
    if (size < 0) { return null; }
    const kind = CallsheetWebSocketReceive(id, 65536);
    return { kind, text: new TextDecoder().decode(HEAPU8.subarray(65536, 65536 + size)) };
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with the library loaded; an error in it fails the test."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for script in (EMSCRIPTEN, LIBRARY.read_text("utf-8"), HARNESS):
        page.add_script_tag(content=script)
    yield page
    page.close()
    assert errors == []


class Socket:
    """Python stand-in for WebGLTransport.cs, as it uses the library."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        self.id: int = page.evaluate("([url, sub]) => open_(url, sub)", [url, SUBPROTOCOL])

    @property
    def state(self) -> int:
        state: int = self._page.evaluate("CallsheetWebSocketState", self.id)
        return state

    @property
    def close_code(self) -> int:
        code: int = self._page.evaluate("CallsheetWebSocketCloseCode", self.id)
        return code

    def until(self, state: int) -> None:
        self._page.wait_for_function(f"CallsheetWebSocketState({self.id}) === {state}")

    def send(self, **message: Any) -> None:
        self._page.evaluate("([id, text]) => sendText(id, text)", [self.id, json.dumps(message)])

    def send_binary(self, data: bytes) -> None:
        self._page.evaluate("([id, bytes]) => sendBinary(id, bytes)", [self.id, list(data)])

    def receive(self, *types: str) -> dict[str, Any]:
        """The next message of one of the types; others are skipped."""
        while True:
            self._page.wait_for_function(f"CallsheetWebSocketNextSize({self.id}) >= 0")
            frame = self._page.evaluate("receive", self.id)
            assert frame["kind"] == 0
            message: dict[str, Any] = json.loads(frame["text"])
            if message["type"] in types:
                return message

    def call(self, function: str, *arguments: int) -> Any:
        shown = ", ".join(map(str, (self.id, *arguments)))
        return self._page.evaluate(f"CallsheetWebSocket{function}({shown})")

    def hello(self, **changes: Any) -> None:
        self.until(OPEN)
        client = {"name": "browser", "version": "1"}
        hello = {"protocol": PROTOCOL, "role": "game", "world": "town", "client": client}
        self.send(**{"type": "hello", **hello, **changes})


def test_texts_ticks_and_replies(page: Page, shared_server: Server) -> None:
    socket = Socket(page, shared_server.url)
    socket.hello(world="talk")
    assert socket.receive("welcome")["resumed"] is False
    socket.send(type="spawn", id=1, npcs=[{"npc": "bob", "name": "Bøb 🥖"}])
    handle = socket.receive("spawned")["npcs"][0]["handle"]
    npcs = npc_records([handle], [[1.0, 2.0, 3.0]])
    players = player_records([], np.zeros((0, 3), np.float32))
    socket.send_binary(encode_tick(Tick(TickKind.KEYFRAME, 1, 0.5, True, npcs, players)))
    assert socket.receive("tick_ack")["tick"] == 1
    socket.send(type="say", id=2, npc="bob", text="Grüß dich!", speaker={"kind": "narrator"})
    assert socket.receive("reply_start")["heard"] == "Grüß dich!"
    text = ""
    while (message := socket.receive("reply_delta", "reply_end"))["type"] == "reply_delta":
        text += message["text"]
    assert text == message["text"] != ""


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"protocol": "9.0"}, 4002),
        ({"world": "no spaces allowed"}, 4000),
        ({"type": "bye"}, 4000),
    ],
)
def test_errors_come_before_close_codes(
    first: dict[str, str], code: int, page: Page, shared_server: Server
) -> None:
    socket = Socket(page, shared_server.url)
    socket.hello(**first)
    assert socket.receive("error")["code"]
    socket.until(CLOSED)
    assert socket.close_code == code


def test_a_reconnect_resumes(page: Page, shared_server: Server) -> None:
    first = Socket(page, shared_server.url)
    first.hello(world="resume")
    welcome = first.receive("welcome")
    first.call("Release")
    assert first.state == CLOSED
    assert first.call("NextSize") == -1
    second = Socket(page, shared_server.url)
    assert second.id != first.id
    resume = {"session": welcome["session"], "token": welcome["resume_token"], "last_seq": 0}
    second.hello(world="resume", resume=resume)
    assert second.receive("welcome")["session"] == welcome["session"]


def test_a_goodbye_closes_with_1000(page: Page, shared_server: Server) -> None:
    socket = Socket(page, shared_server.url)
    socket.hello(world="goodbye")
    socket.receive("welcome")
    socket.send(type="bye")
    socket.until(CLOSED)
    assert socket.close_code == 1000


def test_a_server_killed_is_a_close_with_1006(page: Page, server: Server) -> None:
    socket = Socket(page, server.url)
    socket.hello()
    socket.receive("welcome")
    assert socket.call("CanSend") == 1
    server.kill()
    socket.until(CLOSED)
    assert socket.close_code == 1006
    assert socket.call("CanSend") == 0
    socket.send(type="bye")


def test_a_server_that_is_not_there_and_a_bad_url(page: Page) -> None:
    with socketlib.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    refused = Socket(page, f"ws://127.0.0.1:{port}/")
    refused.until(CLOSED)
    assert refused.close_code == 1006
    bad = Socket(page, "nonsense://x")
    assert bad.state == CLOSED
    assert bad.close_code == 1006


def test_a_full_queue_closes_instead_of_growing(page: Page, shared_server: Server) -> None:
    page.evaluate("CallsheetWebSocketSockets.maxQueuedBytes = 100")
    socket = Socket(page, shared_server.url)
    socket.hello(world="full")
    socket.until(CLOSED)
    assert socket.close_code == 1006


def test_the_library_is_plain_es5_for_old_build_pipelines() -> None:
    """Unity 2021.3 minifies libraries with a tool that may not know newer syntax."""
    text = Path(LIBRARY).read_text("utf-8")
    assert not any(word in text for word in ("=>", "let ", "const ", "class ", "`", "async "))

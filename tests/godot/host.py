"""Serves the engine and packed projects to the browser, isolated as the engine's files ask for."""

from __future__ import annotations

import threading
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from godot.files import ENGINE, GODOT

PAGE = Path(__file__).with_name("engine.html")
TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


class Host:
    """An HTTP server on a free port, in a thread of its own."""

    def __init__(self) -> None:
        self._files = {f"/engine/{name}": GODOT.folder() / name for name in ENGINE}
        self._files["/"] = PAGE
        self._packs: dict[str, bytes] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler)
        self._thread = threading.Thread(target=self._http.serve_forever, name="godot host")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/"

    def add(self, packed: bytes) -> str:
        """Serve a project under a path of its own."""
        path = f"/{len(self._packs)}.pck"
        self._packs[path] = packed
        return path

    @cached_property
    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                file = host._files.get(self.path)
                body = file.read_bytes() if file else host._packs.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Cross-Origin-Opener-Policy", "same-origin")
                self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
                kind = TYPES.get(file.suffix if file else "", "application/octet-stream")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002
                """Keep quiet."""

        return Handler

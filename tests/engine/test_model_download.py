"""Models from a mirror of the hub: an HTTP server that can break off, lie and refuse."""

from __future__ import annotations

import errno
import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from engine.tiny_gguf import write_tiny_gguf

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models import download
from callsheet_server.engine.models.cache import list_models
from callsheet_server.engine.models.catalogue import REGISTRY, nearest_names
from callsheet_server.engine.models.gguf_cache import gguf_from_file, resolve_gguf

NAME = "Qwen2.5-0.5B-Instruct"
BODY = bytes(range(256)) * 4_000


class Mirror(http.server.ThreadingHTTPServer):
    """Serves ``BODY`` as the hub does: a redirect with the facts, then the file."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.sha256 = hashlib.sha256(BODY).hexdigest()
        self.tells_sha256 = True
        self.cut_after: list[int] = []
        """Bytes after which each of the next answers breaks off."""
        self.status = 200
        self.asked: list[str | None] = []
        """Range of each request for the file."""
        self.paths: list[str] = []
        self.tokens: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_HEAD(self) -> None:
        self.server.paths.append(self.path)
        self.server.tokens.append(self.headers.get("Authorization"))
        if self.server.status != 200:
            self.send_error(self.server.status)
            return
        self.send_response(302)
        self.send_header("Location", f"{self.server.url}/file")
        self.send_header("X-Linked-Size", str(len(BODY)))
        if self.server.tells_sha256:
            self.send_header("X-Linked-Etag", f'"{self.server.sha256}"')
        self.end_headers()

    def do_GET(self) -> None:
        if self.path != "/file":
            self.do_HEAD()
            return
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        self.server.tokens.append(self.headers.get("Authorization"))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        body = BODY[start:]
        if self.server.cut_after:
            body = body[: self.server.cut_after.pop(0)]
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with Mirror() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("CALLSHEET_CACHE_DIR", str(tmp_path))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ignore(_: Progress) -> None:
    pass


def test_a_model_of_the_catalogue_comes_from_the_mirror(mirror: Mirror) -> None:
    told: list[Progress] = []
    path = resolve_gguf(NAME, told.append)
    assert path.read_bytes() == BODY
    owner_and_name, _, file = REGISTRY[NAME].gguf.rpartition("/")
    assert mirror.paths[0] == f"/{owner_and_name}/resolve/main/{file}"
    assert (told[-1].done, told[-1].total, told[-1].unit) == (len(BODY), len(BODY), "B")
    (entry,) = list_models()
    assert (entry.name, entry.verified) == (f"{NAME}.gguf", True)
    asked = len(mirror.asked)
    assert resolve_gguf(NAME, ignore) == path
    assert len(mirror.asked) == asked


def test_a_broken_connection_goes_on_where_it_was(mirror: Mirror) -> None:
    mirror.cut_after = [100_000, 300_000]
    assert resolve_gguf(NAME, ignore).read_bytes() == BODY
    assert mirror.asked == [None, "bytes=100000-", "bytes=400000-"]


def test_a_later_pull_goes_on_where_an_earlier_one_gave_up(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TRIES", 1)
    mirror.cut_after = [500_000, 0]
    with pytest.raises(EngineStartError, match=r"stopped at 0 MB|stopped at 1 MB.*goes on"):
        resolve_gguf(NAME, ignore)
    assert resolve_gguf(NAME, ignore).read_bytes() == BODY
    assert mirror.asked[-1] == "bytes=500000-"


def test_a_wrong_checksum_is_told_and_nothing_is_kept(mirror: Mirror, tmp_path: Path) -> None:
    mirror.sha256 = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(EngineStartError, match="SHA-256 differs"):
        resolve_gguf(NAME, ignore)
    assert not list(tmp_path.rglob("*.gguf"))
    assert not list(tmp_path.rglob("*.part"))
    mirror.sha256 = hashlib.sha256(BODY).hexdigest()
    assert resolve_gguf(NAME, ignore).read_bytes() == BODY


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(EngineStartError, match=r"1 MB are missing, 0 MB are free.*CACHE_DIR"):
        resolve_gguf(NAME, ignore)
    assert mirror.asked == []


def test_a_disk_that_fills_up_keeps_what_has_arrived(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_file = Path.open

    def full(path: Path, mode: str = "r", **options: Any) -> IO[Any]:
        if mode in ("ab", "wb") and path.suffix == ".part":
            with open_file(path, "wb") as file:
                file.write(BODY[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return open_file(path, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(EngineStartError, match=r"is full.*is kept"):
            resolve_gguf(NAME, ignore)
    assert resolve_gguf(NAME, ignore).read_bytes() == BODY
    assert mirror.asked[-1] == "bytes=1000-"


@pytest.mark.parametrize(("status", "fix"), [(404, "check its name"), (403, "HF_TOKEN")])
def test_a_refusal_says_what_to_do(mirror: Mirror, status: int, fix: str) -> None:
    mirror.status = status
    with pytest.raises(EngineStartError, match=fix):
        resolve_gguf(NAME, ignore)


def test_the_token_goes_to_the_hub_and_nowhere_else(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    resolve_gguf(NAME, ignore)
    *to_hub, to_file = mirror.tokens
    assert set(to_hub) == {"Bearer secret"}
    assert to_file is None


def test_a_file_is_taken_into_the_cache_under_the_model_s_name(
    mirror: Mirror, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.gguf"
    write_tiny_gguf(mine)
    path = gguf_from_file(NAME, mine, ignore)
    assert path.read_bytes() == mine.read_bytes()
    assert resolve_gguf(NAME, ignore) == path
    (tmp_path / "no.gguf").write_bytes(b"hello")
    with pytest.raises(EngineStartError, match="no GGUF"):
        gguf_from_file("Gemma-2-2B", tmp_path / "no.gguf", ignore)


def test_an_unknown_name_gets_the_nearest(mirror: Mirror) -> None:
    with pytest.raises(EngineStartError, match=r"did you mean Qwen2\.5-\d.*-Instruct"):
        resolve_gguf("qwen2.5-1.5b", ignore)
    assert "SmolLM2-135M-Instruct" in nearest_names("xyz")

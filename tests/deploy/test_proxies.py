"""The proxies of docs/deploy.md, each the real program, before a real server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trustme
from deploy.configurations import CADDY_ADMIN, caddy, haproxy, impatient, nginx
from ports import free_port
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

import callsheet
from callsheet import NpcSpec, SessionReset, SessionState, StateChanged
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.transport.settings import ServerSettings

pytestmark = pytest.mark.process
PROXIES = {"nginx": nginx, "haproxy": haproxy, "caddy": caddy}
PACKAGES = {"nginx": "nginx-light", "haproxy": "haproxy", "caddy": "caddy"}
RELOADS = {"nginx": signal.SIGHUP, "haproxy": signal.SIGUSR2}
"""Caddy's is a command."""
IDLE_S, PROXY_TIMEOUT_S, HEARTBEAT_S = 7.0, 3, 0.5
SPAWN_BYTES = 6_000_000
HELLO = (
    '{"type":"hello","protocol":"1.3","role":"observer","world":"w",'
    '"client":{"name":"c","version":"1"}}'
)
PERSONA = "She keeps the quay and counts the boats that come in. " * 200
QUICK = callsheet.ClientSettings(backoff_min_s=0.05, backoff_max_s=0.2)


class Site:
    """A server with a proxy before it."""

    def __init__(self, folder: Path, write: Callable[[Path, int, int], tuple[str, ...]]) -> None:
        self.folder = folder
        self.port, self.server_port = free_port(), free_port()
        ca = trustme.CA()
        certificate = ca.issue_cert("localhost", "npc.example.org")
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        key = certificate.private_key_pem.bytes()
        (folder / "fullchain.pem").write_bytes(chain)
        (folder / "key.pem").write_bytes(key)
        (folder / "site.pem").write_bytes(chain + key)
        ca.cert_pem.write_to_path(folder / "ca.pem")
        self.command = write(folder, self.port, self.server_port)
        self.trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self.settings = QUICK.model_copy(update={"ca_file": folder / "ca.pem"})

    @contextmanager
    def proxy(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the proxy."""
        environment = os.environ | {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        with (
            (self.folder / "log").open("ab") as log,
            subprocess.Popen(
                self.command,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def reload(self, process: subprocess.Popen[bytes]) -> None:
        """Have the proxy read its configuration again."""
        if self.command[0] == "caddy":
            command = ["caddy", "reload", "--force", "--address", CADDY_ADMIN, *self.command[2:]]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        else:
            process.send_signal(RELOADS[self.command[0]])

    @contextmanager
    def server_process(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the server as a process of its own, and kill it at the end."""
        command = (
            *(sys.executable, "-m", "callsheet", "serve", "--port", str(self.server_port)),
            *("--engine", "scripted", "--set", f"storage.directory={self.folder / 'worlds'}"),
        )
        with (
            (self.folder / "server.log").open("ab") as log,
            subprocess.Popen(command, stdout=log, stderr=log) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    @asynccontextmanager
    async def server(self, heartbeat_interval_s: float = 5.0) -> AsyncIterator[CallsheetServer]:
        """Run the server; what it acknowledged is on disk."""
        settings = Settings(
            server=ServerSettings(
                port=self.server_port,
                drain_timeout_s=0.1,
                allowed_hosts=("npc.example.org",),
                heartbeat_interval_s=heartbeat_interval_s,
            ),
            storage=StorageSettings(directory=str(self.folder / "worlds")),
            scripted=ScriptedSettings(token_delay_s=0.005, rebuild_s=0.0),
        )
        async with running_server(settings, ScriptedEngine(settings.scripted)) as server:
            yield server

    async def get(self, path: str, host: str) -> str:
        """Ask for a page; the answer with its head."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.trust, server_hostname="localhost"
        )
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.read()
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
        return answer.decode()

    async def is_up(self) -> None:
        """Wait until the proxy passes requests on."""
        while True:
            with contextlib.suppress(OSError):
                if " 200 " in (await self.get("/readyz", "localhost")).partition("\r\n")[0]:
                    return
            await asyncio.sleep(0.05)


@pytest.fixture(params=PROXIES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name}: not here: apt-get install {PACKAGES[name]}")
    return Site(tmp_path, PROXIES[name])


async def test_pages_and_talk_at_the_root_and_under_a_prefix(site: Site) -> None:
    async with site.server():
        with site.proxy():
            await site.is_up()
            for prefix in ("", "/npc"):
                for path, told in (
                    ("/", "<!doctype html>"),
                    ("/healthz", "ok"),
                    ("/readyz", "ready"),
                    ("/metrics", "callsheet_ticks_total"),
                    ("/page/main.js", "WebSocket"),
                ):
                    answer = await site.get(prefix + path, f"localhost:{site.port}")
                    assert answer.startswith("HTTP/1.1 200 "), answer[:300]
                    assert told.lower() in answer.lower() or path.endswith(".js")
                url = f"wss://localhost:{site.port}{prefix}/"
                async with callsheet.connect(
                    url, role="game", world=f"town{prefix.strip('/')}", settings=site.settings
                ) as game:
                    count = SPAWN_BYTES // len(PERSONA)
                    specs = [NpcSpec(npc=f"n{i}", name="N", persona=PERSONA) for i in range(count)]
                    assert len((await game.spawn(specs)).npcs) == count
                    pieces = [text async for text in await game.say("n0", "Good day.")]
                    assert len(pieces) > 1, "it streams"


async def test_a_page_connects_by_its_origin_and_the_proxys_name(site: Site) -> None:
    async with site.server():
        with site.proxy():
            await site.is_up()
            assert " 200 " in (await site.get("/", "npc.example.org"))[:20]
            assert " 421 " in (await site.get("/", "evil.example"))[:20] or "caddy" in site.command
            own = Origin(f"https://localhost:{site.port}")
            async with connect(f"wss://localhost:{site.port}/", ssl=site.trust, origin=own) as page:
                await page.send("{}")
                assert "hello" in str(await page.recv())
            url = f"wss://localhost:{site.port}/"
            async with connect(url, ssl=site.trust, origin=Origin("https://evil.example")) as page:
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        assert "may not connect" in str(await page.recv())
                assert page.close_code == 4001


@pytest.mark.skipif(sys.platform != "linux", reason="a client has an address of its own")
async def test_a_client_is_counted_by_its_own_address_and_cannot_choose_it(site: Site) -> None:
    async with site.server() as server:
        with site.proxy():
            await site.is_up()
            for client in ("127.0.0.8", "127.0.0.9"):
                async with connect(
                    f"wss://localhost:{site.port}/",
                    ssl=site.trust,
                    local_addr=(client, 0),
                    additional_headers={"X-Forwarded-For": "203.0.113.1"},
                ) as socket:
                    await socket.send(HELLO)
                    assert "welcome" in str(await socket.recv())
                    assert client in {session.address for session in server.sessions}


async def test_a_session_outlives_reload_kill_and_restart(site: Site) -> None:
    async with contextlib.AsyncExitStack() as stack:
        server = contextlib.AsyncExitStack()
        stack.push_async_callback(server.aclose)
        await server.enter_async_context(site.server())
        url = f"wss://localhost:{site.port}/"
        client = callsheet.connect(url, role="game", world="town", settings=site.settings)
        resets: list[SessionReset] = []
        client.on(resets.append, SessionReset)

        async def talk() -> None:
            while client.state is not SessionState.OPEN:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert (await (await client.say("bram", "Still there?"))).finish_reason == "stop"

        with site.proxy() as first:
            await site.is_up()
            game = await stack.enter_async_context(client)
            await game.spawn([NpcSpec(npc="bram", name="Bram")])
            await talk()
            await asyncio.to_thread(site.reload, first)
            await site.is_up()
            await talk()
            os.killpg(first.pid, signal.SIGKILL)
        with site.proxy():
            await site.is_up()
            await talk()
            await server.aclose()
            await server.enter_async_context(site.server())
            await site.is_up()
            await talk()
            assert resets == [], "the same session throughout"
            await game.close()


async def test_a_session_outlives_a_server_that_is_killed(site: Site) -> None:
    with site.proxy():
        async with contextlib.AsyncExitStack() as stack:
            url = f"wss://localhost:{site.port}/"
            client = callsheet.connect(url, role="game", world="town", settings=site.settings)
            resets: list[SessionReset] = []
            client.on(resets.append, SessionReset)
            with site.server_process():
                await site.is_up()
                game = await stack.enter_async_context(client)
                await game.spawn([NpcSpec(npc="bram", name="Bram")])
                await game.set_facts("bram", {"owes": 3})
            with site.server_process():
                await site.is_up()
                while client.state is not SessionState.OPEN:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                reply = await (await game.say("bram", "Still there?"))
                assert reply.finish_reason == "stop"
                assert await game.get_facts("bram") == {"owes": 3}
                assert resets == [], "the same session"
                await game.close()


@pytest.mark.parametrize("heartbeat_s", [HEARTBEAT_S, 60.0], ids=["heartbeats", "none in time"])
async def test_an_idle_session_stays_up_by_its_heartbeats(site: Site, heartbeat_s: float) -> None:
    impatient(site.command, PROXY_TIMEOUT_S)
    async with site.server(heartbeat_s):
        with site.proxy():
            await site.is_up()
            url = f"wss://localhost:{site.port}/"
            client = callsheet.connect(url, role="game", world="town", settings=site.settings)
            changes: list[StateChanged] = []
            client.on(changes.append, StateChanged)
            async with client as game:
                assert client.welcome is not None
                assert client.welcome.heartbeat_interval_s == heartbeat_s
                await game.spawn([NpcSpec(npc="bram", name="Bram")])
                changes.clear()
                await asyncio.sleep(IDLE_S)
                is_cut = heartbeat_s > PROXY_TIMEOUT_S and site.command[0] != "caddy"
                assert bool(changes) is is_cut
                while client.state is not SessionState.OPEN:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
                assert (await (await game.say("bram", "Awake?"))).finish_reason == "stop"

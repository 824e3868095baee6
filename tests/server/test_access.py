"""Access on real sockets: TLS, origins, tokens that come and go, and quotas."""

from __future__ import annotations

import asyncio
import logging
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import trustme
from server.client import Client
from server.conftest import StartServer
from waiting import PATIENCE_S, until
from websockets.asyncio.client import connect
from websockets.typing import Origin

import callsheet
import callsheet.blocking
from callsheet.core.settings import ClientSettings
from callsheet.wire import (
    CloseCode,
    Error,
    ErrorCode,
    NpcSpec,
    SetPolicy,
    Spawn,
    parse_server_message,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.serving import StartError, local_url, page_url, start
from callsheet_server.app.settings import EngineSettings, Settings, SettingsError, load_settings
from callsheet_server.handlers import rate_limits
from callsheet_server.limits.settings import QuotaSettings
from callsheet_server.session import registry
from callsheet_server.transport import access_tokens as tokens_module
from callsheet_server.transport.settings import ServerSettings

SECRETS = {name: f"{name}-secret-{name}-secret" for name in ("studio", "town", "eye", "probe")}
TOKENS = f"""
[[token]]
name = "studio"
role = "game"
secret = "{SECRETS["studio"]}"

[[token]]
name = "town"
role = "game"
secret = "{SECRETS["town"]}"
world = "town"

[[token]]
name = "eye"
role = "observer"
secret = "{SECRETS["eye"]}"
world = "town"

[[token]]
name = "probe"
role = "observer"
secret = "{SECRETS["probe"]}"
"""


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tokens_module, "POLL_S", 0.01)
    path = tmp_path / "tokens.toml"
    path.write_text(TOKENS)
    return path


async def get(url: str, **headers: str) -> tuple[int, str]:
    """Status and body of a GET."""

    def fetch() -> tuple[int, str]:
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(fetch)


async def refusal(port: int, **options: Any) -> tuple[Error, int]:
    """Connect, say nothing, and return the error and the close code that come."""
    async with connect(f"ws://127.0.0.1:{port}/", **options) as socket:
        error = parse_server_message(await socket.recv(decode=False))
        await socket.wait_closed()
        assert isinstance(error, Error)
        assert socket.close_code is not None
        return error, socket.close_code


# --- beyond loopback -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "fix"),
    [
        (["server.host=0.0.0.0"], "server.token_file"),
        (["server.host=example.org"], "server.token_file"),
        (["server.host=::", "server.game_token=hunter2"], "at least 16 characters"),
        (["server.tls_certificate=cert.pem"], "set both or neither"),
    ],
)
def test_what_is_not_safe_does_not_start(
    flags: list[str], fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="server") as raised:
        load_settings(flags=flags)
    assert fix in str(raised.value)
    assert "Value error" not in str(raised.value)
    assert "hunter2" not in str(raised.value)


async def test_beyond_loopback_a_role_without_a_token_is_closed(start_server: StartServer) -> None:
    server = await start_server(host="0.0.0.0", game_token=SECRETS["studio"])
    async with Client(server.port, token=SECRETS["studio"]) as game:
        await game.spawn("bob")
        for role in ("mod", "observer"):
            client = Client(server.port, role=role)
            await client.dial()
            await client.send(client.hello)
            assert await client.closed() == CloseCode.UNAUTHORIZED
    assert (await get(f"http://127.0.0.1:{server.port}/metrics"))[0] == 401


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and cert.pem and key.pem that it vouches for."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(folder / "cert.pem"), append=True)
    return folder


def tls(folder: Path) -> dict[str, Path]:
    return {"tls_certificate": folder / "cert.pem", "tls_key": folder / "key.pem"}


async def test_both_clients_talk_over_tls(start_server: StartServer, certificates: Path) -> None:
    server = await start_server(**tls(certificates))
    assert local_url(server) == f"wss://127.0.0.1:{server.port}"
    assert page_url(server) == f"https://127.0.0.1:{server.port}/"
    settings = ClientSettings(ca_file=certificates / "ca.pem")
    async with callsheet.connect(
        local_url(server), role="game", world="town", settings=settings
    ) as game:
        await game.spawn([NpcSpec(npc="bob", name="Bob")])
        end = await (await game.say("bob", "Good evening."))
        assert end.finish_reason == "stop"

        def observe() -> str:
            with callsheet.blocking.connect(
                local_url(server), role="observer", world="town", settings=settings
            ) as eye:
                return eye.welcome.world

        assert await asyncio.to_thread(observe) == "town"


async def test_a_certificate_nobody_vouches_for_is_refused(
    start_server: StartServer, certificates: Path
) -> None:
    server = await start_server(**tls(certificates))
    settings = ClientSettings(connect_timeout_s=0.3)
    with pytest.raises(callsheet.ConnectFailedError, match="certificate verify failed"):
        async with callsheet.connect(
            local_url(server), role="game", world="town", settings=settings
        ):
            pass
    with pytest.raises(callsheet.ConnectFailedError):  # no plain text on that port
        async with callsheet.connect(
            f"ws://127.0.0.1:{server.port}", role="game", world="town", settings=settings
        ):
            pass


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tls_key": "none.pem"}, "server.tls_key"),
        ({"tls_certificate": "none.pem"}, "server.tls_certificate"),
        ({"tls_key": "ca.pem"}, "both are PEM"),
    ],
)
async def test_files_that_are_no_use_stop_the_start(
    change: dict[str, str], named: str, certificates: Path
) -> None:
    files = {**tls(certificates), **{k: certificates / v for k, v in change.items()}}
    server = ServerSettings.model_validate({"port": 0, **files})
    settings = Settings(server=server, engine=EngineSettings(name="scripted"))
    with pytest.raises(StartError, match=named):
        await start(settings, lambda _: None)


# --- browsers ------------------------------------------------------------------------------------


async def test_a_foreign_page_is_told_why_it_may_not_connect(start_server: StartServer) -> None:
    server = await start_server(allowed_origins=("https://html-classic.itch.zone",))
    error, code = await refusal(server.port, origin="https://evil.example")
    assert (error.code, code) == (ErrorCode.UNAUTHORIZED, CloseCode.UNAUTHORIZED)
    assert 'server.allowed_origins = ["https://evil.example"]' in error.message
    for origin in ("https://html-classic.itch.zone", f"http://127.0.0.1:{server.port}"):
        async with connect(f"ws://127.0.0.1:{server.port}/", origin=Origin(origin)) as socket:
            await socket.send(Client(0, role="observer").hello.model_dump_json())
            assert parse_server_message(await socket.recv(decode=False)).type == "welcome"
    assert server.sessions.errors()[ErrorCode.UNAUTHORIZED] == 1


async def test_a_rebound_name_gets_neither_page_nor_session(server: CallsheetServer) -> None:
    for path in ("", "metrics", "healthz"):
        url = f"http://127.0.0.1:{server.port}/{path}"
        status, body = await get(url, Host="evil.example:8765")
        assert status == 421
        assert "server.allowed_hosts" in body
        assert (await get(url))[0] == 200
    error, code = await refusal(server.port, additional_headers={"Host": "evil.example"})
    assert (error.code, code) == (ErrorCode.UNAUTHORIZED, CloseCode.UNAUTHORIZED)


async def test_figures_are_for_observers(start_server: StartServer, token_file: Path) -> None:
    server = await start_server(token_file=token_file)
    url = f"http://127.0.0.1:{server.port}"
    assert (await get(f"{url}/healthz"))[0] == 200
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer \xff"}):
        assert (await get(f"{url}/metrics", **headers))[0] == 401
    bearer = {name: {"Authorization": f"Bearer {secret}"} for name, secret in SECRETS.items()}
    assert (await get(f"{url}/metrics", **bearer["eye"]))[0] == 401, "good for one world only"
    status, body = await get(f"{url}/metrics", **bearer["probe"])
    assert status == 200
    assert 'callsheet_errors_total{code="unauthorized"} 4.0' in body


# --- tokens --------------------------------------------------------------------------------------


async def test_a_worlds_token_touches_no_other_world(
    start_server: StartServer, token_file: Path
) -> None:
    server = await start_server(token_file=token_file)
    async with (
        Client(server.port, token=SECRETS["studio"], world="village") as village,
        Client(server.port, token=SECRETS["town"]) as town,
        Client(server.port, token=SECRETS["eye"], role="observer") as eye,
    ):
        await village.spawn("eve")
        await town.spawn("bob")
        assert eye.welcome.worlds == ("town",)
        intruder = Client(server.port, token=SECRETS["town"], world="village")
        await intruder.dial()
        await intruder.send(intruder.hello)
        assert await intruder.closed() == CloseCode.UNAUTHORIZED
        hijack = Client(
            server.port, token=SECRETS["town"], world="village", resume=village.resumption()
        )
        await hijack.dial()
        await hijack.send(hijack.hello)
        assert await hijack.closed() == CloseCode.UNAUTHORIZED
        refused = await eye.refusal(SetPolicy(id=eye.next_id(), policy="naive"))
        assert refused.code == ErrorCode.FORBIDDEN
        await village.reply(await village.say("eve"))


async def test_a_revoked_token_ends_its_sessions_and_no_others(
    start_server: StartServer, token_file: Path
) -> None:
    server = await start_server(token_file=token_file)
    async with (
        Client(server.port, token=SECRETS["studio"], world="village") as village,
        Client(server.port, token=SECRETS["town"]) as town,
    ):
        await village.spawn("eve")
        await town.spawn("bob")
        lost = Client(server.port, token=SECRETS["eye"], role="observer")
        async with lost:
            lost.drop()
        half = TOKENS.index("[[token]]", 10)
        await asyncio.to_thread(token_file.write_text, TOKENS[:half])
        assert await town.closed() == CloseCode.UNAUTHORIZED
        assert town.received[-1].type == "error"
        assert "revoked" in getattr(town.received[-1], "message", "")
        again = Client(server.port, token=SECRETS["town"], resume=town.resumption())
        await again.dial()
        await again.send(again.hello)
        assert await again.closed() == CloseCode.UNAUTHORIZED
        await village.reply(await village.say("eve"))
        await until(lambda: len(server.rooms) == 1)
        assert len(server.sessions) == 1


async def test_a_broken_token_file_leaves_things_as_they_are(
    start_server: StartServer, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = await start_server(token_file=token_file)
    async with Client(server.port, token=SECRETS["studio"], world="village") as village:
        await village.spawn("eve")
        await asyncio.to_thread(token_file.write_text, TOKENS.replace('"game"', '"king"'))
        await until(lambda: "stay good" in caplog.text)
        await village.reply(await village.say("eve"))
        await asyncio.to_thread(token_file.write_text, TOKENS + "# mended\n")
    assert not any(secret in caplog.text for secret in SECRETS.values())


async def test_no_log_at_any_level_holds_a_token(
    start_server: StartServer, token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="callsheet_server"), caplog.at_level(logging.INFO):
        server = await start_server(token_file=token_file, mod_token="a mod's own secret")
        clients = [
            Client(server.port, token=SECRETS["studio"], world="village"),
            Client(server.port, token="a mod's own secret", role="mod", world="village"),
            Client(server.port, token=SECRETS["eye"], role="observer"),
        ]
        resume_tokens = []
        for client in clients:
            async with client:
                resume_tokens.append(client.welcome.resume_token)
        bad = Client(server.port, token="guess-guess-guess-guess")
        await bad.dial()
        await bad.send(bad.hello)
        await bad.closed()
        url = f"http://127.0.0.1:{server.port}/metrics"
        await get(url, Authorization=f"Bearer {SECRETS['probe']}")
        await asyncio.to_thread(token_file.write_text, "")
        await until(lambda: "0 tokens" in caplog.text)
    assert "joined" in caplog.text
    for secret in (*SECRETS.values(), "a mod's own", "guess-guess", *resume_tokens):
        assert secret not in caplog.text


# --- quotas --------------------------------------------------------------------------------------


async def test_npcs_of_a_token_are_counted_over_its_worlds(
    start_server: StartServer, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_NPCS_PER_TOKEN", 3)
    server = await start_server(token_file=token_file)
    token = SECRETS["studio"]
    async with (
        Client(server.port, token=token, world="a") as one,
        Client(server.port, token=token, world="b") as two,
    ):
        await one.spawn("bob", "eve")
        npcs = tuple(NpcSpec(npc=npc, name=npc) for npc in ("ida", "ole"))
        refused = await two.refusal(Spawn(id=two.next_id(), npcs=npcs))
        assert (refused.code, refused.limit) == (ErrorCode.LIMIT_EXCEEDED, 3)
        await two.spawn("ida")


async def test_sessions_of_a_token_are_counted(
    start_server: StartServer, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MAX_SESSIONS_PER_TOKEN", 1)
    server = await start_server(token_file=token_file)
    async with Client(server.port, role="observer", token=SECRETS["probe"]):
        other = Client(server.port, role="observer", token=SECRETS["probe"])
        await other.dial()
        await other.send(other.hello)
        await other.closed()
        error = other.received[-1]
        assert isinstance(error, Error)
        assert (error.code, error.limit) == (ErrorCode.LIMIT_EXCEEDED, 1)
        assert error.retry_after_s


async def test_generated_tokens_are_metered_and_told_in_metrics(start_server: StartServer) -> None:
    server = await start_server(
        limits={"max_generated_tokens_per_min": 40}, reply={"max_tokens": 30}
    )
    async with Client(server.port) as game, Client(server.port, world="village") as other:
        await game.spawn("bob")
        await other.spawn("eve")
        end = await game.reply(await game.say("bob"))
        assert 0 < end.generated_tokens < 30
        number = await game.say("bob", max_tokens=40)
        refused = await game.get(Error, id=number)
        assert (refused.code, refused.limit) == (ErrorCode.LIMIT_EXCEEDED, 40)
        assert refused.retry_after_s == pytest.approx(end.generated_tokens * 1.5, abs=1)
        await other.reply(await other.say("eve"))
    _, body = await get(f"http://127.0.0.1:{server.port}/metrics")
    refused_line = 'callsheet_quota_refusals_total{resource="generated_tokens",scope="session"} 1.0'
    assert refused_line in body


async def test_ticks_past_the_bytes_are_dropped_and_told_once_a_second(
    start_server: StartServer,
) -> None:
    server = await start_server(limits={"max_bytes_per_s": 1024})
    async with Client(server.port) as game:
        spawned = await game.spawn("bob")
        handles = [npc.handle for npc in spawned.npcs] * 40
        for _ in range(8):
            await game.tick(handles, [[0.0, 0.0, 0.0]] * 40, ack=False)
        error = await game.error(ErrorCode.LIMIT_EXCEEDED)
        assert error.limit == 1024
        assert error.retry_after_s
        assert error.message == "more than 1024 bytes a second of this session"
        assert server.rooms["town"].counters.ticks < 8


def test_quota_settings_have_room_for_their_sessions() -> None:
    settings = Settings()
    quota = settings.quota
    assert isinstance(quota, QuotaSettings)
    assert quota.max_messages_per_s > settings.limits.max_messages_per_s
    assert quota.max_bytes_per_s > settings.limits.max_bytes_per_s
    assert quota.max_generated_tokens_per_min > settings.limits.max_generated_tokens_per_min

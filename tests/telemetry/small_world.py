"""A scripted server with a small game in it, and plain GETs of its pages."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from waiting import PATIENCE_S

import callsheet
from callsheet import Client, NpcSpec, PlayerSpec
from callsheet.core.batches import Handles
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedTraits

NPCS = ("ada", "bram", "cleo")


def settings(**sections: dict[str, Any]) -> Settings:
    quick = {"token_delay_s": 0.001, "rebuild_s": 0.02}
    scripted = {**quick, **sections.pop("scripted", {})}
    patient = {"hello_timeout_s": 60.0, "heartbeat_interval_s": 60.0}
    server = {"port": 0, "drain_timeout_s": 0.0, **patient, **sections.pop("server", {})}
    return Settings.model_validate({"server": server, "scripted": scripted, **sections})


@asynccontextmanager
async def serving(
    fail_npcs: tuple[str, ...] = (), **sections: dict[str, Any]
) -> AsyncIterator[CallsheetServer]:
    chosen = settings(**sections)
    engine = ScriptedEngine(chosen.scripted, ScriptedTraits(fail_npcs=fail_npcs))
    async with running_server(chosen, engine) as server:
        yield server


@asynccontextmanager
async def playing(server: CallsheetServer) -> AsyncIterator[tuple[Client, Handles]]:
    """A game in world "town": three NPCs in a row, a player two minutes' walk away."""
    url = f"ws://127.0.0.1:{server.port}"
    async with callsheet.connect(url, role="game", world="town") as game:
        handles = await game.spawn(
            [NpcSpec(npc=npc, name=npc.title(), persona="A smith.") for npc in NPCS],
            [PlayerSpec(player="ann", name="Ann")],
        )
        yield game, handles


async def tick(
    game: Client,
    handles: Handles,
    time_s: float,
    next_call_s: dict[str, float] | None = None,
    absent: str | None = None,
) -> None:
    """One keyframe that the server has taken in when this returns."""
    hints, there = next_call_s or {}, [npc for npc in NPCS if npc != absent]
    await game.send_tick(
        time_s,
        [handles.npcs[npc] for npc in there],
        [[4.0 * place, 0.0, 0.0] for place in range(len(there))],
        next_call_s=[hints.get(npc, float("nan")) for npc in there],
        player_handles=[handles.players["ann"]],
        player_positions_m=[[500.0, 0.0, 0.0]],
        keyframe=True,
    )
    await game.subscribe()  # its ``ok`` comes after the tick was handled


async def get(server: CallsheetServer, path: str) -> tuple[int, str, str]:
    """Status, content type and body."""
    return await asyncio.to_thread(_get, f"http://127.0.0.1:{server.port}{path}")


def _get(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


async def scrape(server: CallsheetServer) -> dict[str, float]:
    """Every sample of ``/metrics``: ``name{label="value",...}`` -> value."""
    _, _, body = await get(server, "/metrics")
    return {
        sample.name
        + ",".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body)
        for sample in family.samples
    }

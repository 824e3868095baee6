"""``callsheet cast``, in this process; ``spawn`` beside a real server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cast.characters import CARD, MANTELLA, ODILA, WORLD_INFO, png, text
from cli.command import start
from sdk.conftest import real_server

import callsheet
from callsheet.cast import read_cast
from callsheet_cli import main

SCRIPTED = ("--engine", "scripted")


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "odila.png").write_bytes(png(text("chara", CARD)))
    (folder / "npcs.csv").write_text(MANTELLA, encoding="utf-8", newline="")
    (folder / "world.json").write_text(json.dumps(WORLD_INFO))
    (folder / "README.md").write_text("# Cards\n")
    return folder


def cast(*argv: object, status: int = 0) -> None:
    assert main(["cast", *map(str, argv)]) == status


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    return made


def test_import_check_and_export(
    cards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "town.cast.json"
    cast("import", cards, "--output", file, "--archetypes", "guard,fisher", "--json", *SCRIPTED)
    first = report(capsys)
    assert (first["read"], first["made"], first["kept_ids"]) == (5, 4, 0)
    assert first["skipped"] == [
        {"source": "README.md", "reason": "is of no format that is known"},
        {"source": "npcs.csv", "reason": "line 6: has no name"},
    ]
    assert first["renamed"] == [{"name": "Guard", "npc": "guard_2"}]
    assert first["tokens"]["budget"] == 1024
    assert first["fits"] == {"device": 4, "host": 0, "disk": 0}
    assert read_cast(file).npcs[-1].archetype == "fisher"

    cast("import", cards, "-o", file, "--json", *SCRIPTED)
    assert report(capsys)["kept_ids"] == 4

    cast("check", file, "--json", *SCRIPTED)
    assert report(capsys)["tokens"]["over_budget"] == 0
    cast("check", file, "--budget", "10", *SCRIPTED, status=1)
    assert "odila_farr: its persona takes" in capsys.readouterr().out
    cast("check", cards, "--budget", "10", "--fit", "refuse", *SCRIPTED, status=1)
    assert "refused: 1\n  odila_farr" in capsys.readouterr().out

    cast("export", file, tmp_path / "out")
    exported = json.loads((tmp_path / "out" / "odila_farr.json").read_text(encoding="utf-8"))
    assert exported["data"]["first_mes"] == ODILA["first_mes"]


def test_trimming_is_told_with_tokens_before_and_after(
    cards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cast("check", cards, "--budget", "30", *SCRIPTED, status=1)
    out = capsys.readouterr().out
    assert "trimmed: 1\n  odila_farr: 63 -> 30 tokens, left out: examples, scenario" in out


@pytest.mark.model
def test_tokens_are_counted_by_the_model_in_use(
    cards: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cast("check", cards, "--json")
    made = report(capsys)
    assert made["tokens"]["counted"] == "counted by SmolLM2-135M-Instruct"
    assert made["fits"] == {"device": 4, "host": 0, "disk": 0}


def test_what_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cast("check", tmp_path / "nowhere", status=2)
    assert "no such file or folder" in capsys.readouterr().err
    broken = tmp_path / "broken.cast.json"
    broken.write_text("{")
    cast("export", broken, tmp_path / "out", status=1)
    assert "is no JSON" in capsys.readouterr().err
    cast("import", tmp_path / "nowhere", "-o", broken, status=1)
    assert broken.read_text() == "{", "an import that fails changes nothing"


@pytest.fixture
def town(cards: Path, tmp_path: Path) -> Path:
    file = tmp_path / "town.cast.json"
    cast("import", cards, "-o", file, *SCRIPTED)
    return file


async def test_spawn_puts_a_cast_into_a_world_with_its_lorebook_and_greetings(town: Path) -> None:
    async with real_server() as server:
        url = f"ws://127.0.0.1:{server.port}"
        with start("cast", "spawn", str(town), "--url", url, "--world", "town") as process:
            assert process.stdout is not None
            told = await asyncio.to_thread(process.stdout.readline)
            assert told == "4 of 4 NPCs are in the world 'town'\n"
            async with callsheet.connect(url, role="observer", world="town") as guest:
                said: asyncio.Queue[callsheet.ReplyEnd] = asyncio.Queue()
                guest.on(said.put_nowait, callsheet.ReplyEnd)
                await guest.subscribe("replies")
                places = {npc.npc: npc.position for npc in (await first_states(guest)).npcs}
                await guest.join("Ann", places["odila_farr"])
                assert (await said.get()).text == '"Ferry\'s late, the visitor."'
            process.terminate()
            await asyncio.to_thread(process.communicate)


async def first_states(guest: callsheet.Client) -> callsheet.NpcStates:
    await guest.subscribe("npcs", "replies", interval_s=0.05)
    async for states in guest.events(callsheet.NpcStates):
        if states.npcs:
            return states
    raise AssertionError("the session has ended")

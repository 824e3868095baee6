from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator

import pytest
from programs import blocking_program
from telemetry.small_world import playing, serving, tick

import callsheet
from callsheet import CallsheetError
from callsheet.blocking import connect as connect_blocking
from callsheet_server.log_context import bind
from callsheet_server.telemetry.logs import LogFormat, configure_logging

logger = logging.getLogger("callsheet_server.test")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("callsheet_server")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


async def test_fields_are_those_bound_around_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "info")

    async def reply() -> None:
        await asyncio.sleep(0)
        logger.info("said %d words", 3, extra={"tier": "host"})

    with bind(session="s", world="town"):
        with bind(request=7):
            task = asyncio.create_task(reply())
        logger.warning("here")
    await task
    logger.info("outside", extra={"_some_library": 1})
    here, said, outside = written(capsys)
    assert (here["message"], here["session"], here["world"]) == ("here", "s", "town")
    assert "request" not in here
    assert said["message"] == "said 3 words"
    assert (said["session"], said["request"], said["tier"]) == ("s", 7, "host")
    assert {"time", "level", "logger", "message"} == set(outside)
    assert str(outside["time"]).endswith("Z")


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "info")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("failed")
    (line,) = written(capsys)
    assert "ValueError: two\nlines" in str(line["exception"])


def test_text_ends_with_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text", "info")
    with bind(world="town"):
        logger.info("joined", extra={"npc": "ada"})
    assert capsys.readouterr().err.endswith(
        "INFO callsheet_server.test: joined [npc=ada world=town]\n"
    )


def test_nothing_a_client_sends_looks_like_another_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("text", "info")
    logger.info("joined: %s", "x\n2026-01-01 INFO forged\u2028", extra={"npc": "a\rb\x1b[2J"})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"joined: x\x0a2026-01-01 INFO forged\x2028 [npc=a\x0db\x1b[2J]")


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_neither_tokens_nor_what_is_said_are_logged(
    log_format: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(log_format, "debug")
    async with serving(server={"observer_token": "hunter2"}, fail_npcs=("bram",)) as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with playing(server) as (game, handles):
            await tick(game, handles, 0.0)
            await (await game.say("ada", "My xylophone is broken."))
            with pytest.raises(CallsheetError):
                await (await game.say("bram", "Is your xylophone broken too?"))
            with pytest.raises(CallsheetError):
                async with callsheet.connect(url, role="observer", world="town", token="swordfish"):
                    pass
            async with callsheet.connect(url, role="observer", world="town", token="hunter2"):
                pass
    text = capsys.readouterr().err
    assert "joined" in text
    for secret in ("hunter2", "swordfish", "xylophone"):
        assert secret not in text


@pytest.mark.process
def test_serve_logs_as_its_settings_say() -> None:
    command = ["-m", "callsheet", "serve", "--engine", "scripted", "--port", "0"]
    command += ["--set", "storage.directory="]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    options = ["--set", "server.log_format=json", "--set", "server.log_level=info"]
    with blocking_program(*command, *options, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = next(
            word for line in process.stdout for word in line.split() if word.startswith("ws://")
        )
        with connect_blocking(url, role="observer", world="town"):
            pass
        logged = json.loads(next(line for line in process.stderr if "joined" in line))
        process.terminate()
        process.communicate()
    assert logged["message"].startswith("observer joined: callsheet-python")
    assert (logged["world"], logged["level"]) == ("town", "info")
    assert logged["session"]

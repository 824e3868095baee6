"""JSON inside JSON inside JSON, in every place where a client's JSON is walked."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest
from server.client import Client

from callsheet.wire import (
    MAX_JSON_DEPTH,
    ActionSpec,
    CallsheetError,
    CloseCode,
    Error,
    ErrorCode,
    Facts,
    GetFacts,
    Ok,
    RegisterScript,
    ScriptRegistered,
    SetFacts,
)
from callsheet.wire.codec import CLIENT_MESSAGES, parse_client_message
from callsheet_server.app.server import CallsheetServer
from callsheet_server.session.frame_head import read_head
from callsheet_server.talk.action_schemas import check_actions
from callsheet_server.talk.actions import read_choice

DEPTHS = [MAX_JSON_DEPTH + 1, 200, 1_000, 100_000]


def arrays(depth: int) -> str:
    return "[" * depth + "]" * depth


def objects(depth: int) -> str:
    return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)


def everywhere(depth: int) -> Iterator[str]:
    """Every client message with something deep in each of its fields, and in one it has not."""
    for name, message in CLIENT_MESSAGES.items():
        for field in (*message.model_fields, "more"):
            for deep in (arrays(depth), objects(depth)):
                start = "{" if field == "type" else f'{{"type":"{name}",'
                yield f'{start}"{field}":{deep}}}'
                yield f'{{"{field}":{deep},"type":"{name}"}}'


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_field_of_every_message(depth: int) -> None:
    """Read or refused as other messages are; a RecursionError would get out of here."""
    for text in everywhere(depth):
        read_head(text)
        with contextlib.suppress(CallsheetError):
            parse_client_message(text)


@pytest.mark.parametrize("depth", [*DEPTHS[:3], 8_000])
@pytest.mark.parametrize("place", ["resume", "client", "token", "more", "type", ""])
async def test_a_hello(
    server: CallsheetServer, place: str, depth: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    client = Client(server.port)
    await client.dial()
    hello = f'{{"type":"hello","{place}":{arrays(depth)}}}' if place else arrays(depth)
    await client.send_raw(hello)
    error = await client.get(Error)
    assert error.code in (ErrorCode.BAD_JSON, ErrorCode.BAD_MESSAGE, ErrorCode.HELLO_EXPECTED)
    assert await client.closed() == CloseCode.PROTOCOL_ERROR
    assert caplog.records == []


async def next_error(client: Client) -> Error:
    """Wait for an error that has not come yet."""
    while True:
        await client._receive()
        if isinstance(last := client.received[-1], Error):
            return last


@pytest.mark.parametrize("depth", [*DEPTHS[:3], 20_000])
async def test_messages_of_a_session(
    game: Client, server: CallsheetServer, depth: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    deep = objects(depth)
    action = f'{{"name":"go","description":"Goes.","parameters":{deep}}}'
    async with Client(server.port, role="mod") as mod:
        for client, fields in (
            (game, f'"type":"set_facts","id":100,"npc":"bob","facts":{deep}'),
            (game, f'"type":"update_npc","id":101,"npc":"bob","action_specs":[{action}]'),
            (game, f'"type":"say","id":102,"npc":"bob","text":"Hi","speaker":{deep}'),
            (mod, f'"type":"register_script","id":1,"script":"s","actions":[{action}]'),
        ):
            await client.send_raw(f"{{{fields}}}")
            error = await next_error(client)
            assert error.code in (ErrorCode.BAD_JSON, ErrorCode.BAD_MESSAGE)
    assert (await game.reply(await game.say("bob"))).finish_reason == "stop"
    assert caplog.records == []


async def test_facts_as_deep_as_may_be(game: Client) -> None:
    deep: dict[str, object] = {}
    for _ in range(MAX_JSON_DEPTH - 1):
        deep = {"a": deep}
    await game.ask(SetFacts(id=50, npc="bob", facts=deep), Ok)
    assert (await game.ask(GetFacts(id=51, npc="bob"), Facts)).facts == deep


async def test_schemas_as_deep_as_may_be(game: Client, server: CallsheetServer) -> None:
    schema: dict[str, object] = {"type": "integer"}
    for _ in range((MAX_JSON_DEPTH - 1) // 2):
        schema = {"type": "object", "properties": {"a": schema}}
    go = ActionSpec(name="go", description="Goes.", parameters=schema)
    check_actions({"actions": [go]})
    async with Client(server.port, role="mod") as mod:
        await mod.ask(RegisterScript(id=1, script="s", actions=(go,)), ScriptRegistered)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_choice_of_the_model(depth: int) -> None:
    go = ActionSpec(
        name="go",
        description="Goes.",
        parameters={"type": "object", "properties": {"a": {"$ref": "#"}}},
    )
    for deep in (objects(depth), arrays(depth)):
        read_choice(f'{{"action":"go","arguments":{deep}}}', [go])

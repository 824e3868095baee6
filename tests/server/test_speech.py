"""Replies that are fit to be heard, whatever the model writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from server.client import Client
from server.conftest import StartServer

from callsheet.wire import Error, ErrorCode, NpcSpec, PlayerSpec, ReplyDelta, Spawn, Spawned, Speak
from callsheet_server.engine.engine import (
    Delta,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    StopReason,
)
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.talk.speaking import GATHER_S, GATHER_SENTENCES_S
from callsheet_server.world.memory import Turn


class WritingEngine(ScriptedEngine):
    """Writes the given texts, a character at a time, and notes what it was asked."""

    def __init__(
        self, *texts: str, finish: StopReason = "stop", begins_in_thought: bool | None = False
    ) -> None:
        super().__init__()
        self._texts = list(texts)
        self._finish = finish
        self._begins_in_thought = begins_in_thought
        self._cancelled: set[str] = set()
        self.requests: list[GenerationRequest] = []
        self.written = 0

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, begins_in_thought=self._begins_in_thought, varies=True)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        self.requests.append(request)
        before, finish = self.written, self._finish
        for char in self._texts.pop(0):
            if request.request_id in self._cancelled:
                finish = "cancelled"
                break
            self.written += 1
            yield Delta(char)
        tier = self.prefixes.tier(request.npc)
        yield GenerationEnd(finish, 1, 0, self.written - before, tier, 0.0, 0.1, 0.2)

    def cancel(self, request_id: str) -> bool:
        self._cancelled.add(request_id)
        return True


async def test_what_is_remembered_is_what_was_heard(start_server: StartServer) -> None:
    engine = WritingEngine("<think>Hm.</think>**Bob:** Aye, come in.\nShepherds: Amen!" + 999 * "x")
    server = await start_server(engine)
    async with Client(server.port) as game:
        await game.spawn("bob")
        end = await game.reply(await game.say("bob", "hello"))
    assert (end.text, end.finish_reason) == ("Aye, come in.", "stop")
    assert server.rooms["town"].memory.turns("bob") == (Turn("Ann", "hello"), Turn(None, end.text))
    assert engine.written < 100, "the model was stopped at the line of somebody else"
    assert end.generated_tokens == engine.written


async def test_an_unfinished_sentence_is_neither_heard_nor_remembered(
    start_server: StartServer,
) -> None:
    server = await start_server(WritingEngine("Come in. The stew is on the", finish="length"))
    async with Client(server.port) as game:
        await game.spawn("bob")
        end = await game.reply(await game.say("bob", "hello"))
        assert (end.text, end.finish_reason) == ("Come in.", "length")
        deltas = [m for m in game.received if isinstance(m, ReplyDelta)]
        *pieces, last = deltas
        assert last.ends_sentence
        assert not any(m.ends_sentence for m in pieces)
    assert server.rooms["town"].memory.turns("bob")[-1] == Turn(None, "Come in.")


async def test_a_repeat_gets_a_second_try_with_another_seed(start_server: StartServer) -> None:
    old = "I was born in this house."
    engine = WritingEngine(old, f"{old} And more.", "My father built it.")
    server = await start_server(engine)
    async with Client(server.port) as game:
        await game.spawn("bob")
        sampling = {"seed": 7}
        for expected in (old, "My father built it."):
            asked = await game.say("bob", "Tell me.", sampling=sampling, max_tokens=100)
            assert (await game.reply(asked)).text == expected
    assert [r.sampling.seed for r in engine.requests] == [7, 7, 8]
    assert engine.requests[2].max_new_tokens < 100, "both tries share the reply's tokens"
    assert engine.written < len(old + f"{old} And more." + "My father built it."), "was stopped"


async def test_a_repeat_is_said_rather_than_nothing(start_server: StartServer) -> None:
    old = "I was born in this house."
    server = await start_server(WritingEngine(old, old, old, f"{old} My father built it."))
    async with Client(server.port) as game:
        await game.spawn("bob")
        for expected in (old, old):
            assert (await game.reply(await game.say("bob", max_tokens=100))).text == expected


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        ("<think>Who is this", "length", "tokens went to reasoning: raise reply.max_tokens"),
        ("", "length", "all tokens went to reasoning"),
        ("Ann: Good day.", "stop", "spoke as 'Ann'"),
        ("", "stop", "without a word"),
    ],
)
async def test_an_empty_reply_is_an_error_that_says_why(
    start_server: StartServer, text: str, finish: StopReason, reason: str
) -> None:
    server = await start_server(WritingEngine(text, text, finish=finish))
    async with Client(server.port) as game:
        await game.spawn("bob")
        error = await game.get(Error, id=await game.say("bob"))
        assert error.code == ErrorCode.GENERATION_FAILED
        assert reason in error.message
    assert server.rooms["town"].memory.turns("bob") == ()


async def test_an_engine_that_may_begin_with_a_thought_is_held_until_it_is_known(
    start_server: StartServer,
) -> None:
    texts = ("Be short.</think>Aye.", "Who is it?", "Come in, my friend.")
    server = await start_server(WritingEngine(*texts, begins_in_thought=None))
    async with Client(server.port) as game:
        await game.spawn("bob")
        said = [(await game.reply(await game.say("bob"))).text for _ in texts]
    assert said == ["Aye.", "Who is it?", "Come in, my friend."]


async def test_stage_directions_are_told_apart(start_server: StartServer) -> None:
    engine = WritingEngine("*wipes a tankard* Aye.")
    server = await start_server(engine, reply={"stage_directions": "apart"})
    async with Client(server.port) as game:
        await game.spawn("bob")
        assert (await game.reply(await game.say("bob"))).text == "Aye."
        directions = [m.stage_direction for m in game.received if isinstance(m, ReplyDelta)]
        assert directions[0] == "wipes a tankard"


async def test_placeholders_of_cards_are_filled_in(start_server: StartServer) -> None:
    server = await start_server(WritingEngine("I am {{char}}, {{user}}."))
    async with Client(server.port) as game:
        bob, ann = NpcSpec(npc="bob", name="Bob"), PlayerSpec(player="ann", name="ann")
        await game.ask(Spawn(id=game.next_id(), npcs=(bob,), players=(ann,)), Spawned)
        assert (await game.reply(await game.say("bob"))).text == "I am Bob, ann."
        await game.send(Speak(id=50, npc="bob", text="{{char}} greets {{user}}."))
        assert (await game.reply(50)).text == "Bob greets the visitor."


async def test_text_is_gathered_once_the_first_word_was_heard(start_server: StartServer) -> None:
    class Asking(WritingEngine):
        """Asks after each character for how long it may gather."""

        gathered_s: list[float]

        async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
            self.gathered_s = []
            async for item in super().submit(request):
                yield item
                self.gathered_s.append(request.gather_s())

    engine = Asking("*nods* Aye, come in. Sit.")
    server = await start_server(engine)
    async with Client(server.port) as game:
        await game.spawn("bob")
        end = await game.reply(await game.say("bob", "hello"))
    assert end.text == "Aye, come in. Sit."
    silent = len("*nods* ")
    assert engine.gathered_s[:silent] == [0.0] * silent
    first = len("*nods* Aye, come in. S")
    assert all(0.0 < one <= GATHER_S for one in engine.gathered_s[silent : first - 1])
    assert all(GATHER_S < one <= GATHER_SENTENCES_S for one in engine.gathered_s[first:])

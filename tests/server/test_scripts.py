"""Mods: what their scripts change, hear, answer and do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import validate
from server.client import Client
from server.conftest import StartServer, scripted
from server.open_book import OpenBook

from callsheet.wire import (
    Action,
    ActionChosen,
    ActionDone,
    ActionResult,
    ActionSpec,
    ActionVerdict,
    Despawn,
    ErrorCode,
    Explain,
    Explanation,
    HearAnswer,
    Heard,
    NpcSpawned,
    NpcTick,
    Ok,
    PlayerLeft,
    PlayerNear,
    RegisterScript,
    ReplyEnd,
    ScheduledCall,
    ScriptRegistered,
    TickAck,
    UnregisterScript,
    UpdateNpc,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.engine.engine import EngineInfo
from callsheet_server.engine.models.catalogue import DEFAULT_MODEL
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.rooms import room
from callsheet_server.world.memory import Turn

GIVE = ActionSpec(
    name="give",
    description="Hand over goods.",
    parameters={
        "type": "object",
        "properties": {
            "item": {"$ref": "#/$defs/item"},
            "count": {"type": "integer", "minimum": 1},
        },
        "required": ["item", "count"],
        "additionalProperties": False,
        "$defs": {"item": {"enum": ["bread", "ale"]}},
    },
)


@pytest.fixture
async def mod(server: CallsheetServer) -> AsyncIterator[Client]:
    async with Client(server.port, role="mod") as client:
        yield client


async def register(mod: Client, script: str = "smith", **spec: Any) -> ScriptRegistered:
    spec = {"npcs": ("bob",), **spec}
    request = RegisterScript(id=mod.next_id(), script=script, **spec)
    return await mod.ask(request, ScriptRegistered)


def persona(server: CallsheetServer) -> str:
    """Profile that the engine has of bob."""
    (profile,) = server.engine._profiles.values()  # type: ignore[attr-defined]
    assert isinstance(profile.persona, str)
    return profile.persona


# --- registering ---------------------------------------------------------------------------------


async def test_a_script_binds_to_npcs_by_id_and_archetype_now_and_later(
    server: CallsheetServer, mod: Client
) -> None:
    async with Client(server.port) as game:
        await game.spawn("bob", "ida", archetype="guard")
        await game.spawn("eve", players=())
        registered = await register(mod, npcs=("eve", "later"), archetypes=("guard",))
        assert set(registered.npcs) == {"bob", "ida", "eve"}
        await game.spawn("later", "nobody", players=())
        told = await mod.get(NpcSpawned)
        assert (told.script, told.npc, told.alive) == ("smith", "later", True)
        await game.ask(Despawn(id=game.next_id(), npcs=("ida", "nobody")), Ok)
        told = await mod.get(NpcSpawned)
        assert (told.npc, told.alive) == ("ida", False)


async def test_a_script_replaces_traits_and_gives_them_back(
    game: Client, server: CallsheetServer, mod: Client
) -> None:
    world = server.rooms["town"].world
    row = world.npcs["bob"].row
    await register(
        mod,
        persona="A smith.",
        interaction_radius_m=9.0,
        sociability=0.5,
        schedule=(ScheduledCall(at_s=40.0),),
    )
    assert persona(server) == "A smith."
    assert world.columns.interaction_radius_m[row] == 9
    assert world.columns.sociability[row] == 0.5
    assert world.columns.scheduled_call_s[row] == 40
    await register(mod, persona="A baker.")
    assert persona(server) == "A baker."
    assert world.columns.interaction_radius_m[row] == 3
    await register(mod, "second", persona="A spy.")
    assert persona(server) == "A spy."
    await mod.ask(UnregisterScript(id=mod.next_id(), script="second"), Ok)
    assert persona(server) == "A baker."
    await mod.socket.close()
    await game.ask(UpdateNpc(id=game.next_id(), npc="bob", sociability=0.25), Ok)
    await game.settle()
    async with Client(server.port, role="mod"):  # The first mod has been cleared away by now.
        assert persona(server) == "A villager."
        assert world.columns.sociability[row] == 0.25


async def test_only_ones_own_scripts_can_be_unregistered(mod: Client) -> None:
    error = await mod.refusal(UnregisterScript(id=mod.next_id(), script="nope"))
    assert (error.code, error.field, error.value) == (ErrorCode.BAD_VALUE, "script", '"nope"')


@pytest.mark.parametrize(
    ("actions", "field"),
    [
        ((GIVE, GIVE), "actions.1.name"),
        (({"name": "none", "parameters": {"type": "object"}},), "actions.0.name"),
        (({"name": "go", "parameters": {"type": "string"}},), "actions.0.parameters"),
        (({"name": "go", "parameters": {"type": "objekt"}},), "actions.0.parameters"),
        (
            ({"name": "go", "parameters": {"type": "object", "$ref": "http://127.0.0.1/x"}},),
            "actions.0.parameters",
        ),
        (
            ({"name": "go", "parameters": {"type": "object", "$dynamicRef": "other.json"}},),
            "actions.0.parameters",
        ),
        (
            ({"name": "go", "parameters": {"type": "object", "not": {"$ref": "#/$defs/x"}}},),
            "actions.0.parameters",
        ),
        (({"name": "go", "parameters": {"type": "object", "$id": "x"}},), "actions.0.parameters"),
    ],
)
async def test_actions_that_cannot_be_taken_are_refused(
    mod: Client, actions: tuple[Any, ...], field: str
) -> None:
    specs = tuple(
        a if isinstance(a, ActionSpec) else ActionSpec(description="", **a) for a in actions
    )
    error = await mod.refusal(RegisterScript(id=mod.next_id(), script="s", actions=specs))
    assert (error.code, error.field) == (ErrorCode.BAD_VALUE, field)


# --- hearing -------------------------------------------------------------------------------------


async def test_a_script_adds_material(game: Client, server: CallsheetServer, mod: Client) -> None:
    await register(mod, events=("hear",))
    asked = await game.say("bob", "any bread?")
    heard = await mod.get(Heard)
    assert (heard.script, heard.npc, heard.text) == ("smith", "bob", "any bread?")
    assert heard.speaker.id == "ann"
    await mod.send(HearAnswer(call=heard.call, material="The bread is gone."))
    await game.reply(asked)
    assert server.rooms["town"].memory.turns("bob")[0] == Turn("Ann", "any bread?")


async def test_a_script_answers_itself(game: Client, mod: Client) -> None:
    await register(mod, events=("hear",))
    asked = await game.say("bob")
    heard = await mod.get(Heard)
    await mod.send(HearAnswer(call=heard.call, reply="No."))
    end = await game.reply(asked)
    assert (end.text, end.finish_reason, end.generated_tokens) == ("No.", "stop", 0)


async def test_a_script_lets_words_pass(game: Client, mod: Client) -> None:
    await register(mod, events=("hear",))
    asked = await game.say("bob")
    heard = await mod.get(Heard)
    await mod.send(HearAnswer(call=heard.call, ignore=True))
    end = await game.reply(asked)
    assert (end.text, end.finish_reason) == ("", "stop")


async def test_a_late_or_foreign_answer_is_ignored(start_server: StartServer) -> None:
    server = await start_server(reply={"hear_timeout_s": 0.05})
    async with (
        Client(server.port) as game,
        Client(server.port, role="mod") as mod,
        Client(server.port, role="mod") as other,
    ):
        await game.spawn("bob")
        await register(mod, events=("hear",))
        asked = await game.say("bob")
        heard = await mod.get(Heard)
        assert heard.deadline_s == 0.05
        await other.send(HearAnswer(call=heard.call, reply="I am not his mod."))
        end = await game.reply(asked)
        assert end.generated_tokens > 0
        await mod.send(HearAnswer(call=heard.call, reply="Too late."), HearAnswer(call=999))
        await mod.settle()
        assert sum(isinstance(m, ReplyEnd) for m in game.received) == 1


async def test_npcs_answer_without_a_mod_that_is_away(game: Client, mod: Client) -> None:
    await register(mod, events=("hear",), persona="A smith.")
    mod.drop()
    assert (await game.reply(await game.say("bob"))).generated_tokens > 0


async def test_without_the_event_a_script_is_not_asked(game: Client, mod: Client) -> None:
    await register(mod)
    await game.reply(await game.say("bob"))
    await mod.settle()
    assert not any(isinstance(m, Heard) for m in mod.received)


# --- acting --------------------------------------------------------------------------------------


async def test_an_action_comes_with_valid_arguments_and_its_result_goes_to_the_mod(
    game: Client, mod: Client
) -> None:
    wave = ActionSpec(name="wave", description="Wave.", parameters={"type": "object"})
    plain = ActionSpec(
        name="give",
        description="Hand over goods.",
        parameters={
            "type": "object",
            "properties": {
                "item": {"enum": ["bread", "ale"]},
                "count": {"type": "integer", "minimum": 1},
            },
            "required": ["item", "count"],
        },
    )
    await register(mod, actions=(plain, wave))
    end = await game.reply(await game.say("bob"))
    first = await game.get(Action, reply=end.reply)
    assert first.seq is not None
    assert end.seq is not None
    assert first.seq < end.seq
    validate(first.arguments, {"give": plain, "wave": wave}[first.name].parameters)
    await game.send(ActionResult(action=first.action, ok=False, message="No hands."))
    done = await mod.get(ActionDone)
    assert (done.script, done.npc, done.action) == ("smith", "bob", first.action)
    assert (done.name, done.ok, done.message) == (first.name, False, "No hands.")
    await game.send(ActionResult(action=first.action, ok=True))
    error = await game.error(ErrorCode.UNKNOWN_REQUEST)
    assert (error.field, error.value) == ("action", str(first.action))


async def test_an_npc_takes_only_actions_that_the_game_permits(game: Client, mod: Client) -> None:
    wave = ActionSpec(name="wave", description="Wave.", parameters={"type": "object"})
    await game.spawn("kim", players=(), actions=("wave",))
    await game.spawn("kay", players=(), actions=())
    await register(mod, npcs=("kim", "kay"), actions=(GIVE, wave))
    for number in range(8):
        await game.reply(await game.say("kim", f"hello {number}"))
        await game.reply(await game.say("kay", f"hello {number}"))
    taken = {(m.npc, m.name) for m in game.received if isinstance(m, Action)}
    assert taken == {("kim", "wave")}
    await game.ask(UpdateNpc(id=game.next_id(), npc="kay", actions=("wave",)), Ok)
    for number in range(8):
        await game.reply(await game.say("kay", f"good day {number}"))
    taken = {(m.npc, m.name) for m in game.received if isinstance(m, Action)}
    assert taken == {("kim", "wave"), ("kay", "wave")}
    widened = await mod.refusal(UpdateNpc(id=mod.next_id(), npc="kay", actions=("give",)))
    assert (widened.code, widened.field) == (ErrorCode.FORBIDDEN, "actions")


async def test_schemas_may_refer_to_themselves(game: Client, mod: Client) -> None:
    await register(mod, actions=(GIVE,))
    assert (await game.reply(await game.say("bob"))).finish_reason == "stop"


async def test_an_npc_that_is_cancelled_does_not_act(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob")
        await register(mod, actions=(GIVE,))
        await game.say("bob")
        await game.ask(Despawn(id=game.next_id(), npcs=("bob",)), Ok)
        await game.get(ReplyEnd, finish_reason="cancelled")
        assert server.rooms["town"].actions == {}


# --- near, left, ticks ---------------------------------------------------------------------------


async def test_players_come_near_and_leave(server: CallsheetServer, mod: Client) -> None:
    await register(mod, npcs=("bob", "ida"), events=("near",), interaction_radius_m=4.0)
    async with Client(server.port) as game:
        spawned = await game.spawn("bob", "ida", "other")
        bob, ida, other = (npc.handle for npc in spawned.npcs)
        ann = [spawned.players[0].handle]
        there = [[0, 0, 0], [100, 0, 0], [0, 0, 0]]
        for x in (10, 3, 4.5, 6, 5):  # 4.5 m is out of reach and not yet left
            await game.tick([bob, ida, other], there, players=ann, player_position_m=[x, 0, 0])
        near = await mod.get(PlayerNear)
        assert (near.npc, near.player, near.distance_m) == ("bob", "ann", 3)
        left = await mod.get(PlayerLeft)
        assert (left.npc, left.player) == ("bob", "ann")
        await game.tick([bob, ida, other], there, players=ann, player_position_m=[97, 0, 0])
        assert (await mod.get(PlayerNear)).npc == "ida"
        await game.tick([bob, ida, other], there)  # ann is left out: she is gone
        assert (await mod.get(PlayerLeft)).npc == "ida"
        await mod.settle()
        assert sum(isinstance(m, PlayerNear | PlayerLeft) for m in mod.received) == 4


async def test_game_time_is_told_to_scripts_at_their_interval(
    server: CallsheetServer, mod: Client
) -> None:
    await register(mod, npcs=("bob",), events=("tick",), tick_interval_s=2.0)
    async with Client(server.port) as game:
        handles = [npc.handle for npc in (await game.spawn("bob", "ida")).npcs]
        for number, time_s in enumerate((0.0, 0.5, 1.9, 2.0, 3.0, 4.5), start=1):
            await game.tick(handles, [[0, 0, 0]] * 2, game_time_s=time_s)
            await game.get(TickAck, tick=number)
        await mod.settle()
        ticks = [m for m in mod.received if isinstance(m, NpcTick)]
        assert {(t.script, t.npc) for t in ticks} == {("smith", "bob")}
        assert [t.game_time_s for t in ticks] == [0.0, 2.0, 4.5]


async def test_more_npcs_than_are_told_of_at_once_take_turns(
    server: CallsheetServer, mod: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_NPC_TICKS", 2)
    names = tuple(f"n{i}" for i in range(6))
    await register(mod, npcs=names, events=("tick",), tick_interval_s=100.0)
    async with Client(server.port) as game:
        handles = [npc.handle for npc in (await game.spawn(*names)).npcs]
        for number in range(1, 5):
            await game.tick(handles, [[0, 0, 0]] * 6, game_time_s=number)
            await game.get(TickAck, tick=number)
        await mod.settle()
        told = [(m.npc, m.game_time_s) for m in mod.received if isinstance(m, NpcTick)]
        assert sorted(npc for npc, _ in told) == sorted(names)
        assert [time_s for _, time_s in told] == [1, 1, 2, 2, 3, 3]


async def test_npcs_are_told_of_game_time_within_a_rate(
    server: CallsheetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A game whose clock runs as it likes, and ticks as often as it may, sets off no more."""
    monkeypatch.setattr(room, "MAX_NPC_TICKS", 2)
    monkeypatch.setattr(room, "NPC_TICKS_PER_S", 1e-6)
    names = tuple(f"n{i}" for i in range(6))
    async with Client(server.port, role="mod") as mod, Client(server.port) as game:
        await register(mod, npcs=names, events=("tick",), tick_interval_s=0.1)
        handles = [npc.handle for npc in (await game.spawn(*names)).npcs]
        for number in range(1, 5):
            await game.tick(handles, [[0, 0, 0]] * 6, game_time_s=1000.0 * number)
            await game.get(TickAck, tick=number)
        await mod.settle()
        assert sum(isinstance(m, NpcTick) for m in mod.received) == 2


async def test_scripts_shape_what_an_npc_expects(game: Client, mod: Client) -> None:
    await register(mod, schedule=(ScheduledCall(at_s=5.0),))
    found = await game.ask(Explain(id=20, npc="bob"), Explanation)
    values = {view.name: view.distance_s for view in found.estimators}
    assert values["schedule"] == pytest.approx(5.0, abs=1.0)


async def test_a_gated_action_is_offered_only_where_the_script_allows_it(
    game: Client, mod: Client
) -> None:
    await register(mod, actions=(GIVE.model_copy(update={"gated": True}),), events=("hear",))
    taken = []
    for number in range(12):
        allowed = (None, (), ("give",))[number % 3]
        asked = await game.say("bob", f"Give me bread number {number}.")
        heard = await mod.get(Heard)
        await mod.send(HearAnswer(call=heard.call, actions=allowed))
        end = await game.reply(asked)
        if any(isinstance(m, Action) and m.reply == end.reply for m in game.received):
            taken.append(number)
    assert taken, "of four times that it was allowed"
    assert all(number % 3 == 2 for number in taken)


@pytest.mark.parametrize("verdict", [True, False, None])
async def test_a_script_judges_an_action_before_it_is_taken(
    start_server: StartServer, verdict: bool | None
) -> None:
    patience_s = 10.0 if verdict is not None else 0.05
    server = await start_server(OpenBook("wave"), reply={"hear_timeout_s": patience_s})
    wave = ActionSpec(name="wave", description="Wave.", parameters={"type": "object"})
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob", action_specs=(wave,))
        await register(mod, judges_actions=True)
        asked = await game.say("bob")
        chosen = await mod.get(ActionChosen)
        assert (chosen.script, chosen.npc, chosen.name) == ("smith", "bob", "wave")
        if verdict is not None:
            await mod.send(ActionVerdict(call=chosen.call, ok=verdict))
        end = await game.reply(asked)
        assert end.finish_reason == "stop"
        acted = any(isinstance(m, Action) for m in game.received)
        assert acted == bool(verdict)
        mod.drop()
        await game.reply(await game.say("bob", "And now?"))
        await game.settle()
        assert sum(isinstance(m, Action) for m in game.received) == acted


class BadChooser(ScriptedEngine):
    """Looks like a model that was measured to choose badly."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, model=DEFAULT_MODEL)


@pytest.mark.parametrize("actions", ["measured", "always"])
async def test_a_model_that_chooses_badly_does_so_only_if_told_to(
    start_server: StartServer, actions: str
) -> None:
    quick = ScriptedSettings(token_delay_s=0.0, rebuild_s=0.0)
    server = await start_server(BadChooser(quick), reply={"actions": actions})
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob")
        registered = await register(mod, actions=(GIVE,), events=("hear",))
        told = registered.note is not None and "give will only be offered" in registered.note
        assert told == (actions == "measured")
        taken = {None: 0, ("give",): 0}
        for number in range(12):
            allowed = (None, ("give",))[number % 2]
            asked = await game.say("bob", f"Give me bread number {number}.")
            heard = await mod.get(Heard)
            await mod.send(HearAnswer(call=heard.call, actions=allowed))
            end = await game.reply(asked)
            taken[allowed] += any(
                isinstance(m, Action) and m.reply == end.reply for m in game.received
            )
        assert taken[("give",)] > 0
        assert (taken[None] > 0) == (actions == "always")


async def test_a_script_that_speaks_for_nobody_is_told_why(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port, role="mod") as mod:
        assert (await register(mod)).note == "no game is in world 'town'"
        async with Client(server.port, world="demo"):
            note = (await register(mod)).note
            assert note == "no game is in world 'town'; games are in: demo"
        async with Client(server.port) as game:
            assert (await register(mod)).note is None, "its NPCs may spawn yet"
            await game.spawn("ida", players=(), archetype="baker")
            note = (await register(mod, npcs=(), archetypes=("guard",))).note
            assert note == "no NPC has archetype guard; there are: baker"
            note = (await register(mod)).note
            assert note == "no NPC has the id bob; there are: ida"
            assert (await register(mod, npcs=("ida",))).note is None

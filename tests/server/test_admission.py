"""Overload: who is shed, on paper and in a server."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from server.client import Client
from server.conftest import StartServer, scripted

from callsheet.wire import Error, ErrorCode, ReplyEnd, ReplyStart
from callsheet_server.engine.engine import Priority
from callsheet_server.talk.admission import Admission

RANGES_M = st.sampled_from([0.0, 1.0, 5.0, 80.0, math.inf])


@dataclass(eq=False)
class Asked:
    """A reply somebody asks for."""

    arrival: int
    priority: Priority
    range_m: float
    begun: bool = False


def admission(capacity: int) -> Admission[Asked]:
    return Admission(capacity, lambda waiting: [one.range_m for one in waiting])


events = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(Priority), RANGES_M),
        st.tuples(st.sampled_from(["begin", "end"]), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(st.integers(1, 6), events)
def test_the_least_urgent_gives_way(capacity: int, events: list[Any]) -> None:
    """Against a model that sorts everybody anew each time."""
    admitting = admission(capacity)
    inside: list[Asked] = []
    for arrival, (event, *what) in enumerate(events):
        if event == "ask":
            newcomer = Asked(arrival, *what)
            sent_away = admitting.admit(newcomer)
            inside.append(newcomer)
            assert (sent_away is not None) == (len(inside) > capacity)
            if sent_away is not None:
                waiting = [one for one in inside if not one.begun]
                assert sent_away in waiting, "who has begun is let finish"
                assert sent_away.priority == max(one.priority for one in waiting)
                alike = [one for one in waiting if one.priority == sent_away.priority]
                if sent_away.priority == Priority.PLAYER:
                    assert sent_away is newcomer, "players keep the place they have"
                else:
                    assert sent_away.range_m == max(one.range_m for one in alike)
                    later = [one for one in alike if one.arrival > sent_away.arrival]
                    assert all(one.range_m < sent_away.range_m for one in later)
                inside.remove(sent_away)
        elif inside:
            one = inside[what[0] % len(inside)]
            if event == "begin":
                one.begun = True
            else:
                inside.remove(one)
                admitting.leave(one)
        assert len(admitting) == len(inside)
        admitting.check_integrity()


@given(st.integers(1, 5), st.lists(st.sampled_from(Priority), max_size=30))
def test_a_player_is_refused_only_when_all_others_are_players_or_have_begun(
    capacity: int, priorities: list[Priority]
) -> None:
    admitting = admission(capacity)
    inside: set[Asked] = set()
    for arrival, priority in enumerate(priorities):
        newcomer = Asked(arrival, priority, 1.0)
        sent_away = admitting.admit(newcomer)
        inside = {one for one in (*inside, newcomer) if one is not sent_away}
        if priority == Priority.PLAYER and sent_away is newcomer:
            assert {one.priority for one in inside} == {Priority.PLAYER}


async def crowd(game: Client) -> None:
    """Ann at the origin; near, middle and far at 1, 50 and 500 m; busy, who is being answered."""
    spawned = await game.spawn("busy", "near", "middle", "far")
    handles = {npc.npc: npc.handle for npc in spawned.npcs}
    await game.tick(
        list(handles.values()),
        [[0, 0, 0], [1, 0, 0], [50, 0, 0], [500, 0, 0]],
        players=[player.handle for player in spawned.players],
        player_position_m=[0.0, 0.0, 0.0],
    )
    await game.say("busy")
    await game.get(ReplyStart)


async def test_the_farthest_background_thought_goes_first_and_players_stay(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(max_running=1, max_queue=3, token_delay_s=0.01))
    async with Client(server.port) as game:
        await crowd(game)
        thoughts = {
            npc: await game.say(npc, priority="background") for npc in ("middle", "far", "near")
        }
        turns = []
        for shed in ("far", "middle", "near"):
            turns.append(await game.say("near"))
            error = await game.get(Error, id=thoughts[shed])
            assert error.code == ErrorCode.ENGINE_OVERLOADED
            assert error.retry_after_s is not None
        late = await game.say("near")
        error = await game.get(Error, id=late)
        assert (error.code, bool(error.retry_after_s)) == (ErrorCode.ENGINE_OVERLOADED, True)
        for turn in turns:
            assert (await game.reply(turn)).finish_reason == "stop"
        assert not any(isinstance(m, ReplyEnd) and m.id in thoughts.values() for m in game.received)


async def test_a_far_thought_does_not_push_out_a_near_one(start_server: StartServer) -> None:
    server = await start_server(scripted(max_running=1, max_queue=1, token_delay_s=0.01))
    async with Client(server.port) as game:
        await crowd(game)
        near = await game.say("near", priority="background")
        far = await game.say("far", priority="background")
        assert (await game.get(Error, id=far)).code == ErrorCode.ENGINE_OVERLOADED
        assert (await game.reply(near)).finish_reason == "stop"


async def test_what_was_shed_is_counted_and_leaves_nothing(start_server: StartServer) -> None:
    server = await start_server(scripted(max_running=1, max_queue=1, token_delay_s=0.01))
    async with Client(server.port) as game:
        await crowd(game)
        thought = await game.say("far", priority="background")
        turn = await game.say("near")
        await game.get(Error, id=thought)
        await game.reply(turn)
        world = server.rooms["town"].world
        assert world.columns.open_turns[world.npcs["far"].row] == 0
        assert server.sessions.errors()[ErrorCode.ENGINE_OVERLOADED] == 1
        metrics = server.pages["/metrics"]().body.decode()
        assert 'callsheet_shed_requests_total{priority="background"} 1.0' in metrics
        assert 'callsheet_errors_total{code="engine_overloaded"} 1.0' in metrics

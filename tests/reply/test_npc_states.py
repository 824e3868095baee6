"""A picture of the world keeps the protocol's size, whatever NPCs are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from callsheet.wire import NpcSpec, NpcState, encode
from callsheet_server.distance import DistanceSettings, estimate
from callsheet_server.reply import views
from callsheet_server.residency.state import Tier
from callsheet_server.world.world import World, WorldLimits

MAX_MESSAGE_BYTES = 64_000
LONG = -1.2345678e-38
HUGE = 2**53 - 1


@pytest.mark.parametrize("character", ["x", "é", "\N{SMILING FACE WITH SUNGLASSES}", "\x07"])
def test_the_longest_states_fit(character: str) -> None:
    count = 300
    world = World("w", WorldLimits(max_npcs=count, max_npcs_per_spawn=count, max_players=0))
    specs = [
        NpcSpec(npc=f"{number:x>64}", name=character * 100, position=(-9999999.0,) * 3)
        for number in range(count)
    ]
    world.spawn(specs, [])
    world.columns.last_call_s[:count] = LONG
    world.columns.interaction_radius_m[:count] = LONG
    world.columns.position_m[:count] = -1234.567
    distances = replace(
        estimate(world.snapshot(), DistanceSettings()),
        distance_s=np.full(count, LONG, np.float32),
        winner=np.zeros(count, np.int8),
    )
    messages = list(views.npc_states(world, distances, [(Tier.DEVICE, HUGE)] * count))
    assert max(len(encode(message)) for message in messages) < MAX_MESSAGE_BYTES
    assert [message.part for message in messages] == list(range(len(messages)))
    assert {message.parts for message in messages} == {len(messages)}
    told = [state for message in messages for state in message.npcs]
    assert [state.npc for state in told] == [spec.npc for spec in specs]
    longest = max(len(encode_state(state)) - 6 * 100 for state in told)
    assert longest <= views.NPC_STATE_BYTES


def encode_state(state: NpcState) -> bytes:
    return state.model_copy(update={"name": "\x07" * 100}).model_dump_json().encode()

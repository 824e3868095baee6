"""Calls that name many: one bad entry costs nobody else anything, and each is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sdk.link import Link

import callsheet
from callsheet import BatchError, CallsheetError, Hint, NpcSpec, PlayerSpec
from callsheet.core import batches
from callsheet.core.calls import Call
from callsheet.wire.errors import ErrorCode, WorldError
from callsheet.wire.session import Error, Ok
from callsheet.wire.world import Spawned, SpawnedNpc, SpawnedPlayer


class World:
    """The other end of a link: takes whole messages or refuses them, as a server does."""

    def __init__(self) -> None:
        self.link = Link()
        self.link.open()
        self.there: list[str] = []
        self.messages = 0

    def run(self, call: Call[Any]) -> Any:
        """Answer what a call asks until it returns."""
        try:
            while True:
                next(call)
                *_, message = self.link.sent()  # after an ack, if one is due
                self.messages += 1
                getattr(self, message["type"])(message)
        except StopIteration as returned:
            return returned.value

    def refuse(self, message: Any, code: str, field: str) -> None:
        of, index = field.split(".")[:2]
        entry = message[of][int(index)]
        name = entry if isinstance(entry, str) else entry["npc"]
        told = f"{code} {name!r}"
        self.link.give(
            Error(seq=self.messages, id=message["id"], code=code, message=told, field=field)
        )

    def spawn(self, message: Any) -> None:
        for n, spec in enumerate(message["npcs"]):
            if spec.get("adapter") == "typo":
                return self.refuse(message, "unknown_adapter", f"npcs.{n}.adapter")
            if spec["npc"] in self.there:
                return self.refuse(message, "duplicate_npc", f"npcs.{n}.npc")
        npcs = [spec["npc"] for spec in message["npcs"]]
        self.there += npcs
        self.link.give(
            Spawned(
                seq=self.messages,
                id=message["id"],
                npcs=tuple(SpawnedNpc(npc=name, handle=ord(name)) for name in npcs),
                players=tuple(
                    SpawnedPlayer(player=one["player"], handle=1) for one in message["players"]
                ),
            )
        )
        return None

    def despawn(self, message: Any) -> None:
        for n, name in enumerate(message["npcs"]):
            if name not in self.there:
                return self.refuse(message, "unknown_npc", f"npcs.{n}")
        self.there = [name for name in self.there if name not in message["npcs"]]
        self.link.give(Ok(seq=self.messages, id=message["id"]))
        return None

    def hint_calls(self, message: Any) -> None:
        for n, hint in enumerate(message["hints"]):
            if hint["npc"] not in self.there:
                return self.refuse(message, "unknown_npc", f"hints.{n}.npc")
        self.link.give(Ok(seq=self.messages, id=message["id"]))
        return None

    def forbid(self, message: Any) -> None:
        told = Error(seq=self.messages, id=message["id"], code="forbidden", message="not you")
        self.link.give(told)


def npcs(names: str, typo: str = "") -> list[NpcSpec]:
    return [NpcSpec(npc=n, name=n, adapter="typo" if n in typo else None) for n in names]


def test_one_bad_spec_leaves_its_batch_mates_alone() -> None:
    world = World()
    ann = PlayerSpec(player="ann", name="Ann")
    with pytest.raises(BatchError) as caught:
        # In messages of three, by the limits of ``welcome``: (ann a b) (c d e) (f).
        world.run(batches.spawn(world.link.session, npcs("abcdef", typo="bde"), [ann]))
    error = caught.value
    assert error.handles == callsheet.Handles({n: ord(n) for n in "acf"}, {"ann": 1})
    assert {name: one.code for name, one in error.npcs.items()} == dict.fromkeys(
        "bde", ErrorCode.UNKNOWN_ADAPTER
    )
    assert (error.players, world.there) == ({}, list("acf"))
    assert (error.code, error.field) == (ErrorCode.UNKNOWN_ADAPTER, "npcs.1.adapter")
    assert "b: unknown_adapter 'b'" in str(error)


def test_an_npc_that_is_not_there_makes_no_ghosts_of_the_others() -> None:
    world = World()
    world.run(batches.spawn(world.link.session, npcs("abc"), []))
    with pytest.raises(BatchError) as caught:
        world.run(batches.despawn(world.link.session, ["a", "d", "b", "not an id"], []))
    assert world.there == ["c"]
    assert {name: error.code for name, error in caught.value.npcs.items()} == {
        "d": ErrorCode.UNKNOWN_NPC,
        "not an id": ErrorCode.BAD_MESSAGE,
    }


def test_an_id_given_twice_is_spawned_once_and_told() -> None:
    world = World()
    with pytest.raises(BatchError) as caught:
        world.run(batches.spawn(world.link.session, npcs("abca"), []))
    assert (list(caught.value.handles.npcs), list(caught.value.npcs)) == (list("abc"), ["a"])


def test_hints_of_the_living_are_kept() -> None:
    world = World()
    world.there = ["a", "b"]
    hints = [Hint(npc=name, in_s=1.0) for name in "axb"]
    with pytest.raises(BatchError) as caught:
        world.run(batches.hint_calls(world.link.session, hints))
    assert (list(caught.value.npcs), world.messages) == (["x"], 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda session: batches.despawn(session, ["a"], []),
        lambda session: batches.hint_calls(session, [Hint(npc="a")]),
    ],
)
def test_a_lone_refusal_is_raised_as_it_is(call: Callable[[Any], Call[Any]]) -> None:
    world = World()
    with pytest.raises(WorldError) as caught:
        world.run(call(world.link.session))
    assert caught.value.code is ErrorCode.UNKNOWN_NPC


def test_a_refusal_of_the_whole_message_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world, "spawn", world.forbid)
    with pytest.raises(CallsheetError, match="not you") as caught:
        world.run(batches.spawn(world.link.session, npcs("abcdefg"), []))
    assert not isinstance(caught.value, BatchError)
    assert (caught.value.code, world.messages) == (ErrorCode.FORBIDDEN, 3)


def test_very_many_faults_do_not_cost_a_message_each() -> None:
    world = World()
    names = [f"n{n}" for n in range(1000)]
    with pytest.raises(BatchError) as caught:
        world.run(batches.despawn(world.link.session, names, []))
    assert list(caught.value.npcs) == names
    assert world.messages == batches.MAX_LEFT_OUT + 1


async def test_a_real_server_is_left_without_ghosts(url: str) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        spawned = await game.spawn(npcs("ab"))
        with pytest.raises(BatchError) as caught:
            await game.spawn(npcs("bcd", typo="d"))
        assert set(caught.value.npcs) == {"b", "d"}
        assert set(caught.value.handles.npcs) == {"c"}
        with pytest.raises(BatchError) as removed:
            await game.despawn(["a", "d", "c"])
        assert list(removed.value.npcs) == ["d"]
        with pytest.raises(CallsheetError) as unknown:
            await game.explain("a")
        assert unknown.value.code is ErrorCode.UNKNOWN_NPC
        assert (await game.explain("b")).npc == "b"
        assert set(spawned.npcs) == {"a", "b"}

"""Saves and loads against a model that copies everything: they remember the same, always."""

from __future__ import annotations

import copy
import io
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storage.worlds import WORLD

from callsheet.wire.world import NpcSpec, ScheduledCall
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.portable import export, import_world
from callsheet_server.storage.reader import expression
from callsheet_server.storage.writes import (
    AddTurn,
    Forget,
    LoadSave,
    MakeSave,
    PutFact,
    PutNpc,
    PutSession,
    RemoveSave,
    Write,
)

NPCS = ("ann", "bob")
NAMES = ("1", "2", "3")
Lines = list[tuple[str, float]]
Facts = dict[str, tuple[Any, float]]


class World:
    """What a world should remember: turns and facts of each NPC; saves are copies of it."""

    def __init__(self) -> None:
        self.turns: dict[str, Lines] = {npc: [] for npc in NPCS}
        self.facts: dict[str, Facts] = {npc: {} for npc in NPCS}
        self.saves: dict[str, tuple[dict[str, Lines], dict[str, Facts]]] = {}

    def apply(self, write: Write) -> None:
        match write:
            case AddTurn(npc, _, text, time_s):
                self.turns[npc].append((text, time_s))
            case PutFact(npc, name, None):
                self.facts[npc].pop(name, None)
            case PutFact(npc, name, value, time_s):
                self.facts[npc][name] = value, time_s
            case Forget(npc, after_s):
                for one in NPCS if npc is None else (npc,):
                    until_s = -1.0 if after_s is None else after_s
                    self.turns[one] = [line for line in self.turns[one] if line[1] <= until_s]
                    facts = self.facts[one].items()
                    self.facts[one] = {k: fact for k, fact in facts if fact[1] <= until_s}
            case MakeSave(name):
                self.saves.pop(name, None)
                self.saves[name] = copy.deepcopy((self.turns, self.facts))
            case LoadSave(name) if name in self.saves:
                self.turns, self.facts = copy.deepcopy(self.saves[name])
            case RemoveSave(name):
                self.saves.pop(name, None)

    def remembered(self, npc: str) -> tuple[list[str], dict[str, Any]]:
        facts = {name: value for name, (value, _) in self.facts[npc].items()}
        return [text for text, _ in self.turns[npc]], facts


def remembered(file: WorldFile, npc: str) -> tuple[list[str], dict[str, Any]]:
    facts = file.facts([npc])
    assert facts == {name: known for name, known in file.facts(NPCS).items() if name == npc}
    return [turn.text for turn in file.latest_turns(npc, 10_000)], facts.get(npc, {})


def check(file: WorldFile, model: World) -> None:
    for npc in NPCS:
        assert remembered(file, npc) == model.remembered(npc)


@contextmanager
def opened() -> Iterator[WorldFile]:
    with tempfile.TemporaryDirectory() as folder, closing(new(Path(folder))) as file:
        yield file


def new(folder: Path) -> WorldFile:
    return WorldFile(Folder(folder).file(WORLD), WORLD)


TIMES_S = st.integers(0, 5).map(float)
WRITES = st.one_of(
    st.builds(AddTurn, st.sampled_from(NPCS), st.just("Ann"), st.uuids().map(str), TIMES_S),
    st.builds(
        PutFact,
        st.sampled_from(NPCS),
        st.sampled_from(("debt", "mood")),
        st.none() | st.integers(-9, 9),
        TIMES_S,
    ),
    st.builds(Forget, st.none() | st.sampled_from(NPCS), st.none() | TIMES_S),
    st.builds(MakeSave, st.sampled_from(NAMES), TIMES_S, TIMES_S, st.just({})),
    st.builds(LoadSave, st.sampled_from(NAMES)),
    st.builds(RemoveSave, st.sampled_from(NAMES)),
)


@given(st.lists(WRITES, max_size=40), st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_save_loads_exactly(writes: Sequence[Write], sweeps: bool) -> None:
    with opened() as file:
        model = World()
        for write in writes:
            before = {npc: model.remembered(npc) for npc in NPCS}
            known = isinstance(write, LoadSave) and write.name in model.saves
            model.apply(write)
            loads = write.name if isinstance(write, LoadSave) else ""
            read = partial(WorldFile.restored, name=loads, npcs=NPCS)
            (restored,) = file.apply([([write], read if loads else None)])
            if known:
                changed = {npc for npc in NPCS if model.remembered(npc) != before[npc]}
                assert changed <= restored.facts.keys(), "what has changed is read again"
            if sweeps:
                while file.apply([((), lambda f: f.sweep(3))]) == [True]:
                    pass
            check(file, model)
        assert file.damage() == []
        if sweeps:
            no_more_than_is_reached(file, model)
        for name in list(model.saves):
            file.apply([([LoadSave(name)], None)])
            model.apply(LoadSave(name))
            check(file, model)


def no_more_than_is_reached(file: WorldFile, model: World) -> None:
    states = [(model.turns, model.facts), *model.saves.values()]
    reached = {text for turns, _ in states for of in turns.values() for text, _ in of}
    assert {row["text"] for row in file.rows("turns")} <= reached | hidden_by_saves(file, states)


def hidden_by_saves(file: WorldFile, states: Sequence[Any]) -> set[str]:
    """Turns that several notes hide, each from another save: they go with those saves."""
    forgets = [row for row in file.rows("notes") if row["name"] is None]
    return {row["text"] for row in file.rows("turns")} if len(forgets) > 1 and states[1:] else set()


def test_a_deleted_save_frees_what_nothing_reaches() -> None:
    with opened() as file:
        file.apply([([AddTurn("bob", "Ann", "common", 0.0), MakeSave("a", 0, 0, {})], None)])
        file.apply([([AddTurn("bob", "Ann", "of b", 0.0), MakeSave("b", 0, 1, {})], None)])
        file.apply([([LoadSave("a"), AddTurn("bob", "Ann", "now", 0.0)], lambda f: f.sweep(9))])
        assert [row["text"] for row in file.rows("turns")] == ["common", "of b", "now"]
        file.apply([([RemoveSave("b")], lambda f: f.sweep(9))])
        assert [row["text"] for row in file.rows("turns")] == ["common", "now"]


def test_what_is_forgotten_is_erased_once_no_save_holds_it() -> None:
    with opened() as file:
        told: list[Write] = [
            AddTurn("bob", "Ann", "secret", 2.0),
            PutFact("bob", "ring", True, 2.0),
        ]
        file.apply([([*told, MakeSave("a", 0, 0, {}), Forget("bob", 1.0)], lambda f: f.sweep(9))])
        assert remembered(file, "bob") == ([], {})
        assert file.count("turns") == 1, "the save holds it"
        file.apply([([RemoveSave("a")], lambda f: f.sweep(9))])
        assert (file.count("turns"), file.count("notes")) == (0, 0)


def test_a_search_finds_what_is_remembered_now() -> None:
    match = expression("bob", "where is the ring?")
    assert match is not None
    with opened() as file:
        file.apply(
            [([MakeSave("a", 0, 0, {}), AddTurn("bob", "Ann", "the ring is mine", 1.0)], None)]
        )
        assert len(file.search(match, "bob", 0, 8)) == 1
        file.apply([([MakeSave("b", 0, 1, {}), LoadSave("a")], None)])
        assert file.search(match, "bob", 0, 8) == {}
        file.apply([([LoadSave("b")], None)])
        assert len(file.search(match, "bob", 0, 8)) == 1
        file.apply([([Forget("bob", None)], None)])
        assert file.search(match, "bob", 0, 8) == {}


@pytest.mark.parametrize("name", NAMES)
def test_an_export_holds_the_saves(tmp_path: Path, name: str) -> None:
    source = Folder(tmp_path)
    with closing(new(tmp_path)) as file:
        for index, save in enumerate(NAMES):
            turn = AddTurn("bob", "Ann", f"before {save}", float(index))
            file.apply([([turn, MakeSave(save, index, index, {})], None)])
        file.apply([([LoadSave("1"), PutFact("bob", "debt", 3, 1.0)], None)])
        file.apply([([AddTurn("bob", None, "now", 1.0)], None)])
    text = io.StringIO()
    export(source, WORLD, text)
    text.seek(0)
    import_world(source, "village", text, lambda _: None)
    with closing(WorldFile(source.file("village"), "village")) as file:
        assert remembered(file, "bob") == (["before 1", "now"], {"debt": 3})
        file.apply([([LoadSave(name)], None)])
        assert remembered(file, "bob") == ([f"before {n}" for n in NAMES if n <= name], {})


def test_timelines_are_never_without_a_beginning(tmp_path: Path) -> None:
    with closing(new(tmp_path)) as file:
        path = file.path
        file.apply([([LoadSave("nothing")], None)])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, parent FROM timelines").fetchall() == [(1, None)]


def test_a_load_puts_schedules_back_and_leaves_damaged_rows_damaged(tmp_path: Path) -> None:
    def puts(at_s: float, hint_s: float | None) -> list[Write]:
        calls = (ScheduledCall(at_s=at_s, every_s=60.0),)
        specs = [NpcSpec(npc=npc, name=npc, persona="été", schedule=calls) for npc in NPCS]
        return [PutNpc(spec, n << 20 | n, hint_s) for n, spec in enumerate(specs, 1)]

    session = PutSession("s", b"t" * 96, 1)
    with closing(new(tmp_path)) as file:
        hints = {NPCS[0]: 10.5}
        file.apply([([*puts(10.0, None), session, MakeSave("a", 1.0, 1.0, hints)], None)])
        file.apply([(puts(99.0, 70.0), None)])
        path = file.path
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE npcs SET handle = handle + 1 WHERE npc = ?", (NPCS[1],))
    with closing(new(tmp_path)) as file:
        read = partial(WorldFile.restored, name="a", npcs=NPCS)
        (restored,) = file.apply([([LoadSave("a")], read)])
        assert restored.hints == hints
        assert [damage[:22] for damage in file.damage()] == ["npcs: 1 damaged rows, "]
        back = {npc.spec.npc: npc for npc in file.load().npcs}
    assert back.keys() == {*NPCS} - {NPCS[1]}
    for npc, one in back.items():
        assert one.spec.persona == "été"
        assert one.spec.schedule == (ScheduledCall(at_s=10.0, every_s=60.0),)
        assert one.hint_s == hints.get(npc)

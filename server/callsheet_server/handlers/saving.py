"""Requests about what a world remembers: saves, loads, and what is to be forgotten."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.saves import (
    DeleteSave,
    Forget,
    ListSaves,
    Load,
    Loaded,
    Save,
    Saved,
    Saves,
    SaveView,
)
from callsheet.wire.world import ScheduledCall
from callsheet_server.handlers.edits import WorldEditor, unless_closed
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.rooms.persistence import save_counters, unread
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.session.session import Session
from callsheet_server.storage import saved, writes
from callsheet_server.storage.changes import Change
from callsheet_server.talk.conversations import Conversations
from callsheet_server.world.errors import limit_exceeded
from callsheet_server.world.memory import Memory, Mind

__all__ = ["MAX_SAVES", "SaveKeeper"]

MAX_SAVES = 128
"""Saves of one world: with names of 64 characters their list is just under 64,000 bytes."""
SWEPT_ROWS = 2_000
"""Rows that nothing reaches, deleted in one commit: what waits behind it hardly notices."""


class SaveKeeper:
    """Every method validates first, so that a request that is refused has changed nothing."""

    def __init__(
        self,
        pipeline: Pipeline,
        conversations: Conversations,
        editor: WorldEditor,
        work: LongWork,
    ) -> None:
        self._pipeline = pipeline
        self._conversations = conversations
        self._editor = editor
        self._work = work

    def save(
        self,
        room: Room,
        session: Session,
        message: Save,
        answer: Callable[[Saved, Change], None],
    ) -> Iterator[None]:
        """Give what is remembered now a name."""
        _check_kept(room)
        if message.name not in room.saves and len(room.saves) >= MAX_SAVES:
            raise limit_exceeded("saves in this world", "name", len(room.saves) + 1, MAX_SAVES)
        hints = yield from _hints(room)
        before = dict(room.saves)
        made = saved.Save(message.name, room.world.game_time_s, time.time())
        room.saves.pop(message.name, None)
        room.saves[message.name] = made
        write = writes.MakeSave(made.name, made.time_s, made.saved_at, hints)
        told = Saved(name=made.name, time_s=made.time_s)

        def kept(_: object) -> None:
            _tell_others(room, session, told)
            _sweep(room)

        change = Change((write,), done=kept, undo=_put_back(room.saves, before))
        answer(Saved(id=message.id, name=made.name, time_s=made.time_s), change)

    def load(
        self,
        room: Room,
        session: Session,
        message: Load,
        answer: Callable[[Loaded, Change], None],
    ) -> Iterator[None]:
        """Go back to a save. What the NPCs remember is there once the change is done.

        Nothing of that world is handled between its steps, nor between those after the change.
        """
        _check_kept(room)
        save = _find(room, message.name)
        self._conversations.drop(room, None, f"the game loaded the save {save.name!r}")
        world, memory, time_s = room.world, room.memory, room.world.game_time_s
        hints, npcs = (yield from _hints(room)), list(world.npcs)
        room.memory = Memory(memory.budget_tokens)
        room.actions.clear()
        session.rewind(save.time_s)
        yield from room.rewind(save.time_s)

        def arrived(restored: saved.Restored) -> None:
            self._work.run(room.name, bring_back(restored))

        def bring_back(restored: saved.Restored) -> Iterator[None]:
            if room.world is world:
                yield from _remember(room, npcs, memory, restored)
                yield from self._put_schedules_back(room, restored)
                self._pipeline.replan(room)
            _tell_others(room, session, Loaded(name=save.name, time_s=save.time_s))
            _sweep(room)

        def undo() -> Iterator[None]:
            room.memory = memory
            session.rewind(time_s)
            yield from room.rewind(time_s)
            yield from _announce(room, hints)

        loaded = Loaded(id=message.id, name=save.name, time_s=save.time_s)
        change = Change(
            (writes.LoadSave(save.name), save_counters(room)),
            read=lambda file: file.restored(save.name, npcs),
            done=arrived,
            undo=unless_closed(room, undo),
        )
        answer(loaded, change)

    def delete(self, room: Room, message: DeleteSave) -> Change:
        """Delete a save, and what only it held."""
        _find(room, message.name)
        before = dict(room.saves)
        del room.saves[message.name]
        return Change(
            (writes.RemoveSave(message.name),),
            done=lambda _: _sweep(room),
            undo=_put_back(room.saves, before),
        )

    def list(self, room: Room, message: ListSaves) -> Saves:
        """List the saves."""
        views = [
            SaveView(name=save.name, time_s=save.time_s, saved_at=save.saved_at)
            for save in room.saves.values()
        ]
        return Saves(id=message.id, saves=tuple(views))

    def forget(
        self, room: Room, message: Forget, answer: Callable[[Change], None]
    ) -> Iterator[None]:
        """Have NPCs forget, one a step; those who are not in the world, too."""
        if message.after_s is not None:
            _check_kept(room)
        names = message.npcs and tuple(dict.fromkeys(message.npcs))
        self._conversations.drop(room, names, "the game had the NPC forget")
        memory, world = room.memory, room.world
        here = [npc for npc in names or world.npcs if npc in world.npcs]
        before = {}
        for npc in here:
            before[npc] = memory.mind(npc)
            yield
        for npc in memory.everybody() if names is None else names:
            memory.forget(npc)
            yield

        def arrived(facts: Mapping[str, Mapping[str, Any]] | None) -> None:
            if facts is not None:
                self._work.run(room.name, bring_back(facts))
            _sweep(room)

        def bring_back(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
            for npc in here:
                if npc in world.npcs:
                    memory.recall(npc, unread(facts.get(npc, {})))
                yield

        def undo() -> Iterator[None]:
            for npc, mind in before.items():
                memory.put_back(npc, mind, Mind())
                yield

        answer(
            Change(
                [writes.Forget(npc, message.after_s) for npc in names or (None,)],
                read=None if message.after_s is None else lambda file: file.facts(here),
                done=arrived,
                undo=unless_closed(room, undo),
            )
        )

    def _put_schedules_back(self, room: Room, restored: saved.Restored) -> Iterator[None]:
        """Let those who were there when the save was made be called when it says."""
        npcs = room.world.npcs
        for name, calls in restored.schedules.items():
            schedule = tuple(ScheduledCall.model_validate(call) for call in calls)
            if name in npcs and npcs[name].spec.schedule != schedule:
                npcs[name].spec = npcs[name].spec.model_copy(update={"schedule": schedule})
                self._editor.sync(room, name)
            yield
        yield from _announce(
            room, {npc: restored.hints.get(npc, math.nan) for npc in restored.schedules}
        )


def _tell_others(room: Room, session: Session, message: Saved | Loaded) -> None:
    """Tell the world's mods and observers."""
    for other in room.sessions.values():
        if other is not session:
            other.send(message)


def _remember(
    room: Room, npcs: Sequence[str], before: Memory, restored: saved.Restored
) -> Iterator[None]:
    """Fill a fresh memory: from the save, and from ``before`` for whom nothing has changed."""
    for npc in npcs:
        if npc in room.world.npcs:
            facts = restored.facts.get(npc)
            room.memory.recall(npc, before.mind(npc) if facts is None else unread(facts))
        yield


def _check_kept(room: Room) -> None:
    """Refuse what needs the past where it is not kept.

    Raises:
        CallsheetError: ``storage_failed``.
    """
    if not room.journal.keeps:
        raise error_for(
            ErrorCode.STORAGE_FAILED,
            "this server keeps nothing on disk, so there are no saves: start it with "
            "--set storage.directory=FOLDER",
        )


def _find(room: Room, name: str) -> saved.Save:
    save = room.saves.get(name)
    if save is None:
        raise error_for(
            ErrorCode.UNKNOWN_SAVE,
            f"world {room.name!r} has no save {name!r}; list_saves tells those it has",
            field="name",
            value=orjson.dumps(name).decode(),
        )
    return save


def _put_back(saves: dict[str, saved.Save], before: dict[str, saved.Save]) -> Callable[[], None]:
    def undo() -> None:
        saves.clear()
        saves.update(before)

    return undo


def _hints(room: Room) -> Generator[None, None, dict[str, float]]:
    """Game times of announced calls, by NPC; one a step."""
    columns, row_ids = room.world.columns, room.world.row_ids
    calls_s = columns.scheduled_call_s[: columns.rows]
    rows = np.flatnonzero(columns.alive[: columns.rows] & ~np.isnan(calls_s))
    hints = {}
    for row in rows.tolist():
        hints[row_ids[row]] = float(calls_s[row])
        yield
    return hints


def _announce(room: Room, hints: Mapping[str, float]) -> Iterator[None]:
    """Set the game times of announced calls; NaN = none."""
    for name, call_s in hints.items():
        if name in room.world.npcs:
            room.world.columns.scheduled_call_s[room.world.npcs[name].row] = call_s
        yield


def _sweep(room: Room) -> None:
    """Delete what nothing reaches any more, a commit at a time."""

    def swept(more: bool) -> None:
        if more:
            _sweep(room)

    room.journal.submit(Change(read=lambda file: file.sweep(SWEPT_ROWS), done=swept))

"""Calls that name many NPCs or players: in parts, and with a word about each that is refused.

The server takes a message whole or not at all and names the entry at fault. That entry is left out
and the others are asked for again, so that nobody is refused for somebody else's mistake.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from callsheet.core.calls import Call, ask, several
from callsheet.core.session import ClientSession
from callsheet.wire.base import Reliable
from callsheet.wire.errors import CallsheetError
from callsheet.wire.world import (
    Despawn,
    Hint,
    HintCalls,
    NpcSpec,
    PlayerSpec,
    Spawn,
    Spawned,
)

__all__ = ["BatchError", "Handles", "despawn", "hint_calls", "spawn"]

logger: logging.Logger = logging.getLogger("callsheet")

ENTRIES_PER_MESSAGE = 10_000
"""The most ids or hints in one message."""
FRAME_BYTES = 512
"""Room for what a message holds beside its entries."""
MAX_LEFT_OUT = 32
"""A message with more entries at fault is refused as a whole: each costs a round trip."""


@dataclass(frozen=True, slots=True)
class Handles:
    """The handles the server gave what was spawned, by id. Ticks name NPCs by handle."""

    npcs: dict[str, int] = field(default_factory=dict)
    players: dict[str, int] = field(default_factory=dict)


class BatchError(CallsheetError):
    """Some of the NPCs and players named in one call were refused; all others were accepted.

    Where all are refused for one reason, that error is raised instead.

    Attributes:
        npcs: why each of these NPCs was refused, by id.
        players: why each of these players was refused, by id.
        handles: of ``spawn``: the handles of those that are in the world now.
    """

    def __init__(
        self,
        npcs: dict[str, CallsheetError],
        players: dict[str, CallsheetError],
        handles: Handles,
    ) -> None:
        self.npcs: dict[str, CallsheetError] = npcs
        self.players: dict[str, CallsheetError] = players
        self.handles: Handles = handles
        refused = [*npcs.items(), *players.items()]
        told = "; ".join(f"{name}: {error.message}" for name, error in refused[:3])
        more = f"; and {len(refused) - 3} more" if len(refused) > 3 else ""
        first = refused[0][1]
        super().__init__(
            first.code,
            f"refused were {told}{more}. All others were accepted.",
            field=first.field,
            value=first.value,
            limit=first.limit,
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """One item of a message's list."""

    list: str
    """The message's field: npcs, players or hints."""
    id: str
    value: NpcSpec | PlayerSpec | Hint | str

    @property
    def size_bytes(self) -> int:
        """At most this much of a frame."""
        value = self.value
        if isinstance(value, BaseModel):
            return len(value.model_dump_json(exclude_none=True).encode()) + 1
        return len(value) + 3


class _Batch:
    """The entries of one call, and who of them was refused."""

    def __init__(
        self, session: ClientSession, message: type[Spawn | Despawn | HintCalls], per_message: int
    ) -> None:
        self._session, self._message, self._per_message = session, message, per_message
        self._max_bytes = session.opened().limits.max_message_bytes
        self._refused: dict[tuple[str, str], CallsheetError] = {}

    def ask(self, entries: list[_Entry]) -> Call[Handles]:
        """Ask for all entries; those in ``spawned`` messages return with their handles.

        Raises:
            BatchError: some were refused.
            CallsheetError: all were, for this one reason.
        """
        handles = Handles()
        for part in self._parts(entries):
            answer = yield from self._ask_part(part)
            if isinstance(answer, Spawned):
                handles.npcs.update((one.npc, one.handle) for one in answer.npcs)
                handles.players.update((one.player, one.handle) for one in answer.players)
                if answer.note is not None:
                    logger.warning("the server notes: %s", answer.note)
        if self._refused:
            first, *others = self._refused.values()
            same = all((one.code, one.message) == (first.code, first.message) for one in others)
            if same and len(self._refused) == len(entries):
                raise first
            players = {
                name: error for (of, name), error in self._refused.items() if of == "players"
            }
            npcs = {name: error for (of, name), error in self._refused.items() if of != "players"}
            raise BatchError(npcs, players, handles)
        return handles

    def _parts(self, entries: list[_Entry]) -> Iterator[list[_Entry]]:
        part: list[_Entry] = []
        part_bytes = FRAME_BYTES
        for entry in entries:
            size_bytes = entry.size_bytes
            full = len(part) == self._per_message
            if part and (full or part_bytes + size_bytes > self._max_bytes):
                yield part
                part, part_bytes = [], FRAME_BYTES
            part.append(entry)
            part_bytes += size_bytes
        if part:
            yield part

    def _ask_part(self, part: list[_Entry]) -> Call[Reliable | None]:
        """Ask for these; leave out who is at fault and ask again. None = none was accepted."""
        left_out = 0
        while part:
            try:
                return (yield from ask(self._session, self._message_of(part)))
            except CallsheetError as error:
                at_fault = _blamed(error, part) if left_out < MAX_LEFT_OUT else None
                left_out += 1
                refused = part if at_fault is None else [at_fault]
                self._refused.update({(one.list, one.id): error for one in refused})
                part = [] if at_fault is None else [one for one in part if one is not at_fault]
        return None

    def _message_of(self, part: list[_Entry]) -> Spawn | Despawn | HintCalls:
        lists: dict[str, Any] = {
            name: tuple(entry.value for entry in part if entry.list == name)
            for name in {entry.list for entry in part}
        }
        return self._message(id=self._session.next_id(), **lists)


def _blamed(error: CallsheetError, part: list[_Entry]) -> _Entry | None:
    """The entry that an error such as "npcs.3.adapter" names."""
    name, _, rest = (error.field or "").partition(".")
    index = rest.partition(".")[0]
    of_list = [entry for entry in part if entry.list == name]
    return of_list[int(index)] if index.isdecimal() and int(index) < len(of_list) else None


def spawn(
    session: ClientSession, npcs: Iterable[NpcSpec], players: Iterable[PlayerSpec]
) -> Call[Handles]:
    """``spawn``, in as many messages as the server's limits ask for."""
    entries = [
        _Entry("players", one.player, one) for one in several("players", players, PlayerSpec)
    ]
    entries += [_Entry("npcs", one.npc, one) for one in several("npcs", npcs, NpcSpec)]
    batch = _Batch(session, Spawn, session.opened().limits.max_npcs_per_spawn)
    return (yield from batch.ask(entries))


def despawn(session: ClientSession, npcs: Iterable[str], players: Iterable[str]) -> Call[None]:
    """``despawn``, in parts if there are very many."""
    entries = [_Entry("npcs", one, one) for one in several("npcs", npcs, str)]
    entries += [_Entry("players", one, one) for one in several("players", players, str)]
    yield from _Batch(session, Despawn, ENTRIES_PER_MESSAGE).ask(entries)


def hint_calls(session: ClientSession, hints: Iterable[Hint]) -> Call[None]:
    """``hint_calls``, in parts if there are very many."""
    entries = [_Entry("hints", one.npc, one) for one in several("hints", hints, Hint)]
    yield from _Batch(session, HintCalls, ENTRIES_PER_MESSAGE).ask(entries)

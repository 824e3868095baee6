"""One game's NPCs and players: who there is, where they are, what is known of their calls."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet.wire.fields import Vec3
from callsheet.wire.tick import NpcFlag, Tick, TickKind
from callsheet.wire.world import ConditionalLore, NpcSpec, PlayerSpec, ScheduledCall
from callsheet_server.world.columns import Columns
from callsheet_server.world.errors import limit_exceeded, refuse_duplicates, refuse_unknown, unknown
from callsheet_server.world.names import Names
from callsheet_server.world.records import all_usable_npcs, usable_npcs, usable_players
from callsheet_server.world.row_ids import RowIds
from callsheet_server.world.schedule import next_call_s
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Npc", "Player", "TickReport", "World", "WorldLimits"]

DEFAULT_PLAYER_MAX_SPEED_MPS = 6.0
DEFAULT_NPC_MAX_SPEED_MPS = 2.0
OVERDUE_S = 10.0
"""An announced call that did not come within this time is forgotten."""
MAX_ADVANCED = 1_000
"""NPCs that turn to their next announced call in one tick."""
_UNAVAILABLE = int(NpcFlag.UNAVAILABLE)
_CLEAR_SCHEDULE = int(NpcFlag.CLEAR_SCHEDULE)


@dataclass(slots=True)
class Npc:
    """Facts of an NPC, besides numbers that change every tick."""

    spec: NpcSpec
    """As the game wants it; scripts are laid over it elsewhere."""
    row: int
    handle: int


@dataclass(slots=True)
class Player:
    """A player; absent until a tick or the spawn places it."""

    spec: PlayerSpec
    handle: int
    position_m: NDArray[np.float32] = field(default_factory=lambda: np.zeros(3, np.float32))
    velocity_mps: NDArray[np.float32] = field(default_factory=lambda: np.zeros(3, np.float32))
    present: bool = False
    guest: bool = False
    """It is an observer's: the game neither spawned it nor moves it."""


@dataclass(frozen=True, slots=True)
class WorldLimits:
    """Limits to the size of a world."""

    max_npcs: int
    max_npcs_per_spawn: int
    max_players: int
    """Players of the game; guests are counted apart."""
    max_guests: int = 0


@dataclass(frozen=True, slots=True)
class TickReport:
    """Report of a tick's parts that could not be used; the rest was."""

    npc_updates: int
    unknown_handles: tuple[int, ...] = ()
    """Unknown handles, at most the first 8."""
    unknown_count: int = 0
    bad_handles: tuple[int, ...] = ()
    """Records with values out of range, at most the first 8."""
    bad_count: int = 0


class World:
    """All state of one world. Every method is synchronous, pure of I/O and of clocks."""

    def __init__(self, name: str, limits: WorldLimits) -> None:
        self.name = name
        self.lore = ""
        self.lore_entries: Sequence[ConditionalLore] = ()
        self.flags: frozenset[str] = frozenset()
        self.player_max_speed_mps = DEFAULT_PLAYER_MAX_SPEED_MPS
        self.npc_max_speed_mps = DEFAULT_NPC_MAX_SPEED_MPS
        self.game_time_s = 0.0
        self.npcs: dict[str, Npc] = {}
        self.players: dict[str, Player] = {}
        self.columns = Columns()
        self._row_ids = RowIds()
        self.names = Names()
        """Names of the NPCs."""
        self._limits = limits
        self._player_by_handle: dict[int, str] = {}
        self.next_player_handle = 1
        self._guests = 0
        """Guests that ever joined."""
        self._schedules: dict[str, Sequence[ScheduledCall]] = {}

    # --- who there is ------------------------------------------------------------------------

    def spawn(
        self, npcs: Sequence[NpcSpec], players: Sequence[PlayerSpec]
    ) -> tuple[list[Npc], list[Player]]:
        """Add NPCs and players, all or none.

        Raises:
            WorldError: ``limit_exceeded``, ``duplicate_npc`` or ``duplicate_player``.
        """
        limits = self._limits
        if len(npcs) > limits.max_npcs_per_spawn:
            raise limit_exceeded("NPCs in one spawn", "npcs", len(npcs), limits.max_npcs_per_spawn)
        if len(self.npcs) + len(npcs) > limits.max_npcs:
            raise limit_exceeded(
                "NPCs in this world", "npcs", len(self.npcs) + len(npcs), limits.max_npcs
            )
        of_game = len(self.players) - len(self.guests()) + len(players)
        if of_game > limits.max_players:
            raise limit_exceeded("players in this world", "players", of_game, limits.max_players)
        refuse_duplicates("npc", (n.npc for n in npcs), self.npcs)
        refuse_duplicates("player", (p.player for p in players), self.players)
        added = [self._place(n, self.columns.take()) for n in npcs]
        return added, [self._add_player(p, self.next_player_handle) for p in players]

    def check_known(self, npcs: Sequence[str], players: Sequence[str]) -> None:
        """Make sure all of these exist, each named once.

        Raises:
            WorldError: ``unknown_npc`` or ``unknown_player``.
        """
        refuse_unknown("npc", npcs, self.npcs)
        refuse_unknown("player", players, self.players)

    def despawn(self, npcs: Sequence[str], players: Sequence[str]) -> None:
        """Remove NPCs and players, all or none. Raises as ``check_known`` does."""
        self.check_known(npcs, players)
        for name in npcs:
            npc = self.npcs.pop(name)
            self.names.drop(npc.spec.name)
            self.columns.give_back(npc.row)
            self._row_ids[npc.row] = ""
            self._schedules.pop(name, None)
        for name in players:
            del self._player_by_handle[self.players.pop(name).handle]

    def restore(
        self, npcs: Iterable[tuple[NpcSpec, int]], players: Iterable[tuple[PlayerSpec, int]]
    ) -> None:
        """Put NPCs and players back, each with the handle it had; nobody else has it."""
        for spec, handle in npcs:
            self._place(spec, self.columns.take_back(handle))
        for player, handle in players:
            self._add_player(player, handle)

    def guests(self) -> list[Player]:
        """The players that observers joined with."""
        return [player for player in self.players.values() if player.guest]

    def add_guest(self, name: str, position: Vec3) -> Player:
        """Add a player for an observer; it is present until ``despawn``.

        Raises:
            WorldError: ``limit_exceeded``.
        """
        count = len(self.guests()) + 1
        if count > self._limits.max_guests:
            raise limit_exceeded("guests in this world", "world", count, self._limits.max_guests)
        self._guests += 1
        spec = PlayerSpec(player=f"guest:{self._guests}", name=name, position=position)
        refuse_duplicates("player", [spec.player], self.players)
        guest = self._add_player(spec, self.next_player_handle)
        guest.guest = True
        return guest

    def npc(self, name: str, path: str = "npc") -> Npc:
        """Look an NPC up.

        Raises:
            WorldError: ``unknown_npc``, naming ``path`` as the field.
        """
        try:
            return self.npcs[name]
        except KeyError:
            raise unknown("npc", name, path) from None

    def describe(self, npc: Npc, spec: NpcSpec) -> None:
        """Change what an NPC is."""
        self.names.drop(npc.spec.name)
        self.names.add(spec.name)
        npc.spec = spec

    def set_traits(
        self,
        name: str,
        interaction_radius_m: float,
        sociability: float,
        schedule: Sequence[ScheduledCall],
    ) -> None:
        """Set what the estimators read of an NPC."""
        row = self.npc(name).row
        self.columns.interaction_radius_m[row] = interaction_radius_m
        self.columns.sociability[row] = sociability
        if schedule != self._schedules.get(name, ()):
            self._schedules[name] = schedule
            self.columns.scheduled_call_s[row] = self._next_scheduled(name)

    # --- where they are ----------------------------------------------------------------------

    def apply(self, tick: Tick) -> TickReport:
        """Take in a tick whose order and time have been checked."""
        self.game_time_s = tick.game_time_s
        records, columns = tick.npcs, self.columns
        rows: slice | NDArray[np.intp] = slice(0, columns.rows)
        missing: list[int] = []
        bad: list[int] = []
        # The usual keyframe names everybody in order: then nothing is looked up or picked out.
        if not (columns.is_everyone(records["handle"]) and all_usable_npcs(records)):
            rows, records, missing, bad = self._usable(tick)
        columns.position_m[rows] = records["position"]
        columns.velocity_mps[rows] = records["velocity"]
        self._take_flags_and_hints(rows, records["flags"], records["next_call_s"])
        self._advance_schedules()
        missing_players, bad_players = self._apply_players(tick)
        missing, bad = missing + missing_players, bad + bad_players
        return TickReport(len(records), tuple(missing[:8]), len(missing), tuple(bad[:8]), len(bad))

    def rewind(self, game_time_s: float) -> Iterator[None]:
        """Set the clock back, at once; then the schedules, one a step.

        Calls that are still to come then are not remembered.
        """
        self.game_time_s = game_time_s
        self.columns.last_call_s[self.columns.last_call_s > game_time_s] = np.nan
        for name in list(self._schedules):
            self.columns.scheduled_call_s[self.npcs[name].row] = self._next_scheduled(name)
            yield

    def hint(self, name: str, in_s: float | None) -> None:
        """Replace or take back the hint of one NPC."""
        row = self.npc(name).row
        self.columns.scheduled_call_s[row] = (
            self._next_scheduled(name) if in_s is None else self.game_time_s + in_s
        )

    # --- their calls -------------------------------------------------------------------------

    def turn_opened(self, name: str) -> int:
        """Note that a turn of this NPC was queued. Returns its handle, for ``turn_closed``."""
        npc = self.npc(name)
        self.columns.open_turns[npc.row] += 1
        return npc.handle

    def turn_closed(self, name: str, handle: int) -> None:
        """Note that a turn ended, however it ended. Does nothing if that NPC is gone."""
        npc = self.npcs.get(name)
        if npc is None or npc.handle != handle:
            return
        columns, row, now_s = self.columns, npc.row, self.game_time_s
        columns.open_turns[row] -= 1
        if columns.scheduled_call_s[row] <= now_s:
            columns.scheduled_call_s[row] = self._next_scheduled(name, after=True)
        columns.last_call_s[row] = now_s

    @property
    def row_ids(self) -> tuple[str, ...]:
        """The NPC id on each row, see ``RowIds.snapshot``; other threads may keep it."""
        return self._row_ids.snapshot(self.columns.rows)

    def snapshot(self, rows: Sequence[int] | None = None) -> Snapshot:
        """The world as the estimators see it; see ``Snapshot`` for how long it is valid.

        ``rows``: only these, in this order.
        """
        columns = self.columns
        picked = slice(columns.rows) if rows is None else list(rows)
        players = [p for p in self.players.values() if p.present]
        arrays = columns.seen(picked)
        for name in ("position_m", "velocity_mps"):
            of_players = np.array([getattr(p, name) for p in players], np.float32)
            arrays[f"player_{name}"] = of_players.reshape(-1, 3)
        for array in arrays.values():
            array.flags.writeable = False
        return Snapshot(
            game_time_s=self.game_time_s,
            player_max_speed_mps=self.player_max_speed_mps,
            npc_max_speed_mps=self.npc_max_speed_mps,
            **arrays,
        )

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        columns, row_ids = self.columns, self.row_ids
        assert len(row_ids) == columns.rows, "row_ids does not name every row"
        assert int(columns.alive.sum()) == len(self.npcs), "live rows and NPCs differ in number"
        for name, npc in self.npcs.items():
            assert columns.alive[npc.row], f"{name} is on a dead row"
            assert int(columns.handle[npc.row]) == npc.handle, f"{name} has a stale handle"
            assert npc.spec.name in self.names, f"{name} is called what nobody is"
            assert row_ids[npc.row] == name, f"row {npc.row} names another NPC"
            assert columns.open_turns[npc.row] >= 0, f"{name} closed more turns than it opened"
        assert not (columns.active & ~columns.alive).any(), "a dead row is active"
        assert np.isfinite(columns.position_m).all(), "a position is not finite"

    # --- inside ------------------------------------------------------------------------------

    def _place(self, spec: NpcSpec, row: int) -> Npc:
        npc = Npc(spec, row, int(self.columns.handle[row]))
        self.npcs[spec.npc] = npc
        self.names.add(spec.name)
        self._row_ids[row] = spec.npc
        if spec.position is not None:
            self.columns.position_m[row] = spec.position
            self.columns.active[row] = True
        return npc

    def _add_player(self, spec: PlayerSpec, handle: int) -> Player:
        player = Player(spec, handle)
        self.next_player_handle = max(self.next_player_handle, handle + 1)
        if spec.position is not None:
            player.position_m[:] = spec.position
            player.present = True
        self.players[spec.player] = player
        self._player_by_handle[player.handle] = spec.player
        return player

    def _usable(self, tick: Tick) -> tuple[NDArray[np.intp], NDArray[Any], list[int], list[int]]:
        """Pick out the records that can be used; a keyframe's others become inactive.

        Returns:
            Their rows, the records, the handles that are unknown, and those with bad values.
        """
        records, columns = tick.npcs, self.columns
        rows, known = columns.find(records["handle"])
        good = usable_npcs(records)
        if tick.kind is TickKind.KEYFRAME:
            kept = columns.active[rows] & known & ~good
            columns.active[: columns.rows] = False
            columns.active[rows[kept]] = True
        use = known & good
        missing = records["handle"][~known].tolist()
        bad = records["handle"][known & ~good].tolist()
        return rows[use], records[use], missing, bad

    def _take_flags_and_hints(
        self,
        rows: slice | NDArray[np.intp],
        flags: NDArray[np.uint32],
        next_call_s: NDArray[np.float32],
    ) -> None:
        columns = self.columns
        flagged, hinted = flags.any(), ~np.isnan(next_call_s)
        columns.active[rows] = (flags & _UNAVAILABLE) == 0 if flagged else True
        if not (flagged or hinted.any()):
            return
        scheduled_call_s = columns.scheduled_call_s[rows]
        scheduled_call_s[hinted] = self.game_time_s + next_call_s[hinted]
        scheduled_call_s[(flags & _CLEAR_SCHEDULE) != 0] = np.nan
        columns.scheduled_call_s[rows] = scheduled_call_s

    def _apply_players(self, tick: Tick) -> tuple[list[int], list[int]]:
        """Move the players; return the handles that are unknown, and those with bad values."""
        if tick.kind is TickKind.KEYFRAME:
            named = set(tick.players["handle"].tolist())
            for player in self.players.values():
                player.present &= player.guest or player.handle in named
        missing, bad = [], []
        handles, usable = tick.players["handle"].tolist(), usable_players(tick.players).tolist()
        for record, handle, good in zip(tick.players, handles, usable, strict=True):
            name = self._player_by_handle.get(handle)
            if name is None or self.players[name].guest:
                missing.append(handle)
            elif not good:
                bad.append(handle)
            else:
                player = self.players[name]
                player.present = True
                player.position_m[:] = record["position"]
                player.velocity_mps[:] = record["velocity"]
        return missing, bad

    def _advance_schedules(self) -> None:
        """Give up on announced calls that are overdue, and turn to the NPC's next one.

        After a leap of the clock the others are for the next ticks.
        """
        overdue = self.columns.scheduled_call_s[: self.columns.rows] < self.game_time_s - OVERDUE_S
        for row in overdue.nonzero()[0][:MAX_ADVANCED].tolist():
            self.columns.scheduled_call_s[row] = self._next_scheduled(self._row_ids[row])

    def _next_scheduled(self, name: str, after: bool = False) -> float:
        """The first time of an NPC's schedule from now on, or ``after`` now; NaN = none."""
        from_s = math.nextafter(self.game_time_s, math.inf) if after else self.game_time_s
        return next_call_s(self._schedules.get(name, ()), from_s)

"""Trace files: JSON Lines as defined in ``docs/trace-format.md``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Protocol, Self

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from callsheet.wire.talk import Speaker
from callsheet_server.trace.trace import (
    NARRATOR,
    Trace,
    TraceCall,
    TraceNpc,
    TracePlayer,
    TraceTick,
)

__all__ = ["Output", "TraceError", "TraceWriter", "read_trace"]

Time = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Row = Annotated[int, Field(ge=0)]


class TraceError(ValueError):
    """A trace file breaks the format; the text names the file, the line and what is wrong."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Header(_Line):
    type: Literal["header"] = "header"
    version: Literal[1]
    world: str
    player_max_speed_mps: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    npc_max_speed_mps: Time
    lore: str = ""


class _Npc(_Line):
    type: Literal["npc"] = "npc"
    id: str
    interaction_radius_m: Time
    sociability: Annotated[float, Field(ge=0.0, le=1.0)]
    size_bytes: Annotated[int, Field(ge=0)]
    rebuild_s: Time
    name: str = ""
    persona: str = ""
    archetype: str | None = None
    adapter: str | None = None


class _Prefix(_Line):
    type: Literal["prefix"] = "prefix"
    row: Row
    size_bytes: Annotated[int, Field(ge=0)]
    rebuild_s: Time


class _Player(_Line):
    type: Literal["player"] = "player"
    id: str
    name: str


class _Tick(_Line):
    type: Literal["tick"] = "tick"
    time_s: Time
    npcs: list[tuple[Row, Number, Number, Number, Number, Number, Number, Number | None]]
    players: list[tuple[Row, Number, Number, Number, Number, Number, Number]]
    inactive: list[Row] = []


class _Call(_Line):
    type: Literal["call"] = "call"
    time_s: Time
    row: Row
    duration_s: Time
    generated_tokens: Annotated[int, Field(ge=0)]
    speaker: Speaker = NARRATOR
    text: str = ""
    max_tokens: Annotated[int, Field(ge=1)] | None = None


_AnyLine = _Header | _Npc | _Prefix | _Player | _Tick | _Call
_LINE: TypeAdapter[_AnyLine] = TypeAdapter(Annotated[_AnyLine, Field(discriminator="type")])


class Output(Protocol):
    """Destination of a writer's bytes; an open binary file will do."""

    def write(self, data: bytes, /) -> object: ...

    def close(self) -> None: ...


class TraceWriter:
    """Writer of a trace while the session runs; leaving the ``with`` block closes the output."""

    def __init__(
        self,
        output: Output,
        world: str,
        player_max_speed_mps: float,
        npc_max_speed_mps: float,
        lore: str = "",
    ) -> None:
        self._output = output
        self._npcs = self._players = 0
        self._put(
            _Header(
                version=1,
                world=world,
                player_max_speed_mps=player_max_speed_mps,
                npc_max_speed_mps=npc_max_speed_mps,
                lore=lore,
            )
        )

    def npc(self, npc: TraceNpc) -> int:
        """Announce an NPC, before its row is used; return that row."""
        self._put(_Npc(**asdict(npc)))
        self._npcs += 1
        return self._npcs - 1

    def prefix(self, row: int, size_bytes: int, rebuild_s: float) -> None:
        """Tell the size of an NPC's prefix anew; the last word counts."""
        self._put(_Prefix(row=row, size_bytes=size_bytes, rebuild_s=rebuild_s))

    def player(self, player: TracePlayer) -> int:
        """Announce a player, before its row is used; return that row."""
        self._put(_Player(id=player.id, name=player.name))
        self._players += 1
        return self._players - 1

    def tick(self, tick: TraceTick) -> None:
        moved = np.concatenate([tick.position_m, tick.velocity_mps], axis=1).tolist()
        due = [None if np.isnan(at_s) else at_s for at_s in tick.scheduled_call_s.tolist()]
        players = np.concatenate([tick.player_position_m, tick.player_velocity_mps], axis=1)
        line: dict[str, Any] = {
            "type": "tick",
            "time_s": tick.time_s,
            "npcs": [
                (row, *numbers, at_s)
                for row, numbers, at_s in zip(tick.rows.tolist(), moved, due, strict=True)
            ],
            "players": [
                (row, *numbers)
                for row, numbers in zip(tick.player_rows.tolist(), players.tolist(), strict=True)
            ],
        }
        if len(tick.inactive_rows):
            line["inactive"] = tick.inactive_rows.tolist()
        self._output.write(orjson.dumps(line) + b"\n")

    def call(self, call: TraceCall) -> None:
        """Record a finished call; calls may come in any order."""
        self._put(_Call(**{name: getattr(call, name) for name in TraceCall.__slots__}))

    def close(self) -> None:
        self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _put(self, line: _Line) -> None:
        self._output.write(orjson.dumps(line.model_dump()) + b"\n")


def read_trace(path: Path) -> Trace:
    """Read a whole trace.

    Raises:
        OSError: the file cannot be read.
        TraceError: a line breaks the format. A last line that was cut off is ignored: the recorder
            may have been killed.
    """
    lines = path.read_bytes().split(b"\n")
    lines.pop()  # Empty, or cut off: every whole line ends in a line feed.
    return _parse(path.name, lines)


def _parse(name: str, lines: Iterable[bytes]) -> Trace:
    header: _Header | None = None
    npcs: list[TraceNpc] = []
    players: list[TracePlayer] = []
    ticks: list[TraceTick] = []
    calls: list[TraceCall] = []
    for number, raw in enumerate(lines, start=1):

        def broken(why: str, number: int = number) -> TraceError:
            return TraceError(f"{name}, line {number}: {why}")

        try:
            line = _LINE.validate_json(raw)
        except ValidationError as error:
            first = error.errors()[0]
            at = ".".join(str(part) for part in first["loc"]) or "the line"
            raise broken(f"{at}: {first['msg']}") from None
        if isinstance(line, _Header) != (number == 1):
            raise broken("a trace has exactly one header, on its first line")
        match line:
            case _Header():
                header = line
            case _Npc():
                npcs.append(TraceNpc(**line.model_dump(exclude={"type"})))
            case _Player():
                players.append(TracePlayer(line.id, line.name))
            case _Prefix():
                _check(line.row, npcs, broken)
                npcs[line.row] = replace(
                    npcs[line.row], size_bytes=line.size_bytes, rebuild_s=line.rebuild_s
                )
            case _Tick():
                _check(max((n[0] for n in line.npcs), default=-1), npcs, broken)
                _check(max(line.inactive, default=-1), npcs, broken)
                _check(max((p[0] for p in line.players), default=-1), players, broken)
                if ticks and line.time_s < ticks[-1].time_s:
                    raise broken(f"time_s {line.time_s} is before {ticks[-1].time_s}")
                ticks.append(_to_tick(line))
            case _Call():
                _check(line.row, npcs, broken)
                fields = {field: getattr(line, field) for field in TraceCall.__slots__}
                calls.append(TraceCall(**fields))
    if header is None:
        raise TraceError(f"{name}: no header; it is empty or was cut off on its first line")
    calls.sort(key=lambda call: call.time_s)
    return Trace(
        header.world,
        header.player_max_speed_mps,
        header.npc_max_speed_mps,
        tuple(npcs),
        ticks,
        calls,
        tuple(players),
        header.lore,
    )


def _check(row: int, announced: Sequence[object], broken: Callable[[str], TraceError]) -> None:
    if row >= len(announced):
        raise broken(f"row {row} was not announced; {len(announced)} were")


def _to_tick(line: _Tick) -> TraceTick:
    moved: NDArray[np.float32] = np.array([n[1:7] for n in line.npcs], np.float32).reshape(-1, 6)
    players: NDArray[np.float32] = np.array([p[1:] for p in line.players], np.float32)
    players = players.reshape(-1, 6)
    return TraceTick(
        time_s=line.time_s,
        rows=np.array([n[0] for n in line.npcs], np.intp),
        position_m=moved[:, :3],
        velocity_mps=moved[:, 3:],
        scheduled_call_s=np.array([np.nan if n[7] is None else n[7] for n in line.npcs]),
        player_position_m=players[:, :3],
        player_velocity_mps=players[:, 3:],
        player_rows=np.array([p[0] for p in line.players], np.intp),
        inactive_rows=np.array(line.inactive, np.intp),
    )

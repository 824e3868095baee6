"""Trace files: JSON Lines as defined in ``docs/trace-format.md``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from callsheet_server.trace.trace import Trace, TraceCall, TraceNpc, TraceTick

__all__ = ["TraceError", "TraceWriter", "read_trace"]

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


class _Npc(_Line):
    type: Literal["npc"] = "npc"
    id: str
    interaction_radius_m: Time
    sociability: Annotated[float, Field(ge=0.0, le=1.0)]
    size_bytes: Annotated[int, Field(ge=0)]
    rebuild_s: Time


class _Tick(_Line):
    type: Literal["tick"] = "tick"
    time_s: Time
    npcs: list[tuple[Row, Number, Number, Number, Number, Number, Number, Number | None]]
    players: list[tuple[Number, Number, Number, Number, Number, Number]]


class _Call(_Line):
    type: Literal["call"] = "call"
    time_s: Time
    row: Row
    duration_s: Time
    generated_tokens: Annotated[int, Field(ge=0)]


_LINE: TypeAdapter[_Header | _Npc | _Tick | _Call] = TypeAdapter(
    Annotated[_Header | _Npc | _Tick | _Call, Field(discriminator="type")]
)


class TraceWriter:
    """Writes a trace while the session runs; leaving the ``with`` block closes the file."""

    def __init__(
        self, path: Path, world: str, player_max_speed_mps: float, npc_max_speed_mps: float
    ) -> None:
        """Raises ``OSError`` if the file cannot be written; an old file is replaced."""
        self._file = path.open("wb")
        self._rows = 0
        self._put(
            _Header(
                version=1,
                world=world,
                player_max_speed_mps=player_max_speed_mps,
                npc_max_speed_mps=npc_max_speed_mps,
            )
        )

    def npc(self, npc: TraceNpc) -> int:
        """Announce an NPC, before its row is used; return that row."""
        self._put(
            _Npc(
                id=npc.id,
                interaction_radius_m=npc.interaction_radius_m,
                sociability=npc.sociability,
                size_bytes=npc.size_bytes,
                rebuild_s=npc.rebuild_s,
            )
        )
        self._rows += 1
        return self._rows - 1

    def tick(self, tick: TraceTick) -> None:
        moved = np.concatenate([tick.position_m, tick.velocity_mps], axis=1).tolist()
        due = [None if np.isnan(at_s) else at_s for at_s in tick.scheduled_call_s.tolist()]
        players = np.concatenate([tick.player_position_m, tick.player_velocity_mps], axis=1)
        line = {
            "type": "tick",
            "time_s": tick.time_s,
            "npcs": [
                (row, *numbers, at_s)
                for row, numbers, at_s in zip(tick.rows.tolist(), moved, due, strict=True)
            ],
            "players": players.tolist(),
        }
        self._file.write(orjson.dumps(line) + b"\n")

    def call(self, call: TraceCall) -> None:
        """Record a finished call; calls may come in any order."""
        self._put(
            _Call(
                time_s=call.time_s,
                row=call.row,
                duration_s=call.duration_s,
                generated_tokens=call.generated_tokens,
            )
        )

    def close(self) -> None:
        self._file.close()

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
        self._file.write(orjson.dumps(line.model_dump()) + b"\n")


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
            case _Tick():
                tick = _to_tick(line)
                if len(tick.rows) and tick.rows.max() >= len(npcs):
                    raise broken(f"row {tick.rows.max()} was not announced; {len(npcs)} were")
                if ticks and tick.time_s < ticks[-1].time_s:
                    raise broken(f"time_s {tick.time_s} is before {ticks[-1].time_s}")
                ticks.append(tick)
            case _Call():
                if line.row >= len(npcs):
                    raise broken(f"row {line.row} was not announced; {len(npcs)} were")
                calls.append(TraceCall(**line.model_dump(exclude={"type"})))
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
    )


def _to_tick(line: _Tick) -> TraceTick:
    moved: NDArray[np.float32] = np.array([n[1:7] for n in line.npcs], np.float32).reshape(-1, 6)
    players: NDArray[np.float32] = np.array(line.players, np.float32).reshape(-1, 6)
    return TraceTick(
        time_s=line.time_s,
        rows=np.array([n[0] for n in line.npcs], np.intp),
        position_m=moved[:, :3],
        velocity_mps=moved[:, 3:],
        scheduled_call_s=np.array([np.nan if n[7] is None else n[7] for n in line.npcs]),
        player_position_m=players[:, :3],
        player_velocity_mps=players[:, 3:],
    )

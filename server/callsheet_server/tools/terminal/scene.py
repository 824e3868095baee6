"""Scene: all that an observer has been told, as the present picture. No I/O, no clock."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from callsheet.wire.base import ServerMessage
from callsheet.wire.observe import Move, Moves, NpcState, NpcStates, PlayerState, Stats
from callsheet.wire.talk import ReplyDelta, ReplyEnd, ReplyStart

__all__ = ["EVENTS", "Line", "MoveCount", "Scene"]

EVENTS = (NpcStates, Moves, Stats, ReplyStart, ReplyDelta, ReplyEnd)
"""Messages that ``Scene.take`` understands: all four topics."""
LINES_KEPT = 60
MOVES_KEPT = 60
RATE_WINDOW_S = 3.0


@dataclass(slots=True)
class Line:
    """One reply, as far as it has come."""

    npc: str
    speaker: str
    heard: str
    text: str = ""
    end: ReplyEnd | None = None


@dataclass(slots=True)
class MoveCount:
    """Moves of one kind of state between two tiers."""

    moves: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Scene:
    """One world, from what ``take`` was given."""

    npcs: dict[str, NpcState] = field(default_factory=dict)
    players: Sequence[PlayerState] = ()
    stats: Stats | None = None
    most_npcs: int = 0
    """The most there were at once: a server that stops has none at the end."""
    most_players: int = 0
    lines: OrderedDict[int, Line] = field(default_factory=OrderedDict)
    """By reply, oldest first; the latest ``LINES_KEPT``."""
    moves: deque[Move] = field(default_factory=lambda: deque(maxlen=MOVES_KEPT))
    """The latest, oldest first."""
    moved: dict[tuple[str, str, str], MoveCount] = field(default_factory=dict)
    """By (kind, source tier, target tier)."""
    failed_moves: int = 0
    """Moves that failed; the planner tries them again."""
    found: Counter[str] = field(default_factory=Counter)
    """Finished replies of the model, by the tier in which they found the NPC's prefix."""
    generated_tokens: int = 0
    trouble: str = ""
    """Trouble with the connection now; the picture shows it."""
    _coming: dict[str, NpcState] = field(default_factory=dict)
    """Parts of the next ``npcs``."""
    _rates: deque[tuple[float, int, int]] = field(default_factory=deque)

    def take(self, event: ServerMessage, now_s: float) -> None:
        """Take in one of ``EVENTS``; others change nothing."""
        match event:
            case NpcStates():
                if event.part == 0:
                    self.players = event.players
                    self._coming = {}
                self._coming.update((npc.npc, npc) for npc in event.npcs)
                if event.part == event.parts - 1:
                    self.npcs = self._coming
            case Stats():
                self.stats = event
                self.most_npcs = max(self.most_npcs, event.npcs)
                self.most_players = max(self.most_players, event.players)
                self._rates.append((now_s, event.ticks, event.npc_updates))
                while self._rates[0][0] < now_s - RATE_WINDOW_S:
                    self._rates.popleft()
            case Moves():
                for move in event.moves:
                    self._count_move(move)
            case ReplyStart():
                speaker = event.speaker
                name = speaker.name or speaker.id or speaker.kind
                self.lines[event.reply] = Line(event.npc, name, event.heard)
                if len(self.lines) > LINES_KEPT:
                    self.lines.popitem(last=False)
            case ReplyDelta():
                if (line := self.lines.get(event.reply)) is not None:
                    line.text += event.text
            case ReplyEnd():
                if (line := self.lines.get(event.reply)) is not None:
                    line.end = event
                if event.tier is not None:
                    self.found[event.tier] += 1
                self.generated_tokens += event.generated_tokens
            case _:
                pass

    @property
    def ticks_per_s(self) -> float:
        """Over the last seconds."""
        return self._rate(1)

    @property
    def npc_updates_per_s(self) -> float:
        """Over the last seconds."""
        return self._rate(2)

    @property
    def on_device_share(self) -> float | None:
        """Share of the replies whose prefix was on the device already; None before the first."""
        total = self.found.total()
        return self.found["device"] / total if total else None

    def _count_move(self, move: Move) -> None:
        self.moves.append(move)
        if move.error is None:
            count = self.moved.setdefault((move.kind, move.source, move.target), MoveCount())
            count.moves += 1
            count.bytes += move.bytes
        else:
            self.failed_moves += 1

    def _rate(self, index: int) -> float:
        if len(self._rates) < 2:
            return 0.0
        first, last = self._rates[0], self._rates[-1]
        return (last[index] - first[index]) / max(last[0] - first[0], 1e-9)

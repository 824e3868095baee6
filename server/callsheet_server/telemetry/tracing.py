"""OpenTelemetry spans of replies, plans and moves; nothing at all without ``opentelemetry-api``.

Only the API is used: who runs the server chooses SDK and exporter, for instance with
``opentelemetry-instrument callsheet serve``. Spans are made when what they tell of is over, from
the times measured anyway.

    callsheet.reply                       accepted ... ended
        callsheet.queue                   submitted to the engine ... its turn
        callsheet.load                    the NPC's prefix coming to the device meanwhile
        callsheet.prefill                 its turn ... first token
        callsheet.decode                  first token ... last token
    callsheet.plan                        planning that led to moves
    callsheet.move                        one move of state
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from callsheet_residency.actions import Load, Plan
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import DoneMove, GenerationEnd
from callsheet_server.outgoing.views import TIER_NAMES
from callsheet_server.talk.reply import Reply
from callsheet_server.world.key import NpcKey

try:
    from opentelemetry import trace
    from opentelemetry.trace import Span, Status, StatusCode
except ModuleNotFoundError:  # an optional package
    INSTALLED = False
else:
    INSTALLED = True

__all__ = ["INSTALLED", "Tracing"]

Attributes = Mapping[str, str | int]
MAX_LOADS = 1_000


class Tracing:
    """Makes spans. All ``_s`` are of ``time.monotonic``; needs ``INSTALLED``."""

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("callsheet_server")
        self._loads: OrderedDict[NpcKey, tuple[float, float]] = OrderedDict()
        """Beginning and end of the latest load of an NPC's prefix to the device."""

    def replied(self, reply: Reply) -> None:
        """Make the spans of a reply that has ended."""
        ended_s = time.monotonic()
        root = self._tracer.start_span(
            "callsheet.reply", start_time=_wall_ns(reply.accepted_s), attributes=_figures(reply)
        )
        if reply.error_code is not None:
            root.set_status(Status(StatusCode.ERROR, reply.error_code))
        if reply.generation is not None:
            for name, start_s, end_s in self._phases(reply, reply.generation):
                self._span(name, start_s, end_s, parent=root)
        root.end(_wall_ns(ended_s))

    def planned(self, plan: Plan, seconds: float) -> None:
        """Make the span of a plan with moves in it that was made just now."""
        now_s = time.monotonic()
        loads = sum(isinstance(action, Load) for action in plan.actions)
        attributes: Attributes = {
            "callsheet.loads": loads,
            "callsheet.evictions": len(plan.actions) - loads,
            "callsheet.bytes": sum(action.size_bytes for action in plan.actions),
        }
        self._span("callsheet.plan", now_s - seconds, now_s, attributes)

    def moved(self, move: DoneMove) -> None:
        """Make the span of a move that has ended just now."""
        action, now_s = move.action, time.monotonic()
        started_s = now_s - move.seconds
        if isinstance(action.key, NpcKey) and action.target is Tier.DEVICE:
            self._loads[action.key] = started_s, now_s
            self._loads.move_to_end(action.key)
            if len(self._loads) > MAX_LOADS:
                self._loads.popitem(last=False)
        attributes: dict[str, str | int] = {
            "callsheet.kind": action.kind.value,
            "callsheet.key": str(action.key),
            "callsheet.source": TIER_NAMES[action.source],
            "callsheet.target": TIER_NAMES[action.target],
            "callsheet.bytes": move.moved_bytes,
            "callsheet.reason": action.reason,
        }
        if move.error is not None:
            attributes["callsheet.error"] = str(move.error)
        self._span("callsheet.move", started_s, now_s, attributes)

    def _phases(self, reply: Reply, end: GenerationEnd) -> Iterator[tuple[str, float, float]]:
        last_s = reply.generation_ended_s
        submitted_s = last_s - end.total_s
        turn_s = submitted_s + end.queue_s
        yield "callsheet.queue", submitted_s, turn_s
        loaded = self._loads.pop(reply.room.key(reply.npc), None)
        if loaded is not None and reply.accepted_s < loaded[1] < last_s:
            yield "callsheet.load", *loaded
        if math.isfinite(end.ttft_s):
            first_s = submitted_s + end.ttft_s
            yield "callsheet.prefill", turn_s, first_s
            yield "callsheet.decode", first_s, last_s

    def _span(
        self,
        name: str,
        start_s: float,
        end_s: float,
        attributes: Attributes | None = None,
        parent: Span | None = None,
    ) -> None:
        span = self._tracer.start_span(
            name,
            context=None if parent is None else trace.set_span_in_context(parent),
            start_time=_wall_ns(start_s),
            attributes=attributes,
        )
        span.end(_wall_ns(end_s))


def _figures(reply: Reply) -> Attributes:
    attributes: dict[str, str | int] = {
        "callsheet.world": reply.room.name,
        "callsheet.npc": reply.npc,
        "callsheet.session": reply.asker.id,
        "callsheet.request": reply.request,
        "callsheet.finish_reason": reply.finish_reason or "refused",
    }
    if (end := reply.generation) is not None:
        attributes |= {
            "callsheet.tier": TIER_NAMES[end.tier_at_start],
            "callsheet.cached_tokens": end.cached_tokens,
            "gen_ai.usage.input_tokens": end.prompt_tokens,
            "gen_ai.usage.output_tokens": end.generated_tokens,
        }
    return attributes


def _wall_ns(monotonic_s: float) -> int:
    """Convert to the unit of spans' times: nanoseconds since 1970."""
    return time.time_ns() - round((time.monotonic() - monotonic_s) * 1e9)

"""What each client method sends and waits for, without I/O.

A call is a generator: it yields an open request, goes on when that is done, and returns what the
method returns. Both clients run the same calls.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

from callsheet._version import __version__
from callsheet.core.requests import Pending, PendingReply
from callsheet.core.session import ClientSession
from callsheet.core.settings import ClientSettings
from callsheet.wire.base import Request
from callsheet.wire.fields import PROTOCOL, Role
from callsheet.wire.observe import Explain, Explanation, Subscribe, Topic
from callsheet.wire.script import (
    Facts,
    GetFacts,
    RegisterScript,
    ScriptRegistered,
    SetFacts,
    UnregisterScript,
)
from callsheet.wire.session import ClientInfo, Hello
from callsheet.wire.talk import Priority, SamplingSpec, Say, Speak, Speaker
from callsheet.wire.world import (
    ConfigureWorld,
    Despawn,
    Hint,
    HintCalls,
    NpcSpec,
    PlayerSpec,
    ScheduledCall,
    Spawn,
    Spawned,
    UpdateNpc,
)

__all__ = [
    "Call",
    "Handles",
    "configure_world",
    "despawn",
    "explain",
    "get_facts",
    "hint_calls",
    "new_session",
    "register_script",
    "say",
    "set_facts",
    "spawn",
    "speak",
    "subscribe",
    "unregister_script",
    "update_npc",
]

T = TypeVar("T")
Call = Generator[Pending, None, T]

IDS_PER_DESPAWN = 10_000
HINTS_PER_MESSAGE = 10_000
FRAME_BYTES = 512
"""Room for what a message holds beside its items."""


@dataclass(frozen=True, slots=True)
class Handles:
    """The handles the server gave what was spawned, by id. Ticks name NPCs by handle."""

    npcs: dict[str, int] = field(default_factory=dict)
    players: dict[str, int] = field(default_factory=dict)


def new_session(
    url: str, role: Role, world: str, token: str | None, name: str, settings: ClientSettings | None
) -> ClientSession:
    """A session that has not started.

    Raises:
        ValueError: the URL is not a WebSocket URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ValueError(f"url: {url!r} is not like ws://127.0.0.1:8765 or wss://HOST:PORT")
    client = ClientInfo(name=name, version=__version__)
    hello = Hello(protocol=PROTOCOL, role=role, world=world, client=client, token=token)
    return ClientSession(hello, settings or ClientSettings(), random.random, url)


def configure_world(
    session: ClientSession,
    lore: str | None,
    player_max_speed_mps: float | None,
    npc_max_speed_mps: float | None,
) -> Call[None]:
    """``configure_world``."""
    yield from _ask(
        session,
        ConfigureWorld(
            id=session.next_id(),
            lore=lore,
            player_max_speed_mps=player_max_speed_mps,
            npc_max_speed_mps=npc_max_speed_mps,
        ),
    )


def spawn(
    session: ClientSession, npcs: Iterable[NpcSpec], players: Iterable[PlayerSpec]
) -> Call[Handles]:
    """``spawn``, in as many messages as the server's limits ask for."""
    handles = Handles()
    specs: list[NpcSpec | PlayerSpec] = [*players, *npcs]
    for part in _spawn_parts(session, specs):
        message = Spawn(
            id=session.next_id(),
            npcs=tuple(spec for spec in part if isinstance(spec, NpcSpec)),
            players=tuple(spec for spec in part if isinstance(spec, PlayerSpec)),
        )
        answer = yield from _ask(session, message)
        assert isinstance(answer, Spawned)
        handles.npcs.update((one.npc, one.handle) for one in answer.npcs)
        handles.players.update((one.player, one.handle) for one in answer.players)
    return handles


def _spawn_parts(
    session: ClientSession, specs: Sequence[NpcSpec | PlayerSpec]
) -> Iterator[list[NpcSpec | PlayerSpec]]:
    assert session.welcome is not None, "spawn() before the session was open"
    limits = session.welcome.limits
    part: list[NpcSpec | PlayerSpec] = []
    part_bytes = FRAME_BYTES
    for spec in specs:
        spec_bytes = len(spec.model_dump_json(exclude_none=True).encode()) + 1
        full = len(part) == limits.max_npcs_per_spawn
        if part and (full or part_bytes + spec_bytes > limits.max_message_bytes):
            yield part
            part, part_bytes = [], FRAME_BYTES
        part.append(spec)
        part_bytes += spec_bytes
    if part:
        yield part


def update_npc(
    session: ClientSession,
    npc: str,
    name: str | None,
    persona: str | None,
    adapter: str | None,
    interaction_radius_m: float | None,
    sociability: float | None,
    schedule: Iterable[ScheduledCall] | None,
    actions: Iterable[str] | None,
) -> Call[None]:
    """``update_npc``."""
    yield from _ask(
        session,
        UpdateNpc(
            id=session.next_id(),
            npc=npc,
            name=name,
            persona=persona,
            adapter=adapter,
            interaction_radius_m=interaction_radius_m,
            sociability=sociability,
            schedule=None if schedule is None else tuple(schedule),
            actions=None if actions is None else tuple(actions),
        ),
    )


def despawn(session: ClientSession, npcs: Iterable[str], players: Iterable[str]) -> Call[None]:
    """``despawn``, in parts if there are very many."""
    for part in _chunks(npcs, IDS_PER_DESPAWN):
        yield from _ask(session, Despawn(id=session.next_id(), npcs=part))
    for part in _chunks(players, IDS_PER_DESPAWN):
        yield from _ask(session, Despawn(id=session.next_id(), players=part))


def hint_calls(session: ClientSession, hints: Iterable[Hint]) -> Call[None]:
    """``hint_calls``, in parts if there are very many."""
    for part in _chunks(hints, HINTS_PER_MESSAGE):
        yield from _ask(session, HintCalls(id=session.next_id(), hints=part))


def subscribe(session: ClientSession, topics: Iterable[Topic], interval_s: float) -> Call[None]:
    """``subscribe``."""
    message = Subscribe(id=session.next_id(), topics=tuple(topics), interval_s=interval_s)
    yield from _ask(session, message)


def explain(session: ClientSession, npc: str) -> Call[Explanation]:
    """``explain``."""
    answer = yield from _ask(session, Explain(id=session.next_id(), npc=npc))
    assert isinstance(answer, Explanation)
    return answer


def register_script(session: ClientSession, script: RegisterScript) -> Call[tuple[str, ...]]:
    """``register_script``, with an id of its own. Returns the NPCs the script speaks for."""
    message = script.model_copy(update={"id": session.next_id()})
    answer = yield from _ask(session, message)
    assert isinstance(answer, ScriptRegistered)
    return answer.npcs


def unregister_script(session: ClientSession, script: str) -> Call[None]:
    """``unregister_script``."""
    yield from _ask(session, UnregisterScript(id=session.next_id(), script=script))


def set_facts(session: ClientSession, npc: str, facts: Mapping[str, Any]) -> Call[None]:
    """``set_facts``."""
    yield from _ask(session, SetFacts(id=session.next_id(), npc=npc, facts=dict(facts)))


def get_facts(session: ClientSession, npc: str) -> Call[dict[str, Any]]:
    """``get_facts``."""
    answer = yield from _ask(session, GetFacts(id=session.next_id(), npc=npc))
    assert isinstance(answer, Facts)
    return answer.facts


def say(
    session: ClientSession,
    npc: str,
    text: str,
    speaker: Speaker | str | None,
    priority: Priority | None,
    max_tokens: int | None,
    sampling: SamplingSpec | None,
    stop: Iterable[str],
) -> PendingReply:
    """``say``. A speaker given as text is a player's id; None is a narrator."""
    if speaker is None:
        speaker = Speaker(kind="narrator")
    elif isinstance(speaker, str):
        speaker = Speaker(kind="player", id=speaker)
    return session.request_reply(
        Say(
            id=session.next_id(),
            npc=npc,
            speaker=speaker,
            text=text,
            priority=priority,
            max_tokens=max_tokens,
            sampling=sampling,
            stop=tuple(stop),
        )
    )


def speak(session: ClientSession, npc: str, text: str) -> PendingReply:
    """``speak``."""
    return session.request_reply(Speak(id=session.next_id(), npc=npc, text=text))


def _ask(session: ClientSession, message: Request) -> Call[object]:
    pending = session.request(message)
    yield pending
    return pending.result()


def _chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    source = iter(items)
    while part := tuple(islice(source, size)):
        yield part

"""Calls: what each client method sends and waits for, without I/O.

A call is a generator: it yields an open request, goes on when that is done, and returns what the
method returns. Both clients run the same calls.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import ArrayLike

from callsheet._version import __version__
from callsheet.core.requests import Pending, PendingReply
from callsheet.core.session import ClientSession
from callsheet.core.settings import ClientSettings
from callsheet.wire.base import Reliable, Request
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.faults import shown
from callsheet.wire.fields import PROTOCOL, PolicyName, Role, Vec3
from callsheet.wire.observe import DrainReplica, Explain, Explanation, SetPolicy, Subscribe, Topic
from callsheet.wire.script import (
    Facts,
    GetFacts,
    RegisterScript,
    ScriptRegistered,
    SetFacts,
    UnregisterScript,
)
from callsheet.wire.session import ClientInfo, Hello
from callsheet.wire.talk import Hear, Priority, SamplingSpec, Say, Speak, Speaker
from callsheet.wire.world import (
    ActionSpec,
    ConditionalLore,
    ConfigureWorld,
    Join,
    Joined,
    MovePlayer,
    ScheduledCall,
    UpdateNpc,
)

__all__ = [
    "Call",
    "ask",
    "configure_world",
    "drain_replica",
    "explain",
    "get_facts",
    "hear",
    "join",
    "move_player",
    "new_session",
    "register_script",
    "say",
    "set_facts",
    "set_policy",
    "several",
    "speak",
    "subscribe",
    "unregister_script",
    "update_npc",
]

T = TypeVar("T")
Call = Generator[Pending, None, T]


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
    lore_entries: Iterable[ConditionalLore] | None,
    flags: Iterable[str] | None,
) -> Call[None]:
    """``configure_world``."""
    yield from ask(
        session,
        ConfigureWorld(
            id=session.next_id(),
            lore=lore,
            player_max_speed_mps=player_max_speed_mps,
            npc_max_speed_mps=npc_max_speed_mps,
            lore_entries=_list("lore_entries", lore_entries, ConditionalLore),
            flags=_list("flags", flags, str),
        ),
    )


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
    action_specs: Iterable[ActionSpec] | None,
    knowledge: Iterable[str] | None,
) -> Call[None]:
    """``update_npc``."""
    yield from ask(
        session,
        UpdateNpc(
            id=session.next_id(),
            npc=npc,
            name=name,
            persona=persona,
            adapter=adapter,
            interaction_radius_m=interaction_radius_m,
            sociability=sociability,
            schedule=_list("schedule", schedule, ScheduledCall),
            actions=_list("actions", actions, str),
            action_specs=_list("action_specs", action_specs, ActionSpec),
            knowledge=_list("knowledge", knowledge, str),
        ),
    )


def subscribe(session: ClientSession, topics: Iterable[Topic], interval_s: float) -> Call[None]:
    """``subscribe``."""
    message = Subscribe(id=session.next_id(), topics=tuple(topics), interval_s=interval_s)
    yield from ask(session, message)


def explain(session: ClientSession, npc: str) -> Call[Explanation]:
    """``explain``."""
    answer = yield from ask(session, Explain(id=session.next_id(), npc=npc))
    assert isinstance(answer, Explanation)
    return answer


def set_policy(session: ClientSession, policy: PolicyName) -> Call[None]:
    """``set_policy``."""
    yield from ask(session, SetPolicy(id=session.next_id(), policy=policy))


def drain_replica(session: ClientSession, replica: str, undo: bool) -> Call[None]:
    """``drain_replica``."""
    yield from ask(session, DrainReplica(id=session.next_id(), replica=replica, undo=undo))


def join(session: ClientSession, name: str, position_m: ArrayLike) -> Call[Joined]:
    """``join``."""
    position = _point("position_m", position_m)
    answer = yield from ask(session, Join(id=session.next_id(), name=name, position=position))
    assert isinstance(answer, Joined)
    return answer


def move_player(position_m: ArrayLike, velocity_mps: ArrayLike) -> MovePlayer:
    """``move_player``."""
    return MovePlayer(
        position=_point("position_m", position_m), velocity=_point("velocity_mps", velocity_mps)
    )


def register_script(session: ClientSession, script: RegisterScript) -> Call[tuple[str, ...]]:
    """``register_script``, with an id of its own. Returns the NPCs the script speaks for."""
    (script,) = several("script", [script], RegisterScript)
    message = script.model_copy(update={"id": session.next_id()})
    answer = yield from ask(session, message)
    assert isinstance(answer, ScriptRegistered)
    return tuple(answer.npcs)


def unregister_script(session: ClientSession, script: str) -> Call[None]:
    """``unregister_script``."""
    yield from ask(session, UnregisterScript(id=session.next_id(), script=script))


def set_facts(session: ClientSession, npc: str, facts: Mapping[str, Any]) -> Call[None]:
    """``set_facts``."""
    if not isinstance(facts, Mapping):
        raise _bad_argument("facts", "must be a dict", facts)
    yield from ask(session, SetFacts(id=session.next_id(), npc=npc, facts=dict(facts)))


def get_facts(session: ClientSession, npc: str) -> Call[dict[str, Any]]:
    """``get_facts``."""
    answer = yield from ask(session, GetFacts(id=session.next_id(), npc=npc))
    assert isinstance(answer, Facts)
    return answer.facts


def say(
    session: ClientSession,
    npc: str | Iterable[str],
    text: str,
    speaker: Speaker | str | None,
    priority: Priority | None,
    max_tokens: int | None,
    sampling: SamplingSpec | None,
    stop: Iterable[str],
    actions: Iterable[str] | None,
    audible_m: float | None,
) -> PendingReply:
    """``say``."""
    return session.request_reply(
        Say(
            id=session.next_id(),
            npc=npc if isinstance(npc, str) else None,
            npcs=None if isinstance(npc, str) else several("npc", npc, str),
            speaker=_speaker(speaker),
            text=text,
            priority=priority,
            max_tokens=max_tokens,
            sampling=sampling,
            stop=several("stop", stop, str),
            actions=_list("actions", actions, str),
            audible_m=audible_m,
        )
    )


def hear(
    session: ClientSession, npcs: Iterable[str], text: str, speaker: Speaker | str | None
) -> Call[None]:
    """``hear``."""
    names = several("npcs", npcs, str)
    message = Hear(id=session.next_id(), npcs=names, speaker=_speaker(speaker), text=text)
    yield from ask(session, message)


def speak(session: ClientSession, npc: str, text: str, audible_m: float | None) -> PendingReply:
    """``speak``."""
    message = Speak(id=session.next_id(), npc=npc, text=text, audible_m=audible_m)
    return session.request_reply(message)


def ask(session: ClientSession, message: Request) -> Call[Reliable]:
    """Send a request and wait for its answer."""
    pending = session.request(message)
    yield pending
    return pending.result()


def several(field: str, given: Iterable[T], kind: type[T]) -> tuple[T, ...]:
    """The items of a list that a caller gave.

    Raises:
        ProtocolError: ``bad_message``: it is no list of these; a single one must stand in a list.
    """
    if isinstance(given, kind) or not isinstance(given, Iterable):
        raise _bad_argument(field, f"must be a list of {kind.__name__}", given)
    items = tuple(given)
    for index, item in enumerate(items):
        if not isinstance(item, kind):
            raise _bad_argument(f"{field}.{index}", f"must be a {kind.__name__}", item)
    return items


def _speaker(given: Speaker | str | None) -> Speaker:
    """Text is a player's id; None is a narrator."""
    if isinstance(given, str):
        return Speaker(kind="player", id=given)
    return given or Speaker(kind="narrator")


def _list(field: str, given: Iterable[T] | None, kind: type[T]) -> tuple[T, ...] | None:
    return None if given is None else several(field, given, kind)


def _bad_argument(field: str, advice: str, given: object) -> CallsheetError:
    message = f"{field}: {advice}, not {type(given).__name__}"
    return error_for(ErrorCode.BAD_MESSAGE, message, field=field, value=shown(given))


def _point(field: str, given: ArrayLike) -> Vec3:
    try:
        x, y, z = np.asarray(given, np.float64).tolist()
        return float(x), float(y), float(z)
    except (TypeError, ValueError):
        raise _bad_argument(field, "must be three numbers x, y and z", given) from None

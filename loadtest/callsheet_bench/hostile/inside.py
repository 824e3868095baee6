"""Attacks by those who were let in: observers, mods, and games of other worlds."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

from callsheet_bench.hostile.attack import Ground, attack
from callsheet_bench.hostile.outside import FLOODING, MIB, NORMAL, PROTOCOL_ERROR, TOO_LARGE, repeat
from callsheet_bench.hostile.raw_socket import CONTINUATION, LOST, PING, TEXT, RawSocket, frame

BAD_FRAMES = 1002
HEARTBEAT_TIMEOUT = 4006
SLOW_CONSUMER = 4008
NPCS = 20_000
"""Of a world that is large, but not too large."""
SPAWNED_AT_ONCE = 600
SMALL_BUFFER_BYTES = 4_096
REQUESTS = 1_000
"""More than are allowed or refused in the time that it takes to read them."""
TICKS_PER_S = 200
"""Fewer than a game may send: ticks beyond are dropped."""


def text(**message: Any) -> bytes:
    return frame(TEXT, json.dumps(message).encode())


@attack(FLOODING, LOST)
def pings_unread(ground: Ground) -> Iterator[int]:
    """Memory, by pings whose pongs an observer does not read."""
    passing = ground.passing()
    pings = frame(PING, bytes(125)) * 400
    for _ in passing:
        try:
            with ground.connect(receive_buffer_bytes=SMALL_BUFFER_BYTES) as peer:
                peer.hello("observer", "elsewhere")
                with contextlib.suppress(OSError):
                    peer.send(pings)
                    for _ in passing:
                        peer.send(pings)
                yield peer.close_code()
        except OSError:
            yield LOST


@attack(FLOODING, BAD_FRAMES, LOST)
def fragments(ground: Ground) -> Iterator[int]:
    """CPU and memory, by an observer's message of endless empty fragments."""
    more = frame(CONTINUATION, last=False) * 400
    yield from repeat(ground, frame(TEXT, b"{", last=False) + more, role="observer")


@attack(TOO_LARGE, LOST)
def large_join(ground: Ground) -> Iterator[int]:
    """CPU, by an observer's join of 1 MiB with a million faults."""
    faults = b",".join([b"[]"] * (MIB // 3 - 100))
    join = b'{"type":"join","id":1,"position":[0,0,0],"name":[' + faults + b"]}"
    yield from repeat(ground, frame(TEXT, join), role="observer")


@attack(FLOODING, LOST)
def bad_messages(ground: Ground) -> Iterator[int]:
    """CPU, by messages that are as long as an observer may send and all wrong."""
    faults = b",".join([b"[]"] * 900)
    bad = b'{"type":"join","id":1,"position":[0,0,0],"name":[' + faults + b"]}"
    yield from repeat(ground, frame(TEXT, bad), role="observer")


@attack(FLOODING, LOST)
def deep_messages(ground: Ground) -> Iterator[int]:
    """Recursion, by a mod's facts inside facts."""
    facts = (
        b'{"type":"set_facts","id":1,"npc":"n","facts":' + b'{"a":' * 2_000 + b"1" + b"}" * 2_001
    )
    yield from repeat(ground, frame(TEXT, facts), role="mod")


@attack(FLOODING, SLOW_CONSUMER, LOST)
def many_messages(ground: Ground) -> Iterator[int]:
    """CPU, by an observer's good messages, as many as go."""
    yield from repeat(ground, text(type="ping", client_time_s=1.0) * 100, role="observer")


@attack(FLOODING, LOST)
def large_world_watched(ground: Ground) -> Iterator[int]:
    """CPU, by observers of a large world who ask for all of it, always."""
    with large_world(ground, "watched"), contextlib.ExitStack() as stack:
        peers = [stack.enter_context(ground.connect()) for _ in range(4)]
        for peer in peers:
            peer.hello("observer", "watched")
            peer.ask(type="subscribe", id=1, topics=["npcs", "stats"], interval_s=0.05)
        requests = itertools.count(2)
        for _ in ground.passing():
            for peer in peers:
                with contextlib.suppress(OSError):
                    peer.ask(type="explain", id=next(requests), npc="n5")
        for peer in peers:
            with contextlib.suppress(OSError):
                peer.send(insisting(requests, type="explain", npc="n5"))
            yield peer.close_code()


@attack(besides=(NORMAL, PROTOCOL_ERROR, LOST))
def scripts_again_and_again(ground: Ground) -> Iterator[int]:
    """CPU, by a mod that registers scripts for all of a large world, session after session."""
    script = {"type": "register_script", "script": "s", "archetypes": ["crowd"]}
    with large_world(ground, "scripted"):
        passing = ground.passing()
        for _ in passing:
            try:
                with ground.connect() as mod:
                    mod.hello("mod", "scripted")
                    for request in itertools.count(1):
                        if mod.ask(**script, id=request)["type"] == "error":
                            break
                        if next(passing, None) is None:
                            break
                    mod.say(type="bye")
                    yield mod.close_code()
            except OSError:
                yield LOST


@attack(FLOODING, PROTOCOL_ERROR, LOST)
def scripts_insisted_on(ground: Ground) -> Iterator[int]:
    """CPU, by mods that register scripts for all of a large world however often it is refused."""
    script = {"type": "register_script", "script": "s", "archetypes": ["crowd"]}
    with large_world(ground, "insisted"):
        for _ in ground.passing():
            try:
                with ground.connect() as mod:
                    if mod.hello("mod", "insisted")["type"] == "welcome":
                        mod.send(insisting(itertools.count(1), **script))
                    yield mod.close_code()
            except OSError:
                yield LOST


@attack()
def crowds_that_come_and_go(ground: Ground) -> Iterator[int]:
    """CPU and the other worlds' ticks, by a game whose crowd is spawned and despawned for ever."""
    with ground.connect() as game:
        game.hello("game", "crowded")
        requests = itertools.count(1)
        for _ in ground.passing():
            answer = game.ask(type="spawn", id=next(requests), npcs=crowd(0))
            game.say(type="ack", seq=answer["seq"])
            names = [f"n{i}" for i in range(SPAWNED_AT_ONCE)]
            game.ask(type="despawn", id=next(requests), npcs=names)
        game.say(type="bye")
        if (code := game.close_code()) != NORMAL:
            yield code


@attack(FLOODING, LOST)
def saves_again_and_again(ground: Ground) -> Iterator[int]:
    """CPU and the disk, by a game that goes back to a save over and over."""
    loads = b"".join(text(type="load", id=request, name="s") for request in range(3, 400))
    for _ in ground.passing():
        try:
            with ground.connect() as game:
                game.hello("game", "saved")
                game.ask(type="spawn", id=1, npcs=crowd(0))
                game.ask(type="save", id=2, name="s")
                game.send(loads)
                yield game.close_code()
        except OSError:
            yield LOST


@attack(besides=(SLOW_CONSUMER, HEARTBEAT_TIMEOUT, LOST))
def players_who_jump_about(ground: Ground) -> Iterator[int]:
    """CPU and memory, by a mod that is told of 64 players among its NPCs, and does not read."""
    script = {"script": "s", "archetypes": ["crowd"], "events": ["near"]}
    players = [{"player": f"p{i}", "name": "P", "position": [0.0, 0.0, 0.0]} for i in range(64)]
    with ground.connect() as game, ground.connect() as mod:
        game.hello("game", "jumping")
        npcs = [{**npc, "position": [0.0, 0.0, 0.0]} for npc in crowd(0)]
        answer = game.ask(type="spawn", id=1, npcs=npcs, players=players)
        here = [{"handle": npc["handle"], "position": [0.0, 0.0, 0.0]} for npc in answer["npcs"]]
        handles = [player["handle"] for player in answer["players"]]
        game.say(type="tick", tick=1, kind="keyframe", game_time_s=0.0, npcs=here)
        mod.hello("mod", "jumping")
        mod.ask(type="register_script", id=1, **script)
        for number, passed_s in enumerate(ground.passing(), 2):
            there = [1_000.0 * (number % 2), 0.0, 0.0]
            jumps = [{"handle": handle, "position": there} for handle in handles]
            tick = {"tick": number, "kind": "delta", "game_time_s": passed_s, "players": jumps}
            game.say(type="tick", ack=True, **tick)
            if next(game.messages(), None) is None:
                break
            time.sleep(1 / TICKS_PER_S)
        for peer in (mod, game):
            with contextlib.suppress(OSError):
                peer.say(type="bye")
            if (code := peer.close_code()) != NORMAL:
                yield code


@attack(FLOODING, LOST)
def schemas(ground: Ground) -> Iterator[int]:
    """CPU and memory, by actions whose parameters are endless."""
    laughs: dict[str, Any] = {"a0": {"type": "string", "minLength": 10}}
    for level in range(1, 12):
        lower = {"$ref": f"#/$defs/a{level - 1}"}
        laughs[f"a{level}"] = {"type": "array", "prefixItems": [lower] * 10, "minItems": 10}
    endless = [
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a11"}}, "$defs": laughs},
        {"type": "object", "properties": {"a": {"type": "array", "minItems": 1_000_000}}},
        {"type": "object", "properties": {"a": {"type": "string", "minLength": 10_000_000}}},
    ]
    with ground.connect() as game, ground.connect() as mod:
        game.hello("game", "schemas")
        game.ask(type="spawn", id=1, npcs=crowd(0, 1))
        mod.hello("mod", "schemas")
        requests = itertools.count(2)
        for _ in ground.passing():
            for number, parameters in enumerate(endless):
                parameters["required"] = ["a"]
                action = {"name": "act", "description": "Acts.", "parameters": parameters}
                script = {"script": f"s{number}", "npcs": ["n0"], "actions": [action]}
                with contextlib.suppress(OSError):
                    mod.ask(type="register_script", id=next(requests), **script)
            words = {"npc": "n0", "text": "Do it!", "max_tokens": 5}
            speaker = {"kind": "narrator"}
            game.say(type="say", id=next(requests), speaker=speaker, **words)
            for message in game.messages():
                if message["type"] in ("reply_end", "error"):
                    break
        with contextlib.suppress(OSError):
            mod.send(insisting(requests, type="register_script", **script))
        yield mod.close_code()


def insisting(requests: Iterator[int], **request: Any) -> bytes:
    """Return a request, over and over: as often as nobody may be refused."""
    again = itertools.islice(requests, REQUESTS)
    return b"".join(text(**request, id=number) for number in again)


def crowd(first: int, size: int = SPAWNED_AT_ONCE) -> list[dict[str, Any]]:
    """Specs of NPCs, numbered from ``first``."""
    spec = {"name": "N", "persona": "A villager.", "archetype": "crowd"}
    return [{"npc": f"n{number}", **spec} for number in range(first, first + size)]


@contextlib.contextmanager
def large_world(ground: Ground, name: str) -> Iterator[RawSocket]:
    """Fill a world with NPCs, without a tick, for as long as the body runs.

    Each has a name of its own: what one cost its world is still owed while the next begins.
    """
    with ground.connect() as game:
        game.hello("game", name)
        for request, first in enumerate(range(0, NPCS, SPAWNED_AT_ONCE), 1):
            answer = game.ask(type="spawn", id=request, npcs=crowd(first))
            game.say(type="ack", seq=answer["seq"])
        yield game

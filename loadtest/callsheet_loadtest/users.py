"""Games, mods and observers."""

from __future__ import annotations

import math
import random
import time
from collections import deque

import gevent
import numpy as np
from locust import task

from callsheet.core.errors import SessionClosedError
from callsheet.core.events import SessionState, StateChanged
from callsheet.core.session import ClientSession
from callsheet.wire.errors import CallsheetError, ErrorCode
from callsheet.wire.observe import Stats
from callsheet.wire.script import PlayerNear, RegisterScript
from callsheet.wire.world import NpcSpec, PlayerSpec, TickAck
from callsheet_loadtest.callsheet_user import CallsheetUser
from callsheet_loadtest.crowd import Crowd, Meeting
from callsheet_loadtest.metronome import Metronome

__all__ = ["GameUser", "ModUser", "ObserverUser"]

ACK_TIMEOUT_S = 5.0
EXPLAIN_PERIOD_S = 5.0
"""Time between two clicks of an observer on an NPC."""
ARCHETYPES = ("guard", "merchant", "farmer", "smith")
LINES = ("Good day!", "What news from the market?", "Have you seen my cart?", "Any work for me?")


class Joining:
    """Tells ticks sent while games still join from those of the full load."""

    SETTLE_S = 2.0

    def __init__(self) -> None:
        self._joining = 0
        self._settled_at_s = 0.0

    def __enter__(self) -> None:
        self._joining += 1

    def __exit__(self, *_: object) -> None:
        self._joining -= 1
        self._settled_at_s = time.monotonic() + self.SETTLE_S

    @property
    def row(self) -> str:
        """The row for an ack that comes now."""
        settled = not self._joining and time.monotonic() >= self._settled_at_s
        return "ack" if settled else "ack while joining"


class GameUser(CallsheetUser):
    """A game: owns a world whose NPCs walk about, streams its ticks, talks to whom it meets."""

    role = "game"
    _joining = Joining()

    def on_start(self) -> None:
        with self._joining:
            self._join()

    def _join(self) -> None:
        super().on_start()
        self._unacked: deque[tuple[int, float]] = deque()
        self.client.on(self._acked, TickAck)
        npcs = self.plan.npcs_of(self.world_index)
        self.crowd = Crowd(npcs, self.plan.players, seed=self.world_index)
        started_s = time.monotonic()
        handles = self.client.spawn(
            [
                NpcSpec(
                    npc=f"npc-{n}",
                    name=f"Npc {n}",
                    archetype=ARCHETYPES[n % len(ARCHETYPES)],
                    persona=f"You are villager number {n}, who is always on the way somewhere.",
                    sociability=0.5,
                )
                for n in range(npcs)
            ],
            [PlayerSpec(player=f"player-{p}", name=f"P {p}") for p in range(self.plan.players)],
        )
        self.record("game", "spawn", started_s)
        self._handles = np.fromiter(handles.npcs.values(), np.uint32)
        self._player_handles = np.fromiter(handles.players.values(), np.uint32)
        period_s = 1.0 / self.plan.hz
        self._started_s = time.monotonic() + random.random() * period_s
        self.beat = Metronome(period_s, self._started_s)
        gevent.sleep(max(self.beat.due_s - time.monotonic(), 0.0))

    def _open(self, index: int) -> int:
        """Join the first world from this one on that no other game has."""
        for candidate in range(index, index + self.plan.games):
            try:
                return super()._open(candidate)
            except CallsheetError as error:
                if error.code is not ErrorCode.WORLD_TAKEN:
                    raise
        raise RuntimeError(f"each of the {self.plan.games} worlds has a game already")

    @task
    def tick(self) -> None:
        """Move everybody, tell the server, start what talks there are."""
        self.stampede()
        for _ in range(self.beat.take_skipped()):
            self.record("tick", "skipped", self.beat.due_s)
        game_s = self.beat.due_s - self._started_s
        crowd = self.crowd
        meetings = crowd.step(game_s, self.plan.flash)
        sent_s = time.monotonic()
        tick = self.client.send_tick(
            game_s,
            self._handles,
            crowd.position_m,
            crowd.velocity_mps,
            crowd.next_call_s,
            player_handles=self._player_handles,
            player_positions_m=crowd.player_position_m,
            player_velocities_mps=crowd.player_velocity_mps,
            ack=True,
        )
        if self._lost_at_s is None:
            self._unacked.append((tick, sent_s))
        for meeting in meetings:
            self._talks.spawn(self._talk, meeting)
        if self._unacked and sent_s - self._unacked[0][1] > ACK_TIMEOUT_S:
            tick, asked_s = self._unacked.popleft()
            error = TimeoutError(f"no ack within {ACK_TIMEOUT_S:g} s")
            self.record("tick", "ack", asked_s, error=error)

    def _talk(self, meeting: Meeting) -> None:
        """Say something and read the answer to its end."""
        speaker = None if meeting.player is None else f"player-{meeting.player}"
        started_s, first = time.monotonic(), True
        try:
            reply = self.client.say(f"npc-{meeting.npc}", random.choice(LINES), speaker=speaker)
            for _ in reply:
                if first:
                    self.record("say", "first token", started_s)
                first = False
        except SessionClosedError:
            return
        except Exception as error:
            self.record("say", "first token" if first else "end", started_s, error=error)
        else:
            self.record("say", "end", started_s)

    def _acked(self, ack: TickAck) -> None:
        while self._unacked and self._unacked[0][0] <= ack.tick:
            _, sent_s = self._unacked.popleft()
            self.record("tick", self._joining.row, sent_s)

    def _state_changed(self, event: StateChanged) -> None:
        if event.state is SessionState.DISCONNECTED:
            self._unacked.clear()  # Whether these came through, nobody will say.
        super()._state_changed(event)


class ModUser(CallsheetUser):
    """A mod: scripts one kind of NPC, whose greeting it speaks when a player comes near."""

    role = "mod"

    def on_start(self) -> None:
        super().on_start()
        self._near: deque[PlayerNear] = deque(maxlen=64)
        self.client.on(self._near.append, PlayerNear)
        self.beat = Metronome(0.25, time.monotonic())
        archetype = ARCHETYPES[self.world_index % len(ARCHETYPES)]
        started_s = time.monotonic()
        self.client.register_script(
            RegisterScript(id=1, script="greeter", archetypes=(archetype,), events=("near",))
        )
        self.record("mod", "register_script", started_s)

    @task
    def greet(self) -> None:
        """Greet whoever has come near since the last time."""
        self.stampede()
        while self._near:
            near, started_s = self._near.popleft(), time.monotonic()
            try:
                self.client.speak(near.npc, "Halt! Who goes there?").end()
            except Exception as error:
                self.record("mod", "speak", started_s, error=error)
            else:
                self.record("mod", "speak", started_s)


class PictureSession(ClientSession):
    """Lets NPC states pass unread: dozens of observers that validate them would load this machine
    far more than the server, and measure themselves.
    """

    def receive(self, frame: str | bytes, now_s: float) -> None:
        if not (isinstance(frame, str) and frame.startswith('{"type":"npc_states"')):
            super().receive(frame, now_s)


class ObserverUser(CallsheetUser):
    """Looks on: is told of all NPCs, and asks why one of them has its distance."""

    role = "observer"
    session_class = PictureSession

    def on_start(self) -> None:
        super().on_start()
        self._due_s = math.inf
        self.client.on(self._pictured, Stats)
        self.beat = Metronome(
            EXPLAIN_PERIOD_S, time.monotonic() + EXPLAIN_PERIOD_S * random.random()
        )
        self.client.subscribe("npcs", "stats", interval_s=self.plan.observe_interval_s)

    def _pictured(self, _: Stats) -> None:
        """The statistics come right after the NPC states: note how late the whole picture is."""
        now_s = time.monotonic()
        self.record("observer", "picture late by", min(self._due_s, now_s))
        self._due_s = now_s + self.plan.observe_interval_s

    @task
    def explain(self) -> None:
        """Ask about an NPC."""
        self.stampede()
        npc = f"npc-{random.randrange(self.plan.npcs_of(self.world_index))}"
        started_s = time.monotonic()
        try:
            self.client.explain(npc)
        except CallsheetError as error:
            if error.code not in (ErrorCode.WORLD_NOT_READY, ErrorCode.UNKNOWN_NPC):
                self.record("observer", "explain", started_s, error=error)
        except Exception as error:
            self.record("observer", "explain", started_s, error=error)
        else:
            self.record("observer", "explain", started_s)

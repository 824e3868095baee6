"""A client session and the other end of its connection, in one thread, with its own time."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from callsheet.core.calls import new_session
from callsheet.core.events import Event, SessionState
from callsheet.core.session import CONNECTED, ClientSession
from callsheet.core.settings import ClientSettings
from callsheet.wire.base import ServerMessage
from callsheet.wire.codec import encode
from callsheet.wire.fields import Role
from callsheet.wire.session import EngineSummary, Limits, Welcome
from callsheet.wire.tick import Tick, decode_tick

__all__ = ["Link", "welcome"]


def welcome(**changes: Any) -> Welcome:
    fields: dict[str, Any] = {
        "protocol": "1.0",
        "session": "s1",
        "resume_token": "t1",
        "resumed": False,
        "last_request_id": 0,
        "world": "town",
        "role": "game",
        "limits": Limits(
            max_message_bytes=100_000,
            max_tick_bytes=4_000_000,
            max_npcs_per_world=50_000,
            max_npcs_per_spawn=3,
            max_players_per_world=64,
            max_open_requests=256,
            max_messages_per_s=1000.0,
            max_ticks_per_s=200.0,
        ),
        "heartbeat_interval_s": 5.0,
        "resume_grace_s": 30.0,
        "server_version": "0.1.0",
        "server_time_s": 0.0,
        "engine": EngineSummary(
            name="scripted",
            version="1",
            model="none",
            device="cpu",
            context_limit_tokens=2048,
            keeps_residency=False,
        ),
    }
    return Welcome(**fields | changes)


class Link:
    """Drives a session: what it sends is read here, what it gets is given here."""

    def __init__(self, *, random: float = 0.5, role: Role = "game", **settings: Any) -> None:
        self.now_s = 100.0
        self.random = random
        made = new_session(
            "ws://127.0.0.1:1",
            role,
            "town",
            None,
            "test",
            ClientSettings(**settings),
        )
        # The same session with chance and time in the test's hands.
        self.session = ClientSession(made._hello, made.settings, lambda: self.random, made.url)
        self.told: list[Event] = []
        self.session.events.on((object,), self.told.append)  # type: ignore[arg-type]

    def state(self) -> SessionState:
        return self.session.state

    def sent(self) -> list[Any]:
        """Everything that the session sends now: messages as dicts, ticks decoded."""
        frames = []
        while (frame := self.session.next_frame()) is not None:
            frames.append(decode_tick(frame) if isinstance(frame, bytes) else json.loads(frame))
        return frames

    def sent_types(self) -> list[str]:
        return ["tick" if isinstance(one, Tick) else one["type"] for one in self.sent()]

    def give(self, message: ServerMessage | dict[str, Any]) -> None:
        frame = encode(message) if isinstance(message, BaseModel) else json.dumps(message)
        self.session.receive(frame, self.now_s)

    def open(self, **changes: Any) -> dict[str, Any]:
        """Bring the session to OPEN; returns the hello."""
        if self.state() is SessionState.DISCONNECTED and not self.told:
            self.session.start(self.now_s)
        while self.state() is SessionState.DISCONNECTED:
            self.step()
        self.session.connected(self.now_s)
        (hello,) = self.sent()
        self.give(welcome(**changes))
        assert self.state() is SessionState.OPEN
        return dict(hello)

    def lose(self, close_code: int | None = 1006, reason: str = "") -> None:
        self.session.disconnected(self.now_s, close_code, reason)

    def step(self) -> None:
        """Let time pass until the session's next deadline."""
        deadline_s = self.session.next_deadline_s
        assert deadline_s is not None
        self.now_s = max(self.now_s, deadline_s)
        self.session.advance(self.now_s)

    def wait(self, seconds: float) -> None:
        """Let time pass, with everything that falls due meanwhile, while it is connected."""
        until_s = self.now_s + seconds
        while (deadline_s := self.session.next_deadline_s) is not None and deadline_s <= until_s:
            self.step()
            if self.state() not in CONNECTED:
                return
        self.now_s = until_s
        self.session.advance(self.now_s)

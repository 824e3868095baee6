"""The asyncio client.

    async with callsheet.connect("ws://127.0.0.1:8765", role="game", world="town") as game:
        await game.spawn([NpcSpec(npc="bram", name="Bram")])
        async for text in await game.say("bram", "Good evening."):
            print(text, end="")

Methods that send wait while the queue of unsent messages is full. Cancelling a method that waits
for an answer leaves the request with the server; cancel a reply with ``Reply.cancel``.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from numpy.typing import ArrayLike

from callsheet.core import batches, calls
from callsheet.core.batches import Handles
from callsheet.core.events import Event, EventFeed, SessionState
from callsheet.core.requests import PendingReply
from callsheet.core.session import ClientSession
from callsheet.core.settings import ClientSettings
from callsheet.drivers.aio import AsyncioDriver
from callsheet.wire.base import ClientMessage
from callsheet.wire.fields import PolicyName, Role
from callsheet.wire.observe import Explanation, Topic
from callsheet.wire.script import RegisterScript
from callsheet.wire.session import Welcome
from callsheet.wire.talk import Action, ActionResult, Priority, ReplyEnd, SamplingSpec, Speaker
from callsheet.wire.world import Hint, Joined, NpcSpec, PlayerSpec, ScheduledCall

__all__ = ["Client", "Reply", "connect"]

E = TypeVar("E", bound=Event)


def connect(
    url: str,
    *,
    role: Role,
    world: str,
    token: str | None = None,
    name: str = "callsheet-python",
    settings: ClientSettings | None = None,
) -> Client:
    """A client for ``async with``; entering waits until the session is open.

    Args:
        url: ``ws://HOST:PORT`` or ``wss://...``.
        role: ``game``, ``mod`` or ``observer``.
        world: the world's id.
        token: the access token, if the server asks for one.
        name: shown in the server's log.
        settings: timeouts and limits.

    Raises:
        ValueError: the URL is not a WebSocket URL.
        ConnectFailedError: on entering; no server within ``connect_timeout_s``.
        CallsheetError: a wrong role, id or name; on entering: the server refused.
    """
    return Client(calls.new_session(url, role, world, token, name, settings))


class Reply:
    """An NPC's reply while it arrives: iterate over its text, or wait for its ``end``."""

    def __init__(self, client: Client, pending: PendingReply) -> None:
        self._client, self._pending = client, pending
        self._wait = client._driver.waiter(pending)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pending.deltas)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions so far; complete when the reply has ended."""
        return tuple(self._pending.actions)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Each new piece of text. Raises as ``end`` does, when the text so far is read."""
        pending, read = self._pending, 0
        while True:
            await self._wait(lambda: read < len(pending.deltas) or pending.done)  # noqa: B023
            if read == len(pending.deltas):
                pending.result()
                return
            yield pending.deltas[read]
            read += 1

    def __await__(self) -> Generator[object, None, ReplyEnd]:
        """``await reply`` is ``await reply.end()``."""
        return self.end().__await__()

    async def end(self) -> ReplyEnd:
        """Wait for the end, with the whole text.

        Raises:
            CallsheetError: the say was refused, or the reply ended with an error.
            SessionLostError: the session could not be resumed.
        """
        await self._wait(lambda: self._pending.done)
        end = self._pending.result()
        assert isinstance(end, ReplyEnd)
        return end

    def cancel(self) -> None:
        """Stop it; its end says "cancelled". Without effect if it has ended."""
        with self._client._driver.changing():
            self._client._session.cancel(self._pending)


class Client:
    """One session, kept open over as many connections as it takes. Made by ``connect``."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._driver = AsyncioDriver(session)

    # The session.

    async def __aenter__(self) -> Self:
        try:
            await self._driver.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session for good: what is queued is sent, open requests fail."""
        await self._driver.close()

    def drop_connection(self) -> None:
        """Cut the connection as a failing network would, to test a game; the session resumes."""
        self._driver.drop_connection()

    @property
    def state(self) -> SessionState:
        """State of the session; ``on(callback, StateChanged)`` tells of changes."""
        return self._session.state

    @property
    def welcome(self) -> Welcome:
        """The server's welcome when the session opened: limits, engine, versions."""
        return self._session.opened()

    @property
    def clock_offset_s(self) -> float | None:
        """Server clock minus ``time.monotonic()`` here; None before the first heartbeat."""
        return self._session.clock.offset_s

    def on(self, callback: Callable[[E], None], *types: type[E]) -> Callable[[], None]:
        """Call back with every event of these types, from the event loop.

        Returns:
            A function that ends it.
        """
        with self._driver.changing():
            return self._session.events.on(types, callback)

    async def events(self, *types: type[E]) -> AsyncGenerator[E]:
        """The events of these types from the first ``anext`` on, until the session is closed.

        Raises:
            EventOverflowError: more than ``max_queued_events`` were waiting to be read.
        """
        with self._driver.changing():
            max_queued = self._session.settings.max_queued_events
            feed = EventFeed(self._session.events, types, max_queued)
        wait = self._driver.waiter(feed, math.inf)
        with feed:
            while True:
                await wait(lambda: bool(feed.queue) or feed.ended)
                if not feed.queue:
                    return
                yield feed.take()

    # The world (role game).

    async def configure_world(
        self,
        *,
        lore: str | None = None,
        player_max_speed_mps: float | None = None,
        npc_max_speed_mps: float | None = None,
    ) -> None:
        """Set what holds for the whole world; None keeps a value."""
        await self._driver.call(
            calls.configure_world(self._session, lore, player_max_speed_mps, npc_max_speed_mps)
        )

    async def spawn(
        self, npcs: Iterable[NpcSpec] = (), players: Iterable[PlayerSpec] = ()
    ) -> Handles:
        """Add NPCs and players.

        More than the server takes at once go in parts.

        Raises:
            BatchError: some were refused; it says who and why, and has the handles of the others.
            CallsheetError: all were refused, for this one reason.
        """
        return await self._driver.call(batches.spawn(self._session, npcs, players))

    async def update_npc(
        self,
        npc: str,
        *,
        name: str | None = None,
        persona: str | None = None,
        adapter: str | None = None,
        interaction_radius_m: float | None = None,
        sociability: float | None = None,
        schedule: Iterable[ScheduledCall] | None = None,
        actions: Iterable[str] | None = None,
    ) -> None:
        """Change an NPC; None keeps a value, ``adapter=""`` takes the adapter away."""
        await self._driver.call(
            calls.update_npc(
                self._session,
                npc,
                name,
                persona,
                adapter,
                interaction_radius_m,
                sociability,
                schedule,
                actions,
            )
        )

    async def despawn(self, npcs: Iterable[str] = (), players: Iterable[str] = ()) -> None:
        """Remove NPCs and players. Raises as ``spawn`` does: the others are removed."""
        await self._driver.call(batches.despawn(self._session, npcs, players))

    async def hint_calls(self, hints: Iterable[Hint]) -> None:
        """Say when NPCs will need the model next. Raises as ``spawn`` does: the others count."""
        await self._driver.call(batches.hint_calls(self._session, hints))

    async def send_tick(
        self,
        game_time_s: float,
        handles: ArrayLike,
        positions_m: ArrayLike,
        velocities_mps: ArrayLike | None = None,
        next_call_s: ArrayLike | None = None,
        flags: ArrayLike | None = None,
        *,
        player_handles: ArrayLike = (),
        player_positions_m: ArrayLike = (),
        player_velocities_mps: ArrayLike | None = None,
        keyframe: bool = False,
        ack: bool = False,
    ) -> int:
        """Tell where everybody is; ``TickEncoder.state`` says what the arrays hold.

        Goes out as a delta where that is smaller. Without a connection nothing is sent: of all the
        states given meanwhile the last goes out, as a keyframe, when the session is resumed.

        Returns:
            The tick's number.
        """
        with self._driver.changing():
            await self._driver.room()
            return self._session.send_tick(
                game_time_s,
                handles,
                positions_m,
                velocities_mps,
                next_call_s,
                flags,
                player_handles=player_handles,
                player_positions_m=player_positions_m,
                player_velocities_mps=player_velocities_mps,
                keyframe=keyframe,
                ack=ack,
            )

    # Talk (roles game and mod; an observer says as the player it joined with).

    async def say(
        self,
        npc: str,
        text: str,
        *,
        speaker: Speaker | str | None = None,
        priority: Priority | None = None,
        max_tokens: int | None = None,
        sampling: SamplingSpec | None = None,
        stop: Iterable[str] = (),
    ) -> Reply:
        """Say something to an NPC and get its reply, which is still to come.

        Args:
            npc: who is spoken to.
            text: what is said.
            speaker: who says it: a ``Speaker``, the id of a player, or None for a narrator.
            priority: None = after the speaker's kind.
            max_tokens: the reply's length; None = the server's setting.
            sampling: how its tokens are chosen; None = the server's setting.
            stop: texts at which the reply ends.
        """
        with self._driver.changing():
            await self._driver.room()
            pending = calls.say(
                self._session, npc, text, speaker, priority, max_tokens, sampling, stop
            )
        return Reply(self, pending)

    async def speak(self, npc: str, text: str) -> Reply:
        """Make an NPC say a given line, without the model."""
        with self._driver.changing():
            await self._driver.room()
            pending = calls.speak(self._session, npc, text)
        return Reply(self, pending)

    async def answer_action(self, action: Action, *, ok: bool = True, message: str = "") -> None:
        """Tell what became of an action (role game); the NPC remembers it."""
        await self.send(ActionResult(action=action.action, ok=ok, message=message))

    # A player of one's own, and the server's policy (role observer).

    async def join(self, name: str, position_m: ArrayLike) -> Joined:
        """Enter the world as a player, until the session ends or the game leaves."""
        return await self._driver.call(calls.join(self._session, name, position_m))

    async def move_player(
        self, position_m: ArrayLike, velocity_mps: ArrayLike = (0.0, 0.0, 0.0)
    ) -> None:
        """Place the player joined with; like ``send``, it may be lost with the connection."""
        await self.send(calls.move_player(position_m, velocity_mps))

    async def set_policy(self, policy: PolicyName) -> None:
        """Set by which policy the server moves state, in all worlds."""
        await self._driver.call(calls.set_policy(self._session, policy))

    # Scripts (role mod) and looking on (all roles).

    async def register_script(self, script: RegisterScript) -> tuple[str, ...]:
        """Bind a script to NPCs; its ``id`` is replaced. Returns the NPCs it speaks for now."""
        return await self._driver.call(calls.register_script(self._session, script))

    async def unregister_script(self, script: str) -> None:
        """Take a script away."""
        await self._driver.call(calls.unregister_script(self._session, script))

    async def set_facts(self, npc: str, facts: Mapping[str, Any]) -> None:
        """Note facts about an NPC (roles game and mod); JSON values, None takes one away."""
        await self._driver.call(calls.set_facts(self._session, npc, facts))

    async def get_facts(self, npc: str) -> dict[str, Any]:
        """The facts noted about an NPC (roles game and mod), by name."""
        return await self._driver.call(calls.get_facts(self._session, npc))

    async def subscribe(self, *topics: Topic, interval_s: float = 0.5) -> None:
        """Set which topics come as events: replies, residency, npcs, stats. None ends all."""
        await self._driver.call(calls.subscribe(self._session, topics, interval_s))

    async def explain(self, npc: str) -> Explanation:
        """Return an NPC's distance and what each estimator says of it."""
        return await self._driver.call(calls.explain(self._session, npc))

    async def send(self, message: ClientMessage) -> None:
        """Send a message that has no answer; it may be lost with the connection."""
        with self._driver.changing():
            await self._driver.room()
            self._session.send(message)

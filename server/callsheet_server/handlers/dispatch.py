"""Handlers of client messages: one short method per message type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from callsheet.wire.adapters import ListAdapters, RemoveAdapter, SetAdapter
from callsheet.wire.base import Reliable, Request
from callsheet.wire.codec import AnyClientMessage
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.observe import DrainReplica, Explain, SetPolicy, Subscribe
from callsheet.wire.saves import DeleteSave, Forget, ListSaves, Load, Save
from callsheet.wire.script import (
    ActionVerdict,
    Facts,
    GetFacts,
    HearAnswer,
    RegisterScript,
    ScriptRegistered,
    SetFacts,
    UnregisterScript,
)
from callsheet.wire.session import Ok
from callsheet.wire.talk import ActionResult, Cancel, Hear, Say, Speak
from callsheet.wire.world import (
    ConfigureWorld,
    Despawn,
    HintCalls,
    Join,
    MovePlayer,
    Spawn,
    UpdateNpc,
)
from callsheet_server.handlers.adapter_changes import AdapterChanges
from callsheet_server.handlers.edits import WorldEditor
from callsheet_server.handlers.guests import Guests
from callsheet_server.handlers.hearing import Hearing
from callsheet_server.handlers.outcomes import take_outcome
from callsheet_server.handlers.rate_limits import RateLimits
from callsheet_server.handlers.saving import SaveKeeper
from callsheet_server.handlers.script_notes import nobody_note
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room, Subscription
from callsheet_server.session.session import Session
from callsheet_server.storage.changes import Change
from callsheet_server.talk.action_schemas import check_actions
from callsheet_server.talk.conversations import Conversations
from callsheet_server.talk.prompting import addressed

__all__ = ["Dispatcher"]

NEED_A_GAME = (
    Say,
    Hear,
    Speak,
    UpdateNpc,
    HintCalls,
    Explain,
    Join,
    MovePlayer,
    SetFacts,
    GetFacts,
)
"""Messages about NPCs, which a world without a game does not have."""
CHANGES = (
    *(RegisterScript, UnregisterScript, ConfigureWorld, SetPolicy),
    *(Save, Load, DeleteSave, Forget),
)
"""Messages after which every NPC of a world is looked at again."""

MAX_LISTED_NPCS = 900
"""NPCs in one list; with ids of 64 characters the message is just under 64,000 bytes."""


class Dispatcher:
    """Carries out validated messages against a room. Synchronous: replies run as tasks."""

    def __init__(
        self,
        pipeline: Pipeline,
        conversations: Conversations,
        guests: Guests,
        hearing: Hearing,
        rate_limits: RateLimits,
        editor: WorldEditor,
        saves: SaveKeeper,
        adapters: AdapterChanges,
        work: LongWork,
        clock: Callable[[], float],
        rooms: Mapping[str, Room],
    ) -> None:
        self._pipeline = pipeline
        self._conversations = conversations
        self._guests = guests
        self._hearing = hearing
        self._rate_limits = rate_limits
        self._editor = editor
        self._saves = saves
        self._adapters = adapters
        self._work = work
        self._clock = clock
        self._rooms = rooms

    def handle(self, room: Room, session: Session, message: AnyClientMessage) -> None:
        """Carry a message out; what it asks wrongly is told to its session."""
        try:
            self._handle(room, session, message)
        except CallsheetError as error:
            error.request_id = getattr(message, "id", None)
            room.counters.errors += 1
            session.fail(error, self._clock(), session.read_bytes)

    def _handle(self, room: Room, session: Session, message: AnyClientMessage) -> None:
        if room.game is None and isinstance(message, NEED_A_GAME):
            raise error_for(
                ErrorCode.WORLD_NOT_READY, f"no game is in world {room.name!r} yet; wait for one"
            )
        if isinstance(message, CHANGES):
            self._rate_limits.take_change(session, len(room.world.npcs), self._clock())
        if session.role == "mod" and isinstance(message, Say | Speak):
            for npc in addressed(message) if isinstance(message, Say) else (message.npc,):
                room.world.npc(npc)
                self._rate_limits.take_turn(room.key(npc), self._clock())
        match message:
            case Say():
                _refuse_unless_game(session, message, "actions")
                if session.role == "observer":
                    self._guests.check_speaker(room, session, message)
                self._conversations.say(room, session, message)
            case Hear():
                self._hearing.hear(room, session, message)
            case Speak():
                self._conversations.speak(room, session, message)
            case Cancel():
                self._conversations.cancel(session, message.id)
            case HearAnswer() | ActionVerdict():
                self._conversations.script_answer(session, message)
            case ActionResult():
                take_outcome(room, message)
            case Spawn():
                self._rate_limits.check_npcs(session.token, len(message.npcs))
                spawn = self._editor.spawn(room, message, partial(_answer, session, message))
                self._work.run(room.name, spawn)
                self._rate_limits.note_npcs(session, len(message.npcs), self._clock())
            case Despawn():
                despawn = self._editor.despawn(room, message, partial(_ok, session, message))
                self._work.run(room.name, despawn)
                self._rate_limits.note_npcs(session, len(message.npcs), self._clock())
            case UpdateNpc():
                _refuse_unless_game(session, message, "actions", "action_specs")
                _ok(session, message, self._editor.update_npc(room, message))
            case ConfigureWorld():
                configure = self._editor.configure(room, message, partial(_ok, session, message))
                self._work.run(room.name, configure)
            case HintCalls():
                _ok(session, message, self._editor.hint(room, message))
            case SetFacts():
                _ok(session, message, self._editor.set_facts(room, message))
            case Save():
                tell = partial(_answer, session, message)
                self._work.run(room.name, self._saves.save(room, session, message, tell))
            case Load():
                tell = partial(_answer, session, message)
                self._work.run(room.name, self._saves.load(room, session, message, tell))
            case DeleteSave():
                _ok(session, message, self._saves.delete(room, message))
            case ListSaves():
                session.answer(self._saves.list(room, message), message.id)
            case Forget():
                forget = self._saves.forget(room, message, partial(_ok, session, message))
                self._work.run(room.name, forget)
            case GetFacts():
                room.world.npc(message.npc)
                facts = dict(room.memory.facts(message.npc))
                session.answer(Facts(id=message.id, npc=message.npc, facts=facts), message.id)
            case RegisterScript():
                self._register_script(room, session, message)
            case UnregisterScript():
                room.scripts.unregister(session.id, message.script)
                self._work.run(room.name, self._sync(room, partial(_ok, session, message)))
            case Subscribe():
                self._subscribe(room, session, message)
            case Explain():
                explanation = self._pipeline.explain(room, message.npc, message.id)
                session.answer(explanation, message.id)
            case Join():
                self._guests.join(room, session, message)
            case MovePlayer():
                self._guests.move(room, session, message)
            case SetPolicy():
                self._guests.check_allowed("choose the policy")
                _check_unbound(session, "the policy holds")
                self._pipeline.set_policy(message.policy)
                _ok(session, message)
            case SetAdapter():
                self._check_may_change(session, "change adapters", "adapters are there")
                self._adapters.set(session, message)
            case RemoveAdapter():
                self._check_may_change(session, "change adapters", "adapters are there")
                self._adapters.remove(session, message)
            case ListAdapters():
                self._check_may_change(session, "list adapters", "adapters are there")
                session.answer(self._adapters.list(message), message.id)
            case DrainReplica():
                self._check_may_change(session, "drain a replica", "replicas are there")
                self._pipeline.drain_replica(message.replica, undo=message.undo)
                _ok(session, message)

    def _check_may_change(self, session: Session, what: str, why: str) -> None:
        """Refuse a change of the engine to who may only look on, or is of one world."""
        if session.role == "observer":
            self._guests.check_allowed(what)
        _check_unbound(session, why)

    # --- scripts -----------------------------------------------------------------------------

    def _register_script(self, room: Room, session: Session, message: RegisterScript) -> None:
        check_actions({"actions": message.actions})
        self._rate_limits.check_scripts(room.scripts.names_of(session.id) | {message.script})
        script = room.scripts.register(session.id, message)

        def answer() -> None:
            mine = room.scripts.npcs_of(script)
            note = self._conversations.note_for(
                message.actions, "the script allows it (when=, or allow in on_hear)"
            )
            if not mine:
                note = nobody_note(room, message, self._games_known_to(session)) or note
            npcs = tuple(mine[:MAX_LISTED_NPCS])
            told = ScriptRegistered(id=message.id, script=message.script, npcs=npcs, note=note)
            session.answer(told, message.id)

        self._work.run(room.name, self._sync(room, answer))

    def _sync(self, room: Room, then: Callable[[], None]) -> Iterator[None]:
        """Bring all NPCs up to date, one a step."""
        yield from self._editor.sync_all(room)
        then()

    def _games_known_to(self, session: Session) -> list[str]:
        """The worlds with a game in them that a session may know of: without tokens, all."""
        if session.token is not None:
            return []
        return [name for name, room in self._rooms.items() if room.game is not None]

    # --- looking on --------------------------------------------------------------------------

    def _subscribe(self, room: Room, session: Session, message: Subscribe) -> None:
        if message.topics:
            room.subscriptions[session.id] = Subscription(
                frozenset(message.topics), message.interval_s
            )
        else:
            room.subscriptions.pop(session.id, None)
        _ok(session, message)


def _answer(session: Session, request: Request, told: Reliable, change: Change) -> None:
    session.answer(told, request.id, change)


def _ok(session: Session, request: Request, change: Change | None = None) -> None:
    session.answer(Ok(id=request.id), request.id, change)


def _check_unbound(session: Session, what: str) -> None:
    """Refuse what touches every world to a session whose token is for one."""
    if session.token is not None and session.token.world is not None:
        raise error_for(
            ErrorCode.FORBIDDEN,
            f"{what} for all worlds; this session's token is for {session.world!r} only",
            field="type",
        )


def _refuse_unless_game(session: Session, message: Say | UpdateNpc, *fields: str) -> None:
    """Refuse what anybody but the game says of an NPC's actions in these fields."""
    for field in fields:
        if getattr(message, field) is not None and session.role != "game":
            raise error_for(
                ErrorCode.FORBIDDEN,
                "only the game says which actions an NPC may take",
                field=field,
            )

"""What each message makes the server do. One short method per message type."""

from __future__ import annotations

from collections.abc import Callable

from callsheet.wire.codec import AnyClientMessage
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.observe import Explain, SetPolicy, Subscribe
from callsheet.wire.script import (
    ActionDone,
    HearAnswer,
    NpcSpawned,
    RegisterScript,
    ScriptRegistered,
    UnregisterScript,
)
from callsheet.wire.session import Ok
from callsheet.wire.talk import ActionResult, Cancel, Say, Speak
from callsheet.wire.world import (
    ConfigureWorld,
    Despawn,
    HintCalls,
    Join,
    MovePlayer,
    Spawn,
    Spawned,
    SpawnedNpc,
    SpawnedPlayer,
    UpdateNpc,
    WorldClosed,
)
from callsheet_server.budgets import Budgets
from callsheet_server.guests import Guests
from callsheet_server.pipeline import Pipeline
from callsheet_server.reply.actions import check_actions
from callsheet_server.room import Room, Subscription
from callsheet_server.session.session import Session
from callsheet_server.talk import Talk

__all__ = ["Dispatcher"]

NEED_A_GAME = (Say, Speak, UpdateNpc, HintCalls, Explain, Join, MovePlayer)
"""Messages about NPCs, which a world without a game does not have."""
CHANGES = (RegisterScript, UnregisterScript, ConfigureWorld, SetPolicy)
"""Messages after which every NPC of a world is looked at again."""

MAX_LISTED_NPCS = 900
"""With ids of 64 characters that is a message of just under 64,000 bytes."""


class Dispatcher:
    """Carries out validated messages against a room. Synchronous: replies run as tasks."""

    def __init__(
        self,
        pipeline: Pipeline,
        talk: Talk,
        guests: Guests,
        budgets: Budgets,
        check_npcs: Callable[[Session, int], None],
        clock: Callable[[], float],
    ) -> None:
        """``check_npcs`` raises if a session may not spawn so many more NPCs."""
        self._pipeline = pipeline
        self._talk = talk
        self._guests = guests
        self._budgets = budgets
        self._check_npcs = check_npcs
        self._clock = clock

    def handle(self, room: Room, session: Session, message: AnyClientMessage) -> None:
        """Carry a message out; what it asks wrongly is told to its session."""
        try:
            self._handle(room, session, message)
        except CallsheetError as error:
            error.request_id = getattr(message, "id", None)
            room.counters.errors += 1
            session.fail(error, self._clock())

    def leave(self, room: Room, session: Session) -> None:
        """A session is over for good."""
        self._talk.cancel_session(session)
        self._guests.leave(room, session)
        self._budgets.forget_session(session.id)
        room.subscriptions.pop(session.id, None)
        if room.scripts.remove_owner(session.id):
            self._sync_all(room)
        del room.sessions[session.id]
        if session.role == "game":
            self._close_world(room)

    def _handle(self, room: Room, session: Session, message: AnyClientMessage) -> None:
        if room.game is None and isinstance(message, NEED_A_GAME):
            raise error_for(
                ErrorCode.WORLD_NOT_READY, f"no game is in world {room.name!r} yet; wait for one"
            )
        if isinstance(message, CHANGES):
            self._budgets.take_change(session.id, self._clock())
        if session.role == "mod" and isinstance(message, Say | Speak):
            room.world.npc(message.npc)
            self._budgets.take_turn(room.key(message.npc), self._clock())
        match message:
            case Say():
                if session.role == "observer":
                    self._guests.check_speaker(room, session, message)
                self._talk.say(room, session, message)
            case Speak():
                self._talk.speak(room, session, message)
            case Cancel():
                self._talk.cancel(session, message.id)
            case HearAnswer():
                self._talk.hear_answer(session, message)
            case ActionResult():
                self._action_result(room, message)
            case Spawn():
                self._spawn(room, session, message)
            case Despawn():
                self._despawn(room, message)
                session.send(Ok(id=message.id))
            case UpdateNpc():
                self._update_npc(room, message)
                session.send(Ok(id=message.id))
            case ConfigureWorld():
                self._configure_world(room, message)
                session.send(Ok(id=message.id))
            case HintCalls():
                self._hint_calls(room, message)
                session.send(Ok(id=message.id))
            case RegisterScript():
                self._register_script(room, session, message)
            case UnregisterScript():
                room.scripts.unregister(session.id, message.script)
                self._sync_all(room)
                session.send(Ok(id=message.id))
            case Subscribe():
                self._subscribe(room, session, message)
            case Explain():
                session.send(self._pipeline.explain(room, message.npc, message.id))
            case Join():
                self._guests.join(room, session, message)
            case MovePlayer():
                self._guests.move(room, session, message)
            case SetPolicy():
                self._guests.check_allowed("choose the policy")
                _check_unbound(session)
                self._pipeline.set_policy(message.policy)
                session.send(Ok(id=message.id))

    # --- the world ---------------------------------------------------------------------------

    def _spawn(self, room: Room, session: Session, message: Spawn) -> None:
        self._check_npcs(session, len(message.npcs))
        for index, spec in enumerate(message.npcs):
            self._pipeline.check_adapter(spec.adapter, f"npcs.{index}.adapter")
        npcs, players = room.world.spawn(message.npcs, message.players)
        for npc in npcs:
            self._sync(room, npc.spec.npc)
            self._tell_script(room, npc.spec.npc, alive=True)
        session.send(
            Spawned(
                id=message.id,
                npcs=tuple(SpawnedNpc(npc=n.spec.npc, handle=n.handle) for n in npcs),
                players=tuple(
                    SpawnedPlayer(player=p.spec.player, handle=p.handle) for p in players
                ),
            )
        )

    def _despawn(self, room: Room, message: Despawn) -> None:
        room.world.check_known(message.npcs, message.players)
        for npc in message.npcs:
            self._forget(room, npc)
        room.world.despawn(message.npcs, message.players)

    def _update_npc(self, room: Room, message: UpdateNpc) -> None:
        npc = room.world.npc(message.npc)
        changes = message.model_dump(exclude={"type", "id", "npc"}, exclude_none=True)
        if message.schedule is not None:
            changes["schedule"] = message.schedule
        if message.adapter == "":
            changes["adapter"] = None
        else:
            self._pipeline.check_adapter(message.adapter, "adapter")
        npc.spec = npc.spec.model_copy(update=changes)
        self._sync(room, message.npc)

    def _configure_world(self, room: Room, message: ConfigureWorld) -> None:
        world = room.world
        if message.player_max_speed_mps is not None:
            world.player_max_speed_mps = message.player_max_speed_mps
        if message.npc_max_speed_mps is not None:
            world.npc_max_speed_mps = message.npc_max_speed_mps
        if message.lore is not None and message.lore != world.lore:
            world.lore = message.lore
            self._pipeline.set_lore(room)

    def _hint_calls(self, room: Room, message: HintCalls) -> None:
        for index, hint in enumerate(message.hints):
            room.world.npc(hint.npc, f"hints.{index}.npc")
        for hint in message.hints:
            room.world.hint(hint.npc, hint.in_s)

    def _close_world(self, room: Room) -> None:
        for npc in list(room.world.npcs):
            self._forget(room, npc)
        self._pipeline.forget_world(room)
        room.clear_world()
        for session in room.sessions.values():
            session.send(WorldClosed())

    def _forget(self, room: Room, npc: str) -> None:
        self._talk.cancel_npc(room, npc)
        self._tell_script(room, npc, alive=False)
        self._pipeline.forget(room, npc)
        self._budgets.forget_npc(room.key(npc))
        room.forget(npc)

    # --- scripts -----------------------------------------------------------------------------

    def _register_script(self, room: Room, session: Session, message: RegisterScript) -> None:
        check_actions(message.actions)
        self._budgets.check_scripts(room.scripts.names_of(session.id) | {message.script})
        script = room.scripts.register(session.id, message)
        self._sync_all(room)
        mine = room.scripts.npcs_of(script)
        session.send(
            ScriptRegistered(
                id=message.id, script=message.script, npcs=tuple(mine[:MAX_LISTED_NPCS])
            )
        )

    def _action_result(self, room: Room, message: ActionResult) -> None:
        taken = room.actions.pop(message.action, None)
        if taken is None:
            raise error_for(
                ErrorCode.UNKNOWN_REQUEST,
                f"no action {message.action} waits for its result",
                field="action",
                value=str(message.action),
            )
        found = room.script_for(taken.npc) if taken.npc in room.world.npcs else None
        if found is not None:
            script, mod = found
            mod.send(
                ActionDone(
                    script=script.spec.script,
                    npc=taken.npc,
                    action=message.action,
                    name=taken.name,
                    ok=message.ok,
                    message=message.message,
                )
            )

    def _tell_script(self, room: Room, npc: str, alive: bool) -> None:
        found = room.script_for(npc)
        if found is not None:
            script, mod = found
            mod.send(NpcSpawned(script=script.spec.script, npc=npc, alive=alive))

    def _sync_all(self, room: Room) -> None:
        for npc in room.world.npcs:
            self._sync(room, npc)

    def _sync(self, room: Room, npc: str) -> None:
        """Bring the world's numbers and the engine's profile up to what game and script say."""
        spec = room.world.npc(npc).spec
        script = room.scripts.assign(spec)
        effective = spec if script is None else script.over(spec)
        room.world.set_traits(
            npc, effective.interaction_radius_m, effective.sociability, effective.schedule
        )
        self._pipeline.put_npc(room, effective)

    # --- looking on --------------------------------------------------------------------------

    def _subscribe(self, room: Room, session: Session, message: Subscribe) -> None:
        if message.topics:
            room.subscriptions[session.id] = Subscription(
                frozenset(message.topics), message.interval_s
            )
        else:
            room.subscriptions.pop(session.id, None)
        session.send(Ok(id=message.id))


def _check_unbound(session: Session) -> None:
    """Refuse what touches every world to a session whose token is for one."""
    if session.token is not None and session.token.world is not None:
        raise error_for(
            ErrorCode.FORBIDDEN,
            f"the policy holds for all worlds; this session's token is for {session.world!r} only",
            field="type",
        )

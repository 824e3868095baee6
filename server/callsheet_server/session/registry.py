"""All sessions of a server: who may open one, who resumes which, whose time is up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from callsheet._version import __version__
from callsheet.wire.errors import CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import PROTOCOL
from callsheet.wire.session import EngineSummary, Hello, Limits, Welcome
from callsheet_server.limits.roles import of_role
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.arrivals import Arrivals
from callsheet_server.session.error_message import error_message
from callsheet_server.session.intake import max_text_bytes
from callsheet_server.session.keyring import Keyring
from callsheet_server.session.link import Link
from callsheet_server.session.quota import QuotaBook, Scope, address_key
from callsheet_server.session.session import Session, SessionState
from callsheet_server.storage.changes import Change, Journal, NoJournal
from callsheet_server.storage.saved import SavedSession
from callsheet_server.storage.writes import EmptyWorld
from callsheet_server.transport.access_tokens import AccessToken, tokens_of
from callsheet_server.transport.settings import ServerSettings

__all__ = ["SessionRegistry"]


MAX_TOLD_WORLDS = 64
MAX_SESSIONS_PER_TOKEN = 256
"""Sessions at the same time: one access token cannot take all of a server's."""


class SessionRegistry:
    """Opens, resumes and ends sessions. ``new_token`` gives unguessable strings."""

    def __init__(
        self,
        server: ServerSettings,
        limits: LimitSettings,
        quotas: QuotaBook,
        engine: Callable[[], EngineSummary],
        new_token: Callable[[], str],
        journal: Callable[[str], Journal] = lambda _: NoJournal(),
    ) -> None:
        """``journal`` gives the journal of a world."""
        self._server = server
        self._limits = limits
        self._quotas = quotas
        self._keyring = Keyring(tokens_of(server), server.on_loopback)
        self._engine = engine
        self._new_token = new_token
        self._journal = journal
        self._sessions: dict[str, Session] = {}
        self._arrivals = Arrivals(limits)
        self._shut_for_s: float | None = None
        self._past_errors: Counter[ErrorCode] = Counter()
        """Errors told in sessions that are over, or to connections that never got one."""

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, hello: Hello, link: Link, now_s: float) -> Session:
        """Answer a hello: attach ``link`` to a new session, or to the one it resumes.

        Raises:
            AuthError: ``unauthorized``.
            SessionError: ``draining``.
            WorldError: ``world_taken`` or ``limit_exceeded``; nothing has changed.
        """
        token = self._keyring.admit(hello.role, hello.world, hello.token)
        self._arrivals.take_hello(hello.role, token, link.address, now_s)
        session = self._resumable(hello)
        resumed = session is not None
        if session is None:
            self._arrivals.check_errors(hello.role, token, link.address, now_s)
            self._check_room(hello, token)
            if all(hello.world != session.world for session in self):
                self._arrivals.take_world(hello.role, token, link.address, now_s)
            journal, limits = self._journal(hello.world), self._limits
            session = Session(self._new_token(), hello.role, hello.world, limits, now_s, journal)
            self._sessions[session.id] = session
            if hello.role == "game":  # It starts with an empty world.
                journal.submit(Change(must=(EmptyWorld(),)))
        session.token = token
        session.address = link.address
        note_errors = partial(self._arrivals.note_errors, hello.role, token, link.address)
        session.quotas = self._quotas.of(
            session.quota, hello.role, hello.world, token, link.address, now_s, note_errors
        )
        resume = hello.resume if resumed else None
        session.record.tokens.renew(self._new_token, resume.token if resume else None)
        last_seq = resume.last_seq if resume else 0
        session.attach(link, self._welcome(session, resumed, now_s), last_seq, now_s)
        return session

    def shut(self, retry_after_s: float) -> None:
        """Open no new sessions; those there are may still be resumed."""
        self._shut_for_s = retry_after_s

    def restore(self, saved: SavedSession, world: str, now_s: float) -> Session:
        """Take up a game's session of before a restart: it can be resumed, as if lost now."""
        journal = self._journal(world)
        session = Session(saved.session, "game", world, self._limits, now_s, journal, saved)
        self._sessions[session.id] = session
        for request in saved.open_requests:
            text = "the server was restarted before it could answer; ask again"
            error = error_for(ErrorCode.INTERRUPTED, text, request_id=request)
            session.send(error_message(error))
        return session

    def may_observe(self, token: str | None) -> bool:
        """True if this token, or none, lets one see what goes on in all worlds."""
        try:
            self._keyring.admit("observer", None, token)
        except CallsheetError as error:
            self.refused(error.code)
            return False
        return True

    def use_tokens(self, tokens: Iterable[AccessToken], now_s: float) -> None:
        """Accept these tokens and the settings' own from now on; close sessions of others."""
        self._keyring = Keyring(
            (*tokens_of(self._server), *tokens), open_to_all=self._server.on_loopback
        )
        for session in self._sessions.values():
            if session.resume_token and not self._keyring.holds(session.role, session.token):
                session.fail(
                    error_for(
                        ErrorCode.UNAUTHORIZED, "this session's token was revoked", field="token"
                    ),
                    now_s,
                )

    def refused(self, code: ErrorCode) -> None:
        """Count an error that a connection without a session was told of."""
        self._past_errors[code] += 1

    def errors(self) -> Counter[ErrorCode]:
        """Errors told to clients so far."""
        return sum((session.errors for session in self), self._past_errors)

    def sweep(self, now_s: float) -> list[Session]:
        """Cut silent connections; forget and return the sessions that are over."""
        for session in self._sessions.values():
            if session.silent(now_s, self._server.heartbeat_interval_s):
                session.fail(
                    error_for(
                        ErrorCode.HEARTBEAT_TIMEOUT,
                        f"nothing received for {now_s - session.last_frame_s:.1f} s; send ping "
                        f"every {self._server.heartbeat_interval_s:g} s",
                    ),
                    now_s,
                )
            expired = now_s - session.detached_at_s > self._server.resume_grace_s
            if session.state is SessionState.DETACHED and expired:
                session.close(CloseCode.NORMAL, "grace expired")
        alive = [s for s in self if s.state is not SessionState.CLOSED]
        self._quotas.forget_unused(now_s, {key for s in alive for key in _shared_quotas(s)})
        over = [s for s in self._sessions.values() if s.state is SessionState.CLOSED]
        for session in over:
            del self._sessions[session.id]
            self._past_errors += session.errors
        return over

    def _resumable(self, hello: Hello) -> Session | None:
        """The session a hello may go on with; None = it has to start afresh."""
        if hello.resume is None:
            return None
        session = self._sessions.get(hello.resume.session)
        if session is None or session.state is SessionState.CLOSED:
            return None
        if (session.role, session.world) != (hello.role, hello.world):
            return None
        if not session.can_resume_from(hello.resume.last_seq):
            return None
        return session if session.record.tokens.accepts(hello.resume.token) else None

    def _check_room(self, hello: Hello, token: AccessToken | None) -> None:
        if self._shut_for_s is not None:
            raise error_for(ErrorCode.DRAINING, "the server stops", retry_after_s=self._shut_for_s)
        if hello.role == "game":
            self._end_lost_games(hello.world)
        alive = [s for s in self._sessions.values() if s.state is not SessionState.CLOSED]
        if len(alive) >= self._limits.max_sessions:
            raise _full("sessions", self._limits.max_sessions)
        of_token = sum(s.token == token for s in alive) if token is not None else 0
        if of_token >= MAX_SESSIONS_PER_TOKEN:
            raise _full("sessions of one token", MAX_SESSIONS_PER_TOKEN)
        worlds = {s.world for s in alive}
        if hello.world not in worlds and len(worlds) >= self._limits.max_worlds:
            raise _full("worlds", self._limits.max_worlds)
        if hello.role == "game" and any(s.role == "game" and s.world == hello.world for s in alive):
            raise error_for(
                ErrorCode.WORLD_TAKEN,
                f"a game is playing world {hello.world!r}; stop it, resume its session, or use "
                f"another world name",
                field="world",
                value=f'"{hello.world}"',
            )

    def _end_lost_games(self, world: str) -> None:
        """End the sessions of lost games: the one that starts now takes their world."""
        for session in self._sessions.values():
            lost = session.state is SessionState.DETACHED
            if lost and (session.role, session.world) == ("game", world):
                session.close(CloseCode.NORMAL, "another game took over")

    def _worlds(self, session: Session) -> tuple[str, ...]:
        """Worlds that have a game and may be told to ``session``, as many as are told."""
        games = [s for s in self if s.role == "game" and s.state is not SessionState.CLOSED]
        only = None if session.token is None else session.token.world
        return tuple(s.world for s in games if only in (None, s.world))[:MAX_TOLD_WORLDS]

    def _welcome(self, session: Session, resumed: bool, now_s: float) -> Welcome:
        limits = of_role(self._limits, session.role)
        return Welcome(
            protocol=PROTOCOL,
            session=session.id,
            resume_token=session.resume_token,
            resumed=resumed,
            last_request_id=session.last_request_id,
            world=session.world,
            role=session.role,
            limits=Limits(
                max_message_bytes=max_text_bytes(session.role, limits),
                max_tick_bytes=limits.max_tick_bytes,
                max_npcs_per_world=limits.max_npcs_per_world,
                max_npcs_per_spawn=limits.max_npcs_per_spawn,
                max_players_per_world=limits.max_players_per_world,
                max_open_requests=limits.max_open_requests,
                max_messages_per_s=limits.max_messages_per_s,
                max_ticks_per_s=limits.max_ticks_per_s,
                max_bytes_per_s=limits.max_bytes_per_s,
                max_generated_tokens_per_min=limits.max_generated_tokens_per_min,
                max_outbox_messages=limits.max_outbox_messages,
                max_outbox_bytes=limits.max_outbox_bytes,
                max_mod_turns_per_npc_per_min=limits.max_mod_turns_per_npc_per_min,
            ),
            heartbeat_interval_s=self._server.heartbeat_interval_s,
            resume_grace_s=self._server.resume_grace_s,
            server_version=__version__,
            server_time_s=now_s,
            engine=self._engine(),
            worlds=self._worlds(session) if session.role == "observer" else None,
        )


def _full(what: str, limit: int) -> CallsheetError:
    return error_for(
        ErrorCode.LIMIT_EXCEEDED,
        f"this server is full: {limit} {what}",
        limit=limit,
        retry_after_s=10.0,
    )


def _shared_quotas(session: Session) -> Iterator[tuple[Scope, str]]:
    """The quotas a session shares with others."""
    yield "world", session.world
    yield "address", address_key(session.role, session.address)
    if session.token is not None:
        yield "token", session.token.name

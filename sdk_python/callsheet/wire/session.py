"""Messages that open, keep and end a session."""

from typing import Annotated, Literal

from pydantic import Field

from callsheet.wire.base import ClientMessage, Part, Reliable, ServerMessage, ServerPart
from callsheet.wire.errors import Code
from callsheet.wire.fields import Count, Many, Name, RequestId, Role, Seconds, WorldId

__all__ = [
    "Ack",
    "Bye",
    "ClientInfo",
    "Draining",
    "EnginePhase",
    "EngineProgress",
    "EngineSummary",
    "Error",
    "Hello",
    "Limits",
    "Ok",
    "Ping",
    "Pong",
    "Resume",
    "Welcome",
]

EnginePhase = Literal["download", "load"]
"""Step by which an engine gets ready."""
Version = Annotated[str, Field(pattern=r"^\d{1,5}\.\d{1,5}$")]


class ClientInfo(Part):
    """The client's name and version, for logs and upgrade advice."""

    name: Name
    version: Annotated[str, Field(min_length=1, max_length=40)]


class Resume(Part):
    """Asks to go on with an earlier session."""

    session: Annotated[str, Field(min_length=1, max_length=64)]
    token: Annotated[str, Field(min_length=1, max_length=128)]
    last_seq: Count
    """The greatest ``seq`` received; the server replays what came after it."""


class Hello(ClientMessage):
    """The first message of every connection."""

    type: Literal["hello"] = "hello"
    protocol: Version = "1.0"
    """Absent = 1.0, in all versions: the shape of ``hello`` never changes. Send ``PROTOCOL``."""
    role: Role
    world: WorldId
    client: ClientInfo
    token: Annotated[str, Field(max_length=1024)] | None = None
    """The secret the server was started with, if it was."""
    resume: Resume | None = None


class Limits(ServerPart):
    """Limits on what this server accepts from this session."""

    max_message_bytes: Count
    """Text frames, client to server."""
    max_tick_bytes: Count
    """Binary frames, client to server."""
    max_npcs_per_world: Count
    """NPCs alive at the same time."""
    max_npcs_per_spawn: Count
    max_players_per_world: Count
    max_open_requests: Count
    """``say`` and ``speak`` whose reply has not ended."""
    max_messages_per_s: float
    """Control messages; ticks are counted apart."""
    max_ticks_per_s: float
    max_bytes_per_s: Count | None = None
    """Bytes of frames, ticks included."""
    max_generated_tokens_per_min: Count | None = None
    max_outbox_messages: Count | None = None
    """Reliable messages that the server keeps while they are not acknowledged."""
    max_outbox_bytes: Count | None = None
    max_mod_turns_per_npc_per_min: float | None = None
    """``say`` and ``speak`` of all mods together, to one NPC."""


class EngineSummary(ServerPart):
    """The engine behind the server."""

    name: str
    """"embedded", "sglang", "openai" or "scripted"."""
    version: str
    model: str
    """Model id; empty for an engine without a model."""
    device: str
    """The device of the model, as torch names it."""
    context_limit_tokens: Count
    """Prompt and reply together."""
    keeps_residency: bool
    """The engine moves state between tiers; False: residency messages never come."""
    replicas: Count | None = None
    """Copies of the model that share the work; None = one, or not known."""


class EngineProgress(ServerMessage):
    """Progress of an engine that is not ready yet; sent between ``hello`` and ``welcome``."""

    type: Literal["engine_progress"] = "engine_progress"
    phase: EnginePhase
    """"download": the model is fetched; "load": it is made ready on this machine."""
    done_bytes: Count
    total_bytes: Count | None = None
    """None = not known."""


class Welcome(ServerMessage):
    """The answer to ``hello``: the session is open."""

    type: Literal["welcome"] = "welcome"
    protocol: str
    session: str
    resume_token: str
    resumed: bool
    """False: this is a new session; nothing of an earlier one is left."""
    last_request_id: Count
    """The greatest request id the server has taken in this session (0 = none). A client that
    resumes sends again the requests with greater ids."""
    world: WorldId
    role: Role
    limits: Limits
    heartbeat_interval_s: float
    """Send ``ping`` this often; silence of three intervals ends the connection."""
    resume_grace_s: float
    """Time for which a lost session can be resumed."""
    server_version: str
    server_time_s: float
    """The server's monotonic clock, any epoch."""
    engine: EngineSummary
    worlds: Many[WorldId] | None = None
    """Worlds that have a game now, at most 64 of them; for observers only."""


class Ping(ClientMessage):
    """Keeps the connection alive and syncs clocks."""

    type: Literal["ping"] = "ping"
    client_time_s: Annotated[float, Field(ge=-1e15, le=1e15)]
    """The client's clock, any epoch."""
    ack: Count | None = None
    """Says what an ``ack`` with this ``seq`` would."""


class Pong(ServerMessage):
    """Answers ``ping`` at once. Offset = server_time_s - (sent + received) / 2."""

    type: Literal["pong"] = "pong"
    client_time_s: float
    server_time_s: float


class Ack(ClientMessage):
    """All reliable messages up to ``seq`` have been handled; the server may forget them."""

    type: Literal["ack"] = "ack"
    seq: Count


class Bye(ClientMessage):
    """Ends the session for good: nothing is kept for a resume. The server closes with 1000."""

    type: Literal["bye"] = "bye"


class Ok(Reliable):
    """The request was carried out and there is nothing more to say."""

    type: Literal["ok"] = "ok"
    id: RequestId


class Error(Reliable):
    """Something sent by the client was refused, or the session ends (see the code's rule)."""

    type: Literal["error"] = "error"
    id: RequestId | None = None
    """The request that failed; None if no request is to blame."""
    code: Code
    """A code of the table; clients treat codes they do not know as ``internal``."""
    message: str
    field: str | None = None
    value: str | None = None
    limit: float | None = None
    retry_after_s: Seconds | None = None


class Draining(ServerMessage):
    """The server is about to stop: no new requests; open replies finish until ``deadline_s``."""

    type: Literal["draining"] = "draining"
    deadline_s: Seconds
    """Seconds from now until the server closes with 4010."""
    reconnect_after_s: Seconds
    """Seconds after which a reconnect is likely to find a server again."""

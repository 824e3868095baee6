"""Callsheet's Python SDK: connect a game, script NPCs, look on. docs/python-sdk.md shows how."""

from callsheet import blocking
from callsheet._version import __version__
from callsheet.client import Client, Reply, connect
from callsheet.core.batches import BatchError, Handles
from callsheet.core.errors import (
    ConnectFailedError,
    EventOverflowError,
    SessionClosedError,
    SessionLostError,
)
from callsheet.core.events import Event, SessionReset, SessionState, StateChanged
from callsheet.core.game_actions import GameAction, NamesFrom, action, action_specs
from callsheet.core.game_clock import GameClock
from callsheet.core.settings import ClientSettings
from callsheet.wire.base import ClientMessage, ServerMessage
from callsheet.wire.errors import (
    AuthError,
    CallsheetError,
    EngineError,
    ErrorCode,
    ProtocolError,
    RequestError,
    SessionError,
    VersionError,
    WorldError,
)
from callsheet.wire.fields import PolicyName, Role, StateKindName, TierName
from callsheet.wire.observe import (
    EstimatorView,
    Explanation,
    Move,
    Moves,
    NpcState,
    NpcStates,
    PlayerState,
    Stats,
    TierStats,
    Topic,
    TtftStats,
)
from callsheet.wire.saves import Loaded, Saved, SaveView
from callsheet.wire.script import NpcSpawned, PlayerLeft, PlayerNear, RegisterScript
from callsheet.wire.session import Draining, EngineSummary, Error, Limits, Welcome
from callsheet.wire.talk import (
    Action,
    FinishReason,
    Priority,
    ReplyDelta,
    ReplyEnd,
    ReplyStart,
    SamplingSpec,
    Speaker,
    SpeakerView,
)
from callsheet.wire.tick import NpcFlag
from callsheet.wire.world import (
    ActionSpec,
    Hint,
    Joined,
    NpcSpec,
    PlayerSpec,
    ScheduledCall,
    TickAck,
    WorldClosed,
)

__all__ = [
    "Action",
    "ActionSpec",
    "AuthError",
    "BatchError",
    "CallsheetError",
    "Client",
    "ClientMessage",
    "ClientSettings",
    "ConnectFailedError",
    "Draining",
    "EngineError",
    "EngineSummary",
    "Error",
    "ErrorCode",
    "EstimatorView",
    "Event",
    "EventOverflowError",
    "Explanation",
    "FinishReason",
    "GameAction",
    "GameClock",
    "Handles",
    "Hint",
    "Joined",
    "Limits",
    "Loaded",
    "Move",
    "Moves",
    "NamesFrom",
    "NpcFlag",
    "NpcSpawned",
    "NpcSpec",
    "NpcState",
    "NpcStates",
    "PlayerLeft",
    "PlayerNear",
    "PlayerSpec",
    "PlayerState",
    "PolicyName",
    "Priority",
    "ProtocolError",
    "RegisterScript",
    "Reply",
    "ReplyDelta",
    "ReplyEnd",
    "ReplyStart",
    "RequestError",
    "Role",
    "SamplingSpec",
    "SaveView",
    "Saved",
    "ScheduledCall",
    "ServerMessage",
    "SessionClosedError",
    "SessionError",
    "SessionLostError",
    "SessionReset",
    "SessionState",
    "Speaker",
    "SpeakerView",
    "StateChanged",
    "StateKindName",
    "Stats",
    "TickAck",
    "TierName",
    "TierStats",
    "Topic",
    "TtftStats",
    "VersionError",
    "Welcome",
    "WorldClosed",
    "WorldError",
    "__version__",
    "action",
    "action_specs",
    "blocking",
    "connect",
]

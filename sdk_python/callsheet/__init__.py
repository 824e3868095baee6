"""Callsheet's Python SDK: connect a game, script NPCs, look on. docs/python-sdk.md shows how."""

from callsheet._version import __version__
from callsheet.client import Client, Reply, connect
from callsheet.core.batches import BatchError, Handles
from callsheet.core.errors import (
    ConnectFailedError,
    EventOverflowError,
    SessionClosedError,
    SessionLostError,
)
from callsheet.core.events import SessionReset, SessionState, StateChanged
from callsheet.core.settings import ClientSettings
from callsheet.wire.errors import CallsheetError, ErrorCode
from callsheet.wire.observe import Explanation, Moves, NpcStates, Stats
from callsheet.wire.script import NpcSpawned, PlayerLeft, PlayerNear
from callsheet.wire.session import Draining, Error
from callsheet.wire.talk import Action, ReplyDelta, ReplyEnd, ReplyStart, SamplingSpec, Speaker
from callsheet.wire.tick import NpcFlag
from callsheet.wire.world import Hint, NpcSpec, PlayerSpec, ScheduledCall, TickAck, WorldClosed

__all__ = [
    "Action",
    "BatchError",
    "CallsheetError",
    "Client",
    "ClientSettings",
    "ConnectFailedError",
    "Draining",
    "Error",
    "ErrorCode",
    "EventOverflowError",
    "Explanation",
    "Handles",
    "Hint",
    "Moves",
    "NpcFlag",
    "NpcSpawned",
    "NpcSpec",
    "NpcStates",
    "PlayerLeft",
    "PlayerNear",
    "PlayerSpec",
    "Reply",
    "ReplyDelta",
    "ReplyEnd",
    "ReplyStart",
    "SamplingSpec",
    "ScheduledCall",
    "SessionClosedError",
    "SessionLostError",
    "SessionReset",
    "SessionState",
    "Speaker",
    "StateChanged",
    "Stats",
    "TickAck",
    "WorldClosed",
    "__version__",
    "connect",
]

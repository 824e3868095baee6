"""The client that ``connect`` makes."""

# Generated from client/client.py by sdk_python/tools/generate_blocking.py; do not edit.

from __future__ import annotations

from callsheet.blocking.actions import ActionClient
from callsheet.blocking.observing import ObservingClient
from callsheet.blocking.saves import SavesClient
from callsheet.blocking.scripts import ScriptClient
from callsheet.blocking.talk import TalkClient
from callsheet.blocking.world import WorldClient
from callsheet.core import calls
from callsheet.core.settings import ClientSettings
from callsheet.wire.fields import Role

__all__ = ["BlockingClient", "connect"]


def connect(
    url: str,
    *,
    role: Role,
    world: str,
    token: str | None = None,
    name: str = "callsheet-python",
    settings: ClientSettings | None = None,
) -> BlockingClient:
    """A client for ``with``; entering waits until the session is open.

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
    return BlockingClient(calls.new_session(url, role, world, token, name, settings))


class BlockingClient(
    WorldClient, SavesClient, TalkClient, ActionClient, ScriptClient, ObservingClient
):
    """One session, kept open over as many connections as it takes. Made by ``connect``.

    The server refuses what the session's role may not do.
    """

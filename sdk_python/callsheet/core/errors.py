"""Errors on the way to the server, which have no code of the wire's error tree.

All are ``ConnectionError``; what the server refuses is a ``CallsheetError``.
"""

__all__ = ["ConnectFailedError", "EventOverflowError", "SessionClosedError", "SessionLostError"]


class ConnectFailedError(ConnectionError):
    """No session could be opened."""


class SessionLostError(ConnectionError):
    """The session could not be resumed; what was asked in it has no answer.

    It may have been carried out. In the new session the world is empty: configure and spawn again.
    """


class SessionClosedError(ConnectionError):
    """The session is not open on this side: it was closed, or never entered."""


class EventOverflowError(RuntimeError):
    """An event iterator was read too slowly and events were lost."""

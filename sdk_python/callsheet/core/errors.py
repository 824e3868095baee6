"""What goes wrong on the way to the server, and so has no code of the wire's error tree.

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
    """The session was closed on this side."""


class EventOverflowError(RuntimeError):
    """An event iterator was read too slowly and events were lost."""

"""One connection, from its first frame on: hello first, then the frames of a session."""

from __future__ import annotations

import re

import orjson

from callsheet._version import __version__
from callsheet.wire.codec import AnyClientMessage, encode, parse_client_message
from callsheet.wire.errors import RULES, CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import PROTOCOL
from callsheet.wire.session import Hello
from callsheet.wire.tick import Tick
from callsheet_server.session.error_message import error_message
from callsheet_server.session.link import Link
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.session.session import Session

__all__ = ["Connection", "hello_timed_out", "refuse"]


class Connection:
    """Sans-I/O: frames in, validated messages out; what goes to the client goes by ``link``."""

    def __init__(self, registry: SessionRegistry, link: Link) -> None:
        self._registry = registry
        self._link = link
        self.session: Session | None = None
        """None until a hello was accepted, and for good if it was refused."""
        self._refused = False

    @property
    def is_open(self) -> bool:
        """True while a session uses this connection."""
        return self.session is not None and self.session.is_on(self._link)

    def receive(self, frame: str | bytes, now_s: float) -> AnyClientMessage | Tick | None:
        """Take one frame; return what is to be done, if anything is.

        The first frame that is accepted returns its ``Hello``; ``session`` is set then.
        """
        if self.session is not None:
            # What comes after the session left this connection is nobody's.
            return self.session.receive(frame, now_s) if self.is_open else None
        if self._refused:
            return None
        try:
            hello = _parse_hello(frame)
            self.session = self._registry.open(hello, self._link, now_s)
        except CallsheetError as error:
            self.refuse(error)
            return None
        return hello

    def hello_timeout(self, timeout_s: float) -> None:
        """Refuse a connection on which nobody said hello in time."""
        if self.session is None:
            self.refuse(hello_timed_out(timeout_s))

    def flooded(self, problem: str, now_s: float) -> None:
        """End what sent more frames than it may, before they were looked at."""
        self._end(error_for(ErrorCode.FLOODING, problem), now_s)

    def too_large(self, limit_bytes: int, now_s: float) -> bytes:
        """End what sent a message that is too large; return the frame that says so."""
        when = " before the server's welcome" if self.session is None else ""
        text = f"a message of more than {limit_bytes} bytes{when}"
        error = error_for(ErrorCode.MESSAGE_TOO_LARGE, text, limit=limit_bytes)
        self._end(error, now_s)
        return encode(error_message(error))

    def _end(self, error: CallsheetError, now_s: float) -> None:
        if self.session is None:
            self.refuse(error)
        elif self.is_open:
            self.session.fail(error, now_s)

    def refuse(self, error: CallsheetError) -> None:
        """Tell why this connection may not be used, and close it. Before its hello only; once."""
        if self._refused:
            return
        self._refused = True
        self._registry.refused(error.code)
        refuse(self._link, error)

    def lost(self, close_code: int, now_s: float) -> None:
        """Detach the session from this connection, which is gone, whoever ended it."""
        if self.session is not None:
            self.session.detach(self._link, close_code, now_s)


def refuse(link: Link, error: CallsheetError) -> None:
    """Tell a client without a session why its connection may not be used, and close it."""
    link.send(encode(error_message(error)))
    link.close(RULES[error.code].closes or CloseCode.PROTOCOL_ERROR, str(error.code))


def hello_timed_out(timeout_s: float) -> CallsheetError:
    """Make the error of a client that did not say hello in time."""
    return error_for(
        ErrorCode.HELLO_TIMEOUT,
        f"no hello within {timeout_s:g} s; it must be the first message",
        limit=timeout_s,
    )


def _parse_hello(frame: str | bytes) -> Hello:
    """Read the first frame.

    Raises:
        VersionError: majors differ. Looked at first: another major may have another hello.
        ProtocolError: ``hello_expected``, or ``bad_message`` naming the field that is wrong.
    """
    if isinstance(frame, bytes):
        raise _expected("a binary frame")
    try:
        value = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise _expected("text that is not JSON") from None
    if not isinstance(value, dict):
        raise _expected("JSON that is no object")
    kind = value.get("type")
    if kind != "hello":  # Nothing else of it is told back: it may hold a token.
        raise _expected(f"{kind[:40]!r}" if isinstance(kind, str) else "an object without a type")
    theirs = value.get("protocol")
    if isinstance(theirs, str) and (major := re.match(r"[0-9]{1,5}(?=\.|$)", theirs)):
        _check_major(int(major.group()), theirs)
    message = parse_client_message(frame)
    assert isinstance(message, Hello)
    return message


def _expected(got: str) -> CallsheetError:
    return error_for(
        ErrorCode.HELLO_EXPECTED, f"the first message must be hello as JSON text, not {got}"
    )


def _check_major(major: int, theirs: str) -> None:
    ours = int(PROTOCOL.split(".")[0])
    if major != ours:
        raise error_for(
            ErrorCode.VERSION_MISMATCH,
            f"the client speaks callsheet {theirs[:20]}, this server (callsheet {__version__}) "
            f"speaks {PROTOCOL}: upgrade the {'client' if major < ours else 'server'}",
            field="protocol",
            value=orjson.dumps(theirs[:20]).decode(),
        )

"""Text frames, judged before they are parsed: what they may be, and who pays for reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from callsheet.wire.base import Request
from callsheet.wire.codec import CLIENT_MESSAGES, AnyClientMessage, parse_client_message
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import Role
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.checks import check_role, check_size
from callsheet_server.session.frame_head import (
    FrameHead,
    limit_of_role_bytes,
    limit_of_type_bytes,
    read_head,
)
from callsheet_server.session.quota import Quotas

__all__ = ["TextFrame", "judge_text", "max_frame_bytes", "max_text_bytes"]

TICK: Final = "tick"


@dataclass(frozen=True, slots=True)
class TextFrame:
    """A text frame that was paid for, or may not be used."""

    text: str
    size_bytes: int
    head: FrameHead
    refusal: CallsheetError | None
    """Reason that it may not be used; None = it may be parsed."""

    @property
    def is_tick(self) -> bool:
        """True if it calls itself a tick, which other rates count than those of messages."""
        return self.head.type == TICK

    @property
    def request_id(self) -> int | None:
        """The id, if it calls itself a request and the id was found."""
        message = CLIENT_MESSAGES.get(self.head.type or "")
        return self.head.id if message is not None and issubclass(message, Request) else None

    def parse(self) -> AnyClientMessage:
        """Read it all.

        Raises:
            ProtocolError: it is no message, or not the one that it was judged as.
        """
        message = parse_client_message(self.text)
        if message.type != self.head.type:
            raise error_for(ErrorCode.BAD_MESSAGE, "'type' stands in it twice", field="type")
        return message


def max_text_bytes(role: Role, limits: LimitSettings) -> int:
    """Longest text frame of a role: what the settings say, or what it needs if that is less."""
    return min(limits.max_message_bytes, limit_of_role_bytes(role) or limits.max_message_bytes)


def max_frame_bytes(role: Role, limits: LimitSettings) -> int:
    """Longest frame of a role; only games send ticks."""
    text_bytes = max_text_bytes(role, limits)
    return max(text_bytes, limits.max_tick_bytes) if role == "game" else text_bytes


def judge_text(
    text: str, role: Role, limits: LimitSettings, quotas: Quotas, now_s: float
) -> TextFrame:
    """Charge a text frame to the quotas and find what speaks against it, unread.

    Raises:
        ProtocolError: ``message_too_large`` for this role, whatever it is.
    """
    size_bytes = len(text) if text.isascii() else len(text.encode())
    check_size("text", size_bytes, max_text_bytes(role, limits))
    refusal = quotas.take_bytes(size_bytes, now_s)
    head = read_head(text)
    if head.type != TICK:
        refusal = refusal or quotas.take_message(now_s)
    try:
        if head.type is not None and head.type in CLIENT_MESSAGES:
            check_role(role, head.type)
            check_size("text", size_bytes, limit_of_type_bytes(head.type) or size_bytes)
    except CallsheetError as error:
        refusal = refusal or error
    return TextFrame(text, size_bytes, head, refusal)

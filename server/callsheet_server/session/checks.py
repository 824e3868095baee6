"""Checks of what a client may send: by its role, and by size."""

from callsheet.wire.codec import AnyClientMessage
from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.fields import Role

__all__ = ["check_role", "check_size"]


def check_role(role: Role, message: AnyClientMessage) -> None:
    """Refuse a message that is not for this role.

    Raises:
        AuthError: ``forbidden``.
    """
    if role not in message.roles:
        raise error_for(
            ErrorCode.FORBIDDEN,
            f"{message.type} is for {' and '.join(sorted(message.roles))}; "
            f"this session's role is {role}",
            field="type",
            value=f'"{message.type}"',
        )


def check_size(kind: str, size_bytes: int, limit_bytes: int) -> None:
    """Refuse a frame that is too large; ``kind`` is "text" or "binary".

    Raises:
        ProtocolError: ``message_too_large``.
    """
    if size_bytes > limit_bytes:
        raise error_for(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"{kind} frame of {size_bytes} bytes; the limit is {limit_bytes}",
            value=str(size_bytes),
            limit=limit_bytes,
        )

"""Checks of what a client may send: by its role, and by size."""

from callsheet.wire.codec import CLIENT_MESSAGES
from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.fields import Role

__all__ = ["check_role", "check_size"]


def check_role(role: Role, name: str) -> None:
    """Refuse a message of a type that is not for this role.

    Raises:
        AuthError: ``forbidden``.
    """
    roles = CLIENT_MESSAGES[name].roles
    if role not in roles:
        raise error_for(
            ErrorCode.FORBIDDEN,
            f"{name} is for {' and '.join(sorted(roles))}; this session's role is {role}",
            field="type",
            value=f'"{name}"',
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

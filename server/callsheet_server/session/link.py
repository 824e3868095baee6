"""The way to a client, as a session sees it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Link"]


class Link(Protocol):
    """Link to a client. Calls never block."""

    @property
    def address(self) -> str:
        """The client's network address; empty if that is not known."""

    @property
    def waiting(self) -> int:
        """Frames queued and not yet written."""

    @property
    def reliable_bytes(self) -> int:
        """Of these, the bytes of frames without a key."""

    def welcome(self, max_frame_bytes: int) -> None:
        """Take messages of up to so many bytes from now on: the client was let in."""

    def send(self, frame: bytes, key: str | None = None) -> None:
        """Queue a text frame. One with a ``key`` replaces a queued one with the same key."""

    def close(self, code: int, reason: str) -> None:
        """Close once what is queued has been sent."""

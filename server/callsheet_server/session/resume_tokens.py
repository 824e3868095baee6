"""Resume tokens: secrets that resume a session, new with every welcome."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

__all__ = ["ResumeTokens"]

DIGEST_BYTES = hashlib.sha256().digest_size


class ResumeTokens:
    """The token a client holds, and the one it will hold next.

    The next one is made in advance and its hash stored with that of the present one. So a
    server that dies right after a welcome still knows the token in it. And the token that a client
    came with works until something shows that it got the new one.
    """

    def __init__(self, hashes: bytes = b"") -> None:
        """``hashes`` are those of before a restart."""
        self.present = ""
        self._next = ""
        self._good = hashes
        """The hashes of what is accepted now, one after the other."""

    def renew(self, new_token: Callable[[], str], presented: str | None) -> None:
        """Give out the next token, for the one a client came with if it resumes."""
        self.present = self._next or new_token()
        self._next = new_token()
        former = b"" if presented is None else _hash(presented)
        self._good = former + _hash(self.present)

    def arrived(self) -> None:
        """Note that the client has the present token: the one before does not work any more."""
        self._good = self._good[-DIGEST_BYTES:]

    @property
    def hashes(self) -> bytes:
        """Hashes of all tokens that must be accepted after a restart, one after the other."""
        return self._good + _hash(self._next)

    def accepts(self, token: str) -> bool:
        """True if this token resumes the session. Compares in constant time."""
        digest, good = _hash(token), self._good
        starts = range(0, len(good), DIGEST_BYTES)
        found = [hmac.compare_digest(digest, good[at : at + DIGEST_BYTES]) for at in starts]
        return any(found)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

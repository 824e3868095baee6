"""Access to sessions: which token opens which role in which world. Sans-I/O."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import Role
from callsheet_server.transport.access_tokens import AccessToken

__all__ = ["Keyring"]


class Keyring:
    """The tokens that are good now. Immutable: a change is a new keyring."""

    def __init__(self, tokens: Iterable[AccessToken], open_to_all: bool) -> None:
        """``open_to_all``: a role for which there is no token is anybody's, else nobody's."""
        self._tokens = tuple(tokens)
        self._open_to_all = open_to_all
        self._digests = [(sha256(t.secret.encode()).digest(), t) for t in self._tokens]

    def admit(self, role: Role, world: str | None, given: str | None) -> AccessToken | None:
        """The token that lets one in; None = the role asks for none.

        Takes as long for a secret that is nearly right as for one that is all wrong.

        Args:
            role: that is claimed.
            world: to be entered; None = all of them.
            given: the secret presented.

        Raises:
            AuthError: ``unauthorized``.
        """
        digest = sha256((given or "").encode("utf-8", "surrogatepass")).digest()
        found = None
        for wanted, token in self._digests:
            if hmac.compare_digest(digest, wanted):
                found = token
        if self._is_open(role):
            return None
        if given is None:
            raise _refused(f"the role {role} needs a token on this server, and none was sent")
        if found is None or found.role != role:
            raise _refused(f"the role {role} needs a token on this server; the one sent is not it")
        if found.world not in (None, world):
            raise _refused(f"this token is good for world {found.world!r} only")
        return found

    def holds(self, role: Role, token: AccessToken | None) -> bool:
        """True if a session that was let in with ``token`` may go on."""
        return self._is_open(role) if token is None else token in self._tokens

    def _is_open(self, role: Role) -> bool:
        return self._open_to_all and not any(token.role == role for token in self._tokens)


def _refused(why: str) -> CallsheetError:
    return error_for(ErrorCode.UNAUTHORIZED, why, field="token")

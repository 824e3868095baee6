"""Rate limits of what mods and games may set off with their messages: a loop stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Collection

from callsheet.wire.errors import ErrorCode, error_for
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.transport.access_tokens import AccessToken
from callsheet_server.world.errors import limit_exceeded
from callsheet_server.world.key import NpcKey

__all__ = ["RateLimits"]

TURN_BURST_S = 60.0
CHANGE_BURST_S = 30.0
"""Seconds' worth of changes that a session may make at once after a quiet time."""
CHANGES_PER_MIN = 120.0
"""Changes of what holds for a whole world, by one session: an editor that saves twice a second."""
MAX_SCRIPTS_PER_SESSION = 64
"""Scripts of one mod; a script speaks for any number of NPCs."""
MAX_NPCS_PER_TOKEN = 100_000
"""NPCs alive in all worlds whose games presented one token: two of the largest worlds."""


class RateLimits:
    """Two rates, both per minute with a burst, and a bound on scripts.

    *Turns*: what mods make one NPC say or answer, all mods together. Two scripts whose NPCs make
    each other talk, or one that reacts to its own words, go on at this pace and are told.
    *Changes*: messages after which every NPC of a world is looked at again, per session.
    """

    def __init__(self, limits: LimitSettings, npcs_of: Callable[[AccessToken], int]) -> None:
        """``npcs_of``: NPCs alive in all worlds of a token."""
        self._npcs_of = npcs_of
        self._turns_per_min = limits.max_mod_turns_per_npc_per_min
        self._turns: dict[NpcKey, TokenBucket] = {}
        self._changes: dict[str, TokenBucket] = {}

    def take_turn(self, npc: NpcKey, now_s: float) -> None:
        """Count that a mod makes an NPC speak or answer.

        Raises:
            CallsheetError: ``limit_exceeded``.
        """
        bucket = self._turns.get(npc)
        if bucket is None:
            bucket = self._turns[npc] = _bucket(self._turns_per_min, TURN_BURST_S, now_s)
        _take(bucket, f"turns of {npc.npc!r} that mods asked for", self._turns_per_min, now_s)

    def take_change(self, session: str, now_s: float) -> None:
        """Count a session's change to a whole world. Raises as ``take_turn`` does."""
        bucket = self._changes.get(session)
        if bucket is None:
            bucket = self._changes[session] = _bucket(CHANGES_PER_MIN, CHANGE_BURST_S, now_s)
        _take(bucket, "changes to the world or its scripts", CHANGES_PER_MIN, now_s)

    def check_scripts(self, names: Collection[str]) -> None:
        """Refuse a mod more scripts than it may have. Raises as ``take_turn`` does."""
        if len(names) > MAX_SCRIPTS_PER_SESSION:
            what = "scripts of this session"
            raise limit_exceeded(what, "script", len(names), MAX_SCRIPTS_PER_SESSION)

    def check_npcs(self, token: AccessToken | None, count: int) -> None:
        """Refuse to spawn more NPCs than a token may have. Raises as ``take_turn`` does."""
        if token is None:
            return
        npcs = self._npcs_of(token) + count
        if npcs > MAX_NPCS_PER_TOKEN:
            what = f"NPCs in all worlds of token {token.name!r}"
            raise limit_exceeded(what, "npcs", npcs, MAX_NPCS_PER_TOKEN)

    def forget_npc(self, npc: NpcKey) -> None:
        """Forget an NPC that is gone."""
        self._turns.pop(npc, None)

    def forget_session(self, session: str) -> None:
        """Forget a session that is over for good."""
        self._changes.pop(session, None)


def _bucket(per_min: float, burst_s: float, now_s: float) -> TokenBucket:
    return TokenBucket(per_min / 60, max(1.0, per_min / 60 * burst_s), now_s)


def _take(bucket: TokenBucket, what: str, per_min: float, now_s: float) -> None:
    wait_s = bucket.take(now_s)
    if wait_s:
        raise error_for(
            ErrorCode.LIMIT_EXCEEDED,
            f"more than {per_min:g} {what} in a minute",
            limit=per_min,
            retry_after_s=wait_s,
        )

"""Rate limits of what mods and games may set off with their messages: a loop stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.limits.token_bucket import TokenBucket, TokenBuckets
from callsheet_server.session.session import Session
from callsheet_server.transport.access_tokens import AccessToken
from callsheet_server.world.errors import limit_exceeded
from callsheet_server.world.key import NpcKey

__all__ = ["RateLimits"]

TURN_BURST_S = 60.0
CHANGE_BURST_S = 30.0
"""Seconds' worth of changes that a session may make at once after a quiet time."""
CHANGES_PER_MIN = 120.0
"""Changes of what holds for a whole world: an editor that saves twice a second."""
NPCS_PER_CHANGE = 1_000
"""NPCs of a world for which a change counts as one; it takes 40 microseconds for each of them."""
ADDRESS_FACTOR = 2.0
"""Changes of all games at an address, in terms of one's; small worlds count for little there."""
LEAST_OF_ADDRESS = 0.1
NPCS_PER_S = 3_000.0
NPCS_AT_ONCE = 10_000.0
"""NPCs that may be spawned and despawned in a second, and at once, before a game is slowed."""
MAX_SCRIPTS_PER_SESSION = 64
"""Scripts of one mod; a script speaks for any number of NPCs."""
MAX_NPCS_PER_TOKEN = 100_000
"""NPCs alive in all worlds whose games presented one token: two of the largest worlds."""


class RateLimits:
    """Rates per minute with a burst, a pace of games, and a bound on scripts.

    *Turns*: what mods make one NPC say or answer, all mods together. Two scripts whose NPCs make
    each other talk, or one that reacts to its own words, go on at this pace and are told.
    *Changes*: messages after which every NPC of a world is looked at again.

    Changes and the pace are counted by role and address, by access token, and of a game by its
    world: a new session has no new ones.
    """

    def __init__(self, limits: LimitSettings, npcs_of: Callable[[AccessToken], int]) -> None:
        """``npcs_of``: NPCs alive in all worlds of a token."""
        self._npcs_of = npcs_of
        self._turns_per_min = limits.max_mod_turns_per_npc_per_min
        self._turns: dict[NpcKey, TokenBucket] = {}
        per_s = CHANGES_PER_MIN / 60
        self._changes = TokenBuckets(per_s, per_s * CHANGE_BURST_S)
        self._changes_at = TokenBuckets(ADDRESS_FACTOR * per_s, per_s * CHANGE_BURST_S)
        self._npcs = TokenBuckets(NPCS_PER_S, NPCS_AT_ONCE)

    def take_turn(self, npc: NpcKey, now_s: float) -> None:
        """Count that a mod makes an NPC speak or answer.

        Raises:
            CallsheetError: ``limit_exceeded``.
        """
        bucket = self._turns.get(npc)
        if bucket is None:
            bucket = self._turns[npc] = _bucket(self._turns_per_min, TURN_BURST_S, now_s)
        _take(bucket, f"turns of {npc.npc!r} that mods asked for", self._turns_per_min, now_s)

    def take_change(self, session: Session, npcs: int, now_s: float) -> None:
        """Count a change to a whole world of so many NPCs. Raises as ``take_turn`` does."""
        amount = npcs / NPCS_PER_CHANGE
        wait_s = self._changes.take(_payers(session), now_s, max(1.0, amount))
        if not wait_s and session.role == "game":
            at = [session.address]
            wait_s = self._changes_at.take(at, now_s, LEAST_OF_ADDRESS + amount)
        if wait_s:
            what = "changes to the world or its scripts"
            raise _too_many(what, CHANGES_PER_MIN, wait_s)

    def note_npcs(self, session: Session, npcs: int, now_s: float) -> None:
        """Count NPCs that came or went; past the rate the session's next frame has to wait."""
        payers = {*_payers(session), (session.role, session.address)}
        wait_s = self._npcs.spend(payers, now_s, npcs)
        session.resumes_at_s = now_s + wait_s

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


def _bucket(per_min: float, burst_s: float, now_s: float) -> TokenBucket:
    return TokenBucket(per_min / 60, max(1.0, per_min / 60 * burst_s), now_s)


def _take(bucket: TokenBucket, what: str, per_min: float, now_s: float) -> None:
    wait_s = bucket.take(now_s)
    if wait_s:
        raise _too_many(what, per_min, wait_s)


def _too_many(what: str, per_min: float, wait_s: float) -> CallsheetError:
    return error_for(
        ErrorCode.LIMIT_EXCEEDED,
        f"more than {per_min:g} {what} in a minute",
        limit=per_min,
        retry_after_s=wait_s,
    )


def _payers(session: Session) -> list[Hashable]:
    """Return whose rates a session uses up. Games at one address share others."""
    payers: list[Hashable] = [] if session.token is None else [session.token.name]
    if session.role == "game":
        return [*payers, ("game", session.world)]
    return [*payers, (session.role, session.address)]

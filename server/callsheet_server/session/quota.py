"""Quotas: what a session, a token and a world may use, each for itself. Sans-I/O.

A session is under several: its own, that of the token it presented, that of its world, and, unless
it is a game's, that of its role at its network address. What is asked for must fit all of them, and
is then counted in all of them. Messages and bytes of the game are not counted in its world's: else
mods and observers could use up what the game needs to tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Literal

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.fields import Role
from callsheet_server.limits.roles import SHARED_SESSIONS, of_role
from callsheet_server.limits.settings import LimitSettings, QuotaSettings
from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.transport.access_tokens import AccessToken

__all__ = ["BURST_S", "Lease", "Quota", "QuotaBook", "Quotas", "Resource", "Scope", "address_key"]

BURST_S: Final = 2.0
"""Seconds' worth of messages and bytes that may be sent at once after a quiet time."""
OPEN_REQUESTS_RETRY_S: Final = 1.0

Scope = Literal["session", "token", "world", "address"]
Resource = Literal["messages", "bytes", "open_requests", "generated_tokens"]
Refusals = Counter[tuple[Scope, Resource]]
NoteErrors = Callable[[float, float], None]
"""Notes an amount of errors, at a time."""


class Quota:
    """Quota of one session, token, world or address: what it may use, and has used."""

    def __init__(
        self, scope: Scope, name: str, limits: LimitSettings | QuotaSettings, now_s: float
    ) -> None:
        """``name``: who it is, as told to its clients."""
        messages_per_s, bytes_per_s = limits.max_messages_per_s, float(limits.max_bytes_per_s)
        tokens_per_min = float(limits.max_generated_tokens_per_min)
        self.scope: Final[Scope] = scope
        self.max_open_requests: Final = limits.max_open_requests
        self.open_requests = 0
        self.buckets: Final[dict[Resource, TokenBucket]] = {
            "messages": TokenBucket(messages_per_s, messages_per_s * BURST_S, now_s),
            "bytes": TokenBucket(bytes_per_s, bytes_per_s * BURST_S, now_s),
            "generated_tokens": TokenBucket(tokens_per_min / 60, tokens_per_min, now_s),
        }
        self._name = name
        self._allowed: dict[Resource, tuple[float, str]] = {
            "messages": (messages_per_s, "messages a second"),
            "bytes": (bytes_per_s, "bytes a second"),
            "open_requests": (limits.max_open_requests, "open replies"),
            "generated_tokens": (tokens_per_min, "generated tokens a minute"),
        }

    def refusal(self, resource: Resource, wait_s: float) -> CallsheetError:
        """Make a ``limit_exceeded`` error that names this quota."""
        limit, unit = self._allowed[resource]
        return error_for(
            ErrorCode.LIMIT_EXCEEDED,
            f"more than {limit:g} {unit} of {self._name}",
            limit=limit,
            retry_after_s=wait_s,
        )

    def is_unused(self, now_s: float) -> bool:
        """True if it is as good as new."""
        return not self.open_requests and all(b.is_full(now_s) for b in self.buckets.values())


class Quotas:
    """The quotas that one session is under."""

    def __init__(
        self,
        frames: Iterable[Quota],
        replies: Iterable[Quota],
        refusals: Refusals,
        note_errors: NoteErrors = lambda *_: None,
    ) -> None:
        """``frames`` count its messages and bytes, ``replies`` its replies; refusals are noted."""
        self.note_errors: Final = note_errors
        """Told of its errors, for all sessions of its token or address."""
        self._frames = tuple(frames)
        self._replies = tuple(replies)
        self._refusals = refusals

    def take_message(self, now_s: float) -> CallsheetError | None:
        """Count a control message, or say why it may not be carried out."""
        return self._take(self._frames, "messages", 1.0, now_s)

    def take_hearers(self, count: int, now_s: float) -> None:
        """Count a message for each NPC that is to remember one.

        Raises:
            WorldError: ``limit_exceeded``.
        """
        refusal = self._take(self._frames, "messages", float(count), now_s)
        if refusal is not None:
            raise refusal

    def take_bytes(self, size_bytes: int, now_s: float) -> CallsheetError | None:
        """Count a frame's bytes, or say why the frame may not be used."""
        return self._take(self._frames, "bytes", float(size_bytes), now_s)

    def open_reply(self, max_tokens: int, now_s: float) -> Lease:
        """Make room for a reply of at most ``max_tokens``; to be closed when it has ended.

        Raises:
            WorldError: ``limit_exceeded``.
        """
        for quota in self._replies:
            if quota.open_requests >= quota.max_open_requests:
                raise self._refuse(quota, "open_requests", OPEN_REQUESTS_RETRY_S)
        refusal = self._take(self._replies, "generated_tokens", float(max_tokens), now_s)
        if refusal is not None:
            raise refusal
        return Lease(self._replies, max_tokens)

    def _take(
        self, quotas: tuple[Quota, ...], resource: Resource, amount: float, now_s: float
    ) -> CallsheetError | None:
        wait_s, longest = 0.0, None
        for quota in quotas:
            if (quota_wait_s := quota.buckets[resource].wait_s(now_s, amount)) > wait_s:
                wait_s, longest = quota_wait_s, quota
        if longest is not None:
            return self._refuse(longest, resource, wait_s)
        for quota in quotas:
            quota.buckets[resource].spend(amount)
        return None

    def _refuse(self, quota: Quota, resource: Resource, wait_s: float) -> CallsheetError:
        self._refusals[quota.scope, resource] += 1
        return quota.refusal(resource, wait_s)


class Lease:
    """An open reply's place in its quotas, with the tokens that are set aside for it."""

    def __init__(self, quotas: tuple[Quota, ...], reserved_tokens: int) -> None:
        self._quotas = quotas
        self._reserved_tokens = reserved_tokens
        for quota in quotas:
            quota.open_requests += 1

    def close(self, spent_tokens: int) -> None:
        """Give back what the reply did not use, as it has ended. May be called once."""
        for quota in self._quotas:
            quota.open_requests -= 1
            quota.buckets["generated_tokens"].spend(float(spent_tokens - self._reserved_tokens))


def address_key(role: Role, address: str) -> str:
    """The name of the quota that sessions of one role at one address share."""
    return f"{role}s at {address}"


class QuotaBook:
    """The quotas of tokens, worlds and addresses. They outlive the sessions that used them up."""

    def __init__(self, token_quota: QuotaSettings, world_quota: QuotaSettings) -> None:
        self.refusals: Refusals = Counter()
        """Number of refusals so far, by scope of the quota and by resource."""
        self._token_quota = token_quota
        self._world_quota = world_quota
        self._quotas: dict[tuple[Scope, str], Quota] = {}

    def of(
        self,
        own: Quota,
        role: Role,
        world: str,
        token: AccessToken | None,
        address: str,
        now_s: float,
        note_errors: NoteErrors = lambda *_: None,
    ) -> Quotas:
        """Collect the quotas of a session: ``own``, and those it shares with others."""
        above = []
        if token is not None:
            of_token = of_role(self._token_quota, role, SHARED_SESSIONS)
            above.append(self._shared("token", token.name, of_token, now_s))
        of_world = self._shared("world", world, self._world_quota, now_s)
        if role == "game":
            return Quotas([own, *above], [own, *above, of_world], self.refusals, note_errors)
        of_address = of_role(self._token_quota, role, SHARED_SESSIONS)
        at = self._shared("address", address_key(role, address), of_address, now_s)
        frames, replies = [own, *above, of_world, at], [own, *above, of_world]
        return Quotas(frames, replies, self.refusals, note_errors)

    def forget_unused(self, now_s: float, in_use: set[tuple[Scope, str]]) -> None:
        """Drop quotas that are as good as new and that no session is under."""
        for key, quota in list(self._quotas.items()):
            if key not in in_use and quota.is_unused(now_s):
                del self._quotas[key]

    def _shared(self, scope: Scope, name: str, settings: QuotaSettings, now_s: float) -> Quota:
        quota = self._quotas.get((scope, name))
        if quota is None:
            told = name if scope == "address" else f"{scope} {name!r}"
            quota = self._quotas[scope, name] = Quota(scope, told, settings, now_s)
        return quota

"""Rates of mods and observers, below the settings': they need little, and anybody may be one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeVar

from callsheet.wire.fields import Role
from callsheet_server.limits.settings import LimitSettings, QuotaSettings

__all__ = ["ROLE_RATES", "SHARED_SESSIONS", "RoleRates", "of_role"]

Settings = TypeVar("Settings", LimitSettings, QuotaSettings)


@dataclass(frozen=True, slots=True)
class RoleRates:
    """Most that one session of a role may send on average."""

    messages_per_s: float
    bytes_per_s: int


ROLE_RATES: Final[dict[Role, RoleRates]] = {
    "mod": RoleRates(math.inf, 524_288),
    "observer": RoleRates(100.0, 98_304),
}
"""Of JSON that is worst to read, this takes a fifth of a core and a twenty-fifth."""
SHARED_SESSIONS: Final = 4
"""Sessions' worth that all of one token, or of one role at one address, may send together."""


def of_role(settings: Settings, role: Role, sessions: int = 1) -> Settings:
    """Return ``settings`` with what so many sessions of a role may send, if that is less."""
    if role not in ROLE_RATES:
        return settings
    rates = ROLE_RATES[role]
    return settings.model_copy(
        update={
            "max_messages_per_s": min(settings.max_messages_per_s, sessions * rates.messages_per_s),
            "max_bytes_per_s": min(settings.max_bytes_per_s, sessions * rates.bytes_per_s),
        }
    )

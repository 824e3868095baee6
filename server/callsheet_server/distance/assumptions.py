"""Assumptions of the invocation-distance estimators about a game. All times are game time."""

from dataclasses import dataclass

__all__ = ["Assumptions"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Constants of the five estimators, chosen on recorded towns; tests vary them."""

    turn_fraction: float = 0.25
    """Share of the maximum speeds at which someone who is not heading for an NPC is taken to come
    nearer anyway. 1 = the strict lower bound on the time of arrival."""
    follow_up_s: float = 10.0
    """Seconds after a call during which the talk may go on: no cooldown yet."""
    talk_cooldown_s: float = 15.0
    """Seconds after a call before a player near by is expected to talk again."""
    encounter_cooldown_s: float = 60.0
    """Seconds after a call before an NPC is expected to talk to another NPC."""
    turn_gap_s: float = 3.0
    """Seconds from the end of one line of a talk between NPCs to the next."""
    encounter_wait_s: float = 5.0
    """Seconds two fully sociable NPCs stand together before they talk."""
    encounter_period_s: float = 1.0
    """Seconds between two runs of the encounter estimator, the one that costs; 0 = every tick."""
    schedule_grace_s: float = 10.0
    """Seconds for which an announced call that did not come still counts as due."""

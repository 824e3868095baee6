"""Rates and patience of the dealings with SGLang."""

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Constants that hold for any model and machine; tests are less patient."""

    silence_s: float = 120.0
    """A request is given up if SGLang sends nothing for so long: longer than any prefill."""
    health_interval_s: float = 5.0
    """Time between two questions to SGLang whether it is well."""
    health_timeout_s: float = 30.0
    """Time it may take to answer that, while it computes; after two failures it is lost."""
    residency_interval_s: float = 0.5
    """Time between two questions to the plugin where prefixes lie; only shown to people."""
    distance_interval_s: float = 0.1
    """Shortest time between two distance updates: as often as the server plans."""
    distance_bytes_per_s: int = 1_000_000
    """Most that distance updates may take of the link: 5,000 NPCs ten times a second."""
    distance_tolerance_s: float = 0.25
    """An NPC whose distance is off by less is not sent again."""
    distance_tolerance_ratio: float = 0.1
    """The same as a part of the distance; the larger of the two counts."""
    warm_horizon_s: float = 60.0
    """NPCs due sooner have their prefix computed ahead while SGLang has nothing better to do."""
    warm_at_once: int = 2
    """Prefixes computed ahead at the same time: one is computed while the next is sent."""
    stop_timeout_s: float = 15.0
    """From being told to end to being killed."""
    restart_min_s: float = 1.0
    """Pause before a lost SGLang is tried again; it doubles with each try."""
    restart_max_s: float = 60.0
    """The longest such pause."""

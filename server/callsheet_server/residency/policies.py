"""Policies to compare ours with, each a way of telling distances to the same planner.

A cache policy is an order of eviction and a rule for fetching. So LRU is the planner told that what
was used longest ago is needed last, with its horizon at 0; the clairvoyant ones are the planner
told the truth. A server runs one of ``LIVE_POLICIES``, ``DISTANCE`` unless somebody wants to watch
the difference; the clairvoyant ones can only be simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.settings import PolicySettings

__all__ = [
    "BELADY",
    "CLAIRVOYANT",
    "DISTANCE",
    "LIVE_POLICIES",
    "LRU",
    "NAIVE",
    "POLICIES",
    "LivePolicy",
    "Policy",
    "Recording",
    "View",
]

F32 = NDArray[np.float32]


class View(Protocol):
    """View of N NPCs at one instant: all that a policy may look at."""

    def estimated_s(self) -> F32:
        """(N,) invocation distances as the estimators see them."""

    def unused_s(self) -> F32:
        """(N,) seconds since the last call; 0 = in one; +inf = never called."""


class Recording(View, Protocol):
    """View of a recording, in which the calls to come are known."""

    def until_next_s(self) -> F32:
        """(N,) true seconds to the next call, known from the recording; +inf = none left."""


V_contra = TypeVar("V_contra", bound=View, contravariant=True)


@dataclass(frozen=True, slots=True)
class Policy(Generic[V_contra]):
    """A named way of keeping state at hand."""

    name: str
    about: str
    distance_s: Callable[[V_contra], F32]
    prefetches: bool
    parks: bool
    """False: what is evicted is dropped and has to be rebuilt."""

    def settings(self, ours: PolicySettings) -> PolicySettings:
        """The planner's settings under this policy, ours being those of ``DISTANCE``.

        Margins guard against errors of estimation, so only the policy that estimates has them.
        """
        if self is DISTANCE:
            return ours
        horizon_s = ours.prefetch_horizon_s if self.prefetches else 0.0
        return ours.model_copy(
            update={
                "prefetch_horizon_s": horizon_s,
                "hysteresis_s": 0.0,
                "least_gain": 0.0,
                "device_headroom": 0.0,
            }
        )


TIE_S = 1e-3
"""Between like distances the least recently used counts as farther, by less than this."""


def _by_distance(view: View) -> F32:
    unused_s = view.unused_s()
    order: F32 = view.estimated_s() + np.float32(TIE_S) * (1.0 - 1.0 / (1.0 + unused_s / 60.0))
    return order


LivePolicy = Policy[View]
"""Policy that needs no knowledge of the future."""

LRU: LivePolicy = Policy(
    "lru",
    "drop the least recently used, rebuild on demand",
    lambda view: view.unused_s(),
    prefetches=False,
    parks=False,
)
NAIVE: LivePolicy = Policy(
    "naive",
    "park the least recently used, load on demand",
    lambda view: view.unused_s(),
    prefetches=False,
    parks=True,
)
DISTANCE: LivePolicy = Policy(
    "distance",
    "ours: prefetch and evict by estimated invocation distance",
    _by_distance,
    prefetches=True,
    parks=True,
)
BELADY: Policy[Recording] = Policy(
    "belady",
    "clairvoyant demand paging: park what is needed last, load on demand",
    lambda view: view.until_next_s(),
    prefetches=False,
    parks=True,
)
CLAIRVOYANT: Policy[Recording] = Policy(
    "clairvoyant",
    "ours, fed the true times of the next calls",
    lambda view: view.until_next_s(),
    prefetches=True,
    parks=True,
)

LIVE_POLICIES: Mapping[str, LivePolicy] = {p.name: p for p in (DISTANCE, LRU, NAIVE)}
POLICIES: Mapping[str, Policy[Recording]] = {
    **LIVE_POLICIES,
    BELADY.name: BELADY,
    CLAIRVOYANT.name: CLAIRVOYANT,
}

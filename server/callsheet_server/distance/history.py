"""History: what the gaps between past calls say about the next one.

The predictor is the root mean square of (time of the next call - now). With ``elapsed`` seconds
since the last call and gaps of mean m and standard deviation s that is

    sqrt(E[(gap - elapsed)^2]) = hypot(m - elapsed, s)

which needs no assumption on the distribution and behaves well at both ends. A regular caller
(s << m) counts down to about s, an exponential one (s = m) stays near m whatever has elapsed, and a
caller who is long overdue moves away again instead of staying "any moment now" for ever.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.snapshot import Snapshot

__all__ = ["history"]


def history(snapshot: Snapshot) -> NDArray[np.float32]:
    """(N,) float32 seconds to the next call as past gaps predict it; +inf below two calls."""
    elapsed_s = (snapshot.game_time_s - snapshot.last_call_s).astype(np.float32)
    left_s: NDArray[np.float32] = np.hypot(
        snapshot.call_gap_mean_s - elapsed_s, snapshot.call_gap_std_s
    )
    left_s[np.isnan(left_s)] = np.inf
    return left_s

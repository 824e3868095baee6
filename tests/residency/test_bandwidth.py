from __future__ import annotations

import pytest

from callsheet_residency.bandwidth import Bandwidth, CreditBucket


def test_the_assumption_holds_until_a_move_was_seen_and_then_fades() -> None:
    bandwidth = Bandwidth(1e9)
    assert bandwidth.bytes_per_s == pytest.approx(1e9)
    for _ in range(50):
        bandwidth.observe(2 * 10**7, 0.1)
    assert bandwidth.bytes_per_s == pytest.approx(2e8, rel=0.05)


def test_it_follows_a_link_that_gets_faster() -> None:
    bandwidth = Bandwidth(1e6)
    for _ in range(10):
        bandwidth.observe(10**6, 1.0)
    for _ in range(10):
        bandwidth.observe(10**7, 1.0)
    assert 9e6 < bandwidth.bytes_per_s < 1e7


@pytest.mark.parametrize(("moved_bytes", "seconds"), [(0, 1.0), (10, 0.0), (10, -1.0)])
def test_moves_that_say_nothing_are_ignored(moved_bytes: int, seconds: float) -> None:
    bandwidth = Bandwidth(5.0)
    bandwidth.observe(moved_bytes, seconds)
    assert bandwidth.bytes_per_s == 5.0


def test_a_bucket_starts_full_and_fills_at_the_rate() -> None:
    bucket = CreditBucket()
    bucket.refill(100.0, 10.0, 50.0)
    assert bucket.credit == 50.0
    bucket.spend(80.0)
    bucket.refill(101.0, 10.0, 50.0)
    assert bucket.credit == -20.0
    bucket.refill(100.0, 10.0, 50.0)
    assert bucket.credit == -20.0
    bucket.refill(200.0, 10.0, 50.0)
    assert bucket.credit == 50.0

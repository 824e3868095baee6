from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.limits.token_bucket import PRUNED_FROM, TokenBucket, TokenBuckets


def test_a_burst_passes_at_once_and_then_the_rate_rules() -> None:
    bucket = TokenBucket(rate=2.0, burst=3.0, now_s=10.0)
    assert [bucket.take(10.0) for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert bucket.take(10.25) == 0.25
    assert bucket.take(10.5) == 0
    assert bucket.take(10.5) == 0.5


def test_what_is_saved_up_is_bounded() -> None:
    bucket = TokenBucket(rate=1.0, burst=2.0, now_s=0.0)
    assert [bucket.take(1e6) for _ in range(3)] == [0, 0, 1]


@given(
    rate=st.floats(0.1, 1e4),
    burst=st.floats(1, 1e4),
    steps_s=st.lists(st.floats(0, 10), max_size=200),
)
def test_never_more_than_burst_and_rate_allow(
    rate: float, burst: float, steps_s: list[float]
) -> None:
    bucket, now_s, taken = TokenBucket(rate, burst, 0.0), 0.0, 0
    for step_s in steps_s:
        now_s += step_s
        wait_s = bucket.take(now_s)
        assert wait_s >= 0
        taken += wait_s == 0
        assert taken <= burst + rate * now_s + 1e-6 * (1 + rate * now_s)


@given(rate=st.floats(0.1, 1e4))
def test_who_waits_as_told_gets_a_token(rate: float) -> None:
    bucket, now_s = TokenBucket(rate, 1.0, 0.0), 0.0
    for _ in range(20):
        now_s += bucket.take(now_s) * (1 + 1e-9)
    assert bucket.take(now_s + 1.001 / rate) == 0


def test_buckets_by_key_are_taken_from_together_or_not_at_all() -> None:
    buckets = TokenBuckets(rate=1.0, burst=2.0)
    assert buckets.take(["a", "b"], 0.0, 2.0) == 0
    assert buckets.take(["a", "c"], 0.0) == 1.0
    assert buckets.take(["c"], 0.0, 2.0) == 0


def test_of_many_buckets_those_that_are_full_are_dropped() -> None:
    buckets = TokenBuckets(rate=1.0, burst=1.0)
    for key in range(100_000):
        assert buckets.take([key], float(key)) == 0
    assert len(buckets) <= PRUNED_FROM

import argparse
from dataclasses import replace

import pytest

from callsheet_loadtest.thresholds import Row, missed

ACKS = Row(count=1000, failures=0, p50_ms=2, p95_ms=9, p99_ms=12, max_ms=40)
LIMITS = argparse.Namespace(
    max_ack_p99=50.0, max_first_token_p95=None, max_failures=0, min_tick_share=0.98
)


def test_a_good_run_misses_nothing() -> None:
    assert missed({"tick ack": ACKS, "session connect": ACKS}, LIMITS) == []


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({}, "no tick was acknowledged"),
        ({"tick ack": replace(ACKS, p99_ms=51)}, "tick ack p99 is 51 ms; the limit is 50 ms"),
        (
            {"tick ack": ACKS, "session dropped": replace(ACKS, count=1, failures=1)},
            "1 requests failed; the limit is 0",
        ),
        (
            {"tick ack": ACKS, "tick skipped": replace(ACKS, count=100)},
            "90.9% of the ticks due were sent; the limit is 98.0%",
        ),
    ],
)
def test_what_is_missed_is_said(rows: dict[str, Row], says: str) -> None:
    assert any(problem.startswith(says) for problem in missed(rows, LIMITS))


def test_the_first_token_is_judged_if_asked_for() -> None:
    limits = argparse.Namespace(**(vars(LIMITS) | {"max_first_token_p95": 5.0}))
    rows = {"tick ack": ACKS, "say first token": ACKS}
    assert missed(rows, limits) == ["say first token p95 is 9 ms; the limit is 5 ms"]

"""A line that is logged over and over, and how little of it is written."""

from __future__ import annotations

import logging

import pytest

from callsheet_server.telemetry.log_limit import BYTES_AT_ONCE, BYTES_PER_S, LimitedHandler
from callsheet_server.telemetry.logs import configure_logging

WINDOW_S = 10.0
MOST_BYTES = 100_000


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def flooded(clock: Clock) -> logging.Logger:
    """Make a logger of its own, with one handler."""
    handler, logger = LimitedHandler(clock), logging.Logger("flooded")
    said = logging.Formatter("%(message)s left_out=%(left_out)s", defaults={"left_out": 0})
    handler.setFormatter(said)
    logger.addHandler(handler)
    return logger


def test_a_place_writes_so_much_and_then_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    logger = flooded(clock)
    steps = 100
    for step in range(steps):
        clock.now_s = WINDOW_S * step / steps
        for number in range(100):
            logger.error("line %d that a client has caused", number)
    written = capsys.readouterr().err
    assert len(written) < 1.1 * (BYTES_AT_ONCE + BYTES_PER_S * WINDOW_S) < MOST_BYTES
    clock.now_s += 60.0
    logger.error("elsewhere")
    assert capsys.readouterr().err == "elsewhere left_out=0\n"
    logger.handlers[0].close()
    told = int(capsys.readouterr().err.split()[0])
    left_out = sum(int(line.rpartition("=")[2]) for line in written.splitlines())
    assert len(written.splitlines()) + left_out + told == 100 * steps


def test_the_next_line_that_is_written_says_how_many_were_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = Clock()
    logger = flooded(clock)
    for number in range(1_000):
        clock.now_s = 0.0 if number < 999 else 100.0
        logger.error("again")
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == f"again left_out={1_000 - len(lines)}"


def test_what_was_asked_for_by_hand_is_all_written(capsys: pytest.CaptureFixture[str]) -> None:
    logger = flooded(Clock())
    for _ in range(5_000):
        logger.debug("a detail")
    assert len(capsys.readouterr().err.splitlines()) == 5_000


def test_an_endless_recursion_takes_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    root, ours = logging.getLogger(), logging.getLogger("callsheet_server")
    before = root.handlers[:], root.level, ours.level
    configure_logging("text", "info")

    def one(depth: int) -> None:
        other(depth + 1)

    def other(depth: int) -> None:
        one(depth + 1)

    try:
        for _ in range(50):
            try:
                one(0)
            except RecursionError:
                ours.exception("a message could not be handled")
        assert len(capsys.readouterr().err) < MOST_BYTES
    finally:
        root.handlers[:], level, our_level = before
        root.setLevel(level)
        ours.setLevel(our_level)

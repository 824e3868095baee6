"""The executor on a simulated store, with moves that can be held up from the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Hashable

import pytest
from waiting import PATIENCE_S

from callsheet_residency.actions import Action, Evict, Load, Plan
from callsheet_residency.errors import BudgetError
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.engine import DoneMove
from callsheet_server.engine.mover import Mover
from callsheet_server.engine.simulated import SimulatedStore


class Gate(SimulatedStore):
    """A store whose first move waits until the test lets it through."""

    def __init__(self) -> None:
        super().__init__(StateKind.BLOB, {Tier.DEVICE: 30, Tier.HOST: 1_000})
        self.entered = threading.Event()
        self.open = threading.Event()
        self.threads: set[str] = set()
        for key in "abcdefgh":
            self.put(key, 10)

    def load(self, key: Hashable, target: Tier) -> int:
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        assert self.open.wait(PATIENCE_S)
        if key == "h":
            raise ZeroDivisionError("a bug in a store")
        return super().load(key, target)


class Books:
    """Notes what the mover tells."""

    def __init__(self) -> None:
        self.started_keys: list[Hashable] = []
        self.finished_keys: list[Hashable] = []
        self.errors: list[Exception | None] = []
        self.done: list[DoneMove] = []

    def started(self, action: Action) -> None:
        self.started_keys.append(action.key)

    def finished(
        self, action: Action, moved_bytes: int, seconds: float, error: Exception | None
    ) -> None:
        self.finished_keys.append(action.key)
        self.errors.append(error)


def load(key: str) -> Load:
    return Load(StateKind.BLOB, key, Tier.ABSENT, Tier.DEVICE, 10, "test")


def plan(keys: str) -> Plan:
    return Plan(tuple(load(key) for key in keys))


@pytest.fixture
def store() -> Gate:
    return Gate()


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
async def mover(store: Gate, books: Books) -> AsyncIterator[Mover]:
    mover = Mover([store], books, books.done.append)
    yield mover
    store.open.set()
    await mover.close()
    store.check_integrity()


async def test_a_plan_is_carried_out_in_order_in_one_thread(
    mover: Mover, store: Gate, books: Books
) -> None:
    store.open.set()
    mover.submit(plan("ab"))
    mover.submit(Plan((load("c"), Evict(StateKind.BLOB, "a", Tier.DEVICE, Tier.HOST, 10, ""))))
    await mover.idle()
    assert books.started_keys == books.finished_keys == ["a", "b", "c", "a"]
    assert [move.moved_bytes for move in books.done] == [10, 10, 10, 10]
    assert [store.tier(key) for key in "abc"] == [Tier.HOST, Tier.DEVICE, Tier.DEVICE]
    assert len(store.threads) == 1
    assert threading.current_thread().name not in store.threads


async def test_an_urgent_plan_goes_before_the_rest_of_the_one_under_way(
    mover: Mover, store: Gate, books: Books
) -> None:
    mover.submit(plan("ab"))
    mover.submit(plan("c"))
    await asyncio.to_thread(store.entered.wait, PATIENCE_S)
    mover.submit(plan("d"), urgent=True)
    store.open.set()
    await mover.idle()
    assert books.started_keys == ["a", "d", "b", "c"]


async def test_after_an_error_the_rest_of_that_plan_is_given_up_and_no_other(
    mover: Mover, store: Gate, books: Books
) -> None:
    store.open.set()
    mover.submit(plan("abc"))
    mover.submit(plan("def"))  # The device is full: d fails, e and f are not tried.
    mover.submit(Plan((Evict(StateKind.BLOB, "a", Tier.DEVICE, Tier.HOST, 10, ""), load("g"))))
    await mover.idle()
    assert books.started_keys == ["a", "b", "c", "d", "a", "g"]
    assert books.finished_keys == ["a", "b", "c", "d", "e", "f", "a", "g"]
    assert [type(e) for e in books.errors[3:6]] == [BudgetError] * 3
    assert books.errors[6:] == [None, None]
    assert [type(move.error) for move in books.done].count(BudgetError) == 1


async def test_a_bug_in_a_store_is_contained(mover: Mover, store: Gate, books: Books) -> None:
    store.open.set()
    mover.submit(plan("ha"))
    mover.submit(plan("b"))
    await mover.idle()
    assert [type(move.error) for move in books.done] == [ZeroDivisionError, type(None)]
    assert store.tier("b") is Tier.DEVICE


class Broken(Books):
    """Books that fail at everything they are told, after noting it."""

    def started(self, action: Action) -> None:
        super().started(action)
        raise ZeroDivisionError("a bug in the ledger")

    def finished(
        self, action: Action, moved_bytes: int, seconds: float, error: Exception | None
    ) -> None:
        super().finished(action, moved_bytes, seconds, error)
        raise ZeroDivisionError("a bug in the ledger")

    def told(self, move: DoneMove) -> None:
        self.done.append(move)
        raise ZeroDivisionError("a bug in a subscriber's view")


async def test_a_bug_in_what_is_told_of_moves_is_counted_and_moving_goes_on(
    store: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    store.open.set()
    broken = Broken()
    mover = Mover([store], broken, broken.told)
    mover.submit(plan("ab"))
    mover.submit(plan("cde"))  # The device is full at d: e is given up.
    await mover.idle()
    mover.submit(Plan((Evict(StateKind.BLOB, "a", Tier.DEVICE, Tier.HOST, 10, ""),)))
    await mover.idle()
    assert broken.started_keys == ["a", "b", "c", "d", "a"]
    assert broken.finished_keys == ["a", "b", "c", "d", "e", "a"]
    assert len(broken.done) == 5
    assert mover.failures == len(caplog.records) == 16
    await mover.close()


async def test_closing_finishes_the_move_under_way_and_drops_the_rest(
    mover: Mover, store: Gate, books: Books
) -> None:
    mover.submit(plan("ab"))
    await asyncio.to_thread(store.entered.wait, PATIENCE_S)
    closing = asyncio.create_task(mover.close())
    await asyncio.sleep(0)
    store.open.set()
    await closing
    assert books.finished_keys == ["a"]
    mover.submit(plan("c"))
    await mover.idle()
    assert books.started_keys == ["a"]


async def test_an_empty_plan_is_nothing(mover: Mover, books: Books) -> None:
    mover.submit(Plan())
    await mover.idle()
    assert books.started_keys == []

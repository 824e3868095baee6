"""Keeps the ledgers, the distances and the credit; says what to move next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.actions import Action, Load, Plan
from callsheet_residency.bandwidth import BURST_S, Bandwidth, CreditBucket
from callsheet_residency.items import FILED, Budget, Credit, Items, cost
from callsheet_residency.planner import plan, plan_demand
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, StateStore, Tier
from callsheet_server.residency.ledger import Ledger
from callsheet_server.residency.policies import DISTANCE, Policy

__all__ = ["ResidencyController"]

PLANNING_ORDER = (StateKind.WEIGHTS, StateKind.ADAPTER, StateKind.PREFIX, StateKind.BLOB)
"""Order in which kinds of state are moved: what many NPCs share comes first."""

NOBODY = -1
PLAN_PERIOD_S = 0.1
"""Time between two plans: they cost little, and prefetching looks seconds ahead."""
ASSUMED_DISK_BYTES_PER_S = 4e8
"""Disk bandwidth until it has been measured."""


class ResidencyController:
    """Plans for a set of stores. All methods are called from one thread; none of them blocks.

    The cycle: ``set_distances`` every tick, ``step`` as often as wanted. For each action of a plan,
    in order, the executor calls ``started``, carries it out, and calls ``finished``. ``step`` gives
    no new plan while actions of an earlier one are unfinished; ``demand`` does, at any time.
    """

    def __init__(
        self,
        stores: Iterable[StateStore],
        settings: PolicySettings,
        policy: Policy[Any] = DISTANCE,
    ) -> None:
        """Begin to plan for ``stores``, all empty.

        Raises ``ValueError`` if two stores are of one kind.
        """
        self._settings = settings
        self.set_policy(policy)
        self._ledgers: dict[StateKind, Ledger] = {}
        for store in sorted(stores, key=lambda store: PLANNING_ORDER.index(store.kind)):
            if store.kind in self._ledgers:
                raise ValueError(f"two stores of kind {store.kind}: give one store per kind")
            self._ledgers[store.kind] = Ledger(store)
        self._users: dict[str, dict[StateKind, NDArray[np.int32]]] = {}
        """Per world and kind: (N,) int32, the item each NPC row uses, or ``NOBODY``."""
        self._links: dict[StateKind, Counter[int]] = {kind: Counter() for kind in self._ledgers}
        """Per kind: NPC rows that use each item."""
        self._distance_s: dict[str, NDArray[np.float32]] = {}
        self._pending: set[Action] = set()
        """State moves that are planned and not yet started."""
        self._in_flight: set[Action] = set()
        self._next_plan_s = -np.inf
        assumed_bytes_per_s = settings.assumed_device_link_bytes_per_s
        self._load_link = Bandwidth(assumed_bytes_per_s), CreditBucket()
        self._evict_link = Bandwidth(assumed_bytes_per_s), CreditBucket()
        self._disk_link = Bandwidth(ASSUMED_DISK_BYTES_PER_S), CreditBucket()
        self._rebuild_time = CreditBucket()

    # --- who there is ---------------------------------------------------------------------------

    def ledger(self, kind: StateKind) -> Ledger:
        """Raises ``KeyError`` if no store of this kind was given."""
        return self._ledgers[kind]

    def track(self, kind: StateKind, key: Hashable) -> None:
        """Start planning for an item. Again is fine; kinds without a store are ignored."""
        if kind in self._ledgers:
            self._ledgers[kind].track(key)

    def untrack(self, kind: StateKind, key: Hashable) -> None:
        """Stop planning for an item and unlink its users. Unknown ones are ignored."""
        if kind not in self._ledgers:
            return
        row = self._ledgers[kind].row_of.get(key)
        if row is not None and self._links[kind][row]:
            for users in self._users.values():
                if kind in users:
                    users[kind][users[kind] == row] = NOBODY
            self._links[kind][row] = 0
        for actions in (self._pending, self._in_flight):
            actions -= {a for a in actions if a.kind is kind and a.key == key}
        self._ledgers[kind].untrack(key)

    def link(self, world: str, npc_row: int, kind: StateKind, key: Hashable) -> None:
        """Link the NPC on ``npc_row`` of ``world`` to this item; it replaces any of its kind."""
        if kind not in self._ledgers:
            return
        users = self._users.setdefault(world, {}).setdefault(kind, np.empty(0, np.int32))
        if npc_row >= len(users):
            more = np.full(max(npc_row + 1, 2 * len(users)) - len(users), NOBODY, np.int32)
            users = self._users[world][kind] = np.concatenate([users, more])
        self._unlink(kind, users, npc_row)
        users[npc_row] = item = self._ledgers[kind].track(key)
        self._links[kind][item] += 1

    def unlink(self, world: str, npc_row: int) -> None:
        """Unlink the NPC on ``npc_row``; what it used alone has distance +inf from now on."""
        for kind, users in self._users.get(world, {}).items():
            if npc_row < len(users):
                self._unlink(kind, users, npc_row)

    def _unlink(self, kind: StateKind, users: NDArray[np.int32], npc_row: int) -> None:
        if (item := int(users[npc_row])) != NOBODY:
            self._links[kind][item] -= 1
            users[npc_row] = NOBODY

    def forget_world(self, world: str) -> None:
        """Unlink all NPCs of ``world``."""
        for kind, users in self._users.pop(world, {}).items():
            self._links[kind].subtract(users[users != NOBODY].tolist())
        self._distance_s.pop(world, None)

    def set_policy(self, policy: Policy[Any]) -> None:
        """Plan by ``policy`` from now on; distances must be what it makes of a world.

        What one that does not park finds parked stays there until it is called.
        """
        self.policy = policy
        self._planning = policy.settings(self._settings)

    def refresh(self, kind: StateKind, key: Hashable) -> None:
        """The engine changed an item by itself (built, extended, dropped it): read it again."""
        if kind in self._ledgers:
            self._ledgers[kind].refresh(key)

    # --- what is known --------------------------------------------------------------------------

    def set_distances(self, world: str, distance_s: NDArray[np.float32]) -> None:
        """Take over a world's newest distances, in O(1).

        Args:
            world: the world.
            distance_s: (N,) float32 by NPC row; kept, not copied: it must not be changed later.
        """
        self._distance_s[world] = distance_s

    def _spread_distances(self) -> None:
        """Give every item the distance of the soonest of its users; +inf if nobody uses it."""
        for ledger in self._ledgers.values():
            ledger.distance_s.fill(np.inf)
        for world, by_kind in self._users.items():
            distance_s = self._distance_s.get(world)
            if distance_s is None:
                continue
            for kind, users in by_kind.items():
                linked = np.flatnonzero(users[: len(distance_s)] != NOBODY)
                np.minimum.at(self._ledgers[kind].distance_s, users[linked], distance_s[linked])

    # --- what to do -----------------------------------------------------------------------------

    def step(self, now_s: float) -> Plan:
        """Plan for all stores, if ``PLAN_PERIOD_S`` has passed and nothing is left to carry out."""
        if now_s < self._next_plan_s or self._pending or self._in_flight:
            return Plan()
        self._next_plan_s = now_s + PLAN_PERIOD_S
        self._spread_distances()
        self._refill(now_s)
        actions: list[Action] = []
        for ledger in self._ledgers.values():
            items = self._items(ledger)
            made = plan(items, self._budget(ledger), self._planning)
            self._accept(made, items, ledger)
            actions.extend(made.actions)
        return Plan(tuple(actions))

    def demand(self, kind: StateKind, key: Hashable) -> Plan:
        """Plan for a caller who waits for ``key``; carry it out before anything pending.

        Empty if the item is on the device or on its way, or if no room can be made for it now.
        """
        ledger = self._ledgers[kind]
        row = ledger.track(key)
        items = self._items(ledger)
        for action in self._pending:
            if action.kind is kind:
                items.pinned[ledger.row_of[action.key]] = True
        made = plan_demand(items, row, self._budget(ledger))
        self._accept(made, items, ledger)
        return made

    def started(self, action: Action) -> None:
        """Note that the executor begins a state move: reserve its target and pin its item."""
        if action in self._pending:
            self._pending.remove(action)
            self._in_flight.add(action)
            self._ledgers[action.kind].begin(action)

    def finished(
        self, action: Action, moved_bytes: int, seconds: float, error: Exception | None
    ) -> None:
        """Note the end of a state move: carried out, failed, or given up before it was started.

        After an error the executor gives up the rest of that plan, calling this for each action
        with the same error: later moves may have counted on the room. The next plan starts from
        what is so.

        Args:
            action: as planned.
            moved_bytes: what ``load`` or ``evict`` returned; 0 after an error.
            seconds: how long it took.
            error: None if it was carried out.
        """
        self._pending.discard(action)
        if action not in self._in_flight:
            return
        self._in_flight.remove(action)
        self._ledgers[action.kind].finish(action)
        free = action.kind in FILED and action.target is Tier.DISK
        if error is None and action.source is not Tier.ABSENT and not free:
            self._link(action)[0].observe(moved_bytes, seconds)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for kind, ledger in self._ledgers.items():
            ledger.check_integrity()
            for users_by_kind in self._users.values():
                users = users_by_kind.get(kind, np.empty(0, np.int32))
                linked = users[users != NOBODY]
                assert all(ledger.keys[row] is not None for row in linked), "a user of a free row"
            used = Counter[int]()
            for users_by_kind in self._users.values():
                used.update(users_by_kind.get(kind, np.empty(0, np.int32)).tolist())
            del used[NOBODY]
            assert +self._links[kind] == used, "links are miscounted"
        both = self._pending & self._in_flight
        assert not both, f"both pending and in flight: {both}"

    def _without_weights(self, kind: StateKind) -> NDArray[np.int32]:
        """Rows of items whose users' model is not on the device: until then they are of no use."""
        if kind is StateKind.WEIGHTS or StateKind.WEIGHTS not in self._ledgers:
            return np.empty(0, np.int32)
        on_device = self._ledgers[StateKind.WEIGHTS].items().tier == Tier.DEVICE
        held = [np.empty(0, np.int32)]
        for by_kind in self._users.values():
            if kind in by_kind and StateKind.WEIGHTS in by_kind:
                users, weights = by_kind[kind], by_kind[StateKind.WEIGHTS]
                both = slice(min(len(users), len(weights)))
                linked = (users[both] != NOBODY) & (weights[both] != NOBODY)
                held.append(users[both][linked & ~on_device[weights[both]]])
        return np.concatenate(held)

    # --- budgets --------------------------------------------------------------------------------

    def _items(self, ledger: Ledger) -> Items:
        """List the items. A policy that parks nothing does not see their copies on the host."""
        items = ledger.items()
        items.pinned[self._without_weights(ledger.store.kind)] = True
        if self.policy.parks:
            return items
        return replace(items, backed_up=np.zeros_like(items.backed_up))

    def _budget(self, ledger: Ledger) -> Budget:
        """Room as it is, less what pending moves will take, and the credit at hand."""
        store, used, parks = ledger.store, list(ledger.used_bytes), self.policy.parks
        for action in self._pending:
            if action.kind is store.kind and action.target is not Tier.ABSENT:
                used[action.target] += action.size_bytes
        return Budget(
            capacity_bytes=(
                store.capacity_bytes(Tier.DEVICE),
                store.capacity_bytes(Tier.HOST) if parks else 0,
                store.capacity_bytes(Tier.DISK) if parks else 0,
            ),
            used_bytes=(used[0], used[1], used[2]),
            credit=Credit(
                load_bytes=int(self._load_link[1].credit),
                evict_bytes=int(self._evict_link[1].credit),
                disk_bytes=int(self._disk_link[1].credit),
                rebuild_s=self._rebuild_time.credit,
            ),
        )

    def _refill(self, now_s: float) -> None:
        """Earn credit at the measured rate. A bucket always holds the largest item there is."""
        planning = self._planning
        items = [ledger.items() for ledger in self._ledgers.values()]
        largest = max((int(i.size_bytes.max(initial=0)) for i in items), default=0)
        for bandwidth, bucket in (self._load_link, self._evict_link, self._disk_link):
            rate = bandwidth.bytes_per_s * planning.link_share
            bucket.refill(now_s, rate, max(rate * BURST_S, largest))
        slowest_s = max((_longest_s(i) for i in items), default=0.0)
        burst_s = max(BURST_S * planning.link_share, slowest_s)
        self._rebuild_time.refill(now_s, planning.link_share, burst_s)

    def _accept(self, made: Plan, items: Items, ledger: Ledger) -> None:
        """Pay for a plan and remember it as pending."""
        for action in made.actions:
            self._pending.add(action)
            price = cost(items, ledger.row_of[action.key], action.source, action.target)
            self._load_link[1].spend(price.load_bytes)
            self._evict_link[1].spend(price.evict_bytes)
            self._disk_link[1].spend(price.disk_bytes)
            self._rebuild_time.spend(price.rebuild_s)

    def _link(self, action: Action) -> tuple[Bandwidth, CreditBucket]:
        if Tier.DISK in (action.source, action.target):
            return self._disk_link
        return self._load_link if isinstance(action, Load) else self._evict_link


def _longest_s(items: Items) -> float:
    finite = items.rebuild_s[np.isfinite(items.rebuild_s)]
    return float(finite.max(initial=0.0))

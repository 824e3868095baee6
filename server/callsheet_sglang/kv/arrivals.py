"""KV caches that are still on their way to the device, and the batches that wait for them.

A prefetch runs beside forward passes that have nothing to do with it. A batch whose requests match
a page that is still being written waits for that load, layer by layer, and no other batch does.

Needs neither sglang nor torch.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from callsheet_sglang.kv.ownership import Node

__all__ = ["NO_LOAD", "Arrivals"]

NO_LOAD = -1
"""SGLang's index of "wait for nothing"."""


@dataclass(frozen=True, slots=True)
class _Load:
    number: int
    """Loads finish in this order."""
    index: int
    """Index of the producer's event that tells when it has arrived."""
    anchor: int
    """The node that SGLang files the load under."""


class Arrivals:
    """The prefetches under way."""

    def __init__(self) -> None:
        self._of: dict[int, _Load] = {}
        """Loads by node id."""
        self._admitted: list[int] = []
        """Nodes at the ends of what admitted requests match, since the last batch."""
        self._begun = 0

    def begin(self, anchor: int, nodes: Iterable[int], index: int) -> None:
        """``nodes``, the last of them ``anchor``, are being loaded."""
        self._begun += 1
        load = _Load(self._begun, index, anchor)
        self._of.update(dict.fromkeys(nodes, load))

    def split(self, prefix: Node, rest: Node) -> None:
        """The tree put ``prefix`` above ``rest``, of which it was the beginning."""
        if (load := self._of.get(rest.id)) is not None:
            self._of[prefix.id] = load

    def admit(self, node: int) -> None:
        """A request that matches what ends at ``node`` is about to be in a batch."""
        if self._of:
            self._admitted.append(node)

    def number(self, node: int, loading: Container[int]) -> int | None:
        """Number of ``node``'s load, in order of arrival; None = none under way.

        ``loading`` as in ``index_for_batch``.
        """
        load = self._of.get(node)
        return None if load is None or load.anchor not in loading else load.number

    def index_for_batch(self, node_by_id: Callable[[int], Node], loading: Container[int]) -> int:
        """Return what the batch of the requests admitted since the last one waits for.

        Args:
            node_by_id: the tree's; raises ``KeyError`` if there is none.
            loading: anchors of the loads that have not ended.
        """
        admitted, self._admitted = self._admitted, []
        self._of = {node: load for node, load in self._of.items() if load.anchor in loading}
        needed: _Load | None = None
        for end in admitted if self._of else ():
            try:
                node = node_by_id(end)
            except KeyError:
                continue  # Its request was dropped meanwhile, and the node with it.
            while node.parent is not None:
                load = self._of.get(node.id)
                if load is not None and (needed is None or load.number > needed.number):
                    needed = load
                node = node.parent
        return NO_LOAD if needed is None else needed.index

    def clear(self) -> None:
        """The tree was emptied."""
        self._of.clear()
        self._admitted.clear()

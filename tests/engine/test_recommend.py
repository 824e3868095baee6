from __future__ import annotations

import pytest

from callsheet_server.engine.models.catalogue import REGISTRY
from callsheet_server.engine.models.recommend import Machine, fits, read_machine, recommended

GB = 10**9


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (Machine(1 * GB, 0, 2), "SmolLM2-135M-Instruct"),
        (Machine(4 * GB, 0, 2), "Qwen2.5-0.5B-Instruct"),
        (Machine(16 * GB, 0, 8), "Llama-3.2-3B-Instruct"),
        (Machine(16 * GB, 12 * GB, 8), "Llama-3.1-8B-Instruct"),
        (Machine(0, 0, 4), "SmolLM2-1.7B-Instruct"),
    ],
)
def test_the_largest_that_is_fast_enough_beside_a_game(machine: Machine, name: str) -> None:
    assert recommended(fits(machine, REGISTRY.values())).source.name == name


def test_what_may_not_be_sold_is_shown_and_not_recommended() -> None:
    judged = {fit.source.name: fit for fit in fits(Machine(16 * GB, 0, 8), REGISTRY.values())}
    assert judged["Qwen2.5-3B-Instruct"].place == "cpu"
    assert not judged["Qwen2.5-3B-Instruct"].source.commercial
    assert judged["Qwen2.5-7B-Instruct"].tokens_per_s < 15


def test_the_catalogue_is_in_order_and_names_files_of_the_hub() -> None:
    sizes = [source.size_bytes for source in REGISTRY.values()]
    assert sizes == sorted(sizes)
    for source in REGISTRY.values():
        assert source.gguf.count("/") == 2
        assert source.gguf.endswith(".gguf")


def test_this_machine_can_be_read() -> None:
    machine = read_machine()
    assert machine.cores >= 1
    assert machine.ram_bytes > GB

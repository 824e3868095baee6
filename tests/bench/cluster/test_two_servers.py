"""Two servers on one pool: what each tells of its town reaches the planner."""

from __future__ import annotations

import pytest

from callsheet_bench.cluster import two_servers


@pytest.fixture(scope="module")
def found() -> dict[two_servers.Servers, list[float]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(two_servers, "REPLICAS", 2)
        patch.setattr(two_servers, "TOWN", 3_000)
        patch.setattr(two_servers, "SECONDS", 20.0)
        return dict(two_servers.hit_rates(1))


def test_a_pool_loses_nothing_by_having_two_servers(
    found: dict[two_servers.Servers, list[float]],
) -> None:
    assert two_servers.missed(found) == []


def test_a_second_server_that_overwrites_the_first_costs_hits(
    found: dict[two_servers.Servers, list[float]],
) -> None:
    assert found["two servers, taken for one"][0] < found["two servers"][0] - 0.005


def test_a_loss_of_more_than_two_points_is_a_miss(
    found: dict[two_servers.Servers, list[float]],
) -> None:
    worse = {**found, "two servers": [found["one server, both towns"][0] - 0.021]}
    assert two_servers.missed(worse) == ["two servers lose 2.1 points of device hits"]

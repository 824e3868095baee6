import argparse
from typing import Any

import pytest

from callsheet_loadtest.plan import LoadPlan, add_options


def options(*argv: str, users: int = 10, **others: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    args = parser.parse_args(argv)
    vars(args).update({"num_users": users, "host": None, "run_time": None} | others)
    return args


def test_the_npcs_are_shared_out_and_none_is_lost() -> None:
    plan = LoadPlan.of(options("--npcs", "1003", "--mods", "2", "--observers", "1"))
    assert plan.games == 7
    assert sorted({plan.npcs_of(i) for i in range(7)}) == [143, 144]
    assert sum(plan.npcs_of(i) for i in range(7)) == 1003
    assert plan.world(0) == plan.world(7) == "load-0"


@pytest.mark.parametrize(
    ("argv", "users", "says"),
    [
        (("--mods", "3"), 3, "--users is 3: with 3 mods and 0 observers it must be 4 or more"),
        (("--npcs", "9"), 10, "--npcs is 9; it must be 10 or more"),
        (("--hz", "0"), 10, "--hz is 0; it must be above 0 and at most 240"),
        (("--players", "-1"), 10, "--players is -1; it must be 0 or more"),
        (("--observe-interval", "99"), 10, "--observe-interval is 99; it must be from 0.05 to 60"),
    ],
)
def test_an_option_out_of_range_is_named(argv: tuple[str, ...], users: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LoadPlan.of(options(*argv, users=users))


def test_without_an_end_there_is_no_progress() -> None:
    plan = LoadPlan.of(options("--shape", "stampede"))
    assert (plan.progress, plan.flash, plan.stampedes) == (0.0, False, 0)

from __future__ import annotations

from pathlib import Path

import pytest
from blockbuster import BlockingError

from callsheet_cli.checks import check_disk


async def test_code_of_ours_that_blocks_the_event_loop_is_caught(blocked_by: list[str]) -> None:
    with pytest.raises(BlockingError):
        list(check_disk(Path.cwd()))
    assert blocked_by == ["os.stat"]
    blocked_by.clear()


async def test_a_test_itself_may_touch_files(tmp_path: Path) -> None:
    assert tmp_path.is_dir()  # noqa: ASYNC240

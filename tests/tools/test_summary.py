"""Figures of a run, as they are told at its end."""

from __future__ import annotations

from tools.events import stats

from callsheet.wire.session import EngineSummary
from callsheet_server.tools.terminal.scene import Scene
from callsheet_server.tools.terminal.summary import Run, summary, summary_lines

ENGINE = EngineSummary(
    name="scripted", version="1", model="none", device="none", context_limit_tokens=2_048,
    keeps_residency=True,
)  # fmt: skip


def test_npcs_that_have_left_by_the_end_are_counted() -> None:
    scene = Scene()
    for npcs in (3, 60, 0):
        scene.take(stats(20).model_copy(update={"npcs": npcs, "players": npcs // 30}), 0.0)
    figures = summary(scene, Run(ENGINE, 10.0, {}))
    assert (figures["npcs"], figures["players"]) == (60, 2)


def test_what_is_not_known_leaves_no_trace_in_the_lines() -> None:
    scene = Scene()
    scene.take(stats(20), 0.0)
    lines = list(summary_lines(summary(scene, Run(ENGINE, 10.0, {"bad_value": 2}))))
    assert lines == [
        "10 s of 1 NPCs on scripted (none, none): 20 ticks, 0 NPC updates/s",
        "0 replies to 0 requests, 0 tokens",
        "errors: 2 (bad_value 2)",
    ]

from __future__ import annotations

import io

import pytest
from rich.console import Console
from tools.events import move, stats

from callsheet.wire.observe import Moves, NpcState, NpcStates, PlayerState, ReplicaStats, TierStats
from callsheet.wire.talk import ReplyDelta, ReplyEnd, ReplyStart, SpeakerView
from callsheet_server.tools.terminal.lines import LinePrinter
from callsheet_server.tools.terminal.scene import Scene
from callsheet_server.tools.terminal.view import picture, title


def busy_scene() -> Scene:
    """Three NPCs, one of them speaking."""
    scene = Scene()
    npcs = tuple(
        NpcState(
            npc=npc, handle=row, position=(row * 10.0, 0.0, row * 5.0), distance_s=distance_s,
            estimator=estimator, tier="device" if row == 0 else "host", in_conversation=row == 0,
        )
        for row, (npc, distance_s, estimator) in enumerate(
            [("ada-elder", 0.0, "conversation"), ("bram-oakes", 4.5, "proximity"),
             ("cleo-vale", None, None)]
        )
    )  # fmt: skip
    player = PlayerState(player="p1", handle=9, position=(2.0, 0.0, 1.0))
    scene.take(NpcStates(game_time_s=1.0, part=0, parts=1, npcs=npcs, players=(player,)), 0.0)
    tier = TierStats(kind="prefix", tier="device", used_bytes=5, budget_bytes=10, items=1)
    counted = stats(20).model_copy(update={"tiers": (tier,), "requests": 1, "replies": 1})
    scene.take(counted, 0.0)
    scene.take(Moves(game_time_s=1.0, moves=(move("host", "device", 10),)), 0.0)
    speaker = SpeakerView(kind="player", id="p1")
    scene.take(
        ReplyStart(seq=1, reply=1, npc="ada-elder", speaker=speaker, heard="Any [bold]news?"), 0.0
    )
    scene.take(ReplyDelta(seq=2, reply=1, text="Only the old kind."), 0.0)
    return scene


def draw(scene: Scene, width: int, height: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=True, color_system=None)
    console.print(picture(scene, "Callsheet demo", width, height), end="")
    return out.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (150, 42), (60, 20)])
def test_the_picture_fills_the_screen_exactly(width: int, height: int) -> None:
    for scene in (Scene(), busy_scene()):
        lines = draw(scene, width, height)
        assert len(lines) == height
        assert max(map(len, lines)) <= width


def test_a_standard_terminal_shows_who_where_and_what() -> None:
    text = "\n".join(draw(busy_scene(), 80, 24))
    for part in ("Ada Elder", "now conversation device", "4.5 s", "never", "Bram Oakes", "p50"):
        assert part in text
    for part in ("Only the old kind.", "Any [bold]news?", "▲ Bram host→device", "1 replies"):
        assert part in text
    assert "@" not in text


@pytest.mark.parametrize("width", [44, 60, 80, 100, 120])
def test_names_are_whole_however_narrow_the_terminal_is(width: int) -> None:
    text = "\n".join(draw(busy_scene(), width, 24))
    for part in ("Ada Elder", "Bram Oakes", "Cleo Vale", "4.5 s", "device", "Only the old kind."):
        assert part in text


def test_replicas_are_shown() -> None:
    scene = busy_scene()
    replica = ReplicaStats(
        name="gpu-1:30000", state="lost", npcs=3, arriving=0, running=1, queued=2, replies=4,
        device_hits=3, soonest=(),
    )  # fmt: skip
    assert scene.stats is not None
    scene.take(scene.stats.model_copy(update={"replicas": (replica,)}), 1.0)
    text = "\n".join(draw(scene, 200, 42))
    for part in ("gpu-1:30000", "lost: 3 NPCs", "75% hits"):
        assert part in text


def test_a_wide_terminal_has_a_map() -> None:
    text = "\n".join(draw(busy_scene(), 150, 42))
    assert "The town (@ players)" in text
    assert text.count("●") == 3
    assert text.count("@") == 2  # one of them in the title


def test_an_id_is_shown_as_a_name() -> None:
    assert title("ada-elder") == "Ada Elder"


def test_lines_tell_of_replies_and_moves() -> None:
    scene, out = busy_scene(), io.StringIO()
    printer = LinePrinter(scene, out, moves=True)
    printer.show(Moves(game_time_s=1.0, moves=(move("host", "device", 10),)))
    end = ReplyEnd(
        seq=3, reply=1, npc="ada-elder", text="Only the\nold kind.", finish_reason="stop",
        tier="device", ttft_s=0.125,
    )  # fmt: skip
    printer.show(end)
    assert scene.stats is not None
    printer.show(scene.stats)
    assert out.getvalue().splitlines() == [
        "host -> device: bram: needed",
        "p1 to ada-elder: Any [bold]news?",
        "ada-elder: Only the old kind. [device, 125 ms]",
        "-- game time 1 s: 0 ticks/s, 1 replies, 0 queued; device 1 NPCs 0 of 0 MB",
    ]


def test_counters_come_every_ten_seconds_whatever_the_games_clock_does() -> None:
    scene, out, clock_s = busy_scene(), io.StringIO(), [100.0]
    printer = LinePrinter(scene, out, moves=False, now_s=lambda: clock_s[0])
    assert scene.stats is not None
    for at_s in (100.0, 100.5, 109.9, 110.0, 119.9, 120.5):
        clock_s[0] = at_s
        game_time_s = 100 * at_s
        printer.show(scene.stats.model_copy(update={"game_time_s": game_time_s}))
    told = [line.split(":")[0] for line in out.getvalue().splitlines()]
    assert told == [f"-- game time {100 * at_s:.0f} s" for at_s in (100.0, 110.0, 120.5)]


def test_lines_tell_of_moves_only_if_asked() -> None:
    out = io.StringIO()
    moved = Moves(game_time_s=1.0, moves=(move("host", "device", 10),))
    LinePrinter(busy_scene(), out, moves=False).show(moved)
    assert not out.getvalue()

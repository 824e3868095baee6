from __future__ import annotations

from tools.events import move, stats

from callsheet.wire.observe import Moves, NpcState, NpcStates
from callsheet.wire.talk import ReplyDelta, ReplyEnd, ReplyStart, SpeakerView
from callsheet_server.tools.terminal.scene import LINES_KEPT, Scene


def test_a_reply_grows_and_ends() -> None:
    scene = Scene()
    heard = SpeakerView(kind="player", id="p1")
    scene.take(ReplyStart(seq=1, reply=7, npc="bram", speaker=heard, heard="Hello?"), 0.0)
    for text in ("Good ", "day."):
        scene.take(ReplyDelta(seq=2, reply=7, text=text), 0.0)
    (line,) = scene.lines.values()
    assert (line.npc, line.speaker, line.heard, line.text) == ("bram", "p1", "Hello?", "Good day.")
    end = ReplyEnd(
        seq=3, reply=7, npc="bram", text="Good day.", finish_reason="stop", tier="device",
        generated_tokens=3,
    )  # fmt: skip
    scene.take(end, 0.0)
    assert line.end is end
    assert scene.generated_tokens == 3
    assert scene.on_device_share == 1.0


def test_only_the_latest_lines_are_kept_and_late_pieces_of_others_ignored() -> None:
    scene = Scene()
    narrator = SpeakerView(kind="narrator")
    for reply in range(1, LINES_KEPT + 3):
        scene.take(ReplyStart(seq=1, reply=reply, npc="a", speaker=narrator, heard="x"), 0.0)
    assert list(scene.lines) == list(range(3, LINES_KEPT + 3))
    scene.take(ReplyDelta(seq=1, reply=1, text="late"), 0.0)
    assert not any(line.text for line in scene.lines.values())


def test_moves_are_counted_by_tiers_and_failures_apart() -> None:
    scene = Scene()
    told = (
        move("host", "device", 10),
        move("host", "device", 20),
        move("device", "host", 5),
        move("absent", "device", 0, "no room"),
    )
    scene.take(Moves(game_time_s=1.0, moves=told), 0.0)
    up, down = scene.moved["prefix", "host", "device"], scene.moved["prefix", "device", "host"]
    assert (up.moves, up.bytes, down.moves, down.bytes) == (2, 30, 1, 5)
    assert (len(scene.moved), scene.failed_moves, len(scene.moves)) == (2, 1, 4)


def test_rates_are_over_the_last_seconds() -> None:
    scene = Scene()
    assert scene.ticks_per_s == 0.0
    for second in range(11):
        ticks = 0 if second < 5 else (second - 5) * 20
        scene.take(stats(ticks, ticks * 3), float(second))
    assert scene.ticks_per_s == 20.0
    assert scene.npc_updates_per_s == 60.0


def test_states_come_in_parts() -> None:
    scene = Scene()
    for part, npc in enumerate(("a", "b")):
        state = NpcState(npc=npc, handle=part, position=(0.0, 0.0, 0.0), tier="host")
        scene.take(NpcStates(game_time_s=0.0, part=part, parts=2, npcs=(state,)), 0.0)
    assert sorted(scene.npcs) == ["a", "b"]
    assert scene.on_device_share is None

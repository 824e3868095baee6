"""A scene as a full-screen picture. Pure: scene and size in, rich renderables out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from callsheet.wire.observe import Move, NpcState, ReplicaStats, TierStats, TtftStats
from callsheet_server.tools.terminal.scene import Line, Scene

__all__ = ["picture", "title"]

WIDE = 120
"""Columns from which a map of the world is shown as well."""
NARROW = 80
"""Columns below which only who is next and what is said is shown."""
TIER_STYLES = {"device": "bright_green", "host": "yellow", "disk": "blue", "absent": "bright_black"}
WHO_WIDTH: Final = 46
"""Columns that the list of NPCs keeps beside a map."""
NAME_WIDTH: Final = 12
"""Columns that an NPC's name keeps, however narrow the screen."""
WRAPPER: Final = Console(width=80)
"""Splits lines; nothing is printed on it."""
REPLICA_STYLES = {"serving": "", "draining": "yellow", "drained": "bright_black", "lost": "red"}
MAP_LETTERS = {"device": "●", "host": "●", "disk": "●", "absent": "·"}


def picture(scene: Scene, heading: str, width: int, height: int) -> Layout:
    """The whole screen.

    Args:
        scene: what to show.
        heading: what is being watched.
        width: of the screen, in columns.
        height: in lines.
    """
    body = height - 2
    upper = max(body * 9 // 20, 11)
    lower = body - upper
    screen, top, bottom = Layout(), Layout(size=upper), Layout(size=lower)
    tiers_width = 0 if width < NARROW else max(34, width // 3)
    who = Layout(_who(scene, upper - 2))
    side = Layout(_state(scene), size=tiers_width)
    if width >= WIDE:
        map_width = min(width // 3, width - tiers_width - WHO_WIDTH)
        world = Layout(_map(scene, map_width - 4, upper - 2), size=map_width)
        top.split_row(who, world, side)
    elif width >= NARROW:
        top.split_row(who, side)
    else:
        top.update(who)
    talk = Layout(_talk(scene, width - tiers_width - 4, lower - 2))
    if width >= NARROW:
        bottom.split_row(talk, Layout(_moves(scene, tiers_width - 4, lower - 2), size=tiers_width))
    else:
        bottom.update(talk)
    screen.split_column(
        Layout(_heading(scene, heading), size=1), top, bottom, Layout(_footer(scene), size=1)
    )
    return screen


def title(npc: str) -> str:
    """An id as a name: "ada-elder" is shown as "Ada Elder"."""
    return npc.replace("-", " ").replace("_", " ").title()


def _heading(scene: Scene, heading: str) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True)
    line.add_row(
        Text(f" {heading}", style="bold").append(f"  {scene.trouble}", "red"),
        Text(f"{scene.ticks_per_s:.0f} ticks/s  {scene.npc_updates_per_s:.0f} NPC updates/s "),
    )
    return line


def _footer(scene: Scene) -> RenderableType:
    stats, text = scene.stats, Text(" ", no_wrap=True, overflow="ellipsis")
    if stats is None:
        return text.append("waiting for the server")
    unmet = sum(npc.tier == "absent" for npc in scene.npcs.values())
    if not stats.requests and unmet:
        return text.append(f"preparing NPCs: {len(scene.npcs) - unmet} of {len(scene.npcs)}")
    text.append(f"{stats.replies} replies")
    if scene.on_device_share is not None:
        text.append(f", {scene.on_device_share:.0%} from the device", "green")
    text.append(f"; {stats.running} running, {stats.queued} queued")
    text.append("  (Ctrl-C ends)", "bright_black")
    return text


# --- who is near ------------------------------------------------------------------------------


def _who(scene: Scene, lines: int) -> RenderableType:
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0), header_style="bright_black")
    table.add_column("NPC", no_wrap=True, ratio=1, min_width=NAME_WIDTH)
    table.add_column("in", justify="right", no_wrap=True)
    table.add_column("why", overflow="ellipsis")  # the one that gives way
    table.add_column("mind in", no_wrap=True)
    soonest = sorted(scene.npcs.values(), key=_order)[: max(lines - 1, 0)]
    for npc in soonest:
        table.add_row(
            Text(title(npc.npc), style="bold" if npc.in_conversation else ""),
            _in(npc),
            Text(npc.estimator or ""),
            Text(npc.tier, style=TIER_STYLES[npc.tier]),
        )
    title_ = "Who needs the model next"
    if len(soonest) < len(scene.npcs):
        title_ += f" ({len(soonest)} of {len(scene.npcs)})"
    return Panel(table, title=title_, title_align="left", padding=(0, 1))


def _order(npc: NpcState) -> tuple[float, str]:
    return (float("inf") if npc.distance_s is None else npc.distance_s, npc.npc)


def _in(npc: NpcState) -> Text:
    if npc.in_conversation:
        return Text("now", style="bold bright_green")
    return Text("never" if npc.distance_s is None else f"{npc.distance_s:.1f} s")


# --- replicas ---------------------------------------------------------------------------------


def _at(replica: ReplicaStats) -> str:
    load = f"{replica.npcs} NPCs, {replica.running} running, {replica.queued} queued"
    return load if replica.state == "serving" else f"{replica.state}: {load}"


def _hits(replica: ReplicaStats) -> str:
    return f"{replica.device_hits / replica.replies:.0%} hits" if replica.replies else ""


# --- where state lies -------------------------------------------------------------------------


def _state(scene: Scene) -> RenderableType:
    """Tiers against their budgets, and what it means for the first word."""
    tiers, times = Table.grid(padding=(0, 1), expand=True), Table.grid(expand=True)
    tiers.add_column(no_wrap=True)
    tiers.add_column(ratio=1)
    tiers.add_column(justify="right", no_wrap=True)
    times.add_column(no_wrap=True)
    times.add_column(justify="right", no_wrap=True)
    stats = scene.stats
    for replica in (stats.replicas or ()) if stats is not None else ():
        tiers.add_row(
            replica.name, Text(_at(replica), style=REPLICA_STYLES[replica.state]), _hits(replica)
        )
    for tier in stats.tiers if stats is not None else ():
        if tier.budget_bytes and tier.kind == "prefix":
            tiers.add_row(
                Text(tier.tier, style=TIER_STYLES[tier.tier]),
                _bar(tier),
                f"{_mb(tier.used_bytes)}/{_mb(tier.budget_bytes)} MB",
            )
            times.add_row(f"NPCs in {tier.tier}", str(tier.items))
    if stats is not None:
        times.add_row(Text("first word after", style="bright_black"), "p50 / p95")
        times.add_row("  on device", _ttft(stats.ttft_resident))
        times.add_row("  elsewhere", _ttft(stats.ttft_not_resident))
    return Panel(Group(tiers, times), title="Prefix KV", title_align="left", padding=(0, 1))


def _bar(tier: TierStats) -> ProgressBar:
    style = TIER_STYLES[tier.tier]
    used = min(tier.used_bytes, tier.budget_bytes)
    return ProgressBar(tier.budget_bytes, used, complete_style=style, finished_style=style)


def _ttft(ttft: TtftStats) -> str:
    if ttft.p50_s is None or ttft.p95_s is None:
        return "none yet"
    return f"{ttft.p50_s * 1e3:.0f} / {ttft.p95_s * 1e3:.0f} ms"


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f}"


# --- talk and moves ---------------------------------------------------------------------------


def _talk(scene: Scene, width: int, lines: int) -> RenderableType:
    """The latest lines that fit, the newest at the bottom."""
    shown: list[Text] = []
    for line in reversed(scene.lines.values()):
        for text in reversed(_spoken(line)):
            shown[:0] = text.wrap(WRAPPER, width)
        if len(shown) >= lines:
            break
    return Panel(Group(*shown[-lines:]), title="What they say", title_align="left", padding=(0, 1))


def _spoken(line: Line) -> Sequence[Text]:
    heard = Text(f"{title(line.speaker)}: ", style="bright_black").append(line.heard)
    heard.truncate(110, overflow="ellipsis")
    said = Text(f"  {title(line.npc)}: ", style="bold cyan")
    said.append(" ".join(line.text.split()), "default")
    if line.end is None:
        said.append(" ▌", "bright_green")
    elif line.end.ttft_s is not None:
        style = TIER_STYLES[line.end.tier or "absent"]
        said.append(f" [{line.end.tier}, {line.end.ttft_s * 1e3:.0f} ms]", style)
    return (heard, said) if line.heard else (said,)


def _moves(scene: Scene, width: int, lines: int) -> RenderableType:
    shown: list[Text] = []
    for move in islice(reversed(scene.moves), max(lines // 2, 1)):
        shown += _move(move, width)
    return Panel(
        Group(*shown[:lines]), title="Prefetches and evictions", title_align="left", padding=(0, 1)
    )


def _move(move: Move, width: int) -> Iterator[Text]:
    up = move.target == "device"
    text = Text("▲ " if up else "▼ ", style="bright_green" if up else "red", no_wrap=True)
    text.append(title(move.key), "default")
    text.append(f" {move.source}→{move.target}", TIER_STYLES[move.target])
    text.truncate(width, overflow="ellipsis")
    yield text
    why = Text(f"  {move.error or move.reason}", style="red" if move.error else "bright_black")
    why.truncate(width, overflow="ellipsis")
    yield why


# --- the map ----------------------------------------------------------------------------------


def _map(scene: Scene, width: int, lines: int) -> RenderableType:
    """Everybody from above, north up: NPCs in the colour of their tier, players as @."""
    places = [npc.position for npc in scene.npcs.values()] + [p.position for p in scene.players]
    cells: dict[tuple[int, int], tuple[str, str]] = {}
    if places:
        west, south = min(p[0] for p in places), min(p[2] for p in places)
        span_x = max(max(p[0] for p in places) - west, 1e-6)
        span_z = max(max(p[2] for p in places) - south, 1e-6)

        def cell(place: Sequence[float]) -> tuple[int, int]:
            column = int((place[0] - west) / span_x * (width - 1))
            return column, int((place[2] - south) / span_z * (lines - 1))

        for npc in sorted(scene.npcs.values(), key=_order, reverse=True):
            style = TIER_STYLES[npc.tier] + (" bold reverse" if npc.in_conversation else "")
            cells[cell(npc.position)] = MAP_LETTERS[npc.tier], style
        for player in scene.players:
            cells[cell(player.position)] = "@", "bold bright_white"
    rows = Text(no_wrap=True)
    for row in range(lines):
        for column in range(width):
            rows.append(*cells.get((column, lines - 1 - row), (" ", "")))
        rows.append("\n")
    return Panel(rows, title="The town (@ players)", title_align="left", padding=(0, 1))

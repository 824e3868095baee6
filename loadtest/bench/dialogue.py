"""How NPCs talk: fixed lines are said to eight of them, and what they answer is judged.

python loadtest/bench/dialogue.py [--lines N] [--root CHECKOUT ...] [--raw] [--set KEY=VALUE ...]
                                  [--show N] [--json FILE]

Each ``--root`` is a checkout whose server is run; their columns stand side by side, the first run
first. Without one it is this checkout. ``--raw`` adds a column of this checkout with
``reply.style`` off. The model is the embedded engine's default, or what ``--set embedded.model=``
says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server_process import server_of

import callsheet
from callsheet import NpcSpec, PlayerSpec, SamplingSpec
from callsheet_bench.dialogue_judge import Answer, rates

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).with_name("dialogue_scripts.toml")
PLAYER = "Ann"
SEED = 1


@dataclass(frozen=True)
class Column:
    """One run: whose server, with what settings."""

    title: str
    root: Path
    settings: tuple[str, ...]


def read_scripts(lines: int) -> tuple[str, list[dict[str, Any]]]:
    """The lore, and the personas with ``lines`` lines in all."""
    scripts = tomllib.loads(SCRIPTS.read_text(encoding="utf-8"))
    personas = scripts["personas"]
    each = -(-lines // len(personas))
    return scripts["lore"], [persona | {"lines": persona["lines"][:each]} for persona in personas]


async def ask(game: Any, persona: dict[str, Any], number: int) -> Answer:
    """Say one line; time the first text and the first whole sentence."""
    loop = asyncio.get_running_loop()
    npc, line = persona["npc"], persona["lines"][number]
    started_s = loop.time()
    first_text_s = float("nan")
    try:
        sampling = SamplingSpec(seed=SEED + number)
        reply = await game.say(npc, line, speaker="ann", sampling=sampling)
        async for text in reply:
            if text and first_text_s != first_text_s:
                first_text_s = loop.time() - started_s
        end = await reply
    except callsheet.CallsheetError as error:
        return Answer(persona["name"], persona["language"], line, "", error=str(error))
    return Answer(
        npc=persona["name"],
        language=persona["language"],
        heard=line,
        text=end.text,
        finish=end.finish_reason,
        first_text_s=first_text_s,
        ttft_s=end.ttft_s or float("nan"),
        tokens=end.generated_tokens,
        prompt_tokens=end.prompt_tokens,
        cached_tokens=end.cached_tokens,
        total_s=end.total_s or float("nan"),
    )


async def play(column: Column, lines: int) -> list[Answer]:
    """Have everybody talked to at the same time, each in the order of its lines."""
    lore, personas = read_scripts(lines)
    answers: list[Answer] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = (f"storage.directory={folder}/worlds", f"embedded.state_dir={folder}/state")
        async with (
            server_of(column.root, "embedded", (*settings, *column.settings)) as url,
            callsheet.connect(url, role="game", world="dialogue") as game,
        ):
            await game.configure_world(lore=lore)
            for at, persona in enumerate(personas):
                persona["npc"] = f"n{at}"
            specs = [NpcSpec(npc=p["npc"], name=p["name"], persona=p["persona"]) for p in personas]
            await game.spawn(specs, [PlayerSpec(player="ann", name=PLAYER)])

            async def talk(persona: dict[str, Any]) -> None:
                for number in range(len(persona["lines"])):
                    answers.append(await ask(game, persona, number))
                    print(f"\r{column.title}: {len(answers)} replies", end="", file=sys.stderr)

            await asyncio.gather(*map(talk, personas))
    print(file=sys.stderr)
    return answers


def table(titles: Sequence[str], results: Sequence[dict[str, str]]) -> str:
    """The results side by side."""
    rows = [["", *titles]]
    rows += [[name, *(result[name] for result in results)] for name in results[0]]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=200, help="lines in all (200)")
    parser.add_argument("--root", type=Path, action="append", help="a checkout; may be repeated")
    parser.add_argument("--raw", action="store_true", help="also with reply.style off")
    parser.add_argument("--set", action="append", default=[], help="a setting of every server")
    parser.add_argument("--show", type=int, default=0, help="answers of the last run to print")
    parser.add_argument("--json", type=Path, help="write all answers to this file")
    arguments = parser.parse_args()
    columns = [
        Column(str(root), root.resolve(), tuple(arguments.set)) for root in arguments.root or [ROOT]
    ]
    if arguments.raw:
        columns.insert(0, Column("style off", ROOT, (*arguments.set, "reply.style=")))
    runs = [asyncio.run(play(column, arguments.lines)) for column in columns]
    print(f"{arguments.lines} lines, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(table([column.title for column in columns], [rates(PLAYER, run) for run in runs]))
    for answer in runs[-1][: arguments.show]:
        print(f"\n{PLAYER} to {answer.npc}: {answer.heard}\n  {answer.text or answer.error}")
    if arguments.json:
        kept = {c.title: [asdict(a) for a in run] for c, run in zip(columns, runs, strict=True)}
        arguments.json.write_text(json.dumps(kept, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

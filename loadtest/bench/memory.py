"""What an NPC's prompts reuse and what they still know, over a long talk.

python loadtest/bench/memory.py [--json] [--exchanges N] [--world-turns N]

One player talks to one NPC. Every fifth line tells the NPC where a thing was hidden; later the
player asks for it, in other words, a fixed number of turns after it was told. Four ways to fill
the prompt are compared, with the tokens of SmolLM2-135M-Instruct (`callsheet models pull`):

- everything: no budget; all turns, as if the context had no end;
- sliding: the latest turns that fit the budget: one goes whenever one comes;
- window: the server's, cut down to half the budget when it is over it;
- window, recall: the same, and older turns found in a database of `--world-turns` other turns.

Reusable is the share of prompt tokens that stand at the same place in the prompt before: their KV
need not be computed again. No model runs.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callsheet_server.engine.engine import GenerationRequest, NpcProfile
from callsheet_server.engine.models.cache import cache_dir
from callsheet_server.engine.sglang.tokenizer import load_prompts
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.reader import Reader
from callsheet_server.storage.writes import AddTurn
from callsheet_server.talk.prompting import recalled_turns
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Memory, Turn, estimated_tokens

MODEL = "SmolLM2-135M-Instruct"
WORLD, NPC, NAME = "town", "mara", "Mara"
LORE = (
    "The town of Aldmoor lies between a forest and a river. It is the year of the long rain. " * 6
)
PERSONA = "You bake the bread of Aldmoor, know every family by name and forget no favour. " * 10
MATERIALS = ["silver", "copper", "oak", "velvet", "amber", "iron", "glass", "ivory", "wax"]
THINGS = ["key", "ring", "letter", "map", "dagger", "coin", "locket", "candle", "mirror"]
PLACES = ["well", "mill", "chapel", "stable", "orchard", "bridge", "cellar", "tower", "inn"]
TOPICS = ["weather", "harvest", "tax", "market", "river", "roof", "fever", "wedding", "goat"]
MOODS = ["worries", "pleases", "tires", "frightens", "amuses", "puzzles"]
AGES_TURNS = (24, 64, 104, 204, 404)
"""Turns between telling a thing and asking for it."""

Fill = Callable[[str], Sequence[Turn]]
"""The turns of a prompt but for the last, which is what was heard."""


@dataclass
class Tally:
    """Counts over the prompts of one way to fill them."""

    prompt_tokens: list[int] = field(default_factory=list)
    reused_tokens: list[int] = field(default_factory=list)
    asked: defaultdict[int, list[bool]] = field(default_factory=lambda: defaultdict(list))
    """Whether the prompt held what was asked for, by age in turns."""
    last: tuple[int, ...] = ()

    def add(self, prompt: tuple[int, ...]) -> None:
        pairs = zip(prompt, self.last, strict=False)
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)
        self.reused_tokens.append(sum(1 for _ in same))
        self.prompt_tokens.append(len(prompt))
        self.last = prompt

    def figures(self) -> dict[str, Any]:
        computed = sum(self.prompt_tokens) - sum(self.reused_tokens)
        return {
            "mean_prompt_tokens": statistics.mean(self.prompt_tokens),
            "max_prompt_tokens": max(self.prompt_tokens),
            "reusable_share": sum(self.reused_tokens) / sum(self.prompt_tokens),
            "computed_tokens_per_reply": computed / len(self.prompt_tokens),
            "known_share": {age: statistics.mean(known) for age, known in self.asked.items()},
        }


class Script:
    """Lines of player and NPC, and the earlier line that each question asks for."""

    def __init__(self, exchanges: int, seed: int) -> None:
        draw = random.Random(seed)
        things = [f"{m} {t}" for m in MATERIALS for t in THINGS]
        draw.shuffle(things)
        self.lines: list[tuple[str, str]] = []
        self.asks: dict[int, tuple[int, str]] = {}
        """Turns since the fact was told, and the fact, by exchange."""
        due: dict[int, tuple[int, str, str]] = {}
        for number in range(exchanges):
            topic, other, mood = draw.choice(TOPICS), draw.choice(TOPICS), draw.choice(MOODS)
            heard = f"The {topic} {mood} me more than the {other}."
            if number in due:
                age_turns, thing, fact = due[number]
                heard = f"Do you remember what became of the {thing}?"
                self.asks[number] = age_turns, fact
            elif number % 5 == 0 and things:
                thing = things.pop()
                steps, place = draw.randrange(2, 90), draw.choice(PLACES)
                heard = f"I hid the {thing} behind the {place}, {steps} steps north."
                age_turns = AGES_TURNS[number // 5 % len(AGES_TURNS)]
                due.setdefault(number + age_turns // 2, (age_turns, thing, heard))
            said = f"So the {topic} {mood} you? Here, have some bread while it is warm."
            self.lines.append((heard, said))


async def measure(exchanges: int, world_turns: int, folder: Path) -> dict[str, Any]:
    """Play the talk once and fill every prompt four ways."""
    settings = ReplySettings()
    builder = load_prompts(str(cache_dir() / "models" / MODEL), 1 << 30)
    key = NpcKey(WORLD, NPC)
    prefix = builder.prefix(LORE, NpcProfile(key, NAME, PERSONA), "")
    memory, everything = Memory(settings.memory_tokens), list[Turn]()
    search_s: list[float] = []
    reader = Reader(Folder(folder))
    with closing(WorldFile(Folder(folder).file(WORLD), WORLD)) as file:
        others = Script(world_turns // 2, seed=2).lines
        rows = [
            AddTurn(f"npc-{n % 200}", "Ann", text, 0.0)
            for n, pair in enumerate(others)
            for text in pair
        ]
        file.apply([(rows, None)])

        def sliding() -> Sequence[Turn]:
            sums = itertools.accumulate(map(estimated_tokens, reversed(everything)))
            count = sum(1 for total in sums if total <= settings.memory_tokens)
            return everything[len(everything) - count :]

        async def recall(heard: str) -> Sequence[Turn]:
            start_s = time.perf_counter()
            found = await reader.search(WORLD, NPC, heard, len(memory.turns(NPC)))
            search_s.append(time.perf_counter() - start_s)
            turns = {number: Turn(one.speaker, one.text) for number, one in found.items()}
            return recalled_turns(turns, NAME, settings.recall_tokens)

        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        script = Script(exchanges, seed=1)
        for number, (heard, said) in enumerate(script.lines):
            window = memory.turns(NPC)
            last = Turn("Ann", heard)
            ways = {
                "everything": everything,
                "sliding": sliding(),
                "window": window,
                "window, recall": (*window, *await recall(heard)),
            }
            for way, turns in ways.items():
                request = GenerationRequest("r", key, (*turns, last), 1)
                tallies[way].add(builder.prompt(prefix, request))
                if number in script.asks:
                    age_turns, fact = script.asks[number]
                    tallies[way].asked[age_turns].append(any(fact in turn.text for turn in turns))
            exchange = (last, Turn(None, said))
            everything += exchange
            memory.add(NPC, *exchange)
            file.apply([([AddTurn(NPC, turn.speaker, turn.text, 0.0) for turn in exchange], None)])
    await asyncio.to_thread(reader.stop)
    prompts = tallies["everything"].prompt_tokens
    return {
        "exchanges": exchanges,
        "world_turns": world_turns,
        "memory_tokens": settings.memory_tokens,
        "recall_tokens": settings.recall_tokens,
        "prefix_tokens": len(prefix.world) + len(prefix.persona),
        "estimated_over_counted": sum(map(estimated_tokens, everything[:-2]))
        / (prompts[-1] - prompts[0]),
        "search_p50_ms": statistics.median(search_s) * 1e3,
        "search_p99_ms": statistics.quantiles(search_s, n=100)[98] * 1e3,
        "ways": {way: tally.figures() for way, tally in tallies.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--exchanges", type=int, default=400, help="of two turns (default 400)")
    parser.add_argument(
        "--world-turns", type=int, default=100_000, help="of 200 other NPCs (default 100,000)"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(chosen.exchanges, chosen.world_turns, Path(folder)))
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    ages = "".join(f" {age:>5}" for age in AGES_TURNS)
    print(f"{'':16} prompt tokens    reusable  computed  still known after .. turns")
    print(f"{'':16}   mean     max             per reply {ages}")
    for way, of in result["ways"].items():
        shares = [of["known_share"].get(age) for age in AGES_TURNS]
        known = "".join("     -" if share is None else f" {share:5.0%}" for share in shares)
        print(
            f"{way:16} {of['mean_prompt_tokens']:6.0f}  {of['max_prompt_tokens']:6}  "
            f"{of['reusable_share']:10.1%}  {of['computed_tokens_per_reply']:8.0f}  {known}"
        )
    print(
        f"world and persona: {result['prefix_tokens']} tokens; "
        f"memory_tokens {result['memory_tokens']}, recall_tokens {result['recall_tokens']}; "
        f"estimated to counted tokens {result['estimated_over_counted']:.2f}"
    )
    print(
        f"a search among {result['world_turns']:,} other turns: "
        f"p50 {result['search_p50_ms']:.1f} ms, p99 {result['search_p99_ms']:.1f} ms"
    )


if __name__ == "__main__":
    main()

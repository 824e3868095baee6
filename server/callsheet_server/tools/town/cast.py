"""A cast of townsfolk: distinct names, trades and personas, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["Character", "cast"]

FIRST = [
    "Ada",
    "Bram",
    "Cleo",
    "Dorn",
    "Edda",
    "Finn",
    "Greta",
    "Hugo",
    "Isolde",
    "Jory",
    "Kester",
    "Lena",
    "Milo",
    "Nessa",
    "Orin",
    "Petra",
    "Quill",
    "Rosa",
    "Silas",
    "Tilda",
    "Ulric",
    "Vera",
    "Wendel",
    "Xenia",
    "Yorick",
    "Zelda",
    "Alban",
    "Bette",
    "Corin",
    "Dagny",
    "Emeric",
    "Fenna",
]
LAST = [
    "Ashdown",
    "Barley",
    "Copper",
    "Dunmore",
    "Elder",
    "Farrow",
    "Garland",
    "Hale",
    "Ives",
    "Juniper",
    "Kettle",
    "Lark",
    "Marsh",
    "Nettle",
    "Oakes",
    "Pike",
    "Quarry",
    "Reed",
    "Sorrel",
    "Thatch",
    "Underhill",
    "Vale",
    "Weir",
    "Yarrow",
    "Brook",
    "Cray",
    "Drake",
    "Fell",
    "Gorse",
]
FROM = (
    "Saltmere",
    "Highwater",
    "Oxley",
    "Thornby",
    "Cinderford",
    "Marrow Hill",
    "Eastmoor",
    "Lowen",
    "Pell",
    "Quayside",
    "Stonebridge",
    "Windle",
)
"""Origins of people, once there are more of them than names."""
TRADES = (
    ("baker", "bakes the town's bread before dawn"),
    ("blacksmith", "shoes horses and mends ploughs at the forge"),
    ("herbalist", "gathers roots in the hills and sells remedies"),
    ("innkeeper", "pours ale and knows every guest's business"),
    ("carpenter", "is putting a new roof on the granary"),
    ("fisher", "mends nets on the quay when the lake is rough"),
    ("scribe", "writes letters for those who cannot"),
    ("guard", "walks the wall and checks the gate"),
    ("weaver", "dyes wool in colours nobody else can match"),
    ("miller", "grinds the grain and counts the sacks twice"),
    ("merchant", "trades spices from the south"),
    ("shepherd", "comes down from the pasture once a week"),
)
TEMPERS = (
    "patient and dry-humoured",
    "quick to laugh and quicker to argue",
    "shy until the talk turns to work",
    "proud, and easily flattered",
    "worried about money and open about it",
    "blunt, but never unkind",
    "dreamy, with a head full of old songs",
    "curious about strangers",
    "suspicious of anything new",
    "generous to a fault",
)
SECRETS = (
    "owes the merchant's guild more than a year's earnings",
    "saw lights in the old tower last night and has told nobody",
    "plans to leave town before winter",
    "is writing a play about the neighbours",
    "found a silver ring on the road and wears it on a string",
    "has not spoken to a sibling in nine years",
    "wins at dice a little too often",
    "keeps a fox as a pet, against the mayor's order",
    "lost a race to the miller and wants another",
    "knows a short way through the marsh",
)
HABITS = (
    "Answers in short sentences.",
    "Likes to end on a proverb.",
    "Asks a question back whenever possible.",
    "Talks of the weather before anything else.",
    "Calls everybody 'friend'.",
    "Never names a price first.",
)


@dataclass(frozen=True, slots=True)
class Character:
    """Character of an NPC. ``id`` is unique in its cast and fit for the wire."""

    id: str
    name: str
    trade: str
    persona: str


def cast(count: int, seed: int = 0) -> tuple[Character, ...]:
    """Make ``count`` characters with distinct names and personas.

    Raises:
        ValueError: ``count`` is negative or above the number of distinct names.
    """
    names = len(FIRST) * len(LAST)
    limit = names * len(FROM)
    if not 0 <= count <= limit:
        raise ValueError(f"count is {count}; it must be from 0 to {limit}, the names there are")
    draw = random.Random(seed)  # noqa: S311 - a repeatable cast, not a secret
    characters = []
    for index in draw.sample(range(names if count <= names else limit), count):
        origin, name_index = divmod(index, names)
        first, last = FIRST[name_index % len(FIRST)], LAST[name_index // len(FIRST)]
        last += f" of {FROM[origin]}" if count > names else ""
        trade, work = draw.choice(TRADES)
        persona = (
            f"You are {first} {last}, a {trade} of {draw.randint(19, 71)} who {work}. "
            f"You are {draw.choice(TEMPERS)}. {first} {draw.choice(SECRETS)}. {draw.choice(HABITS)}"
        )
        name = f"{first} {last}"
        characters.append(Character(name.lower().replace(" ", "-"), name, trade, persona))
    return tuple(characters)

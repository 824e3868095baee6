"""Lines that the engine without a model says: picked by what was heard, never made from it.

A greeting is greeted back, a farewell answered with one, a question gets an answer that fits any
question, and whatever else is said is gone on from. The same talk gets the same line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from callsheet_server.world.memory import Turn

__all__ = ["small_talk"]

GREETINGS: Final = (
    "Good day to you! I am {name}. Sit down a while, if your feet allow it.",
    "Ah, there you are. I was hoping for company; it has been a slow morning.",
    "Well met! You look as though you have walked far. Have you eaten yet?",
    "Hello there. Mind the step, everybody trips over it the first time.",
    "And to you! I am {name}, and yours is the first smile I have seen today.",
)
FAREWELLS: Final = (
    "Go safely. And come by again before the week is out, will you?",
    "Until next time, then. Keep to the road, it gets dark early now.",
    "So soon? Well, my door is open. It sticks a little, but it is open.",
    "Farewell, friend. Tell them {name} sends their best.",
)
QUESTIONS: Final = (
    "Now that is a question. My cousin would know, but she only tells it over a drink.",
    "Nobody says it aloud, but I have heard the same tale twice this week.",
    "I used to think so. These days I am less sure, and I sleep better for it.",
    "Between the two of us? I saw a light up there last night, and nobody carries a lamp so late.",
    "Mostly work, and then some more work. But the evenings are my own, thank goodness.",
    "Give me until tomorrow. I want to ask around before I say something foolish.",
    "Oh, the usual. Prices go up, the roof leaks, and everybody has an opinion on both.",
    "Not as far as I know. Then again, I am always the last to be told.",
)
REMARKS: Final = (
    "My mother used to say the same, and she was right more often than not.",
    "I had not looked at it like that. Go on, I am listening.",
    "You would be surprised how often I hear that, and how seldom it is true.",
    "Quite. And yet here we are, talking about it instead of doing something.",
    "That makes two of us. Shall we tell the others, or keep it between us?",
    "Then I will not keep quiet about it any longer. Somebody ought to know.",
    "If you say so. I would still take an umbrella.",
    "Let us hope it stays that way. I could do with a calm winter.",
    "I knew it! I told them weeks ago, and they only laughed.",
    "Well, that is good to hear. I was beginning to worry, I admit.",
)
THOUGHTS: Final = (
    "Is it that late already? I had better be on my way.",
    "I was thinking of a warm supper, to be honest, and of not cooking it myself.",
    "One of these days I shall stay in bed. But not today, it seems.",
    "I could swear I left the door unlocked. I always think so, halfway there.",
    "Rain by nightfall, if my knee is to be believed. It usually is.",
    "Off I go, then. Nobody will do it for me, I have asked.",
    "Somebody moved the old bench. I will find out who, and I will sit on it.",
    "If I hurry I can still get a place by the fire.",
    "I owe somebody a favour, and for the life of me I cannot think whom.",
    "Funny how quiet it is. I like it, but I would not trust it.",
    "New boots tomorrow. I have said so every day since spring.",
    "They say the strangers asked for me by name. I do not like that at all.",
    "That dog follows me everywhere. I suppose it is mine now.",
    "I must remember to laugh at that joke when I understand it.",
)
NARRATOR: Final = "Narrator"
"""Speaker of what is told rather than said; nobody else may have the name (``talk.prompting``)."""
GREETS: Final = re.compile(
    r"(?i)^\W*(hello|hi|hey|greetings|well met|good (day|morning|evening))\b"
)
LEAVES: Final = re.compile(r"(?i)\b(farewell|goodbye|bye|good night|until next time|see you)\b")


def small_talk(name: str, turns: Sequence[Turn]) -> str:
    """Choose the line with which an NPC answers the last turn of a talk."""
    heard = turns[-1] if turns else None
    seed = "\0".join([name, *(turn.text for turn in turns[-2:])])
    digest = hashlib.sha256(seed.encode()).digest()
    lines = _fitting(heard)
    return lines[digest[0] % len(lines)].format(name=name)


def _fitting(heard: Turn | None) -> Sequence[str]:
    if heard is None or heard.speaker in (None, NARRATOR):
        return THOUGHTS
    if LEAVES.search(heard.text):
        return FAREWELLS
    if GREETS.search(heard.text):
        return GREETINGS
    return QUESTIONS if "?" in heard.text else REMARKS

from __future__ import annotations

import pytest

from callsheet_server.engine import small_talk as lines
from callsheet_server.engine.small_talk import small_talk
from callsheet_server.world.memory import Turn

NAMES = [f"Npc {number}" for number in range(200)]


@pytest.mark.parametrize(
    ("speaker", "heard", "pool"),
    [
        ("Ann", "Good evening!", lines.GREETINGS),
        ("Ann", "Have you heard any news?", lines.QUESTIONS),
        ("Ann", "Go on.", lines.REMARKS),
        ("Ann", "I see. Farewell!", lines.FAREWELLS),
        ("Narrator", "It is time for work. What is on your mind?", lines.THOUGHTS),
    ],
)
def test_a_line_fits_what_was_heard_and_does_not_repeat_it(
    speaker: str, heard: str, pool: tuple[str, ...]
) -> None:
    said = {name: small_talk(name, (Turn(speaker, heard),)) for name in NAMES}
    assert {line.replace(name, "{name}") for name, line in said.items()} == set(pool)
    assert not any(heard in line for line in said.values())


def test_the_same_talk_gets_the_same_line_and_another_one_another() -> None:
    talk = (Turn("Ann", "Hello!"), Turn(None, "Well met!"), Turn("Ann", "Go on."))
    assert small_talk("Bob", talk) == small_talk("Bob", talk)
    lines_after = {
        small_talk("Bob", (*talk[:1], Turn(None, before), *talk[2:])) for before in NAMES[:50]
    }
    assert len(lines_after) > 1


def test_nothing_heard_is_answered_too() -> None:
    assert small_talk("Bob", ()) in lines.THOUGHTS

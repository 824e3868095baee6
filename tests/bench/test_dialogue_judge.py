"""Faults that the dialogue bench counts."""

from __future__ import annotations

import pytest

from callsheet_bench.dialogue_judge import Answer, rates


def answer(text: str, heard: str = "Hello.", finish: str = "stop", language: str = "en") -> Answer:
    return Answer(
        "Old Bram", language, heard, text, finish=finish, tokens=3, prompt_tokens=9, cached_tokens=6
    )


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("own name first", answer("**Bram:** Aye."), answer("Bram is my name.")),
        ("own name first", answer("Old Bram, hello."), answer("Aye, Bram.")),
        ("other speakers", answer("Aye.\nShepherds: Amen!"), answer("It is 3:15 now.")),
        ("other speakers", answer("Aye. Ann: Thanks."), answer("Listen to me: go.")),
        ("unfinished ends", answer("Aye, the", finish="length"), answer("Aye", finish="stop")),
        ("unfinished ends", answer("I have two:"), answer("Aye.", finish="length")),
        ("ends with an ellipsis", answer("Aye\u2026"), answer("Aye.")),
        ("echoes the player", answer("Hello!"), answer("Hello to you.")),
        ("empty", answer(""), answer("Aye.")),
        ("assistant phrases", answer("How can I assist you?"), answer("How can I pay you?")),
        ("another language", answer("Das ist nicht gut."), answer("That is not good.")),
    ],
)
def test_each_fault_is_counted_once(name: str, bad: Answer, good: Answer) -> None:
    assert rates("Ann", [bad, good])[name] == "1 (50.0 %)"
    assert rates("Ann", [good])[name] == "0 (0.0 %)"


def test_repeats_and_reuse() -> None:
    said = [answer("I was born here. Aye."), answer("Well."), answer("I was BORN here! No.")]
    counted = rates("Ann", [*said, answer("Well.")])
    assert counted["repeated"] == "2 (50.0 %)"
    assert (counted["of these reused"], counted["computed per reply"]) == ("66.7 %", "3")

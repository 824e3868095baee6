"""Stage directions in brackets, told from speech in brackets."""

from __future__ import annotations

import pytest

from callsheet_server.talk.speech.directions import BracketedDirections


def heard(text: str, pieces: int = 1) -> tuple[str, list[str]]:
    """The text that is left of ``text``, cut into pieces of so many characters, and what went."""
    found: list[str] = []
    directions = BracketedDirections("strip", found)
    parts = [directions.feed(text[at : at + pieces]) for at in range(0, len(text), pieces)]
    return "".join(parts) + directions.rest(), found


@pytest.mark.parametrize(
    ("text", "direction", "speech"),
    [
        ("(Yell) Danger! Run!", "Yell", "Danger! Run!"),
        ("(Whispers) Come closer.", "Whispers", "Come closer."),
        ("[sighs] Another one.", "sighs", "Another one."),
        ("[LAUGHS] You again!", "LAUGHS", "You again!"),
        ("Well. (beat) No.", "beat", "Well. No."),
        ("Well, (a long pause) no.", "a long pause", "Well, no."),
        ("(to himself) Fool.", "to himself", "Fool."),
        ("I know (under her breath) nothing.", "under her breath", "I know nothing."),
        ("Come in. (Raising a hand, slowly) Stop!", "Raising a hand, slowly", "Come in. Stop!"),
        ("(The other player nods and begins to speak) You?",
         "The other player nods and begins to speak", "You?"),
        ("Ones who (the other player goes on) never came.", "the other player goes on",
         "Ones who never came."),
        ("(seufzt leise) Na gut.", "seufzt leise", "Na gut."),
        ("(r\u00ede) Claro.", "r\u00ede", "Claro."),
        ("\uff08\u7b11\uff09\u3044\u3089\u3063\u3057\u3083\u3044\u3002", "\u7b11",
         "\u3044\u3089\u3063\u3057\u3083\u3044\u3002"),
        ("\u3010sighs\u3011 Fine.", "sighs", "Fine."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pieces", [1, 3, 100])
def test_a_direction_in_brackets_is_taken_out(
    text: str, direction: str, speech: str, pieces: int
) -> None:
    said, found = heard(text, pieces)
    assert (said.strip(), found) == (speech, [direction])


@pytest.mark.parametrize(
    "text",
    [
        "It is salted (as always) and dear.",
        "His house (this one) is old.",
        "The baker (Tom) is late.",
        "Come in. (Not really, of course.) Sit.",
        "Five coins. (No refunds.) Take it.",
        "Five coins. (and two more for the horse) Take it.",
        "The room (in a hurry I forgot) is yours.",
        "Buy star anise (star anise, not fennel).",
        "Ale [2 coins] and stew [4 coins].",
        "It opens at dawn (8:00).",
        "\u6771\u306e\u9580\uff08\u5317\u9580\uff09\u306b\u884c\u304f\u3002",
    ],
)
def test_speech_in_brackets_is_left_alone(text: str) -> None:
    assert heard(text) == (text, [])


def test_a_direction_that_is_cut_off_is_not_said() -> None:
    assert heard("Fine. (Sighs and wipes the")[0].strip() == "Fine."

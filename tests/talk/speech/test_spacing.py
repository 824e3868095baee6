"""Blanks before punctuation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.talk.speech.spacing import Spacing
from callsheet_server.talk.speech.speech import Speech, Voice


def spaced(*pieces: str) -> str:
    spacing = Spacing()
    return "".join(map(spacing.feed, pieces)) + spacing.rest()


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("I am Milo Hale .", "I am Milo Hale."),
        ("I am Milo Hale . I bake .", "I am Milo Hale. I bake."),
        ("Well , come in !", "Well, come in!"),
        ("What  ?", "What?"),
        ("What ?! You ?", "What?! You?"),
        ("Listen : it rains ; go home .", "Listen: it rains; go home."),
        ('"I am Milo ." He said so .', '"I am Milo." He said so.'),
        ("I have 5 .\nNo more .", "I have 5.\nNo more."),
        # Blanks that belong there.
        ("Well ... yes.", "Well ... yes."),
        ("Well . . . yes.", "Well . . . yes."),
        ("Good day :) and ;-) to you :D", "Good day :) and ;-) to you :D"),
        ("It costs .5 crowns, .25 today.", "It costs .5 crowns, .25 today."),
        ("Aye.\n, no", "Aye.\n, no"),
        ("Aye. Come in.", "Aye. Come in."),
        # French has a blank before these, whichever it is written with.
        ("Bonjour ! Que voulez-vous ?", "Bonjour ! Que voulez-vous ?"),
        ("\u00c9coutez : il pleut .", "\u00c9coutez : il pleut."),
        ("Ann\u202f! Ann\u00a0?", "Ann\u202f! Ann\u00a0?"),
    ],
)
def test_blanks_go_where_none_belongs(written: str, heard: str) -> None:
    assert spaced(written) == heard
    assert spaced(*written) == heard


@given(
    st.lists(
        st.sampled_from(
            [" ", "  ", "\n", ".", ",", "!", "?", ":", ";", ")", '"', "Hale", "le", "5", "\u00e9"]
        ),
        max_size=16,
    ),
    st.integers(1, 4),
)
def test_text_alone_decides_not_how_it_was_cut(tokens: list[str], size: int) -> None:
    pieces = ["".join(some) for some in (tokens[i : i + size] for i in range(0, len(tokens), size))]
    whole = "".join(tokens)
    assert spaced(*pieces) == spaced(whole) == spaced(*whole)
    assert "".join(spaced(whole).split()) == "".join(whole.split())


def test_words_are_not_held() -> None:
    spacing = Spacing()
    assert [spacing.feed(piece) for piece in ("Milo", " Hale", " .", " I", " bake")] == [
        "Milo",
        " Hale",
        "",
        ". I",
        " bake",
    ]


def test_a_direction_leaves_no_blank_before_the_full_stop() -> None:
    speech = Speech(Voice("Bram", "Ann", (), lambda _: False))
    parts = [
        *speech.feed("Aye, I am Bram *wipes a tankard* . Come in."),
        *speech.rest(finished=True),
    ]
    assert "".join(part.text for part in parts) == "Aye, I am Bram. Come in."

"""Whole sentences: when each is let go, and what becomes of the last."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.talk.speech.sentences import (
    MAX_HELD_CHARS,
    Said,
    Sentences,
    sentences_of,
)


def told(*texts: str, finished: bool = True, hold_first: bool = False) -> list[list[str]]:
    """The parts that each piece, and then the end, lets go; "|" marks a sentence's end."""
    sentences = Sentences(hold_first=hold_first)
    parts = [*map(sentences.feed, texts), sentences.rest(finished=finished)]
    return [[said.text + "|" * said.ends_sentence for said in part] for part in parts]


def test_the_first_sentence_comes_as_it_is_said_and_others_whole() -> None:
    assert told("Good ", "day", ". ", "How", " are you?", " I") == [
        *(["Good"], [], [" day.|"], [], [], [" How are you?|"]),
        [" I|"],
    ]


def test_the_first_is_held_where_it_is_judged() -> None:
    assert told("Good ", "day. ", "How", hold_first=True) == [[], ["Good day.|"], [], [" How|"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Come in. The stew is on the fire and the", "Come in."),
        ("Come in. The stew is hot.", "Come in. The stew is hot."),
        ('Come in. "Now!"', 'Come in. "Now!"'),
        ("Come in. I saw Mr. Hale and", "Come in."),
        ("Come in\nThe stew", "Come in"),
        ("Come in. It is:\n", "Come in."),
        ("Come in. I have two:\n1. The red", "Come in."),
        ("Come in. I have two:\n1. The red room.", "Come in. I have two:\n1. The red room."),
        ("Come in. Roses are red,\nviolets", "Come in."),
        ("The stew is on the fire, and the fi", "The stew is on the fire, and the\u2026"),
        ("The stew is hot, ", "The stew is hot\u2026"),
        ("\u8bf7\u8fdb\u3002\u6c64\u5728", "\u8bf7\u8fdb\u3002"),
        ("", ""),
    ],
)
def test_what_breaks_off_is_not_said_unless_nothing_is_left(text: str, expected: str) -> None:
    parts = told(text, finished=False)
    assert "".join(part.rstrip("|") for part in itertools.chain(*parts)) == expected


def test_a_sentence_that_announces_something_is_not_whole() -> None:
    assert told("Come in. I have two rooms:")[-1] == []


@pytest.mark.parametrize("text", ["Come in. The stew", "Come in"])
def test_a_model_that_is_done_is_believed(text: str) -> None:
    assert "".join(part.rstrip("|") for part in itertools.chain(*told(text))) == text


def test_a_sentence_without_end_is_let_go_in_parts() -> None:
    words = "word " * (MAX_HELD_CHARS // 5)
    parts = told("Yes. ", words, "and on ", finished=False)
    assert parts[0] == ["Yes.|"]
    assert parts[1] == parts[2] == [] or parts[2]
    assert parts[3][-1].endswith("\u2026|")


def test_a_text_is_taken_apart() -> None:
    text = "I saw Mr. Hale, 3.5 miles off.  He ran!\n\nWhy? No one knows"
    assert sentences_of(text) == [
        *("I saw Mr. Hale, 3.5 miles off.", "He ran!", "Why?", "No one knows"),
    ]


@given(st.lists(st.text(st.sampled_from("ab.!? \n\"'\u3002"), max_size=30), max_size=30))
def test_nothing_is_lost_or_held_for_long(texts: list[str]) -> None:
    sentences = Sentences()
    parts: list[Said] = []
    for index, text in enumerate(texts):
        parts += sentences.feed(text)
        held = sum(map(len, texts[: index + 1])) - sum(len(said.text) for said in parts)
        leading = len("".join(texts)) - len("".join(texts).lstrip())
        assert held - leading <= MAX_HELD_CHARS
    parts += sentences.rest(finished=True)
    assert "".join(said.text for said in parts).rstrip() == "".join(texts).strip()

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.talk.sentences import MAX_HELD_CHARS, Sentences


def pieces(*texts: str) -> list[str]:
    sentences = Sentences()
    return [*(sentences.feed(text) for text in texts), sentences.rest()]


@pytest.mark.parametrize(
    ("texts", "released"),
    [
        (("Good ", "day. ", "How are"), ["", "Good day. ", "", "How are"]),
        (("3.5 gold, he said.", ' "No!" ', "x"), ["", '3.5 gold, he said. "No!" ', "", "x"]),
        (("One. Two. Th",), ["One. Two. ", "Th"]),
        (("a\nb",), ["a\n", "b"]),
        (("Wait... ",), ["Wait... ", ""]),
        (("",), ["", ""]),
    ],
)
def test_sentences_are_let_go_when_they_have_ended(
    texts: tuple[str, ...], released: list[str]
) -> None:
    assert pieces(*texts) == released


def test_a_sentence_without_end_is_let_go_in_parts() -> None:
    assert pieces("x" * MAX_HELD_CHARS, "y", "z") == ["", "x" * MAX_HELD_CHARS + "y", "", "z"]


@given(st.lists(st.text(st.sampled_from("ab.!? \n\"'"), max_size=30), max_size=30))
def test_nothing_is_lost_or_held_for_long(texts: list[str]) -> None:
    sentences, out = Sentences(), ""
    for index, text in enumerate(texts):
        out += sentences.feed(text)
        assert sum(map(len, texts[: index + 1])) - len(out) <= MAX_HELD_CHARS
    assert out + sentences.rest() == "".join(texts)

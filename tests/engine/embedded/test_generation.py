"""Tokens to text: no character split, no stop string let through."""

from __future__ import annotations

import pytest
from engine.harness import tiny_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.engine.embedded.generation import TextStream

TOKENIZER = tiny_tokenizer().backend_tokenizer
"""One token per byte: every character beyond ASCII takes several."""


def pieces(text: str, *stop: str) -> tuple[list[str], TextStream]:
    stream = TextStream(TOKENIZER, stop)
    out = []
    for token in TOKENIZER.encode(text).ids:
        out.append(stream.push(token))
        if stream.stopped:
            break
    return [*out, stream.flush()], stream


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=30))
def test_characters_arrive_whole(text: str) -> None:
    out, _ = pieces(text)
    assert "".join(out) == text
    assert not any("\ufffd" in piece for piece in out)


def test_an_emoji_comes_in_one_piece() -> None:
    out, _ = pieces("a🎭b")
    assert [piece for piece in out if piece] == ["a", "🎭", "b"]


@given(
    st.text("ab\n", max_size=20),
    st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3),
)
def test_the_text_ends_before_the_first_stop_string(text: str, stop: list[str]) -> None:
    out, stream = pieces(text, *stop)
    shortest = next(
        (
            text[: min(at for s in stop if (at := text[:end].find(s)) >= 0)]
            for end in range(len(text) + 1)
            if any(s in text[:end] for s in stop)
        ),
        None,
    )
    assert "".join(out) == (text if shortest is None else shortest)
    assert stream.stopped is (shortest is not None)


@pytest.mark.parametrize("text", ["Anna: I", "Anna:", "Ann"])
def test_what_may_become_a_stop_string_is_held_back(text: str) -> None:
    stream = TextStream(TOKENIZER, ("Anna: hello",))
    for token in TOKENIZER.encode(text[:4]).ids:
        assert stream.push(token) == ""
    rest = "".join(stream.push(token) for token in TOKENIZER.encode(text[4:]).ids)
    assert rest + stream.flush() == text

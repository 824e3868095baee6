from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.talk.word_list import WordList, WordListError

WORDS = WordList(["# what nobody says here", "", "turnip", "rotten fish", r"/\bgold{2,}\b/"])


@pytest.mark.parametrize(
    "text",
    [
        "You turnip!",
        "TURNIP",
        "a Tu\u0308rnip",
        "\uff54\uff55\uff52\uff4e\uff49\uff50",
        "rotten\n  fish",
        "golddd",
        "t\u034furn\ufe0fip",
        "tu\u3164rnip",
        "tu\u200drni\u200cp",
        "tu\u20ddrnip",
        "rotten\u2800fish",
        "rotten \u3164 fish",
    ],
)
def test_what_is_listed_is_found(text: str) -> None:
    assert not WORDS.allows(text)


@pytest.mark.parametrize("text", ["turnips", "a returnip", "rotten tomato, fish", "gold", ""])
def test_what_is_not_listed_passes(text: str) -> None:
    assert WORDS.allows(text)


def test_a_pattern_that_is_none_is_named() -> None:
    with pytest.raises(WordListError, match=r"line 2: /\(/"):
        WordList(["fine", "/(/"])


@given(st.text(), st.lists(st.text(st.characters(exclude_characters="/"), max_size=10)))
def test_an_empty_list_allows_all_and_any_words_make_a_list(text: str, words: list[str]) -> None:
    assert WordList([]).allows(text)
    WordList(words).allows(text)

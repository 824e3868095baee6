"""Characters that show nothing: Unicode's own list of them, and others without ink."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.talk.visible import one_line, without_unseen

IGNORABLE = "\u00ad\u034f\u115f\u17b4\u180b\u200b\u2060\u3164\ufe00\ufe0f\ufeff\uffa0\U0001d173"


@pytest.mark.parametrize("unseen", [*IGNORABLE, "\u2800", "\U00016fe4", "\U000e0100"])
def test_what_shows_nothing_is_taken_out(unseen: str) -> None:
    assert one_line(f"a{unseen}b") == "ab"
    assert one_line(unseen) == ""


def test_every_format_character_that_has_no_ink_is_known() -> None:
    inked = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    formats = {c for c in range(sys.maxunicode) if unicodedata.category(chr(c)) == "Cf"}
    shown = {hex(c) for c in formats - inked if without_unseen(chr(c))}
    assert not shown


def test_joiners_stay_between_what_they_join() -> None:
    farmer, persian = "\U0001f469\u200d\U0001f33e", "\u0645\u06cc\u200c\u062e"
    assert one_line(f"{farmer} {persian}") == f"{farmer} {persian}"
    assert one_line(" \u200d a\u200c \u200c") == "a"
    assert without_unseen(farmer) == "\U0001f469\U0001f33e"


@given(st.text())
def test_one_line_is_made_once(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert line.splitlines() in ([], [line])

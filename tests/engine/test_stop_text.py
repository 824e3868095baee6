from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.engine.stop_text import StopText

words = st.text("abc", max_size=20)


@given(st.lists(st.text("abc", max_size=4), max_size=10), st.lists(words, max_size=3))
def test_pieces_join_to_the_text_before_the_first_stop_string(
    pieces: list[str], stop: list[str]
) -> None:
    reply, out = StopText(stop), ""
    for piece in pieces:
        out += reply.push(piece)
        if reply.stopped:
            break
    out += reply.flush()
    heard = "".join(pieces)
    starts = [at for text in stop if text and (at := heard.find(text)) >= 0]
    assert not any(text and text in out for text in stop)
    if not starts:
        assert (out, reply.stopped) == (heard, False)
    else:
        assert reply.stopped
        assert heard.startswith(out)


def test_a_stop_string_cut_in_pieces_is_held_back() -> None:
    reply = StopText(["\nAnna:"])
    assert [reply.push(piece) for piece in ("Well", ".\nAn", "na", ": no")] == ["Well", ".", "", ""]
    assert (reply.stopped, reply.flush()) == (True, "")

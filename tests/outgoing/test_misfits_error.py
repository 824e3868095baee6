"""NPCs that cannot speak, in one message to the game."""

from __future__ import annotations

from callsheet_server.outgoing.errors import misfits_error


def test_eight_are_named_and_the_others_counted() -> None:
    error = misfits_error([(f"n{number}", "it cannot speak") for number in range(10)])
    assert error.message.count("it cannot speak") == 8
    assert error.message.endswith("n7: it cannot speak; and 2 more")
    assert error.value == "n0"
    assert "more" not in misfits_error([("bob", "it cannot speak")]).message

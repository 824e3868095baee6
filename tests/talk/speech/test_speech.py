"""Speech that is left of a model's text, however the text arrives."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.talk.speech.sentences import Said
from callsheet_server.talk.speech.speech import Direction, Speech, Voice
from callsheet_server.talk.speech.thoughts import Opening

ACT = "Aye, come in."


def voice(**changed: Any) -> Voice:
    named = {
        "name": "Bram",
        "listener": "Ann",
        "speakers": ("Narrator", "From earlier talks, oldest first"),
        "is_known": lambda name: name == "marta",
    }
    return Voice(**{**named, **changed})


def heard(pieces: Sequence[str], *, finished: bool = True, **changed: Any) -> str:
    speech = Speech(voice(**changed))
    parts = [part for piece in pieces for part in speech.feed(piece)]
    parts += speech.rest(finished=finished)
    return "".join(part.text for part in parts if isinstance(part, Said))


@pytest.mark.parametrize(
    "pieces",
    [
        ("Aye, ", "come in."),
        ("\n\n ", "Aye, ", "come in.", " \n"),
        # Name tags.
        ("Bram", ": ", "Aye, ", "come in."),
        ("**Bram", ":** ", "Aye, ", "come in."),
        ("Bram (smiling): aye, come in.",),
        ("Bram says: ", "Aye, come in."),
        ("Bram: Bram: Aye, come in.",),
        ("Bram, ", "aye, come in."),
        ("Assistant: Aye, come in.",),
        ("Innkeeper: Aye, come in.",),
        # Somebody else's lines.
        ("Aye, come in.", "\n\nAnn", ": ", "Thank you.", "\nBram: You are welcome."),
        ("Aye, come in.\nShepherds: Amen!",),
        ("Aye, come in.\nNarrator: It is late.",),
        ("Aye, come in. Ann: Thank you.",),
        ("Aye, come in.\n**Old Marta:** Who is it?",),
        ('Aye, come in.\nFrom earlier talks, oldest first:\n- Ann: "The key."',),
        ('Aye, come in.\n- Ann: "The key."',),
        # Quotation marks.
        ('"Aye, ', 'come in."'),
        ("\u201cAye, come in.\u201d",),
        ('Bram: "Aye, come in."',),
        ('"Bram: Aye, come in."',),
        # Thoughts and control tokens.
        ("<think>", "\nBe short.\n", "</think>", "\n\n", "Aye, ", "come in."),
        ("<thinking>Be short.</thinking>Aye, come in.",),
        ("[THINK]Be short.[/THINK]Aye, come in.",),
        ("Aye, come in.<|im_end|>", "\n<|im_start|>user\nThank you."),
        ("Aye, come in.</s>",),
        ("<|im_start|>assistant\nAye, come in.<|im_end|>",),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nAye, come in.<|eot_id|>",),
        (
            "<|channel|>analysis<|message|>Be short.<|end|>",
            "<|start|>assistant<|channel|>final<|message|>Aye, come in.<|return|>",
        ),
        # Stage directions.
        ("*wipes a tankard* ", "Aye, ", "come in."),
        ("Aye, *wipes a tankard* come in.",),
        ("Aye, **come** in.",),
        ("Aye, come in. *nods*",),
        ("(laughs) Aye, come in.",),
        ("Aye, (pausing a mo", "ment) come in.", " (winks at the"),
    ],
)
def test_only_speech_is_heard(pieces: tuple[str, ...]) -> None:
    assert heard(pieces) == ACT


@pytest.mark.parametrize("opening", [Opening.UNKNOWN, Opening.THOUGHT])
def test_a_thought_that_the_template_opened_is_cut(opening: Opening) -> None:
    assert heard(("Be short.\n", "</think>", "\n\n", ACT), opening=opening) == ACT


def test_what_may_begin_with_a_thought_is_heard_at_the_end_if_it_did_not() -> None:
    speech = Speech(voice(opening=Opening.UNKNOWN))
    assert speech.feed(ACT) == []
    assert speech.rest(finished=True) == [
        Said("Aye", False),
        Said(", come in", False),
        Said(".", True),
    ]
    assert not speech.began_in_thought


@pytest.mark.parametrize(
    "text",
    [
        "It is 3:15 now. I saw 4 < 5, Bram's *own* words: well.".replace("*", ""),
        "Mr. Hale is in. [Once] he was <gone>.",
        "I am Bram. Bram nods.",
        "Listen to me: nothing is free.",
        "Ten (or eleven) gold pieces (I mean the old ones). (Yes!) It is free (",
        "\u597d\u7684\u3002\u8fdb\u6765\u5427\u3002",
        "\u00bfQui\u00e9n eres? \u00a1Pasa!",
    ],
)
def test_plain_speech_is_left_alone(text: str) -> None:
    assert heard((text,)) == text


def test_a_title_that_it_shares_is_no_name() -> None:
    assert heard(("Captain, sir!",), name="Captain Hale") == "Captain, sir!"
    assert heard(("Hale, sir!",), name="Captain Hale") == "Sir!"
    assert heard(("Captain: sir!",), name="Captain Hale") == "Sir!"


def test_somebody_elses_words_are_no_reply() -> None:
    speech = Speech(voice())
    assert speech.feed("Marta: Amen! And so on.") == []
    assert speech.ended
    assert speech.rest(finished=True) == []
    assert "'Marta'" in speech.why_silent(9, cut_off=False)


def test_names_are_filled_in() -> None:
    assert heard(
        (
            "Good day, {{us",
            "er}}. {{Char}} is my name.",
        )
    ) == ("Good day, Ann. Bram is my name.")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("keep", [Said("*nods", False), Said("* Aye", False), Said(".", True)]),
        ("strip", [Said("Aye", False), Said(".", True)]),
        ("apart", [Direction("nods"), Said("Aye", False), Said(".", True)]),
    ],
)
def test_stage_directions_are_kept_cut_or_told_apart(mode: str, expected: list[object]) -> None:
    speech = Speech(voice(directions=mode))
    assert [*speech.feed("*nods* Aye."), *speech.rest(finished=True)] == expected


def test_a_repeated_sentence_is_left_out() -> None:
    replies = ("I was born here. Come in.",)
    assert heard(("Well. I was BORN here! Nice.",), not_again=replies) == "Well. Nice."
    assert heard(("I was born there.",), not_again=replies) == "I was born there."
    assert heard(("Come in.",), not_again=replies) == "Come in.", "short ones are no repeats"
    assert heard(("I see nothing. I see nothing.",)) == "I see nothing."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<think>Let me see", "all 7 tokens went to reasoning: raise reply.max_tokens"),
        ("*nods and smiles*", "reply.stage_directions"),
        (" \n", "without a word"),
    ],
)
def test_silence_has_a_reason(text: str, reason: str) -> None:
    speech = Speech(voice())
    assert speech.feed(text) == []
    assert speech.rest(finished=False) == []
    assert reason in speech.why_silent(7, cut_off=False)


def test_what_is_cut_off_without_a_word_was_no_reasoning() -> None:
    speech = Speech(voice())
    assert speech.feed(" \n" * 7) == speech.rest(finished=False) == []
    assert speech.why_silent(7, cut_off=True) == "all 7 tokens held no word to say aloud"
    assert "went to reasoning" in Speech(voice()).why_silent(7, cut_off=True), "it was not sent"


# --- pieces ---------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        *("Bram", "Ann", "Marta", "Aye", "come", "in", "Mr", "the", "Shepherds", "I am", "3.5"),
        *(" ", " ", ". ", ".", "! ", ", ", "\n", "\n\n", ": ", ":", "? ", "\u2026", "\u3002"),
        *("*", "**", '"', "\u201c", "(", ")", "-", "<", "[", "{", "}}", "{{user}}", "{{char}}"),
        *(
            "(laughs)",
            "(",
            ")",
            "winks",
            "<think>",
            "</think>",
            "<|im_end|>",
            "<|im_start|>",
            "<|channel|>",
            "<|message|>",
        ),
        *("<|end|>", "final", "\u597d\u7684", "I was born here", "A" * 50, "b " * 210),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=25).map("".join)


@given(
    TEXTS,
    st.lists(st.integers(0, 400), max_size=12),
    st.booleans(),
    st.sampled_from(["keep", "strip", "apart"]),
    st.sampled_from(Opening),
    st.booleans(),
)
def test_pieces_make_no_difference(
    text: str, cuts: list[int], finished: bool, mode: str, opening: Opening, whole: bool
) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    options: dict[str, Any] = {
        "finished": finished,
        "directions": mode,
        "opening": opening,
        "whole": whole,
        "not_again": ("I was born here.", "Aye. Come in!"),
    }
    assert heard(pieces, **options) == heard(list(text), **options) == heard([text], **options)


@given(TEXTS)
def test_little_is_held_back(text: str) -> None:
    """Of the first sentence, and of any that does not end and repeats none."""
    speech, told = Speech(voice()), 0
    for index, char in enumerate(text.replace("<", "").replace("[", "")):
        told += sum(len(part.text) for part in speech.feed(char))
        if speech.ended or speech.left_out:
            return
        *ended, _ = re.split(r"[.!?\n]", text[:index])
        assert index - told < 800 + max(map(len, ended), default=0)


@pytest.mark.parametrize("header", ["<|message|>", "<|channel|>final<|message|>"])
def test_what_was_held_before_a_header_comes_before_what_follows_it(header: str) -> None:
    said = heard([f"Aye. {header}Come in."], opening=Opening.UNKNOWN)
    assert said == "Aye. Come in."

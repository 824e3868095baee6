"""Text as it can be seen: what players say and are called, without characters that show nothing.

Hidden characters let a word pass a word list, a name look empty, and text reach the model that no
person sees.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["one_line", "without_unseen"]

_CONTROLS: Final = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
"""Controls, but for white space."""
_JOINERS: Final = "\u200c\u200d"
"""Joiners, which emoji and several scripts cannot do without."""
_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point without joiners, and interlinear annotations."""
_BLANK: Final = "\u2800\U00013430-\U00013455\U00016fe4\U0001d159"
"""Characters without ink: the empty Braille pattern, format controls and fillers of scripts."""

_UNSEEN: Final = re.compile(f"[{_CONTROLS}{_IGNORABLE}{_BLANK}]")
_UNSEEN_OR_JOINER: Final = re.compile(f"[{_CONTROLS}{_IGNORABLE}{_BLANK}{_JOINERS}]")
_LOOSE_JOINER: Final = re.compile(rf"(?<!\S)[{_JOINERS}]+|[{_JOINERS}]+(?!\S)")
"""Joiners with nothing to join on one side."""


def without_unseen(text: str, instead: str = "") -> str:
    """Return ``text`` with ``instead`` for every character that shows nothing, joiners too."""
    return _UNSEEN_OR_JOINER.sub(instead, text)


def one_line(text: str) -> str:
    """Return ``text`` as one line without characters that show nothing; joiners stay in words."""
    return " ".join(_LOOSE_JOINER.sub("", _UNSEEN.sub("", text)).split())
